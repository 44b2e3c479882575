"""The normalize stage of a partition task: raw entries become points."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import structlog

from domain.base.bus import BusEntry
from domain.base.failed_items.model import FailedQueue
from domain.base.leases import Lease
from domain.base.packed import instant_of
from domain.base.streams import DEAD, LENGTH_MAX, NORM, stream_name
from domain.pipeline.normalize.entries import feed_entries_rebuild
from domain.pipeline.normalize.stage import batches_normalize
from domain.pipeline.normalize.work import NormalizedBatches, StageRun
from domain.telemetry.feed.entries import EntryError, NormEntry, norm_encode, raw_decode
from domain.telemetry.model.readings import RawBatch
from domain.telemetry.store.raw_log import BatchName, raw_batches_read
from graph.errors import NotFoundError
from runtime.database import transaction
from workers.failures import FailedView, failure_log, is_retryable, organization_is_known
from workers.process import ProcessState
from workers.stages.counters import StageCounters
from workers.stages.reader import StageReader

_log = structlog.get_logger(__name__)

READ_ENTRIES = 64
TRANSACTION_READINGS = 5_000


class NormalizeStage:
    """One run of the stage under a lease."""

    def __init__(self, state: ProcessState, lease: Lease, *, lease_ttl: timedelta) -> None:
        self.lease = lease
        self.reader = StageReader(state.bus, stage=lease.stage, partition=lease.partition, consumer=state.holder)
        self.counters = StageCounters()
        self._state = state
        self._run = StageRun(
            lease, lease_ttl, state.context.future_tolerance, state.stage_cache, state.dependency_cache
        )
        self._norm = stream_name(NORM, lease.partition)
        self._dead = stream_name(DEAD, lease.partition)
        self._is_full = False
        self._failed = FailedView(state, FailedQueue.BATCHES)

    def poll(self) -> bool:
        """Process the next entries; return whether there were any. Raises FencedError."""
        if self._is_full:
            # What comes after is behind, and the bus holds its entries in memory.
            self._is_full = self._state.bus.length(self._norm) > LENGTH_MAX
            if self._is_full:
                return False
        entries = self.reader.next(count=READ_ENTRIES)
        if entries:
            with self.counters.busy():
                self.process(entries)
        return bool(entries)

    def process(self, entries: Sequence[BusEntry]) -> None:
        """Normalize the batches of entries, publish the results, and only then acknowledge the entries."""
        batches: dict[int, RawBatch] = {}
        for entry_id, payload in entries:
            try:
                batch = raw_decode(payload)
            except EntryError as error:
                # The sweeper sends the batch again from the raw log.
                _log.error("entry_unreadable", stream=self.reader.stream, entry=entry_id, error=str(error))
                self.counters.errors += 1
                continue
            batches[batch.id] = batch
        for organization_id, together in transaction_batches(list(batches.values())):
            free = self._free(organization_id, together)
            if free:
                self._batches_normalize(organization_id, free)
        self.reader.done(entries)

    def _free(self, organization_id: int, batches: Sequence[RawBatch]) -> Sequence[RawBatch]:
        """Leave out the batches that failed and are left alone: the sweep sends them again when it is time."""
        isolated = self._failed.open()
        if not isolated:
            return batches
        return [batch for batch in batches if not isolated.get((organization_id, str(batch.id)), False)]

    def _batches_normalize(self, organization_id: int, batches: Sequence[RawBatch]) -> None:
        try:
            self._publish(self._normalize(organization_id, batches))
        except Exception as error:
            if is_retryable(error):
                raise
            self.counters.errors += 1
            if isinstance(error, NotFoundError) and not organization_is_known(self._state, organization_id):
                # The bus remembers another database.
                failure_log(self._state, "organization_unknown", error, organization=organization_id)
                return
            # What was stored is: it was not sent on, and derived windows are read back.
            failure_log(self._state, "batches_not_published", error, organization=organization_id)

    def _normalize(self, organization_id: int, batches: Sequence[RawBatch]) -> list[NormEntry]:
        try:
            results = [self._transact(organization_id, batches, is_isolating=False)]
        except Exception as error:
            if is_retryable(error) or isinstance(error, NotFoundError):
                raise
            traces = list(dict.fromkeys(trace for batch in batches for trace in batch.traces))
            failure_log(self._state, "batch_isolated", error, organization=organization_id, traces=traces)
            self.counters.errors += 1
            results = [result for batch in batches for result in self._isolated(organization_id, batch)]
        entries = [entry for result in results for entry in result.entries]
        for entry in entries:
            self.counters.delayed(time.time() - entry.received_us / 1e6)
        dead_letters = [letter for result in results for letter in result.dead_letters]
        if dead_letters:
            self._state.bus.publish(self._dead, dead_letters)
        done = [batch for result in results for batch in result.done]
        if done:
            with transaction(self._state.engine, organization_id) as session:
                entries += feed_entries_rebuild(session, organization_id=organization_id, batches=done)
        if self._failed.open():
            self._failed.succeed(organization_id, [str(entry.batch_id) for entry in entries])
        return entries

    def _isolated(self, organization_id: int, batch: RawBatch) -> list[NormalizedBatches]:
        """Normalize one batch so that of its readings only those at fault fail; where it does, leave it alone."""
        try:
            return [
                self._transact(organization_id, [read], is_isolating=True)
                for read in self._from_log(organization_id, [batch])
            ]
        except Exception as error:
            if is_retryable(error):
                raise
            self.counters.errors += 1
            self._failed.fail(organization_id, str(batch.id), error)
            return []

    def _transact(self, organization_id: int, batches: Sequence[RawBatch], *, is_isolating: bool) -> NormalizedBatches:
        with self._state.remembering(organization_id) as session:
            result = batches_normalize(
                session,
                organization_id=organization_id,
                batches=batches,
                run=self._run,
                now=datetime.now(UTC),
                is_isolating=is_isolating,
            )
        self._state.stage_cache.keep(result.notes)
        self.counters.items += result.readings
        _log.debug(
            "batches_normalized",
            organization=organization_id,
            batches=[entry.batch_id for entry in result.entries],
            traces=result.traces,
            readings=result.readings,
            points=result.points,
        )
        if result.dead_letters:
            _log.warning(
                "dead_letters",
                organization=organization_id,
                dead_letters=len(result.dead_letters),
                traces=result.traces,
            )
        return result

    def _from_log(self, organization_id: int, batches: Sequence[RawBatch]) -> list[RawBatch]:
        """Read batches back from the raw log: what an entry carries may be at fault."""
        names = [BatchName(organization_id, batch.id, instant_of(batch.received_us)) for batch in batches]
        with transaction(self._state.engine, organization_id) as session:
            return raw_batches_read(session, organization_id=organization_id, names=names)

    def _publish(self, entries: Sequence[NormEntry]) -> None:
        if entries:
            length = self._state.bus.publish(self._norm, [norm_encode(entry) for entry in entries])
            self._is_full = length > LENGTH_MAX


def transaction_batches(batches: Sequence[RawBatch]) -> Iterator[tuple[int, list[RawBatch]]]:
    """Yield what one transaction takes: batches of one organization, at most so many readings."""
    by_organization: dict[int, list[RawBatch]] = {}
    for batch in batches:
        by_organization.setdefault(batch.organization_id, []).append(batch)
    for organization_id, of_organization in by_organization.items():
        together: list[RawBatch] = []
        readings = 0
        for batch in sorted(of_organization, key=lambda b: b.id):
            if together and readings + len(batch) > TRANSACTION_READINGS:
                yield organization_id, together
                together, readings = [], 0
            together.append(batch)
            readings += len(batch)
        yield organization_id, together
