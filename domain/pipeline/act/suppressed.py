"""Defer actions of suppressed events: those that opened, or escalate, while shelved or in maintenance.

Whether an event is suppressed follows its shelves and windows (`domain/rules/suppression.py`). What is still open when
a suppression ends is acted on then: until that time its change is deferred.
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
from domain.base.failed_items.queries import isolation_sql
from domain.base.packed import instant_of, micros_of
from domain.pipeline.act.outbox import ChangeKind, EventChange
from domain.rules.suppression import suppressed_until
from graph.change import graph_hold

ENDS: Final = frozenset({ChangeKind.CLEARED, ChangeKind.WITHDRAWN})
OPENS: Final = frozenset({ChangeKind.OPENED, ChangeKind.REOPENED})
# The severity differs from the notified one.
RATES: Final = frozenset({ChangeKind.ESCALATED, ChangeKind.DEESCALATED})
# So many events are looked at again in one transaction.
EVENTS_AT_ONCE: Final = 1_000

_IS_DIRTY = text("SELECT EXISTS (SELECT FROM suppression_invalidations WHERE organization_id = :organization_id)")
_INVALIDATION = text(
    "SELECT begins, ends, done_at, done_id FROM suppression_invalidations WHERE organization_id = :organization_id"
    " ORDER BY begins, ends LIMIT 1 FOR UPDATE"
)
# Those that opened within the span, and those before whose suppression reaches into it: others it cannot change. Locked
# in the order of their ids, as who evaluates or follows events locks them. What could not be looked at has a time of
# its own to be looked at again.
_AFFECTED = text(
    f"""
    SELECT * FROM (
        SELECT e.id, e.rule_id, e.entity_id, e.opened_at, e.suppressed_until, e.withdrawn_at FROM events e
        WHERE e.organization_id = :organization_id AND e.id IN (
            SELECT o.id FROM events o
            WHERE o.organization_id = :organization_id AND o.withdrawn_at IS NULL AND o.opened_at < :ends
                AND (o.opened_at >= :begins OR o.suppressed_until >= :begins)
                AND (CAST(:done_at AS timestamptz) IS NULL
                    OR (o.opened_at, o.id) > (CAST(:done_at AS timestamptz), CAST(:done_id AS uuid)))
                AND NOT {isolation_sql(FailedQueue.SUPPRESSION, organization="o.organization_id", holds="o.id::text")}
            ORDER BY o.opened_at, o.id LIMIT :most
        )
        ORDER BY e.id FOR UPDATE OF e
    ) t ORDER BY t.opened_at, t.id
    """  # noqa: S608  (constants)
)
_SUPPRESSION_UPDATE = text(
    """
    WITH changed AS (
        UPDATE events e SET suppressed_until = u.suppressed_until
        FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS u (id uuid, suppressed_until timestamptz)
        WHERE e.organization_id = :organization_id AND e.id = u.id
        RETURNING e.id, e.opened_at, e.opening_processed_at
    )
    INSERT INTO event_changes (organization_id, event_id, kind, at, side_effects_disabled)
    SELECT :organization_id, id, 'OPENED', opened_at, false FROM changed WHERE opening_processed_at IS NULL
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
    SELECT e.id, e.rule_id, e.entity_id, e.opened_at, e.suppressed_until, e.withdrawn_at FROM events e
    WHERE e.organization_id = :organization_id AND e.id = ANY (:ids) AND e.withdrawn_at IS NULL
    ORDER BY e.id FOR UPDATE
    """
).bindparams(bindparam("ids", type_=ARRAY(Uuid)))
_GO_ON = text(
    "UPDATE suppression_invalidations SET done_at = :done_at, done_id = :done_id"
    " WHERE organization_id = :organization_id AND begins = :begins AND ends = :ends"
)
_DONE = text(
    "DELETE FROM suppression_invalidations"
    " WHERE organization_id = :organization_id AND begins = :begins AND ends = :ends"
)
_RELEASE = text(
    "UPDATE event_changes SET due_at = NULL"
    " WHERE organization_id = :organization_id AND processed_at IS NULL AND due_at IS NOT NULL"
)


@dataclass(frozen=True, slots=True)
class SortedChanges:
    """Sorted changes. actionable: to apply, in order. deferred: until when, by change.

    openings: events whose opening is processed.
    """

    actionable: list[EventChange] = field(default_factory=list)
    deferred: dict[int, datetime] = field(default_factory=dict)
    openings: list[UUID] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Refreshed:
    """The result of a transaction. is_pending: more events wait for a refresh.

    failed: those that could not be refreshed.
    """

    is_pending: bool
    failed: list[FailedItem] = field(default_factory=list)


def suppression_ends(
    session: Session, *, organization_id: int, event_changes: Sequence[EventChange], now: datetime
) -> Mapping[int, datetime]:
    """Return, by change, until when its event is suppressed, of events that are open and suppressed now."""
    opened = [event_change for event_change in event_changes if event_change.is_open]
    now_us = micros_of(now)
    ends = suppressed_until(
        session,
        organization_id=organization_id,
        spots=[(request.rule_id, request.entity_id, now_us) for request in opened],
    )
    pairs = zip(opened, ends, strict=True)
    return {pair.change_id: instant_of(end) for pair, end in pairs if end is not None}


def event_changes_sort(
    event_changes: Sequence[EventChange],
    *,
    suppressed: Mapping[int, datetime],
    is_history: Callable[[EventChange], bool],
) -> SortedChanges:
    """Sort changes: to apply, to defer until a suppression ends, and events whose opening is done.

    suppressed: by change, until when its event is suppressed now. Changes in neither list need no action. Pure.
    """
    sorted_changes = SortedChanges()
    processed = {event_change.event_id for event_change in event_changes if event_change.is_opening_processed}
    for event_change in event_changes:
        if event_change.kind in OPENS:
            is_again = event_change.event_id in sorted_changes.openings or (
                event_change.kind is ChangeKind.OPENED and event_change.event_id in processed
            )
            if is_again or event_change.is_suppressed:
                continue
            if event_change.change_id in suppressed and not event_change.side_effects_disabled:
                sorted_changes.deferred[event_change.change_id] = suppressed[event_change.change_id]
                continue
            sorted_changes.openings.append(event_change.event_id)
            if not event_change.side_effects_disabled and not is_history(event_change):
                sorted_changes.actionable.append(event_change)
        elif event_change.side_effects_disabled or (
            event_change.event_id not in processed and event_change.event_id not in sorted_changes.openings
        ):
            # The opening was not notified. Where it still will be, it will be with the state of that time.
            continue
        elif event_change.kind in RATES and event_change.change_id in suppressed:
            sorted_changes.deferred[event_change.change_id] = suppressed[event_change.change_id]
        elif event_change.kind not in RATES or event_change.is_open or not event_change.was_deferred:
            sorted_changes.actionable.append(event_change)
    return SortedChanges(_ended(sorted_changes.actionable), sorted_changes.deferred, sorted_changes.openings)


def _ended(actionable: Sequence[EventChange]) -> list[EventChange]:
    """Insert the end of each event that is over by now after its opening, unless a later change is its end."""
    ended: set[UUID] = set()
    with_ends: list[EventChange] = []
    for event_change in reversed(actionable):
        if event_change.kind in ENDS:
            ended.add(event_change.event_id)
        elif event_change.kind in OPENS and not event_change.is_open and event_change.event_id not in ended:
            kind = ChangeKind.WITHDRAWN if event_change.is_withdrawn else ChangeKind.CLEARED
            with_ends.append(replace(event_change, kind=kind, at=event_change.cleared_at or event_change.at))
            ended.add(event_change.event_id)
        with_ends.append(event_change)
    return with_ends[::-1]


def suppression_refresh(session: Session, *, organization_id: int, limit: int = EVENTS_AT_ONCE) -> Refreshed:
    """Refresh the suppression of events whose shelves, windows or place have changed, `limit` at most.

    The graph is held: whoever evaluates an event, or moves what it is of, does so before or after. An event that cannot
    be looked at is written down as failed, its changes wait, and the others go on; when it is due it is tried again.
    """
    values: dict[str, Any] = {"organization_id": organization_id}
    again = _again(session, organization_id, limit)
    if not again and not session.execute(_IS_DIRTY, values).scalar_one():
        return Refreshed(is_pending=False)
    graph_hold(session, organization_id=organization_id)
    failed = _retry(session, organization_id, again)
    invalidation = session.execute(_INVALIDATION, values).one_or_none()
    if invalidation is None:
        return Refreshed(is_pending=not again, failed=failed)
    affected = session.execute(_AFFECTED, {**values, **invalidation._asdict(), "most": limit}).all()
    failed += _reevaluate(session, organization_id, affected)
    session.execute(_RELEASE, values)
    span = {**values, "begins": invalidation.begins, "ends": invalidation.ends}
    if len(affected) < limit:
        session.execute(_DONE, span)
    else:
        session.execute(_GO_ON, {**span, "done_at": affected[-1].opened_at, "done_id": affected[-1].id})
    is_pending: bool = session.execute(_IS_DIRTY, values).scalar_one()
    return Refreshed(is_pending, failed)


def _again(session: Session, organization_id: int, limit: int) -> list[UUID]:
    """Return the events that could not be looked at, and are due to be tried again."""
    values = {"organization_id": organization_id, "queue": FailedQueue.SUPPRESSION.value, "most": limit}
    return [UUID(item) for item in session.execute(_DUE, values).scalars()]


def _retry(session: Session, organization_id: int, ids: Sequence[UUID]) -> list[FailedItem]:
    """Retry failed events; successes and vanished events are resolved."""
    if not ids:
        return []
    rows = session.execute(_EVENTS, {"organization_id": organization_id, "ids": list(ids)}).all()
    failed = _reevaluate(session, organization_id, rows)
    session.execute(_RELEASE, {"organization_id": organization_id})
    done = {str(entity_id) for entity_id in ids} - {item.item for item in failed}
    items_resolved(session, organization_id=organization_id, queue=FailedQueue.SUPPRESSION, items=done)
    return failed


def _reevaluate(session: Session, organization_id: int, rows: Sequence[Any]) -> list[FailedItem]:
    """Write until when events are suppressed, and an event change where that moved; return what failed."""
    failures = isolate(session, rows, lambda some: _suppression_write(session, organization_id, some))
    return [
        item_failed(
            session,
            organization_id=organization_id,
            queue=FailedQueue.SUPPRESSION,
            item=str(row.id),
            holds=str(row.id),
            error=error,
        )
        for row, error in failures
    ]


def _suppression_write(session: Session, organization_id: int, affected: Sequence[Any]) -> None:
    keys = [(row.rule_id, row.entity_id, micros_of(row.opened_at)) for row in affected]
    ends = suppressed_until(session, organization_id=organization_id, spots=keys)
    rows = [
        {"id": str(row.id), "suppressed_until": None if end is None else instant_of(end).isoformat()}
        for row, end in zip(affected, ends, strict=True)
        # One may have been withdrawn while its lock was waited for.
        if row.withdrawn_at is None
        and end != (None if row.suppressed_until is None else micros_of(row.suppressed_until))
    ]
    if rows:
        session.execute(_SUPPRESSION_UPDATE, {"organization_id": organization_id, "rows": orjson.dumps(rows).decode()})
