"""Create, change activities. Deleting and restoring is the same for all kinds: domain/nodes/operations.py."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from domain.plant.entity_kind import typed_entity_create, typed_entity_update
from domain.work.activities.assignees import assignments_update
from domain.work.activities.checklist import checklist_check, required_items_check
from domain.work.activities.lifecycle import is_state, move_check, state_of
from domain.work.activities.model import ACTIVITY, CATEGORY_DEFAULT, PRIORITY_DEFAULT, StepKind
from domain.work.activities.place import place_check
from domain.work.activities.queries import checklist_get
from domain.work.activities.steps import step_write
from graph.absent import ABSENT, Absent
from graph.change import GraphChange
from graph.entities.model import Entity, EntityDraft, EntityPatch
from graph.entities.queries import entity_get
from graph.instants import instant_utc
from graph.json_bounds import text_check
from graph.kinds import EntityKind

WORD_MAX_CHARS: Final = 100


def activity_create(
    session: Session,
    *,
    change: GraphChange,
    draft: EntityDraft,
    category: str | None = None,
    priority: str | None = None,
    due_at: datetime | None = None,
    checklist: Sequence[Any] | None = None,
) -> Entity:
    """Create an activity. None: category general, priority medium, no due time, an empty checklist.

    Raises BadInputError, LimitExceededError, ConflictError where the external id is taken, or where it would be DONE
    with required items that are not.
    """
    details = activity_details(
        category=CATEGORY_DEFAULT if category is None else category,
        priority=PRIORITY_DEFAULT if priority is None else priority,
        due_at=due_at,
        checklist=() if checklist is None else checklist,
    )
    if draft.status is not None:
        required_items_check(details["checklist"], state=state_of(draft.status), path=("status",))
    return typed_entity_create(session, change=change, spec=ACTIVITY, draft=draft, details=details)


def activity_update(
    session: Session,
    *,
    change: GraphChange,
    activity_id: UUID,
    patch: EntityPatch,
    category: str | Absent = ABSENT,
    priority: str | Absent = ABSENT,
    due_at: datetime | Absent | None = ABSENT,
    checklist: Sequence[Any] | Absent = ABSENT,
) -> Entity:
    """Change an activity; a checklist is replaced whole. A status of the lifecycle is a transition like any other.

    Raises NotFoundError, BadInputError, LimitExceededError, ConflictError, also where the status is no allowed one,
    would be assigned to nobody, or would be DONE with required items that are not.
    """
    details = activity_details(category=category, priority=priority, due_at=due_at, checklist=checklist)
    before = entity_get(
        session, organization_id=change.organization_id, entity_id=activity_id, kind=EntityKind.ACTIVITY
    )
    status = patch.status
    moves = not isinstance(status, Absent) and status != before.status
    if moves and isinstance(status, str) and is_state(status):
        was, becomes = state_of(before.status), state_of(status)
        if is_state(before.status):
            move_check(was, becomes, path=("status",))
        assignments_update(session, change=change, activity_id=before.id, before=was, after=becomes, path=("status",))
        place_check(session, change=change, activity_id=before.id, before=before.status, after=status, path=("status",))
    if moves or "checklist" in details:
        required_items_check(
            details["checklist"]
            if "checklist" in details
            else checklist_get(session, organization_id=change.organization_id, activity_id=before.id),
            state=state_of(status if isinstance(status, str) else before.status),
            path=("status",) if moves else ("checklist",),
        )
    after = typed_entity_update(
        session, change=change, spec=ACTIVITY, entity_id=activity_id, patch=patch, details=details
    )
    if moves:
        step_write(
            session, change=change, activity_id=before.id, kind=StepKind.MOVED,
            from_status=before.status, to_status=after.status,
        )  # fmt: skip
    return after


def activity_details(
    *,
    category: str | Absent,
    priority: str | Absent,
    due_at: datetime | Absent | None,
    checklist: Sequence[Any] | Absent,
) -> dict[str, Any]:
    """Return the columns of those of an activity's details that are given. Raises BadInputError."""
    details: dict[str, Any] = {}
    for name, word in (("category", category), ("priority", priority)):
        if not isinstance(word, Absent):
            details[name] = text_check(word, path=(name,), min_chars=1, max_chars=WORD_MAX_CHARS)
    if not isinstance(due_at, Absent):
        details["due_at"] = None if due_at is None else instant_utc(due_at, path="dueAt")
    if not isinstance(checklist, Absent):
        details["checklist"] = checklist_check(checklist)
    return details
