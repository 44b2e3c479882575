"""Act on what became of events: activities are made, opened again, suggested to be closed; webhooks are called.

All of it in the transaction that marks the change acted: nothing is done twice, whoever crashes when.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

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
from domain.activities.lifecycle import ActivityState, state_of
from domain.activities.making import activity_create_from_template
from domain.activities.model import ACTIVITY, Origin, StepKind
from domain.activities.progress import activity_transition
from domain.activities.queries import activities_of_events
from domain.activities.steps import step_write
from domain.activities.tables import activities
from domain.notifications.operations import notification_order
from domain.notifications.queries import notifications_exist
from domain.noun import noun_update
from graph.change import GraphChange, graph_change_begin
from graph.entities.model import EntityPatch
from graph.errors import ArgusError
from graph.ids import NewId
from graph.tables import entities

# How the audit trail names who acts on events.
ACTOR: Final = "argus:act"
# An event that opened and cleared longer ago than this is history: nobody is sent after it.
LATE: Final = timedelta(days=1)
_CLOSES: Final = {ChangeKind.CLEARED: "CLOSE", ChangeKind.WITHDRAWN: "CANCEL"}


@dataclass(slots=True)
class Acted:
    """What a transaction did; void unless it commits. changes: looked at. refused: why activities were not made."""

    changes: int = 0
    created: int = 0
    reopened: int = 0
    suggested: int = 0
    notified: int = 0
    refused: list[str] | None = None


@dataclass(frozen=True, slots=True)
class _Standing:
    """An activity of a rule and target."""

    id: UUID
    state: ActivityState


def changes_act(
    session: Session,
    *,
    organization_id: int,
    now: datetime,
    new_id: NewId,
    limit: int = 100,
    late: timedelta | None = LATE,
) -> Acted:
    """Follow the next changes of an organization's events, in order; nothing where another does so now.

    now: the wall's. late: what opened and cleared longer before it is history; None: nothing is. The organization's
    graph is locked only where an activity changes.
    """
    done = Acted()
    if not acting_hold(session, organization_id=organization_id):
        return done
    waiting = happenings_next(session, organization_id=organization_id, now=now, limit=limit)
    if not waiting:
        return done
    quiet = quiet_ends(session, organization_id=organization_id, happenings=waiting, now=now)
    sorted_out = happenings_sort(waiting, quiet=quiet, is_history=lambda each: _is_history(each, now, late))
    news = sorted_out.news
    work = [each for each in news if _touches_activities(session, organization_id, each)]
    if work:
        # Of activities nothing is derived.
        change = graph_change_begin(
            session, organization_id=organization_id, actor=ACTOR, new_id=new_id, bears_on_derived=False
        )
        for happening in work:
            _follow(session, change, happening, done)
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
    return done


def payload_of(happening: Happening) -> dict[str, Any]:
    """Return what a webhook is told, JSON; see docs/webhooks.md."""
    return {
        "change": happening.kind.value,
        "at": _text(happening.at),
        "event": {
            "id": str(happening.event_id),
            "severity": happening.severity,
            "beganAt": _text(happening.began_at),
            "openedAt": _text(happening.opened_at),
            "clearedAt": None if happening.cleared_at is None else _text(happening.cleared_at),
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


def _touches_activities(session: Session, organization_id: int, happening: Happening) -> bool:
    if happening.kind in OPENS:
        return happening.template_id is not None
    if happening.kind not in _CLOSES:
        return False
    # One that is made in this very transaction opened before: its rule has a template.
    return happening.template_id is not None or bool(_standing(session, organization_id, happening))


def _follow(session: Session, change: GraphChange, happening: Happening, done: Acted) -> None:
    standing = _standing(session, change.organization_id, happening)
    last = standing[0] if standing else None
    if happening.kind in _CLOSES:
        if last is not None and not last.state.is_finished and not happening.others_open:
            known = activities_of_events(session, organization_id=change.organization_id, ids=[happening.event_id])
            # An event of long ago that nobody was sent after says nothing about what is to be done now.
            if last.id in known.get(happening.event_id, ()):
                _suggest(session, change, happening, last.id)
                done.suggested += 1
        return
    if last is not None and not last.state.is_finished:
        _note(session, change, happening, last.id)
    elif last is not None and last.state is ActivityState.DONE:
        activity_transition(
            session, change=change, activity_id=last.id, to=ActivityState.OPEN, event_id=happening.event_id
        )
        done.reopened += 1
    else:
        _make(session, change, happening, done)


def _make(session: Session, change: GraphChange, happening: Happening, done: Acted) -> None:
    assert happening.template_id is not None  # noqa: S101  (the caller has looked)
    try:
        with session.begin_nested():
            activity_create_from_template(
                session,
                change=change,
                template_id=happening.template_id,
                target_ids=[happening.entity_id],
                origin=Origin(happening.rule_id, happening.event_id, happening.entity_id),
            )
    except ArgusError as fault:
        # The template or the entity was deleted: there is nothing to be done, and the next change goes on.
        done.refused = [*(done.refused or ()), f"{happening.event_id}: {fault.message}"]
    else:
        done.created += 1


def _note(session: Session, change: GraphChange, happening: Happening, activity_id: UUID) -> None:
    """Note an event at an activity that is not done yet; it is not to be closed any more."""
    _suggestion_set(session, change, activity_id, None)
    step_write(session, change=change, activity_id=activity_id, kind=StepKind.EVENT, event_id=happening.event_id)


def _suggest(session: Session, change: GraphChange, happening: Happening, activity_id: UUID) -> None:
    action = _CLOSES[happening.kind]
    suggestion = {"action": action, "eventId": str(happening.event_id), "at": _text(happening.at)}
    _suggestion_set(session, change, activity_id, suggestion)
    step_write(
        session, change=change, activity_id=activity_id, kind=StepKind.SUGGESTED,
        event_id=happening.event_id, to_status=action,
    )  # fmt: skip


def _suggestion_set(
    session: Session, change: GraphChange, activity_id: UUID, suggestion: dict[str, Any] | None
) -> None:
    noun_update(
        session, change=change, noun=ACTIVITY, entity_id=activity_id, patch=EntityPatch(),
        details={"suggestion": suggestion},
    )  # fmt: skip


def _standing(session: Session, organization_id: int, happening: Happening) -> Sequence[_Standing]:
    """Return the activity of a rule and target that counts, if any: the unfinished one, else the newest."""
    rows = session.execute(
        select(activities.c.id, entities.c.status)
        .join(
            entities,
            (entities.c.organization_id == activities.c.organization_id) & (entities.c.id == activities.c.id),
        )
        .where(
            activities.c.organization_id == organization_id,
            activities.c.rule_id == happening.rule_id,
            activities.c.target_id == happening.entity_id,
            entities.c.deleted_at.is_(None),
        )
        .order_by(activities.c.holds_place.desc(), entities.c.created_at.desc(), activities.c.id.desc())
        .limit(1)
    )
    return [_Standing(row.id, state_of(row.status)) for row in rows]


def _text(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
