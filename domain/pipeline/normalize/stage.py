"""The normalize stage: batches of the raw log become points, dead letters and an entry of the live feed.

One transaction takes any number of batches of one organization and one partition. Whatever their order and
however often they come, the final result is a function of the raw log. Hot path.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable, bigint_array, instant_array, int_array
from domain.base.leases import FencedError
from domain.base.packed import micros_of
from domain.base.transient import is_retryable
from domain.derivation.dependencies.affected import affected_spans
from domain.derivation.dependencies.index import dependency_devices, derivation_revision
from domain.derivation.invalidation.windows import READINGS, REPLAY, windows_add
from domain.pipeline.normalize.counters import (
    DEAD,
    DUPLICATE,
    STORED,
    ChangedOutcome,
    outcomes_compare,
    outcomes_counted,
    outcomes_recount,
)
from domain.pipeline.normalize.dead_letters import dead_letters_mirror, dead_letters_resolve, dead_letters_write
from domain.pipeline.normalize.keys import Claims, keys_claim, keys_stored_update
from domain.pipeline.normalize.presence import presence_write
from domain.pipeline.normalize.retract import NormalizationContext, Retracted, readings_retract
from domain.pipeline.normalize.schemas import schemas_of, units_reconcile, units_to_check
from domain.pipeline.normalize.supersede import readings_supersede
from domain.pipeline.normalize.work import NormalizedBatches, StageRun, Work
from domain.telemetry.feed.entries import NormEntry
from domain.telemetry.model.columns import DeadLetterDraft, Normalized, Readings, readings_decode
from domain.telemetry.model.readings import RawBatch
from domain.telemetry.model.stage_cache import PendingCacheUpdates
from domain.telemetry.store.points import PointColumns, latest_recompute, points_of, points_stored, points_write
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
    ), held AS (
        UPDATE stage_leases SET position = position + (SELECT count(*) FROM todo),
            expires_at = clock_timestamp() + :ttl
        WHERE stage = :stage AND partition = :partition AND fence = :fence
        RETURNING position
    )
    SELECT (SELECT position FROM held) AS position,
        (SELECT derivation_revision FROM graph_clocks WHERE organization_id = :organization_id) AS derivation_revision,
        (SELECT input_revision FROM graph_clocks WHERE organization_id = :organization_id) AS input_revision,
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
_DONE = text(
    """
    SELECT u.n - 1 AS n, b.feed_position FROM unnest(:ids, :received) WITH ORDINALITY AS u (i, r, n)
    JOIN raw_batches b ON b.organization_id = :organization_id AND b.id = u.i AND b.received_at = u.r
    WHERE b.feed_position IS NOT NULL
    """
)


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
            **_names(organization_id, batches),
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
    work = _work(session, organization_id, run, readings, again=again, bearing=bearing, now=now)
    chosen = _not_frozen(session, work)
    if is_isolating:
        _write_halving(session, work, chosen)
    else:
        _write(session, work, chosen, work.notes)
    _reconcile(session, work, revision=bearing)
    _invalidate(session, work, None if begun.again else todo[0].id, revision=int(begun.derivation_revision))
    first = int(begun.position) - len(todo) + 1
    _finish(session, work, todo, first)
    written = (readings, work.normalized, work.is_kept)
    entries = [
        replace(
            _entry(organization_id, written, batch, n, position=first + n, revision=revision),
            group=todo[0].id,
            group_size=len(todo),
        )
        for n, batch in enumerate(todo)
    ]
    traces = list(dict.fromkeys(trace for batch in todo for trace in batch.traces))
    mirrored = dead_letters_mirror(
        organization_id=organization_id, stage=run.lease.stage, readings=readings, dead_letters=work.dead_letters
    )
    return NormalizedBatches(entries, done, work.notes, len(readings), int(work.is_kept.sum()), mirrored, traces)


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
    again = np.ones(len(readings), dtype=np.bool_)
    work = _work(session, organization_id, run, readings, again=again, bearing=bearing, now=now)
    counted = outcomes_counted(session, organization_id=organization_id, readings=readings)
    _write_halving(session, work, _not_frozen(session, work))
    _reconcile(session, work, revision=bearing)
    outcomes_compare(session, organization_id=organization_id, readings=readings, before=counted, after=work.outcome)
    derivation_at = derivation_revision(session, organization_id=organization_id)
    _invalidate(session, work, None, revision=derivation_at, reason=READINGS if side_effects else REPLAY)
    return work.notes


def _work(
    session: Session,
    organization_id: int,
    run: StageRun,
    readings: Readings,
    *,
    again: NDArray[np.bool_],
    bearing: int,
    now: datetime,
) -> Work:
    schemas = schemas_of(
        session,
        organization_id=organization_id,
        revision=bearing,
        devices=readings.devices,
        stage_cache=run.stage_cache,
    )
    retained_from_us = retained_from_lock(session)
    context = NormalizationContext(organization_id, run.future_tolerance, schemas, run.stage_cache, retained_from_us)
    normalized = context.normalized(readings)
    outcome = np.full(len(readings), DEAD, dtype=np.int8)
    is_kept = np.zeros(len(normalized.readings), dtype=np.bool_)
    return Work(organization_id, run, now, context, readings, again, normalized, outcome, is_kept)


def _not_frozen(session: Session, work: Work) -> NDArray[np.intp]:
    """Return the places of the readings to process: without those that retention has made final."""
    frozen = readings_frozen(
        session,
        organization_id=work.context.organization_id,
        retained_from_us=work.context.retained_from_us,
        readings=work.readings,
        again=work.again,
    )
    work.outcome[frozen] = STORED
    work.again &= ~frozen
    return np.flatnonzero(~frozen)


def _reconcile(session: Session, work: Work, *, revision: int) -> None:
    """Write dead letters, resolve earlier ones, and reconcile the units of series."""
    organization_id, stage, readings = work.organization_id, work.run.lease.stage, work.readings
    if work.again.any():
        # Somebody had them tried again: what does not fail any more is resolved, what does is reopened below.
        raw_ids = readings.raw_ids[work.again].tolist()
        dead_letters_resolve(session, organization_id=organization_id, stage=stage, raw_ids=raw_ids, now=work.now)
        keys_stored_update(session, organization_id=organization_id, readings=readings, stored=work.outcome == STORED)
    dead_letters_write(
        session,
        organization_id=organization_id,
        stage=stage,
        readings=readings,
        dead_letters=work.dead_letters,
        now=work.now,
    )
    schemas = work.context.schemas
    if schemas:
        units_reconcile(session, organization_id=organization_id, revision=revision, schemas=schemas, notes=work.notes)


def feed_entries_rebuild(session: Session, *, organization_id: int, batches: Sequence[RawBatch]) -> list[NormEntry]:
    """Rebuild the feed entries of batches normalized before, with their points as now stored."""
    arrays_enable(session)
    revision = graph_hold(session, organization_id=organization_id)
    positions = {row.n: row.feed_position for row in session.execute(_DONE, _names(organization_id, batches))}
    normalized = [batch for n, batch in enumerate(batches) if n in positions]
    if not normalized:
        return []
    readings = readings_decode(normalized)
    stored = points_stored(session, organization_id=organization_id, readings=readings)
    is_kept = np.ones(len(stored.readings), dtype=np.bool_)
    entries = [
        _entry(organization_id, (readings, stored, is_kept), batch, n, position=position, revision=revision)
        for n, (batch, position) in enumerate(zip(normalized, positions.values(), strict=True))
    ]
    return sorted(entries, key=lambda entry: entry.position)


def _names(organization_id: int, batches: Sequence[RawBatch]) -> dict[str, object]:
    return {
        "organization_id": organization_id,
        "ids": bigint_array([batch.id for batch in batches]),
        "received": instant_array([batch.received_us for batch in batches]),
    }


def _write(session: Session, work: Work, chosen: NDArray[np.intp], notes: PendingCacheUpdates) -> None:
    """Write what the chosen readings mean; on an error nothing of `work` has changed."""
    readings, normalized = work.readings, work.normalized
    stored = np.zeros(len(readings), dtype=np.bool_)
    stored[normalized.readings] = True
    claims = keys_claim(session, organization_id=work.organization_id, readings=readings, chosen=chosen, stored=stored)
    counts = np.zeros(len(readings), dtype=np.bool_)
    counts[chosen] = True
    counts[claims.duplicates] = False
    _supersede(session, work, claims, notes)
    places = np.flatnonzero(counts[normalized.readings])
    points = points_of(
        session,
        organization_id=work.organization_id,
        readings=readings,
        normalized=normalized,
        chosen=places,
        stage_cache=work.run.stage_cache,
        notes=notes,
    )
    presence_write(session, organization_id=work.organization_id, readings=readings, chosen=chosen)
    kept = _points_write(session, work, chosen, points, notes)
    if work.context.schemas:
        notes.units_to_check |= units_to_check(
            organization_id=work.organization_id,
            readings=readings,
            reading_of=normalized.readings[places],
            points=points,
            schemas=work.context.schemas,
            stage_cache=work.run.stage_cache,
        )
    work.is_kept[places[kept]] = True
    work.outcome[chosen] = np.where(stored[chosen], STORED, DEAD)
    work.outcome[claims.duplicates] = DUPLICATE
    work.dead_letters += [dead_letter for dead_letter in normalized.dead_letters if counts[dead_letter.reading]]


def _supersede(session: Session, work: Work, claims: Claims, notes: PendingCacheUpdates) -> None:
    """Undo what was written of readings that turn out to repeat others, and count them as repeats."""
    if not claims.superseded:
        return
    superseded = readings_supersede(
        session,
        context=work.context,
        stage=work.run.lease.stage,
        superseded=claims.superseded,
        notes=notes,
        now=work.now,
    )
    work.superseded.append(superseded)
    moved: list[ChangedOutcome] = []
    for item in claims.superseded:
        own = np.flatnonzero(work.readings.raw_ids == item.raw_id)
        # Those of this transaction are counted when it ends.
        work.outcome[own] = DUPLICATE
        if not len(own):
            before = STORED if item.was_stored else DEAD
            moved.append(ChangedOutcome(item.raw_id, micros_of(item.received_at), before, DUPLICATE))
    outcomes_recount(session, organization_id=work.organization_id, moved=moved)


def _points_write(
    session: Session, work: Work, chosen: NDArray[np.intp], points: PointColumns, notes: PendingCacheUpdates
) -> NDArray[np.intp]:
    """Write the points of the chosen readings, and nothing where all stand already; return the places that stand."""
    again = work.readings.take(chosen[work.again[chosen]])
    gone = Retracted([], 0)
    if len(again):
        gone = readings_retract(session, context=work.context, readings=again, points=points, notes=notes)
        if len(again) == len(chosen) and not gone.series and gone.remaining == len(points):
            return np.arange(len(points), dtype=np.intp)
    kept = points_write(
        session, organization_id=work.organization_id, points=points, stage_cache=work.run.stage_cache, notes=notes
    )
    latest_recompute(session, organization_id=work.organization_id, series=gone.series)
    return kept


def _write_halving(session: Session, work: Work, chosen: NDArray[np.intp]) -> None:
    notes = PendingCacheUpdates()
    try:
        with session.begin_nested():
            _write(session, work, chosen, notes)
    except Exception as error:
        if is_retryable(error):
            raise
        # What the process remembers may be at fault: a partition that was dropped since.
        work.run.stage_cache.forget()
        if len(chosen) == 1:
            _dead_letter_add(session, work, chosen, error)
            return
        for half in np.array_split(chosen, 2):
            _write_halving(session, work, half)
    else:
        work.notes.add(notes)


def _invalidate(session: Session, work: Work, group: int | None, *, revision: int, reason: str = READINGS) -> None:
    """Add a dirty window for each entity that depends on these readings.

    group: the first of the batches; None where some are processed again, and points of any reading may have gone.
    """
    organization_id = work.organization_id
    index = work.run.dependency_cache.get(session, organization_id=organization_id, revision=revision)
    if index.is_idle:
        return
    places = np.arange(len(work.readings)) if group is None else np.flatnonzero(work.outcome == STORED)
    windows = [(work.readings, places, group), *((gone, np.arange(len(gone)), None) for gone in work.superseded)]
    for readings, chosen, batch_id in windows:
        dependency_devices(session, organization_id=organization_id, index=index, devices=set(readings.devices))
        affected = affected_spans(index, readings=readings, places=chosen.tolist())
        windows_add(session, organization_id=organization_id, spans=affected, reason=reason, batch_id=batch_id)


def _dead_letter_add(session: Session, work: Work, chosen: NDArray[np.intp], error: Exception) -> None:
    """Make a dead letter of the one reading that cannot be written."""
    claims = keys_claim(
        session,
        organization_id=work.organization_id,
        readings=work.readings,
        chosen=chosen,
        stored=np.zeros(len(work.readings), dtype=np.bool_),
    )
    _supersede(session, work, claims, work.notes)
    if work.again[chosen[0]]:
        gone = readings_retract(
            session, context=work.context, readings=work.readings.take(chosen), points=None, notes=work.notes
        )
        latest_recompute(session, organization_id=work.organization_id, series=gone.series)
    place = int(chosen[0])
    if len(claims.duplicates):
        work.outcome[place] = DUPLICATE
        return
    reason = str(getattr(error, "orig", None) or error).splitlines()
    message = f"The reading cannot be written: {reason[0] if reason else type(error).__name__}"
    work.dead_letters.append(DeadLetterDraft(place, None, "PROCESSING_FAILED", message, work.readings.metrics[place]))


def _finish(session: Session, work: Work, batches: Sequence[RawBatch], first: int) -> None:
    batch_of = work.readings.batches

    def count(which: int) -> object:
        return int_array(np.bincount(batch_of[work.outcome == which], minlength=len(batches)))

    points = np.bincount(batch_of[work.normalized.readings[work.is_kept]], minlength=len(batches))
    session.execute(
        _FINISH,
        {
            **_names(work.organization_id, batches),
            "now": work.now,
            "positions": bigint_array(np.arange(first, first + len(batches))),
            "stored": count(STORED),
            "duplicate": count(DUPLICATE),
            "dead": count(DEAD),
            "points": int_array(points),
        },
    )


def _entry(
    organization_id: int,
    written: tuple[Readings, Normalized, NDArray[np.bool_]],
    batch: RawBatch,
    n: int,
    *,
    position: int,
    revision: int,
) -> NormEntry:
    """Return the entry of the batch at place n: the points of it that stand in history."""
    readings, normalized, is_kept = written
    begins, ends = np.searchsorted(readings.batches, [n, n + 1])
    low, high = np.searchsorted(normalized.readings, [begins, ends])
    places = low + np.flatnonzero(is_kept[low:high])
    names, metrics = np.unique(normalized.metrics[places], return_inverse=True)
    texts = {}
    if normalized.texts:
        texts = {new: normalized.texts[old] for new, old in enumerate(places.tolist()) if old in normalized.texts}
    return NormEntry(
        organization_id=organization_id,
        batch_id=batch.id,
        partition=batch.partition,
        position=position,
        revision=revision,
        received_us=batch.received_us,
        devices=batch.devices,
        ports=batch.ports,
        timestamps=batch.timestamps,
        names=[normalized.names[m] for m in names.tolist()],
        readings=(normalized.readings[places] - begins).astype(np.int32),
        metrics=metrics.astype(np.int32),
        types=normalized.types[places],
        values=normalized.values[places],
        texts=texts,
    )
