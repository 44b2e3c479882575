"""Read a file of records, a line at a time: NDJSON and CSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Final, TextIO

from domain.exchange.imports.read import record_read, row_read
from domain.exchange.imports.records import Record, Remark
from graph.errors import ArgusError, BadInputError

LINE_MAX_CHARS: Final = 1_000_000
# Stands for a line that is too long: one cell beyond what the reader of CSV takes, so that it counts and refuses it.
_TOO_LONG: Final = "x" * (csv.field_size_limit() + 1)


class Format(StrEnum):
    """Forms of a file of records."""

    NDJSON = "ndjson"
    CSV = "csv"


def records_read(lines: Iterable[str], form: Format) -> Iterator[Record | Remark]:
    """Yield each line's record, or a remark why it has none.

    Raises BadInputError for a CSV file without usable columns.
    """
    return _ndjson(lines) if form is Format.NDJSON else _csv(lines)


def lines_read(file: TextIO) -> Iterator[str]:
    """Yield the lines of a file. Of one longer than LINE_MAX_CHARS only the beginning is kept, too long still."""
    while line := file.readline(LINE_MAX_CHARS + 1):
        rest = line
        while len(rest) > LINE_MAX_CHARS and not rest.endswith("\n"):
            rest = file.readline(LINE_MAX_CHARS + 1)
        yield line


def _ndjson(lines: Iterable[str]) -> Iterator[Record | Remark]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            if len(line) > LINE_MAX_CHARS:
                raise BadInputError(f"A line has at most {LINE_MAX_CHARS} characters.")
            yield record_read(json.loads(line), line=number)
        except ArgusError as error:
            yield remark_of(error, subject=f"line {number}", line=number)
        except (ValueError, RecursionError) as error:
            yield Remark(f"line {number}", f"This is no JSON: {error}.", "BAD_USER_INPUT", number)


def _csv(lines: Iterable[str]) -> Iterator[Record | Remark]:
    reader = csv.DictReader(line if len(line) <= LINE_MAX_CHARS else _TOO_LONG for line in lines)
    _columns_check(reader)
    while True:
        try:
            row = next(reader, None)
            if row is None:
                return
            if None in row:
                raise BadInputError("The line has more cells than there are columns.")
            yield record_read(row_read(row), line=reader.reader.line_num)
        except ArgusError as error:
            yield remark_of(error, subject=f"line {reader.reader.line_num}", line=reader.reader.line_num)
        except csv.Error as error:
            number = reader.reader.line_num
            yield Remark(f"line {number}", f"This is no CSV: {error}.", "BAD_USER_INPUT", number)


def _columns_check(reader: csv.DictReader[str]) -> None:
    try:
        named = list(reader.fieldnames or ())
    except csv.Error as error:
        raise BadInputError(f"The first line is no CSV: {error}.", path=("file",)) from None
    if not ({"kind", "name"} <= set(named) or {"source", "relationship", "target"} <= set(named)):
        message = "The first line of a CSV file names the columns: kind and name, or source, relationship and target."
        raise BadInputError(message, path=("file",))
    twice = sorted({name for name in named if name and named.count(name) > 1})
    if twice:
        raise BadInputError(f"The first line names the column {twice[0]!r} twice.", path=("file",))


def remark_of(error: ArgusError, *, subject: str, line: int | None) -> Remark:
    """Return the remark on a record that was refused."""
    return Remark(subject, error.message, error.code, line, tuple(error.path))
