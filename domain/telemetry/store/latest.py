"""Read the latest point of each series of an entity: the one with the greatest timestamp."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from domain.base.packed import MetricType, instant_of, micros_of
from domain.telemetry.model.attribution import Segment, Source
from domain.telemetry.store.links import sources_list
from domain.telemetry.store.tables import latest_values
from graph.sql import any_of

# The last point of a series within a span; its receipt while the raw log still has it.
_LAST_WITHIN = text(
    """
    SELECT w.n - 1 AS n, p."timestamp", p.type, p.value, p.text, r.received_at
    FROM unnest(cast(:series AS bigint[]), cast(:begins AS timestamptz[]), cast(:ends AS timestamptz[]))
        WITH ORDINALITY AS w (series_id, begins, ends, n)
    CROSS JOIN LATERAL (
        SELECT h."timestamp", h.type, h.value, h.text, h.raw_id
        FROM telemetry_history h
        WHERE h.organization_id = :organization_id AND h.series_id = w.series_id
            AND h."timestamp" >= w.begins AND h."timestamp" < w.ends
        ORDER BY h."timestamp" DESC
        LIMIT 1
    ) p
    LEFT JOIN LATERAL (
        SELECT t.received_at FROM telemetry_raw t
        WHERE t.organization_id = :organization_id AND t.id = p.raw_id
        LIMIT 1
    ) r ON true
    """
)


@dataclass(frozen=True, slots=True)
class LatestPoint:
    """One point with its series. port: null at an asset or a space. received_at: None where no longer known.

    value: None for a text; booleans are 0 and 1. text: None but for a text.
    """

    entity_id: UUID
    metric: str
    port: int | None
    unit: str | None
    type: MetricType
    value: float | None
    text: str | None
    timestamp: datetime
    received_at: datetime | None


def latest_read(
    session: Session,
    *,
    organization_id: int,
    entity_ids: Collection[UUID],
    metrics: Sequence[str] | None,
) -> Mapping[UUID, Sequence[LatestPoint]]:
    """Return the latest points of each entity, in five statements at most for any number of entities.

    A device: one per (metric, port). An asset or a space: one per metric, the point with the greatest
    timestamp that lies within a link: not the device's latest where the link has ended. What has no point is
    left out.
    Raises NotFoundError for an unknown entity.
    """
    sources_by_entity = sources_list(
        session,
        organization_id=organization_id,
        entity_ids=entity_ids,
        metrics=None if metrics is None else frozenset(metrics),
    )
    sources = [source for of_entity in sources_by_entity.values() for source in of_entity]
    newest = _newest(session, organization_id=organization_id, sources=sources)
    within: dict[Segment, Any] = {}
    undecided: list[Segment] = []
    for source in sources:
        within.update({s: newest[s.series.id] for s in source.segments if _holds(s, newest)})
        undecided += _undecided(source, newest)
    if undecided:
        within.update(_last_within(session, organization_id=organization_id, segments=undecided))
    points: dict[UUID, list[LatestPoint]] = {entity_id: [] for entity_id in entity_ids}
    for source in sources:
        # max keeps the first of equals: the segment that goes first wins at one timestamp.
        best = max((s for s in source.segments if s in within), key=lambda s: within[s].timestamp, default=None)
        if best is not None:
            points[source.entity_id].append(_point(source, best, within[best]))
    return points


def _newest(session: Session, *, organization_id: int, sources: Iterable[Source]) -> Mapping[int, Any]:
    series_ids = {segment.series.id for source in sources for segment in source.segments}
    if not series_ids:
        return {}
    rows = session.execute(
        select(latest_values).where(
            latest_values.c.organization_id == organization_id, any_of(latest_values.c.series_id, series_ids)
        )
    )
    return {row.series_id: row for row in rows}


def _holds(segment: Segment, newest: Mapping[int, Any]) -> bool:
    """Return whether the latest point of the segment's series lies within the segment."""
    row = newest.get(segment.series.id)
    return row is not None and segment.begins_us <= micros_of(row.timestamp) < segment.ends_us


def _undecided(source: Source, newest: Mapping[int, Any]) -> Iterable[Segment]:
    """Return the segments that ended before their series did, and may still hold the latest point."""
    candidates_us = [micros_of(newest[s.series.id].timestamp) for s in source.segments if _holds(s, newest)]
    best_us = max(candidates_us, default=None)
    for segment in source.segments:
        row = newest.get(segment.series.id)
        ended = row is not None and micros_of(row.timestamp) >= segment.ends_us
        if ended and (best_us is None or segment.ends_us > best_us):
            yield segment


def _last_within(session: Session, *, organization_id: int, segments: Sequence[Segment]) -> Mapping[Segment, Any]:
    rows = session.execute(
        _LAST_WITHIN,
        {
            "organization_id": organization_id,
            "series": [segment.series.id for segment in segments],
            "begins": [instant_of(segment.begins_us) for segment in segments],
            "ends": [instant_of(segment.ends_us) for segment in segments],
        },
    )
    return {segments[row.n]: row for row in rows}


def _point(source: Source, segment: Segment, row: Any) -> LatestPoint:
    return LatestPoint(
        entity_id=source.entity_id,
        metric=source.metric,
        port=source.port,
        unit=segment.series.unit,
        type=MetricType(row.type),
        value=row.value,
        text=row.text,
        timestamp=row.timestamp,
        received_at=row.received_at,
    )
