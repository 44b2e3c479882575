"""The act stage of a partition task: apply the actions of event changes.

An entry of its stream is only a wakeup: what there is to do is written in the database, by the transaction that changed
the event. So a lost entry costs a second, and one that comes twice nothing.
"""

from __future__ import annotations

import time
from collections import deque
from datetime import UTC, datetime
from typing import Final

import structlog

from domain.base.failed_items.model import FailedQueue
from domain.base.leases import Lease
from domain.pipeline.act.apply import AppliedActions
from domain.pipeline.act.operations import event_actions_apply
from domain.pipeline.act.outbox import event_changes_keys, organizations_waiting
from domain.pipeline.act.suppressed import suppression_refresh
from runtime.database import transaction
from runtime.ids import new_id
from workers.failures import Cooldowns, FailedView, failed_item_log, failure_log, is_retryable
from workers.process import ProcessState
from workers.stages.counters import StageCounters
from workers.stages.reader import StageReader

_log = structlog.get_logger(__name__)

READ_ENTRIES: Final = 256
# Without a wakeup it polls so often.
LOOK_EVERY_S: Final = 1.0
# Of an organization in one transaction, in which no other change of its graph begins. Statements do not grow with their
# number, but for those of activities that go to somebody.
CHANGES_AT_ONCE: Final = 100
# No transaction begins after so long: the other stages of the partition task have their turn.
POLL_S: Final = 0.25
# Wakeups are combined for so long before the next poll: many changes are applied as cheaply as one.
GATHER_S: Final = 0.2


class ActStage:
    """One run of the stage under a lease.

    Which partition task acts for an organization does not matter: one does at a time.
    """

    def __init__(self, state: ProcessState, lease: Lease) -> None:
        self.lease = lease
        self.reader = StageReader(state.bus, stage=lease.stage, partition=lease.partition, consumer=state.holder)
        self.counters = StageCounters()
        self._state = state
        self._look_at_s = self._gather_until_s = 0.0
        # Organizations for which applying actions fails whatever is left out.
        self._cooldowns = Cooldowns()
        self._failed = FailedView(state, FailedQueue.EVENT_CHANGES)
        # The organization that had its turn last.
        self._last = -1

    def poll(self) -> bool:
        """Apply waiting event changes, when woken or when it is time to look; return whether there were any."""
        if time.monotonic() < self._gather_until_s:
            return False
        entries = self.reader.next(count=READ_ENTRIES)
        if not entries and time.monotonic() < self._look_at_s:
            return False
        with self.counters.busy():
            has_worked = self._look()
        self.reader.done(entries)
        if has_worked and self._look_at_s:
            self._gather_until_s = time.monotonic() + GATHER_S
        return has_worked or bool(entries)

    def _look(self) -> bool:
        self._look_at_s = time.monotonic() + LOOK_EVERY_S
        with transaction(self._state.engine) as session:
            waiting = organizations_waiting(session, now=datetime.now(UTC))
        if waiting:
            self._failed.open()
        until_s = time.monotonic() + POLL_S
        has_worked = False
        # In turns, so that an organization with many changes does not keep the others waiting.
        ready = [event_change for event_change in waiting if not self._cooldowns.is_active(event_change)]
        pending = deque(sorted(ready, key=lambda item: (item <= self._last, item)))
        while pending:
            organization_id = self._last = pending.popleft()
            changes = self._act(organization_id, is_pending=waiting[organization_id])
            has_worked = has_worked or changes > 0
            if changes == CHANGES_AT_ONCE:
                pending.append(organization_id)
            if pending and time.monotonic() >= until_s:
                # There is more: the next poll looks at once.
                self._look_at_s = 0.0
                break
        return has_worked

    def _act(self, organization_id: int, *, is_pending: bool) -> int:
        """Apply some changes; return how many. is_pending: suppressions are to be refreshed first."""
        try:
            if is_pending and self._refresh(organization_id):
                # Whether anything may follow from some events is not known yet.
                return CHANGES_AT_ONCE
            done = self._changes_apply(organization_id)
        except Exception as error:
            if is_retryable(error):
                raise
            return self._apply_singly(organization_id, error)
        self._cooldowns.end(organization_id)
        if done.is_elsewhere:
            self._look_at_s = min(self._look_at_s, time.monotonic() + GATHER_S)
        self._keep(organization_id, done)
        return done.changes

    def _refresh(self, organization_id: int) -> bool:
        """Refresh the suppression of some events; return whether more wait."""
        with transaction(self._state.engine, organization_id) as session:
            done = suppression_refresh(session, organization_id=organization_id)
        for failed in done.failed:
            self.counters.errors += 1
            failed_item_log(self._state, failed)
        return done.is_pending

    def _changes_apply(self, organization_id: int, *, only: int | None = None) -> AppliedActions:
        with transaction(self._state.engine, organization_id) as session:
            return event_actions_apply(
                session,
                organization_id=organization_id,
                now=datetime.now(UTC),
                new_id=new_id,
                limit=CHANGES_AT_ONCE,
                late=self._state.context.act_late,
                only=only,
            )

    def _apply_singly(self, organization_id: int, error: Exception) -> int:
        """Apply changes one by one after a bulk failure; return how many.

        One that fails is written down, and later ones of its rule and target wait until it is done.
        """
        self.counters.errors += 1
        failure_log(self._state, "event_actions_failed", error, organization=organization_id)
        try:
            with transaction(self._state.engine, organization_id) as session:
                keys = event_changes_keys(
                    session, organization_id=organization_id, now=datetime.now(UTC), limit=CHANGES_AT_ONCE
                )
        except Exception as unread:
            if is_retryable(unread):
                raise
            keys = []
        applied = 0
        failed: set[str] = set()
        for change_id, holds in keys:
            if holds in failed:
                continue
            done = self._act_on(organization_id, change_id, holds)
            if done is None:
                failed.add(holds)
            elif done.is_elsewhere:
                break
            else:
                applied += done.changes
        if not failed and not applied:
            # What fails is none of the changes.
            self._cooldowns.begin(organization_id)
        return applied

    def _act_on(self, organization_id: int, change_id: int, holds: str) -> AppliedActions | None:
        """Apply one change; where it fails, record the failure and return None."""
        try:
            done = self._changes_apply(organization_id, only=change_id)
        except Exception as error:
            if is_retryable(error):
                raise
            self._failed.fail(organization_id, str(change_id), error, holds=holds)
            return None
        self._keep(organization_id, done)
        return done

    def _keep(self, organization_id: int, done: AppliedActions) -> None:
        self.counters.items += done.changes
        self._failed.succeed(organization_id, [str(change_id) for change_id in done.change_ids])
        if done.refused:
            _log.warning("activities_refused", organization=organization_id, refused=done.refused[:10])
        if done.changes:
            _log.debug(
                "acted",
                organization=organization_id,
                changes=done.changes,
                created=done.created,
                reopened=done.reopened,
                suggested=done.suggested,
                notified=done.notified,
            )
