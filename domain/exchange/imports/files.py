"""Read a file of records, a line at a time: NDJSON and CSV."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from domain.exchange.imports.read import columns_check, members_once, record_read, row_read
from domain.exchange.imports.records import Record, Remark
from domain.exchange.tables.cells import CellForm
from domain.exchange.tables.rows import Row, RowFault, Table
from domain.exchange.tables.texts import LINE_MAX_CHARS
from domain.exchange.tables.times import CellTimes
from domain.telemetry.model.buckets import zone_of
from graph.errors import ArgusError, BadInputError

# Fields with members that may be anything, each in a column of its own.
_MEMBERS = ("attributes", "metadata")


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
    doubtful = _Doubtful(form.cells)
    for row in table.rows():
        if isinstance(row, RowFault):
            yield Remark(f"line {row.line}", row.message, "BAD_USER_INPUT", row.line)
            continue
        try:
            record = row_read(row.cells, form.cells, times)
            yield record_read(record, line=row.line)
        except ArgusError as error:
            yield remark_of(error, subject=f"line {row.line}", line=row.line)
            continue
        doubtful.add(row, record)
    yield from doubtful.remarks()
    if times.local and form.timezone is None:
        yield Remark("times", f"{times.local} without an offset were taken as UTC; see --timezone.")
    if times.ambiguous:
        yield Remark("times", f"{times.ambiguous} were of an hour that comes twice, and are of the first.")


class _Doubtful:
    """Counts texts of attributes and metadata that look like numbers, by column."""

    def __init__(self, form: CellForm) -> None:
        self._form = form
        self._counts: Counter[str] = Counter()
        self._first: dict[str, tuple[str, int]] = {}

    def add(self, row: Row, record: Mapping[str, Any]) -> None:
        """Count those of a row, which was read as this record."""
        for head in _MEMBERS:
            for member, value in record.get(head, {}).items():
                name = f"{head}.{member}"
                # A text in quotation marks of JSON is meant as one.
                if value != row.cells[name].strip() or (advice := self._form.advice(value)) is None:
                    continue
                self._counts[name] += 1
                self._first.setdefault(name, (advice, row.line))

    def remarks(self) -> Iterator[Remark]:
        """Yield a remark on each column that has some."""
        for name, count in self._counts.items():
            advice, line = self._first[name]
            texts = "1 text looks like a number" if count == 1 else f"{count} texts look like numbers"
            yield Remark(name, f"{texts} and stayed as written, the first in line {line}: {advice}")


def remark_of(error: ArgusError, *, subject: str, line: int | None) -> Remark:
    """Return the remark on a record that was refused."""
    return Remark(subject, error.message, error.code, line, tuple(error.path))
