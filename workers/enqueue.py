"""Keeps a job enqueued for each partition whose stages nobody works on, and for what recurs.

Job ids say what they are for: the lane's job that takes over from given fences, the sweep of a given moment.
So any number of these on any number of hosts enqueue each job once. A job is never unique beyond a few seconds:
RQ refuses an id while the hash of an old job lives, and one that was abandoned lives long.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from rq.exceptions import DuplicateJobError

from domain.base.failed_items.reasons import reason_of
from domain.base.leases import LeaseState, lease_list, lease_release
from domain.base.streams import STAGES
from domain.derivation.health.compute import organizations_timed
from domain.derivation.invalidation.buckets import organizations_dirty
from domain.exchange.replays.queries import replays_idle
from domain.telemetry.store.raw_log import partitions_unfinished
from runtime.database import transaction
from workers.failures import Rests, failure_log, failure_tell, is_transient
from workers.process import QUEUE_LANES, QUEUE_SHORT, ProcessState, holder_is_dead

_log = structlog.get_logger(__name__)

LOOK_EVERY_S = 0.25
PARTITIONS_EVERY_S = 5.0
SWEEP_EVERY_S = 5
# A job of the same name may be enqueued anew after so long, should the first have been lost.
_BUCKET_S = 5
_QUEUED_TTL_S = 20
LANE_RUN_S = 300.0
_LANE_TIMEOUT_S = int(LANE_RUN_S) + 60
_SWEEP_TIMEOUT_S = 60
_REPLAY_TIMEOUT_S = 120
# One waits however busy the workers are: no second is enqueued meanwhile.
_REPLAY_TTL_S = 3_600
# A replay that nobody has worked on for so long is taken up.
REPLAY_IDLE = timedelta(seconds=5)
# So many run at once: each keeps a worker from the stages for seconds.
REPLAYS_AT_ONCE = 2
RETENTION_EVERY_S = 3_600
_RETENTION_TIMEOUT_S = 120
CHECK_EVERY_S = 60
_CHECK_TIMEOUT_S = 60
HOURS_EVERY_S = 60
_HOURS_TIMEOUT_S = 120
_BUCKETS_REST = "argus-buckets-rest"
BUCKETS_EVERY_S = 1
_BUCKETS_TIMEOUT_S = 120


def lane_enqueue(state: ProcessState, partition: int, *, fences: int, bucket: int) -> None:
    """Enqueue the job that takes over a partition's leases, unless it is. fences: the sum of theirs."""
    try:
        state.queue(QUEUE_LANES).enqueue(
            "workers.lanes.lane_run",
            args=(partition,),
            job_id=f"lane-{partition}-{fences}-{bucket}",
            unique=True,
            ttl=_QUEUED_TTL_S,
            result_ttl=0,
            failure_ttl=_QUEUED_TTL_S,
            job_timeout=_LANE_TIMEOUT_S,
        )
    except DuplicateJobError:
        return


def sweep_enqueue(state: ProcessState, *, now_s: float) -> None:
    """Enqueue the sweep of this moment, unless it is."""
    try:
        state.queue(QUEUE_SHORT).enqueue(
            "workers.sweeper.sweep",
            job_id=f"sweep-{int(now_s) // SWEEP_EVERY_S}",
            unique=True,
            ttl=_QUEUED_TTL_S,
            # Kept, so that no other host enqueues the same.
            result_ttl=SWEEP_EVERY_S * 3,
            failure_ttl=SWEEP_EVERY_S * 3,
            job_timeout=_SWEEP_TIMEOUT_S,
        )
    except DuplicateJobError:
        return


def retention_enqueue(state: ProcessState, job: str, turn: int, part: int, *arguments: str | int) -> None:
    """Enqueue one part of the retention of an hour, unless it is. job: a function of `workers.retention`."""
    try:
        state.queue(QUEUE_SHORT).enqueue(
            f"workers.retention.{job}",
            args=(turn, part, *arguments),
            job_id=f"retention-{turn}-{part}",
            unique=True,
            ttl=RETENTION_EVERY_S,
            # Kept, so that no other host enqueues the same.
            result_ttl=RETENTION_EVERY_S * 2,
            failure_ttl=RETENTION_EVERY_S * 2,
            job_timeout=_RETENTION_TIMEOUT_S,
        )
    except DuplicateJobError:
        return


def hours_enqueue(state: ProcessState, turn: int, part: int) -> None:
    """Enqueue one part of the summary of hours of a minute, unless it is."""
    try:
        state.queue(QUEUE_SHORT).enqueue(
            "workers.hours.summarize",
            args=(turn, part),
            job_id=f"hours-{turn}-{part}",
            unique=True,
            ttl=HOURS_EVERY_S,
            # Kept, so that no other host enqueues the same.
            result_ttl=HOURS_EVERY_S * 2,
            failure_ttl=HOURS_EVERY_S * 2,
            job_timeout=_HOURS_TIMEOUT_S,
        )
    except DuplicateJobError:
        return


def check_enqueue(state: ProcessState, turn: int) -> None:
    """Enqueue the self-check of a minute, unless it is."""
    try:
        state.queue(QUEUE_SHORT).enqueue(
            "workers.convergence.check",
            args=(turn,),
            job_id=f"check-{turn}",
            unique=True,
            ttl=CHECK_EVERY_S,
            # Kept, so that no other host enqueues the same.
            result_ttl=CHECK_EVERY_S * 2,
            failure_ttl=CHECK_EVERY_S * 2,
            job_timeout=_CHECK_TIMEOUT_S,
        )
    except DuplicateJobError:
        return


def buckets_enqueue(state: ProcessState, turn: int, part: int) -> None:
    """Enqueue one part of the work on dirty buckets of a second, unless it is."""
    try:
        state.queue(QUEUE_SHORT).enqueue(
            "workers.buckets.compute",
            args=(turn, part),
            job_id=f"buckets-{turn}-{part}",
            unique=True,
            ttl=_QUEUED_TTL_S,
            # Kept, so that no other host enqueues the same.
            result_ttl=BUCKETS_EVERY_S * 10,
            failure_ttl=_QUEUED_TTL_S,
            job_timeout=_BUCKETS_TIMEOUT_S,
        )
    except DuplicateJobError:
        return


def replay_enqueue(state: ProcessState, organization_id: int, replay_id: UUID, *, turn: int) -> None:
    """Enqueue the next job of a replay, unless it is. turn: how many there were before."""
    try:
        state.queue(QUEUE_SHORT).enqueue(
            "workers.replay.replay_run",
            args=(organization_id, str(replay_id), turn),
            job_id=f"replay-{replay_id}-{turn}",
            unique=True,
            ttl=_REPLAY_TTL_S,
            result_ttl=0,
            failure_ttl=_QUEUED_TTL_S,
            job_timeout=_REPLAY_TIMEOUT_S,
        )
    except DuplicateJobError:
        return


def buckets_rest(state: ProcessState) -> bool:
    """Tell whether the work on dirty buckets rests just now."""
    return bool(state.queues.exists(_BUCKETS_REST))


def buckets_rest_begin(state: ProcessState, rest_s: float) -> None:
    """Let the work on dirty buckets rest for a time, on all hosts."""
    if rest_s > 0:
        state.queues.set(_BUCKETS_REST, 1, px=max(int(rest_s * 1_000), 1))


def bucket_of(now_s: float) -> int:
    """Return the stretch of time within which a job's name is taken once."""
    return int(now_s) // _BUCKET_S


class Enqueuer:
    """Looks at the leases several times a second. Outlives database and bus."""

    def __init__(self, state: ProcessState) -> None:
        self._state = state
        self._partitions: list[int] = list(range(state.context.partitions))
        self._partitions_at_s = float("-inf")
        self._turns: dict[str, int] = {}
        self._rests = Rests()

    def run(self) -> None:
        """Work until the process is told to end."""
        while not self._state.stopping.wait(LOOK_EVERY_S):
            try:
                self.look()
            except Exception as error:
                if not is_transient(error):
                    raise
                failure_log(self._state, "enqueuer_waits", error)
                self._state.stopping.wait(1.0)

    def look(self) -> None:
        """Enqueue what nobody works on, once. What cannot be looked at keeps nothing else from being enqueued."""
        now_s = time.time()
        looks: dict[str, Callable[[float], None]] = {
            "lanes": self._lanes_look,
            "sweep": self._sweep_look,
            "replays": self._replays_look,
            "buckets": self._buckets_look,
            "turns": self._turns_look,
        }
        for name, look in looks.items():
            if self._rests.rests(name):
                continue
            try:
                look(now_s)
            except Exception as error:
                if is_transient(error):
                    raise
                failure_tell(self._state, _log.error, "look_failed", reason_of(error), look=name)
                self._rests.begin(name)
            else:
                self._rests.end(name)

    def _lanes_look(self, now_s: float) -> None:
        with transaction(self._state.engine) as session:
            known = {(found.lease.stage, found.lease.partition): found for found in lease_list(session)}
            if now_s - self._partitions_at_s > PARTITIONS_EVERY_S:
                # More than there are by the settings, where those were changed while batches waited.
                self._partitions = _joined(self._state.context.partitions, partitions_unfinished(session))
                self._partitions_at_s = now_s
            for found in known.values():
                if not found.is_free and holder_is_dead(found.holder):
                    lease_release(session, lease=found.lease)
        self._lanes_enqueue(known, now_s)

    def _sweep_look(self, now_s: float) -> None:
        if not self._is_waiting(QUEUE_SHORT, "sweep"):
            sweep_enqueue(self._state, now_s=now_s)

    def _replays_look(self, now_s: float) -> None:
        with transaction(self._state.engine) as session:
            idle = replays_idle(session, idle=REPLAY_IDLE, at_once=REPLAYS_AT_ONCE)
        for organization_id, replay_id in idle:
            # Its own jobs count from 0; those that take over from a lost one are named by the time.
            if not self._is_waiting(QUEUE_SHORT, f"replay-{replay_id}"):
                replay_enqueue(self._state, organization_id, replay_id, turn=int(now_s) // _BUCKET_S)

    def _buckets_look(self, now_s: float) -> None:
        if self._is_due("buckets", BUCKETS_EVERY_S, now_s) and not buckets_rest(self._state):
            with transaction(self._state.engine) as session:
                has_dirt = organizations_dirty(session) or organizations_timed(
                    session, now=datetime.fromtimestamp(now_s, UTC)
                )
            if has_dirt and not self._is_waiting(QUEUE_SHORT, "buckets"):
                buckets_enqueue(self._state, int(now_s) // BUCKETS_EVERY_S, 0)

    def _turns_look(self, now_s: float) -> None:
        if self._is_due("hours", HOURS_EVERY_S, now_s) and not self._is_waiting(QUEUE_SHORT, "hours"):
            hours_enqueue(self._state, int(now_s) // HOURS_EVERY_S, 0)
        is_check_due = self._state.context.check_entities and self._is_due("check", CHECK_EVERY_S, now_s)
        if is_check_due and not self._is_waiting(QUEUE_SHORT, "check"):
            check_enqueue(self._state, int(now_s) // CHECK_EVERY_S)
        if self._is_due("retention", RETENTION_EVERY_S, now_s) and not self._is_waiting(QUEUE_SHORT, "retention"):
            retention_enqueue(self._state, "retain", int(now_s) // RETENTION_EVERY_S, 0)

    def _lanes_enqueue(self, known: Mapping[tuple[str, int], LeaseState], now_s: float) -> None:
        for partition in self._partitions:
            leases = [known[stage, partition] for stage in STAGES if (stage, partition) in known]
            is_free = len(leases) < len(STAGES) or any(f.is_free or holder_is_dead(f.holder) for f in leases)
            if is_free and not self._is_waiting(QUEUE_LANES, f"lane-{partition}"):
                fences = sum(found.lease.fence for found in leases)
                lane_enqueue(self._state, partition, fences=fences, bucket=bucket_of(now_s))

    def _is_waiting(self, queue: str, kind: str) -> bool:
        """Tell whether a job of a kind waits in a queue already, or is a name there that nobody has passed over yet.

        Where no worker has time, jobs that recur would pile up, one a turn, each too old by the time it is reached.
        """
        return any(job_id.startswith(f"{kind}-") for job_id in self._state.queue(queue).get_job_ids())

    def _is_due(self, what: str, every_s: int, now_s: float) -> bool:
        """Tell whether a new turn of what recurs has begun since this was last asked."""
        turn = int(now_s) // every_s
        was, self._turns[what] = self._turns.get(what), turn
        return turn != was


def _joined(partitions: int, unfinished: Iterable[int]) -> list[int]:
    return sorted({*range(partitions), *unfinished})
