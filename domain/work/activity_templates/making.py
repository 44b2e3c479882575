"""Create activities from templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from domain.plant.entity_kind import typed_entities_create
from domain.work.activities.assignment import assignee_choose
from domain.work.activities.model import ACTIVITY, CATEGORY_DEFAULT, PRIORITY_DEFAULT, Origin, StepKind
from domain.work.activities.operations import activity_details
from domain.work.activities.progress import activity_assign
from domain.work.activities.steps import steps_write
from domain.work.activity_templates.model import ActivityTemplate
from domain.work.activity_templates.queries import activity_templates_get
from graph.change import GraphChange
from graph.edges.bulk import EdgeDraft, edges_create
from graph.entities.model import Entity, EntityDraft
from graph.errors import ArgusError, BadInputError, LimitExceededError, NotFoundError
from graph.relationships.builtin import TARGETS

TARGETS_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class ActivityOrder:
    """An order to create an activity from a template. origin: of an automatic one; its place must be free."""

    template_id: UUID
    target_ids: Sequence[UUID]
    origin: Origin | None = None


def activity_create_from_template(
    session: Session,
    *,
    change: GraphChange,
    template_id: UUID,
    target_ids: Sequence[UUID],
    origin: Origin | None = None,
) -> Entity:
    """Create one activity about these targets from a template; see `activities_create_from_templates`.

    Raises NotFoundError for the template or a target, BadInputError for none or one given twice, LimitExceededError
    above TARGETS_MAX.
    """
    order = ActivityOrder(template_id, target_ids, origin)
    [activity] = activities_create_from_templates(session, change=change, orders=[order])
    if isinstance(activity, ArgusError):
        raise activity
    return activity


def activities_create_from_templates(
    session: Session, *, change: GraphChange, orders: Sequence[ActivityOrder]
) -> list[Entity | ArgusError]:
    """Create activities from templates, each due `dueIn` from now; return each, in order, or the error that refused it.

    It is given to a person of the template's role who is where a target is (see `assignee_choose`), or is OPEN. But for
    that, statements do not grow with the number of activities.
    """
    results: dict[int, Entity | ArgusError] = {}
    ids = {order.template_id for order in orders}
    templates = activity_templates_get(session, organization_id=change.organization_id, ids=ids)
    for place, order in enumerate(orders):
        try:
            _order_check(order, templates)
        except ArgusError as fault:
            results[place] = fault
    while left := [place for place in range(len(orders)) if place not in results]:
        try:
            with session.begin_nested():
                done = _create(session, change, [(place, orders[place]) for place in left], templates)
        except _RefusedError as refused:
            # Of those nothing may stay; the others are made without them.
            results |= refused.faults
        else:
            results |= done
    for place, order in enumerate(orders):
        created = results[place]
        if isinstance(created, Entity):
            results[place] = _assign(session, change, created, order, templates[order.template_id])
    return [results[place] for place in range(len(orders))]


class _RefusedError(Exception):
    """Some activities cannot be made, by their places."""

    def __init__(self, faults: Mapping[int, ArgusError]) -> None:
        super().__init__(faults)
        self.faults = faults


def _order_check(order: ActivityOrder, templates: Mapping[UUID, ActivityTemplate]) -> None:
    template = templates.get(order.template_id)
    if template is None or template.deleted_at is not None:
        raise NotFoundError(f"There is no template of activities {order.template_id}.", path=("templateId",))
    if not order.target_ids or len(set(order.target_ids)) < len(order.target_ids):
        raise BadInputError("An activity has at least one target, and each once.", path=("targetIds",))
    if len(order.target_ids) > TARGETS_MAX:
        raise LimitExceededError(f"An activity may have {TARGETS_MAX} targets.", path=("targetIds",))


def _create(
    session: Session,
    change: GraphChange,
    orders: Sequence[tuple[int, ActivityOrder]],
    templates: Mapping[UUID, ActivityTemplate],
) -> dict[int, Entity]:
    """Write activities with their first step and their targets. Raises _RefusedError."""
    templates_of = [templates[order.template_id] for _, order in orders]
    new_activities = typed_entities_create(
        session,
        change=change,
        spec=ACTIVITY,
        new=[(_draft(template), _details(change, template), None) for template in templates_of],
        besides=[_besides(order) for _, order in orders],
    )
    created: dict[int, Entity] = {}
    faults: dict[int, ArgusError] = {}
    for (place, _), item in zip(orders, new_activities, strict=True):
        if isinstance(item, ArgusError):
            faults[place] = item
        else:
            created[place] = item
    steps: list[tuple[UUID, dict[str, Any]]] = []
    edges: list[tuple[int, int, EdgeDraft]] = []
    for place, order in orders:
        if place in faults:
            continue
        event_id = None if order.origin is None else order.origin.event_id
        steps.append((created[place].id, {"to_status": created[place].status, "event_id": event_id}))
        edges += [
            (place, n, EdgeDraft(source_id=created[place].id, target_id=target_id, relationship=TARGETS))
            for n, target_id in enumerate(order.target_ids)
        ]
    steps_write(session, change=change, kind=StepKind.CREATED, steps=steps)
    written = edges_create(session, change=change, drafts=[draft for _, _, draft in edges])
    for (place, n, _), edge in zip(edges, written, strict=True):
        if isinstance(edge, ArgusError) and place not in faults:
            faults[place] = type(edge)(edge.message, path=("targetIds", str(n)), code=edge.code)
    if faults:
        raise _RefusedError(faults)
    return created


def _draft(template: ActivityTemplate) -> EntityDraft:
    attributes = {} if template.description is None else {"description": template.description}
    return EntityDraft(name=template.name, type=template.type, attributes=attributes)


def _details(change: GraphChange, template: ActivityTemplate) -> Mapping[str, Any]:
    return activity_details(
        category=CATEGORY_DEFAULT,
        priority=template.default_priority or PRIORITY_DEFAULT,
        due_at=None if template.due_in is None else change.recorded + template.due_in,
        checklist=[{**item, "done": False} for item in template.checklist],
    )


def _besides(order: ActivityOrder) -> dict[str, Any]:
    origin = order.origin
    return {
        "template_id": order.template_id,
        "rule_id": None if origin is None else origin.rule_id,
        "event_id": None if origin is None else origin.event_id,
        "target_id": None if origin is None else origin.target_id,
        "holds_place": origin is not None,
    }


def _assign(
    session: Session, change: GraphChange, created: Entity, order: ActivityOrder, template: ActivityTemplate
) -> Entity:
    role = template.default_assigned_role
    if role is None:
        return created
    person_id = assignee_choose(
        session, organization_id=change.organization_id, role=role, target_ids=order.target_ids, at=change.recorded
    )
    if person_id is None:
        return created
    return activity_assign(session, change=change, activity_id=created.id, person_id=person_id)
