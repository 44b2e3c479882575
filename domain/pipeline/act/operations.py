"""Apply the actions of event changes: create, reopen or suggest to close activities, and call webhooks.

All of it in the transaction that marks the change as processed: nothing is done twice, whoever crashes when.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from domain.pipeline.act.apply import CLOSES, AppliedActions, activity_actions_apply
from domain.pipeline.act.notify import notifications_order
from domain.pipeline.act.outbox import (
    EventChange,
    event_changes_defer,
    event_changes_done,
    event_changes_next,
    openings_processed,
    outbox_lock,
)
from domain.pipeline.act.suppressed import OPENS, event_changes_sort, suppression_ends
from domain.work.activities.queries import activities_current
from graph.change import graph_change_begin
from graph.ids import NewId

# How the audit trail names who acts on events.
ACTOR: Final = "argus:act"
# An event that opened and cleared longer ago than this is history: nobody is sent after it.
LATE: Final = timedelta(days=1)


def event_actions_apply(
    session: Session,
    *,
    organization_id: int,
    now: datetime,
    new_id: NewId,
    limit: int = 100,
    late: timedelta | None = LATE,
    only: int | None = None,
) -> AppliedActions:
    """Apply the next changes of an organization's events, in order; none where another transaction is doing so.

    only: that change alone, if it is among them: where applying some at once failed, each is applied alone.
    now: the wall's. late: what opened and cleared longer before it is history; None: nothing is. The organization's
    graph is locked only where an activity changes.
    """
    done = AppliedActions()
    if not outbox_lock(session, organization_id=organization_id):
        done.is_elsewhere = True
        return done
    waiting = event_changes_next(session, organization_id=organization_id, now=now, limit=limit, only=only)
    if not waiting:
        return done
    suppressed = suppression_ends(session, organization_id=organization_id, event_changes=waiting, now=now)
    sorted_out = event_changes_sort(
        waiting, suppressed=suppressed, is_history=lambda item: _is_history(item, now, late)
    )
    actionable = sorted_out.actionable
    work = _on_activities(session, organization_id, actionable)
    if work:
        # Of activities nothing is derived.
        change = graph_change_begin(
            session, organization_id=organization_id, actor=ACTOR, new_id=new_id, bears_on_derived=False
        )
        activity_actions_apply(session, change=change, event_changes=work, done=done)
    done.notified = notifications_order(
        session,
        organization_id=organization_id,
        event_changes=waiting,
        actionable=actionable,
        suppressed=suppressed.keys(),
        now=now,
        new_id=new_id,
    )
    ids = [event_change.change_id for event_change in waiting if event_change.change_id not in sorted_out.deferred]
    event_changes_done(session, organization_id=organization_id, change_ids=ids, now=now)
    event_changes_defer(session, organization_id=organization_id, due=sorted_out.deferred)
    openings_processed(session, organization_id=organization_id, event_ids=sorted_out.openings, now=now)
    done.changes = len(waiting)
    done.change_ids = [event_change.change_id for event_change in waiting]
    return done


def _is_history(event_change: EventChange, now: datetime, late: timedelta | None) -> bool:
    if late is None or event_change.kind not in OPENS or event_change.cleared_at is None:
        return False
    return event_change.cleared_at < now - late


def _on_activities(session: Session, organization_id: int, actionable: Sequence[EventChange]) -> list[EventChange]:
    """Return the activity changes that events require or allow. One statement at most."""
    # One that is made in this very transaction opened before: its rule has a template.
    doubtful = [
        event_change for event_change in actionable if event_change.kind in CLOSES and event_change.template_id is None
    ]
    pairs = [(item.rule_id, item.entity_id) for item in doubtful]
    current = activities_current(session, organization_id=organization_id, pairs=pairs)
    change_ids = {item.change_id for item, activity in zip(doubtful, current, strict=True) if activity is not None}
    return [
        event_change
        for event_change in actionable
        if event_change.change_id in change_ids
        or (event_change.template_id is not None and (event_change.kind in OPENS or event_change.kind in CLOSES))
    ]
