"""Read the latest point of each series of an entity: the one with the greatest timestamp."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.packed import MetricType, instant_of, micros_of
from domain.telemetry.model.attribution import Latest, Segment, Source
from domain.telemetry.store.links import sources_list

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

_TYPES = {int(type_): type_ for type_ in MetricType}


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
    """Return the latest points of each entity, in four statements at most for any number of entities.

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
    # Of each segment of each source: the latest point of its series, where that lies within.
    within = [[s.series.latest if _holds(s) else None for s in source.segments] for source in sources]
    undecided = [
        (n, place)
        for n, source in enumerate(sources)
        if None in within[n]
        for place in _undecided(source.segments, [latest for latest in within[n] if latest is not None])
    ]
    if undecided:
        segments = [sources[n].segments[place] for n, place in undecided]
        for at, latest in _last_within(session, organization_id=organization_id, segments=segments):
            n, place = undecided[at]
            within[n][place] = latest
    points: dict[UUID, list[LatestPoint]] = {entity_id: [] for entity_id in entity_ids}
    for source, of_source in zip(sources, within, strict=True):
        candidates = [(segment, point) for segment, point in zip(source.segments, of_source, strict=True) if point]
        if candidates:
            # max keeps the first of equals: the segment that goes first wins at one timestamp.
            points[source.entity_id].append(_point(source, *max(candidates, key=_at)))
    return points


def _at(candidate: tuple[Segment, Latest]) -> datetime:
    return candidate[1].timestamp


def _holds(segment: Segment) -> bool:
    """Return whether the latest point of the segment's series lies within the segment."""
    latest = segment.series.latest
    return latest is not None and segment.begins_us <= micros_of(latest.timestamp) < segment.ends_us


def _undecided(segments: Sequence[Segment], decided: Sequence[Latest]) -> Iterable[int]:
    """Return the places of the segments that ended before their series did, and may still hold the latest point."""
    best_us = max((micros_of(latest.timestamp) for latest in decided), default=None)
    for place, segment in enumerate(segments):
        latest = segment.series.latest
        ended = latest is not None and micros_of(latest.timestamp) >= segment.ends_us
        if ended and (best_us is None or segment.ends_us > best_us):
            yield place


def _last_within(
    session: Session, *, organization_id: int, segments: Sequence[Segment]
) -> Iterable[tuple[int, Latest]]:
    rows = session.execute(
        _LAST_WITHIN,
        {
            "organization_id": organization_id,
            "series": [segment.series.id for segment in segments],
            "begins": [instant_of(segment.begins_us) for segment in segments],
            "ends": [instant_of(segment.ends_us) for segment in segments],
        },
    )
    return [(n, Latest(*point)) for n, *point in rows]


def _point(source: Source, segment: Segment, latest: Latest) -> LatestPoint:
    return LatestPoint(
        entity_id=source.entity_id,
        metric=source.metric,
        port=source.port,
        unit=segment.series.unit,
        type=_TYPES[latest.type],
        value=latest.value,
        text=latest.text,
        timestamp=latest.timestamp,
        received_at=latest.received_at,
    )
