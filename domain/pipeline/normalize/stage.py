"""The normalize stage: batches of the raw log become points, dead letters and an entry of the live feed.

One transaction takes any number of batches of one organization and one partition. Whatever their order and
however often they come, the final result is a function of the raw log. Hot path.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable, bigint_array, int_array
from domain.base.leases import FencedError
from domain.derivation.dependencies.affected import affected_spans
from domain.derivation.dependencies.index import dependency_devices, derivation_revision
from domain.derivation.invalidation.windows import READINGS, REPLAY, windows_add
from domain.pipeline.normalize.counters import outcomes_compare, outcomes_counted
from domain.pipeline.normalize.dead_letters import dead_letters_mirror, dead_letters_resolve, dead_letters_write
from domain.pipeline.normalize.entries import StoredPoints, batch_keys, feed_entry_of
from domain.pipeline.normalize.erased import readings_erased, readings_not_erased
from domain.pipeline.normalize.keys import keys_stored_update
from domain.pipeline.normalize.outcomes import DEAD, DUPLICATE, STORED
from domain.pipeline.normalize.retract import NormalizationContext
from domain.pipeline.normalize.schemas import schemas_of, units_reconcile
from domain.pipeline.normalize.work import NormalizedBatches, NormalizeInput, NormalizeResult, StageRun
from domain.pipeline.normalize.write import readings_write, readings_write_halving
from domain.telemetry.model.columns import Readings, readings_decode
from domain.telemetry.model.readings import RawBatch
from domain.telemetry.model.stage_cache import PendingCacheUpdates
from domain.telemetry.store.retention_bound import readings_frozen, retained_from_lock
from graph.change import graph_hold, input_revision

# Which batches are to do, and the next positions for them, in one statement: it fails to find a lease that
# another holds, and waits for a commit of the same lease that is under way.
_BEGIN = text(
    """
    WITH todo AS (
        SELECT u.n FROM unnest(:ids, :received) WITH ORDINALITY AS u (i, r, n)
        JOIN raw_batches b ON b.organization_id = :organization_id AND b.id = u.i AND b.received_at = u.r
        WHERE b.normalized_at IS NULL
    ), again AS (
        SELECT u.n FROM unnest(:ids, :received) WITH ORDINALITY AS u (i, r, n)
        JOIN raw_batches b ON b.organization_id = :organization_id AND b.id = u.i AND b.received_at = u.r
        WHERE b.normalized_at IS NULL AND b.feed_position IS NOT NULL
    ), advanced AS (
        UPDATE stage_leases SET position = position + (SELECT count(*) FROM todo),
            expires_at = clock_timestamp() + :ttl
        WHERE stage = :stage AND partition = :partition AND fence = :fence
        RETURNING position
    )
    SELECT (SELECT position FROM advanced) AS position,
        (SELECT derivation_revision FROM graph_clocks WHERE organization_id = :organization_id) AS derivation_revision,
        (SELECT input_revision FROM graph_clocks WHERE organization_id = :organization_id) AS input_revision,
        EXISTS (SELECT FROM erasures WHERE organization_id = :organization_id) AS has_erasures,
        array(SELECT (n - 1)::int FROM todo ORDER BY n) AS todo,
        array(SELECT (n - 1)::int FROM again) AS again
    """
)
_FINISH = text(
    """
    UPDATE raw_batches b SET normalized_at = :now, feed_position = u.f, stored = u.s, duplicate = u.u, dead = u.d,
        points = u.p
    FROM unnest(:ids, :received, :positions, :stored, :duplicate, :dead, :points) AS u (i, r, f, s, u, d, p)
    WHERE b.organization_id = :organization_id AND b.id = u.i AND b.received_at = u.r
    """
)

_NONE: Final = np.empty(0, dtype=np.intp)


def batches_normalize(
    session: Session,
    *,
    organization_id: int,
    batches: Sequence[RawBatch],
    run: StageRun,
    now: datetime,
    is_isolating: bool = False,
) -> NormalizedBatches:
    """Normalize batches of one organization and the lease's partition; those done before are left as they are.

    is_isolating: find readings that the database refuses by halving, and make them dead letters; without it,
    such a reading fails the transaction.
    Raises FencedError where another has taken the lease.
    """
    arrays_enable(session)
    revision = graph_hold(session, organization_id=organization_id)
    begun = session.execute(
        _BEGIN,
        {
            **batch_keys(organization_id, batches),
            "stage": run.lease.stage,
            "partition": run.lease.partition,
            "fence": run.lease.fence,
            "ttl": run.lease_ttl,
        },
    ).one()
    if begun.position is None:
        raise FencedError
    todo = [batches[n] for n in begun.todo]
    done = [batch for n, batch in enumerate(batches) if n not in set(begun.todo)]
    if not todo:
        return NormalizedBatches([], done, PendingCacheUpdates())
    readings = readings_decode(todo)
    bearing = int(begun.input_revision)
    again = np.isin(readings.batches, [place for place, n in enumerate(begun.todo) if n in set(begun.again)])
    erased = _NONE
    if begun.has_erasures:
        erased = readings_erased(session, organization_id=organization_id, readings=readings, batches=todo)
    inputs = _input(session, organization_id, run, readings, again=again, bearing=bearing, now=now, erased=erased)
    result = NormalizeResult(inputs)
    result.outcome[erased] = DEAD
    if is_isolating:
        readings_write_halving(session, inputs, inputs.places, result)
    else:
        result.add(readings_write(session, inputs, inputs.places))
    _reconcile(session, inputs, result, revision=bearing)
    group = None if begun.again else todo[0].id
    _invalidate(session, inputs, result, group, revision=int(begun.derivation_revision))
    first = int(begun.position) - len(todo) + 1
    _finish(session, inputs, result, todo, first)
    stored = StoredPoints(readings, inputs.normalized, result.is_stored)
    entries = [
        replace(
            feed_entry_of(organization_id, stored, batch, n, position=first + n, revision=revision),
            group=todo[0].id,
            group_size=len(todo),
        )
        for n, batch in enumerate(todo)
    ]
    traces = list(dict.fromkeys(trace for batch in todo for trace in batch.traces))
    mirrored = dead_letters_mirror(
        organization_id=organization_id, stage=run.lease.stage, readings=readings, dead_letters=result.dead_letters
    )
    return NormalizedBatches(entries, done, result.notes, len(readings), int(result.is_stored.sum()), mirrored, traces)


def readings_reprocess(
    session: Session,
    *,
    organization_id: int,
    readings: Readings,
    run: StageRun,
    now: datetime,
    side_effects: bool,
) -> PendingCacheUpdates:
    """Reprocess readings of one organization; return the pending cache updates.

    Afterwards history, latest values, dead letters and keys are what processing them for the first time would give.
    run: its lease says no more than the stage. What is derived from them is left as dirty windows. side_effects:
    whether what follows may act on the world beyond: then the windows are those of readings.
    """
    arrays_enable(session)
    graph_hold(session, organization_id=organization_id)
    bearing = input_revision(session, organization_id=organization_id)
    readings = readings_not_erased(session, organization_id=organization_id, readings=readings)
    if not len(readings):
        return PendingCacheUpdates()
    again = np.ones(len(readings), dtype=np.bool_)
    inputs = _input(session, organization_id, run, readings, again=again, bearing=bearing, now=now)
    result = NormalizeResult(inputs)
    counted = outcomes_counted(session, organization_id=organization_id, readings=readings)
    readings_write_halving(session, inputs, inputs.places, result)
    _reconcile(session, inputs, result, revision=bearing)
    outcomes_compare(session, organization_id=organization_id, readings=readings, before=counted, after=result.outcome)
    derivation_at = derivation_revision(session, organization_id=organization_id)
    _invalidate(session, inputs, result, None, revision=derivation_at, reason=READINGS if side_effects else REPLAY)
    return result.notes


def _input(
    session: Session,
    organization_id: int,
    run: StageRun,
    readings: Readings,
    *,
    again: NDArray[np.bool_],
    bearing: int,
    now: datetime,
    erased: NDArray[np.intp] = _NONE,
) -> NormalizeInput:
    """Read the schemas in force and what retention has made final, and plan what the readings mean.

    erased: places of readings of devices that were erased, of which nothing is written.
    """
    schemas = schemas_of(
        session,
        organization_id=organization_id,
        revision=bearing,
        devices=readings.devices,
        stage_cache=run.stage_cache,
    )
    retained_from_us = retained_from_lock(session)
    context = NormalizationContext(organization_id, run.future_tolerance, schemas, run.stage_cache, retained_from_us)
    frozen = readings_frozen(
        session,
        organization_id=organization_id,
        retained_from_us=retained_from_us,
        readings=readings,
        again=again,
    )
    frozen[erased] = True
    places, normalized = np.flatnonzero(~frozen), context.normalized(readings)
    return NormalizeInput(organization_id, run, now, context, readings, again & ~frozen, places, normalized)


def _reconcile(session: Session, inputs: NormalizeInput, result: NormalizeResult, *, revision: int) -> None:
    """Write dead letters, resolve earlier ones, and reconcile the units of series."""
    organization_id, stage, readings = inputs.organization_id, inputs.run.lease.stage, inputs.readings
    if inputs.again.any():
        # Somebody had them tried again: what does not fail any more is resolved, what does is reopened below.
        raw_ids = readings.raw_ids[inputs.again].tolist()
        dead_letters_resolve(session, organization_id=organization_id, stage=stage, raw_ids=raw_ids, now=inputs.now)
        keys_stored_update(session, organization_id=organization_id, readings=readings, stored=result.outcome == STORED)
    dead_letters_write(
        session,
        organization_id=organization_id,
        stage=stage,
        readings=readings,
        dead_letters=result.dead_letters,
        now=inputs.now,
    )
    schemas = inputs.context.schemas
    if schemas:
        units_reconcile(
            session, organization_id=organization_id, revision=revision, schemas=schemas, notes=result.notes
        )


def _invalidate(
    session: Session,
    inputs: NormalizeInput,
    result: NormalizeResult,
    group: int | None,
    *,
    revision: int,
    reason: str = READINGS,
) -> None:
    """Add a dirty window for each entity that depends on these readings.

    group: the first of the batches; None where some are processed again, and points of any reading may have gone.
    """
    organization_id = inputs.organization_id
    index = inputs.run.dependency_cache.get(session, organization_id=organization_id, revision=revision)
    if index.is_idle:
        return
    places = np.arange(len(inputs.readings)) if group is None else np.flatnonzero(result.outcome == STORED)
    windows = [
        (inputs.readings, places, group),
        *((superseded, np.arange(len(superseded)), None) for superseded in result.superseded),
    ]
    for readings, chosen, batch_id in windows:
        dependency_devices(session, organization_id=organization_id, index=index, devices=set(readings.devices))
        affected = affected_spans(index, readings=readings, places=chosen.tolist())
        windows_add(session, organization_id=organization_id, spans=affected, reason=reason, batch_id=batch_id)


def _finish(
    session: Session, inputs: NormalizeInput, result: NormalizeResult, batches: Sequence[RawBatch], first: int
) -> None:
    batch_of = inputs.readings.batches

    def count(which: int) -> object:
        return int_array(np.bincount(batch_of[result.outcome == which], minlength=len(batches)))

    points = np.bincount(batch_of[inputs.normalized.readings[result.is_stored]], minlength=len(batches))
    session.execute(
        _FINISH,
        {
            **batch_keys(inputs.organization_id, batches),
            "now": inputs.now,
            "positions": bigint_array(np.arange(first, first + len(batches))),
            "stored": count(STORED),
            "duplicate": count(DUPLICATE),
            "dead": count(DEAD),
            "points": int_array(points),
        },
    )
