"""The job that runs a stage on a partition: up to half a minute under a lease, then another takes over."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import structlog
from redis import RedisError
from sqlalchemy.exc import SQLAlchemyError

from domain.telemetry.away import is_away
from domain.telemetry.bus import BusEntry
from domain.telemetry.entries import EntryError, NormEntry, norm_encode, raw_decode
from domain.telemetry.leases import FencedError, Lease, lease_acquire, lease_release, lease_renew
from domain.telemetry.packed import instant_of
from domain.telemetry.raw_log import BatchName, raw_batches_read
from domain.telemetry.readings import RawBatch
from domain.telemetry.stages.normalize import (
    DATA_ERRORS,
    NormalizedBatches,
    StageRun,
    batches_again,
    batches_normalize,
)
from domain.telemetry.streams import DEAD, DEAD_KEPT_MS, GROUPS, NORM, NORMALIZE, RAW, TAIL_KEPT_MS, stream_name
from graph.errors import NotFoundError
from runtime.database import transaction
from workers.enqueue import bucket_of, stage_enqueue
from workers.process import QUEUE_SHORT, QUEUE_STAGES, ProcessState, state_get

_log = structlog.get_logger(__name__)

RUN_S = 30.0
LEASE_TTL = timedelta(seconds=10)
RENEW_EVERY_S = 2.0
# What others read and never acknowledged is taken over after so long; all of it when the job begins.
CLAIM_EVERY_S = 5.0
CLAIM_IDLE_MS = 5_000
TRIM_EVERY_S = 2.0
# Where more stages wait than there are workers, one gives way after so long.
SHARE_S = 1.0
OTHERS_WAIT_S = 0.3
BLOCK_MS = 200
READ_ENTRIES = 64
TRANSACTION_READINGS = 5_000
BACKOFF_FIRST_S, BACKOFF_LAST_S = 0.1, 3.0


def stage_run(stage: str, partition: int) -> None:
    """Run a stage on a partition, unless another does. An RQ job."""
    if stage != NORMALIZE:
        msg = f"There is no stage {stage!r}."
        raise ValueError(msg)
    state = state_get()
    try:
        with transaction(state.engine) as session:
            lease = lease_acquire(session, stage=stage, partition=partition, holder=state.holder, ttl=LEASE_TTL)
    except SQLAlchemyError as error:
        # The enqueuer asks again once the database is back.
        _log.warning("stage_waits", partition=partition, error=repr(error)[:500])
        return
    if lease is None:
        return
    try:
        NormalizeRun(state, lease).run()
    except FencedError:
        _log.info("stage_fenced", stage=stage, partition=partition, fence=lease.fence)
        return
    finally:
        # Where this fails, the lease runs out by itself.
        with contextlib.suppress(SQLAlchemyError), transaction(state.engine) as session:
            lease_release(session, lease=lease)
    if not state.stopping.is_set():
        # At once, so that no entry waits for the enqueuer to look.
        with contextlib.suppress(RedisError):
            stage_enqueue(state, lease, bucket=bucket_of(time.time()))


class NormalizeRun:
    """One run of the normalize stage under a lease."""

    def __init__(self, state: ProcessState, lease: Lease) -> None:
        self._state = state
        self._lease = lease
        self._run = StageRun(lease, LEASE_TTL, state.context.future_tolerance, state.memory)
        self._raw = stream_name(RAW, lease.partition)
        self._norm = stream_name(NORM, lease.partition)
        self._dead = stream_name(DEAD, lease.partition)
        self._claim_at_s = 0.0
        self._claim_idle_ms = 0
        self._trim_at_s = 0.0
        self._renewed_at_s = self._others_since_s = time.monotonic()
        self._backoff_s = BACKOFF_FIRST_S

    def run(self) -> None:
        """Process entries until the time is up. Raises FencedError where another has taken the lease."""
        began_s = time.monotonic()
        while not self._state.stopping.is_set() and time.monotonic() - began_s < RUN_S:
            try:
                entries = self._next()
                if entries:
                    self.process(entries)
                self._upkeep()
                if self._is_wanted_elsewhere() and time.monotonic() - began_s > SHARE_S:
                    return
                self._backoff_s = BACKOFF_FIRST_S
            except FencedError:
                raise
            except (ConnectionError, RedisError, SQLAlchemyError) as error:
                self._wait(error)

    def _wait(self, error: Exception) -> None:
        level = _log.warning if isinstance(error, ConnectionError) or is_away(error) else _log.error
        level("stage_waits", partition=self._lease.partition, error=repr(error)[:500])
        self._state.stopping.wait(self._backoff_s)
        self._backoff_s = min(self._backoff_s * 2, BACKOFF_LAST_S)
        # What was read is pending with this very process: take it up again.
        self._claim_at_s, self._claim_idle_ms = 0.0, 0

    def _next(self) -> Sequence[BusEntry]:
        bus, holder = self._state.bus, self._state.holder
        if time.monotonic() >= self._claim_at_s:
            claimed = bus.group_claim(
                self._raw, NORMALIZE, consumer=holder, idle_ms=self._claim_idle_ms, count=READ_ENTRIES
            )
            if len(claimed) < READ_ENTRIES:
                self._claim_at_s, self._claim_idle_ms = time.monotonic() + CLAIM_EVERY_S, CLAIM_IDLE_MS
            if claimed:
                return claimed
        return bus.group_read(self._raw, NORMALIZE, consumer=holder, count=READ_ENTRIES, block_ms=BLOCK_MS)

    def _upkeep(self) -> None:
        now_s = time.monotonic()
        if now_s - self._renewed_at_s > RENEW_EVERY_S:
            with transaction(self._state.engine) as session:
                lease_renew(session, lease=self._lease, ttl=LEASE_TTL)
            self._renewed_at_s = now_s
        if now_s >= self._trim_at_s:
            self._trim_at_s = now_s + TRIM_EVERY_S
            self._state.bus.trim(self._raw, GROUPS[RAW], kept_ms=TAIL_KEPT_MS)
            self._state.bus.trim(self._norm, GROUPS[NORM], kept_ms=TAIL_KEPT_MS)
            self._state.bus.trim(self._dead, GROUPS[DEAD], kept_ms=DEAD_KEPT_MS)

    def _is_wanted_elsewhere(self) -> bool:
        """Tell whether a job has been waiting for a worker for a while."""
        now_s = time.monotonic()
        if not any(self._state.queue(name).count for name in (QUEUE_STAGES, QUEUE_SHORT)):
            self._others_since_s = now_s
        return now_s - self._others_since_s > OTHERS_WAIT_S

    def process(self, entries: Sequence[BusEntry]) -> None:
        """Normalize what entries carry, send it on, and only then acknowledge them."""
        batches: dict[int, RawBatch] = {}
        for entry_id, payload in entries:
            try:
                batch = raw_decode(payload)
            except EntryError as error:
                # The sweeper sends the batch again from the raw log.
                _log.error("entry_unreadable", stream=self._raw, entry=entry_id, error=str(error))
                continue
            batches[batch.id] = batch
        for organization_id, bunch in bunches(list(batches.values())):
            try:
                self._publish(self._normalize(organization_id, bunch))
            except NotFoundError:
                # The bus remembers another database.
                _log.error("organization_unknown", organization=organization_id, batches=len(bunch))
        self._state.bus.group_ack(self._raw, NORMALIZE, [entry_id for entry_id, _ in entries])

    def _normalize(self, organization_id: int, bunch: Sequence[RawBatch]) -> list[NormEntry]:
        try:
            results = [self._transact(organization_id, bunch, is_isolating=False)]
        except DATA_ERRORS as error:
            _log.warning("batch_isolated", organization=organization_id, error=repr(error)[:500])
            self._state.memory.forget()
            results = [
                self._transact(organization_id, [batch], is_isolating=True)
                for batch in self._from_log(organization_id, bunch)
            ]
        self._renewed_at_s = time.monotonic()
        entries = [entry for result in results for entry in result.entries]
        letters = [letter for result in results for letter in result.letters]
        if letters:
            self._state.bus.publish(self._dead, letters)
        done = [batch for result in results for batch in result.done]
        if done:
            with transaction(self._state.engine, organization_id) as session:
                entries += batches_again(session, organization_id=organization_id, batches=done, run=self._run)
        return entries

    def _transact(self, organization_id: int, bunch: Sequence[RawBatch], *, is_isolating: bool) -> NormalizedBatches:
        with transaction(self._state.engine, organization_id) as session:
            result = batches_normalize(
                session,
                organization_id=organization_id,
                batches=bunch,
                run=self._run,
                now=datetime.now(UTC),
                is_isolating=is_isolating,
            )
        self._state.memory.keep(result.notes)
        return result

    def _from_log(self, organization_id: int, bunch: Sequence[RawBatch]) -> list[RawBatch]:
        """Read batches back from the raw log: what an entry carries may be at fault."""
        names = [BatchName(organization_id, batch.id, instant_of(batch.received_us)) for batch in bunch]
        with transaction(self._state.engine, organization_id) as session:
            return raw_batches_read(session, organization_id=organization_id, names=names)

    def _publish(self, entries: Sequence[NormEntry]) -> None:
        if entries:
            self._state.bus.publish(self._norm, [norm_encode(entry) for entry in entries])


def bunches(batches: Sequence[RawBatch]) -> Iterator[tuple[int, list[RawBatch]]]:
    """Yield what one transaction takes: batches of one organization, at most so many readings."""
    by_organization: dict[int, list[RawBatch]] = {}
    for batch in batches:
        by_organization.setdefault(batch.organization_id, []).append(batch)
    for organization_id, of_organization in by_organization.items():
        bunch: list[RawBatch] = []
        readings = 0
        for batch in sorted(of_organization, key=lambda b: b.id):
            if bunch and readings + len(batch) > TRANSACTION_READINGS:
                yield organization_id, bunch
                bunch, readings = [], 0
            bunch.append(batch)
            readings += len(batch)
        yield organization_id, bunch
