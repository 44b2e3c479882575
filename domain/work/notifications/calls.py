"""Decide the webhook calls of an event: per destination a sequence without gaps that ends at the current state."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from domain.work.notifications.tables import event_notification_states
from graph.sql import any_of


class NotifiedState(StrEnum):
    """An event's state, as notified to a destination."""

    OPEN = "OPEN"
    CLEARED = "CLEARED"
    WITHDRAWN = "WITHDRAWN"


@dataclass(frozen=True, slots=True)
class LastNotification:
    """The last notification of an event to a destination. sequence: the number of that call, from 1."""

    sequence: int
    state: NotifiedState
    severity: str


# The calls that lead from one state to another; None: no call so far.
_CALLS: Final[Mapping[tuple[NotifiedState | None, NotifiedState], Sequence[str]]] = {
    (None, NotifiedState.OPEN): ("OPENED",),
    (None, NotifiedState.CLEARED): ("OPENED", "CLEARED"),
    (None, NotifiedState.WITHDRAWN): (),
    (NotifiedState.OPEN, NotifiedState.CLEARED): ("CLEARED",),
    (NotifiedState.OPEN, NotifiedState.WITHDRAWN): ("WITHDRAWN",),
    (NotifiedState.CLEARED, NotifiedState.OPEN): ("REOPENED",),
    (NotifiedState.CLEARED, NotifiedState.WITHDRAWN): ("WITHDRAWN",),
    (NotifiedState.WITHDRAWN, NotifiedState.OPEN): ("REOPENED",),
    (NotifiedState.WITHDRAWN, NotifiedState.CLEARED): ("REOPENED", "CLEARED"),
}


def calls_of(
    last: LastNotification | None, *, state: NotifiedState, worsening: int, is_suppressed: bool
) -> Sequence[str]:
    """Return the changes to notify a destination of, in order. Pure.

    worsening: above 0 where it is more severe than notified, below where it is less. is_suppressed: open events are not
    notified now; their end is.
    """
    if is_suppressed and state is NotifiedState.OPEN:
        return ()
    if last is not None and last.state is state:
        if not worsening or state is not NotifiedState.OPEN:
            return ()
        return ("ESCALATED",) if worsening > 0 else ("DEESCALATED",)
    return _CALLS[None if last is None else last.state, state]


def last_notifications_get(
    session: Session, *, organization_id: int, event_ids: Collection[UUID]
) -> Mapping[UUID, Mapping[str, LastNotification]]:
    """Return the last notification of each event, by event and destination. One statement."""
    table = event_notification_states.c
    rows = session.execute(
        select(event_notification_states).where(
            table.organization_id == organization_id, any_of(table.event_id, event_ids)
        )
    )
    last_notifications: dict[UUID, dict[str, LastNotification]] = {}
    for row in rows:
        last_notifications.setdefault(row.event_id, {})[row.url] = LastNotification(
            row.sequence, NotifiedState(row.state), row.severity
        )
    return last_notifications


def last_notification_write(
    session: Session, *, organization_id: int, event_id: UUID, url: str, last: LastNotification
) -> None:
    """Store the last notification."""
    values = {"sequence": last.sequence, "state": last.state.value, "severity": last.severity}
    session.execute(
        insert(event_notification_states)
        .values(organization_id=organization_id, event_id=event_id, url=url, **values)
        .on_conflict_do_update(constraint="pk_event_notification_states", set_=values)
    )
