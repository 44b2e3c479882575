"""Order notifications and tests, retry dead ones, and rotate the secret."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from domain.work.notifications.address import destination_key, webhook_check
from domain.work.notifications.model import Notification, SigningSecrets, WebhookSecret
from domain.work.notifications.queries import notification_of
from domain.work.notifications.tables import notifications, webhook_secrets
from graph.change import GraphChange, change_record
from graph.errors import BadInputError, ConflictError, LimitExceededError, NotFoundError
from graph.instants import instant_text

# A notification is given up so long after it was ordered, however often it was tried.
GIVE_UP: Final = timedelta(days=1)
# Tests of one organization that wait at once.
TESTS_MAX: Final = 10
# So long the secret before a rotation signs too, unless the call says otherwise.
PREVIOUS: Final = timedelta(days=1)
PREVIOUS_MAX: Final = timedelta(days=30)


def notification_order(
    session: Session,
    *,
    organization_id: int,
    notification_id: UUID,
    event_id: UUID,
    url: str,
    sequence: int,
    payload: Mapping[str, Any],
    now: datetime,
) -> None:
    """Order a webhook call. Idempotent by event, destination and sequence number."""
    session.execute(
        upsert(notifications)
        .values(
            organization_id=organization_id,
            id=notification_id,
            event_id=event_id,
            url=url,
            sequence=sequence,
            payload=dict(payload),
            due_at=now,
            created_at=now,
            destination=destination_key(url),
            give_up_at=now + GIVE_UP,
        )
        .on_conflict_do_nothing(index_elements=["organization_id", "event_id", "url", "sequence"])
    )


def webhook_test(
    session: Session, *, organization_id: int, notification_id: UUID, url: str, now: datetime
) -> Notification:
    """Order a test call of a webhook; the notification shows the outcome.

    Raises BadInputError for an address that no webhook can have, LimitExceededError where too many tests wait.
    """
    webhook_check(session, url, path=("url",))
    table = notifications.c
    waiting = session.execute(
        select(func.count())
        .select_from(notifications)
        .where(table.organization_id == organization_id, table.state == "PENDING", table.event_id.is_(None))
    ).scalar_one()
    if waiting >= TESTS_MAX:
        raise LimitExceededError(f"{TESTS_MAX} tests wait already; try again when they are done.", path=("url",))
    row = session.execute(
        insert(notifications)
        .values(
            organization_id=organization_id,
            id=notification_id,
            url=url,
            payload={"change": "TEST", "at": instant_text(now)},
            due_at=now,
            created_at=now,
            # A queue of its own: it is called though others to the same place pause.
            destination=f"test:{notification_id}",
            give_up_at=now + GIVE_UP,
        )
        .returning(notifications)
    ).one()
    return notification_of(row)


def notification_retry(session: Session, *, organization_id: int, notification_id: UUID, now: datetime) -> Notification:
    """Retry a dead notification, from the first try on. Raises NotFoundError, ConflictError."""
    table = notifications.c
    this = (table.organization_id == organization_id, table.id == notification_id)
    row = session.execute(select(notifications).where(*this).with_for_update()).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no notification {notification_id}.", path=("id",))
    if row.state != "DEAD":
        raise ConflictError(f"Only a DEAD notification is sent again; this one is {row.state}.", path=("id",))
    session.execute(
        update(notifications)
        .where(*this)
        .values(state="PENDING", attempts=0, losses=0, due_at=now, give_up_at=now + GIVE_UP, finished_at=None)
    )
    return notification_of(session.execute(select(notifications).where(*this)).one())


def webhook_secret_rotate(
    session: Session, *, change: GraphChange, secret: str, previous_for: timedelta = PREVIOUS
) -> WebhookSecret:
    """Rotate the signing secret; the previous one signs too for a while.

    secret: drawn at the edge; it is not read again by the API. previous_for: zero where the old one has leaked.
    Raises BadInputError.
    """
    if not timedelta(0) <= previous_for <= PREVIOUS_MAX:
        raise BadInputError(f"The secret before signs for {PREVIOUS_MAX.days} days at most.", path=("previousFor",))
    table = webhook_secrets.c
    known = session.execute(
        select(table.id).where(table.organization_id == change.organization_id)
    ).scalar_one_or_none()
    # The table itself keeps the secret before: this role may not read it.
    until = change.recorded + previous_for if known is not None and previous_for else None
    values = {
        "secret": secret,
        "rotated_at": change.recorded,
        "rotated_by": change.actor,
        "previous_until": until,
    }
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
    return WebhookSecret(
        secret_id, change.recorded.astimezone(UTC), change.actor, None if until is None else until.astimezone(UTC)
    )


def webhook_secrets_get(session: Session, *, organization_id: int, now: datetime) -> SigningSecrets | None:
    """Return the signing secrets, as argus_pipeline may read them; None where no secret was ever made."""
    table = webhook_secrets.c
    row = session.execute(
        select(table.secret, table.previous_secret, table.previous_until).where(
            table.organization_id == organization_id
        )
    ).one_or_none()
    if row is None:
        return None
    is_overlap = row.previous_until is not None and row.previous_until > now
    return SigningSecrets(row.secret, row.previous_secret if is_overlap else None)
