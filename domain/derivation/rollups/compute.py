"""Recompute dirty buckets of rollups, each whole. One transaction takes some of one organization.

A bucket is taken away before anything is read, and whoever writes what it is made of marks it in the same transaction,
anew where it is just being taken away: so nothing is missed, and nobody waits. What differs is written as derived
points are, and leaves a dirty window at the upper entity, so that what is derived from the rollup, and rollups above
it, follow.
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
from domain.derivation.formulas.derive import NOTHING, columns_join
from domain.derivation.formulas.outputs import Changes, DerivedCommit, changes_write, series_ensure
from domain.derivation.invalidation.buckets import buckets_take
from domain.derivation.invalidation.windows import windows_note
from domain.derivation.rollups.aggregate import rollup_values
from domain.derivation.rollups.buckets import FIRST_US, LAST_US, Grid
from domain.derivation.rollups.feed_offset import commit_note
from domain.derivation.rollups.inputs import (
    ComputeRange,
    Memo,
    Sources,
    bounds_read,
    sources_read,
    standing_read,
    values_read,
)
from domain.derivation.rollups.invalidate import Marks, all_time_mark, buckets_mark, marks_note, topology_get
from domain.derivation.rollups.model import WHAT, Rollup, RollupAggregate, RollupDraft
from domain.derivation.rollups.partial_aggregates import partials_forget, partials_write
from domain.derivation.rollups.tables import rollup_entities
from domain.derivation.rollups.topology import Member, RollupCache, RollupTopology, above_fill, below_get, successors_of
from domain.derivation.rollups.weights import weights_at
from domain.telemetry.model.attribution import Source
from domain.telemetry.model.stage_cache import PendingCacheUpdates, StageCache
from domain.telemetry.store.scan import POINTS_SCANNED_MAX
from graph.change import graph_hold
from graph.tables import entities
from graph.walk.spans import spans_joined

ROLLUP: Final = "rollup"
# What one transaction takes: dirty buckets; of a long time, so many buckets.
ROWS_MAX: Final = 500
BUCKETS_MAX: Final = 1_000
# Buckets times descendants.
CELLS_MAX: Final = 5_000_000
# Of buckets that begin earlier no partial aggregate is used: points that are not kept any more are not touched.
TALLIED: Final = timedelta(days=31)
# So many buckets in a row are read one by one.
APART_MAX: Final = 2
# The edges of one bucket.
_ONE: Final = 2
_LOCK: Final = 0x42554B54

_LOCKED = text("SELECT pg_try_advisory_xact_lock(:lock, :organization_id)").bindparams(bindparam("lock", _LOCK))
_WRITTEN = text(
    """
    INSERT INTO rollup_entities (organization_id, rollup_id, entity_id)
    SELECT :organization_id, :rollup_id, u.e FROM unnest(:entities) AS u (e) ON CONFLICT DO NOTHING
    """
)


@dataclass(frozen=True, slots=True)
class BucketRun:
    """What a process works with, kept between transactions."""

    stage_cache: StageCache
    cache: RollupCache


@dataclass(frozen=True, slots=True)
class ComputedBuckets:
    """What a transaction did; void unless it commits. taken: dirty buckets. is_done: just now none is left.

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
    tallied_from_us: int
    memo: Memo
    changes: Changes = field(default_factory=Changes)
    notes: PendingCacheUpdates = field(default_factory=PendingCacheUpdates)
    left: Marks = field(default_factory=dict)
    # What several rollups read is read once: by metric and port, by descendant.
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

    only: of one key, see `queue.bucket_keys`.

    Of a long time at most `buckets_max` buckets are computed, the rest is marked again.
    Raises LimitExceededError where more than `points_max` points would have to be read: then take fewer.
    """
    arrays_enable(session)
    revision = graph_hold(session, organization_id=organization_id)
    if not session.scalar(_LOCKED, {"organization_id": organization_id}):
        return ComputedBuckets(0, True, None, PendingCacheUpdates(), revision)
    taken = buckets_take(session, organization_id=organization_id, prefix=WHAT, limit=rows_max, only=only)
    known = topology_get(session, organization_id=organization_id, cache=run.cache)
    tallied_from_us = micros_of(now - TALLIED)
    work = _Work(organization_id, run, known, buckets_max, points_max, tallied_from_us, Memo(known.revision))
    by_what: dict[str, dict[bytes, list[tuple[int, int]]]] = {}
    for bucket in taken.buckets:
        spans = by_what.setdefault(bucket.what, {}).setdefault(bucket.entity_id.bytes, [])
        spans.append((bucket.begins_us, bucket.ends_us))
    # After the marks: who left one of these has left with it what was touched.
    partials_forget(session, organization_id=organization_id, turn=taken.turn)
    for what, of_what in by_what.items():
        rollup = known.rollups.get(what)
        if rollup is None:
            continue
        if of_what.pop(rollup.id.bytes, None) is not None:
            _expand(session, work, rollup)
            work.expanded += 1
        if of_what:
            _compute(session, work, rollup, of_what)
    buckets_mark(session, organization_id=organization_id, marks=work.left)
    commit = _write(session, work, now)
    is_done = taken.is_all and not work.left and not work.expanded
    return ComputedBuckets(len(taken.buckets), is_done, commit, work.notes, revision)


def _expand(session: Session, work: _Work, rollup: Rollup) -> None:
    """Mark all time at every entity that a rollup has, or may have, points at."""
    uppers = {
        row.bytes
        for row in session.scalars(
            select(rollup_entities.c.entity_id).where(
                rollup_entities.c.organization_id == work.organization_id, rollup_entities.c.rollup_id == rollup.id
            )
        )
    }
    if not rollup.is_deleted:
        of = rollup.draft.of
        statement = select(entities.c.id).where(
            entities.c.organization_id == work.organization_id, entities.c.kind.in_(sorted(of.kinds))
        )
        if of.types is not None:
            statement = statement.where(entities.c.type.in_(sorted(of.types)))
        ids = [row.bytes for row in session.scalars(statement)]
        above_fill(session, organization_id=work.organization_id, known=work.known, ids=ids)
        uppers |= {above.upper for each in ids for above in work.known.above[each] if above.what == rollup.what}
    grid = work.known.grids[rollup.what]
    all_time_mark(session, organization_id=work.organization_id, what=rollup.what, grid=grid, uppers=sorted(uppers))


def _hand_over(
    session: Session, work: _Work, rollup: Rollup, dirty: Mapping[bytes, list[tuple[int, int]]]
) -> dict[bytes, list[tuple[int, int]]]:
    """Leave to others what they write now, where the rollup once wrote the same metric; return what is its own."""
    successors = successors_of(
        session, organization_id=work.organization_id, known=work.known, rollup=rollup, uppers=sorted(dirty)
    )
    for upper, successor in successors.items():
        for begins, ends in dirty[upper]:
            marks_note(work.left, upper, successor.what, work.known.grids[successor.what].touched(begins, ends))
    for successor in {each.id: each for each in successors.values()}.values():
        # What stands there is the successor's now, though it should find nothing to write.
        _written(session, work, successor, sorted(upper for upper, each in successors.items() if each is successor))
    return {upper: spans for upper, spans in dirty.items() if upper not in successors}


def _written(session: Session, work: _Work, rollup: Rollup, uppers: Sequence[bytes]) -> None:
    """Remember that a rollup has points at these entities. One statement at most."""
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
    dirty = _hand_over(session, work, rollup, dirty)
    members = below_get(session, organization_id=organization_id, known=work.known, rollup=rollup, uppers=sorted(dirty))
    of = work.sources.setdefault((draft.of_metric, draft.of_port), {})
    sources = sources_read(session, organization_id=organization_id, draft=draft, members=members, of=of)
    stretches = _stretches(session, work, rollup, dirty, (members, sources))
    if not stretches:
        return
    tables = [np.full((len(members[s.upper]), len(s.edges) - 1), np.nan) for s in stretches]
    for n, k, values in values_read(
        session,
        organization_id=organization_id,
        draft=draft,
        stretches=stretches,
        members=members,
        sources=sources,
        memo=work.memo,
        limit=work.points_max,
    ):
        tables[n][k] = values
    stands = standing_read(session, organization_id=organization_id, stretches=stretches, sources=sources)
    wanted, stored = [NOTHING], [NOTHING]
    for n, stretch in enumerate(stretches):
        values = rollup_values(draft, tables[n], _weights(draft, members[stretch.upper], stretch))
        has = np.flatnonzero(~np.isnan(values))
        wanted.append(Column(np.full(len(has), n, dtype=np.int64), stretch.edges[:-1][has], values[has]))
        if n in stands:
            points = stands[n]
            stored.append(Column(np.full(len(points.at), n, dtype=np.int64), points.at, points.values))
    _change(session, work, rollup, [s.upper for s in stretches], (columns_join(wanted), columns_join(stored)))


def _weights(draft: RollupDraft, members: Sequence[Member], stretch: ComputeRange) -> Values | None:
    if draft.aggregate is not RollupAggregate.WEIGHTED_MEAN:
        return None
    return weights_at([member.weights for member in members], stretch.edges[:-1])


def _change(
    session: Session, work: _Work, rollup: Rollup, uppers: Sequence[bytes], columns: tuple[Column, Column]
) -> None:
    """Note how what stands differs from what is wanted. uppers: by the columns' places."""
    wanted, stored = columns
    having = sorted({uppers[n] for n in {*wanted.of.tolist(), *stored.of.tolist()}})
    series = series_ensure(
        session,
        organization_id=work.organization_id,
        metric=rollup.draft.metric,
        unit=rollup.draft.unit,
        entities=having,
        stage_cache=work.run.stage_cache,
        notes=work.notes,
        # The unit may be another than when the series was made.
        is_anew=rollup.updated_at != rollup.created_at,
        origin=ROLLUP,
    )
    before = len(work.changes.changed)
    work.changes.add(metric=rollup.draft.metric, entities=uppers, series=series, wanted=wanted, stored=stored)
    written = sorted({change.entity for change in work.changes.changed[before:] if len(change.at)})
    _written(session, work, rollup, written)


def _stretches(
    session: Session,
    work: _Work,
    rollup: Rollup,
    dirty: Mapping[bytes, list[tuple[int, int]]],
    read: tuple[Mapping[bytes, Sequence[Member]], Sources],
) -> list[ComputeRange]:
    """Lay out the buckets that are computed now; what is too long is narrowed to where there are points, and cut."""
    members, sources = read
    grid = work.known.grids[rollup.what]
    joined = [
        (upper, *span)
        for upper, spans in sorted(dirty.items())
        for whole in spans_joined(spans)
        for span in _apart(grid, whole)
    ]
    coarse = [each for each in joined if grid.is_long(each[1], each[2])]
    narrowed = bounds_read(
        session, organization_id=work.organization_id, asked=coarse, members=members, sources=sources
    )
    spans = [each for each in joined if not grid.is_long(each[1], each[2])]
    spans += [(coarse[n][0], *found) for n, found in enumerate(narrowed) if found is not None]
    stretches: list[ComputeRange] = []
    cells = 0
    for upper, begins_us, ends_us in spans:
        begins, ends = max(begins_us, FIRST_US), min(ends_us, LAST_US)
        # At least one bucket, so that every transaction comes further.
        size = max(1, len(members[upper]))
        most = max(0 if stretches else 1, min(work.buckets_max, (CELLS_MAX - cells) // size))
        until = begins
        if most:
            edges = grid.edges(begins, grid.cut(begins, ends, most))
            until = int(edges[-1])
            cells += size * (len(edges) - 1)
            stretches.append(ComputeRange(upper, edges, len(edges) == _ONE and begins >= work.tallied_from_us))
        if until < ends:
            marks_note(work.left, upper, rollup.what, [(until, ends, until)])
    return stretches


def _apart(grid: Grid, whole: tuple[int, int]) -> list[tuple[int, int]]:
    """Cut a time of few buckets into them; more are read in one go, and without partial aggregates."""
    if whole[1] - whole[0] > APART_MAX * grid.length_us:
        return [whole]
    return list(pairwise(grid.edges(*whole).tolist()))


def _write(session: Session, work: _Work, now: datetime) -> DerivedCommit | None:
    changes_write(
        session,
        organization_id=work.organization_id,
        changes=work.changes,
        stage_cache=work.run.stage_cache,
        notes=work.notes,
    )
    partials_write(session, organization_id=work.organization_id, made=work.memo.made)
    if not work.changes.changed:
        return None
    touched: dict[bytes, tuple[int, int]] = {}
    for change in work.changes.changed:
        first, last = touched.get(change.entity, (change.begins_us, change.ends_us - 1))
        touched[change.entity] = (min(first, change.begins_us), max(last, change.ends_us - 1))
    windows_note(session, organization_id=work.organization_id, touched=touched, reason=ROLLUP)
    return commit_note(session, organization_id=work.organization_id, changes=work.changes.changed, now=now)
