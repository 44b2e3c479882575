"""Paths of the places of an answer that are completed together: each made when it is looked at, as for an error."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql.pyutils import Path


class Places:
    """Paths by number."""

    __slots__ = ()

    def path(self, number: int) -> Any:
        """Return the path of a place; None is that of the answer itself."""
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError

    def __iter__(self) -> Iterator[Any]:
        return map(self.path, range(len(self)))


@dataclass(frozen=True, slots=True)
class Given(Places):
    """Paths that are there already."""

    paths: Sequence[Path | None]

    def path(self, number: int) -> Path | None:
        """Return the path of a place."""
        return self.paths[number]

    def __len__(self) -> int:
        return len(self.paths)


@dataclass(frozen=True, slots=True)
class Fields(Places):
    """A field of each of the objects at other places."""

    objects: Places
    name: str
    type_name: str

    def path(self, number: int) -> Path:
        """Return the path of a place."""
        return Path(self.objects.path(number), self.name, self.type_name)

    def __len__(self) -> int:
        return len(self.objects)


@dataclass(frozen=True, slots=True)
class Some(Places):
    """Some of other places, by their numbers."""

    places: Places
    numbers: Sequence[int]

    def path(self, number: int) -> Any:
        """Return the path of a place."""
        return self.places.path(self.numbers[number])

    def __len__(self) -> int:
        return len(self.numbers)


@dataclass(slots=True)
class Items(Places):
    """The items of lists at other places, those of one list after those of another."""

    lists: Places
    _numbers: list[int] = field(default_factory=list)
    _begins: list[int] = field(default_factory=list)
    _length: int = 0

    def add(self, number: int, length: int) -> None:
        """Add the items of the list at a place."""
        if length:
            self._numbers.append(number)
            self._begins.append(self._length)
            self._length += length

    def path(self, number: int) -> Path:
        """Return the path of a place."""
        of_list = bisect_right(self._begins, number) - 1
        return Path(self.lists.path(self._numbers[of_list]), number - self._begins[of_list], None)

    def __len__(self) -> int:
        return self._length
