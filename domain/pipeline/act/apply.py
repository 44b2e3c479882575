"""Apply event changes to activities, many in a few statements: create, reopen, or suggest to close them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from domain.pipeline.act.outbox import ChangeKind, EventChange
from domain.pipeline.act.suppressed import OPENS
from domain.plant.entity_kind import entity_details_update
from domain.work.activities.lifecycle import ActivityState
from domain.work.activities.model import ACTIVITY, Origin, StepKind
from domain.work.activities.progress import activity_transition
from domain.work.activities.queries import activities_current, activities_of_events
from domain.work.activities.steps import steps_write
from domain.work.activity_templates.making import ActivityOrder, activities_create_from_templates
from graph.change import GraphChange
from graph.errors import ArgusError
from graph.instants import instant_text

CLOSES: Final = {ChangeKind.CLEARED: "CLOSE", ChangeKind.WITHDRAWN: "CANCEL"}


@dataclass(slots=True)
class AppliedActions:
    """The result of a transaction; void unless it commits. changes: looked at. refused: why activities were not made.

    change_ids: of the changes looked at. is_elsewhere: another acts for the organization just now, and may not see what
    came last.
    """

    changes: int = 0
    is_elsewhere: bool = False
    created: int = 0
    reopened: int = 0
    suggested: int = 0
    notified: int = 0
    refused: list[str] | None = None
    change_ids: list[int] = field(default_factory=list)


def activity_actions_apply(
    session: Session, *, change: GraphChange, event_changes: Sequence[EventChange], done: AppliedActions
) -> None:
    """Apply event changes, each of which has a template or closes, in order; count in `done` what was done."""
    for some in rounds(event_changes):
        _round(session, change, some, done)


def rounds(event_changes: Sequence[EventChange]) -> Iterator[list[EventChange]]:
    """Cut event changes into rounds that can be applied at once: in each, a rule and target comes once."""
    some: list[EventChange] = []
    pairs: set[tuple[UUID, UUID]] = set()
    for event_change in event_changes:
        pair = (event_change.rule_id, event_change.entity_id)
        if pair in pairs:
            yield some
            some, pairs = [], set()
        some.append(event_change)
        pairs.add(pair)
    if some:
        yield some


def _round(session: Session, change: GraphChange, event_changes: Sequence[EventChange], done: AppliedActions) -> None:
    """Apply event changes of which no two are of one rule and target."""
    current = activities_current(
        session,
        organization_id=change.organization_id,
        pairs=[(item.rule_id, item.entity_id) for item in event_changes],
    )
    to_create: list[EventChange] = []
    noted: list[tuple[EventChange, UUID]] = []
    closing: list[tuple[EventChange, UUID]] = []
    for event_change, last in zip(event_changes, current, strict=True):
        if event_change.kind not in OPENS:
            if last is not None and not last.state.is_finished and not event_change.others_open:
                closing.append((event_change, last.id))
        elif last is not None and not last.state.is_finished:
            noted.append((event_change, last.id))
        elif last is not None and last.state is ActivityState.DONE:
            activity_transition(
                session, change=change, activity_id=last.id, to=ActivityState.OPEN, event_id=event_change.event_id
            )
            done.reopened += 1
        else:
            to_create.append(event_change)
    _make(session, change, to_create, done)
    _note(session, change, noted)
    _suggest(session, change, closing, done)


def _make(session: Session, change: GraphChange, event_changes: Sequence[EventChange], done: AppliedActions) -> None:
    orders = {
        event_change.event_id: ActivityOrder(
            event_change.template_id,
            [event_change.entity_id],
            Origin(event_change.rule_id, event_change.event_id, event_change.entity_id),
        )
        for event_change in event_changes
        if event_change.template_id is not None
    }
    if not orders:
        return
    created = activities_create_from_templates(session, change=change, orders=list(orders.values()))
    for event_id, activity in zip(orders, created, strict=True):
        if isinstance(activity, ArgusError):
            # The template or the entity was deleted: there is nothing to be done, and the next change goes on.
            done.refused = [*(done.refused or ()), f"{event_id}: {activity.message}"]
        else:
            done.created += 1


def _note(session: Session, change: GraphChange, noted: Sequence[tuple[EventChange, UUID]]) -> None:
    """Note events at activities that are not done yet; these are not to be closed any more."""
    _suggestions_set(session, change, {activity_id: None for _, activity_id in noted})
    steps = [(activity_id, {"event_id": event_change.event_id}) for event_change, activity_id in noted]
    steps_write(session, change=change, kind=StepKind.EVENT, steps=steps)


def _suggest(
    session: Session, change: GraphChange, closing: Sequence[tuple[EventChange, UUID]], done: AppliedActions
) -> None:
    """Suggest that activities be closed, or cancelled, that were made for these events or noted them."""
    if not closing:
        return
    ids = {event_change.event_id for event_change, _ in closing}
    known = activities_of_events(session, organization_id=change.organization_id, ids=ids)
    # An event of long ago that nobody was sent after says nothing about what is to be done now.
    meant = [(item, activity_id) for item, activity_id in closing if activity_id in known.get(item.event_id, ())]
    _suggestions_set(
        session,
        change,
        {
            activity_id: {"action": CLOSES[item.kind], "eventId": str(item.event_id), "at": instant_text(item.at)}
            for item, activity_id in meant
        },
    )
    steps = [(activity_id, {"event_id": item.event_id, "to_status": CLOSES[item.kind]}) for item, activity_id in meant]
    steps_write(session, change=change, kind=StepKind.SUGGESTED, steps=steps)
    done.suggested += len(meant)


def _suggestions_set(session: Session, change: GraphChange, suggestions: dict[UUID, dict[str, Any] | None]) -> None:
    if suggestions:
        details = {activity_id: {"suggestion": suggestion} for activity_id, suggestion in suggestions.items()}
        entity_details_update(session, change=change, spec=ACTIVITY, details=details)
