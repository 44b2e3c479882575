"""Order, cancel and carry out replays, a part at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import numpy as np
from psycopg.errors import QueryCanceled
from sqlalchemy import ARRAY, Uuid, bindparam, func, insert, select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from domain.base.leases import Lease
from domain.base.streams import NORMALIZE
from domain.derivation.dependencies.index import DependencyCache
from domain.exchange.replays.model import Replay, ReplayState
from domain.exchange.replays.queries import replay_get, replay_of
from domain.exchange.replays.readings import Scope, readings_next
from domain.exchange.replays.tables import replays
from domain.pipeline.normalize.diff import Differences, differences_merge, readings_differ
from domain.pipeline.normalize.retract import NormalizationContext
from domain.pipeline.normalize.schemas import schemas_of
from domain.pipeline.normalize.stage import readings_reprocess
from domain.pipeline.normalize.work import StageRun
from domain.telemetry.feed.corrections import Correction, correction_note
from domain.telemetry.model.columns import Readings
from domain.telemetry.model.stage_cache import PendingCacheUpdates, StageCache
from domain.telemetry.store.retention_bound import retained_from_lock
from graph.change import graph_hold, input_revision
from graph.errors import BadInputError, ConflictError, LimitExceededError, NotFoundError
from graph.instants import instant_utc

DEVICES_MAX: Final = 10_000
# So many replays of one organization may wait or run.
OPEN_MAX: Final = 100
# So many readings at a time; all of one device and one instant stay together.
PART_READINGS: Final = 5_000

_OF_REPLAY = """
    FROM telemetry_raw r
    WHERE r.organization_id = :organization_id AND r."timestamp" >= :begins AND r."timestamp" < :ends
        AND (:devices IS NULL OR r.device_id = ANY(:devices))
"""
_DEVICES = bindparam("devices", type_=ARRAY(Uuid))
_TOTAL = text(f"SELECT count(*) {_OF_REPLAY}").bindparams(_DEVICES)
_ESTIMATE = text(f"EXPLAIN (FORMAT JSON) SELECT {_OF_REPLAY}").bindparams(_DEVICES)
_PATIENCE = text("SELECT set_config('statement_timeout', :patience, true)")
# A job may take two minutes; the count is only for the progress shown.
_COUNT_MS: Final = 10_000
_UNKNOWN = text(
    """
    SELECT u.d FROM unnest(:devices) WITH ORDINALITY AS u (d, n)
    WHERE NOT EXISTS (SELECT FROM devices d WHERE d.organization_id = :organization_id AND d.id = u.d)
    ORDER BY u.n LIMIT 1
    """
).bindparams(bindparam("devices", type_=ARRAY(Uuid)))


@dataclass(frozen=True, slots=True)
class ReplayRun:
    """Parameters and caches of a worker. partition: of the live feed, in which corrections are published."""

    future_tolerance: timedelta
    stage_cache: StageCache
    dependency_cache: DependencyCache
    partition: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """The result of a transaction; void unless it commits. correction: for the live feed.

    notes: pending cache updates.
    """

    replay: Replay
    readings: int
    notes: PendingCacheUpdates
    correction: Correction | None


def replay_order(
    session: Session,
    *,
    organization_id: int,
    replay_id: UUID,
    begins: datetime,
    ends: datetime,
    device_ids: Sequence[UUID] | None,
    dry_run: bool,
    side_effects: bool,
    actor: str,
    now: datetime,
) -> Replay:
    """Order a replay of the readings of [begins, ends), of these devices or of all.

    Raises BadInputError where it ends before it begins, NotFoundError for a device there is not, LimitExceededError
    for more than 10,000 devices, ConflictError where a hundred replays wait already.
    """
    begins, ends = instant_utc(begins, path="from"), instant_utc(ends, path="to")
    if begins >= ends:
        raise BadInputError("from must be earlier than to.", path=("input", "from"))
    if device_ids is not None:
        if len(device_ids) > DEVICES_MAX:
            raise LimitExceededError(f"A replay names at most {DEVICES_MAX} devices.", path=("input", "deviceIds"))
        values = {"organization_id": organization_id, "devices": list(device_ids)}
        unknown = session.execute(_UNKNOWN, values).scalar_one_or_none()
        if unknown is not None:
            raise NotFoundError(f"There is no device {unknown}.", path=("input", "deviceIds"))
    waiting = session.execute(
        select(func.count()).where(
            replays.c.organization_id == organization_id,
            replays.c.state.in_([ReplayState.QUEUED, ReplayState.RUNNING]),
        )
    ).scalar_one()
    if waiting >= OPEN_MAX:
        raise ConflictError(f"{waiting} replays wait already. Cancel some, or wait.", path=("input",))
    session.execute(
        insert(replays),
        {
            "organization_id": organization_id,
            "id": replay_id,
            "begins": begins,
            "ends": ends,
            "device_ids": None if device_ids is None else list(device_ids),
            "dry_run": dry_run,
            "side_effects": side_effects,
            "actor": actor,
            "state": ReplayState.QUEUED,
            "created_at": now,
        },
    )
    return replay_get(session, organization_id=organization_id, replay_id=replay_id)


def replay_cancel(session: Session, *, organization_id: int, replay_id: UUID, now: datetime) -> Replay:
    """Cancel a replay; corrections so far stay. Raises NotFoundError, ConflictError where it is over."""
    before = replay_get(session, organization_id=organization_id, replay_id=replay_id)
    done = session.execute(
        update(replays)
        .where(
            replays.c.organization_id == organization_id,
            replays.c.id == replay_id,
            replays.c.state.in_([ReplayState.QUEUED, ReplayState.RUNNING]),
        )
        .values(state=ReplayState.CANCELLED, finished_at=now)
    )
    if not done.rowcount:  # type: ignore[attr-defined]
        raise ConflictError(f"The replay is over: {before.state}.", path=("id",))
    return replay_get(session, organization_id=organization_id, replay_id=replay_id)


def replay_fail(session: Session, *, organization_id: int, replay_id: UUID, message: str, now: datetime) -> None:
    """Mark a replay as failed. Corrections so far stay."""
    session.execute(
        update(replays)
        .where(replays.c.organization_id == organization_id, replays.c.id == replay_id)
        .values(state=ReplayState.FAILED, message=message, finished_at=now)
    )


def replay_part(
    session: Session,
    *,
    organization_id: int,
    replay_id: UUID,
    run: ReplayRun,
    now: datetime,
    readings_max: int = PART_READINGS,
) -> Part:
    """Do the next part of a replay; its place and its counts are written in the same transaction.

    Two that do this at once take turns. Readings that no stage has processed yet are left to the stages.
    Raises NotFoundError.
    """
    row = session.execute(
        select(replays).where(replays.c.organization_id == organization_id, replays.c.id == replay_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no replay {replay_id}.")
    replay = replay_of(row)
    if replay.state.is_over:
        return Part(replay, 0, PendingCacheUpdates(), None)
    values: dict[str, Any] = {"touched_at": now, "state": ReplayState.RUNNING}
    if replay.state is ReplayState.QUEUED:
        values |= {"started_at": now, "total": _total(session, organization_id, replay)}
    scope = Scope(organization_id, row.begins, row.ends, row.device_ids)
    readings, place = readings_next(session, scope=scope, after=(row.device_id, row.timestamp), limit=readings_max)
    differences, notes, correction = Differences(), PendingCacheUpdates(), None
    if len(readings):
        differences, notes = _do(
            session, organization_id=organization_id, replay=replay, readings=readings, run=run, now=now
        )
        if differences.spans and not replay.dry_run:
            correction = correction_note(
                session,
                organization_id=organization_id,
                partition=run.partition,
                spans=differences.spans,
                revision=graph_hold(session, organization_id=organization_id),
                now=now,
            )
    values |= {
        "done": replay.done + len(readings),
        "changes": differences_merge(replay.changes, differences),
        "device_id": place[0],
        "timestamp": place[1],
    }
    if place[0] is None:
        values |= {"state": ReplayState.FINISHED, "finished_at": now}
    session.execute(
        update(replays).where(replays.c.organization_id == organization_id, replays.c.id == replay_id).values(**values)
    )
    done = replay_get(session, organization_id=organization_id, replay_id=replay_id)
    return Part(done, len(readings), notes, correction)


def _do(
    session: Session, *, organization_id: int, replay: Replay, readings: Readings, run: ReplayRun, now: datetime
) -> tuple[Differences, PendingCacheUpdates]:
    graph_hold(session, organization_id=organization_id)
    bearing = input_revision(session, organization_id=organization_id)
    schemas = schemas_of(
        session,
        organization_id=organization_id,
        revision=bearing,
        devices=readings.devices,
        stage_cache=run.stage_cache,
    )
    retained_from_us = retained_from_lock(session)
    beyond = readings.timestamps < retained_from_us
    readings = readings.take(np.flatnonzero(~beyond))
    context = NormalizationContext(organization_id, run.future_tolerance, schemas, run.stage_cache, retained_from_us)
    differences = Differences()
    if len(readings):
        differences = readings_differ(session, context=context, readings=readings, stage=NORMALIZE)
    differences.before_retention = int(beyond.sum())
    if replay.dry_run or not differences:
        return differences, PendingCacheUpdates()
    # It works under no lease: keys, raw ids and the organization's lock keep it and the stages from interfering.
    stage = StageRun(
        Lease(NORMALIZE, run.partition, 0), timedelta(0), run.future_tolerance, run.stage_cache, run.dependency_cache
    )
    notes = readings_reprocess(
        session,
        organization_id=organization_id,
        readings=readings,
        run=stage,
        now=now,
        side_effects=replay.side_effects,
    )
    return differences, notes


def _total(session: Session, organization_id: int, replay: Replay) -> int:
    """Count the readings; if that takes long, use the planner's estimate."""
    span = {"begins": replay.begins, "ends": replay.ends}
    values = {"organization_id": organization_id, "devices": replay.device_ids, **span}
    try:
        with session.begin_nested():
            session.execute(_PATIENCE, {"patience": str(_COUNT_MS)})
            total = int(session.execute(_TOTAL, values).scalar_one())
            session.execute(_PATIENCE, {"patience": "0"})
    except OperationalError as error:
        if not isinstance(error.orig, QueryCanceled):
            raise
        [plan] = session.execute(_ESTIMATE, values).scalar_one()
        total = int(plan["Plan"]["Plan Rows"])
    return total
