"""Act on what became of events: activities are made, opened again, suggested to be closed; webhooks are called.

All of it in the transaction that marks the change acted: nothing is done twice, whoever crashes when.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from domain.pipeline.act.apply import CLOSES, Acted, activities_follow
from domain.pipeline.act.notify import events_tell
from domain.pipeline.act.outbox import (
    EventChange,
    acting_hold,
    events_followed,
    happenings_done,
    happenings_hold,
    happenings_next,
)
from domain.pipeline.act.suppressed import OPENS, happenings_sort, quiet_ends
from domain.work.activities.queries import activities_standing
from graph.change import graph_change_begin
from graph.ids import NewId

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
    done.notified = events_tell(
        session,
        organization_id=organization_id,
        happenings=waiting,
        news=news,
        quiet=quiet.keys(),
        now=now,
        new_id=new_id,
    )
    ids = [each.change_id for each in waiting if each.change_id not in sorted_out.held]
    happenings_done(session, organization_id=organization_id, change_ids=ids, now=now)
    happenings_hold(session, organization_id=organization_id, due=sorted_out.held)
    events_followed(session, organization_id=organization_id, event_ids=sorted_out.followed, now=now)
    done.changes = len(waiting)
    done.change_ids = [each.change_id for each in waiting]
    return done


def _is_history(happening: EventChange, now: datetime, late: timedelta | None) -> bool:
    if late is None or happening.kind not in OPENS or happening.cleared_at is None:
        return False
    return happening.cleared_at < now - late


def _on_activities(session: Session, organization_id: int, news: Sequence[EventChange]) -> list[EventChange]:
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
