"""Claim deliveries: find those due by destination, claim them for a process, and record the outcome. As argus_pipeline.

A claim is a lease in the database: `claimed_by` makes the call, and from `due_at` on somebody else does. Any number
of processes may claim at once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, Integer, Text, bindparam, or_, select, text, update
from sqlalchemy.orm import Session

from domain.work.notifications.model import Notification, NotificationState
from domain.work.notifications.queries import notification_of
from domain.work.notifications.signing import ATTEMPTS_MAX, retry_delay
from domain.work.notifications.tables import notifications
from graph.sql import any_of
from graph.texts import text_clean

ERROR_MAX_CHARS: Final = 500
# Longer than any call with its settling: who holds a claim for longer has ended, or hangs.
LEASE: Final = timedelta(minutes=1)
# A notification whose claims end without an outcome so often in a row is dead: it harms its claimant.
LOSSES_MAX: Final = 5
# Given up at once of one destination.
_EXPIRED_MAX: Final = 1_000

# Each pair is found by one step in the index, however many notifications it has.
_DUE = text(
    """
    WITH RECURSIVE pairs AS (
        (SELECT organization_id, destination FROM notifications WHERE state = 'PENDING'
         ORDER BY organization_id, destination LIMIT 1)
        UNION ALL
        SELECT n.organization_id, n.destination FROM pairs p CROSS JOIN LATERAL (
            SELECT organization_id, destination FROM notifications
            WHERE state = 'PENDING' AND (organization_id, destination) > (p.organization_id, p.destination)
            ORDER BY organization_id, destination LIMIT 1) n
    )
    SELECT p.organization_id, p.destination FROM pairs p WHERE EXISTS (
        SELECT FROM notifications n WHERE n.organization_id = p.organization_id AND n.destination = p.destination
            AND n.state = 'PENDING' AND n.due_at <= :now)
    """
)
_CANDIDATES = """
    SELECT n.id FROM notifications n
    WHERE n.organization_id = :organization_id AND n.destination = d.destination AND n.state = 'PENDING'
        AND n.attempts {attempts} 0 AND n.due_at <= :now
        -- Earlier notifications of the same event go first.
        AND NOT EXISTS (
            SELECT FROM notifications b
            WHERE b.organization_id = n.organization_id AND b.event_id = n.event_id AND b.url = n.url
                AND b.sequence < n.sequence AND b.state = 'PENDING')
    ORDER BY n.due_at, n.created_at, n.id LIMIT d.slots
"""
# First tries before those that have failed before.
_CLAIMABLE = text(
    f"""
    SELECT c.id FROM unnest(:destinations, :slots) AS d (destination, slots) CROSS JOIN LATERAL (
        SELECT u.id FROM (
            (SELECT f.id, 0 AS attempt_rank FROM ({_CANDIDATES.format(attempts="=")}) f)
            UNION ALL (SELECT r.id, 1 FROM ({_CANDIDATES.format(attempts=">")}) r)
        ) u ORDER BY u.attempt_rank LIMIT d.slots
    ) c
    """  # noqa: S608  (two fixed operators)
).bindparams(bindparam("destinations", type_=ARRAY(Text)), bindparam("slots", type_=ARRAY(Integer)))
_SOON = text("least(due_at, clock_timestamp())")
_CLAIMERS = text("SELECT DISTINCT organization_id, claimed_by FROM notifications WHERE claimed_by IS NOT NULL")


@dataclass(frozen=True, slots=True, order=True)
class Pair:
    """A queue of deliveries: what an organization sends to a destination."""

    organization_id: int
    destination: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a call. error: why it failed, None: it was accepted. is_transient: no server answered."""

    error: str | None = None
    is_transient: bool = False


def pairs_due(session: Session, *, now: datetime) -> list[Pair]:
    """Return the queues with something to send, of all organizations."""
    return [Pair(row.organization_id, row.destination) for row in session.execute(_DUE, {"now": now})]


def notifications_claim(
    session: Session, *, organization_id: int, slots: Mapping[str, int], claimer: str, now: datetime
) -> list[Notification]:
    """Claim notifications that are due, no more of each destination than it has slots; each counts as called.

    First tries come before others, the most overdue first, and none while one with a smaller number about its event
    waits for the same address. What was lost too often is dead.
    """
    table = notifications.c
    candidates = session.scalars(
        _CLAIMABLE,
        {
            "organization_id": organization_id,
            "destinations": list(slots),
            "slots": list(slots.values()),
            "now": now,
        },
    ).all()
    ids = session.scalars(
        select(table.id)
        .where(
            table.organization_id == organization_id,
            any_of(table.id, candidates),
            table.state == "PENDING",
            table.due_at <= now,
        )
        .with_for_update(skip_locked=True)
    ).all()
    claimed = (table.organization_id == organization_id, any_of(table.id, ids))
    # Who held it has not said what came of it.
    session.execute(
        update(notifications).where(*claimed, table.claimed_by.is_not(None)).values(losses=table.losses + 1)
    )
    session.execute(
        update(notifications)
        .where(*claimed, table.losses >= LOSSES_MAX)
        .values(
            state="DEAD",
            finished_at=now,
            claimed_by=None,
            last_error=f"What came of the call was lost {LOSSES_MAX} times in a row.",
        )
    )
    rows = session.execute(
        update(notifications)
        .where(*claimed, table.state == "PENDING")
        .values(attempts=table.attempts + 1, due_at=now + LEASE, claimed_by=claimer)
        .returning(notifications)
    )
    return sorted((notification_of(row) for row in rows), key=lambda item: (item.created_at, item.id))


def notification_record(
    session: Session,
    *,
    organization_id: int,
    notification: Notification,
    claimer: str,
    error: str | None,
    now: datetime,
) -> NotificationState | None:
    """Record the outcome of a call; error None: it was delivered. Return the state of the notification.

    One that failed waits, and is dead after ATTEMPTS_MAX calls or when it is to be given up; a test after the first.
    notification: as claimed. None: another has claimed it since; it stays as that leaves it.
    """
    table = notifications.c
    values: dict[str, Any] = {"claimed_by": None, "losses": 0}
    if error is None:
        state = NotificationState.DELIVERED
        values |= {"finished_at": now, "last_error": None}
    else:
        values["last_error"] = text_clean(error, max_chars=ERROR_MAX_CHARS)
        is_last = notification.attempts >= ATTEMPTS_MAX or now >= notification.give_up_at
        state = NotificationState.DEAD if is_last or notification.event_id is None else NotificationState.PENDING
        if state is NotificationState.DEAD:
            values["finished_at"] = now
        else:
            values["due_at"] = now + retry_delay(notification_id=notification.id, attempts=notification.attempts)
    recorded = session.execute(
        update(notifications)
        .where(
            table.organization_id == organization_id,
            table.id == notification.id,
            table.state == "PENDING",
            table.attempts == notification.attempts,
            table.claimed_by == claimer,
        )
        .values(state=state.value, **values)
        .returning(table.id)
    ).first()
    if recorded is None:
        return None
    if notification.event_id is not None:
        # Those that wait for this one are not looked at before it is called again.
        session.execute(
            update(notifications)
            .where(
                table.organization_id == organization_id,
                table.event_id == notification.event_id,
                table.url == notification.url,
                table.state == "PENDING",
                table.claimed_by.is_(None),
                table.attempts == 0,
                table.id != notification.id,
            )
            .values(due_at=values.get("due_at", now))
        )
    return state


def claims_release(session: Session, *, organization_id: int, claimer: str, ids: Collection[UUID]) -> None:
    """Release the claims of a process that it will not finish. What it has called may be called again."""
    table = notifications.c
    session.execute(
        update(notifications)
        .where(table.organization_id == organization_id, table.claimed_by == claimer, any_of(table.id, ids))
        .values(due_at=_SOON, claimed_by=None)
    )


def claims_end(session: Session, *, organization_id: int, claimer: str) -> None:
    """Release the claims of a process that has died; the loss is counted."""
    table = notifications.c
    session.execute(
        update(notifications)
        .where(table.organization_id == organization_id, table.claimed_by == claimer)
        .values(due_at=_SOON)
    )


def claimers_list(session: Session) -> list[tuple[int, str]]:
    """Return the claimers and their organizations, of all organizations."""
    return [(row.organization_id, row.claimed_by) for row in session.execute(_CLAIMERS)]


def notifications_expire(session: Session, *, pair: Pair, error: str, now: datetime) -> int:
    """Expire notifications that have waited too long for a destination; return how many."""
    table = notifications.c
    ids = session.scalars(
        select(table.id)
        .where(
            table.organization_id == pair.organization_id,
            table.destination == pair.destination,
            table.state == "PENDING",
            # Or claimed by a process that has ended.
            or_(table.claimed_by.is_(None), table.due_at <= now),
            table.give_up_at <= now,
        )
        .order_by(table.due_at)
        .limit(_EXPIRED_MAX)
        .with_for_update(skip_locked=True)
    ).all()
    message = text_clean(f"Given up; the destination does not answer: {error}", max_chars=ERROR_MAX_CHARS)
    session.execute(
        update(notifications)
        .where(table.organization_id == pair.organization_id, any_of(table.id, ids))
        .values(state="DEAD", finished_at=now, claimed_by=None, last_error=message)
    )
    return len(ids)
