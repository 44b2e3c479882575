"""Registry of the functions that turn rows of the core into objects of the schema, one for each type of row.

A module that defines a type of the schema registers here how it is made. What a field leads to may lead back, an entity
to its edges and an edge to its entities, and this is how neither module needs to import the other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from gql.base.connections import Rows

Show = TypeVar("Show", bound=Callable[..., Any])

_SHOWN: Final[dict[type, Callable[..., Any]]] = {}
_PAGES_SHOWN: Final[dict[type, Callable[..., Any]]] = {}


def shows(row_type: type) -> Callable[[Show], Show]:
    """Register the function that makes an object of the schema of a row. For use as a decorator."""
    return _registered(_SHOWN, row_type)


def shows_pages_of(row_type: type) -> Callable[[Show], Show]:
    """Register the function that makes a connection of a page of rows. For use as a decorator."""
    return _registered(_PAGES_SHOWN, row_type)


def shown(row: Any, *more: Any) -> Any:
    """Return a row as an object of the schema. more: further arguments of its function."""
    return _SHOWN[type(row)](row, *more)


def page_shown(row_type: type, rows: Rows[Any]) -> Any:
    """Return a page of rows as a connection of the schema."""
    return _PAGES_SHOWN[row_type](rows)


def _registered(table: dict[type, Callable[..., Any]], row_type: type) -> Callable[[Show], Show]:
    def register(show: Show) -> Show:
        assert row_type not in table, f"{row_type} is shown by {table[row_type]} already"  # noqa: S101
        table[row_type] = show
        return show

    return register
