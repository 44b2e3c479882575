"""Database reads of the live feed: watches, missed entries, offsets."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import groupby
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from domain.base.packed import EPOCH, MetricType, Points, Series, micros_of, millis_of, type_of
from domain.base.streams import DERIVED_PARTITION
from domain.telemetry.feed.feed import (
    FeedEntry,
    FeedGroup,
    InvalidatedRange,
    Positions,
    Watch,
    positions_max,
    watch_build,
)
from domain.telemetry.model.attribution import Link
from domain.telemetry.store.links import LINKED_KINDS, kinds_get, links_list, series_rows, sources_list
from domain.telemetry.store.scan import OFFSETS_OF, OffsetsProbe, points_scan
from graph.errors import LimitExceededError
from graph.instants import moment_resolve
from graph.kinds import EntityKind
from graph.tables import entities, graph_clocks
from graph.tenancy import scope_bound
from graph.walk.queries import below_among


def _parameter(match: re.Match[str]) -> str:
    return f"cast(:{match[1]} AS {match[2]})" if match[1] else f":{match[3]}"


WATCHED_MAX = 100_000
# All of it is one update: a cursor is before it or after it, never within.
SINCE_POINTS_MAX = 100_000

_FAR_FUTURE_US = 2**53
_READABLE_KINDS = (EntityKind.DEVICE, *LINKED_KINDS)

# The driver's style of parameters there, the toolkit's here.
_OFFSETS = text(re.sub(r"%\((\w+)\)s::([a-z]+\[\])|%\((\w+)\)s", _parameter, OFFSETS_OF))

# The points of the batches as now stored: one that a later reading has replaced comes with that reading.
_REFILL = text(
    """
    SELECT b.feed_position, s.id, s.entity_id, s.port, s.metric, s.unit,
        h."timestamp", h.type, h.value, h.text
    FROM raw_batches b
    JOIN telemetry_raw t ON t.organization_id = b.organization_id
        AND t.received_at = b.received_at
        AND t.id BETWEEN b.first_raw_id AND b.last_raw_id AND t.batch_id = b.id
    JOIN series s ON s.organization_id = t.organization_id AND s.entity_id = t.device_id
        AND s.port IS NOT DISTINCT FROM t.port
    JOIN telemetry_history h ON h.organization_id = s.organization_id AND h.series_id = s.id
        AND h."timestamp" = t."timestamp" AND h.raw_id = t.id
    WHERE b.organization_id = :organization_id AND b.partition = :partition
        AND b.feed_position > :after AND b.feed_position <= :until AND b.received_at >= :recent
    ORDER BY b.feed_position, s.id, h."timestamp"
    """
)


# The points that commits of the derive stage changed, as now stored; of corrections only the ranges.
_REFILL_DERIVED = text(
    """
    SELECT d.position, d.corrects, w.b AS begins, w.e AS ends, s.id, s.entity_id, s.port, s.metric, s.unit,
        h."timestamp", h.type, h.value, h.text
    FROM derived_commits d
    CROSS JOIN LATERAL unnest(d.series_ids, d.begins, d.ends) AS w (s, b, e)
    JOIN series s ON s.organization_id = d.organization_id AND s.id = w.s
    LEFT JOIN telemetry_history h ON NOT d.corrects AND h.organization_id = s.organization_id AND h.series_id = s.id
        AND h."timestamp" >= w.b AND h."timestamp" < w.e
    WHERE d.organization_id = :organization_id AND d.partition = :partition
        AND d.position > :after AND d.position <= :until
    ORDER BY d.position, s.id, h."timestamp"
    """
)


@dataclass(frozen=True, slots=True)
class WatchRequest:
    """The request of a subscription: these entities and all below one; the whole organization, if neither.

    metrics: only these, or all. Persons and activities measure nothing.
    """

    entity_ids: frozenset[UUID] | None
    under_id: UUID | None
    metrics: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """Stored points, and the offsets up to which they are complete."""

    series: Sequence[Series]
    offsets: Positions


def revision_get(session: Session, *, organization_id: int) -> int:
    """Return the organization's current revision of graph and configuration."""
    revision = session.execute(
        select(graph_clocks.c.revision).where(graph_clocks.c.organization_id == organization_id)
    ).scalar_one()
    return int(revision)


def watches_load(session: Session, *, organization_id: int, requests: Sequence[WatchRequest]) -> list[Watch]:
    """Return what each subscription sees in the current graph. Statements: five, and a walk per `under_id`.

    Raises NotFoundError for an unknown entity, LimitExceededError where one would watch more than 100,000.
    """
    # First the revision, then what it is the revision of: a change in between is then seen as newer.
    bound = scope_bound(session)
    revision = revision_get(session, organization_id=organization_id) if bound is None else bound.revision
    watched = [_watched(session, organization_id, request) for request in requests]
    path = ("underId",) if any(request.under_id for request in requests) else ("entityIds",)
    everything = set().union(*watched)
    kinds = kinds_get(session, organization_id=organization_id, entity_ids=everything, path=path)
    linked = [entity_id for entity_id, kind in kinds.items() if kind in LINKED_KINDS]
    links: dict[UUID, list[Link]] = {}
    for link in links_list(session, organization_id=organization_id, source_ids=linked):
        links.setdefault(link.source_id, []).append(link)
    devices = {entity_id for entity_id, kind in kinds.items() if kind is EntityKind.DEVICE}
    own = devices | set(linked)
    sending = own | {link.device_id for of_source in links.values() for link in of_source}
    rows = series_rows(session, organization_id=organization_id, entity_ids=sending)
    by_key = {(row.entity_id, row.port, row.metric): row for of_device in rows.values() for row in of_device}
    units = {key: row.unit for key, row in by_key.items()}
    types = {key: row.declared for key, row in by_key.items() if row.declared is not None}
    return [
        watch_build(
            revision=revision,
            entity_ids=ids,
            own_ids=ids & own,
            links=[link for entity_id in ids for link in links.get(entity_id, ())],
            metrics=request.metrics,
            units=units,
            types=types,
        )
        for request, ids in zip(requests, watched, strict=True)
    ]


def _watched(session: Session, organization_id: int, request: WatchRequest) -> set[UUID]:
    watched = set(request.entity_ids or ())
    if request.under_id is not None:
        watched |= _below(session, organization_id=organization_id, under_id=request.under_id)
    elif request.entity_ids is None:
        watched = _readable(session, organization_id=organization_id)
    if len(watched) > WATCHED_MAX:
        msg = f"The subscription would watch more than {WATCHED_MAX} entities."
        raise LimitExceededError(msg, path=("entityIds",))
    return watched


def feed_offsets(session: Session, *, organization_id: int, after: Positions, recent: datetime) -> Mapping[int, int]:
    """Return the organization's own greatest positions beyond `after`; partitions without any are absent.

    recent: batches received before are passed over, so that old partitions of the raw log stay untouched.
    """
    rows = session.execute(
        _OFFSETS,
        {
            "organization_id": organization_id,
            "partitions": list(after),
            "positions": list(after.values()),
            "recent": recent,
        },
    )
    return {row.partition: row.feed_offset for row in rows}


def feed_since(
    session: Session,
    *,
    organization_id: int,
    watch: Watch,
    since: datetime,
    after: Positions,
    recent: datetime,
) -> CaughtUp:
    """Return the points from `since` (event time) on as now stored, and the positions they include.

    after: positions already passed. What the feed brings at positions up to the watermarks returned is in the
    points; what it brings beyond is not: both are read in one snapshot.
    Raises LimitExceededError for more than 100,000 stored points.
    """
    # Should the scan find nothing at all, these hold: whatever came after them it would have found.
    offsets = feed_offsets(session, organization_id=organization_id, after=after, recent=recent)
    sources_by_entity = sources_list(
        session, organization_id=organization_id, entity_ids=watch.entity_ids, metrics=watch.metrics
    )
    sources = [source for of_entity in sources_by_entity.values() for source in of_entity]
    probe = OffsetsProbe(after, recent)
    scanned = points_scan(
        session,
        organization_id=organization_id,
        sources=sources,
        begins_us=micros_of(max(since, EPOCH)),
        ends_us=_FAR_FUTURE_US,
        limit=SINCE_POINTS_MAX,
        probe=probe,
    )
    series = [
        Series(
            entity_id=sources[n].entity_id,
            metric=sources[n].metric,
            port=sources[n].port,
            unit=sources[n].unit,
            type=type_of(points, declared=sources[n].declared),
            timestamps=millis_of(points.at),
            values=points.values,
            texts=None if points.texts is None else points.texts.tolist(),
            truncated=False,
        )
        for n, points in scanned
    ]
    return CaughtUp(series, positions_max(after, offsets if probe.offsets is None else probe.offsets))


def feed_refill(
    session: Session,
    *,
    organization_id: int,
    partition: int,
    after: int,
    until: int,
    recent: datetime,
) -> list[FeedEntry]:
    """Return the organization's entries at positions in (after, until] of a partition, in order.

    Their points are as now stored. recent: batches received before are passed over.
    """
    if until <= after:
        return []
    revision = revision_get(session, organization_id=organization_id)
    if partition >= DERIVED_PARTITION:
        values = {
            "organization_id": organization_id,
            "partition": partition - DERIVED_PARTITION,
            "after": after,
            "until": until,
        }
        derived = session.execute(_REFILL_DERIVED, values)
        return [
            _derived_entry(organization_id, partition, position, revision, list(of_position))
            for position, of_position in groupby(derived, key=lambda row: row.position)
        ]
    rows = session.execute(
        _REFILL,
        {
            "organization_id": organization_id,
            "partition": partition,
            "after": after,
            "until": until,
            "recent": recent,
        },
    )
    return [
        FeedEntry(organization_id, partition, position, revision, partial(_among, list(_groups(of_position))))
        for position, of_position in groupby(rows, key=lambda row: row.feed_position)
    ]


def _derived_entry(
    organization_id: int, partition: int, position: int, revision: int, rows: Sequence[Any]
) -> FeedEntry:
    points = [row for row in rows if row.timestamp is not None]
    taken_back = {(r.entity_id, r.metric, r.begins, r.ends): None for r in rows if r.corrects}
    return FeedEntry(
        organization_id,
        partition,
        position,
        revision,
        partial(_among, list(_groups(iter(points)))),
        [InvalidatedRange(*key) for key in taken_back],
    )


def _among(groups: Sequence[FeedGroup], among: Container[UUID] | None) -> Sequence[FeedGroup]:
    return groups if among is None else [group for group in groups if group.device_id in among]


def _groups(rows: Iterator[Any]) -> Iterator[FeedGroup]:
    for _, of_series in groupby(rows, key=lambda row: row.id):
        points = list(of_series)
        texts = None
        if any(row.type == MetricType.TEXT for row in points):
            texts = np.array([row.text for row in points], dtype=object)
        columns = Points(
            np.array([micros_of(row.timestamp) for row in points], dtype=np.int64),
            np.array([np.nan if row.value is None else row.value for row in points], dtype=np.float64),
            np.array([row.type for row in points], dtype=np.int8),
            texts,
        )
        first = points[0]
        yield FeedGroup(first.entity_id, first.port, first.metric, first.unit, columns)


def _readable(session: Session, *, organization_id: int) -> set[UUID]:
    rows = session.execute(
        select(entities.c.id)
        .where(
            entities.c.organization_id == organization_id,
            entities.c.kind.in_(_READABLE_KINDS),
            entities.c.deleted_at.is_(None),
        )
        .limit(WATCHED_MAX + 1)
    )
    return set(rows.scalars())


def _below(session: Session, *, organization_id: int, under_id: UUID) -> set[UUID]:
    moment = moment_resolve(session, organization_id=organization_id, as_of=None, known_at=None)
    statement = below_among(session, organization_id=organization_id, entity_ids=[under_id], moment=moment)
    return set(session.scalars(statement.limit(WATCHED_MAX + 1)))
