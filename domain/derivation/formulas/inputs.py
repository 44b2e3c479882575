"""Read the inputs of derived metrics: points through links, and what was derived before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable, bigint_array, instant_array
from domain.base.packed import Column, micros_of
from domain.derivation.formulas.config import Derivation
from domain.derivation.formulas.derive import columns_join
from domain.derivation.formulas.outputs import FORMULA
from domain.derivation.invalidation.windows import Window
from domain.telemetry.model.attribution import BEGIN_US, Link, Segment, SeriesRow, Source, linked_sources
from domain.telemetry.store.links import links_list, series_rows
from domain.telemetry.store.scan import points_scan

# A window longer than this is first narrowed to where there is anything.
LONG_US: Final = 2 * 86_400_000_000

_BOUNDS = text(
    """
    SELECT u.n - 1 AS n, f.at AS first, l.at AS last
    FROM unnest(:series, :begins, :ends) WITH ORDINALITY AS u (s, b, e, n)
    CROSS JOIN LATERAL (
        SELECT h."timestamp" AS at FROM telemetry_history h
        WHERE h.organization_id = :organization_id AND h.series_id = u.s
            AND h."timestamp" >= u.b AND h."timestamp" < u.e
        ORDER BY h."timestamp" LIMIT 1
    ) f
    CROSS JOIN LATERAL (
        SELECT h."timestamp" AS at FROM telemetry_history h
        WHERE h.organization_id = :organization_id AND h.series_id = u.s
            AND h."timestamp" >= u.b AND h."timestamp" < u.e
        ORDER BY h."timestamp" DESC LIMIT 1
    ) l
    """
)
_NEWEST = text(
    """
    SELECT series_id, "timestamp" FROM latest_values
    WHERE organization_id = :organization_id AND series_id = ANY(:series)
    """
)


_KEPT = text(
    """
    SELECT nullif(final_until, '-infinity') FROM hours_progress WHERE organization_id = :organization_id
    """
)


@dataclass(frozen=True, slots=True)
class ComputeRange:
    """A range over which an entity is recomputed: [begins_us, ends_us), extended by how long a value counts."""

    entity: bytes
    derivation: Derivation
    begins_us: int
    ends_us: int
    windows: Sequence[Window]


@dataclass(frozen=True, slots=True)
class Sources:
    """The inputs of each entity, and the derived series that are stored for it."""

    inputs: Mapping[bytes, Sequence[Source]]
    own: Mapping[bytes, Sequence[SeriesRow]]


@dataclass(frozen=True, slots=True)
class ReadBack:
    """The points of ranges. Columns are indexed by the range's place in its list.

    inputs: by metric, from the reach before each range on. stored: what was derived within them, by metric.
    """

    inputs: Mapping[str, Column]
    stored: Mapping[str, Column]


def sources_of(session: Session, *, organization_id: int, derivations: Mapping[bytes, Derivation]) -> Sources:
    """Return the sources of these entities (16 bytes each). Two statements."""
    ids = [UUID(bytes=entity) for entity in derivations]
    links: dict[UUID, list[Link]] = {}
    for link in links_list(session, organization_id=organization_id, source_ids=ids):
        links.setdefault(link.source_id, []).append(link)
    devices = {link.device_id for of_entity in links.values() for link in of_entity}
    rows = series_rows(session, organization_id=organization_id, entity_ids={*ids, *devices})
    # What is read at an entity: what its devices measure, and what was not made of it by formulas.
    read = {
        entity_id: of_entity_rows if entity_id in devices else [row for row in of_entity_rows if row.origin != FORMULA]
        for entity_id, of_entity_rows in rows.items()
    }
    return Sources(
        {
            entity_id.bytes: linked_sources(
                entity_id,
                links=links.get(entity_id, ()),
                rows_by_device=read,
                metrics=derivations[entity_id.bytes].inputs,
            )
            for entity_id in ids
        },
        {entity_id.bytes: [row for row in rows.get(entity_id, ()) if row.origin == FORMULA] for entity_id in ids},
    )


def retained_from(session: Session, *, organization_id: int) -> int:
    """Return the instant (microseconds) before which points were dropped; where none were, before any time.

    For those who read: it locks nothing. Who writes points asks `retained_from_lock`.
    """
    kept = session.execute(_KEPT, {"organization_id": organization_id}).scalar_one_or_none()
    return BEGIN_US if kept is None else micros_of(kept)


def ranges_narrow(
    session: Session, *, organization_id: int, ranges: Sequence[ComputeRange], sources: Sources
) -> list[ComputeRange]:
    """Narrow long ranges to where any point is; an empty one then ends where it begins. One statement at most."""
    asked: list[tuple[int, int, int, int]] = []
    for n, compute_range in enumerate(ranges):
        if compute_range.ends_us - compute_range.begins_us <= LONG_US:
            continue
        for source in sources.inputs[compute_range.entity]:
            for segment in source.segments:
                begins, ends = (
                    max(segment.begins_us, compute_range.begins_us),
                    min(segment.ends_us, compute_range.ends_us),
                )
                if begins < ends:
                    asked.append((n, segment.series.id, begins, ends))
        asked += [
            (n, row.id, compute_range.begins_us, compute_range.ends_us) for row in sources.own[compute_range.entity]
        ]
    bounds: dict[int, tuple[int, int]] = {}
    if asked:
        arrays_enable(session)
        rows = session.execute(
            _BOUNDS,
            {
                "organization_id": organization_id,
                "series": bigint_array([series for _, series, _, _ in asked]),
                "begins": instant_array([begins for _, _, begins, _ in asked]),
                "ends": instant_array([ends for _, _, _, ends in asked]),
            },
        )
        for row in rows:
            n, first, last = asked[row.n][0], micros_of(row.first), micros_of(row.last) + 1
            known = bounds.get(n, (first, last))
            bounds[n] = (min(known[0], first), max(known[1], last))
    narrowed = []
    for n, compute_range in enumerate(ranges):
        if compute_range.ends_us - compute_range.begins_us <= LONG_US:
            narrowed.append(compute_range)
        else:
            begins, ends = bounds.get(n, (compute_range.begins_us, compute_range.begins_us))
            narrowed.append(replace(compute_range, begins_us=begins, ends_us=ends))
    return narrowed


def ranges_read(
    session: Session, *, organization_id: int, ranges: Sequence[ComputeRange], sources: Sources, limit: int
) -> ReadBack:
    """Return the points of ranges. One statement. Raises LimitExceededError above `limit` points."""
    asked: list[tuple[int, bool, Source]] = []
    for n, compute_range in enumerate(ranges):
        entity_id, reach = UUID(bytes=compute_range.entity), compute_range.derivation.reach_us
        for source in sources.inputs[compute_range.entity]:
            segments = _within(source.segments, compute_range.begins_us - reach, compute_range.ends_us)
            asked.append((n, True, Source(entity_id, source.metric, None, segments)))
        for row in sources.own[compute_range.entity]:
            segment = Segment(row, compute_range.begins_us, compute_range.ends_us)
            asked.append((n, False, Source(entity_id, row.metric, None, (segment,))))
    inputs: dict[str, list[Column]] = {}
    stored: dict[str, list[Column]] = {}
    scanned = points_scan(
        session,
        organization_id=organization_id,
        sources=[source for _, _, source in asked],
        begins_us=min((s.begins_us - s.derivation.reach_us for s in ranges), default=0),
        ends_us=max((s.ends_us for s in ranges), default=0),
        limit=limit,
    )
    for k, points in scanned:
        n, is_input, source = asked[k]
        column = Column(np.full(len(points.at), n, dtype=np.int64), points.at, points.values)
        (inputs if is_input else stored).setdefault(source.metric, []).append(column)
    return ReadBack(
        {metric: columns_join(parts) for metric, parts in inputs.items()},
        {metric: columns_join(parts) for metric, parts in stored.items()},
    )


def watermarks_read(session: Session, *, organization_id: int, sources: Sources) -> dict[bytes, int]:
    """Return the watermark of each entity's inputs: no point is later. One statement."""
    series = {s.series.id for of_entity in sources.inputs.values() for source in of_entity for s in source.segments}
    arrays_enable(session)
    rows = session.execute(_NEWEST, {"organization_id": organization_id, "series": bigint_array(sorted(series))})
    newest = {row.series_id: micros_of(row.timestamp) for row in rows}
    return {
        entity: max(
            (
                min(newest[segment.series.id], segment.ends_us - 1)
                for source in of_entity
                for segment in source.segments
                if segment.series.id in newest
            ),
            default=-1,
        )
        for entity, of_entity in sources.inputs.items()
    }


def _within(segments: Sequence[Segment], begins_us: int, ends_us: int) -> tuple[Segment, ...]:
    return tuple(
        Segment(s.series, max(s.begins_us, begins_us), min(s.ends_us, ends_us))
        for s in segments
        if s.begins_us < ends_us and s.ends_us > begins_us
    )
