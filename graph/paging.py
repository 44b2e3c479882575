"""Keyset paging: a page is found by the sort key of a row that was seen, so inserts never shift it.

Lists in SQL are paged by a `Keyset` (`graph/keyset.py`), lists in memory by `page_of_sorted`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar, overload

from graph.errors import BadInputError

T = TypeVar("T")
U = TypeVar("U")

FIRST_MAX: Final = 500

# The name of the list, then the sort key of a row in the order of the ORDER BY, ending with its id. JSON values only.
CursorKey = tuple[str | int | float | None, ...]


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Rows between `after` and `before`, both exclusive: the first `first`, or where it is given the last `last`."""

    first: int
    after: CursorKey | None = None
    last: int | None = None
    before: CursorKey | None = None

    def __post_init__(self) -> None:
        for name, value in (("first", self.first), ("last", self.last)):
            if value is not None and not 0 <= value <= FIRST_MAX:
                raise BadInputError(f"{name} must lie between 0 and {FIRST_MAX}; it was {value}.", path=(name,))

    @property
    def is_backward(self) -> bool:
        """Whether the list is read from its end."""
        return self.last is not None

    @property
    def is_whole(self) -> bool:
        """Whether no cursor bounds it."""
        return self.after is None and self.before is None

    @property
    def size(self) -> int:
        """Most rows of the page."""
        return self.first if self.last is None else self.last


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Rows with the sort key of each, in the order of the list. A key is made when it is looked at.

    has_next, has_previous: whether rows follow it, and lie before it; assumed where a cursor bounds it on that side.
    total: counts all rows of the list when called, inside the same transaction; a list that nobody asks the
    total of does not pay for it.
    """

    items: Sequence[T]
    keys: Sequence[CursorKey]
    has_next: bool
    has_previous: bool = False
    total: Callable[[], int] | None = None

    def of(self, items: Sequence[U]) -> Page[U]:
        """Return the same page with other items, one for each."""
        return Page(items, self.keys, self.has_next, self.has_previous, self.total)


class _Keys(Sequence[CursorKey]):
    """The sort keys of rows, each made when it is looked at: few pages are paged on."""

    __slots__ = ("_key", "_rows")

    def __init__(self, rows: Sequence[Any], key: Callable[[Any], CursorKey]) -> None:
        self._rows, self._key = rows, key

    def __len__(self) -> int:
        return len(self._rows)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    @overload
    def __getitem__(self, place: int) -> CursorKey: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[CursorKey]: ...
    def __getitem__(self, place: int | slice) -> CursorKey | Sequence[CursorKey]:
        if isinstance(place, slice):
            return _Keys(self._rows[place], self._key)
        return self._key(self._rows[place])


def page_of_read(
    rows: Sequence[T],
    page: PageRequest,
    *,
    key: Callable[[T], CursorKey],
    total: Callable[[], int] | None = None,
) -> Page[T]:
    """Return the page of what was read for it: one row more than its size at most, in the direction of its request."""
    has_more = len(rows) > page.size
    items = rows[: page.size]
    if page.is_backward:
        items = items[::-1]
    return Page(
        items,
        _Keys(items, key),
        page.before is not None or (has_more and not page.is_backward),
        page.after is not None or (has_more and page.is_backward),
        total,
    )


def page_of_all(items: Sequence[T], *, name: str, key: Callable[[int], tuple[Any, ...]]) -> Page[T]:
    """Return a page that holds all of a list. name: of the list. key: of the item at a place; see `page_of_sorted`."""
    keys = _Keys(range(len(items)), lambda place: (name, *key(place)))
    return Page(items, keys, has_next=False, total=items.__len__)


def page_of_sorted(
    items: Sequence[T], page: PageRequest, *, name: str, types: Sequence[type], key: Callable[[T], tuple[Any, ...]]
) -> Page[T]:
    """Return a page of a list in memory, sorted by `key`, whose values have these types. name: of the list.

    Keys are computed for the page and, by bisection, for its ends. Raises BadInputError for a cursor of another list.
    """
    begin, end = 0, len(items)
    if page.after is not None:
        begin = bisect_right(items, _key_read(page.after, "after", name=name, types=types), key=key)
    if page.before is not None:
        end = bisect_left(items, _key_read(page.before, "before", name=name, types=types), key=key)
    if page.is_backward:
        begin = max(begin, end - page.size)
    else:
        end = min(end, begin + page.size)
    chosen = items[begin:end]
    keys = _Keys(chosen, lambda item: (name, *key(item)))
    return Page(chosen, keys, end < len(items), begin > 0, lambda: len(items))


def cursor_foreign(path: str) -> BadInputError:
    """Return the error for a cursor that another list made. path: the argument that gave it."""
    return BadInputError("This cursor does not belong to this list, or not to its order.", path=(path,))


def _key_read(key: CursorKey, path: str, *, name: str, types: Sequence[type]) -> tuple[Any, ...]:
    is_own = len(key) == len(types) + 1 and key[0] == name
    if not is_own or not all(_is_of(value, of) for value, of in zip(key[1:], types, strict=True)):
        raise cursor_foreign(path)
    return key[1:]


def _is_of(value: object, of: type) -> bool:
    # JSON writes a double without a fraction as it does an integer.
    return isinstance(value, int | float if of is float else of) and not isinstance(value, bool)
