"""Notifications: calls the webhooks that are due. Looked for several times a second.

A call is sent at least once: one whose answer was lost is sent again, under the same delivery id.
"""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime

import orjson
import structlog

from domain.notifications.address import Allowed
from domain.notifications.model import Notification, NotificationState
from domain.notifications.operations import (
    delivering_hold,
    notification_settle,
    notifications_claim,
    webhook_secret_get,
)
from domain.notifications.queries import notifications_due
from domain.notifications.signing import signature
from runtime.database import transaction
from workers.process import ProcessState, state_get
from workers.webhooks import webhook_call

_log = structlog.get_logger(__name__)

# A job begins no call after so long.
RUN_S = 30.0
CALLS_AT_ONCE = 16
# Of one organization: whose webhooks hang does not keep those of others waiting.
OF_ORGANIZATION_AT_ONCE = 4
_LOOK_EVERY_S = 0.2


def deliver() -> None:
    """Call what is due, several at once, of all organizations in turn. An RQ job; only one works at a time.

    Sides that do not answer would else keep every worker from the stages.
    """
    state = state_get()
    with transaction(state.engine) as session:
        if delivering_hold(session):
            _Deliverer(state).run()


class _Deliverer:
    """The calls under way. Only the calls themselves are made in threads."""

    def __init__(self, state: ProcessState) -> None:
        self._state = state
        self._allowed = Allowed.parse(state.context.webhook_allow)
        self._calls: dict[Future[str | None], tuple[int, Notification]] = {}

    def run(self) -> None:
        """Work until nothing is due, or the time is over and each call has come to its end."""
        deadline_s = time.monotonic() + RUN_S
        with ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="webhook") as threads:
            while True:
                if time.monotonic() < deadline_s and not self._state.stopping.is_set():
                    self._begin(threads)
                if not self._calls:
                    return
                for call in wait(self._calls, timeout=_LOOK_EVERY_S, return_when=FIRST_COMPLETED).done:
                    self._settle(*self._calls.pop(call), call.result())

    def _begin(self, threads: ThreadPoolExecutor) -> None:
        if len(self._calls) >= CALLS_AT_ONCE:
            return
        with transaction(self._state.engine) as session:
            due = notifications_due(session, now=datetime.now(UTC))
        busy = Counter(organization_id for organization_id, _ in self._calls.values())
        # Who has the least under way comes first.
        for organization_id in sorted(due, key=lambda each: busy[each]):
            free = min(OF_ORGANIZATION_AT_ONCE - busy[organization_id], CALLS_AT_ONCE - len(self._calls))
            if free <= 0:
                continue
            with transaction(self._state.engine, organization_id) as session:
                secret = webhook_secret_get(session, organization_id=organization_id)
                claimed = notifications_claim(
                    session, organization_id=organization_id, now=datetime.now(UTC), limit=free
                )
            for notification in claimed:
                call = threads.submit(_call, notification, secret, self._allowed)
                self._calls[call] = organization_id, notification

    def _settle(self, organization_id: int, notification: Notification, error: str | None) -> None:
        with transaction(self._state.engine, organization_id) as session:
            outcome = notification_settle(
                session,
                organization_id=organization_id,
                notification=notification,
                error=error,
                now=datetime.now(UTC),
            )
        if error is not None:
            level = _log.error if outcome is NotificationState.DEAD else _log.warning
            level(
                "notification_failed",
                organization=organization_id,
                notification=str(notification.id),
                attempts=notification.attempts,
                state=outcome.value,
                error=error[:500],
            )


def _call(notification: Notification, secret: str | None, allowed: Allowed) -> str | None:
    if secret is None:
        return "There is no secret to sign with; make one with rotateWebhookSecret."
    body = orjson.dumps(notification.payload, option=orjson.OPT_SORT_KEYS)
    timestamp = int(time.time())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Argus-Webhook/1",
        "X-Argus-Delivery": str(notification.id),
        "X-Argus-Timestamp": str(timestamp),
        "X-Argus-Signature": signature(secret=secret, timestamp=timestamp, body=body),
    }
    return webhook_call(notification.url, body=body, headers=headers, allowed=allowed)
