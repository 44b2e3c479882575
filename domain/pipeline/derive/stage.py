"""The derive stage: dirty windows become derived points. One transaction takes some entities of one organization.

Live data is a dirty window whose points are at hand and lie after all that was derived before: what the process
remembers of an entity's inputs is enough to derive on, and nothing is read back. Whatever else made a window dirty,
late data, a corrected link, an edited formula, its span is recomputed from stored points, and only differences are
written. Either way the final result is a function of the series, the links and the configuration.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable, int_array
from domain.base.leases import FencedError, Lease
from domain.base.packed import Column, Instants, micros_of
from domain.derivation.dependencies.index import DependencyCache, DependencyIndex, dependency_entities
from domain.derivation.formulas.config import Derivation
from domain.derivation.formulas.derive import NOTHING, Fault, Outcome, State, columns_first, derive
from domain.derivation.formulas.faults import faults_write
from domain.derivation.formulas.inputs import ComputeRange, ranges_narrow, ranges_read, sources_of, watermarks_read
from domain.derivation.formulas.outputs import Changes, DerivedCommit, changes_write, commit_write, series_ensure
from domain.derivation.invalidation.windows import Window, windows_at_hand, windows_done, windows_of
from domain.derivation.rollups.topology import RollupCache
from domain.derivation.shadow.shadow import Derived, ShadowWork, shadow_compare, shadow_write
from domain.pipeline.attribute.stage import AssetEntry, entries_gather
from domain.pipeline.derive.checkpoints import Checkpoint, Checkpoints
from domain.pipeline.derive.evaluate import (
    AtHand,
    EvaluationContext,
    Evaluations,
    rules_evaluate,
    side_effects_disabled_of,
)
from domain.pipeline.derive.invalidate_health import health_invalidate_changed
from domain.pipeline.derive.propagate import (
    ChangedSpans,
    memberships_invalidate,
    rollups_invalidate_changed,
    windows_only_followed,
    windows_split,
)
from domain.pipeline.derive.ranges import range_cut, ranges_of
from domain.telemetry.model.readings import NO_PORT
from domain.telemetry.model.stage_cache import PendingCacheUpdates, StageCache
from domain.telemetry.store.retention_bound import retained_from_lock
from graph.change import graph_hold
from graph.ids import NewId

ENTITIES_MAX: Final = 1_000
# Of entities whose points are read back; and how many points a transaction reads.
READ_BACK_ENTITIES_MAX: Final = 200
READ_BACK_POINTS_MAX: Final = 500_000
CHUNK: Final = timedelta(days=31)
# Nothing younger is ever dropped.
_RETENTION_MIN: Final = timedelta(hours=12)
_MICROSECOND = timedelta(microseconds=1)
_LOCK: Final = 0x44455249
_LOCKS: Final = 64

_BEGIN = text(
    """
    UPDATE stage_leases SET expires_at = clock_timestamp() + :ttl
    WHERE stage = :stage AND partition = :partition AND fence = :fence RETURNING position
    """
)
_ADVANCE = text(
    "UPDATE stage_leases SET position = position + 1 WHERE stage = :stage AND partition = :partition RETURNING position"
)
# Of entities of one partition only one transaction derives, by its lease; where the number of partitions was changed,
# a lease of the old number and one of the new may hold the same entity for a while.
_ENTITIES_LOCK = text(
    "SELECT count(pg_advisory_xact_lock(:lock, s.n)) FROM (SELECT n FROM unnest(:slots) AS u (n) ORDER BY n) s"
)


@dataclass(frozen=True, slots=True)
class DeriveRun:
    """Parameters and caches of a run of the stage. lease_ttl: for how long each transaction keeps the lease.

    dependency_cache, stage_cache, rollups: what the process remembers. new_id: draws the ids of events.
    """

    lease: Lease
    lease_ttl: timedelta
    dependency_cache: DependencyCache
    checkpoints: Checkpoints
    stage_cache: StageCache
    new_id: NewId
    rollups: RollupCache = field(default_factory=RollupCache)


@dataclass(frozen=True, slots=True)
class DerivedEntities:
    """The result of a transaction; void unless it commits. commit: None where nothing changed.

    read_back: entities whose points were read back. behind_kept: those of them whose windows reach behind what is kept:
    there, and as far after it as a value counts, all stays as stored. checkpoints, notes, evaluations: to be kept
    once committed.
    """

    commit: DerivedCommit | None
    checkpoints: Mapping[tuple[int, bytes], Checkpoint | None]
    notes: PendingCacheUpdates
    revision: int
    windows: int = 0
    read_back: int = 0
    beyond_retention: int = 0
    evaluations: Evaluations = field(default_factory=Evaluations)


@dataclass(slots=True)
class _Work:
    organization_id: int
    run: DeriveRun
    index: DependencyIndex
    changes: Changes = field(default_factory=Changes)
    notes: PendingCacheUpdates = field(default_factory=PendingCacheUpdates)
    checkpoints: dict[tuple[int, bytes], Checkpoint | None] = field(default_factory=dict)
    done: list[int] = field(default_factory=list)
    begun: dict[int, int] = field(default_factory=dict)
    beyond_retention: set[bytes] = field(default_factory=set)
    # Entities with the times over which they were recomputed, and why some of their metrics have no point.
    again: list[tuple[bytes, int, int]] = field(default_factory=list)
    faults: list[tuple[bytes, Fault]] = field(default_factory=list)
    changed: ChangedSpans = field(default_factory=ChangedSpans)
    at_hand: AtHand = field(default_factory=AtHand)
    shadow: ShadowWork | None = None


@dataclass(frozen=True, slots=True)
class _AtHand:
    """Windows by entity, and entries that bring all of their points."""

    windows: Mapping[bytes, list[Window]]
    entries: Sequence[AssetEntry]


def entities_derive(
    session: Session,
    *,
    organization_id: int,
    entities: Collection[bytes],
    at_hand: Sequence[AssetEntry],
    run: DeriveRun,
    now: datetime,
    chunk: timedelta = CHUNK,
    points_max: int = READ_BACK_POINTS_MAX,
) -> DerivedEntities:
    """Derive the dirty windows of entities (16 bytes each) of one organization and the lease's partition.

    at_hand: entries of this organization. Windows longer than `chunk`, or twice the longest maxAge, are begun; what is
    left of them stays.
    Raises FencedError where another has taken the lease, LimitExceededError where more than `points_max` points
    would have to be read back: then take fewer entities or a shorter chunk.
    """
    arrays_enable(session)
    graph_revision = graph_hold(session, organization_id=organization_id)
    lease = {"stage": run.lease.stage, "partition": run.lease.partition}
    if session.execute(_BEGIN, {**lease, "fence": run.lease.fence, "ttl": run.lease_ttl}).one_or_none() is None:
        raise FencedError
    slots = sorted({entity[15] % _LOCKS for entity in entities})
    session.execute(_ENTITIES_LOCK, {"lock": _LOCK, "slots": int_array(slots)})
    index = run.dependency_cache.get(session, organization_id=organization_id)
    windows = windows_of(session, organization_id=organization_id, entities=entities)
    dependency_entities(
        session,
        organization_id=organization_id,
        index=index,
        ids=[UUID(bytes=entity) for entity in windows],
    )
    work = _Work(
        organization_id,
        run,
        index,
        shadow=None if index.shadow is None else ShadowWork(index.shadow),
    )
    deriving, followed = windows_split(windows, index)
    work.done += windows_only_followed(work.changed, followed)
    behind = _derive_incrementally(session, work, deriving, at_hand)
    if behind:
        _recompute(session, work, behind, chunk_us=chunk // _MICROSECOND, points_max=points_max)
    changes_write(
        session, organization_id=organization_id, changes=work.changes, stage_cache=run.stage_cache, notes=work.notes
    )
    if work.shadow is not None and work.shadow.again:
        shadow_write(session, organization_id=organization_id, work=work.shadow)
    faults_write(session, organization_id=organization_id, faults=work.faults, again=work.again)
    evaluations = _propagate(session, work, windows, at_hand, now)
    windows_done(session, organization_id=organization_id, ids=work.done, begun=work.begun)
    commit = None
    if work.changes.changed:
        position = int(session.execute(_ADVANCE, lease).scalar_one())
        commit = DerivedCommit(organization_id, run.lease.partition, position, now, work.changes.changed)
        commit_write(session, commit=commit)
    return DerivedEntities(
        commit,
        work.checkpoints,
        work.notes,
        graph_revision,
        sum(map(len, windows.values())),
        len(behind),
        len(work.beyond_retention),
        evaluations,
    )


def _propagate(
    session: Session,
    work: _Work,
    windows: Mapping[bytes, Sequence[Window]],
    at_hand: Sequence[AssetEntry],
    now: datetime,
) -> Evaluations:
    """Evaluate rules on what changed, and invalidate the buckets of rollups and health."""
    organization_id, index, changed = work.organization_id, work.index, work.changed
    evaluations = Evaluations()
    if index.consumers.is_idle and not index.plans:
        return evaluations
    if changed.earliest_us() < micros_of(now) - _RETENTION_MIN // _MICROSECOND:
        # Events, rollups and health of a time whose points have gone stay what they are.
        work.beyond_retention |= changed.clamp(retained_from_lock(session))
    if not index.consumers.is_idle:
        memberships_invalidate(session, organization_id=organization_id, index=index, changed=changed)
        rollups_invalidate_changed(
            session, organization_id=organization_id, index=index, changed=changed, cache=work.run.rollups
        )
    if index.consumers.rulebook:
        evaluations = rules_evaluate(
            session,
            context=EvaluationContext(
                organization_id,
                index,
                work.run.checkpoints.rule_states,
                now,
                work.run.new_id,
                side_effects_disabled_of(windows),
            ),
            spans=changed.evaluation_spans(),
            at_hand=work.at_hand,
            windows=windows,
            entries=list(entries_usable(at_hand, index).values()),
        )
    if index.plans:
        health_invalidate_changed(
            session,
            organization_id=organization_id,
            index=index,
            changed=changed,
            windows=windows,
            evaluations=evaluations,
        )
    return evaluations


def entries_usable(at_hand: Sequence[AssetEntry], index: DependencyIndex) -> dict[int, AssetEntry]:
    """Return one entry of each commit, by its group: those that were attributed by what the dependency index says."""
    return {entry.group: entry for entry in at_hand if entry.revision == index.revision}


def _derive_incrementally(
    session: Session, work: _Work, windows: Mapping[bytes, list[Window]], at_hand: Sequence[AssetEntry]
) -> dict[bytes, list[Window]]:
    """Derive incrementally the entities whose points are at hand; return the windows of the others."""
    usable = entries_usable(at_hand, work.index)
    whole = {group: entry.whole for group, entry in usable.items()}
    checkpoints = {entity: work.run.checkpoints.by_entity.get((work.organization_id, entity)) for entity in windows}
    by_derivation: dict[int, tuple[Derivation, list[tuple[bytes, Checkpoint]]]] = {}
    for entity, of_entity in windows.items():
        derivation, checkpoint = work.index.entity_of(entity).derivation, checkpoints[entity]
        if (
            derivation is not None
            # What a version in shadow makes of metrics that others read is not remembered.
            and not (derivation.is_chained and derivation.shadow)
            and checkpoint is not None
            and checkpoint.revision == work.index.revision
            and windows_at_hand(of_entity, whole)
            and min(window.begins_us for window in of_entity) > checkpoint.watermark_us
        ):
            by_derivation.setdefault(id(derivation), (derivation, []))[1].append((entity, checkpoint))
    behind = dict(windows)
    for derivation, ready in by_derivation.values():
        for entity in _ready_derive(session, work, derivation, ready, _AtHand(windows, list(usable.values()))):
            work.done += [window.id for window in behind.pop(entity)]
    return behind


def _ready_derive(
    session: Session,
    work: _Work,
    derivation: Derivation,
    ready: Sequence[tuple[bytes, Checkpoint]],
    given: _AtHand,
) -> list[bytes]:
    """Derive entities of one type incrementally from the points at hand; return those that were derived."""
    windows = given.windows
    gathered = entries_gather(given.entries, places={(entity, NO_PORT): n for n, (entity, _) in enumerate(ready)})
    watermarks = np.array([checkpoint.watermark_us for _, checkpoint in ready], dtype=np.int64)
    # What comes again is not of these windows.
    inputs = {metric: column.take(column.at > watermarks[column.owner]) for metric, column in gathered.items()}
    # Which of two points of one time counts is not decided here: their entities are derived from stored points.
    doubtful = {owner for column in inputs.values() for owner in column.doubled()}
    if doubtful:
        sure = [pair for n, pair in enumerate(ready) if n not in doubtful]
        return _ready_derive(session, work, derivation, sure, given) if sure else []
    entities = [entity for entity, _ in ready]
    ends = [max(window.ends_us for window in windows[entity]) for entity in entities]
    outcome = _derive(
        work,
        derivation,
        entities=entities,
        inputs=inputs,
        begins_us=watermarks + 1,
        ends_us=np.array(ends, dtype=np.int64),
        states=[checkpoint.state for _, checkpoint in ready],
    )
    if any(work.index.entity_of(entity).assignments for entity in entities):
        # A metric that is measured too is read as derived where both have a point.
        both = {name: columns_first(outcome.outputs[name], inputs[name]) for name in inputs.keys() & outcome.outputs}
        work.at_hand.add([(entity, NO_PORT) for entity in entities], {**inputs, **outcome.outputs, **both})
    if work.shadow is not None:
        work.shadow.again += zip(entities, (watermarks + 1).tolist(), ends, strict=True)
    for entity, end, state in zip(entities, ends, outcome.states, strict=True):
        work.checkpoints[work.organization_id, entity] = Checkpoint(work.index.revision, end - 1, state)
        work.changed.add(entity, min(window.begins_us for window in windows[entity]), end)
    _change(session, work, entities, derivation, wanted=outcome.outputs, stored={}, is_recompute=False)
    return entities


def _recompute(
    session: Session, work: _Work, windows: Mapping[bytes, list[Window]], *, chunk_us: int, points_max: int
) -> None:
    """Recompute the windows of entities from stored points."""
    organization_id = work.organization_id
    derivations = {entity: work.index.entity_of(entity).derivation or _NO_DERIVATION for entity in windows}
    sources = sources_of(session, organization_id=organization_id, derivations=derivations)
    retained_from_us = retained_from_lock(session)
    ranges = [
        _kept(work, compute_range, retained_from_us)
        for entity, of_entity in windows.items()
        for compute_range in ranges_of(of_entity, derivations[entity])
    ]
    narrowed = ranges_narrow(session, organization_id=organization_id, ranges=ranges, sources=sources)
    watermarks = watermarks_read(session, organization_id=organization_id, sources=sources)
    by_derivation: dict[int, list[tuple[ComputeRange, ComputeRange]]] = {}
    for compute_range, asked in zip(narrowed, ranges, strict=True):
        by_derivation.setdefault(id(compute_range.derivation), []).append((compute_range, asked))
    for pairs in by_derivation.values():
        wholes = [compute_range for compute_range, _ in pairs]
        parts = [range_cut(compute_range, chunk_us) for compute_range in wholes]
        read = ranges_read(session, organization_id=organization_id, ranges=parts, sources=sources, limit=points_max)
        outcome = _derive(
            work,
            parts[0].derivation,
            entities=[part.entity for part in parts],
            inputs=read.inputs,
            begins_us=np.array([part.begins_us for part in parts], dtype=np.int64),
            ends_us=np.array([part.ends_us for part in parts], dtype=np.int64),
            states=None,
        )
        for (whole, asked), part, state in zip(pairs, parts, outcome.states, strict=True):
            _windows_progress(work, whole, part)
            # Where no point is, none is at fault and none differs any more.
            ends = asked.ends_us if part.ends_us == whole.ends_us else part.ends_us
            work.again.append((part.entity, asked.begins_us, ends))
            work.changed.add(part.entity, asked.begins_us, ends)
            if work.shadow is not None:
                work.shadow.again.append((part.entity, asked.begins_us, ends))
            last = max((at for at, _ in state.inputs.values()), default=-1)
            is_ahead = part.ends_us > watermarks[part.entity] and part.ends_us == whole.ends_us
            checkpoint = Checkpoint(work.index.revision, max(watermarks[part.entity], last), state)
            work.checkpoints[organization_id, part.entity] = checkpoint if is_ahead else None
        _change(
            session,
            work,
            [part.entity for part in parts],
            parts[0].derivation,
            wanted=outcome.outputs,
            stored=read.stored,
            is_recompute=True,
        )


def _derive(
    work: _Work,
    derivation: Derivation,
    *,
    entities: Sequence[bytes],
    inputs: Mapping[str, Column],
    begins_us: Instants,
    ends_us: Instants,
    states: Sequence[State] | None,
) -> Outcome:
    """Derive entities of one type by the versions in force, and beside them by the one in shadow.

    states: None where they are not known; the inputs then reach back far enough.
    """
    formula_context = work.index.formula_context(derivation, entities, is_recompute=states is None)
    known = [State()] * len(entities) if states is None else states
    outcome = derive(
        sets=derivation.sets,
        inputs=inputs,
        begins_us=begins_us,
        ends_us=ends_us,
        states=known,
        formula_context=formula_context,
    )
    work.faults += [(entities[fault.owner], fault) for fault in outcome.faults]
    if work.shadow is not None:
        derived = Derived(derivation, entities, inputs, begins_us, ends_us, known, formula_context, outcome.outputs)
        shadow_compare(work.shadow, derived)
    return outcome


def _kept(work: _Work, compute_range: ComputeRange, retained_from_us: int) -> ComputeRange:
    """Cut from a range what has, or could have had, inputs that retention has dropped."""
    begins = retained_from_us + compute_range.derivation.reach_us
    if compute_range.begins_us >= begins:
        return compute_range
    work.beyond_retention.add(compute_range.entity)
    return replace(compute_range, begins_us=min(begins, compute_range.ends_us))


def _windows_progress(work: _Work, whole: ComputeRange, compute_range: ComputeRange) -> None:
    """Note which windows a computed range completes, and how far the others are."""
    if compute_range.ends_us == whole.ends_us:
        work.done += [window.id for window in compute_range.windows]
        return
    for window in compute_range.windows:
        if window.ends_us + compute_range.derivation.reach_us <= compute_range.ends_us:
            work.done.append(window.id)
        elif window.begins_us < compute_range.ends_us:
            # Its last microsecond stays, so that what it reaches is derived too.
            work.begun[window.id] = min(compute_range.ends_us, window.ends_us - 1)


def _change(
    session: Session,
    work: _Work,
    entities: Sequence[bytes],
    derivation: Derivation,
    *,
    wanted: Mapping[str, Column],
    stored: Mapping[str, Column],
    is_recompute: bool,
) -> None:
    """Add what is written of entities of one type. wanted, stored: points that should be and that are, by metric."""
    units = _units(derivation)
    for metric in {**wanted, **stored}:
        wanted_points, stored_points = wanted.get(metric, NOTHING), stored.get(metric, NOTHING)
        changed_entities = {
            entities[n] for n in np.unique(np.concatenate((wanted_points.owner, stored_points.owner))).tolist()
        }
        series = series_ensure(
            session,
            organization_id=work.organization_id,
            metric=metric,
            unit=units.get(metric),
            entities=changed_entities,
            stage_cache=work.run.stage_cache,
            notes=work.notes,
            is_recompute=is_recompute,
        )
        work.changes.add(metric=metric, entities=entities, series=series, wanted=wanted_points, stored=stored_points)


def _units(derivation: Derivation) -> dict[str, str | None]:
    """Return the unit of each derived metric, of the last version that names it."""
    return {formula.metric: formula.unit for formulas in derivation.sets for formula in formulas.formulas}


_NO_DERIVATION: Final = Derivation((), frozenset(), 0)
