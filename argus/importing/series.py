"""Send a CSV file's readings through the public API."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from argus.client import ArgusClient, ClientError
from argus.importing.columns import Columns, Place, SeriesError, by_timeseries_id, places_of
from argus.importing.files import STDIN, file_opened
from domain.exchange.tables.cells import CellError, Value
from domain.exchange.tables.rows import Row, RowFault, Table
from domain.exchange.tables.texts import lines_read, text_of, undecodable
from domain.exchange.tables.times import LocalTimes, TimeError, time_reader
from domain.telemetry.model.buckets import zone_of
from graph.errors import BadInputError

CALL_READINGS: Final = 1000
FAULTS_MAX: Final = 100
# Of so many rows the instants are remembered, to count those that fall on the instant of another: some 200 MB.
INSTANTS_MAX: Final = 2_000_000
_CHUNK_BYTES: Final = 1 << 20
_EXAMPLE_MAX_CHARS: Final = 40


@dataclass(frozen=True, slots=True)
class Fault:
    """A row or a cell that failed. line: in the file, from 1."""

    line: int
    message: str


@dataclass(slots=True)
class MixedColumn:
    """A column of numbers and of texts. example, line: the first text, and where it is."""

    column: str
    numbers: int = 0
    texts: int = 0
    example: str = ""
    line: int = 0

    def add(self, value: Value, line: int) -> None:
        """Count a value."""
        if not isinstance(value, str):
            self.numbers += 1
            return
        self.texts += 1
        if self.texts == 1:
            self.example, self.line = value[:_EXAMPLE_MAX_CHARS], line


@dataclass(slots=True)
class Sent:
    """The result of sending a file.

    rows_failed: rows left out: malformed, without a valid time, or without a device. cells_failed: cells left out of
    other rows. instants_repeated: rows on the instant of an earlier row of their device. times_local: times without an
    offset; times_ambiguous: those of an hour that came twice. mixed_columns: those with numbers and with texts.
    faults: the first ones; faults_total: all.
    """

    rows: int = 0
    accepted: int = 0
    rejected: int = 0
    duplicates: int = 0
    rows_failed: int = 0
    cells_failed: int = 0
    instants_repeated: int = 0
    times_local: int = 0
    times_ambiguous: int = 0
    faults_total: int = 0
    faults: list[Fault] = field(default_factory=list)
    columns_left_out: list[str] = field(default_factory=list)
    mixed_columns: list[MixedColumn] = field(default_factory=list)

    def fault(self, line: int, message: str) -> None:
        """Count a fault; only the first ones are kept."""
        self.faults_total += 1
        if len(self.faults) < FAULTS_MAX:
            self.faults.append(Fault(line, message))


def series_send(
    path: Path,
    columns: Columns,
    *,
    client: ArgusClient,
    progress: Callable[[int, int | None], None],
    sent: Sent | None = None,
) -> Sent:
    """Send a file's readings, a thousand per call; return the result.

    sent: the one to fill and return, so that whoever is interrupted, or handles an error, has what was acknowledged
    until then. progress: called with the rows read and the lines of the file; None: it is read once, as a pipe is.

    A row or a cell that cannot be read, or a reading that is refused, is noted with its line and stops nothing else.
    Raises SeriesError where file and options do not fit, ClientError where the API refuses or stays away, OSError where
    the file cannot be read; each of them also in the middle of the file.
    """
    sent = Sent() if sent is None else sent
    columns = columns.composed()
    is_file = str(path) != STDIN and path.is_file()
    total = _line_count(path) - columns.has_header - columns.skip if is_file else None
    try:
        with file_opened(path) as file:
            lines = lines_read(text_of(file, columns.encoding))
            table = Table(
                lines,
                delimiter=columns.delimiter,
                has_header=columns.has_header,
                skip=columns.skip,
                # No value has a line break; one in a cell is a quotation mark that somebody forgot.
                cells_span_lines=False,
            )
            places = _places(table, columns, client)
            used = {place.column for place in places} | {*columns.timestamps, columns.device_column}
            sent.columns_left_out = [item for item in table.columns if item and item not in used]
            rows = _Rows(columns, places, sent)
            waiting: list[tuple[int, dict[str, Any]]] = []
            for row in table.rows():
                sent.rows += 1
                waiting += ((row.line, reading) for reading in rows.readings(row))
                while len(waiting) >= CALL_READINGS:
                    _call(client, waiting[:CALL_READINGS], sent)
                    del waiting[:CALL_READINGS]
                    progress(sent.rows, total)
            if waiting:
                _call(client, waiting, sent)
            progress(sent.rows, total)
    except BadInputError as error:
        raise SeriesError(error.message) from error
    except UnicodeError as error:
        raise SeriesError(undecodable(error)) from error
    finally:
        sent.mixed_columns = [item for item in sent.mixed_columns if item.numbers and item.texts]
    return sent


def _places(table: Table, columns: Columns, client: ArgusClient) -> list[Place]:
    """Return the place of each column that has one. Raises SeriesError, also for a device that is named and unknown."""
    needs_lookup = columns.device is None and columns.device_column is None
    by_timeseries = by_timeseries_id(client.devices()) if needs_lookup else {}
    places = places_of(columns, table.columns, by_timeseries)
    named = {columns.device, *(external_id for external_id, _ in columns.placed.values())} - {None}
    try:
        unknown = sorted(name for name in named if name is not None and not client.has_device(name))
    except ClientError as error:
        if error.code != "FORBIDDEN":
            raise
        # A device's token may send, and ask nothing: what it may not send is rejected reading by reading.
        unknown = []
    if unknown:
        msg = f"There is no device with the external id {', '.join(map(repr, unknown))}. Nothing was sent."
        raise SeriesError(msg)
    return places


class _Rows:
    """Reads rows as readings, one after the other: local times are resolved by their order."""

    def __init__(self, columns: Columns, places: list[Place], sent: Sent) -> None:
        self._columns, self._places, self._sent = columns, places, sent
        self._time = time_reader(columns.timestamp_format)
        self._local = LocalTimes(zone_of(columns.timezone))
        self._instants: defaultdict[str, set[datetime]] = defaultdict(set)
        self._remembered = 0
        self._kinds = {place.column: MixedColumn(place.column) for place in places}
        sent.mixed_columns = list(self._kinds.values())

    def readings(self, row: Row | RowFault) -> Iterator[dict[str, Any]]:
        """Yield one reading per device of a row."""
        columns, sent = self._columns, self._sent
        if isinstance(row, RowFault):
            sent.rows_failed += 1
            sent.fault(row.line, row.message)
            return
        device = None if columns.device_column is None else row.cells.get(columns.device_column, "").strip()
        try:
            cells = [row.cells.get(column, "").strip() for column in columns.timestamps]
            local = self._time(cells[0] if len(cells) == 1 else " ".join(filter(None, cells)))
            at = self._local.instant(local, device or "")
        except TimeError as error:
            sent.rows_failed += 1
            sent.fault(row.line, str(error))
            return
        sent.times_local += local.tzinfo is None
        sent.times_ambiguous = self._local.ambiguous
        if device == "":
            sent.rows_failed += 1
            sent.fault(row.line, f"The column {columns.device_column} names no device.")
            return
        by_device = self._values(row, device)
        if by_device:
            self._remember(device or "", at)
        timestamp = at.isoformat()
        for external_id, metrics in by_device.items():
            yield {"externalId": external_id, "timestamp": timestamp, "metrics": metrics}

    def _values(self, row: Row, device: str | None) -> dict[str, dict[str, Any]]:
        by_device: dict[str, dict[str, Any]] = {}
        for place in self._places:
            try:
                value = self._columns.cells.value(row.cells.get(place.column, ""))
            except CellError as error:
                self._sent.cells_failed += 1
                self._sent.fault(row.line, f"{place.column}: {error}")
                continue
            external_id = device if place.external_id is None else place.external_id
            if value is None or not external_id:
                continue
            metrics = by_device.setdefault(external_id, {})
            if place.metric in metrics:
                self._sent.cells_failed += 1
                message = f"{place.column}: another column of this row has the metric {place.metric} of {external_id}."
                self._sent.fault(row.line, message)
                continue
            metrics[place.metric] = value
            self._kinds[place.column].add(value, row.line)
        return by_device

    def _remember(self, device: str, at: datetime) -> None:
        instants = self._instants[device]
        if at in instants:
            self._sent.instants_repeated += 1
        elif self._remembered < INSTANTS_MAX:
            instants.add(at)
            self._remembered += 1


def _line_count(path: Path) -> int:
    with path.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(_CHUNK_BYTES), b""))


def _call(client: ArgusClient, readings: list[tuple[int, dict[str, Any]]], sent: Sent) -> None:
    payload = client.ingest_patiently([reading for _, reading in readings])
    sent.accepted += payload["accepted"]
    sent.rejected += payload["rejected"]
    sent.duplicates += payload["duplicates"]
    for error in payload["errors"]:
        place = int(error["path"][1]) if len(error["path"]) > 1 else 0
        sent.fault(readings[place][0], f"{error['message']} ({error['code']})")
