"""Read a file of records, a line at a time: NDJSON and CSV."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from domain.exchange.imports.read import columns_check, members_once, record_read, row_read
from domain.exchange.imports.records import Record, Remark
from domain.exchange.tables.cells import CellForm
from domain.exchange.tables.rows import RowFault, Table
from domain.exchange.tables.texts import LINE_MAX_CHARS
from domain.exchange.tables.times import CellTimes
from domain.telemetry.model.buckets import zone_of
from graph.errors import ArgusError, BadInputError

# Columns whose cells may be anything.
_MEMBERS = ("attributes.", "metadata.")


class Format(StrEnum):
    """Forms of a file of records."""

    NDJSON = "ndjson"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class TableForm:
    """How a table of text is written. delimiter: None: found out.

    names: of the columns, where no header names them; one without a name is left out. skip: so many lines come before
    the table. timestamp_format: as `time_reader` has them. timezone: of times without an offset; None: UTC, and their
    number is remarked on.
    """

    delimiter: str | None = None
    cells: CellForm = field(default_factory=CellForm)
    names: Sequence[str] | None = None
    skip: int = 0
    timestamp_format: str = "iso"
    timezone: str | None = None


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
            yield record_read(json.loads(line, object_pairs_hook=members_once), line=number)
        except ArgusError as error:
            yield remark_of(error, subject=f"line {number}", line=number)
        except (ValueError, RecursionError) as error:
            yield Remark(f"line {number}", f"This is not JSON: {_reason(error)}.", "BAD_USER_INPUT", number)


def _reason(error: Exception) -> str:
    """Return why a line is not JSON; the line of the file is named besides."""
    return f"{error.msg}, at character {error.colno}" if isinstance(error, json.JSONDecodeError) else str(error)


def _csv(lines: Iterable[str], form: TableForm) -> Iterator[Record | Remark]:
    has_header = form.names is None
    table = Table(lines, delimiter=form.delimiter, has_header=has_header, names=form.names, skip=form.skip)
    times = CellTimes(form.timestamp_format, zone_of(form.timezone or "UTC"))
    columns_check(table.columns)
    commas: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for row in table.rows():
        if isinstance(row, RowFault):
            yield Remark(f"line {row.line}", row.message, "BAD_USER_INPUT", row.line)
            continue
        try:
            yield record_read(row_read(row.cells, form.cells, times), line=row.line)
        except ArgusError as error:
            yield remark_of(error, subject=f"line {row.line}", line=row.line)
            continue
        for name, cell in row.cells.items():
            if form.cells.is_comma_number(cell) and name.startswith(_MEMBERS):
                commas[name] += 1
                examples.setdefault(name, cell.strip())
    for name, count in commas.items():
        message = f"texts that look like numbers with a decimal comma ({examples[name]!r}), which --decimal , reads"
        yield Remark(name, f"{count} {message}.")
    if times.local and form.timezone is None:
        yield Remark("times", f"{times.local} without an offset were taken as UTC; see --timezone.")
    if times.ambiguous:
        yield Remark("times", f"{times.ambiguous} were of an hour that comes twice, and are of the first.")


def remark_of(error: ArgusError, *, subject: str, line: int | None) -> Remark:
    """Return the remark on a record that was refused."""
    return Remark(subject, error.message, error.code, line, tuple(error.path))
