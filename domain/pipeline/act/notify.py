"""Order webhook calls for event changes: to each destination, those from its last state to the current one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from domain.pipeline.act.outbox import ChangeKind, EventChange
from domain.pipeline.act.suppressed import OPENS
from domain.rules.model import SEVERITIES, Severity
from domain.work.notifications.calls import (
    LastNotification,
    NotifiedState,
    calls_of,
    last_notification_write,
    last_notifications_get,
)
from domain.work.notifications.operations import notification_order
from graph.ids import NewId
from graph.instants import instant_text


def notifications_order(
    session: Session,
    *,
    organization_id: int,
    event_changes: Sequence[EventChange],
    actionable: Sequence[EventChange],
    suppressed: Collection[int],
    now: datetime,
    new_id: NewId,
) -> int:
    """Order the calls of webhooks that follow from event changes; return how many.

    event_changes: all that are looked at. actionable: those to apply. suppressed: changes whose events are suppressed
    now. A destination that was notified of an event is sent its current state, whatever the rule says by now; a new
    one, where the opening is actionable, or where another was notified and the event goes on.
    """
    opened = {item.event_id for item in actionable if item.kind in OPENS}
    # Of each event the last change: all of them carry its current state.
    last = {item.event_id: item for item in event_changes if not item.side_effects_disabled}
    notified = last_notifications_get(session, organization_id=organization_id, event_ids=last.keys())
    ordered = 0
    for event_id, event_change in last.items():
        destinations: dict[str, LastNotification | None] = dict(notified.get(event_id, {}))
        is_due = event_id in opened or (bool(destinations) and event_change.is_open)
        if is_due and event_change.webhook_url is not None:
            destinations.setdefault(event_change.webhook_url, None)
        for url, previous in destinations.items():
            ordered += _notification_order(
                session,
                organization_id=organization_id,
                event_change=event_change,
                url=url,
                previous=previous,
                is_suppressed=event_change.change_id in suppressed,
                now=now,
                new_id=new_id,
            )
    return ordered


def _notification_order(
    session: Session,
    *,
    organization_id: int,
    event_change: EventChange,
    url: str,
    previous: LastNotification | None,
    is_suppressed: bool,
    now: datetime,
    new_id: NewId,
) -> int:
    state = _state(event_change)
    worsening = 0 if previous is None else _rank(event_change.severity) - _rank(previous.severity)
    calls = calls_of(previous, state=state, worsening=worsening, is_suppressed=is_suppressed)
    sequence = 0 if previous is None else previous.sequence
    for change in calls:
        sequence += 1
        notification_order(
            session,
            organization_id=organization_id,
            notification_id=new_id(),
            event_id=event_change.event_id,
            url=url,
            sequence=sequence,
            payload=payload_of(event_change, change=ChangeKind(change), sequence=sequence),
            now=now,
        )
    if calls:
        last_notification_write(
            session,
            organization_id=organization_id,
            event_id=event_change.event_id,
            url=url,
            last=LastNotification(sequence, state, event_change.severity),
        )
    return len(calls)


def payload_of(event_change: EventChange, *, change: ChangeKind, sequence: int) -> dict[str, Any]:
    """Return the body of a webhook call, JSON; see docs/how-to/webhooks.md."""
    at = event_change.cleared_at if change is ChangeKind.CLEARED else event_change.opened_at
    return {
        "change": change.value,
        "sequence": sequence,
        "at": instant_text(event_change.opened_at if at is None else at),
        "event": {
            "id": str(event_change.event_id),
            "severity": event_change.severity,
            "beganAt": instant_text(event_change.began_at),
            "openedAt": instant_text(event_change.opened_at),
            "clearedAt": None if event_change.cleared_at is None else instant_text(event_change.cleared_at),
        },
        "rule": {"id": str(event_change.rule_id), "name": event_change.rule_name},
        "entity": {"id": str(event_change.entity_id)},
    }


def _state(event_change: EventChange) -> NotifiedState:
    if event_change.is_withdrawn:
        return NotifiedState.WITHDRAWN
    return NotifiedState.OPEN if event_change.cleared_at is None else NotifiedState.CLEARED


def _rank(severity: str) -> int:
    return SEVERITIES.index(Severity(severity))
