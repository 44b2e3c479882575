"""Tell webhooks what became of events: to each destination whatever leads from what it was told to how they stand."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from domain.pipeline.act.outbox import ChangeKind, EventChange
from domain.pipeline.act.suppressed import OPENS
from domain.rules.model import SEVERITIES, Severity
from domain.work.notifications.calls import Telling, ToldState, calls_of, telling_keep, tellings_get
from domain.work.notifications.operations import notification_order
from graph.ids import NewId
from graph.instants import instant_text


def events_tell(
    session: Session,
    *,
    organization_id: int,
    happenings: Sequence[EventChange],
    news: Sequence[EventChange],
    quiet: Collection[int],
    now: datetime,
    new_id: NewId,
) -> int:
    """Order the calls of webhooks that follow from happenings; return how many.

    happenings: all that are looked at. news: those of them that are to be followed. quiet: the changes whose events are
    quiet now. A destination that was told of an event is told how it stands, whatever the rule says by now; one that
    was not, where its opening is among the news, or where another was told and it goes on with an open event.
    """
    heard = {each.event_id for each in news if each.kind in OPENS}
    # Of each event the last: all of them know it as it stands.
    last = {each.event_id: each for each in happenings if not each.fenced}
    told = tellings_get(session, organization_id=organization_id, event_ids=last.keys())
    ordered = 0
    for event_id, happening in last.items():
        destinations: dict[str, Telling | None] = dict(told.get(event_id, {}))
        is_told = event_id in heard or (bool(destinations) and happening.is_open)
        if is_told and happening.webhook_url is not None:
            destinations.setdefault(happening.webhook_url, None)
        for url, telling in destinations.items():
            ordered += _tell(
                session,
                organization_id=organization_id,
                happening=happening,
                url=url,
                telling=telling,
                is_quiet=happening.change_id in quiet,
                now=now,
                new_id=new_id,
            )
    return ordered


def _tell(
    session: Session,
    *,
    organization_id: int,
    happening: EventChange,
    url: str,
    telling: Telling | None,
    is_quiet: bool,
    now: datetime,
    new_id: NewId,
) -> int:
    state = _state(happening)
    worsening = 0 if telling is None else _rank(happening.severity) - _rank(telling.severity)
    calls = calls_of(telling, state=state, worsening=worsening, is_quiet=is_quiet)
    sequence = 0 if telling is None else telling.sequence
    for change in calls:
        sequence += 1
        notification_order(
            session,
            organization_id=organization_id,
            notification_id=new_id(),
            change_id=happening.change_id,
            event_id=happening.event_id,
            url=url,
            sequence=sequence,
            payload=payload_of(happening, change=ChangeKind(change), sequence=sequence),
            now=now,
        )
    if calls:
        telling_keep(
            session,
            organization_id=organization_id,
            event_id=happening.event_id,
            url=url,
            telling=Telling(sequence, state, happening.severity),
        )
    return len(calls)


def payload_of(happening: EventChange, *, change: ChangeKind, sequence: int) -> dict[str, Any]:
    """Return what a webhook is told, JSON; see docs/how-to/webhooks.md."""
    at = happening.cleared_at if change is ChangeKind.CLEARED else happening.opened_at
    return {
        "change": change.value,
        "sequence": sequence,
        "at": instant_text(happening.opened_at if at is None else at),
        "event": {
            "id": str(happening.event_id),
            "severity": happening.severity,
            "beganAt": instant_text(happening.began_at),
            "openedAt": instant_text(happening.opened_at),
            "clearedAt": None if happening.cleared_at is None else instant_text(happening.cleared_at),
        },
        "rule": {"id": str(happening.rule_id), "name": happening.rule_name},
        "entity": {"id": str(happening.entity_id)},
    }


def _state(happening: EventChange) -> ToldState:
    if happening.is_withdrawn:
        return ToldState.WITHDRAWN
    return ToldState.OPEN if happening.cleared_at is None else ToldState.CLEARED


def _rank(severity: str) -> int:
    return SEVERITIES.index(Severity(severity))
