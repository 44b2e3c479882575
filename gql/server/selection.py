"""Compute the key under which subscriptions share one answer to an event."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Final

from graphql import FieldNode, FragmentDefinitionNode, Node, OperationDefinitionNode, VariableNode, Visitor, visit

from gql.server.answers import json_encode
from gql.server.preparation import Prepared

# By the identity of an operation, which is held so that no other has it.
_KNOWN: Final[dict[int, tuple[OperationDefinitionNode, Sequence[str]]]] = {}
_KNOWN_MAX: Final = 1_000


def selection_key(prepared: Prepared) -> Hashable:
    """Return a key that is equal for two subscriptions whose answers to the same event are equal.

    That is the document and the variables it uses below the root field, whose own arguments chose the event.
    """
    request = prepared.request
    names = _names(prepared)
    return (
        request.query,
        request.operation_name,
        json_encode({name: request.variables[name] for name in names if name in request.variables}),
    )


def _names(prepared: Prepared) -> Sequence[str]:
    """Return the names of the variables below the root field: found once for a document that is asked again."""
    known = _KNOWN.get(id(prepared.operation))
    if known is None or known[0] is not prepared.operation:
        names: set[str] = set()
        for node in _below_root(prepared):
            visit(node, _Variables(names))
        known = _KNOWN[id(prepared.operation)] = prepared.operation, sorted(names)
        while len(_KNOWN) > _KNOWN_MAX:
            _KNOWN.pop(next(iter(_KNOWN)))
    return known[1]


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
