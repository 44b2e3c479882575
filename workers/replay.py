"""Carry out replays: a job does parts of one for some seconds; the next job continues, on any host."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from redis import RedisError

from domain.base.failed_items.reasons import reason_of
from domain.base.streams import DERIVED, stream_name
from domain.exchange.replays.model import ReplayState
from domain.exchange.replays.operations import PART_READINGS, Part, ReplayRun, replay_fail, replay_part
from domain.telemetry.feed.corrections import correction_entry
from domain.telemetry.feed.entries import norm_encode
from domain.telemetry.store.raw_log import batches_overdue
from graph.errors import NotFoundError
from runtime.database import transaction
from workers.failures import failure_log, failure_log_throttled, is_retryable, job_guarded, organization_is_known
from workers.jobs import REPLAY, job_enqueue
from workers.process import ProcessState, state_get

_log = structlog.get_logger(__name__)

RUN_S = 4.0
# Live readings go first: while any has waited for so long, a replay rests.
LIVE_WAITS = timedelta(seconds=2)


def replay_run(organization_id: int, replay_id: str, tick: int) -> None:
    """Do the next parts of a replay. An RQ job. tick: the number of its jobs before."""
    state = state_get()
    # One that ends early is taken up again by the enqueuer.
    with job_guarded(state, "replay"):
        _run(state, organization_id, UUID(replay_id), tick)


def _run(state: ProcessState, organization_id: int, identity: UUID, tick: int) -> None:
    deadline_s = time.monotonic() + RUN_S
    while not state.stopping.is_set() and time.monotonic() < deadline_s:
        if _live_waits(state):
            # The enqueuer takes it up again after a while. Jobs that waited here would keep workers from the stages,
            # and so from what they wait for.
            return
        began_s = time.monotonic()
        try:
            part = _part(state, organization_id, identity)
        except Exception as error:  # noqa: BLE001  (whatever it is, it is recorded with the replay)
            if is_retryable(error):
                # The enqueuer takes it up again.
                failure_log(state, "replay_waits", error, organization=organization_id, replay=str(identity))
            elif not isinstance(error, NotFoundError) or organization_is_known(state, organization_id):
                _fail(state, organization_id, identity, error)
            return
        if part.replay.state is not ReplayState.RUNNING:
            _log.info("replay_over", replay=str(identity), state=part.replay.state, done=part.replay.done)
            return
        _pace(state, part.readings, time.monotonic() - began_s)
    following = tick + 1
    job_enqueue(state, REPLAY, str(identity), following, arguments=(organization_id, str(identity), following))


def _part(state: ProcessState, organization_id: int, replay_id: UUID) -> Part:
    run = ReplayRun(state.context.future_tolerance, state.stage_cache, state.dependency_cache)
    with state.remembering(organization_id) as session:
        part = replay_part(
            session,
            organization_id=organization_id,
            replay_id=replay_id,
            run=run,
            now=datetime.now(UTC),
            # What a second allows: after longer rests another job would take the replay for one that was left alone.
            readings_max=min(state.context.replay_readings_per_s or PART_READINGS, PART_READINGS),
        )
    state.stage_cache.keep(part.notes)
    if part.correction is not None:
        try:
            stream = stream_name(DERIVED, part.correction.partition)
            state.bus.publish(stream, [norm_encode(correction_entry(part.correction))])
        except (ConnectionError, RedisError) as error:
            # Subscribers find it in the database.
            _log.warning("correction_not_published", replay=str(replay_id), error=repr(error))
    return part


def _live_waits(state: ProcessState) -> bool:
    with transaction(state.engine) as session:
        return batches_overdue(session, overdue=LIVE_WAITS)


def _pace(state: ProcessState, readings: int, spent_s: float) -> None:
    """Pause to keep the configured rate."""
    rate = state.context.replay_readings_per_s
    if rate:
        state.stopping.wait(max(readings / rate - spent_s, 0.0))


def _fail(state: ProcessState, organization_id: int, replay_id: UUID, error: Exception) -> None:
    failure_log_throttled(state, _log.error, "replay_failed", reason_of(error), replay=str(replay_id))
    with transaction(state.engine, organization_id) as session:
        replay_fail(
            session,
            organization_id=organization_id,
            replay_id=replay_id,
            message=f"A defect stopped it: {reason_of(error)}.",
            now=datetime.now(UTC),
        )
