"""Write what readings mean: keys, points, dead letters' causes and presence, as planned. Hot path.

Each function returns what it has written, so that nothing of a savepoint that is rolled back is left anywhere.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from domain.base.packed import micros_of
from domain.base.transient import is_retryable
from domain.pipeline.normalize.counters import ChangedOutcome, outcomes_recount
from domain.pipeline.normalize.keys import Claims, keys_claim
from domain.pipeline.normalize.outcomes import DEAD, DUPLICATE, STORED
from domain.pipeline.normalize.plan import write_plan
from domain.pipeline.normalize.presence import presence_write
from domain.pipeline.normalize.retract import Retracted, readings_retract
from domain.pipeline.normalize.schemas import units_to_check
from domain.pipeline.normalize.supersede import readings_supersede
from domain.pipeline.normalize.work import NormalizeInput, NormalizeResult, Written
from domain.telemetry.model.columns import DeadLetterDraft, Readings
from domain.telemetry.model.stage_cache import PendingCacheUpdates
from domain.telemetry.store.points import PointColumns, latest_recompute, points_of, points_write

_NOWHERE = np.empty(0, dtype=np.intp)


def readings_write(session: Session, inputs: NormalizeInput, chosen: NDArray[np.intp]) -> Written:
    """Write the points and keys of the chosen readings."""
    readings, normalized, notes = inputs.readings, inputs.normalized, PendingCacheUpdates()
    is_stored = np.zeros(len(readings), dtype=np.bool_)
    is_stored[normalized.readings] = True
    claims = keys_claim(
        session, organization_id=inputs.organization_id, readings=readings, chosen=chosen, stored=is_stored
    )
    plan = write_plan(normalized, is_stored=is_stored, chosen=chosen, duplicates=claims.duplicates)
    superseded, own = _supersede(session, inputs, claims, notes)
    points = points_of(
        session,
        organization_id=inputs.organization_id,
        readings=readings,
        normalized=normalized,
        chosen=plan.points,
        stage_cache=inputs.run.stage_cache,
        notes=notes,
    )
    presence_write(session, organization_id=inputs.organization_id, readings=readings, chosen=chosen)
    stored = _points_write(session, inputs, chosen, points, notes)
    if inputs.context.schemas:
        notes.units_to_check |= units_to_check(
            organization_id=inputs.organization_id,
            readings=readings,
            reading_of=normalized.readings[plan.points],
            points=points,
            schemas=inputs.context.schemas,
            stage_cache=inputs.run.stage_cache,
        )
    return Written(
        np.concatenate((own, chosen)),
        np.concatenate((np.full(len(own), DUPLICATE, dtype=np.int8), plan.outcomes)),
        plan.points[stored],
        plan.dead_letters,
        superseded,
        notes,
    )


def readings_write_halving(
    session: Session, inputs: NormalizeInput, chosen: NDArray[np.intp], result: NormalizeResult
) -> None:
    """Write the points and keys of the chosen readings; those that the database refuses become dead letters.

    Each half that it takes is added to `result`, as are the dead letters.
    """
    try:
        with session.begin_nested():
            written = readings_write(session, inputs, chosen)
    except Exception as error:
        if is_retryable(error):
            raise
        # What the process remembers may be at fault: a partition that was dropped since.
        inputs.run.stage_cache.forget()
        if len(chosen) == 1:
            result.add(_refused_write(session, inputs, int(chosen[0]), error))
            return
        for half in np.array_split(chosen, 2):
            readings_write_halving(session, inputs, half, result)
    else:
        result.add(written)


def _refused_write(session: Session, inputs: NormalizeInput, place: int, error: Exception) -> Written:
    """Make a dead letter of the one reading that cannot be written, unless it repeats another."""
    chosen, notes = np.array([place], dtype=np.intp), PendingCacheUpdates()
    claims = keys_claim(
        session,
        organization_id=inputs.organization_id,
        readings=inputs.readings,
        chosen=chosen,
        stored=np.zeros(len(inputs.readings), dtype=np.bool_),
    )
    superseded, own = _supersede(session, inputs, claims, notes)
    if inputs.again[place]:
        retracted = readings_retract(
            session, context=inputs.context, readings=inputs.readings.take(chosen), points=None, notes=notes
        )
        latest_recompute(session, organization_id=inputs.organization_id, series=retracted.series)
    outcomes = np.full(len(own) + 1, DUPLICATE, dtype=np.int8)
    dead_letters = []
    if not len(claims.duplicates):
        outcomes[-1] = DEAD
        reason = str(getattr(error, "orig", None) or error).splitlines()
        message = f"The reading cannot be written: {reason[0] if reason else type(error).__name__}"
        dead_letters = [DeadLetterDraft(place, None, "PROCESSING_FAILED", message, inputs.readings.metrics[place])]
    return Written(np.concatenate((own, chosen)), outcomes, _NOWHERE, dead_letters, superseded, notes)


def _supersede(
    session: Session, inputs: NormalizeInput, claims: Claims, notes: PendingCacheUpdates
) -> tuple[list[Readings], NDArray[np.intp]]:
    """Undo what was written of readings that turn out to repeat others.

    Return those readings, and the places of those that are of this transaction: they are counted as repeats when it
    ends, the others at once.
    """
    if not claims.superseded:
        return [], _NOWHERE
    superseded = readings_supersede(
        session,
        context=inputs.context,
        stage=inputs.run.lease.stage,
        superseded=claims.superseded,
        notes=notes,
        now=inputs.now,
    )
    places = np.flatnonzero(np.isin(inputs.readings.raw_ids, [item.raw_id for item in claims.superseded]))
    own = set(inputs.readings.raw_ids[places].tolist())
    moved = [
        ChangedOutcome(item.raw_id, micros_of(item.received_at), STORED if item.was_stored else DEAD, DUPLICATE)
        for item in claims.superseded
        if item.raw_id not in own
    ]
    outcomes_recount(session, organization_id=inputs.organization_id, moved=moved)
    return [superseded], places


def _points_write(
    session: Session,
    inputs: NormalizeInput,
    chosen: NDArray[np.intp],
    points: PointColumns,
    notes: PendingCacheUpdates,
) -> NDArray[np.intp]:
    """Write the points of the chosen readings, and nothing where all are stored; return the places of those stored."""
    again = inputs.readings.take(chosen[inputs.again[chosen]])
    retracted = Retracted([], 0)
    if len(again):
        retracted = readings_retract(session, context=inputs.context, readings=again, points=points, notes=notes)
        if len(again) == len(chosen) and not retracted.series and retracted.remaining == len(points):
            return np.arange(len(points), dtype=np.intp)
    stored = points_write(
        session, organization_id=inputs.organization_id, points=points, stage_cache=inputs.run.stage_cache, notes=notes
    )
    latest_recompute(session, organization_id=inputs.organization_id, series=retracted.series)
    return stored
