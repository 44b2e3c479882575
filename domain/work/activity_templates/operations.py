"""Create, change and delete templates of activities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from domain.work.activities.checklist import checklist_check
from domain.work.activities.operations import WORD_MAX_CHARS
from domain.work.activity_templates.model import ActivityTemplate
from domain.work.activity_templates.queries import activity_template_get, activity_templates_get
from domain.work.activity_templates.tables import activity_templates
from graph.absent import ABSENT, Absent
from graph.change import GraphChange, change_record
from graph.entities.types import type_name_check
from graph.errors import BadInputError, ConflictError, LimitExceededError
from graph.json_bounds import json_same, text_check

TEMPLATES_MAX: Final = 1_000
NAME_MAX_CHARS: Final = 200
DESCRIPTION_MAX_CHARS: Final = 10_000
DUE_IN_MAX: Final = timedelta(days=3_660)


def activity_template_create(session: Session, *, change: GraphChange, name: str, **members: Any) -> ActivityTemplate:
    """Create a template. given: description, type, default_priority, default_assigned_role, checklist, due_in.

    Raises BadInputError, LimitExceededError above TEMPLATES_MAX, ConflictError where the name is taken.
    """
    values = _values(name=name, **members)
    _name_check(session, change, values["name"])
    count = session.execute(
        select(func.count()).where(
            activity_templates.c.organization_id == change.organization_id, activity_templates.c.deleted_at.is_(None)
        )
    ).scalar_one()
    if count >= TEMPLATES_MAX:
        raise LimitExceededError(f"An organization may have {TEMPLATES_MAX} templates of activities.", path=("name",))
    values = {"checklist": [], **values, "created_at": change.recorded, "updated_at": change.recorded}
    template_id = change.new_id()
    session.execute(
        insert(activity_templates), {"organization_id": change.organization_id, "id": template_id, **values}
    )
    return _finish(session, change, "created", None, template_id)


def activity_template_update(
    session: Session, *, change: GraphChange, template_id: UUID, name: str, **members: Any
) -> ActivityTemplate:
    """Update a template; ABSENT fields stay. Existing activities stay as they are.

    Raises NotFoundError, BadInputError, LimitExceededError, ConflictError where the name is taken.
    """
    before = activity_template_get(session, organization_id=change.organization_id, template_id=template_id)
    values = _values(name=name, **members)
    if values["name"] != before.name:
        _name_check(session, change, values["name"])
    _write(session, change, template_id, values)
    return _finish(session, change, "updated", before, template_id)


def activity_template_delete(session: Session, *, change: GraphChange, template_id: UUID) -> ActivityTemplate:
    """Delete a template: nothing is made from it any more. Raises NotFoundError."""
    before = activity_template_get(session, organization_id=change.organization_id, template_id=template_id)
    _write(session, change, template_id, {"deleted_at": change.recorded})
    return _finish(session, change, "deleted", before, template_id)


def _values(
    *,
    name: str,
    description: str | Absent | None = ABSENT,
    type: str | Absent | None = ABSENT,  # noqa: A002  (the contract's name)
    default_priority: str | Absent | None = ABSENT,
    default_assigned_role: str | Absent | None = ABSENT,
    checklist: Sequence[Any] | Absent | None = ABSENT,
    due_in: timedelta | Absent | None = ABSENT,
) -> dict[str, Any]:
    values: dict[str, Any] = {"name": text_check(name, path=("name",), min_chars=1, max_chars=NAME_MAX_CHARS)}
    if not isinstance(description, Absent):
        if description is not None:
            text_check(description, path=("description",), max_chars=DESCRIPTION_MAX_CHARS)
        values["description"] = description
    if not isinstance(type, Absent):
        values["type"] = None if type is None else type_name_check(type, path=("type",))
    words = (("default_priority", "defaultPriority", default_priority),
             ("default_assigned_role", "defaultAssignedRole", default_assigned_role))  # fmt: skip
    for column, path, word in words:
        if not isinstance(word, Absent):
            checked = None if word is None else text_check(word, path=(path,), min_chars=1, max_chars=WORD_MAX_CHARS)
            values[column] = checked
    if not isinstance(checklist, Absent):
        values["checklist"] = checklist_identified(checklist_check(() if checklist is None else checklist))
    if not isinstance(due_in, Absent):
        if due_in is not None and not timedelta(0) < due_in <= DUE_IN_MAX:
            raise BadInputError("dueIn must be more than nothing and at most ten years.", path=("dueIn",))
        values["due_in"] = due_in
    return values


def checklist_identified(items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the items, each with an id of its own: its place, from 1, where none is given.

    Raises BadInputError for an id that is no text or is repeated.
    """
    checklist_items: list[dict[str, Any]] = []
    taken: set[str] = set()
    for place, item in enumerate(items, 1):
        item_id = item.get("id", str(place))
        path = ("checklist", str(place - 1), "id")
        item_id = text_check(item_id, path=path, min_chars=1, max_chars=WORD_MAX_CHARS)
        if item_id in taken:
            raise BadInputError(f"Two items of the checklist have the id {item_id!r}.", path=path)
        taken.add(item_id)
        checklist_items.append({**item, "id": item_id})
    return checklist_items


def _name_check(session: Session, change: GraphChange, name: str) -> None:
    other = session.execute(
        select(activity_templates.c.id).where(
            activity_templates.c.organization_id == change.organization_id,
            activity_templates.c.name == name,
            activity_templates.c.deleted_at.is_(None),
        )
    ).scalar_one_or_none()
    if other is not None:
        raise ConflictError(f"There is a template {name!r} already: {other}.", path=("name",))


def _write(session: Session, change: GraphChange, template_id: UUID, values: Mapping[str, Any]) -> None:
    session.execute(
        update(activity_templates)
        .where(activity_templates.c.organization_id == change.organization_id, activity_templates.c.id == template_id)
        .values(**values, updated_at=change.recorded)
    )


def _finish(
    session: Session, change: GraphChange, action: str, before: ActivityTemplate | None, template_id: UUID
) -> ActivityTemplate:
    after = activity_templates_get(session, organization_id=change.organization_id, ids=[template_id])[template_id]
    states = (None if before is None else _state(before)), _state(after)
    if before is None or not json_same(*states) or action == "deleted":
        change_record(
            session,
            change=change,
            action=action,
            subject_type="activity_template",
            subject_id=template_id,
            before=states[0],
            after=None if action == "deleted" else states[1],
        )
    return after


def _state(template: ActivityTemplate) -> dict[str, Any]:
    due_in = template.due_in
    return {
        "name": template.name,
        "description": template.description,
        "type": template.type,
        "defaultPriority": template.default_priority,
        "defaultAssignedRole": template.default_assigned_role,
        "checklist": list(template.checklist),
        "dueInS": None if due_in is None else due_in.total_seconds(),
    }
