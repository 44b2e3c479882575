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


_RETAINED_FROM = text(
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


@dataclass(frozen=True, slots=True)
class _SeriesWindow:
    """Points of a series over [begins_us, ends_us), looked for on behalf of the range at this place."""

    place: int
    series_id: int
    begins_us: int
    ends_us: int


@dataclass(frozen=True, slots=True)
class _SourceRequest:
    """A source to read on behalf of the range at this place: an input, or what was derived within it."""

    place: int
    source: Source
    is_input: bool


def sources_of(session: Session, *, organization_id: int, derivations: Mapping[bytes, Derivation]) -> Sources:
    """Return the sources of these entities (16 bytes each). Two statements."""
    ids = [UUID(bytes=entity) for entity in derivations]
    links: dict[UUID, list[Link]] = {}
    for link in links_list(session, organization_id=organization_id, source_ids=ids):
        links.setdefault(link.source_id, []).append(link)
    devices = {link.device_id for of_entity in links.values() for link in of_entity}
    rows = series_rows(session, organization_id=organization_id, entity_ids={*ids, *devices})
    # Inputs of an entity: what its devices measure, and its own series except those of formulas.
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

    For readers: it locks nothing. Writers of points call `retained_from_lock`.
    """
    instant = session.execute(_RETAINED_FROM, {"organization_id": organization_id}).scalar_one_or_none()
    return BEGIN_US if instant is None else micros_of(instant)


def ranges_narrow(
    session: Session, *, organization_id: int, ranges: Sequence[ComputeRange], sources: Sources
) -> list[ComputeRange]:
    """Narrow long ranges to where any point is; an empty one then ends where it begins. One statement at most."""
    windows: list[_SeriesWindow] = []
    for n, compute_range in enumerate(ranges):
        if compute_range.ends_us - compute_range.begins_us <= LONG_US:
            continue
        for source in sources.inputs[compute_range.entity]:
            for segment in source.segments:
                begins = max(segment.begins_us, compute_range.begins_us)
                ends = min(segment.ends_us, compute_range.ends_us)
                if begins < ends:
                    windows.append(_SeriesWindow(n, segment.series.id, begins, ends))
        windows += [
            _SeriesWindow(n, row.id, compute_range.begins_us, compute_range.ends_us)
            for row in sources.own[compute_range.entity]
        ]
    bounds: dict[int, tuple[int, int]] = {}
    if windows:
        arrays_enable(session)
        rows = session.execute(
            _BOUNDS,
            {
                "organization_id": organization_id,
                "series": bigint_array([window.series_id for window in windows]),
                "begins": instant_array([window.begins_us for window in windows]),
                "ends": instant_array([window.ends_us for window in windows]),
            },
        )
        for row in rows:
            n, first, last = windows[row.n].place, micros_of(row.first), micros_of(row.last) + 1
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
    requests: list[_SourceRequest] = []
    for n, compute_range in enumerate(ranges):
        entity_id, reach = UUID(bytes=compute_range.entity), compute_range.derivation.reach_us
        for source in sources.inputs[compute_range.entity]:
            segments = _within(source.segments, compute_range.begins_us - reach, compute_range.ends_us)
            requests.append(_SourceRequest(n, Source(entity_id, source.metric, None, segments), is_input=True))
        for row in sources.own[compute_range.entity]:
            segment = Segment(row, compute_range.begins_us, compute_range.ends_us)
            requests.append(_SourceRequest(n, Source(entity_id, row.metric, None, (segment,)), is_input=False))
    inputs: dict[str, list[Column]] = {}
    stored: dict[str, list[Column]] = {}
    scanned = points_scan(
        session,
        organization_id=organization_id,
        sources=[request.source for request in requests],
        begins_us=min((s.begins_us - s.derivation.reach_us for s in ranges), default=0),
        ends_us=max((s.ends_us for s in ranges), default=0),
        limit=limit,
    )
    for k, points in scanned:
        request = requests[k]
        column = Column(np.full(len(points.at), request.place, dtype=np.int64), points.at, points.values)
        (inputs if request.is_input else stored).setdefault(request.source.metric, []).append(column)
    return ReadBack(
        {metric: columns_join(parts) for metric, parts in inputs.items()},
        {metric: columns_join(parts) for metric, parts in stored.items()},
    )


def watermarks_read(session: Session, *, organization_id: int, sources: Sources) -> dict[bytes, int]:
    """Return the watermark of the inputs of each entity: no point is later. One statement."""
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
