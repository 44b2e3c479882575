"""Read templates of activities."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from domain.work.activity_templates.model import ActivityTemplate
from domain.work.activity_templates.tables import activity_templates
from graph.errors import NotFoundError
from graph.keyset import Keyset
from graph.paging import Page, PageRequest
from graph.sql import any_of

_KEYSET: Final = Keyset("activity templates", {"name": activity_templates.c.name, "id": activity_templates.c.id})


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
    rows = _KEYSET.page(session, select(activity_templates).where(*here), page)
    return rows.of([template_of(row) for row in rows.items])


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
