"""Attribute series to entities: which series, over which span, are read at an entity. Pure.

A device is read as its own series. An asset or a space is read through its links: MONITORED_BY and
CONTROLLED_BY edges to devices, as believed now, each over its own valid time. A link with port p takes the
readings of port p, a link without a port those without a port. `metadata.metrics_mapping
{deviceMetric: assetMetric}` renames and selects; without it every metric passes under its own name.

Two points of one asset metric at one time: the smaller device id wins, then the smaller port (none before 0),
then the smaller device metric. Two links to the same device port give a point once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from domain.plant.devices.model import METRICS_MAPPING

# Open ends of an interval, in microseconds since the epoch: beyond PostgreSQL's own bounds of timestamptz.
BEGIN_US = -(2**62)
END_US = 2**62


@dataclass(frozen=True, slots=True)
class Link:
    """A believed MONITORED_BY or CONTROLLED_BY edge; valid over [begins_us, ends_us), microseconds.

    mapping: device metric to metric here, or None where every metric passes under its own name.
    """

    source_id: UUID
    device_id: UUID
    port: int | None
    begins_us: int
    ends_us: int
    mapping: Mapping[str, str] | None


class Latest(NamedTuple):
    """The latest point of a stored series. value: None for a text. received_at: None where it is no longer known."""

    timestamp: datetime
    type: int
    value: float | None
    text: str | None
    received_at: datetime | None


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """A stored series. type: that of its latest point as `telemetry_history.type` has it, or None.

    origin: what writes it; None for readings of a device. declared: the type that the telemetry schema in force at its
    latest point gives it, or None. latest: its latest point, None where it has none or none was read.
    """

    id: int
    entity_id: UUID
    port: int | None
    metric: str
    unit: str | None
    type: int | None
    origin: str | None = None
    declared: int | None = None
    latest: Latest | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Segment:
    """One stored series over [begins_us, ends_us)."""

    series: SeriesRow
    begins_us: int
    ends_us: int


@dataclass(frozen=True, slots=True)
class Source:
    """One series as read at an entity.

    segments: by precedence, those of the winning stored series first; those of one stored series are disjoint.
    """

    entity_id: UUID
    metric: str
    port: int | None
    segments: Sequence[Segment]

    @property
    def unit(self) -> str | None:
        """The unit of the first series that has one."""
        return next((s.series.unit for s in self.segments if s.series.unit is not None), None)

    @property
    def declared(self) -> int | None:
        """The declared type of the first series that has one."""
        return next((s.series.declared for s in self.segments if s.series.declared is not None), None)


def mapping_of(metadata: Mapping[str, Any]) -> Mapping[str, str] | None:
    """Return a link's metrics mapping; entries that are not text to text are passed over."""
    mapping = metadata.get(METRICS_MAPPING)
    if not isinstance(mapping, Mapping):
        return None
    return {k: v for k, v in mapping.items() if isinstance(k, str) and isinstance(v, str)}


def metric_under(link: Link, *, metric: str) -> str | None:
    """Return the name of a device's metric through this link; None where the link leaves it out."""
    return metric if link.mapping is None else link.mapping.get(metric)


def precedence(row: SeriesRow) -> tuple[bytes, int, str]:
    """Return the sort key by which one of two points at one time wins: the smaller."""
    return (row.entity_id.bytes, -1 if row.port is None else row.port, row.metric)


def device_sources(rows: Iterable[SeriesRow], *, metrics: Collection[str] | None) -> list[Source]:
    """Return a device's own series, by metric and port."""
    chosen = [row for row in rows if metrics is None or row.metric in metrics]
    chosen.sort(key=lambda row: (row.metric, -1 if row.port is None else row.port))
    return [Source(row.entity_id, row.metric, row.port, (Segment(row, BEGIN_US, END_US),)) for row in chosen]


def linked_sources(
    entity_id: UUID,
    *,
    links: Iterable[Link],
    rows_by_device: Mapping[UUID, Sequence[SeriesRow]],
    metrics: Collection[str] | None,
) -> list[Source]:
    """Return the sources of an asset or a space: one per metric, by metric, port null.

    links: those of this entity, in any order. rows_by_device: all series of the linked devices. A series of
    the entity itself (a derived metric) goes before those of its devices.
    """
    taken: dict[str, dict[int, tuple[SeriesRow, list[tuple[int, int]]]]] = {}

    def take(metric: str, row: SeriesRow, begins_us: int, ends_us: int) -> None:
        if metrics is None or metric in metrics:
            _, spans = taken.setdefault(metric, {}).setdefault(row.id, (row, []))
            spans.append((begins_us, ends_us))

    for row in rows_by_device.get(entity_id, ()):
        take(row.metric, row, BEGIN_US, END_US)
    for link in links:
        for row in rows_by_device.get(link.device_id, ()):
            metric = metric_under(link, metric=row.metric) if row.port == link.port else None
            if metric is not None:
                take(metric, row, link.begins_us, link.ends_us)
    return [
        Source(entity_id, metric, None, _segments(entity_id, list(by_series.values())))
        for metric, by_series in sorted(taken.items())
    ]


def _segments(entity_id: UUID, taken: list[tuple[SeriesRow, list[tuple[int, int]]]]) -> list[Segment]:
    if len(taken) == 1 and len(taken[0][1]) == 1:
        [(row, [span])] = taken
        return [Segment(row, *span)]
    taken.sort(key=lambda item: (item[0].entity_id != entity_id, precedence(item[0])))
    return [Segment(row, begins, ends) for row, spans in taken for begins, ends in spans_union(spans)]


def spans_union(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join spans that overlap or adjoin: [begins, ends) each, ascending in the answer."""
    joined: list[tuple[int, int]] = []
    for begins, ends in sorted(spans):
        if joined and begins <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], ends))
        else:
            joined.append((begins, ends))
    return joined
