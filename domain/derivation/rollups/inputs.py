"""Read the inputs of rollups' buckets: descendants' points while they are descendants, and stored results."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable, bigint_array, instant_array
from domain.base.packed import Instants, Points, Values, micros_of
from domain.derivation.invalidation.spans import EntitySpan
from domain.derivation.rollups.model import RollupDraft
from domain.derivation.rollups.partial_aggregates import (
    KnownPartial,
    NewPartial,
    partial_counted,
    partial_extended,
    partial_key,
    partials_read,
    segments_after,
)
from domain.derivation.rollups.topology import Member
from domain.telemetry.model.attribution import Link, Segment, SeriesRow, Source, device_sources, linked_sources
from domain.telemetry.model.buckets import Counted, bucket_aggregate
from domain.telemetry.store.hourly_read import counted_scan, hours_suffice
from domain.telemetry.store.hourly_summary import HOUR_US
from domain.telemetry.store.links import links_list, series_rows
from domain.telemetry.store.scan import points_scan, windows_scan
from graph.kinds import EntityKind
from graph.walk.spans import spans_within

_BOUNDS = text(
    """
    SELECT u.n - 1 AS n, f."timestamp" AS first, l."timestamp" AS last
    FROM unnest(:series, :begins, :ends) WITH ORDINALITY AS u (s, b, t, n)
    CROSS JOIN LATERAL (
        SELECT h."timestamp" FROM telemetry_history h
        WHERE h.organization_id = :organization_id AND h.series_id = u.s AND h."timestamp" >= u.b
            AND h."timestamp" < u.t ORDER BY h."timestamp" LIMIT 1
    ) f
    CROSS JOIN LATERAL (
        SELECT h."timestamp" FROM telemetry_history h
        WHERE h.organization_id = :organization_id AND h.series_id = u.s AND h."timestamp" >= u.b
            AND h."timestamp" < u.t ORDER BY h."timestamp" DESC LIMIT 1
    ) l
    """
)


@dataclass(slots=True)
class Memo:
    """Values read in one transaction, at one revision of the derivation config.

    values: of buckets of one descendant, by the points they aggregate; None where there are none. new_partials: partial
    aggregates to be stored.
    """

    revision: int
    values: dict[Hashable, Values | None] = field(default_factory=dict)
    new_partials: list[NewPartial] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ComputeRange:
    """Buckets of one upper entity that are computed together. edges: microseconds, one more than buckets.

    uses_partial: it is one bucket, taken as one, of which partial aggregates are stored.
    """

    upper: bytes
    edges: Instants
    uses_partial: bool = False

    @property
    def begins_us(self) -> int:
        """The begin of the first bucket."""
        return int(self.edges[0])

    @property
    def ends_us(self) -> int:
        """The end of the last bucket."""
        return int(self.edges[-1])


@dataclass(frozen=True, slots=True)
class Sources:
    """The series of a rollup: by descendant, those of the metric; by upper entity, its own series or None."""

    by_entity: Mapping[UUID, Sequence[Source]]
    own: Mapping[bytes, SeriesRow | None]


def sources_read(
    session: Session,
    *,
    organization_id: int,
    draft: RollupDraft,
    members: Mapping[bytes, Sequence[Member]],
    by_entity: dict[UUID, Sequence[Source]],
) -> Sources:
    """Return the series of descendants and of upper entities. Two statements at most.

    by_entity: those of descendants that this transaction has read before; this call adds to it.
    """
    every = {member.id: member.kind for of_upper in members.values() for member in of_upper}
    kinds = {entity_id: kind for entity_id, kind in every.items() if entity_id not in by_entity}
    linked = [i for i, kind in kinds.items() if kind != EntityKind.DEVICE]
    links: dict[UUID, list[Link]] = {}
    for link in links_list(session, organization_id=organization_id, source_ids=linked):
        links.setdefault(link.source_id, []).append(link)
    uppers = {UUID(bytes=upper) for upper in members}
    devices = {link.device_id for of_entity in links.values() for link in of_entity}
    mappings = [link.mapping for of_entity in links.values() for link in of_entity if link.mapping is not None]
    renamed = {name for mapping in mappings for name, metric in mapping.items() if metric == draft.of_metric}
    rows = series_rows(
        session,
        organization_id=organization_id,
        entity_ids={*kinds, *devices, *uppers},
        metrics={draft.of_metric, draft.metric, *renamed},
    )
    for entity_id, kind in kinds.items():
        if kind == EntityKind.DEVICE:
            device_series = device_sources(rows.get(entity_id, ()), metrics=(draft.of_metric,))
            by_entity[entity_id] = [source for source in device_series if source.port == draft.of_port]
        else:
            by_entity[entity_id] = linked_sources(
                entity_id,
                links=links.get(entity_id, ()),
                rows_by_device=rows,
                metrics=(draft.of_metric,),
            )
    own = {
        upper.bytes: next((row for row in rows.get(upper, ()) if row.metric == draft.metric and row.port is None), None)
        for upper in uppers
    }
    return Sources(by_entity, own)


def bounds_read(
    session: Session,
    *,
    organization_id: int,
    spans: Sequence[EntitySpan],
    members: Mapping[bytes, Sequence[Member]],
    sources: Sources,
) -> list[tuple[int, int] | None]:
    """Return the bounds of the points of each span of an upper entity; None where there is none.

    One statement.
    """
    windows: list[tuple[int, int, int, int]] = []
    for n, span in enumerate(spans):
        own = sources.own[span.entity]
        if own is not None:
            windows.append((n, own.id, span.begins_us, span.ends_us))
        for member in members[span.entity]:
            for source in sources.by_entity[member.id]:
                segments = segments_within(source, member, span.begins_us, span.ends_us)
                windows += [(n, s.series.id, s.begins_us, s.ends_us) for s in segments]
    bounds: list[tuple[int, int] | None] = [None] * len(spans)
    if not windows:
        return bounds
    arrays_enable(session)
    values = {
        "organization_id": organization_id,
        "series": bigint_array([series for _, series, _, _ in windows]),
        "begins": instant_array([begins for _, _, begins, _ in windows]),
        "ends": instant_array([ends for _, _, _, ends in windows]),
    }
    for row in session.execute(_BOUNDS, values):
        n, first, last = windows[row.n][0], micros_of(row.first), micros_of(row.last) + 1
        known = bounds[n] or (first, last)
        bounds[n] = (min(known[0], first), max(known[1], last))
    return bounds


def values_read(
    session: Session,
    *,
    organization_id: int,
    draft: RollupDraft,
    ranges: Sequence[ComputeRange],
    members: Mapping[bytes, Sequence[Member]],
    sources: Sources,
    memo: Memo,
    limit: int,
    from_points: bool = False,
) -> Iterator[tuple[int, int, Values]]:
    """Yield (range, place among its members, value of each bucket) of the descendants that have any.

    memo: what was read in this transaction already, and is not read again; this call adds to it. from_points: summaries
    of hours are not used.
    Raises LimitExceededError where more than `limit` points would have to be read.
    """
    places: list[tuple[int, int, Hashable]] = []
    wanted: dict[Hashable, _Wanted] = {}
    for n, compute_range in enumerate(ranges):
        how = (draft.combine, compute_range.edges.tobytes())
        for k, member in enumerate(members[compute_range.upper]):
            for source in sources.by_entity[member.id]:
                segments = segments_within(source, member, compute_range.begins_us, compute_range.ends_us)
                if segments:
                    key: Hashable = (how, tuple((s.series.id, s.begins_us, s.ends_us) for s in segments))
                    places.append((n, k, key))
                    if key not in memo.values:
                        cut = Source(member.id, source.metric, source.port, segments)
                        wanted[key] = _Wanted(cut, compute_range.edges, compute_range.uses_partial)
    memo.values |= dict.fromkeys(wanted)
    keys = list(wanted)
    read = _counted_read(
        session,
        organization_id=organization_id,
        draft=draft,
        wanted=list(wanted.values()),
        memo=memo,
        limit=limit,
        from_points=from_points,
    )
    for place, counted, edges in read:
        memo.values[keys[place]] = bucket_aggregate(counted, edges, how=draft.combine).values
    for n, k, key in places:
        values = memo.values[key]
        if values is not None:
            yield n, k, values


@dataclass(frozen=True, slots=True)
class _Wanted:
    source: Source
    edges: Instants
    uses_partial: bool


def _counted_read(
    session: Session,
    *,
    organization_id: int,
    draft: RollupDraft,
    wanted: Sequence[_Wanted],
    memo: Memo,
    limit: int,
    from_points: bool,
) -> Iterator[tuple[int, Counted, Instants]]:
    """Yield (place, points, edges) of what is wanted: points that a partial aggregate covers are not read again."""
    with_partial = [n for n, item in enumerate(wanted) if item.uses_partial]
    keys = []
    for n in with_partial:
        source, edges = wanted[n].source, wanted[n].edges
        bucket = (int(edges[0]), int(edges[-1]))
        key = partial_key(draft, revision=memo.revision, bucket=bucket, segments=source.segments)
        keys.append((source.entity_id, key))
    partials = dict(zip(with_partial, partials_read(session, organization_id=organization_id, keys=keys), strict=True))
    key_of = dict(zip(with_partial, keys, strict=True))
    remaining: list[tuple[Source, Instants]] = []
    silent: set[int] = set()
    for n, item in enumerate(wanted):
        source = item.source
        if n in partials and (partial := partials[n].partial) is not None:
            source = replace(source, segments=segments_after(source.segments, partial.until_us))
            silent.add(n)
        remaining.append((source, item.edges))
    for n, tail in _scan(session, organization_id, draft, remaining, limit, from_points=from_points):
        silent.discard(n)
        edges = wanted[n].edges
        if n not in partials:
            yield n, tail, edges
            continue
        begins_us = int(edges[0])
        counted = _with_partial(tail, draft=draft, known=partials[n], key=key_of[n], memo=memo, begins_us=begins_us)
        yield n, counted, edges
    for n in sorted(silent):
        partial = partials[n].partial
        if partial is not None:
            yield n, partial_counted(partial, int(wanted[n].edges[0]), None), wanted[n].edges


def _with_partial(
    tail: Counted, *, draft: RollupDraft, known: KnownPartial, key: tuple[UUID, bytes], memo: Memo, begins_us: int
) -> Counted:
    """Return a partial aggregate and what is newer as one; note the partial aggregate that results."""
    counted, before = tail, 0
    if known.partial is not None:
        counted, before = partial_counted(known.partial, begins_us, tail), len(known.partial.parts)
    extended = partial_extended(counted, how=draft.combine, before=before, pending_us=known.pending_us)
    if extended is not None:
        memo.new_partials.append(NewPartial(*key, begins_us, extended, is_new=known.partial is None))
    return counted


def _scan(
    session: Session,
    organization_id: int,
    draft: RollupDraft,
    wanted: Sequence[tuple[Source, Instants]],
    limit: int,
    *,
    from_points: bool,
) -> Iterator[tuple[int, Counted]]:
    if not wanted:
        return
    arguments: dict[str, Any] = {
        "organization_id": organization_id,
        "sources": [source for source, _ in wanted],
        "begins_us": min(int(edges[0]) for _, edges in wanted),
        "ends_us": max(int(edges[-1]) for _, edges in wanted),
        "limit": limit,
    }
    if not from_points and all(hours_suffice(edges) for _, edges in wanted):
        is_hourly = all(bool((edges % HOUR_US == 0).all()) for _, edges in wanted)
        yield from counted_scan(session, how=draft.combine, is_hourly=is_hourly, **arguments)
        return
    for place, points in points_scan(session, **arguments):
        yield place, Counted(points, None)


def stored_read(
    session: Session, *, organization_id: int, ranges: Sequence[ComputeRange], sources: Sources
) -> dict[int, Points]:
    """Return the stored points of upper entities within ranges, by range. One statement."""
    windows = [
        (n, own.id, compute_range.begins_us, compute_range.ends_us)
        for n, compute_range in enumerate(ranges)
        if (own := sources.own[compute_range.upper]) is not None
    ]
    scanned = windows_scan(session, organization_id=organization_id, windows=[window[1:] for window in windows])
    return {windows[place][0]: points for place, points in scanned}


def segments_within(source: Source, member: Member, begins_us: int, ends_us: int) -> list[Segment]:
    """Return the parts of a descendant's series that lie in [begins_us, ends_us) and while it is a descendant."""
    return [
        Segment(segment.series, since, until)
        for segment in source.segments
        for member_begins, member_ends in spans_within(member.spans, begins_us, ends_us)
        for since, until in spans_within([(segment.begins_us, segment.ends_us)], member_begins, member_ends)
    ]
