"""Order notifications, take them up, and write down how they went."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from domain.notifications.model import Notification, NotificationState, WebhookSecret
from domain.notifications.queries import notification_of
from domain.notifications.signing import ATTEMPTS_MAX, retry_delay
from domain.notifications.tables import notifications, webhook_secrets
from graph.change import GraphChange, change_record
from graph.errors import ConflictError, NotFoundError

ERROR_MAX_CHARS: Final = 500
# One that was taken up and not finished, for the process ended, is taken up again after so long.
CLAIM: Final = timedelta(minutes=2)
# The advisory lock of who calls webhooks.
DELIVER_LOCK: Final = 0x484F4F4B

_HOLD = text("SELECT pg_try_advisory_xact_lock(:lock)").bindparams(bindparam("lock", DELIVER_LOCK))


def delivering_hold(session: Session) -> bool:
    """Be the one who calls webhooks, of the whole installation, until the transaction ends; False where another is."""
    held: bool = session.execute(_HOLD).scalar_one()
    return held


def notification_order(
    session: Session,
    *,
    organization_id: int,
    notification_id: UUID,
    change_id: int,
    event_id: UUID,
    url: str,
    sequence: int,
    payload: Mapping[str, Any],
    now: datetime,
) -> None:
    """Have a webhook called; once for each number of an event's calls to a destination, however often it is ordered."""
    session.execute(
        upsert(notifications)
        .values(
            organization_id=organization_id,
            id=notification_id,
            change_id=change_id,
            event_id=event_id,
            url=url,
            sequence=sequence,
            payload=dict(payload),
            due_at=now,
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=["organization_id", "event_id", "url", "sequence"])
    )


def notifications_claim(session: Session, *, organization_id: int, now: datetime, limit: int) -> list[Notification]:
    """Take up notifications that are due, the most overdue first; each counts as tried from the commit on."""
    table = notifications.c
    ids = session.scalars(
        select(table.id)
        .where(table.organization_id == organization_id, table.state == "PENDING", table.due_at <= now)
        .order_by(table.due_at, table.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    rows = session.execute(
        update(notifications)
        .where(table.organization_id == organization_id, table.id.in_(ids))
        .values(attempts=table.attempts + 1, due_at=now + CLAIM)
        .returning(notifications)
    )
    return sorted((notification_of(row) for row in rows), key=lambda each: (each.created_at, each.id))


def notification_settle(
    session: Session, *, organization_id: int, notification: Notification, error: str | None, now: datetime
) -> NotificationState:
    """Write down how a call went; error None: it was delivered. One that failed waits, or is dead after ATTEMPTS_MAX.

    notification: as claimed. What another has claimed since stays as that leaves it.
    """
    values: dict[str, Any]
    if error is None:
        state = NotificationState.DELIVERED
        values = {"finished_at": now, "last_error": None}
    elif notification.attempts >= ATTEMPTS_MAX:
        state = NotificationState.DEAD
        values = {"finished_at": now, "last_error": error[:ERROR_MAX_CHARS]}
    else:
        state = NotificationState.PENDING
        delay = retry_delay(notification_id=notification.id, attempts=notification.attempts)
        values = {"due_at": now + delay, "last_error": error[:ERROR_MAX_CHARS]}
    session.execute(
        update(notifications)
        .where(
            notifications.c.organization_id == organization_id,
            notifications.c.id == notification.id,
            notifications.c.state == "PENDING",
            notifications.c.attempts == notification.attempts,
        )
        .values(state=state.value, **values)
    )
    return state


def notification_retry(session: Session, *, organization_id: int, notification_id: UUID, now: datetime) -> Notification:
    """Have a dead notification tried again, from the first try on. Raises NotFoundError, ConflictError."""
    table = notifications.c
    this = (table.organization_id == organization_id, table.id == notification_id)
    row = session.execute(select(notifications).where(*this).with_for_update()).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no notification {notification_id}.", path=("id",))
    if row.state != "DEAD":
        raise ConflictError(f"Only a DEAD notification is sent again; this one is {row.state}.", path=("id",))
    session.execute(
        update(notifications).where(*this).values(state="PENDING", attempts=0, due_at=now, finished_at=None)
    )
    return notification_of(session.execute(select(notifications).where(*this)).one())


def webhook_secret_rotate(session: Session, *, change: GraphChange, secret: str) -> WebhookSecret:
    """Sign with another secret from the change on. secret: drawn at the edge; it is not read again by the API."""
    table = webhook_secrets.c
    known = session.execute(
        select(table.id).where(table.organization_id == change.organization_id)
    ).scalar_one_or_none()
    values = {"secret": secret, "rotated_at": change.recorded, "rotated_by": change.actor}
    if known is None:
        secret_id = change.new_id()
        session.execute(insert(webhook_secrets), {"organization_id": change.organization_id, "id": secret_id, **values})
    else:
        secret_id = known
        session.execute(update(webhook_secrets).where(table.organization_id == change.organization_id).values(**values))
    change_record(
        session,
        change=change,
        action="created" if known is None else "updated",
        subject_type="webhook_secret",
        subject_id=secret_id,
        before=None,
        after={"rotatedAt": change.recorded.isoformat()},
    )
    return WebhookSecret(secret_id, change.recorded.astimezone(UTC), change.actor)


def webhook_secret_get(session: Session, *, organization_id: int) -> str | None:
    """Return the secret, as argus_pipeline may read it; None where none was ever made."""
    secret: str | None = session.execute(
        select(webhook_secrets.c.secret).where(webhook_secrets.c.organization_id == organization_id)
    ).scalar_one_or_none()
    return secret
