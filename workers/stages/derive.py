"""The derive stage of a partition task: dirty windows become derived points."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from domain.base.failed_items.model import FailedQueue
from domain.base.leases import Lease
from domain.base.streams import DERIVED, EVENTS, stream_name
from domain.derivation.formulas.feed import commit_entry
from domain.derivation.invalidation.windows import windows_overdue
from domain.pipeline.attribute.stage import AssetEntry, asset_decode
from domain.pipeline.derive.checkpoints import Checkpoints
from domain.pipeline.derive.stage import (
    CHUNK,
    ENTITIES_MAX,
    READ_BACK_ENTITIES_MAX,
    READ_BACK_POINTS_MAX,
    entities_derive,
)
from domain.pipeline.derive.work import DerivedEntities, DeriveRun
from domain.rules.events.entries import events_encode
from domain.rules.reconcile import events_entries
from domain.rules.timers import timers_due, timers_fire
from domain.telemetry.feed.entries import EntryError, norm_encode
from domain.telemetry.store.scan import POINTS_SCANNED_MAX
from graph.errors import LimitExceededError, NotFoundError
from runtime.database import transaction
from runtime.ids import new_id
from workers.failures import FailedView, failure_log, is_retryable, organization_is_known
from workers.process import ProcessState
from workers.stages.counters import StageCounters
from workers.stages.reader import StageReader

_log = structlog.get_logger(__name__)

READ_ENTRIES: Final = 64
OVERDUE_EVERY_S: Final = 1.0
_CHUNK_LEAST: Final = timedelta(minutes=1)


class DeriveStage:
    """One run of the stage under a lease."""

    def __init__(self, state: ProcessState, lease: Lease, *, lease_ttl: timedelta) -> None:
        self.lease = lease
        self.reader = StageReader(state.bus, stage=lease.stage, partition=lease.partition, consumer=state.holder)
        self.counters = StageCounters()
        self._state = state
        self._run = DeriveRun(
            lease,
            lease_ttl,
            state.dependency_cache,
            _checkpoints(state, lease),
            state.stage_cache,
            new_id,
            state.rollups,
        )
        self._derived = stream_name(DERIVED, lease.partition)
        self._events = stream_name(EVENTS, lease.partition)
        self._overdue_at_s = 0.0
        self._failed = FailedView(state, FailedQueue.DERIVATION)
        self._timers = FailedView(state, FailedQueue.TIMERS)

    def poll(self) -> bool:
        """Derive the entities of the next entries, and now and then overdue windows; return whether there were any."""
        entries = self.reader.next(count=READ_ENTRIES)
        by_organization: dict[int, list[AssetEntry]] = {}
        for entry_id, payload in entries:
            try:
                entry = asset_decode(payload)
            except EntryError as error:
                _log.error("entry_unreadable", stream=self.reader.stream, entry=entry_id, error=str(error))
                self.counters.errors += 1
                continue
            by_organization.setdefault(entry.organization_id, []).append(entry)
        with self.counters.busy():
            for organization_id, at_hand in by_organization.items():
                entities = list(dict.fromkeys(entity for entry in at_hand for entity in entry.entities))
                self._derive(organization_id, entities, at_hand, most=ENTITIES_MAX)
            self.reader.done(entries)
            has_worked = self._overdue() if time.monotonic() >= self._overdue_at_s else False
        return bool(entries) or has_worked

    def _overdue(self) -> bool:
        """Derive what edits left, and what the bus did not bring."""
        self._timers_fire()
        with transaction(self._state.engine) as session:
            windows = windows_overdue(
                session,
                partition=self.lease.partition,
                partitions=self._state.context.partitions,
                limit=READ_BACK_ENTITIES_MAX,
            )
        for organization_id, entities in windows.items():
            self._derive(organization_id, entities, (), most=READ_BACK_ENTITIES_MAX)
        # Where there was much, there may be more.
        if sum(map(len, windows.values())) < READ_BACK_ENTITIES_MAX:
            self._overdue_at_s = time.monotonic() + OVERDUE_EVERY_S
        return bool(windows)

    def _timers_fire(self) -> None:
        """Fire due timers of rules."""
        now, partition, partitions = datetime.now(UTC), self.lease.partition, self._state.context.partitions
        with transaction(self._state.engine) as session:
            due = timers_due(session, now=now, partition=partition, partitions=partitions)
        isolated = self._timers.open() if due else {}
        item = f"{partition}/{partitions}"
        for organization_id in due:
            if isolated.get((organization_id, item), False):
                continue
            try:
                with transaction(self._state.engine, organization_id) as session:
                    timers_fire(
                        session, organization_id=organization_id, now=now, partition=partition, partitions=partitions
                    )
            except Exception as error:
                if is_retryable(error):
                    raise
                self.counters.errors += 1
                self._timers.fail(organization_id, item, error)
            else:
                self._timers.succeed(organization_id, [item])

    def _derive(
        self,
        organization_id: int,
        entities: Sequence[bytes],
        at_hand: Sequence[AssetEntry],
        *,
        most: int,
        chunk: timedelta = CHUNK,
    ) -> None:
        entities = self._free(organization_id, entities)
        for first in range(0, len(entities), most):
            some = entities[first : first + most]
            try:
                self._transact(organization_id, some, at_hand, chunk)
            except LimitExceededError as error:
                if len(some) > 1:
                    self._derive(organization_id, some, at_hand, most=-(-len(some) // 4), chunk=chunk)
                elif chunk > _CHUNK_LEAST:
                    self._derive(organization_id, some, at_hand, most=1, chunk=chunk / 8)
                else:
                    self._fail(organization_id, some[0], error)
            except Exception as error:
                if is_retryable(error):
                    raise
                if isinstance(error, NotFoundError) and not organization_is_known(self._state, organization_id):
                    # The bus remembers another database.
                    failure_log(self._state, "organization_unknown", error, organization=organization_id)
                    self.counters.errors += 1
                    return
                if len(some) > 1:
                    self.counters.errors += 1
                    failure_log(self._state, "entities_not_derived", error, organization=organization_id)
                    self._derive(organization_id, some, at_hand, most=-(-len(some) // 4), chunk=chunk)
                else:
                    self._fail(organization_id, some[0], error)

    def _free(self, organization_id: int, entities: Sequence[bytes]) -> Sequence[bytes]:
        """Leave out the entities that failed and are left alone; their windows stay."""
        isolated = self._failed.open()
        if not isolated:
            return entities
        return [entity for entity in entities if not isolated.get((organization_id, str(UUID(bytes=entity))), False)]

    def _fail(self, organization_id: int, entity: bytes, error: Exception) -> None:
        """Leave an entity alone for a while, or until a retry is requested, with its windows: the others go on."""
        self.counters.errors += 1
        self._failed.fail(organization_id, str(UUID(bytes=entity)), error)

    def _transact(
        self, organization_id: int, entities: Sequence[bytes], at_hand: Sequence[AssetEntry], chunk: timedelta
    ) -> None:
        try:
            with self._state.remembering(organization_id) as session:
                done = entities_derive(
                    session,
                    organization_id=organization_id,
                    entities=entities,
                    at_hand=at_hand,
                    run=self._run,
                    now=datetime.now(UTC),
                    chunk=chunk,
                    # The shortest chunk is not always short, where a value counts for long.
                    points_max=READ_BACK_POINTS_MAX if chunk > _CHUNK_LEAST else POINTS_SCANNED_MAX,
                )
            self._remember(done)
        except LimitExceededError:
            raise
        except BaseException:
            # A commit that failed may have been one all the same: then they have been derived further than is known.
            self._run.checkpoints.drop(organization_id, entities)
            raise
        # The trace ids of these batches are in the log line of the normalize stage.
        batches = sorted({entry.group for entry in at_hand})
        _log.debug("windows_derived", organization=organization_id, windows=done.windows, batches=batches)
        self._publish(organization_id, done)
        if self._failed.open():
            self._failed.succeed(organization_id, [str(UUID(bytes=entity)) for entity in entities])

    def _remember(self, done: DerivedEntities) -> None:
        self._state.stage_cache.keep(done.notes)
        self._run.checkpoints.keep(done.checkpoints)
        self._run.checkpoints.rule_states_update(done.evaluations.rule_states)

    def _publish(self, organization_id: int, done: DerivedEntities) -> None:
        self.counters.items += done.windows
        if done.beyond_retention:
            _log.warning("derived_beyond_retention", entities=done.beyond_retention)
        changed = {event_id for done_events in done.evaluations.done for _, event_id in events_entries(done_events)}
        if changed:
            self._state.bus.publish(self._events, [events_encode(organization_id, sorted(changed))])
        if done.commit is not None:
            self._state.bus.publish(self._derived, [norm_encode(commit_entry(done.commit, revision=done.revision))])


def _checkpoints(state: ProcessState, lease: Lease) -> Checkpoints:
    """Return the checkpoints of the run before, where no other holder came between."""
    fence, checkpoints = state.checkpoints.get(lease.partition, (-1, Checkpoints()))
    if fence != lease.fence - 1:
        checkpoints = Checkpoints()
    state.checkpoints[lease.partition] = (lease.fence, checkpoints)
    return checkpoints
