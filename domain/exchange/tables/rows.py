"""Read a table of text, a row at a time: CSV and its relatives, by any delimiter, with a header or without."""

from __future__ import annotations

import csv
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from domain.exchange.tables.texts import LINE_MAX_CHARS
from graph.errors import BadInputError
from graph.texts import text_nfc

# Stands for a line that is too long: one cell beyond what the reader of CSV takes, so that it counts and refuses it.
_TOO_LONG: Final = "x" * (csv.field_size_limit() + 1)
DELIMITERS: Final = (",", ";", "\t", "|")
# Excel's way of naming the delimiter, in a line before the header.
_NAMED: Final = "sep="
_QUOTE: Final = '"'
# What the reader of CSV says of a quotation mark that is open where the lines end.
_OPEN_AT_END: Final = "unexpected end of data"


@dataclass(frozen=True, slots=True)
class Row:
    """A row by the names of its columns. line: of its end in the file, from 1."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RowFault:
    """A row that cannot be read. line: the one at fault in the file, from 1."""

    line: int
    message: str


class Table:
    """A table of text. columns: their names in NFC, in order; without a header the names given, or numbers from 1.

    delimiter: None: the one of `DELIMITERS` that the first line has most of outside of quotes, a comma where it has
    none. skip: so many lines come before the table. cells_span_lines: a cell in quotation marks may hold line breaks;
    where not, a quotation mark that is open at the end of its line is a fault of that line alone.
    Raises BadInputError where there is no first line, or it names a column twice.
    """

    def __init__(
        self,
        lines: Iterable[str],
        *,
        delimiter: str | None = None,
        has_header: bool = True,
        names: Sequence[str] | None = None,
        skip: int = 0,
        cells_span_lines: bool = True,
    ) -> None:
        self._lines = _Lines(line if len(line) <= LINE_MAX_CHARS else _TOO_LONG for line in lines)
        self._lines.pass_over(skip)
        first = self._first()
        named = first.strip("\r\n")
        if named.lower().startswith(_NAMED) and len(named) == len(_NAMED) + 1:
            delimiter = delimiter or named[-1]
            first = self._first()
        self.delimiter = delimiter or _delimiter(first)
        self._lines.put_back()
        # A header may: spreadsheets put a unit below a name.
        self._lines.span = cells_span_lines or has_header
        # What follows a delimiter and blanks in quotation marks is quoted: `1, "2"`, as programs print it.
        skips_blanks = self.delimiter != " "
        self._reader = csv.reader(self._lines, delimiter=self.delimiter, strict=True, skipinitialspace=skips_blanks)
        cells = self._next()
        if isinstance(cells, RowFault):
            raise BadInputError(f"The first line cannot be read: {cells.message}", path=("file",))
        self._lines.span = cells_span_lines
        self._first_row: list[str] | None = None if has_header else cells
        numbers = [str(n) for n in range(1, len(cells or []) + 1)]
        self.columns = _named(cells or []) if has_header else numbers if names is None else _named(names)

    def rows(self) -> Iterator[Row | RowFault]:
        """Yield each row. A row with fewer cells has none of the others; a line without any is no row."""
        if self._first_row is not None:
            yield self._row(self._first_row)
        while (cells := self._next()) is not None:
            if isinstance(cells, RowFault):
                yield cells
            elif "".join(cells).strip():
                yield self._row(cells)

    def _next(self) -> list[str] | RowFault | None:
        """Return the cells of the next row; None: there is none."""
        self._lines.begin()
        try:
            return next(self._reader, None)
        except csv.Error as error:
            return self._fault(error)

    def _fault(self, error: csv.Error) -> RowFault:
        """Return what is wrong with the row just read. The lines after the one at fault are read again."""
        row, last = self._lines.row, self._lines.line
        opened = _opened_in(row, self.delimiter)
        is_open = str(error) == _OPEN_AT_END
        if opened is None or (opened == len(row) - 1 and not is_open):
            return RowFault(last, f"This is not CSV: {error}.")
        self._lines.put_back(after=opened + 1)
        until = f" before line {last}: {error}" if not is_open else "" if self._lines.span else " in it"
        return RowFault(self._lines.line, f"A quotation mark opens a cell in this line and is not closed{until}.")

    def _row(self, cells: Sequence[str]) -> Row | RowFault:
        if "\0" in "".join(cells):
            return RowFault(self._lines.line, "The line holds zero bytes, which no text has.")
        more = cells[len(self.columns) :]
        if any(cell.strip() for cell in more):
            return RowFault(self._lines.line, "The line has more cells than there are columns.")
        # A delimiter at the end of each line makes a column without a name.
        return Row(self._lines.line, {name: cell for name, cell in zip(self.columns, cells, strict=False) if name})

    def _first(self) -> str:
        """Return the first line that is not empty."""
        self._lines.begin()
        for line in self._lines:
            if line.strip():
                return line
            self._lines.begin()
        raise BadInputError("The file is empty.", path=("file",))


class _Lines:
    """The lines of a file, for a reader of rows: those of a row are remembered until the next, and can be put back.

    row: the lines that were read since the row began. line: the number of the last of them in the file, from 1.
    span: whether a row may have several; where not, it ends where the reader wants a second.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._again: deque[str] = deque()
        self._chars = 0
        self.row: list[str] = []
        self.line = 0
        self.span = True

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        # A row is bounded as a line is: a quotation mark that is never closed does not bring the whole file.
        if self.row and (not self.span or self._chars > LINE_MAX_CHARS):
            raise StopIteration
        line = self._again.popleft() if self._again else next(self._lines)
        self.row.append(line)
        self._chars += len(line)
        self.line += 1
        return line

    def pass_over(self, count: int) -> None:
        """Leave out so many lines."""
        self.line += sum(1 for _ in islice(self._lines, count))

    def begin(self) -> None:
        """Begin a row."""
        self.row, self._chars = [], 0

    def put_back(self, *, after: int = 0) -> None:
        """Have the lines of the row be read again, but for so many of the first."""
        back = self.row[after:]
        self._again.extendleft(reversed(back))
        self.line -= len(back)
        self.row = self.row[:after]


def _opened_in(row: Sequence[str], delimiter: str) -> int | None:
    """Return the place, from 0, of the line in which the last cell of a row opens that is in quotation marks."""
    opened: int | None = None
    is_begin, is_quoted, was_quoted = True, False, False
    for place, line in enumerate(row):
        for character in line:
            if is_quoted:
                is_quoted = character != _QUOTE
                was_quoted = not is_quoted
                continue
            if character == _QUOTE and (is_begin or was_quoted):
                # One that follows another at once is a mark of the text: the cell goes on.
                opened = place if is_begin else opened
                is_quoted, is_begin = True, False
            else:
                is_begin = character == delimiter or (is_begin and character == " ")
            was_quoted = False
    return opened


def _delimiter(line: str) -> str:
    outside = "".join(line.split(_QUOTE)[::2])
    counts = Counter({delimiter: outside.count(delimiter) for delimiter in DELIMITERS})
    delimiter, count = counts.most_common(1)[0]
    return delimiter if count else DELIMITERS[0]


def _named(cells: Sequence[str]) -> list[str]:
    columns = [text_nfc(cell.strip()) for cell in cells]
    twice = [name for name, count in Counter(columns).items() if name and count > 1]
    if twice:
        message = f"The file has the column {twice[0]!r} twice. Rename one, or leave out the header."
        raise BadInputError(message, path=("file",))
    return columns
