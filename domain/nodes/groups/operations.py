"""Create, change and delete groups of entities."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.orm import Session

from domain.definitions.groups.model import Group, GroupKind
from domain.definitions.groups.queries import group_get, groups_get
from domain.definitions.groups.tables import groups
from domain.nodes.filters.conditions import stored_filter_check
from domain.nodes.filters.groups import groups_named
from domain.nodes.filters.model import ListFilter
from domain.nodes.filters.stored import filter_json, filters_within
from graph.absent import ABSENT, Absent
from graph.change import GraphChange, change_record
from graph.edges.errors import CycleError
from graph.errors import BadInputError, ConflictError, LimitExceededError
from graph.json_bounds import json_object_check, json_same, text_check

GROUPS_MAX: Final = 1_000
NAME_MAX_CHARS: Final = 200
DESCRIPTION_MAX_CHARS: Final = 10_000
# The groups that lead to a group by their filters: what these name, and so on.
_REACHED: Final = text(
    """
    WITH RECURSIVE reached (id) AS (
        SELECT unnest(CAST(:ids AS uuid[]))
        UNION
        SELECT named.id FROM reached r
        JOIN groups g ON g.organization_id = :organization_id AND g.id = r.id
        CROSS JOIN LATERAL unnest(g.group_ids) AS named (id)
    )
    SELECT EXISTS (SELECT FROM reached r WHERE r.id = :group_id)
    """
)
# Rules whose version in force, or a later one, is about a group.
_RULES: Final = text(
    """
    SELECT r.name FROM rule_versions v
    JOIN rules r ON r.organization_id = v.organization_id AND r.id = v.rule_id
    WHERE v.organization_id = :organization_id AND v.group_id = :group_id AND r.deleted_at IS NULL
        AND NOT EXISTS (
            SELECT FROM rule_versions n
            WHERE n.organization_id = v.organization_id AND n.rule_id = v.rule_id
                AND n.effective_from > v.effective_from AND n.effective_from <= :now)
    ORDER BY r.name LIMIT 1
    """
)


def group_create(
    session: Session,
    *,
    change: GraphChange,
    name: str,
    kind: GroupKind,
    now: datetime,
    offline_after: timedelta,
    description: str | Absent | None = ABSENT,
    where: ListFilter | Absent | None = ABSENT,
) -> Group:
    """Create a group. where: of a dynamic one. now, offline_after: see `entity_filter`.

    Raises BadInputError, NotFoundError for what the filter names, LimitExceededError above GROUPS_MAX, ConflictError
    where the name is taken.
    """
    values = _values(session, change, name=name, description=description)
    if kind is GroupKind.DYNAMIC:
        values |= _filter_values(session, change, where, now=now, offline_after=offline_after)
    elif isinstance(where, ListFilter):
        message = "Only a DYNAMIC group has a filter: give that kind, or leave the filter out and add members."
        raise BadInputError(message, path=("filter",))
    count = session.execute(
        select(func.count()).where(groups.c.organization_id == change.organization_id, groups.c.deleted_at.is_(None))
    ).scalar_one()
    if count >= GROUPS_MAX:
        raise LimitExceededError(f"An organization may have {GROUPS_MAX} groups.", path=("name",))
    group_id = change.new_id()
    values |= {"kind": kind.value, "created_at": change.recorded, "updated_at": change.recorded}
    session.execute(insert(groups), {"organization_id": change.organization_id, "id": group_id, **values})
    return _finish(session, change, "created", None, group_id)


def group_update(
    session: Session,
    *,
    change: GraphChange,
    group_id: UUID,
    name: str,
    kind: GroupKind,
    now: datetime,
    offline_after: timedelta,
    description: str | Absent | None = ABSENT,
    where: ListFilter | Absent | None = ABSENT,
) -> Group:
    """Update a group; ABSENT fields stay. kind: STATIC is taken for not given, for it is the contract's default.

    Raises as `group_create`, NotFoundError, and CycleError for a filter that leads to the group itself.
    """
    before = group_get(session, organization_id=change.organization_id, group_id=group_id)
    values = _values(session, change, name=name, description=description, before=before)
    if before.kind is GroupKind.STATIC:
        if kind is GroupKind.DYNAMIC:
            raise BadInputError("The kind of a group stays; make another group.", path=("kind",))
        if isinstance(where, ListFilter):
            raise BadInputError("Only a DYNAMIC group has a filter; this one is STATIC.", path=("filter",))
    elif not isinstance(where, Absent):
        values |= _filter_values(session, change, where, now=now, offline_after=offline_after)
        reached = {"organization_id": change.organization_id, "ids": values["group_ids"], "group_id": group_id}
        if session.execute(_REACHED, reached).scalar_one():
            raise CycleError(f"The filter of the group {before.name!r} would lead to itself.", path=("filter",))
    _write(session, change, group_id, values)
    return _finish(session, change, "updated", before, group_id)


def group_delete(session: Session, *, change: GraphChange, group_id: UUID) -> Group:
    """Delete a group. When its members were members stays recorded, for the rules that were about it.

    Raises NotFoundError, and ConflictError where a rule or the filter of another group names it.
    """
    organization_id = change.organization_id
    before = group_get(session, organization_id=organization_id, group_id=group_id)
    values = {"organization_id": organization_id, "group_id": group_id, "now": change.recorded}
    rule = session.execute(_RULES, values).scalar_one_or_none()
    if rule is not None:
        raise ConflictError(f"The rule {rule!r} is about the group {before.name!r}.", path=("id",))
    other = session.execute(
        select(groups.c.name)
        .where(
            groups.c.organization_id == organization_id,
            groups.c.deleted_at.is_(None),
            groups.c.group_ids.contains([group_id]),
        )
        .order_by(groups.c.name)
        .limit(1)
    ).scalar_one_or_none()
    if other is not None:
        raise ConflictError(f"The filter of the group {other!r} names the group {before.name!r}.", path=("id",))
    _write(session, change, group_id, {"deleted_at": change.recorded})
    return _finish(session, change, "deleted", before, group_id)


def _values(
    session: Session,
    change: GraphChange,
    *,
    name: str,
    description: str | Absent | None,
    before: Group | None = None,
) -> dict[str, Any]:
    values: dict[str, Any] = {"name": text_check(name, path=("name",), min_chars=1, max_chars=NAME_MAX_CHARS)}
    if not isinstance(description, Absent):
        values["description"] = (
            None
            if description is None
            else text_check(description, path=("description",), max_chars=DESCRIPTION_MAX_CHARS)
        )
    if before is None or values["name"] != before.name:
        other = session.execute(
            select(groups.c.id).where(
                groups.c.organization_id == change.organization_id,
                groups.c.name == values["name"],
                groups.c.deleted_at.is_(None),
            )
        ).scalar_one_or_none()
        if other is not None:
            raise ConflictError(f"There is a group {values['name']!r} already: {other}.", path=("name",))
    return values


def _filter_values(
    session: Session,
    change: GraphChange,
    where: ListFilter | Absent | None,
    *,
    now: datetime,
    offline_after: timedelta,
) -> dict[str, Any]:
    """Return the columns of a filter, which is checked."""
    if not isinstance(where, ListFilter):
        raise BadInputError("A DYNAMIC group has a filter.", path=("filter",))
    stored_filter_check(
        session, organization_id=change.organization_id, where=where, now=now, offline_after=offline_after
    )
    parts = list(filters_within(where))
    named = {part.under_id for part in parts} - {None}
    return {
        "filter": json_object_check(filter_json(where), path=("filter",)),
        "entity_ids": sorted(named.union(*(part.ids or () for part in parts))),
        "group_ids": sorted(set(groups_named(where))),
    }


def _write(session: Session, change: GraphChange, group_id: UUID, values: Mapping[str, Any]) -> None:
    session.execute(
        update(groups)
        .where(groups.c.organization_id == change.organization_id, groups.c.id == group_id)
        .values(**values, updated_at=change.recorded)
    )


def _finish(session: Session, change: GraphChange, action: str, before: Group | None, group_id: UUID) -> Group:
    after = groups_get(session, organization_id=change.organization_id, ids=[group_id])[group_id]
    states = (None if before is None else _state(before)), _state(after)
    if before is None or not json_same(*states) or action == "deleted":
        change_record(
            session,
            change=change,
            action=action,
            subject_type="group",
            subject_id=group_id,
            before=states[0],
            after=None if action == "deleted" else states[1],
        )
    return after


def _state(group: Group) -> dict[str, Any]:
    return {"name": group.name, "description": group.description, "kind": group.kind, "filter": group.filter}
