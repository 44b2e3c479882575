"""Move activities through their lifecycle: transitions, assignment, items of the checklist."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from domain.plant.entity_kind import typed_entity_update
from domain.work.activities.assignees import assignments_end, assignments_of, assignments_update
from domain.work.activities.checklist import item_id_of, required_items_check
from domain.work.activities.lifecycle import ActivityState, move_check, state_of
from domain.work.activities.model import ACTIVITY, StepKind
from domain.work.activities.place import place_check
from domain.work.activities.queries import checklist_get
from domain.work.activities.steps import note_check, step_write
from graph.change import GraphChange
from graph.edges.operations import edge_create
from graph.entities.model import Entity, EntityPatch
from graph.entities.queries import entity_get
from graph.errors import ConflictError, NotFoundError
from graph.instants import instant_text
from graph.kinds import EntityKind
from graph.relationships.builtin import ASSIGNED_TO
from graph.texts import text_nfc


def activity_transition(
    session: Session,
    *,
    change: GraphChange,
    activity_id: UUID,
    to: ActivityState,
    note: str | None = None,
    event_id: UUID | None = None,
) -> Entity:
    """Move an activity to another state. event_id: of the event that moves it, where one does.

    Raises NotFoundError, BadInputError for the note, ConflictError naming what is allowed, where this is not, naming
    the required items that are not done, where it would be ASSIGNED to nobody, or where another activity of its rule
    and target is unfinished.
    """
    note_check(note)
    before = entity_get(
        session, organization_id=change.organization_id, entity_id=activity_id, kind=EntityKind.ACTIVITY
    )
    move_check(state_of(before.status), to)
    required_items_check(
        checklist_get(session, organization_id=change.organization_id, activity_id=before.id), state=to, path=("to",)
    )
    assignments_update(session, change=change, activity_id=before.id, before=state_of(before.status), after=to)
    place_check(session, change=change, activity_id=before.id, before=before.status, after=to.status)
    # A suggestion to close is done with by whatever is decided.
    after = typed_entity_update(
        session,
        change=change,
        spec=ACTIVITY,
        entity_id=before.id,
        patch=EntityPatch(status=to.status),
        details={"suggestion": None},
    )
    step_write(
        session,
        change=change,
        activity_id=before.id,
        kind=StepKind.MOVED,
        from_status=before.status,
        to_status=to.status,
        event_id=event_id,
        note=note,
    )
    return after


def activity_assign(session: Session, *, change: GraphChange, activity_id: UUID, person_id: UUID | None) -> Entity:
    """Assign an unfinished activity to a person, from the change on, or unassign it (None).

    Who had it before has it no longer. An OPEN one becomes ASSIGNED, an ASSIGNED one that nobody has any more OPEN.
    Raises NotFoundError, ConflictError for one that is finished, or in progress and to be nobody's.
    """
    organization_id = change.organization_id
    before = entity_get(session, organization_id=organization_id, entity_id=activity_id, kind=EntityKind.ACTIVITY)
    state = state_of(before.status)
    if state.is_finished:
        raise ConflictError(f"An activity that is {state} cannot be assigned; reopen it first.", path=("id",))
    if person_id is None and state is ActivityState.IN_PROGRESS:
        raise ConflictError("An activity that is IN_PROGRESS is somebody's to do.", path=("personId",))
    if person_id is not None:
        _person_check(session, change, person_id)
    assigned = assignments_of(session, change=change, activity_id=before.id)
    if [edge.target_id for edge in assigned] == ([] if person_id is None else [person_id]):
        return before
    assignments_end(session, change=change, edges=assigned)
    if person_id is not None:
        edge_create(session, change=change, source_id=before.id, target_id=person_id, relationship=ASSIGNED_TO)
    step_write(session, change=change, activity_id=before.id, kind=StepKind.ASSIGNED, person_id=person_id)
    if person_id is not None and state is ActivityState.OPEN:
        return activity_transition(session, change=change, activity_id=before.id, to=ActivityState.ASSIGNED)
    if person_id is None and state is ActivityState.ASSIGNED:
        return activity_transition(session, change=change, activity_id=before.id, to=ActivityState.OPEN)
    return before


def activity_item_complete(
    session: Session,
    *,
    change: GraphChange,
    activity_id: UUID,
    item_id: str,
    done: bool = True,
    note: str | None = None,
) -> Entity:
    """Mark an item of a checklist done, or not done: with who and when (doneBy, doneAt), and the note.

    item_id: the item's `id`; of one without, its place, from 1.
    Raises NotFoundError for the activity or the item, BadInputError, ConflictError for one that is finished.
    """
    note_check(note)
    item_id, organization_id = text_nfc(item_id), change.organization_id
    before = entity_get(session, organization_id=organization_id, entity_id=activity_id, kind=EntityKind.ACTIVITY)
    if state_of(before.status).is_finished:
        raise ConflictError(f"An activity that is {state_of(before.status)} keeps its checklist.", path=("id",))
    checklist = checklist_get(session, organization_id=organization_id, activity_id=before.id)
    items: list[dict[str, Any]] = [dict(item) for item in checklist]
    matching = [item for place, item in enumerate(items, 1) if item_id_of(item, place) == item_id]
    if not matching:
        raise NotFoundError(f"The checklist has no item {item_id[:80]!r}.", path=("itemId",))
    matching[0]["done"] = done
    for member in ("doneBy", "doneAt", "note"):
        matching[0].pop(member, None)
    if done:
        matching[0] |= {"doneBy": change.actor, "doneAt": instant_text(change.recorded)}
    if note is not None:
        matching[0]["note"] = note
    after = typed_entity_update(
        session,
        change=change,
        spec=ACTIVITY,
        entity_id=before.id,
        patch=EntityPatch(),
        details={"checklist": items},
    )
    step_write(
        session, change=change, activity_id=before.id, kind=StepKind.ITEM, item_id=item_id, note=note,
        to_status="done" if done else "open",
    )  # fmt: skip
    return after


def _person_check(session: Session, change: GraphChange, person_id: UUID) -> None:
    try:
        entity_get(session, organization_id=change.organization_id, entity_id=person_id, kind=EntityKind.PERSON)
    except NotFoundError as fault:
        raise NotFoundError(fault.message, path=("personId",)) from fault
