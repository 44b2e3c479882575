"""Read a file of records, a line at a time: NDJSON and CSV."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from domain.exchange.imports.read import record_read, row_read
from domain.exchange.imports.records import Record, Remark
from domain.exchange.tables.cells import CellForm
from domain.exchange.tables.rows import RowFault, Table
from domain.exchange.tables.texts import LINE_MAX_CHARS
from graph.errors import ArgusError, BadInputError


class Format(StrEnum):
    """Forms of a file of records."""

    NDJSON = "ndjson"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class TableForm:
    """How a table of text is written. delimiter: None: found out."""

    delimiter: str | None = None
    cells: CellForm = field(default_factory=CellForm)


def records_read(lines: Iterable[str], form: Format, *, table: TableForm | None = None) -> Iterator[Record | Remark]:
    """Yield each line's record, or a remark why it has none. table: of CSV.

    Raises BadInputError for a CSV file without usable columns.
    """
    return _ndjson(lines) if form is Format.NDJSON else _csv(lines, table or TableForm())


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


def _csv(lines: Iterable[str], form: TableForm) -> Iterator[Record | Remark]:
    table = Table(lines, delimiter=form.delimiter)
    named = set(table.columns)
    if not ({"kind", "name"} <= named or {"source", "relationship", "target"} <= named):
        message = "The first line of a CSV file names the columns: kind and name, or source, relationship and target."
        raise BadInputError(message, path=("file",))
    for row in table.rows():
        if isinstance(row, RowFault):
            yield Remark(f"line {row.line}", row.message, "BAD_USER_INPUT", row.line)
            continue
        try:
            yield record_read(row_read(row.cells, form.cells), line=row.line)
        except ArgusError as error:
            yield remark_of(error, subject=f"line {row.line}", line=row.line)


def remark_of(error: ArgusError, *, subject: str, line: int | None) -> Remark:
    """Return the remark on a record that was refused."""
    return Remark(subject, error.message, error.code, line, tuple(error.path))
