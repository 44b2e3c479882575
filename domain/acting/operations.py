"""Act on what became of events: activities are made, opened again, suggested to be closed; webhooks are called.

All of it in the transaction that marks the change acted: nothing is done twice, whoever crashes when.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from domain.acting.follow import CLOSES, Acted, activities_follow
from domain.acting.outbox import (
    ChangeKind,
    Happening,
    acting_hold,
    events_followed,
    happenings_done,
    happenings_hold,
    happenings_next,
)
from domain.acting.quiet import OPENS, happenings_sort, quiet_ends
from domain.activities.queries import activities_standing
from domain.notifications.operations import notification_order
from domain.notifications.queries import notifications_exist
from graph.change import graph_change_begin
from graph.ids import NewId
from graph.instants import instant_text

# How the audit trail names who acts on events.
ACTOR: Final = "argus:act"
# An event that opened and cleared longer ago than this is history: nobody is sent after it.
LATE: Final = timedelta(days=1)


def changes_act(
    session: Session,
    *,
    organization_id: int,
    now: datetime,
    new_id: NewId,
    limit: int = 100,
    late: timedelta | None = LATE,
    only: int | None = None,
) -> Acted:
    """Follow the next changes of an organization's events, in order; nothing where another does so now.

    only: that change alone, if it is among them: where following some at once failed, each is followed by itself.
    now: the wall's. late: what opened and cleared longer before it is history; None: nothing is. The organization's
    graph is locked only where an activity changes.
    """
    done = Acted()
    if not acting_hold(session, organization_id=organization_id):
        done.is_elsewhere = True
        return done
    waiting = happenings_next(session, organization_id=organization_id, now=now, limit=limit, only=only)
    if not waiting:
        return done
    quiet = quiet_ends(session, organization_id=organization_id, happenings=waiting, now=now)
    sorted_out = happenings_sort(waiting, quiet=quiet, is_history=lambda each: _is_history(each, now, late))
    news = sorted_out.news
    work = _on_activities(session, organization_id, news)
    if work:
        # Of activities nothing is derived.
        change = graph_change_begin(
            session, organization_id=organization_id, actor=ACTOR, new_id=new_id, bears_on_derived=False
        )
        activities_follow(session, change=change, happenings=work, done=done)
    for happening in news:
        if _is_told(session, organization_id, happening, now, late):
            notification_order(
                session,
                organization_id=organization_id,
                notification_id=new_id(),
                change_id=happening.change_id,
                event_id=happening.event_id,
                url=str(happening.webhook_url),
                payload=payload_of(happening),
                now=now,
            )
            done.notified += 1
    ids = [each.change_id for each in waiting if each.change_id not in sorted_out.held]
    happenings_done(session, organization_id=organization_id, change_ids=ids, now=now)
    happenings_hold(session, organization_id=organization_id, due=sorted_out.held)
    events_followed(session, organization_id=organization_id, event_ids=sorted_out.followed, now=now)
    done.changes = len(waiting)
    done.change_ids = [each.change_id for each in waiting]
    return done


def payload_of(happening: Happening) -> dict[str, Any]:
    """Return what a webhook is told, JSON; see docs/webhooks.md."""
    return {
        "change": happening.kind.value,
        "at": instant_text(happening.at),
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


def _is_history(happening: Happening, now: datetime, late: timedelta | None) -> bool:
    return happening.kind in OPENS and _is_over(happening, now, late)


def _is_over(happening: Happening, now: datetime, late: timedelta | None) -> bool:
    return late is not None and happening.cleared_at is not None and happening.cleared_at < now - late


def _is_told(
    session: Session, organization_id: int, happening: Happening, now: datetime, late: timedelta | None
) -> bool:
    """Tell whether a webhook is to be called: of what is long over, only where it was told of the beginning."""
    if happening.webhook_url is None or happening.kind is ChangeKind.CORRECTED:
        return False
    if not _is_over(happening, now, late):
        return True
    return notifications_exist(session, organization_id=organization_id, event_id=happening.event_id)


def _on_activities(session: Session, organization_id: int, news: Sequence[Happening]) -> list[Happening]:
    """Return what an activity follows, or may. One statement at most."""
    # One that is made in this very transaction opened before: its rule has a template.
    doubtful = [each for each in news if each.kind in CLOSES and each.template_id is None]
    pairs = [(each.rule_id, each.entity_id) for each in doubtful]
    standing = activities_standing(session, organization_id=organization_id, pairs=pairs)
    found = {each.change_id for each, activity in zip(doubtful, standing, strict=True) if activity is not None}
    return [
        each
        for each in news
        if each.change_id in found or (each.template_id is not None and (each.kind in OPENS or each.kind in CLOSES))
    ]
