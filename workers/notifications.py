"""Deliver notifications: a separate process for webhook calls.

A call is made at least once: one whose outcome was lost is made again, under the same delivery id. Any number of such
processes may run on any hosts; each claims what it calls.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final, TypeVar
from uuid import UUID

import orjson
import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from domain.work.notifications.address import Allowed
from domain.work.notifications.claims import (
    LEASE,
    Outcome,
    Pair,
    claimers_list,
    claims_end,
    claims_release,
    notification_record,
    notifications_claim,
    notifications_expire,
    pairs_due,
)
from domain.work.notifications.model import Notification, NotificationState, SigningSecrets
from domain.work.notifications.operations import webhook_secrets_get
from domain.work.notifications.signing import signature_headers
from domain.work.notifications.slots import Slots
from domain.work.notifications.state import CALLS, HEARTBEAT, work_count
from runtime.database import transaction
from workers.names import Names
from workers.process import ProcessState, holder_is_dead
from workers.stop import stop_event
from workers.webhooks import webhook_call

T = TypeVar("T")

_log = structlog.get_logger(__name__)

LOOK_EVERY_S: Final = 0.25
# Claims of processes that have died are looked for, and what was counted is written down.
TIDY_EVERY_S: Final = 5.0
# On a stop, the process waits for running calls so long; the others are made again by another process.
STOP_S: Final = 5.0
_DATABASE_RETRY_S: Final = 1.0
_NO_SECRET: Final = Outcome("There is no secret to sign with; make one with rotateWebhookSecret.")


@dataclass(frozen=True, slots=True)
class _Call:
    """A call that was claimed. until_s: it may end before; monotonic."""

    pair: Pair
    notification: Notification
    secrets: SigningSecrets | None
    until_s: float


@dataclass(frozen=True, slots=True)
class _Ended:
    """A call that has come to its end."""

    call: _Call
    outcome: Outcome


class Deliverer:
    """The webhook calls of one process. The event loop calls; one thread works on the database."""

    def __init__(self, state: ProcessState, *, calls: int) -> None:
        self._state = state
        self._allowed = Allowed.parse(state.context.webhook_allow)
        self._slots = Slots(calls)
        self._names = Names()
        self._database = ThreadPoolExecutor(1, thread_name_prefix="database")
        self._under_way: dict[UUID, tuple[_Call, asyncio.Task[None]]] = {}
        self._ended: list[_Ended] = []
        self._wake = asyncio.Event()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._tidied_s = float("-inf")

    async def run(self, stopping: asyncio.Event) -> None:
        """Deliver until `stopping` is set; then finish calls in progress, or release them."""
        while not stopping.is_set():
            try:
                await self.tick()
            except SQLAlchemyError as error:
                _log.warning("deliveries_wait", error=repr(error))
                await asyncio.sleep(_DATABASE_RETRY_S)
            await self._wait(stopping)
        await self._stop()

    async def tick(self) -> bool:
        """Record finished calls and begin due ones; return whether calls are in progress."""
        await self._record()
        if self._slots.free:
            for call in await self._in_database(self._claim):
                self._begin(call)
        if time.monotonic() - self._tidied_s >= TIDY_EVERY_S:
            self._tidied_s = time.monotonic()
            await self._in_database(self._tidy)
        return bool(self._under_way or self._ended)

    def close(self) -> None:
        """End the threads."""
        self._names.stop()
        self._database.shutdown(wait=True)

    def _begin(self, call: _Call) -> None:
        self._slots.begin(call.pair)
        task = asyncio.get_running_loop().create_task(self._made(call))
        self._under_way[call.notification.id] = call, task

    async def _made(self, call: _Call) -> None:
        try:
            outcome = await _called(call, self._names, self._allowed)
        except Exception as fault:  # noqa: BLE001  (whatever it is, it is one notification's)
            _log.exception("webhook_not_called", notification=str(call.notification.id))
            outcome = Outcome(f"The call could not be made: {fault!r}")
        self._ended.append(_Ended(call, outcome))
        self._wake.set()

    async def _wait(self, stopping: asyncio.Event) -> None:
        """Wait for a call to end, for the next look, or for a stop."""
        self._wake.clear()
        if self._ended:
            return
        waiting = [asyncio.ensure_future(item.wait()) for item in (self._wake, stopping)]
        await asyncio.wait(waiting, timeout=LOOK_EVERY_S, return_when=asyncio.FIRST_COMPLETED)
        for event_change in waiting:
            event_change.cancel()

    async def _stop(self) -> None:
        tasks = [task for _, task in self._under_way.values()]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=STOP_S)
            for task in late:
                task.cancel()
        try:
            await self._record()
            await self._in_database(self._release)
            await self._in_database(self._tidy)
        except SQLAlchemyError as error:
            # Their leases run out.
            _log.warning("deliveries_not_given_back", error=repr(error))

    async def _in_database(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._database, work)

    def _claim(self) -> list[_Call]:
        with transaction(self._state.engine) as session:
            due = pairs_due(session, now=datetime.now(UTC))
        planned = self._slots.plan(due, now_s=time.monotonic())
        return [call for organization_id, slots in planned.items() for call in self._claimed(organization_id, slots)]

    def _claimed(self, organization_id: int, slots: Mapping[str, int]) -> list[_Call]:
        until_s = time.monotonic() + LEASE.total_seconds()
        now = datetime.now(UTC)
        try:
            with transaction(self._state.engine, organization_id) as session:
                secrets = webhook_secrets_get(session, organization_id=organization_id, now=now)
                claimed = notifications_claim(
                    session, organization_id=organization_id, slots=slots, claimer=self._state.holder, now=now
                )
        except SQLAlchemyError as error:
            # Other organizations' are called all the same.
            _log.warning("deliveries_not_claimed", organization=organization_id, error=repr(error))
            return []
        return [_Call(Pair(organization_id, item.destination), item, secrets, until_s) for item in claimed]

    async def _record(self) -> None:
        """Write down what has ended. What could not be written is kept while its claim lasts, and its slot with it.

        Raises SQLAlchemyError where nothing could be.
        """
        by_organization: dict[int, list[_Ended]] = {}
        for item in self._ended:
            by_organization.setdefault(item.call.pair.organization_id, []).append(item)
        paused: dict[Pair, str] = {}
        faults: list[SQLAlchemyError] = []
        for organization_id, batch in by_organization.items():
            states: dict[UUID, NotificationState | None] = {}
            try:
                states = await self._in_database(partial(self._recorded, organization_id, batch))
            except SQLAlchemyError as fault:
                faults.append(fault)
            for item in batch:
                is_over = time.monotonic() >= item.call.until_s
                if item.call.notification.id in states or is_over:
                    paused |= self._forget(item, states.get(item.call.notification.id))
        if faults and len(faults) == len(by_organization):
            raise faults[0]
        for pair, error in paused.items():
            self._counts[CALLS, "dead"] += await self._in_database(partial(self._expired, pair, error))

    def _forget(self, ended: _Ended, state: NotificationState | None) -> dict[Pair, str]:
        """Give back the slot of a call; return its queue with the reason where that pauses now."""
        self._ended.remove(ended)
        del self._under_way[ended.call.notification.id]
        pauses = self._slots.end(ended.call.pair, ended.outcome, now_s=time.monotonic())
        outcome = _outcome_name(ended.outcome, state)
        self._counts[CALLS, outcome] += 1
        if ended.outcome.error is None:
            return {}
        level = _log.error if state is NotificationState.DEAD else _log.warning
        level(
            "notification_failed",
            organization=ended.call.pair.organization_id,
            destination=ended.call.pair.destination,
            notification=str(ended.call.notification.id),
            attempts=ended.call.notification.attempts,
            outcome=outcome,
            pauses=pauses,
            error=ended.outcome.error[:500],
        )
        return {ended.call.pair: ended.outcome.error} if pauses else {}

    def _recorded(self, organization_id: int, batch: list[_Ended]) -> dict[UUID, NotificationState | None]:
        now = datetime.now(UTC)
        states: dict[UUID, NotificationState | None] = {}
        with transaction(self._state.engine, organization_id) as session:
            for item in batch:
                states[item.call.notification.id] = self._one_recorded(session, item, now)
        return states

    def _expired(self, pair: Pair, error: str) -> int:
        """Give up what has waited too long for a destination at which nobody answers."""
        with transaction(self._state.engine, pair.organization_id) as session:
            return notifications_expire(session, pair=pair, error=error, now=datetime.now(UTC))

    def _one_recorded(self, session: Session, ended: _Ended, now: datetime) -> NotificationState | None:
        """Record the outcome of a call in a savepoint; None where it could not be, or is another's by now."""
        try:
            with session.begin_nested():
                return notification_record(
                    session,
                    organization_id=ended.call.pair.organization_id,
                    notification=ended.call.notification,
                    claimer=self._state.holder,
                    error=ended.outcome.error,
                    now=now,
                )
        except SQLAlchemyError as error:
            if not session.is_active or getattr(error, "connection_invalidated", False):
                raise
            # Its claim runs out; lost so often in a row, it is dead.
            _log.exception("notification_not_settled", notification=str(ended.call.notification.id))
            return None

    def _release(self) -> None:
        """Give back the claims of calls that were broken off."""
        by_organization: dict[int, list[UUID]] = {}
        for call, _ in self._under_way.values():
            by_organization.setdefault(call.pair.organization_id, []).append(call.notification.id)
        for organization_id, ids in by_organization.items():
            with transaction(self._state.engine, organization_id) as session:
                claims_release(session, organization_id=organization_id, claimer=self._state.holder, ids=ids)

    def _tidy(self) -> None:
        """Take from processes that have died what they claimed; write down what was counted."""
        with transaction(self._state.engine) as session:
            holders = claimers_list(session)
        for organization_id, holder in holders:
            if holder_is_dead(holder):
                with transaction(self._state.engine, organization_id) as session:
                    claims_end(session, organization_id=organization_id, claimer=holder)
        counts = dict(self._counts)
        with transaction(self._state.engine) as session:
            work_count(session, counts={**counts, (HEARTBEAT, ""): 1}, now=datetime.now(UTC))
        self._counts.subtract(counts)
        self._counts += Counter()


async def deliver(state: ProcessState, *, calls: int) -> None:
    """Deliver until SIGTERM. The main function of the delivery process."""
    deliverer = Deliverer(state, calls=calls)
    with stop_event() as stopping, closing(deliverer):
        await deliverer.run(stopping)


async def _called(call: _Call, names: Names, allowed: Allowed) -> Outcome:
    notification = call.notification
    if call.secrets is None:
        return _NO_SECRET
    body = orjson.dumps(notification.payload, option=orjson.OPT_SORT_KEYS)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Argus-Webhook/1",
        "X-Argus-Delivery": str(notification.id),
        **signature_headers(secrets=call.secrets, timestamp=int(time.time()), body=body),
    }
    return await webhook_call(
        notification.url,
        body=body,
        headers=headers,
        allowed=allowed,
        lookup=partial(names.lookup, call.pair.organization_id),
    )


def _outcome_name(outcome: Outcome, state: NotificationState | None) -> str:
    if state is None:
        return "lost"
    if state is NotificationState.DEAD:
        return "dead"
    return "delivered" if outcome.error is None else "failed"
