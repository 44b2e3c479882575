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
from domain.derivation.rollups.model import RollupDraft
from domain.derivation.rollups.partial_aggregates import (
    KnownPartial,
    NewPartial,
    partial_counted,
    partial_key,
    partial_made,
    partials_read,
    segments_after,
)
from domain.derivation.rollups.topology import Member
from domain.telemetry.model.attribution import Link, Segment, SeriesRow, Source, device_sources, linked_sources
from domain.telemetry.model.buckets import Counted, bucket_aggregate
from domain.telemetry.store.hourly_read import counted_scan, hours_serve
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
    """What was read in one transaction, at one revision of what is derived.

    values: of buckets of one descendant, by what they were made of; None where there are no points. made: partial
    aggregates to be kept.
    """

    revision: int
    values: dict[Hashable, Values | None] = field(default_factory=dict)
    made: list[NewPartial] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ComputeRange:
    """Buckets of one upper entity that are computed together. edges: microseconds, one more than buckets.

    is_tallied: it is one bucket, taken as one, of which partial aggregates are kept.
    """

    upper: bytes
    edges: Instants
    is_tallied: bool = False

    @property
    def begins_us(self) -> int:
        """Where the first bucket begins."""
        return int(self.edges[0])

    @property
    def ends_us(self) -> int:
        """Where the last bucket ends."""
        return int(self.edges[-1])


@dataclass(frozen=True, slots=True)
class Sources:
    """What is read for a rollup: by descendant, its series of the metric; by upper entity, its own series or None."""

    of: Mapping[UUID, Sequence[Source]]
    own: Mapping[bytes, SeriesRow | None]


def sources_read(
    session: Session,
    *,
    organization_id: int,
    draft: RollupDraft,
    members: Mapping[bytes, Sequence[Member]],
    of: dict[UUID, Sequence[Source]],
) -> Sources:
    """Return where the points of descendants, and of upper entities, are stored. Two statements at most.

    of: those of descendants that are known from before in this transaction; this call adds to it.
    """
    every = {member.id: member.kind for of_upper in members.values() for member in of_upper}
    kinds = {entity_id: kind for entity_id, kind in every.items() if entity_id not in of}
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
            found = device_sources(rows.get(entity_id, ()), metrics=(draft.of_metric,))
            of[entity_id] = [source for source in found if source.port == draft.of_port]
        else:
            of[entity_id] = linked_sources(
                entity_id,
                links=links.get(entity_id, ()),
                rows_by_device=rows,
                metrics=(draft.of_metric,),
            )
    own = {
        upper.bytes: next((row for row in rows.get(upper, ()) if row.metric == draft.metric and row.port is None), None)
        for upper in uppers
    }
    return Sources(of, own)


def bounds_read(
    session: Session,
    *,
    organization_id: int,
    asked: Sequence[tuple[bytes, int, int]],
    members: Mapping[bytes, Sequence[Member]],
    sources: Sources,
) -> list[tuple[int, int] | None]:
    """Return, of each (upper, begin, end), from where to where there is any point; None where there is none.

    One statement.
    """
    windows: list[tuple[int, int, int, int]] = []
    for n, (upper, begins_us, ends_us) in enumerate(asked):
        own = sources.own[upper]
        if own is not None:
            windows.append((n, own.id, begins_us, ends_us))
        for member in members[upper]:
            for source in sources.of[member.id]:
                segments = segments_within(source, member, begins_us, ends_us)
                windows += [(n, s.series.id, s.begins_us, s.ends_us) for s in segments]
    found: list[tuple[int, int] | None] = [None] * len(asked)
    if not windows:
        return found
    arrays_enable(session)
    values = {
        "organization_id": organization_id,
        "series": bigint_array([series for _, series, _, _ in windows]),
        "begins": instant_array([begins for _, _, begins, _ in windows]),
        "ends": instant_array([ends for _, _, _, ends in windows]),
    }
    for row in session.execute(_BOUNDS, values):
        n, first, last = windows[row.n][0], micros_of(row.first), micros_of(row.last) + 1
        known = found[n] or (first, last)
        found[n] = (min(known[0], first), max(known[1], last))
    return found


def values_read(
    session: Session,
    *,
    organization_id: int,
    draft: RollupDraft,
    stretches: Sequence[ComputeRange],
    members: Mapping[bytes, Sequence[Member]],
    sources: Sources,
    memo: Memo,
    limit: int,
    from_points: bool = False,
) -> Iterator[tuple[int, int, Values]]:
    """Yield (stretch, place among its members, value of each bucket) of the descendants that have any.

    memo: what was read in this transaction already, and is not read again; this call adds to it. from_points: summaries
    of hours are not used.
    Raises LimitExceededError where more than `limit` points would have to be read.
    """
    places: list[tuple[int, int, Hashable]] = []
    wanted: dict[Hashable, _Wanted] = {}
    for n, stretch in enumerate(stretches):
        how = (draft.combine, stretch.edges.tobytes())
        for k, member in enumerate(members[stretch.upper]):
            for source in sources.of[member.id]:
                segments = segments_within(source, member, stretch.begins_us, stretch.ends_us)
                if segments:
                    key: Hashable = (how, tuple((s.series.id, s.begins_us, s.ends_us) for s in segments))
                    places.append((n, k, key))
                    if key not in memo.values:
                        cut = Source(member.id, source.metric, source.port, segments)
                        wanted[key] = _Wanted(cut, stretch.edges, stretch.is_tallied)
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
    is_tallied: bool


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
    """Yield (place, what its points are, edges): what a partial aggregate stands for is not read again."""
    tallied = [n for n, each in enumerate(wanted) if each.is_tallied]
    keys = []
    for n in tallied:
        source, edges = wanted[n].source, wanted[n].edges
        bucket = (int(edges[0]), int(edges[-1]))
        key = partial_key(draft, revision=memo.revision, bucket=bucket, segments=source.segments)
        keys.append((source.entity_id, key))
    found = dict(zip(tallied, partials_read(session, organization_id=organization_id, keys=keys), strict=True))
    key_of = dict(zip(tallied, keys, strict=True))
    asked: list[tuple[Source, Instants]] = []
    silent: set[int] = set()
    for n, each in enumerate(wanted):
        source = each.source
        if n in found and (partial := found[n].partial) is not None:
            source = replace(source, segments=segments_after(source.segments, partial.until_us))
            silent.add(n)
        asked.append((source, each.edges))
    for n, tail in _scan(session, organization_id, draft, asked, limit, from_points=from_points):
        silent.discard(n)
        edges = wanted[n].edges
        if n not in found:
            yield n, tail, edges
            continue
        begins_us = int(edges[0])
        counted = _tallied(tail, draft=draft, known=found[n], key=key_of[n], memo=memo, begins_us=begins_us)
        yield n, counted, edges
    for n in sorted(silent):
        partial = found[n].partial
        if partial is not None:
            yield n, partial_counted(partial, int(wanted[n].edges[0]), None), wanted[n].edges


def _tallied(
    tail: Counted, *, draft: RollupDraft, known: KnownPartial, key: tuple[UUID, bytes], memo: Memo, begins_us: int
) -> Counted:
    """Return a partial aggregate and what is newer as one; note the partial aggregate that comes of it."""
    counted, before = tail, 0
    if known.partial is not None:
        counted, before = partial_counted(known.partial, begins_us, tail), len(known.partial.parts)
    made = partial_made(counted, how=draft.combine, before=before, pending_us=known.pending_us)
    if made is not None:
        memo.made.append(NewPartial(*key, begins_us, made, is_new=known.partial is None))
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
    asked: dict[str, Any] = {
        "organization_id": organization_id,
        "sources": [source for source, _ in wanted],
        "begins_us": min(int(edges[0]) for _, edges in wanted),
        "ends_us": max(int(edges[-1]) for _, edges in wanted),
        "limit": limit,
    }
    if not from_points and all(hours_serve(edges) for _, edges in wanted):
        is_hourly = all(bool((edges % HOUR_US == 0).all()) for _, edges in wanted)
        yield from counted_scan(session, how=draft.combine, is_hourly=is_hourly, **asked)
        return
    for place, points in points_scan(session, **asked):
        yield place, Counted(points, None)


def standing_read(
    session: Session, *, organization_id: int, stretches: Sequence[ComputeRange], sources: Sources
) -> dict[int, Points]:
    """Return what stands at the upper entities within stretches, by stretch. One statement."""
    asked = [(n, sources.own[stretch.upper], stretch) for n, stretch in enumerate(stretches)]
    windows = [(n, own.id, s.begins_us, s.ends_us) for n, own, s in asked if own is not None]
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
