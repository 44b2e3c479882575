"""Complete results: check lists against their bounds, end work that is to stop, pass lists of floats unchanged."""

from __future__ import annotations

import math
from collections.abc import AsyncIterable, Iterable, Sequence
from typing import Any, Final

from graphql import GraphQLFloat, GraphQLList, GraphQLNonNull, GraphQLOutputType, GraphQLResolveInfo
from graphql.execution.collect_fields import FieldDetailsList
from graphql.execution.executor_throwing_on_incremental import ExecutorThrowingOnIncremental
from graphql.pyutils import AwaitableOrValue, Path

from gql.base.context import Context
from gql.server.bounds import Bound

# What an item counts that a list has beyond its bound.
EXCESS_COST: Final = 10


class BoundedExecutor(ExecutorThrowingOnIncremental):
    """Executes an operation whose context is a `Context`. bounds: of the schema's lists, by `Type.field`."""

    bounds: dict[str, Bound]

    def complete_list_value(
        self,
        return_type: GraphQLList[GraphQLOutputType],
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: AsyncIterable[Any] | Iterable[Any],
        position_context: None,
    ) -> AwaitableOrValue[list[Any]]:
        """Complete a list: charge what is beyond its bound, and check whether to go on."""
        context: Context = self.context_value
        if isinstance(result, list | tuple):
            bound = self.bounds[f"{info.parent_type.name}.{info.field_name}"]
            beyond = len(result) - (bound.rows or len(result))
            if beyond > 0:
                context.charge(beyond * EXCESS_COST)
            if _is_plain(return_type.of_type, result):
                context.stop.check()
                return list(result)
        return super().complete_list_value(return_type, field_details_list, info, path, result, position_context)

    def complete_list_item_value(self, *arguments: Any) -> bool:
        """Complete one item, unless the operation is to stop."""
        context: Context = self.context_value
        context.stop.check()
        return super().complete_list_item_value(*arguments)


def _is_plain(item_type: GraphQLOutputType, items: Sequence[Any]) -> bool:
    """Return whether items are finite floats, which are answered unchanged. Without a loop in Python."""
    if item_type is not GraphQLFloat and not (
        isinstance(item_type, GraphQLNonNull) and item_type.of_type is GraphQLFloat
    ):
        return False
    return set(map(type, items)) == {float} and all(map(math.isfinite, items))
