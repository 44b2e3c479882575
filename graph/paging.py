"""Keyset paging: a page is found by the sort key of the last row seen, so inserts never shift it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from graph.errors import BadInputError

T = TypeVar("T")

FIRST_MAX = 500

# The sort key of a row, in the order of the ORDER BY, ending with its id. JSON values only.
CursorKey = tuple[str | int | float | None, ...]


@dataclass(frozen=True, slots=True)
class PageRequest:
    """The first `first` rows after the row whose sort key is `after`."""

    first: int
    after: CursorKey | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.first <= FIRST_MAX:
            msg = f"first must lie between 1 and {FIRST_MAX}; it was {self.first}."
            raise BadInputError(msg, path=("first",))


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Rows with the sort key of each.

    total: counts all rows of the list when called, inside the same transaction; a list that nobody asks the
    total of does not pay for it.
    """

    items: Sequence[T]
    keys: Sequence[CursorKey]
    has_next: bool
    has_previous: bool = False
    total: Callable[[], int] | None = None
