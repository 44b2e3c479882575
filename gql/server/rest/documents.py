"""The documents of the REST routes: each an operation, with the fragments that it uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    parse,
    print_ast,
    visit,
)
from graphql.language import Visitor

_FOLDER: Final = Path(__file__).parent / "documents"


@cache
def definitions() -> tuple[Mapping[str, OperationDefinitionNode], Mapping[str, FragmentDefinitionNode]]:
    """Return the operations and the fragments of all files, by their names."""
    operations: dict[str, OperationDefinitionNode] = {}
    fragments: dict[str, FragmentDefinitionNode] = {}
    for file in sorted(_FOLDER.glob("*.graphql")):
        for definition in parse(file.read_text(encoding="utf-8"), no_location=True).definitions:
            if isinstance(definition, OperationDefinitionNode):
                assert definition.name is not None  # noqa: S101  (files of our own)
                operations[definition.name.value] = definition
            elif isinstance(definition, FragmentDefinitionNode):
                fragments[definition.name.value] = definition
    return operations, fragments


@cache
def texts() -> Mapping[str, str]:
    """Return the document of each operation, by its name."""
    operations, fragments = definitions()
    return {
        name: print_ast(
            DocumentNode(definitions=(operation, *(fragments[used] for used in _used(operation, fragments))))
        )
        for name, operation in operations.items()
    }


def _used(operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]) -> Iterator[str]:
    """Yield the names of the fragments of an operation, those of fragments too, each once."""
    seen: set[str] = set()
    waiting = list(_spread_names(operation))
    while waiting:
        name = waiting.pop(0)
        if name not in seen:
            seen.add(name)
            yield name
            waiting += _spread_names(fragments[name])


def _spread_names(node: OperationDefinitionNode | FragmentDefinitionNode) -> list[str]:
    names: list[str] = []

    class Spreads(Visitor):
        def enter_fragment_spread(self, spread: FragmentSpreadNode, *_: object) -> None:
            names.append(spread.name.value)

    visit(node, Spreads())
    return names
