"""Notifications: calls the webhooks that are due. Looked for several times a second.

A call is sent at least once: one whose answer was lost is sent again, under the same delivery id.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

import orjson
import structlog

from domain.notifications.address import Allowed
from domain.notifications.model import Notification, NotificationState
from domain.notifications.operations import notification_settle, notifications_claim, webhook_secret_get
from domain.notifications.queries import notifications_due
from domain.notifications.signing import signature
from runtime.database import transaction
from workers.process import ProcessState, state_get
from workers.webhooks import webhook_call

_log = structlog.get_logger(__name__)

# A job begins no call after so long: it keeps a worker from the stages.
RUN_S = 5.0
# Of one organization, before the next has its turn.
CLAIM_AT_ONCE = 1


def deliver() -> None:
    """Call what is due, of all organizations in turn. An RQ job; may run twice at once."""
    state = state_get()
    deadline_s = time.monotonic() + RUN_S
    allowed = Allowed.parse(state.context.webhook_allow)
    while True:
        with transaction(state.engine) as session:
            due = notifications_due(session, now=datetime.now(UTC))
        if not due:
            return
        for organization_id in due:
            if state.stopping.is_set() or time.monotonic() > deadline_s:
                return
            _deliver(state, organization_id, allowed)


def _deliver(state: ProcessState, organization_id: int, allowed: Allowed) -> None:
    with transaction(state.engine, organization_id) as session:
        secret = webhook_secret_get(session, organization_id=organization_id)
        claimed = notifications_claim(
            session, organization_id=organization_id, now=datetime.now(UTC), limit=CLAIM_AT_ONCE
        )
    for notification in claimed:
        error = _call(notification, secret, allowed)
        with transaction(state.engine, organization_id) as session:
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
