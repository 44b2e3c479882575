"""The partition task: the stages of one partition, one after the other, for some minutes under their leases.

One process works on what it has just made, while it is at hand; partition tasks share nothing but the database and the
bus.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from datetime import timedelta

import structlog
from redis import RedisError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from domain.base.failed_items.reasons import reason_of
from domain.base.leases import FencedError, Lease, lease_acquire, lease_release, lease_renew
from domain.base.streams import ACT, ATTRIBUTE, DERIVE, GROUPS, NORMALIZE, RETENTION_MS, STAGES, stream_name
from runtime.database import transaction
from workers.enqueue import id_window_of
from workers.failures import failure_log, failure_log_throttled, is_retryable, log_level_of
from workers.jobs import PARTITION_TASK, PARTITION_TASK_RUN_S, job_enqueue
from workers.process import ProcessState, state_get
from workers.stages.act import ActStage
from workers.stages.attribute import AttributeStage
from workers.stages.derive import DeriveStage
from workers.stages.normalize import NormalizeStage

_log = structlog.get_logger(__name__)

# What the process remembers of entities is lost where another takes over: then each has to be read back.
RUN_S = float(PARTITION_TASK_RUN_S)
LEASE_TTL = timedelta(seconds=10)
RENEW_EVERY_S = 2.0
TRIM_EVERY_S = 2.0
# Where a job waits that only this process can run, a partition task gives way after so long.
SHARE_S = 1.0
OTHERS_WAIT_S = 0.3
BLOCK_MS = 200
BACKOFF_FIRST_S, BACKOFF_LAST_S = 0.1, 3.0

Stage = NormalizeStage | AttributeStage | DeriveStage | ActStage


class _LeaseTakenError(Exception):
    """Another runs a stage of the partition."""


def partition_task_run(partition: int) -> None:
    """Run the stages of a partition, unless another process holds its leases. An RQ job."""
    state = state_get()
    try:
        with transaction(state.engine) as session:
            leases = [_acquire(session, stage, partition, state.holder) for stage in STAGES]
    except _LeaseTakenError:
        return
    except SQLAlchemyError as error:
        # The enqueuer enqueues it again once the database is back.
        failure_log(state, "partition_waits", error, partition=partition)
        return
    try:
        PartitionTask(state, leases).run()
    except FencedError:
        _log.info("partition_fenced", partition=partition, fences=[lease.fence for lease in leases])
        return
    finally:
        # Where this fails, the leases run out by themselves.
        with contextlib.suppress(SQLAlchemyError), transaction(state.engine) as session:
            for lease in leases:
                lease_release(session, lease=lease)
    # One of a partition that is no more only runs where the enqueuer finds batches for it.
    if not state.stopping.is_set() and partition < state.context.partitions:
        # At once, so that no entry waits for the enqueuer to look.
        with contextlib.suppress(RedisError):
            fences = sum(lease.fence for lease in leases)
            job_enqueue(state, PARTITION_TASK, partition, fences, id_window_of(time.time()), arguments=(partition,))


class PartitionTask:
    """One run of the stages under their leases."""

    def __init__(self, state: ProcessState, leases: Sequence[Lease]) -> None:
        self._state = state
        self._partition = leases[0].partition
        self.stages: list[Stage] = [_stage(state, lease) for lease in leases]
        self._trim_at_s = 0.0
        self._renewed_at_s = self._others_since_s = time.monotonic()
        self._backoff_s = BACKOFF_FIRST_S

    def run(self) -> None:
        """Process entries until the time is up. Raises FencedError where another has taken a lease."""
        began_s = time.monotonic()
        while not self._state.stopping.is_set() and time.monotonic() - began_s < RUN_S:
            try:
                if not self.poll():
                    self._wait_for_entries()
                self._upkeep()
                if self._has_waiting_jobs() and time.monotonic() - began_s > SHARE_S:
                    break
                self._backoff_s = BACKOFF_FIRST_S
            except FencedError:
                raise
            except Exception as error:  # noqa: BLE001  (a partition task outlives whatever a stage did not isolate)
                self._wait(error)
        with contextlib.suppress(SQLAlchemyError):
            self._renew()

    def poll(self) -> bool:
        """Poll every stage once, in order; return whether any had entries.

        Raises what a stage did not isolate only after the others were polled.
        """
        has_worked = False
        failed: Exception | None = None
        for stage in self.stages:
            try:
                has_worked = stage.poll() or has_worked
            except Exception as error:
                if is_retryable(error):
                    raise
                failed = failed or error
        if failed is not None:
            raise failed
        return has_worked

    def _wait_for_entries(self) -> None:
        """Wait for the next entry of any of the streams; which it is, the groups will tell."""
        last_ids = {stage.reader.stream: stage.reader.last_id for stage in self.stages}
        for stream, entries in self._state.bus.read_after(last_ids, count=1, block_ms=BLOCK_MS).items():
            for stage in self.stages:
                if stage.reader.stream == stream:
                    stage.reader.last_id = entries[-1][0]

    def _wait(self, error: Exception) -> None:
        failure_log_throttled(
            self._state, log_level_of(error), "partition_waits", reason_of(error), partition=self._partition
        )
        self._state.stopping.wait(self._backoff_s)
        self._backoff_s = min(self._backoff_s * 2, BACKOFF_LAST_S)
        # What was read is pending with this very process: take it up again.
        for stage in self.stages:
            stage.reader.again()

    def _upkeep(self) -> None:
        now_s = time.monotonic()
        if now_s - self._renewed_at_s > RENEW_EVERY_S:
            self._renew()
            self._renewed_at_s = now_s
        if now_s >= self._trim_at_s:
            self._trim_at_s = now_s + TRIM_EVERY_S
            for stream, groups in GROUPS.items():
                self._state.bus.trim(stream_name(stream, self._partition), groups, retention_ms=RETENTION_MS[stream])

    def _renew(self) -> None:
        with transaction(self._state.engine) as session:
            for stage in self.stages:
                lease_renew(session, lease=stage.lease, ttl=LEASE_TTL, counts=stage.counters.take())

    def _has_waiting_jobs(self) -> bool:
        """Return whether a job has been waiting for this process for a while."""
        now_s = time.monotonic()
        if not any(self._state.queue(name).count for name in self._state.shared_with):
            self._others_since_s = now_s
        return now_s - self._others_since_s > OTHERS_WAIT_S


def _acquire(session: Session, stage: str, partition: int, holder: str) -> Lease:
    lease = lease_acquire(session, stage=stage, partition=partition, holder=holder, ttl=LEASE_TTL)
    if lease is None:
        # Nothing of the transaction stays: a partition task holds all of its leases or none.
        raise _LeaseTakenError
    return lease


def _stage(state: ProcessState, lease: Lease) -> Stage:
    if lease.stage == NORMALIZE:
        return NormalizeStage(state, lease, lease_ttl=LEASE_TTL)
    if lease.stage == ATTRIBUTE:
        return AttributeStage(state, lease)
    if lease.stage == ACT:
        return ActStage(state, lease)
    assert lease.stage == DERIVE, lease.stage  # noqa: S101  (a name of ours)
    return DeriveStage(state, lease, lease_ttl=LEASE_TTL)
