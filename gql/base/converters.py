"""Registry of converters from rows of the core to objects of the schema, one for each type of row.

A module that defines a type of the schema registers here how it is made. What a field leads to may lead back, an entity
to its edges and an edge to its entities, and this is how neither module needs to import the other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

Converter = TypeVar("Converter", bound=Callable[..., Any])

_CONVERTERS: Final[dict[type, Callable[..., Any]]] = {}


def converts(row_type: type) -> Callable[[Converter], Converter]:
    """Register a converter from a row type to an object of the schema. A decorator."""

    def register(converter: Converter) -> Converter:
        assert row_type not in _CONVERTERS, f"{row_type} is shown by {_CONVERTERS[row_type]} already"  # noqa: S101
        _CONVERTERS[row_type] = converter
        return converter

    return register


def to_object(row: Any, *more: Any) -> Any:
    """Convert a row to an object of the schema. more: further arguments of its converter."""
    return _CONVERTERS[type(row)](row, *more)
