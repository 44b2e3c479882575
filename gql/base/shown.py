"""Registry of the functions that turn rows of the core into objects of the schema, one for each type of row.

A module that defines a type of the schema registers here how it is made. What a field leads to may lead back, an entity
to its edges and an edge to its entities, and this is how neither module needs to import the other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

Show = TypeVar("Show", bound=Callable[..., Any])

_SHOWN: Final[dict[type, Callable[..., Any]]] = {}


def shows(row_type: type) -> Callable[[Show], Show]:
    """Register the function that makes an object of the schema of a row. For use as a decorator."""

    def register(show: Show) -> Show:
        assert row_type not in _SHOWN, f"{row_type} is shown by {_SHOWN[row_type]} already"  # noqa: S101
        _SHOWN[row_type] = show
        return show

    return register


def shown(row: Any, *more: Any) -> Any:
    """Return a row as an object of the schema. more: further arguments of its function."""
    return _SHOWN[type(row)](row, *more)
