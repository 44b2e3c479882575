"""Enqueue jobs: one for each partition whose leases are free, and recurring ones (see `jobs`)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta

import structlog

from domain.base.failed_items.reasons import reason_of
from domain.base.leases import LeaseState, lease_list, lease_release
from domain.base.streams import STAGES
from domain.derivation.health.compute import organizations_timed
from domain.derivation.invalidation.buckets import organizations_dirty
from domain.exchange.replays.queries import replays_idle
from domain.nodes.erasures.operations import erasures_under_way
from domain.telemetry.store.raw_log import partitions_unfinished
from runtime.database import transaction
from workers.failures import Cooldowns, failure_log, failure_log_throttled, is_retryable
from workers.jobs import (
    BUCKETS,
    CHECK,
    ERASURE,
    HOURLY,
    PARTITION_TASK,
    REPLAY,
    RETENTION,
    SWEEP,
    Job,
    job_enqueue,
    job_tick,
)
from workers.process import QUEUE_PARTITIONS, QUEUE_SHORT, ProcessState, holder_is_dead

_log = structlog.get_logger(__name__)

LOOK_EVERY_S = 0.25
PARTITIONS_EVERY_S = 5.0
# A job of the same name may be enqueued again after so long, should the first have been lost.
_ID_WINDOW_S = 5
# A replay that nobody has worked on for so long is taken up.
REPLAY_IDLE = timedelta(seconds=5)
# So many run at once: each keeps a worker from the stages for seconds.
REPLAYS_AT_ONCE = 2
_BUCKETS_COOLDOWN = "argus-buckets-cooldown"


def buckets_in_cooldown(state: ProcessState) -> bool:
    """Return whether the work on dirty buckets is in cooldown."""
    return bool(state.queues.exists(_BUCKETS_COOLDOWN))


def buckets_cooldown_begin(state: ProcessState, cooldown_s: float) -> None:
    """Begin a cooldown of the work on dirty buckets, on all hosts."""
    if cooldown_s > 0:
        state.queues.set(_BUCKETS_COOLDOWN, 1, px=max(int(cooldown_s * 1_000), 1))


def id_window_of(now_s: float) -> int:
    """Return the time bucket within which a job's id is used once."""
    return int(now_s) // _ID_WINDOW_S


class Enqueuer:
    """Polls the leases several times a second. Survives outages of database and bus."""

    def __init__(self, state: ProcessState) -> None:
        self._state = state
        self._partitions: list[int] = list(range(state.context.partitions))
        self._partitions_at_s = float("-inf")
        self._ticks: dict[str, int] = {}
        self._cooldowns = Cooldowns()

    def run(self) -> None:
        """Work until the process is stopped."""
        while not self._state.stopping.wait(LOOK_EVERY_S):
            try:
                self.look()
            except Exception as error:
                if not is_retryable(error):
                    raise
                failure_log(self._state, "enqueuer_waits", error)
                self._state.stopping.wait(1.0)

    def look(self) -> None:
        """Enqueue what is due, once. A failing look does not stop the others."""
        now_s = time.time()
        looks: dict[str, Callable[[float], None]] = {
            "partitions": self._partitions_look,
            "sweep": self._sweep_look,
            "replays": self._replays_look,
            "buckets": self._buckets_look,
            "erasures": self._erasures_look,
            "ticks": self._ticks_look,
        }
        for name, look in looks.items():
            if self._cooldowns.is_active(name):
                continue
            try:
                look(now_s)
            except Exception as error:
                if is_retryable(error):
                    raise
                failure_log_throttled(self._state, _log.error, "look_failed", reason_of(error), look=name)
                self._cooldowns.begin(name)
            else:
                self._cooldowns.end(name)

    def _partitions_look(self, now_s: float) -> None:
        with transaction(self._state.engine) as session:
            known = {(state.lease.stage, state.lease.partition): state for state in lease_list(session)}
            if now_s - self._partitions_at_s > PARTITIONS_EVERY_S:
                # More than there are by the settings, where those were changed while batches waited.
                self._partitions = _joined(self._state.context.partitions, partitions_unfinished(session))
                self._partitions_at_s = now_s
            for state in known.values():
                if not state.is_free and holder_is_dead(state.holder):
                    lease_release(session, lease=state.lease)
        self._partitions_enqueue(known, now_s)

    def _sweep_look(self, now_s: float) -> None:
        if not self._is_waiting(QUEUE_SHORT, "sweep"):
            job_enqueue(self._state, SWEEP, job_tick(SWEEP, now_s))

    def _replays_look(self, now_s: float) -> None:
        with transaction(self._state.engine) as session:
            idle = replays_idle(session, idle=REPLAY_IDLE, at_once=REPLAYS_AT_ONCE)
        for organization_id, replay_id in idle:
            # Its own jobs count from 0; those that take over from a lost one are named by the time.
            if not self._is_waiting(QUEUE_SHORT, f"replay-{replay_id}"):
                tick = id_window_of(now_s)
                job_enqueue(
                    self._state, REPLAY, str(replay_id), tick, arguments=(organization_id, str(replay_id), tick)
                )

    def _buckets_look(self, now_s: float) -> None:
        if self._is_due(BUCKETS, now_s) and not buckets_in_cooldown(self._state):
            with transaction(self._state.engine) as session:
                has_work = organizations_dirty(session) or organizations_timed(
                    session, now=datetime.fromtimestamp(now_s, UTC)
                )
            if has_work and not self._is_waiting(QUEUE_SHORT, "buckets"):
                self._tick_enqueue(BUCKETS, now_s)

    def _erasures_look(self, now_s: float) -> None:
        if self._is_due(ERASURE, now_s):
            with transaction(self._state.engine) as session:
                has_work = bool(erasures_under_way(session))
            if has_work and not self._is_waiting(QUEUE_SHORT, ERASURE.name):
                self._tick_enqueue(ERASURE, now_s)

    def _ticks_look(self, now_s: float) -> None:
        jobs = [HOURLY, RETENTION, *([CHECK] if self._state.context.check_entities else [])]
        for job in jobs:
            if self._is_due(job, now_s) and not self._is_waiting(job.queue, job.name):
                self._tick_enqueue(job, now_s)

    def _tick_enqueue(self, job: Job, now_s: float) -> None:
        """Enqueue a tick of a job, or the first part of it."""
        named = (job_tick(job, now_s), *((0,) if job.in_parts else ()))
        job_enqueue(self._state, job, *named, arguments=named)

    def _partitions_enqueue(self, known: Mapping[tuple[str, int], LeaseState], now_s: float) -> None:
        for partition in self._partitions:
            leases = [known[stage, partition] for stage in STAGES if (stage, partition) in known]
            is_free = len(leases) < len(STAGES) or any(f.is_free or holder_is_dead(f.holder) for f in leases)
            if is_free and not self._is_waiting(QUEUE_PARTITIONS, f"partition-{partition}"):
                fences = sum(state.lease.fence for state in leases)
                job_enqueue(self._state, PARTITION_TASK, partition, fences, id_window_of(now_s), arguments=(partition,))

    def _is_waiting(self, queue: str, kind: str) -> bool:
        """Return whether a job of a kind waits in a queue already, or is a name there that nobody has passed over yet.

        Where no worker has time, jobs that recur would pile up, one a tick, each too old by the time it is reached.
        """
        return any(job_id.startswith(f"{kind}-") for job_id in self._state.queue(queue).get_job_ids())

    def _is_due(self, job: Job, now_s: float) -> bool:
        """Return whether a new tick of a recurring job has begun since the last call."""
        tick = job_tick(job, now_s)
        was, self._ticks[job.name] = self._ticks.get(job.name), tick
        return tick != was


def _joined(partitions: int, unfinished: Iterable[int]) -> list[int]:
    return sorted({*range(partitions), *unfinished})
