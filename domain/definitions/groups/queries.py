"""Read groups of entities, and when their members are members."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, cast, func, select, text
from sqlalchemy.orm import Session

from domain.definitions.groups.model import Group, GroupKind
from domain.definitions.groups.tables import group_members, groups
from graph.errors import NotFoundError
from graph.keyset import Keyset
from graph.paging import Page, PageRequest
from graph.sql import any_of
from graph.tables import INSTANT, entities
from graph.walk.spans import BEGIN_US, END_US, Spans

_KEYSET: Final = Keyset("groups", {"name": groups.c.name, "id": groups.c.id})
_SPANS: Final = text(
    """
    SELECT m.entity_id, m.group_id,
        coalesce(CAST(extract(epoch FROM lower(s.span)) * 1000000 AS bigint), :begin) AS begins_us,
        coalesce(CAST(extract(epoch FROM upper(s.span)) * 1000000 AS bigint), :end) AS ends_us
    FROM group_members m CROSS JOIN LATERAL unnest(m.valid) AS s (span)
    WHERE m.organization_id = :organization_id AND m.group_id = ANY (CAST(:groups AS uuid[]))
        AND m.entity_id = ANY (CAST(:entities AS uuid[]))
    ORDER BY m.entity_id, m.group_id, s.span
    """
)


def groups_get(session: Session, *, organization_id: int, ids: Collection[UUID]) -> dict[UUID, Group]:
    """Return the groups of these ids, deleted ones too. One statement."""
    rows = session.execute(select(groups).where(groups.c.organization_id == organization_id, any_of(groups.c.id, ids)))
    return {row.id: _group(row) for row in rows}


def group_get(session: Session, *, organization_id: int, group_id: UUID, path: tuple[str, ...] = ("id",)) -> Group:
    """Return a group. Raises NotFoundError, also for one that is deleted. path: of the argument that names it."""
    group = groups_get(session, organization_id=organization_id, ids=[group_id]).get(group_id)
    if group is None or group.deleted_at is not None:
        raise NotFoundError(f"There is no group {group_id}.", path=path)
    return group


def groups_page(session: Session, *, organization_id: int, page: PageRequest) -> Page[Group]:
    """Return one page, by name. One statement, and one more for the total if requested."""
    here = (groups.c.organization_id == organization_id, groups.c.deleted_at.is_(None))
    count = select(func.count()).select_from(groups).where(*here)
    rows = _KEYSET.page(session, select(groups).where(*here), page, count=count)
    return rows.of([_group(row) for row in rows.items])


def members_select(*, organization_id: int, group_id: UUID, as_of: datetime) -> Select[Any]:
    """Return the statement of the ids of the members of a static group at an instant, deleted entities too."""
    return select(group_members.c.entity_id).where(
        group_members.c.organization_id == organization_id,
        group_members.c.group_id == group_id,
        is_member(as_of),
    )


def members_ever(*, organization_id: int, group_id: UUID) -> Select[Any]:
    """Return the statement of the ids of whoever is, was or will be a member of a static group."""
    return select(group_members.c.entity_id).where(
        group_members.c.organization_id == organization_id, group_members.c.group_id == group_id
    )


def member_counts(session: Session, *, organization_id: int, ids: Collection[UUID], as_of: datetime) -> dict[UUID, int]:
    """Return how many members each of these static groups has at an instant, deleted entities left out.

    Groups without any are left out. One statement.
    """
    is_entity: ColumnElement[bool] = and_(
        entities.c.organization_id == group_members.c.organization_id, entities.c.id == group_members.c.entity_id
    )
    rows = session.execute(
        select(group_members.c.group_id, func.count().label("members"))
        .join_from(group_members, entities, is_entity)
        .where(
            group_members.c.organization_id == organization_id,
            any_of(group_members.c.group_id, ids),
            is_member(as_of),
            entities.c.deleted_at.is_(None),
        )
        .group_by(group_members.c.group_id)
    )
    return {row.group_id: row.members for row in rows}


def memberships_read(
    session: Session, *, organization_id: int, group_ids: Collection[UUID], entity_ids: Collection[UUID]
) -> Mapping[UUID, Mapping[UUID, Spans]]:
    """Return when each of these entities is a member of which of these static groups, by entity and group.

    Whoever never is one is left out. One statement.
    """
    rows = session.execute(
        _SPANS,
        {
            "organization_id": organization_id,
            "groups": list(group_ids),
            "entities": list(entity_ids),
            "begin": BEGIN_US,
            "end": END_US,
        },
    )
    memberships: dict[UUID, dict[UUID, Spans]] = {}
    for row in rows:
        memberships.setdefault(row.entity_id, {}).setdefault(row.group_id, []).append((row.begins_us, row.ends_us))
    return memberships


def is_member(as_of: datetime) -> ColumnElement[bool]:
    """Return the condition on `group_members` that an entity is a member at an instant."""
    contains: ColumnElement[bool] = group_members.c.valid.op("@>", is_comparison=True)(cast(as_of, INSTANT))
    return contains


def _group(row: Row[Any]) -> Group:
    return Group(
        row.id,
        row.name,
        row.description,
        GroupKind(row.kind),
        row.filter,
        row.created_at.astimezone(UTC),
        row.updated_at.astimezone(UTC),
        None if row.deleted_at is None else row.deleted_at.astimezone(UTC),
    )
