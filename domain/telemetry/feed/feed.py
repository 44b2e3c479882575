"""The live feed's core: what a subscription sees of a batch, and offsets in the feed. Pure.

The feed has a few partitions. In each, the normalize stage numbers its commits without a gap: a batch's
*position*. So a reader that has seen position n knows whether it missed something when it sees n + 2, and a
place in the whole feed is one position per partition.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any
from uuid import UUID

import numpy as np

from domain.base.packed import Points, Series, instant_of, micros_of, millis_of, points_merge, type_of
from domain.telemetry.model.attribution import Link, metric_under, spans_union
from graph.errors import BadInputError

# A cursor is good for so long: the raw log, from which what lies after it is read again, is kept longer.
CURSOR_AGE_MAX = timedelta(days=1)
_CURSOR_VERSION = 1
_CURSOR_CHARS_MAX = 8192

Positions = Mapping[int, int]
# Device, port, metric.
SeriesKey = tuple[UUID, int | None, str]


@dataclass(frozen=True, slots=True)
class FeedGroup:
    """Points of one series within a batch, ascending in time, one per timestamp.

    device_id: or what derived them. declared: the type that a schema gives the series, where it is known here.
    """

    device_id: UUID
    port: int | None
    metric: str
    unit: str | None
    points: Points
    declared: int | None = None


@dataclass(frozen=True, slots=True)
class InvalidatedRange:
    """Points of this entity in [from_, to) changed or went: read them again. metric None: all metrics."""

    entity_id: UUID
    metric: str | None
    from_: datetime
    to: datetime


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """The points that one commit of the normalize or the derive stage stored for one organization.

    position: its place in its partition. revision: the graph's revision at that commit. decode: returns the points of
    these devices, or of all; called only where somebody watches. invalidated: what the commit took back.
    """

    organization_id: int
    partition: int
    position: int
    revision: int
    decode: Callable[[Container[UUID] | None], Sequence[FeedGroup]]
    invalidated: Sequence[InvalidatedRange] = ()

    def groups(self, among: Container[UUID] | None = None) -> Sequence[FeedGroup]:
        """Return the points by series: those of these devices, or all."""
        return self.decode(among)


@dataclass(frozen=True, slots=True)
class Watch:
    """The view of a subscription, as of the graph at `revision`.

    entity_ids: all that is watched. own_ids: those of them with their own series: devices, and assets and spaces for
    which something is derived. links: those of the assets and spaces among it, by device. sending_ids: whose
    points matter either way. metrics: only these names (a device's own,
    or an asset's as mapped), or all. units, types (as declared by schemas): those of the devices' series.
    """

    revision: int
    entity_ids: frozenset[UUID]
    own_ids: frozenset[UUID]
    links: Mapping[UUID, Sequence[Link]]
    sending_ids: frozenset[UUID]
    metrics: frozenset[str] | None
    units: Mapping[SeriesKey, str | None]
    types: Mapping[SeriesKey, int | None] = field(default_factory=dict)

    def knows(self, by_device: Mapping[UUID, Sequence[FeedGroup]]) -> bool:
        """Return whether every series of an entry that matters was there when the watch was loaded."""
        return all(
            group.unit is not None or (group.device_id, group.port, group.metric) in self.units
            for device_id in _common(by_device.keys(), self.sending_ids)
            for group in by_device[device_id]
        )

    def sees(self, entry: FeedEntry) -> list[InvalidatedRange]:
        """Return the invalidated ranges of an entry that the watch sees, through links too."""
        ranges: list[InvalidatedRange] = []
        for range_ in entry.invalidated:
            if range_.entity_id in self.own_ids and (self.metrics is None or range_.metric in self.metrics):
                ranges.append(range_)
            for link in self.links.get(range_.entity_id, ()):
                metric = None if range_.metric is None else metric_under(link, metric=range_.metric)
                begins = max(link.begins_us, micros_of(range_.from_))
                ends = min(link.ends_us, micros_of(range_.to))
                if metric is not None and begins < ends and (self.metrics is None or metric in self.metrics):
                    ranges.append(InvalidatedRange(link.source_id, metric, instant_of(begins), instant_of(ends)))
        return ranges

    def unit_of(self, group: FeedGroup) -> str | None:
        """Return the unit of a group's series."""
        return group.unit or self.units.get((group.device_id, group.port, group.metric))

    def type_of(self, group: FeedGroup) -> int | None:
        """Return the type that a schema gives a group's series."""
        return self.types.get((group.device_id, group.port, group.metric))


@dataclass(frozen=True, slots=True)
class FeedUpdate:
    """One message to a subscriber. cursor: the position after it.

    dropped: updates that are not here, or not whole, because the client was too slow. gaps: where their points were,
    points_left_out: how many. memo: what was made of it for one subscriber and serves the others that are sent it.
    """

    series: Sequence[Series]
    invalidated: Sequence[InvalidatedRange]
    dropped: int
    cursor: str
    gaps: Sequence[InvalidatedRange] = ()
    points_left_out: int = 0
    memo: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)


class Arrival(Enum):
    """Relation of a position to the last one of its partition."""

    NEXT = auto()
    REPEATED = auto()
    GAP = auto()
    FIRST = auto()


@dataclass(slots=True)
class FeedOffsets:
    """The offsets of a reader: the greatest position handled in each partition; unknown partitions are absent."""

    positions: dict[int, int] = field(default_factory=dict)

    def classify(self, partition: int, position: int) -> Arrival:
        """Classify an entry by its position; FIRST: of an unknown partition."""
        last = self.positions.get(partition)
        if last is None:
            return Arrival.FIRST
        if position == last + 1:
            return Arrival.NEXT
        return Arrival.REPEATED if position <= last else Arrival.GAP

    def advance(self, partition: int, position: int) -> None:
        """Advance a partition's offset to `position`; never goes back."""
        self.positions[partition] = max(position, self.positions.get(partition, position))


def positions_max(one: Positions, other: Positions) -> dict[int, int]:
    """Return the greater position of each partition."""
    return {partition: max(one.get(partition, 0), other.get(partition, 0)) for partition in sorted({*one, *other})}


def watch_build(
    *,
    revision: int,
    entity_ids: Collection[UUID],
    own_ids: Collection[UUID],
    links: Iterable[Link],
    metrics: Collection[str] | None,
    units: Mapping[SeriesKey, str | None],
    types: Mapping[SeriesKey, int | None] | None = None,
) -> Watch:
    """Build the watch of a subscription. links: those of all watched assets and spaces."""
    by_device: dict[UUID, list[Link]] = {}
    for link in links:
        by_device.setdefault(link.device_id, []).append(link)
    return Watch(
        revision,
        frozenset(entity_ids),
        frozenset(own_ids),
        by_device,
        frozenset(own_ids) | by_device.keys(),
        None if metrics is None else frozenset(metrics),
        units,
        types or {},
    )


def groups_by_device(groups: Iterable[FeedGroup]) -> Mapping[UUID, Sequence[FeedGroup]]:
    """Index an entry's groups by their device, once for all subscriptions."""
    by_device: dict[UUID, list[FeedGroup]] = {}
    for group in groups:
        by_device.setdefault(group.device_id, []).append(group)
    return by_device


def groups_series(by_device: Mapping[UUID, Sequence[FeedGroup]], watch: Watch) -> list[Series]:
    """Return an entry's points as the watch sees them: each device and asset metric as a separate series.

    An asset's points are those within a link at their own timestamps; where two devices of one entry give
    one asset metric at one timestamp, the precedence of `attribution.py` holds.
    """
    own: list[Series] = []
    linked: dict[tuple[UUID, str], list[FeedGroup]] = {}
    devices = _common(by_device.keys(), watch.sending_ids)
    for group in [group for device_id in devices for group in by_device[device_id]]:
        if group.device_id in watch.own_ids and (watch.metrics is None or group.metric in watch.metrics):
            unit, declared = watch.unit_of(group), watch.type_of(group)
            own.append(_series(group.device_id, group.metric, group.port, (unit, declared), group.points))
        for (source_id, metric), points in _through_links(group, watch):
            linked.setdefault((source_id, metric), []).append(
                FeedGroup(group.device_id, group.port, group.metric, watch.unit_of(group), points, watch.type_of(group))
            )
    return own + [_merged(source_id, metric, groups) for (source_id, metric), groups in linked.items()]


def _common(one: Collection[UUID], other: Collection[UUID]) -> Iterator[UUID]:
    """Yield the intersection. The smaller one is iterated: most watches see few devices, most entries hold many."""
    few, many = sorted((one, other), key=len)
    return (entity_id for entity_id in few if entity_id in many)


def _through_links(group: FeedGroup, watch: Watch) -> Iterable[tuple[tuple[UUID, str], Points]]:
    spans: dict[tuple[UUID, str], list[tuple[int, int]]] = {}
    for link in watch.links.get(group.device_id, ()):
        metric = metric_under(link, metric=group.metric) if link.port == group.port else None
        if metric is not None and (watch.metrics is None or metric in watch.metrics):
            spans.setdefault((link.source_id, metric), []).append((link.begins_us, link.ends_us))
    for key, of_key in spans.items():
        inside = np.zeros(len(group.points.at), dtype=np.bool_)
        for begins_us, ends_us in spans_union(of_key):
            inside |= (group.points.at >= begins_us) & (group.points.at < ends_us)
        if inside.any():
            yield key, group.points.take(inside)


def _merged(source_id: UUID, metric: str, groups: list[FeedGroup]) -> Series:
    groups.sort(key=lambda g: (g.device_id.bytes, -1 if g.port is None else g.port, g.metric))
    unit = next((group.unit for group in groups if group.unit is not None), None)
    declared = next((group.declared for group in groups if group.declared is not None), None)
    return _series(source_id, metric, None, (unit, declared), points_merge([group.points for group in groups]))


def _series(
    entity_id: UUID, metric: str, port: int | None, registered: tuple[str | None, int | None], points: Points
) -> Series:
    unit, declared = registered
    return Series(
        entity_id=entity_id,
        metric=metric,
        port=port,
        unit=unit,
        type=type_of(points, declared=declared),
        timestamps=millis_of(points.at),
        values=points.values,
        texts=None if points.texts is None else points.texts.tolist(),
        truncated=False,
    )


def cursor_encode(positions: Positions, *, organization_id: int, now: datetime) -> str:
    """Return offsets as a cursor for clients: opaque text."""
    body = [_CURSOR_VERSION, organization_id, micros_of(now) // 1_000_000, sorted(positions.items())]
    return base64.urlsafe_b64encode(json.dumps(body, separators=(",", ":")).encode()).decode().rstrip("=")


def cursor_decode(cursor: str, *, organization_id: int, now: datetime) -> dict[int, int]:
    """Return the positions of a cursor.

    Raises BadInputError where it is none of ours, is another organization's, or is older than a day.
    """
    invalid = BadInputError("after is no cursor of this feed.", path=("after",))
    if len(cursor) > _CURSOR_CHARS_MAX:
        raise invalid
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        version, owner, issued_s, pairs = json.loads(raw)
        positions: dict[int, int] = dict(pairs)
        numbers = [version, owner, issued_s, *positions, *positions.values()]
    except (ValueError, TypeError, RecursionError, binascii.Error):
        raise invalid from None
    if not all(type(number) is int and 0 <= number < 2**62 for number in numbers):
        raise invalid
    if version != _CURSOR_VERSION or owner != organization_id or max(positions, default=0) >= 2**15:
        raise invalid
    if issued_s * 1_000_000 < micros_of(now - CURSOR_AGE_MAX):
        issued = instant_of(issued_s * 1_000_000).isoformat() if issued_s < 2**36 else "long ago"
        msg = f"The cursor is too old ({issued}); it is kept for {CURSOR_AGE_MAX}. Begin again with since."
        raise BadInputError(msg, path=("after",))
    return positions
