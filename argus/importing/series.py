"""Send a CSV file's readings through the public API."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from argus.client import ArgusClient
from argus.importing.columns import (
    Columns,
    Place,
    by_timeseries_id,
    places_of,
    timestamp_of,
    value_of,
    zone_of,
)

CALL_READINGS = 1000
FAULTS_MAX = 100


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that failed. line: in the file, the header being 1."""

    line: int
    message: str


@dataclass(slots=True)
class Sent:
    """The result of sending a file."""

    rows: int = 0
    accepted: int = 0
    rejected: int = 0
    duplicates: int = 0
    faults: list[Fault] = field(default_factory=list)
    columns_left_out: list[str] = field(default_factory=list)

    def fault(self, line: int, message: str) -> None:
        """Add a fault; only the first ones are kept."""
        if len(self.faults) < FAULTS_MAX:
            self.faults.append(Fault(line, message))


def series_send(
    path: Path,
    columns: Columns,
    *,
    client: ArgusClient,
    progress: Callable[[int, int], None],
    sent: Sent | None = None,
) -> Sent:
    """Send a file's readings, a thousand per call; return the result.

    sent: the one to fill and return, so that whoever is interrupted has what was acknowledged until then.

    A row that cannot be read, or a reading that is refused, is noted with its line and does not stop the rest.
    Raises SeriesError where file and options do not fit, ClientError where the API refuses or stays away.
    """
    zone = zone_of(columns.timezone)
    sent = Sent() if sent is None else sent
    total = sum(1 for _ in path.open(encoding="utf-8")) - 1
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        header = list(reader.fieldnames or ())
        needs_lookup = columns.device is None and columns.device_column is None
        by_timeseries = by_timeseries_id(client.devices()) if needs_lookup else {}
        places = places_of(columns, header, by_timeseries)
        used = {place.column for place in places} | {columns.timestamp, columns.device_column}
        sent.columns_left_out = [item for item in header if item not in used]
        waiting: list[tuple[int, dict[str, Any]]] = []
        for row in reader:
            sent.rows += 1
            waiting += (
                (reader.line_num, reading)
                for reading in _readings(row, columns, places=places, zone=zone, sent=sent, reader=reader)
            )
            while len(waiting) >= CALL_READINGS:
                _call(client, waiting[:CALL_READINGS], sent)
                del waiting[:CALL_READINGS]
                progress(sent.rows, total)
        if waiting:
            _call(client, waiting, sent)
        progress(sent.rows, total)
    return sent


def _readings(
    row: Mapping[str, str],
    columns: Columns,
    *,
    places: Sequence[Place],
    zone: ZoneInfo,
    sent: Sent,
    reader: csv.DictReader[str],
) -> Iterator[dict[str, Any]]:
    """Yield one reading per device of a row."""
    try:
        timestamp = timestamp_of(row[columns.timestamp] or "", zone)
    except ValueError:
        sent.fault(reader.line_num, f"{row[columns.timestamp]!r} is no time")
        return
    by_device: dict[str, dict[str, Any]] = {}
    for place in places:
        value = value_of(row[place.column])
        external_id = place.external_id
        if external_id is None and columns.device_column is not None:
            external_id = row[columns.device_column]
        if value is not None and external_id:
            by_device.setdefault(external_id, {})[place.metric] = value
    for external_id, metrics in by_device.items():
        yield {"externalId": external_id, "timestamp": timestamp, "metrics": metrics}


def _call(client: ArgusClient, readings: Sequence[tuple[int, dict[str, Any]]], sent: Sent) -> None:
    payload = client.ingest([reading for _, reading in readings])
    sent.accepted += payload["accepted"]
    sent.rejected += payload["rejected"]
    sent.duplicates += payload["duplicates"]
    for error in payload["errors"]:
        place = int(error["path"][1]) if len(error["path"]) > 1 else 0
        sent.fault(readings[place][0], f"{error['message']} ({error['code']})")
