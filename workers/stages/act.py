"""The act stage in a lane: what became of events is followed by activities and notifications.

An entry of its stream only rings: what there is to do is written in the database, by the transaction that changed the
event. So a lost entry costs a second, and one that comes twice nothing.
"""

from __future__ import annotations

import time
from collections import deque
from datetime import UTC, datetime
from typing import Final

import structlog

from domain.acting.follow import Acted
from domain.acting.operations import changes_act
from domain.acting.outbox import organizations_waiting
from domain.acting.quiet import quiet_refresh
from domain.telemetry.leases import Lease
from domain.telemetry.stages.normalize import DATA_ERRORS
from graph.errors import ArgusError
from runtime.database import transaction
from runtime.ids import new_id
from workers.process import ProcessState
from workers.stages.counts import Tally
from workers.stages.reader import StageReader

_log = structlog.get_logger(__name__)

READ_ENTRIES: Final = 256
# Without a ring it is looked so often.
LOOK_EVERY_S: Final = 1.0
# Of an organization in one transaction, in which no other change of its graph begins. Statements do not grow with their
# number, but for those of activities that go to somebody.
CHANGES_AT_ONCE: Final = 100
# No transaction begins after so long: the other stages of the lane have their turn.
TURN_S: Final = 0.25
# What was rung is gathered for so long before it is looked at again: many are followed as cheaply as one.
GATHER_S: Final = 0.2
# An organization for which acting fails is left alone for so long.
RESTS_S: Final = 30.0


class ActStage:
    """One run of the stage under a lease. Which lane acts for an organization does not matter: one does at a time."""

    def __init__(self, state: ProcessState, lease: Lease) -> None:
        self.lease = lease
        self.reader = StageReader(state.bus, stage=lease.stage, partition=lease.partition, consumer=state.holder)
        self.tally = Tally()
        self._state = state
        self._look_at_s = self._gather_until_s = 0.0
        self._resting: dict[int, float] = {}
        # The organization that had its turn last.
        self._last = -1

    def turn(self) -> bool:
        """Follow what waits where it is rung or time to look; tell whether there was any."""
        if time.monotonic() < self._gather_until_s:
            return False
        entries = self.reader.next(count=READ_ENTRIES)
        if not entries and time.monotonic() < self._look_at_s:
            return False
        with self.tally.busy():
            found = self._look()
        self.reader.done(entries)
        if found and self._look_at_s:
            self._gather_until_s = time.monotonic() + GATHER_S
        return found or bool(entries)

    def _look(self) -> bool:
        self._look_at_s = time.monotonic() + LOOK_EVERY_S
        with transaction(self._state.engine) as session:
            waiting = organizations_waiting(session, now=datetime.now(UTC))
        until_s = time.monotonic() + TURN_S
        found = False
        # In turns, so that an organization with many changes does not keep the others waiting.
        ready = [each for each in waiting if self._resting.get(each, 0.0) <= time.monotonic()]
        left = deque(sorted(ready, key=lambda each: (each <= self._last, each)))
        while left:
            organization_id = self._last = left.popleft()
            changes = self._act(organization_id, is_dirty=waiting[organization_id])
            found = found or changes > 0
            if changes == CHANGES_AT_ONCE:
                left.append(organization_id)
            if left and time.monotonic() >= until_s:
                # There is more: the next turn looks at once.
                self._look_at_s = 0.0
                break
        return found

    def _act(self, organization_id: int, *, is_dirty: bool) -> int:
        """Follow some changes; return how many. is_dirty: for shelves, windows or edges changed, events are not."""
        now = datetime.now(UTC)
        try:
            if is_dirty:
                with transaction(self._state.engine, organization_id) as session:
                    is_dirty = quiet_refresh(session, organization_id=organization_id)
                if is_dirty:
                    # Whether anything may follow from some events is not known yet.
                    return CHANGES_AT_ONCE
            with transaction(self._state.engine, organization_id) as session:
                done = changes_act(
                    session,
                    organization_id=organization_id,
                    now=now,
                    new_id=new_id,
                    limit=CHANGES_AT_ONCE,
                    late=self._state.context.act_late,
                )
        except (ArgusError, *DATA_ERRORS):
            _log.exception("not_acted", organization=organization_id)
            self.tally.errors += 1
            self._resting[organization_id] = time.monotonic() + RESTS_S
            return 0
        if done.is_elsewhere:
            self._look_at_s = min(self._look_at_s, time.monotonic() + GATHER_S)
        self._keep(organization_id, done)
        return done.changes

    def _keep(self, organization_id: int, done: Acted) -> None:
        self.tally.items += done.changes
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
