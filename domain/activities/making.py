"""Make activities from templates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from domain.activities.assignment import assignee_choose
from domain.activities.model import ACTIVITY, CATEGORY_DEFAULT, PRIORITY_DEFAULT, Origin, StepKind
from domain.activities.operations import activity_details
from domain.activities.progress import activity_assign
from domain.activities.steps import step_write
from domain.activities.tables import activities
from domain.activity_templates.queries import activity_template_get
from domain.noun import noun_create
from graph.change import GraphChange
from graph.edges.operations import edge_create
from graph.entities.model import Entity, EntityDraft
from graph.errors import ArgusError, BadInputError, LimitExceededError
from graph.relationships.builtin import TARGETS

TARGETS_MAX: Final = 100


def activity_create_from_template(
    session: Session,
    *,
    change: GraphChange,
    template_id: UUID,
    target_ids: Sequence[UUID],
    origin: Origin | None = None,
) -> Entity:
    """Make one activity about these targets from a template; due `dueIn` after the change.

    It is given to a person of the template's role who is where a target is (see `assignee_choose`), or is OPEN.
    origin: of one that makes itself; it takes the place of its rule and target, which must be free.
    Raises NotFoundError for the template or a target, BadInputError for none or one given twice, LimitExceededError
    above TARGETS_MAX.
    """
    template = activity_template_get(
        session, organization_id=change.organization_id, template_id=template_id, path=("templateId",)
    )
    if not target_ids or len(set(target_ids)) < len(target_ids):
        raise BadInputError("An activity has at least one target, and each once.", path=("targetIds",))
    if len(target_ids) > TARGETS_MAX:
        raise LimitExceededError(f"An activity may have {TARGETS_MAX} targets.", path=("targetIds",))
    attributes = {} if template.description is None else {"description": template.description}
    created = noun_create(
        session,
        change=change,
        noun=ACTIVITY,
        draft=EntityDraft(name=template.name, type=template.type, attributes=attributes),
        details=activity_details(
            category=CATEGORY_DEFAULT,
            priority=template.default_priority or PRIORITY_DEFAULT,
            due_at=None if template.due_in is None else change.recorded + template.due_in,
            checklist=[{**item, "done": False} for item in template.checklist],
        ),
    )
    source = {"template_id": template.id}
    if origin is not None:
        source |= {"rule_id": origin.rule_id, "event_id": origin.event_id, "target_id": origin.target_id}
    session.execute(
        update(activities)
        .where(activities.c.organization_id == change.organization_id, activities.c.id == created.id)
        .values(**source, holds_place=origin is not None)
    )
    step_write(
        session,
        change=change,
        activity_id=created.id,
        kind=StepKind.CREATED,
        to_status=created.status,
        event_id=None if origin is None else origin.event_id,
    )
    for place, target_id in enumerate(target_ids):
        try:
            edge_create(session, change=change, source_id=created.id, target_id=target_id, relationship=TARGETS)
        except ArgusError as fault:
            raise type(fault)(fault.message, path=("targetIds", str(place)), code=fault.code) from fault
    role = template.default_assigned_role
    person_id = None
    if role is not None:
        person_id = assignee_choose(
            session,
            organization_id=change.organization_id,
            role=role,
            target_ids=target_ids,
            at=change.recorded,
        )
    if person_id is None:
        return created
    return activity_assign(session, change=change, activity_id=created.id, person_id=person_id)
