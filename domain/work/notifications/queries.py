"""Read notifications."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from domain.work.notifications.model import Notification, NotificationState
from domain.work.notifications.tables import notifications
from graph.keyset import Keyset
from graph.paging import Page, PageRequest
from graph.sql import any_of

_KEYSET: Final = Keyset(
    "notifications", {"created_at": notifications.c.created_at, "id": notifications.c.id}, is_descending=True
)


def notifications_get(session: Session, *, organization_id: int, ids: Collection[UUID]) -> dict[UUID, Notification]:
    """Return the notifications of these ids. One statement."""
    table = notifications.c
    rows = session.execute(select(notifications).where(table.organization_id == organization_id, any_of(table.id, ids)))
    return {row.id: notification_of(row) for row in rows}


def notifications_page(
    session: Session,
    *,
    organization_id: int,
    page: PageRequest,
    states: Collection[NotificationState] | None = None,
) -> Page[Notification]:
    """Return one page, the newest first. One statement, and one more for the total if requested."""
    table = notifications.c
    here = [table.organization_id == organization_id]
    if states is not None:
        here.append(any_of(table.state, [state.value for state in states]))
    rows = _KEYSET.page(session, select(notifications).where(*here), page)
    return rows.of([notification_of(row) for row in rows.items])


def notification_of(row: Row[Any]) -> Notification:
    """Return a row of `notifications`."""
    return Notification(
        row.id,
        row.event_id,
        row.url,
        row.payload,
        NotificationState(row.state),
        row.attempts,
        row.due_at.astimezone(UTC),
        row.last_error,
        row.created_at.astimezone(UTC),
        None if row.finished_at is None else row.finished_at.astimezone(UTC),
        row.destination,
        row.give_up_at.astimezone(UTC),
    )
