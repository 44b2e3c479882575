"""Complete results for many objects at once: field by field for all of a list, not object by object.

The core resolves each field of each object by itself, with an awaitable, a path and an `info` each. Here the fields
that are selected of a type are planned once (`plans.py`). Of all objects of a list the attributes that are scalars are
read in one go, a field with a resolver is called for all of them with the same arguments, and what it returns is
completed for all of them together, at any depth. What is unusual takes the core's ordinary way: a field without a plan,
a value of no known type, an error. The answer is the same, but for the order of its errors.

Whatever a resolver or a conversion raises is an error of the answer at its place, so that all exceptions are caught.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import numpy as np
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLList,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLSchema,
    OperationType,
    get_operation_ast,
    is_abstract_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from graphql.execution import Executor as CoreExecutor
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from graphql.execution.executor_throwing_on_incremental import ExecutorThrowingOnIncremental
from graphql.execution.values import get_argument_values
from graphql.pyutils import AwaitableOrValue, Path, gather_with_cancel
from strawberry.schema import Schema
from strawberry.types import Info
from strawberry.types.arguments import convert_arguments

from gql.base.context import Context
from gql.server.answer_rows import Failed, all_awaited, all_or_raise, caught, fill, fill_one, put, then
from gql.server.bounds import Bound
from gql.server.bulk_inputs import BulkInputs
from gql.server.places import Fields, Given, Items, Places, Some
from gql.server.plans import Plan, PlannedField, Plans
from gql.server.values import attribute, is_composite, is_of, is_plain, numbers_of, resolved_together

# What an item counts that a list has beyond its bound.
EXCESS_COST: Final = 10


class BulkExecutor(ExecutorThrowingOnIncremental):
    """Executes an operation whose context is a `Context`. bounds: of the schema's lists, by `Type.field`."""

    bounds: Mapping[str, Bound]
    plans: Plans
    inputs: BulkInputs
    made_of: Schema

    @classmethod
    def build(
        cls,
        schema: GraphQLSchema,
        document: DocumentNode,
        root_value: Any = None,
        context_value: Any = None,
        raw_variable_values: dict[str, Any] | None = None,
        operation_name: str | None = None,
        *arguments: Any,
        **named: Any,
    ) -> list[GraphQLError] | CoreExecutor[Any]:
        """Build an executor; long lists among the variables are coerced by column."""
        coerced = cls.inputs.coerced(get_operation_ast(document, operation_name), raw_variable_values)
        # The core coerces an empty list in place of each, which fits where that does.
        others = {**(raw_variable_values or {}), **{name: [] for name in coerced}}
        built = super().build(schema, document, root_value, context_value, others, operation_name, *arguments, **named)
        if isinstance(built, CoreExecutor):
            values = built.variable_values
            values.coerced.update(coerced)
            for name in coerced:
                values.sources[name] = values.sources[name]._replace(value=(raw_variable_values or {})[name])
        return built

    def complete_list_value(
        self,
        return_type: GraphQLList[GraphQLOutputType],
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: AsyncIterable[Any] | Iterable[Any],
        position_context: None,
    ) -> AwaitableOrValue[list[Any]]:
        """Complete a list: charge what is beyond its bound, check whether to go on, and complete all items together."""
        if isinstance(result, np.ndarray):
            result = numbers_of(return_type.of_type, result)
            if isinstance(result, np.ndarray):
                self._charge(info, result)
                return result  # type: ignore[return-value]
        if not isinstance(result, list | tuple):
            return super().complete_list_value(return_type, field_details_list, info, path, result, position_context)
        self._charge(info, result)
        item_type = return_type.of_type
        if is_plain(item_type, result):
            return list(result)
        if not is_composite(item_type):
            return super().complete_list_value(return_type, field_details_list, info, path, result, position_context)
        places = Items(Given([path]))
        places.add(0, len(result))
        completed: AwaitableOrValue[list[Any]] = then(
            self._complete(item_type, field_details_list, info, result, places), all_or_raise
        )
        return completed

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: GroupedFieldSet,
        position_context: None,
    ) -> AwaitableOrValue[dict[str, Any]]:
        """Execute root fields as those of any object, but for a subscription's, whose source is no object's."""
        if path is not None or self.operation.operation is OperationType.SUBSCRIPTION:
            return super().execute_fields(parent_type, source_value, path, grouped_field_set, position_context)
        rows = self._execute(parent_type, grouped_field_set, [source_value], Given([None]))
        row: AwaitableOrValue[dict[str, Any]] = then(rows, lambda done: all_or_raise(done)[0])
        return row

    def execute_collected_subfields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path,
        grouped_field_set: GroupedFieldSet,
        *_: Any,
    ) -> AwaitableOrValue[dict[str, Any]]:
        """Execute the fields that are selected of one object."""
        rows = self._execute(parent_type, grouped_field_set, [source_value], Given([path]))
        row: AwaitableOrValue[dict[str, Any]] = then(rows, lambda done: all_or_raise(done)[0])
        return row

    def _complete(
        self,
        return_type: GraphQLOutputType,
        details: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        values: Sequence[Any],
        places: Places,
    ) -> AwaitableOrValue[list[Any]]:
        """Complete values of one type, each at its path; one that is an exception is an error there."""
        inner = return_type.of_type if is_non_null_type(return_type) else return_type
        if is_list_type(inner) and is_composite(inner.of_type):
            completed = self._complete_lists(inner, details, info, values, places)
        elif is_composite(inner):
            completed = self._complete_objects(inner, details, info, values, places)
        else:
            leaves = [self._complete_ordinarily(inner, details, info, *at) for at in zip(values, places, strict=True)]
            completed = self._awaited_too(leaves, leaves, range(len(leaves)))
        handled: AwaitableOrValue[list[Any]] = then(
            completed, partial(self._errors_handled, return_type, details, info, places)
        )
        return handled

    def _errors_handled(
        self,
        return_type: GraphQLOutputType,
        details: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        places: Places,
        completed: list[Any],
    ) -> list[Any]:
        """Have the error of a place that may be null recorded; leave a `Failed` where it may not."""
        is_required = is_non_null_type(return_type)
        for place, value in enumerate(completed):
            error: Exception
            if type(value) is Failed:
                error = value.error
            elif value is None and is_required:
                error = TypeError(f"Cannot return null for non-nullable field {info.parent_type}.{info.field_name}.")
            else:
                continue
            completed[place] = None
            try:
                self.handle_field_error(error, return_type, details, places.path(place))
            except Exception as located:  # noqa: BLE001
                completed[place] = Failed(located)
        return completed

    def _complete_ordinarily(
        self,
        inner: GraphQLOutputType,
        details: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        value: Any,
        path: Path,
    ) -> Any:
        try:
            return self.complete_value(inner, details, info, path, value, None)
        except Exception as error:  # noqa: BLE001
            return Failed(error)

    def _complete_lists(
        self,
        inner: GraphQLList[GraphQLOutputType],
        details: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        values: Sequence[Any],
        places: Places,
    ) -> AwaitableOrValue[list[Any]]:
        """Complete lists of objects, the items of all of them together."""
        completed: list[Any] = [None] * len(values)
        items: list[Any] = []
        item_places = Items(places)
        spans: list[tuple[int, int, int]] = []
        odd: list[int] = []
        context: Context = self.context_value
        context.stop.check(len(values))
        most = self.bounds[f"{info.parent_type.name}.{info.field_name}"].rows or math.inf
        for place, value in enumerate(values):
            if isinstance(value, list | tuple):
                if len(value) > most:
                    try:
                        context.charge((len(value) - most) * EXCESS_COST)
                    except Exception as error:  # noqa: BLE001
                        completed[place] = Failed(error)
                        continue
                spans.append((place, len(items), len(items) + len(value)))
                items += value
                item_places.add(place, len(value))
            elif value is not None:
                completed[place] = self._complete_ordinarily(inner, details, info, value, places.path(place))
                odd.append(place)

        def split(done: list[Any]) -> list[Any]:
            for place, begin, end in spans:
                part = done[begin:end]
                failed = next((item for item in part if type(item) is Failed), None)
                completed[place] = part if failed is None else failed
            return completed

        together = then(self._complete(inner.of_type, details, info, items, item_places), split)
        return self._awaited_too(together, completed, odd)

    def _complete_objects(
        self,
        inner: GraphQLOutputType,
        details: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        values: Sequence[Any],
        places: Places,
    ) -> AwaitableOrValue[list[Any]]:
        """Complete objects, those of one type together."""
        completed: list[Any] = [None] * len(values)
        numbers, others = self._by_type(inner, values, info)
        odd: list[int] = []
        for place in others:
            value = values[place]
            if isinstance(value, Exception):
                completed[place] = Failed(value)
            elif value is not None:
                completed[place] = self._complete_ordinarily(inner, details, info, value, places.path(place))
                odd.append(place)
        waiting: list[Awaitable[None]] = []
        for object_type, of_type in numbers.items():
            grouped, _, _ = self.collect_subfields(object_type, details)
            rows = self._execute(object_type, grouped, [values[place] for place in of_type], Some(places, of_type))
            taken = then(rows, partial(put, completed, of_type))
            if isinstance(taken, Awaitable):
                waiting.append(taken)
        together: AwaitableOrValue[list[Any]] = completed
        if waiting:
            together = all_awaited(waiting, completed)
        return self._awaited_too(together, completed, odd)

    def _awaited_too(
        self, together: AwaitableOrValue[list[Any]], completed: list[Any], odd: Sequence[int]
    ) -> AwaitableOrValue[list[Any]]:
        """Return what is completed together, once what took the ordinary way has been awaited, too."""
        waiting = [place for place in odd if self.is_awaitable(completed[place])]
        if not waiting:
            return together

        async def finish() -> list[Any]:
            results = [caught(completed[place]) for place in waiting]
            if isinstance(together, Awaitable):
                results.append(caught(together))
            done = await gather_with_cancel(*results)
            put(completed, waiting, done[: len(waiting)])
            return completed

        return finish()

    def _by_type(
        self, inner: GraphQLOutputType, values: Sequence[Any], info: GraphQLResolveInfo[Any]
    ) -> tuple[dict[GraphQLObjectType, list[int]], list[int]]:
        """Return the places of values by their types; and of the others, whose type only the core can tell, if any."""
        by_class: dict[type, list[int]] = {}
        for place, value in enumerate(values):
            by_class.setdefault(type(value), []).append(place)
        numbers: dict[GraphQLObjectType, list[int]] = {}
        others: list[int] = []
        for value_class, of_class in by_class.items():
            declared = self.plans.types.get(value_class)
            if declared is not None and (
                declared is inner or (is_abstract_type(inner) and self.schema.is_sub_type(inner, declared))
            ):
                numbers.setdefault(declared, []).extend(of_class)
                continue
            is_none = value_class is type(None) or issubclass(value_class, Exception)
            for place in of_class:
                if not is_none and is_object_type(inner) and is_of(inner, values[place], info):
                    numbers.setdefault(inner, []).append(place)
                else:
                    others.append(place)
        return numbers, others

    def _execute(
        self,
        object_type: GraphQLObjectType,
        grouped: GroupedFieldSet,
        sources: Sequence[Any],
        places: Places,
    ) -> AwaitableOrValue[list[Any]]:
        """Return the answer's object for each source, or a `Failed`."""
        plan = self.plans.get(object_type, grouped)
        context: Context = self.context_value
        context.stop.check()
        rows = self._rows(object_type, plan, sources, places)
        waiting: list[Awaitable[None]] = []
        try:
            for planned in plan.valued:
                fields = Fields(places, planned.name, object_type.name)
                completed = self._field(object_type, planned, sources, fields)
                taken = then(completed, partial(fill, rows, planned.name))
                if isinstance(taken, Awaitable):
                    waiting.append(taken)
            for planned in plan.ordinary:
                fields = Fields(places, planned.name, object_type.name)
                for place, (source, path) in enumerate(zip(sources, fields, strict=True)):
                    taken = self._field_ordinarily(object_type, planned, source, path, rows, place)
                    if taken is not None:
                        waiting.append(taken)
        except Exception:
            self.settle_in_background(waiting)
            raise
        return all_awaited(waiting, rows) if waiting else rows

    def _rows(self, object_type: GraphQLObjectType, plan: Plan, sources: Sequence[Any], places: Places) -> list[Any]:
        with contextlib.suppress(Exception):
            return plan.rows(sources)
        # Something is unusual about one of them: each by itself.
        return [self._row(object_type, plan, source, path) for source, path in zip(sources, places, strict=True)]

    def _row(self, object_type: GraphQLObjectType, plan: Plan, source: Any, path: Path) -> Any:
        with contextlib.suppress(Exception):
            [whole] = plan.rows([source])
            return whole
        # One of the leaves has an error, or is null where it must not be: each by itself.
        row: Any = dict.fromkeys(plan.names)
        rows = [row]
        for leaf in plan.leaves:
            field_path = Path(path, leaf.name, object_type.name)
            self._field_ordinarily(object_type, leaf, source, field_path, rows, 0)
        return rows[0]

    def _field_ordinarily(
        self,
        object_type: GraphQLObjectType,
        planned: PlannedField,
        source: Any,
        path: Path,
        rows: list[Any],
        place: int,
    ) -> Awaitable[None] | None:
        """Have the core resolve a field of one source; return what is to be awaited, if anything."""
        try:
            value = self.execute_field(object_type, source, planned.details, path, None)
        except Exception as error:  # noqa: BLE001
            value = Failed(error)
        if not self.is_awaitable(value):
            fill_one(rows, planned.name, place, value)
            return None

        async def finish() -> None:
            fill_one(rows, planned.name, place, await caught(value))

        return finish()

    def _field(
        self,
        object_type: GraphQLObjectType,
        planned: PlannedField,
        sources: Sequence[Any],
        places: Places,
    ) -> AwaitableOrValue[list[Any]]:
        """Resolve and complete a field of all sources."""
        info = self.build_resolve_info(
            planned.definition, [detail.node for detail in planned.details], object_type, places.path(0)
        )
        values: AwaitableOrValue[list[Any]]
        if planned.resolver is None:
            values = [attribute(source, planned.attribute or "") for source in sources]
        else:
            try:
                arguments = self._arguments(planned, info)
            except Exception as error:  # noqa: BLE001
                values = [error] * len(sources)
            else:
                if planned.of_many is None:
                    values = self._resolve(planned, sources, arguments)
                else:
                    values = resolved_together(planned.of_many, sources, arguments)
        complete = partial(self._complete, planned.definition.type, planned.details, info, places=places)
        if not isinstance(values, Awaitable):
            return complete(values)

        async def finish() -> list[Any]:
            completed = complete(await values)
            return await completed if isinstance(completed, Awaitable) else completed

        return finish()

    def _arguments(self, planned: PlannedField, info: GraphQLResolveInfo[Any]) -> dict[str, Any]:
        """Return the arguments of a field's resolver, which are the same for all sources."""
        first = planned.details[0]
        assert planned.field is not None  # noqa: S101  (of a field with a resolver)
        assert planned.resolver is not None  # noqa: S101
        of_field: Info[Any, Any] = Info(_raw_info=info, _field=planned.field)
        arguments: dict[str, Any] = {}
        if planned.arguments:
            arguments = dict(planned.arguments)
        elif planned.definition.args or first.node.arguments:
            given = get_argument_values(
                planned.definition,
                first.node,
                self.variable_values,
                first.fragment_variable_values,
                self.hide_suggestions,
            )
            arguments = convert_arguments(
                given,
                planned.field.arguments,
                scalar_registry=self.made_of.schema_converter.scalar_registry,
                config=self.made_of.config,
                info=of_field,
            )
            if not planned.has_variables:
                planned.arguments.update(arguments)
        if (parameter := planned.resolver.info_parameter) is not None:
            arguments[parameter.name] = of_field
        return arguments

    def _resolve(
        self, planned: PlannedField, sources: Sequence[Any], arguments: dict[str, Any]
    ) -> AwaitableOrValue[list[Any]]:
        """Call a field's resolver for each source; return the values, an exception where it raised one."""
        resolver: Callable[..., Any] = planned.resolver  # type: ignore[assignment]
        values: list[Any] = []
        waiting: list[int] = []
        for source in sources:
            try:
                value = resolver(source, **arguments) if planned.has_source else resolver(**arguments)
            except Exception as error:  # noqa: BLE001
                value = error
            if self.is_awaitable(value):
                waiting.append(len(values))
            values.append(value)
        if not waiting:
            return values

        async def finish() -> list[Any]:
            done = await asyncio.gather(*(values[place] for place in waiting), return_exceptions=True)
            for place, value in zip(waiting, done, strict=True):
                if isinstance(value, BaseException) and not isinstance(value, Exception):
                    raise value
                values[place] = value
            return values

        return finish()

    def _charge(self, info: GraphQLResolveInfo[Any], items: Sequence[Any] | np.ndarray) -> None:
        context: Context = self.context_value
        context.stop.check()
        bound = self.bounds[f"{info.parent_type.name}.{info.field_name}"]
        beyond = len(items) - (bound.rows or len(items))
        if beyond > 0:
            context.charge(beyond * EXCESS_COST)


def executor_of(schema: GraphQLSchema, *, bounds: Mapping[str, Bound]) -> type[BulkExecutor]:
    """Return the executor of a schema's operations. bounds: of its lists, by `Type.field`."""
    made_of: Schema = schema._strawberry_schema  # type: ignore[attr-defined]  # noqa: SLF001  (as its own code does)
    members = {"bounds": bounds, "plans": Plans(schema), "inputs": BulkInputs(schema), "made_of": made_of}
    return type("SchemaExecutor", (BulkExecutor,), members)
