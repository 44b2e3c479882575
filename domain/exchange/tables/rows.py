"""Read a table of text, a row at a time: CSV and its relatives, by any delimiter, with a header or without."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from domain.exchange.tables.texts import LINE_MAX_CHARS
from graph.errors import BadInputError

# Stands for a line that is too long: one cell beyond what the reader of CSV takes, so that it counts and refuses it.
_TOO_LONG: Final = "x" * (csv.field_size_limit() + 1)
DELIMITERS: Final = (",", ";", "\t", "|")
# Excel's way of naming the delimiter, in a line before the header.
_NAMED: Final = "sep="


@dataclass(frozen=True, slots=True)
class Row:
    """A row by the names of its columns. line: of its end in the file, from 1."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RowFault:
    """A row that cannot be read. line: of its end in the file, from 1."""

    line: int
    message: str


class Table:
    """A table of text. columns: their names, in order; without a header their numbers, from 1.

    delimiter: None: the one of `DELIMITERS` that the first line has most of outside of quotes, a comma where it has
    none. Raises BadInputError where there is no first line, or it names a column twice.
    """

    def __init__(self, lines: Iterable[str], *, delimiter: str | None = None, has_header: bool = True) -> None:
        shortened = (line if len(line) <= LINE_MAX_CHARS else _TOO_LONG for line in lines)
        first, skipped = _first(shortened)
        if skipped and first.strip("\r\n").lower().startswith(_NAMED) and len(first.strip("\r\n")) == len(_NAMED) + 1:
            delimiter = delimiter or first[len(_NAMED)]
            first, more = _first(shortened)
            skipped += more
        self.delimiter = delimiter or _delimiter(first)
        self._skipped = skipped - 1
        self._reader = csv.reader(chain([first], shortened), delimiter=self.delimiter, strict=True)
        try:
            cells = next(self._reader)
        except csv.Error as error:
            message = f"The first line is not CSV: {error}."
            raise BadInputError(message, path=("file",)) from None
        self._first: list[str] | None = None if has_header else cells
        self.columns = _named(cells) if has_header else [str(n) for n in range(1, len(cells) + 1)]

    def rows(self) -> Iterator[Row | RowFault]:
        """Yield each row. A row with fewer cells has none of the others; empty lines are none."""
        if self._first is not None:
            yield self._row(self._first)
        while True:
            try:
                cells = next(self._reader, None)
            except csv.Error as error:
                yield RowFault(self.line, f"This is not CSV: {error}.")
                continue
            if cells is None:
                return
            if cells:
                yield self._row(cells)

    @property
    def line(self) -> int:
        """The line of the file that was read last, from 1."""
        return self._reader.line_num + self._skipped

    def _row(self, cells: Sequence[str]) -> Row | RowFault:
        more = cells[len(self.columns) :]
        if any(cell.strip() for cell in more):
            return RowFault(self.line, "The line has more cells than there are columns.")
        # A delimiter at the end of each line makes a column without a name.
        return Row(self.line, {name: cell for name, cell in zip(self.columns, cells, strict=False) if name})


def _first(lines: Iterator[str]) -> tuple[str, int]:
    """Return the first line that is not empty, and how many were read for it."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            return line, number
    raise BadInputError("The file is empty.", path=("file",))


def _delimiter(line: str) -> str:
    outside = "".join(line.split('"')[::2])
    counts = Counter({delimiter: outside.count(delimiter) for delimiter in DELIMITERS})
    delimiter, count = counts.most_common(1)[0]
    return delimiter if count else DELIMITERS[0]


def _named(cells: Sequence[str]) -> list[str]:
    columns = [cell.strip() for cell in cells]
    twice = [name for name, count in Counter(columns).items() if name and count > 1]
    if twice:
        message = f"The first line names the column {twice[0]!r} twice. Rename one, or leave out the header."
        raise BadInputError(message, path=("file",))
    return columns
