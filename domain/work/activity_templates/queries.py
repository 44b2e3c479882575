"""Read templates of activities."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, func, select, tuple_
from sqlalchemy.orm import Session

from domain.work.activity_templates.model import ActivityTemplate
from domain.work.activity_templates.tables import activity_templates
from graph.errors import BadInputError, NotFoundError
from graph.paging import Page, PageRequest
from graph.sql import any_of

_CURSOR: Final = "activity_templates"


def activity_templates_get(
    session: Session, *, organization_id: int, ids: Collection[UUID]
) -> dict[UUID, ActivityTemplate]:
    """Return the templates of these ids, deleted ones too. One statement."""
    rows = session.execute(
        select(activity_templates).where(
            activity_templates.c.organization_id == organization_id, any_of(activity_templates.c.id, ids)
        )
    )
    return {row.id: template_of(row) for row in rows}


def activity_template_get(
    session: Session, *, organization_id: int, template_id: UUID, path: tuple[str, ...] = ("id",)
) -> ActivityTemplate:
    """Return a template. Raises NotFoundError, also for one that is deleted."""
    activity_template = activity_templates_get(session, organization_id=organization_id, ids=[template_id]).get(
        template_id
    )
    if activity_template is None or activity_template.deleted_at is not None:
        raise NotFoundError(f"There is no template of activities {template_id}.", path=path)
    return activity_template


def activity_templates_page(session: Session, *, organization_id: int, page: PageRequest) -> Page[ActivityTemplate]:
    """Return one page, by name. One statement, and one more for the total if requested."""
    table = activity_templates.c
    here = (table.organization_id == organization_id, table.deleted_at.is_(None))
    after = []
    if page.after is not None:
        after = [tuple_(table.name, table.id) > _after(page.after)]
    rows = session.execute(
        select(activity_templates).where(*here, *after).order_by(table.name, table.id).limit(page.first + 1)
    ).all()
    items = [template_of(row) for row in rows[: page.first]]
    return Page(
        items,
        [(_CURSOR, item.name, str(item.id)) for item in items],
        len(rows) > page.first,
        page.after is not None,
        lambda: session.execute(select(func.count()).select_from(activity_templates).where(*here)).scalar_one(),
    )


def template_of(row: Row[Any]) -> ActivityTemplate:
    """Return a row of `activity_templates`."""
    return ActivityTemplate(
        row.id,
        row.name,
        row.description,
        row.type,
        row.default_priority,
        row.default_assigned_role,
        row.checklist,
        row.due_in,
        row.created_at.astimezone(UTC),
        row.updated_at.astimezone(UTC),
        None if row.deleted_at is None else row.deleted_at.astimezone(UTC),
    )


def _after(key: tuple[Any, ...]) -> tuple[str, UUID]:
    try:
        name_of_list, name, last = key
        if name_of_list == _CURSOR and isinstance(name, str):
            return name, UUID(last)
    except (ValueError, TypeError, AttributeError):
        pass
    raise BadInputError("This is no cursor of a page of templates.", path=("after",))
