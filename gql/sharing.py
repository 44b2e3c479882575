"""Work that is done once for all subscribers that are sent the same: the objects of an update, and its JSON."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterator, MutableMapping
from typing import Any, TypeVar

from graphql import FieldNode, FragmentDefinitionNode, Node, OperationDefinitionNode, VariableNode, Visitor, visit

from gql.answers import json_encode
from gql.preparation import Prepared

T = TypeVar("T")


async def shared(
    memo: MutableMapping[Any, Any], key: Hashable, make: Callable[[], Awaitable[T]], *, is_for_all: Callable[[T], bool]
) -> T:
    """Return what `make` makes, once for all who ask with the same key.

    Where who makes it fails or goes, or made something that is not for all, each of the others makes its own.
    """
    coming: asyncio.Future[tuple[T] | None] | None = memo.get(key)
    if coming is not None:
        # Shielded: one that goes does not end the wait of the others.
        made = await asyncio.shield(coming)
        return made[0] if made is not None else await make()
    coming = memo[key] = asyncio.get_running_loop().create_future()
    found: tuple[T] | None = None
    try:
        value = await make()
        found = (value,) if is_for_all(value) else None
        return value
    finally:
        coming.set_result(found)


def selection_key(prepared: Prepared) -> Hashable:
    """Return what the answers to two subscriptions have in common where they are the same for the same event.

    That is the document and the variables it uses below the root field, whose own arguments chose the event.
    """
    request = prepared.request
    names: set[str] = set()
    for node in _below_root(prepared):
        visit(node, _Variables(names))
    return (
        request.query,
        request.operation_name,
        json_encode({name: request.variables[name] for name in sorted(names) if name in request.variables}),
    )


class _Variables(Visitor):
    """Collects the names of variables."""

    def __init__(self, names: set[str]) -> None:
        super().__init__()
        self._names = names

    def enter_variable(self, node: VariableNode, *_: object) -> None:
        self._names.add(node.name.value)


def _below_root(prepared: Prepared) -> Iterator[Node]:
    """Yield all parts of a document that hold no arguments of the root field."""
    for definition in prepared.document.definitions:
        if isinstance(definition, FragmentDefinitionNode):
            yield definition
        elif isinstance(definition, OperationDefinitionNode) and definition is prepared.operation:
            yield from definition.directives or ()
            for selection in definition.selection_set.selections:
                if isinstance(selection, FieldNode):
                    yield from selection.directives or ()
                    if selection.selection_set is not None:
                        yield selection.selection_set
                else:
                    yield selection
