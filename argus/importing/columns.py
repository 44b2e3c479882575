"""Map the columns of a CSV file to devices and metrics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from domain.exchange.tables.cells import CellForm
from graph.texts import text_nfc

# Of the columns of a file that a message names.
_SHOWN_MAX: Final = 20


class SeriesError(Exception):
    """The file cannot be read as the options say. What was sent before is counted in the caller's `Sent`."""


@dataclass(frozen=True, slots=True)
class Columns:
    """How a file is written, and the mapping of its columns.

    timestamps: columns that make the time together, such as a date and a time of day, joined with blanks.
    placed: column -> (external id of its device, metric; None: the column's name). encoding, delimiter: None: found
    out. skip: so many lines come before the table. Without a header columns are named by their numbers, from 1.
    """

    timestamps: Sequence[str]
    timezone: str = "UTC"
    timestamp_format: str = "iso"
    device: str | None = None
    device_column: str | None = None
    metrics: Sequence[str] | None = None
    placed: Mapping[str, tuple[str, str | None]] = field(default_factory=dict)
    cells: CellForm = field(default_factory=CellForm)
    encoding: str | None = None
    delimiter: str | None = None
    has_header: bool = True
    skip: int = 0

    def composed(self) -> Columns:
        """Return the same with all names in NFC, as those of a table are."""
        return replace(
            self,
            timestamps=tuple(map(text_nfc, self.timestamps)),
            device_column=None if self.device_column is None else text_nfc(self.device_column),
            metrics=None if self.metrics is None else tuple(map(text_nfc, self.metrics)),
            placed={text_nfc(column): place for column, place in self.placed.items()},
        )


@dataclass(frozen=True, slots=True)
class Place:
    """The destination of a column's values. external_id None: the row names the device."""

    column: str
    external_id: str | None
    metric: str


def places_of(columns: Columns, header: Sequence[str], by_timeseries: Mapping[str, str]) -> list[Place]:
    """Return the place of each column that has one, in the file's order.

    by_timeseries: external ids of devices by the name of their series. Raises SeriesError.
    """
    named = [*columns.timestamps, *(columns.metrics or ()), *columns.placed]
    if columns.device_column is not None:
        named.append(columns.device_column)
    own = {*columns.timestamps, columns.device_column}
    missing = sorted(set(named) - set(header))
    if missing:
        more = f" and {len(header) - _SHOWN_MAX} more" if len(header) > _SHOWN_MAX else ""
        msg = f"The file has no column {', '.join(missing)}; it has {', '.join(header[:_SHOWN_MAX])}{more}."
        if set(columns.timestamps) & set(missing):
            msg += " Name the column of times with --timestamp-column. No names? See --no-header, --skip-lines."
        raise SeriesError(msg)
    wanted = dict.fromkeys(columns.metrics or ()) or [item for item in header if item and item not in own]
    places = [place for item in wanted if (place := _place(columns, item, by_timeseries)) is not None]
    if not places:
        msg = "No column belongs to a device: use --map or --device, or import the model that names the series first."
        raise SeriesError(msg)
    _destinations_check(places)
    return places


def _destinations_check(places: Iterable[Place]) -> None:
    columns: dict[tuple[str | None, str], str] = {}
    for place in places:
        other = columns.setdefault((place.external_id, place.metric), place.column)
        if other != place.column:
            msg = (
                f"The columns {other} and {place.column} both have the metric {place.metric} of {place.external_id}:"
                " map one of them to another metric, or name the columns to send with --metric-columns."
            )
            raise SeriesError(msg)


def _place(columns: Columns, column: str, by_timeseries: Mapping[str, str]) -> Place | None:
    if column in columns.placed:
        external_id, metric = columns.placed[column]
        return Place(column, external_id, metric or column)
    if columns.device_column is not None:
        return Place(column, None, column)
    if columns.device is not None:
        return Place(column, columns.device, column)
    place = by_timeseries.get(column)
    return None if place is None else Place(column, place, column)


def by_timeseries_id(devices: Iterable[Mapping[str, object]]) -> dict[str, str]:
    """Return the external ids of devices by their attribute timeseriesId; a name of two devices is left out."""
    by_id: dict[str, str | None] = {}
    for device in devices:
        attributes, external_id = device.get("attributes"), device.get("externalId")
        name = attributes.get("timeseriesId") if isinstance(attributes, Mapping) else None
        if isinstance(name, str) and isinstance(external_id, str):
            by_id[text_nfc(name)] = None if text_nfc(name) in by_id else external_id
    return {name: external_id for name, external_id in by_id.items() if external_id is not None}
