"""Compute dirty buckets of rollups and health: a job every second.

A job takes nothing but the state of the world, and may run twice at once: of one organization only one transaction
computes one kind. A job is short, for it keeps a worker from the stages: what is left is the next job's.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Final

import structlog
from redis import RedisError
from sqlalchemy.orm import Session

from domain.base.failed_items.model import FailedQueue
from domain.base.streams import BUCKETS_PARTITION, DERIVED, RETENTION_MS, stream_name
from domain.derivation.formulas.feed import commit_entry
from domain.derivation.health import compute as health
from domain.derivation.health.operations import health_due_keys
from domain.derivation.invalidation.buckets import Computation, bucket_keys, organizations_dirty
from domain.derivation.rollups.compute import BUCKETS_MAX, ROWS_MAX, BucketRun, ComputedBuckets, buckets_compute
from domain.telemetry.feed.entries import norm_encode
from graph.errors import LimitExceededError, NotFoundError
from runtime.database import transaction
from workers.enqueue import buckets_cooldown_begin
from workers.failures import FailedView, failure_log, is_retryable, job_guarded, organization_is_known
from workers.jobs import BUCKETS, job_enqueue
from workers.process import ProcessState, state_get

_log = structlog.get_logger(__name__)

RUN_S = 2.0
# So many jobs follow each other for one second; what is dirty then is another second's.
PARTS_MAX = 20
# After work that took so long, nothing is done for so many times as long, and at the most: at least half of the time a
# worker is the stages', though a bucket has more descendants than a second is enough for.
COOLDOWN_FACTOR = 1.0
COOLDOWN_MAX_S = 10.0
_STREAM = stream_name(DERIVED, BUCKETS_PARTITION)
_ROWS: Final = {Computation.ROLLUP: ROWS_MAX, Computation.HEALTH: health.ROWS_MAX}
_QUEUES: Final = {Computation.ROLLUP: FailedQueue.ROLLUPS, Computation.HEALTH: FailedQueue.HEALTH}
# Where some at once failed, so many are computed by themselves in a job.
SINGLY_MAX: Final = 50


def compute(tick: int, part: int) -> None:
    """Compute dirty buckets of all organizations. An RQ job. tick: the second it is for. part: which job of it."""
    state = state_get()
    with job_guarded(state, "buckets"):
        _compute(state, tick, part)


def _compute(state: ProcessState, tick: int, part: int) -> None:
    began_s = time.monotonic()
    deadline_s = began_s + RUN_S
    with transaction(state.engine) as session:
        due = due_list(session, now=datetime.now(UTC))
    views = {computation: FailedView(state, queue, refresh_s=RUN_S) for computation, queue in _QUEUES.items()}
    for computation, organization_id in due:
        _resolve(state, computation, organization_id, views[computation])
    count = 0
    while due:
        if state.stopping.is_set() or time.monotonic() > deadline_s:
            if part < PARTS_MAX:
                job_enqueue(state, BUCKETS, tick, part + 1, arguments=(tick, part + 1))
            break
        # Each in its turn, so that none waits for the long time of another.
        computation, organization_id = due.pop(0)
        done = _some(state, computation, organization_id)
        if done is not None:
            count += done.taken
            if not done.is_done:
                due.append((computation, organization_id))
    else:
        # Buckets that are written to all the time are computed as often as leaves the stages their workers.
        buckets_cooldown_begin(
            state, min((time.monotonic() - began_s) * COOLDOWN_FACTOR - (BUCKETS.every_s or 0), COOLDOWN_MAX_S)
        )
    if count:
        state.bus.trim(_STREAM, (), retention_ms=RETENTION_MS[DERIVED])
        _log.info("buckets_computed", buckets=count, organizations_left=len(due))


def due_list(session: Session, *, now: datetime) -> list[tuple[Computation, int]]:
    """Return what is dirty or due: the computation and the organization."""
    of_health = {
        *organizations_dirty(session, computation=Computation.HEALTH),
        *health.organizations_timed(session, now=now),
    }
    rollups = organizations_dirty(session, computation=Computation.ROLLUP)
    return [
        *((Computation.ROLLUP, organization_id) for organization_id in rollups),
        *((Computation.HEALTH, organization_id) for organization_id in sorted(of_health)),
    ]


def _some(state: ProcessState, computation: Computation, organization_id: int) -> ComputedBuckets | None:
    """Compute some buckets. None: not all of them could be at once, and each was by itself; more may be dirty."""
    try:
        return _within_bounds(state, computation, organization_id)
    except Exception as error:
        if is_retryable(error):
            raise
        if isinstance(error, NotFoundError) and not organization_is_known(state, organization_id):
            return None
        _singly(state, computation, organization_id, error)
        return None


def _within_bounds(
    state: ProcessState, computation: Computation, organization_id: int, *, only: str | None = None
) -> ComputedBuckets:
    """Compute some buckets; fewer where they are too much at once. Raises LimitExceededError where one is."""
    rows, buckets = _ROWS[computation], BUCKETS_MAX
    while True:
        try:
            return _transact(state, computation, organization_id, rows=rows, buckets=buckets, only=only)
        except LimitExceededError:
            if rows == buckets == 1:
                raise
            rows, buckets = (-(-rows // 8), buckets) if rows > 1 else (1, -(-buckets // 8))


def _singly(state: ProcessState, computation: Computation, organization_id: int, error: Exception) -> None:
    """Compute what is dirty by itself where some at once failed; what fails is written down and left alone."""
    failure_log(state, "buckets_not_computed", error, organization=organization_id, of=computation)
    failed = FailedView(state, _QUEUES[computation])
    failed.open(is_fresh=True)
    now = datetime.now(UTC)
    with transaction(state.engine, organization_id) as session:
        keys = bucket_keys(session, organization_id=organization_id, computation=computation, limit=SINGLY_MAX)
        if computation == Computation.HEALTH:
            keys += health_due_keys(session, organization_id=organization_id, now=now, limit=SINGLY_MAX)
    for key in dict.fromkeys(keys):
        if state.stopping.is_set():
            return
        try:
            _within_bounds(state, computation, organization_id, only=key)
        except Exception as fault:
            if is_retryable(fault):
                raise
            failed.fail(organization_id, key, fault)
        else:
            failed.succeed(organization_id, [key])


def _resolve(state: ProcessState, computation: Computation, organization_id: int, view: FailedView) -> None:
    """Compute by itself what failed and is due to be tried again, so that it is known which succeeded."""
    for (failed_organization_id, key), is_isolated in view.open().items():
        if failed_organization_id != organization_id or is_isolated:
            continue
        try:
            _within_bounds(state, computation, organization_id, only=key)
        except Exception as fault:
            if is_retryable(fault):
                raise
            view.fail(organization_id, key, fault)
        else:
            view.succeed(organization_id, [key])


def _transact(
    state: ProcessState, computation: Computation, organization_id: int, *, rows: int, buckets: int, only: str | None
) -> ComputedBuckets:
    with state.remembering(organization_id) as session:
        now = datetime.now(UTC)
        if computation == Computation.HEALTH:
            done = health.health_buckets_compute(
                session,
                organization_id=organization_id,
                stage_cache=state.stage_cache,
                now=now,
                rows_max=rows,
                only=only,
            )
        else:
            done = buckets_compute(
                session,
                organization_id=organization_id,
                run=BucketRun(state.stage_cache, state.rollups),
                now=now,
                rows_max=rows,
                buckets_max=buckets,
                only=only,
            )
    state.stage_cache.keep(done.notes)
    if done.commit is not None:
        try:
            state.bus.publish(_STREAM, [norm_encode(commit_entry(done.commit, revision=done.revision))])
        except (ConnectionError, RedisError) as error:
            # Subscribers find it in the database.
            _log.warning("buckets_not_published", organization=organization_id, error=repr(error))
    return done
