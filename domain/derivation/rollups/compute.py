"""Recompute dirty buckets of rollups, each whole. One transaction takes some of one organization.

A dirty bucket is deleted before anything is read, and every writer of points that it aggregates invalidates it in the
writer's own transaction, again while it is just being deleted: so nothing is missed, and nobody waits. Differences are
written as derived points are, and leave a dirty window at the upper entity, so that what is derived from the rollup,
and rollups above it, are recomputed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final
from uuid import UUID

import numpy as np
from sqlalchemy import bindparam, select, text
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable, uuid_array
from domain.base.packed import Column, Values, micros_of
from domain.derivation.formulas.changes import SeriesChange, points_diff, series_changes, spans_changed
from domain.derivation.formulas.derive import NOTHING, columns_join
from domain.derivation.formulas.outputs import DerivedCommit, changes_write, series_ensure
from domain.derivation.invalidation.buckets import (
    Computation,
    DirtyBuckets,
    buckets_add,
    buckets_invalidate,
    buckets_take,
)
from domain.derivation.invalidation.spans import EntitySpan
from domain.derivation.invalidation.windows import windows_add
from domain.derivation.rollups.aggregate import rollup_values
from domain.derivation.rollups.buckets import FIRST_US, LAST_US, Grid
from domain.derivation.rollups.feed_offset import commit_note
from domain.derivation.rollups.inputs import (
    ComputeRange,
    Memo,
    Sources,
    bounds_read,
    sources_read,
    stored_read,
    values_read,
)
from domain.derivation.rollups.invalidate import all_time_invalidate, topology_get
from domain.derivation.rollups.model import Rollup, RollupAggregate, RollupDraft
from domain.derivation.rollups.partial_aggregates import partials_delete_invalid, partials_write
from domain.derivation.rollups.tables import rollup_entities
from domain.derivation.rollups.topology import Member, RollupCache, RollupTopology, above_fill, below_get, successors_of
from domain.derivation.rollups.weights import weights_at
from domain.telemetry.model.attribution import Source
from domain.telemetry.model.stage_cache import PendingCacheUpdates, StageCache
from domain.telemetry.store.scan import POINTS_SCANNED_MAX
from graph.change import graph_hold
from graph.locks import ROLLUPS_LOCK
from graph.tables import entities
from graph.walk.spans import spans_joined

ROLLUP: Final = "rollup"
# What one transaction takes: dirty buckets; of a long time, so many buckets.
ROWS_MAX: Final = 500
BUCKETS_MAX: Final = 1_000
# Buckets times descendants.
CELLS_MAX: Final = 5_000_000
# Of buckets that begin earlier no partial aggregate is used: points beyond retention are not read.
PARTIALS_FOR: Final = timedelta(days=31)
# So many buckets in a row are read one by one.
SPLIT_MAX: Final = 2
# The edges of one bucket.
_ONE: Final = 2

_LOCKED = text("SELECT pg_try_advisory_xact_lock(:lock, :organization_id)").bindparams(bindparam("lock", ROLLUPS_LOCK))
_WRITTEN = text(
    """
    INSERT INTO rollup_entities (organization_id, rollup_id, entity_id)
    SELECT :organization_id, :rollup_id, u.e FROM unnest(:entities) AS u (e) ON CONFLICT DO NOTHING
    """
)


@dataclass(frozen=True, slots=True)
class BucketRun:
    """Caches of a process, reused across transactions."""

    stage_cache: StageCache
    cache: RollupCache


@dataclass(frozen=True, slots=True)
class ComputedBuckets:
    """The result of a transaction; void unless it commits. taken: dirty buckets. is_done: just now none is left.

    commit: None where nothing changed. revision: of the graph.
    """

    taken: int
    is_done: bool
    commit: DerivedCommit | None
    notes: PendingCacheUpdates
    revision: int


@dataclass(slots=True)
class _Work:
    organization_id: int
    run: BucketRun
    known: RollupTopology
    buckets_max: int
    points_max: int
    # Buckets from then on have partial aggregates.
    partials_from_us: int
    memo: Memo
    changes: list[SeriesChange] = field(default_factory=list)
    notes: PendingCacheUpdates = field(default_factory=PendingCacheUpdates)
    left: DirtyBuckets = field(default_factory=dict)
    # Sources that several rollups share are read once: by metric and port, by descendant.
    sources: dict[tuple[str, int | None], dict[UUID, Sequence[Source]]] = field(default_factory=dict)
    expanded: int = 0


def buckets_compute(
    session: Session,
    *,
    organization_id: int,
    run: BucketRun,
    now: datetime,
    rows_max: int = ROWS_MAX,
    buckets_max: int = BUCKETS_MAX,
    points_max: int = POINTS_SCANNED_MAX,
    only: str | None = None,
) -> ComputedBuckets:
    """Compute the oldest dirty buckets of an organization; where another transaction does, none.

    only: of one key, see `buckets.bucket_keys`.

    Of a long span at most `buckets_max` buckets are computed, the rest is invalidated again.
    Raises LimitExceededError where more than `points_max` points would have to be read: then take fewer.
    """
    arrays_enable(session)
    revision = graph_hold(session, organization_id=organization_id)
    if not session.scalar(_LOCKED, {"organization_id": organization_id}):
        return ComputedBuckets(0, True, None, PendingCacheUpdates(), revision)
    taken = buckets_take(
        session, organization_id=organization_id, computation=Computation.ROLLUP, limit=rows_max, only=only
    )
    known = topology_get(session, organization_id=organization_id, cache=run.cache)
    partials_from_us = micros_of(now - PARTIALS_FOR)
    work = _Work(organization_id, run, known, buckets_max, points_max, partials_from_us, Memo(known.revision))
    by_rollup: dict[UUID, dict[bytes, list[tuple[int, int]]]] = {}
    for bucket in taken.buckets:
        spans = by_rollup.setdefault(bucket.computation_id, {}).setdefault(bucket.entity_id.bytes, [])
        spans.append((bucket.begins_us, bucket.ends_us))
    # After the buckets: whoever added one of them has added its input changes before.
    partials_delete_invalid(session, organization_id=organization_id, generation=taken.generation)
    for rollup_id, dirty in by_rollup.items():
        rollup = known.rollups.get(rollup_id)
        if rollup is None:
            continue
        if dirty.pop(rollup.id.bytes, None) is not None:
            _expand(session, work, rollup)
            work.expanded += 1
        if dirty:
            _compute(session, work, rollup, dirty)
    buckets_invalidate(session, organization_id=organization_id, dirty=work.left)
    commit = _write(session, work, now)
    is_done = taken.is_all and not work.left and not work.expanded
    return ComputedBuckets(len(taken.buckets), is_done, commit, work.notes, revision)


def _expand(session: Session, work: _Work, rollup: Rollup) -> None:
    """Invalidate all time at every entity that a rollup has, or may have, points at."""
    uppers = {
        row.bytes
        for row in session.scalars(
            select(rollup_entities.c.entity_id).where(
                rollup_entities.c.organization_id == work.organization_id, rollup_entities.c.rollup_id == rollup.id
            )
        )
    }
    if not rollup.is_deleted:
        selector = rollup.draft.members
        statement = select(entities.c.id).where(
            entities.c.organization_id == work.organization_id, entities.c.kind.in_(sorted(selector.kinds))
        )
        if selector.types is not None:
            statement = statement.where(entities.c.type.in_(sorted(selector.types)))
        ids = [row.bytes for row in session.scalars(statement)]
        above_fill(session, organization_id=work.organization_id, known=work.known, ids=ids)
        uppers |= {
            above.upper for entity_id in ids for above in work.known.above[entity_id] if above.rollup_id == rollup.id
        }
    grid = work.known.grids[rollup.id]
    all_time_invalidate(
        session, organization_id=work.organization_id, rollup_id=rollup.id, grid=grid, uppers=sorted(uppers)
    )


def _successors_invalidate(
    session: Session, work: _Work, rollup: Rollup, dirty: Mapping[bytes, list[tuple[int, int]]]
) -> dict[bytes, list[tuple[int, int]]]:
    """Invalidate the buckets of other rollups that now write this metric; return the dirty buckets still its own."""
    successors = successors_of(
        session, organization_id=work.organization_id, known=work.known, rollup=rollup, uppers=sorted(dirty)
    )
    for upper, successor in successors.items():
        for begins, ends in dirty[upper]:
            overlapping = work.known.grids[successor.id].overlapping(begins, ends)
            buckets_add(work.left, upper, overlapping, computation_id=successor.id)
    for successor in {item.id: item for item in successors.values()}.values():
        # The points there are the successor's now, even if it finds nothing to write.
        _entities_remember(
            session, work, successor, sorted(upper for upper, item in successors.items() if item is successor)
        )
    return {upper: spans for upper, spans in dirty.items() if upper not in successors}


def _entities_remember(session: Session, work: _Work, rollup: Rollup, uppers: Sequence[bytes]) -> None:
    """Record that a rollup has points at these entities. One statement at most."""
    if uppers:
        session.execute(
            _WRITTEN,
            {
                "organization_id": work.organization_id,
                "rollup_id": rollup.id,
                "entities": uuid_array(b"".join(uppers)),
            },
        )


def _compute(session: Session, work: _Work, rollup: Rollup, dirty: Mapping[bytes, list[tuple[int, int]]]) -> None:
    organization_id, draft = work.organization_id, rollup.draft
    dirty = _successors_invalidate(session, work, rollup, dirty)
    members = below_get(session, organization_id=organization_id, known=work.known, rollup=rollup, uppers=sorted(dirty))
    series_by_entity = work.sources.setdefault((draft.of_metric, draft.of_port), {})
    sources = sources_read(
        session, organization_id=organization_id, draft=draft, members=members, by_entity=series_by_entity
    )
    ranges = _ranges(session, work, rollup, dirty=dirty, members=members, sources=sources)
    if not ranges:
        return
    tables = [np.full((len(members[s.upper]), len(s.edges) - 1), np.nan) for s in ranges]
    for n, k, values in values_read(
        session,
        organization_id=organization_id,
        draft=draft,
        ranges=ranges,
        members=members,
        sources=sources,
        memo=work.memo,
        limit=work.points_max,
    ):
        tables[n][k] = values
    stored_points = stored_read(session, organization_id=organization_id, ranges=ranges, sources=sources)
    wanted, stored = [NOTHING], [NOTHING]
    for n, compute_range in enumerate(ranges):
        values = rollup_values(draft, tables[n], _weights(draft, members[compute_range.upper], compute_range))
        has = np.flatnonzero(~np.isnan(values))
        wanted.append(Column(np.full(len(has), n, dtype=np.int64), compute_range.edges[:-1][has], values[has]))
        if n in stored_points:
            points = stored_points[n]
            stored.append(Column(np.full(len(points.at), n, dtype=np.int64), points.at, points.values))
    uppers = [compute_range.upper for compute_range in ranges]
    _change(session, work, rollup, uppers=uppers, wanted=columns_join(wanted), stored=columns_join(stored))


def _weights(draft: RollupDraft, members: Sequence[Member], compute_range: ComputeRange) -> Values | None:
    if draft.aggregate is not RollupAggregate.WEIGHTED_MEAN:
        return None
    return weights_at([member.weights for member in members], compute_range.edges[:-1])


def _change(
    session: Session, work: _Work, rollup: Rollup, *, uppers: Sequence[bytes], wanted: Column, stored: Column
) -> None:
    """Add the differences between wanted and stored points. uppers: by the columns' owners."""
    having = sorted({uppers[n] for n in {*wanted.owner.tolist(), *stored.owner.tolist()}})
    series = series_ensure(
        session,
        organization_id=work.organization_id,
        metric=rollup.draft.metric,
        unit=rollup.draft.unit,
        entities=having,
        stage_cache=work.run.stage_cache,
        notes=work.notes,
        # The unit may be another than when the series was made.
        is_recompute=rollup.updated_at != rollup.created_at,
        origin=ROLLUP,
    )
    points = points_diff(metric=rollup.draft.metric, entities=uppers, wanted=wanted, stored=stored)
    work.changes += series_changes(points, series=series)
    written = sorted({change.entity for change in points if len(change.at)})
    _entities_remember(session, work, rollup, written)


def _ranges(
    session: Session,
    work: _Work,
    rollup: Rollup,
    *,
    dirty: Mapping[bytes, list[tuple[int, int]]],
    members: Mapping[bytes, Sequence[Member]],
    sources: Sources,
) -> list[ComputeRange]:
    """Choose the buckets that are computed now; long spans are narrowed to where there are points, and cut."""
    grid = work.known.grids[rollup.id]
    joined = [
        EntitySpan(upper, *span)
        for upper, spans in sorted(dirty.items())
        for whole in spans_joined(spans)
        for span in _split_short(grid, whole)
    ]
    coarse = [span for span in joined if grid.is_long(span.begins_us, span.ends_us)]
    narrowed = bounds_read(
        session, organization_id=work.organization_id, spans=coarse, members=members, sources=sources
    )
    spans = [span for span in joined if not grid.is_long(span.begins_us, span.ends_us)]
    spans += [EntitySpan(coarse[n].entity, *bounds) for n, bounds in enumerate(narrowed) if bounds is not None]
    ranges: list[ComputeRange] = []
    cells = 0
    for item in spans:
        upper, begins, ends = item.entity, max(item.begins_us, FIRST_US), min(item.ends_us, LAST_US)
        # At least one bucket, so that every transaction makes progress.
        size = max(1, len(members[upper]))
        most = max(0 if ranges else 1, min(work.buckets_max, (CELLS_MAX - cells) // size))
        until = begins
        if most:
            edges = grid.edges(begins, grid.cut(begins, ends, most))
            until = int(edges[-1])
            cells += size * (len(edges) - 1)
            ranges.append(ComputeRange(upper, edges, len(edges) == _ONE and begins >= work.partials_from_us))
        if until < ends:
            buckets_add(work.left, upper, [(until, ends)], computation_id=rollup.id)
    return ranges


def _split_short(grid: Grid, whole: tuple[int, int]) -> list[tuple[int, int]]:
    """Split a span of few buckets into single buckets; more are read in one go, without partial aggregates."""
    if whole[1] - whole[0] > SPLIT_MAX * grid.length_us:
        return [whole]
    return list(pairwise(grid.edges(*whole).tolist()))


def _write(session: Session, work: _Work, now: datetime) -> DerivedCommit | None:
    changes = changes_write(
        session,
        organization_id=work.organization_id,
        changes=work.changes,
        stage_cache=work.run.stage_cache,
        notes=work.notes,
    )
    partials_write(session, organization_id=work.organization_id, partials=work.memo.new_partials)
    if not changes:
        return None
    windows_add(session, organization_id=work.organization_id, spans=spans_changed(changes), reason=ROLLUP)
    return commit_note(session, organization_id=work.organization_id, changes=changes, now=now)
