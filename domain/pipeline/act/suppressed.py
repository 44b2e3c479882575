"""What is not followed, or not yet: events that opened, or escalate, while they are shelved or in maintenance.

Whether an event is suppressed follows its shelves and windows (`domain/rules/suppression.py`). What is still open when
a quiet ends is followed then: until that time its change is held over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import ARRAY, Uuid, bindparam, text
from sqlalchemy.orm import Session

from domain.base.failed_items.isolation import isolate
from domain.base.failed_items.model import FailedItem, FailedQueue
from domain.base.failed_items.operations import item_failed, items_resolved
from domain.base.failed_items.queries import held_sql
from domain.base.packed import instant_of, micros_of
from domain.pipeline.act.outbox import ChangeKind, EventChange
from domain.rules.suppression import quiet_until
from graph.change import graph_hold

ENDS: Final = frozenset({ChangeKind.CLEARED, ChangeKind.WITHDRAWN})
OPENS: Final = frozenset({ChangeKind.OPENED, ChangeKind.REOPENED})
# It has another severity than was told.
RATES: Final = frozenset({ChangeKind.ESCALATED, ChangeKind.DEESCALATED})
# So many events are looked at again in one transaction.
EVENTS_AT_ONCE: Final = 1_000

_IS_DIRTY = text("SELECT EXISTS (SELECT FROM quiet_dirt WHERE organization_id = :organization_id)")
_DIRT = text(
    "SELECT begins, ends, done_at, done_id FROM quiet_dirt WHERE organization_id = :organization_id"
    " ORDER BY begins, ends LIMIT 1 FOR UPDATE"
)
# Those that opened within the span, and those before whose quiet reaches into it: others it cannot change. Locked in
# the order of their ids, as who judges or follows events locks them. What could not be looked at has a time of its own
# to be looked at again.
_TOUCHED = text(
    f"""
    SELECT * FROM (
        SELECT e.id, e.rule_id, e.entity_id, e.opened_at, e.quiet_until, e.withdrawn_at FROM events e
        WHERE e.organization_id = :organization_id AND e.id IN (
            SELECT o.id FROM events o
            WHERE o.organization_id = :organization_id AND o.withdrawn_at IS NULL AND o.opened_at < :ends
                AND (o.opened_at >= :begins OR o.quiet_until >= :begins)
                AND (CAST(:done_at AS timestamptz) IS NULL
                    OR (o.opened_at, o.id) > (CAST(:done_at AS timestamptz), CAST(:done_id AS uuid)))
                AND NOT {held_sql(FailedQueue.SUPPRESSION, organization="o.organization_id", holds="o.id::text")}
            ORDER BY o.opened_at, o.id LIMIT :most
        )
        ORDER BY e.id FOR UPDATE OF e
    ) t ORDER BY t.opened_at, t.id
    """  # noqa: S608  (constants)
)
_QUIET = text(
    """
    WITH changed AS (
        UPDATE events e SET quiet_until = u.quiet_until
        FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS u (id uuid, quiet_until timestamptz)
        WHERE e.organization_id = :organization_id AND e.id = u.id
        RETURNING e.id, e.opened_at, e.followed_at
    )
    INSERT INTO event_changes (organization_id, event_id, kind, at, fenced)
    SELECT :organization_id, id, 'OPENED', opened_at, false FROM changed WHERE followed_at IS NULL
    """
)
_DUE = text(
    """
    SELECT item FROM failed_items
    WHERE organization_id = :organization_id AND queue = :queue AND resolved_at IS NULL AND due_at <= clock_timestamp()
    ORDER BY due_at, item LIMIT :most
    """
)
_EVENTS = text(
    """
    SELECT e.id, e.rule_id, e.entity_id, e.opened_at, e.quiet_until, e.withdrawn_at FROM events e
    WHERE e.organization_id = :organization_id AND e.id = ANY (:ids) AND e.withdrawn_at IS NULL
    ORDER BY e.id FOR UPDATE
    """
).bindparams(bindparam("ids", type_=ARRAY(Uuid)))
_GO_ON = text(
    "UPDATE quiet_dirt SET done_at = :done_at, done_id = :done_id"
    " WHERE organization_id = :organization_id AND begins = :begins AND ends = :ends"
)
_DONE = text("DELETE FROM quiet_dirt WHERE organization_id = :organization_id AND begins = :begins AND ends = :ends")
_RELEASE = text(
    "UPDATE event_changes SET due_at = NULL"
    " WHERE organization_id = :organization_id AND acted_at IS NULL AND due_at IS NOT NULL"
)


@dataclass(frozen=True, slots=True)
class SortedOut:
    """Changes sorted out. news: to be followed, in order. held: changes, by until when. followed: events seen to."""

    news: list[EventChange] = field(default_factory=list)
    held: dict[int, datetime] = field(default_factory=dict)
    followed: list[UUID] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a transaction did. is_dirty: more events wait to be looked at again. failed: which could not be."""

    is_dirty: bool
    failed: list[FailedItem] = field(default_factory=list)


def quiet_ends(
    session: Session, *, organization_id: int, happenings: Sequence[EventChange], now: datetime
) -> Mapping[int, datetime]:
    """Return, by change, until when its event is quiet now, of those that are open and quiet."""
    asked = [each for each in happenings if each.is_open]
    now_us = micros_of(now)
    found = quiet_until(
        session, organization_id=organization_id, asked=[(each.rule_id, each.entity_id, now_us) for each in asked]
    )
    pairs = zip(asked, found, strict=True)
    return {each.change_id: instant_of(end) for each, end in pairs if end is not None}


def happenings_sort(
    happenings: Sequence[EventChange], *, quiet: Mapping[int, datetime], is_history: Callable[[EventChange], bool]
) -> SortedOut:
    """Tell what is to be followed, what waits for the end of a quiet, and of which events the opening is seen to.

    quiet: by change, until when its event is quiet now. What is in neither is done without. Pure.
    """
    found = SortedOut()
    seen = {each.event_id for each in happenings if each.is_followed}
    for each in happenings:
        if each.kind in OPENS:
            is_again = each.event_id in found.followed or (each.kind is ChangeKind.OPENED and each.event_id in seen)
            if is_again or each.is_suppressed:
                continue
            if each.change_id in quiet and not each.fenced:
                found.held[each.change_id] = quiet[each.change_id]
                continue
            found.followed.append(each.event_id)
            if not each.fenced and not is_history(each):
                found.news.append(each)
        elif each.fenced or (each.event_id not in seen and each.event_id not in found.followed):
            # Nobody was told of the beginning. Where it is still to be told, it will be as the event then stands.
            continue
        elif each.kind in RATES and each.change_id in quiet:
            found.held[each.change_id] = quiet[each.change_id]
        elif each.kind not in RATES or each.is_open or not each.is_held:
            found.news.append(each)
    return SortedOut(_ended(found.news), found.held, found.followed)


def _ended(news: Sequence[EventChange]) -> list[EventChange]:
    """Let each opening of an event that is over by now be followed by its end, where no news of that comes after it."""
    ended: set[UUID] = set()
    found: list[EventChange] = []
    for each in reversed(news):
        if each.kind in ENDS:
            ended.add(each.event_id)
        elif each.kind in OPENS and not each.is_open and each.event_id not in ended:
            kind = ChangeKind.WITHDRAWN if each.is_withdrawn else ChangeKind.CLEARED
            found.append(replace(each, kind=kind, at=each.cleared_at or each.at))
            ended.add(each.event_id)
        found.append(each)
    return found[::-1]


def quiet_refresh(session: Session, *, organization_id: int, limit: int = EVENTS_AT_ONCE) -> Refreshed:
    """Look again at events whose shelves, windows or place have changed, `limit` at most.

    The graph is held: whoever judges an event, or moves what it is of, does so before or after. An event that cannot be
    looked at is written down as failed, its changes wait, and the others go on; when it is due it is tried again.
    """
    values: dict[str, Any] = {"organization_id": organization_id}
    again = _again(session, organization_id, limit)
    if not again and not session.execute(_IS_DIRTY, values).scalar_one():
        return Refreshed(is_dirty=False)
    graph_hold(session, organization_id=organization_id)
    failed = _retry(session, organization_id, again)
    dirt = session.execute(_DIRT, values).one_or_none()
    if dirt is None:
        return Refreshed(is_dirty=not again, failed=failed)
    touched = session.execute(_TOUCHED, {**values, **dirt._asdict(), "most": limit}).all()
    failed += _look(session, organization_id, touched)
    session.execute(_RELEASE, values)
    span = {**values, "begins": dirt.begins, "ends": dirt.ends}
    if len(touched) < limit:
        session.execute(_DONE, span)
    else:
        session.execute(_GO_ON, {**span, "done_at": touched[-1].opened_at, "done_id": touched[-1].id})
    is_dirty: bool = session.execute(_IS_DIRTY, values).scalar_one()
    return Refreshed(is_dirty, failed)


def _again(session: Session, organization_id: int, limit: int) -> list[UUID]:
    """Return the events that could not be looked at, and are due to be tried again."""
    values = {"organization_id": organization_id, "queue": FailedQueue.SUPPRESSION.value, "most": limit}
    return [UUID(item) for item in session.execute(_DUE, values).scalars()]


def _retry(session: Session, organization_id: int, ids: Sequence[UUID]) -> list[FailedItem]:
    """Look again at events that failed; what is done, or no longer there, is resolved."""
    if not ids:
        return []
    rows = session.execute(_EVENTS, {"organization_id": organization_id, "ids": list(ids)}).all()
    failed = _look(session, organization_id, rows)
    session.execute(_RELEASE, {"organization_id": organization_id})
    done = {str(each) for each in ids} - {each.item for each in failed}
    items_resolved(session, organization_id=organization_id, queue=FailedQueue.SUPPRESSION, items=done)
    return failed


def _look(session: Session, organization_id: int, rows: Sequence[Any]) -> list[FailedItem]:
    """Write until when events are quiet, and that they are to be followed where that changed; return what failed."""
    found = isolate(session, rows, lambda some: _quiet_write(session, organization_id, some))
    return [
        item_failed(
            session,
            organization_id=organization_id,
            queue=FailedQueue.SUPPRESSION,
            item=str(row.id),
            holds=str(row.id),
            error=error,
        )
        for row, error in found
    ]


def _quiet_write(session: Session, organization_id: int, touched: Sequence[Any]) -> None:
    asked = [(row.rule_id, row.entity_id, micros_of(row.opened_at)) for row in touched]
    ends = quiet_until(session, organization_id=organization_id, asked=asked)
    rows = [
        {"id": str(row.id), "quiet_until": None if end is None else instant_of(end).isoformat()}
        for row, end in zip(touched, ends, strict=True)
        # One may have been withdrawn while its lock was waited for.
        if row.withdrawn_at is None and end != (None if row.quiet_until is None else micros_of(row.quiet_until))
    ]
    if rows:
        session.execute(_QUIET, {"organization_id": organization_id, "rows": orjson.dumps(rows).decode()})
