"""Read attributes by their recorded versions, from the audit trail."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, any_, cast, select
from sqlalchemy.orm import Session

from graph.tables import changes


def attribute_versions(
    session: Session, *, organization_id: int, entity_ids: Collection[UUID]
) -> dict[UUID, list[tuple[datetime, Mapping[str, Any]]]]:
    """Return the attributes of each entity from each instant on (UTC), ascending; none that equals the one before it.

    One statement. Entities without a record are left out.
    """
    result = _versions(session, organization_id, entity_ids, changes.c.after["attributes"])
    return {
        entity_id: [(at, attributes or {}) for at, attributes in versions] for entity_id, versions in result.items()
    }


def attribute_values(
    session: Session, *, organization_id: int, entity_ids: Collection[UUID], name: str
) -> dict[UUID, list[tuple[datetime, Any]]]:
    """Return the value of one attribute of each entity from each instant on (UTC), as `attribute_versions` does.

    None where the entity did not have it. One statement.
    """
    return _versions(session, organization_id, entity_ids, changes.c.after["attributes"][name])


def _versions(
    session: Session, organization_id: int, entity_ids: Collection[UUID], of_state: ColumnElement[Any]
) -> dict[UUID, list[tuple[datetime, Any]]]:
    rows = session.execute(
        select(changes.c.subject_id, changes.c.recorded_at, of_state.label("value"))
        .where(
            changes.c.organization_id == organization_id,
            changes.c.subject_id == any_(cast(list(entity_ids), ARRAY(Uuid))),
            changes.c.subject_type == "entity",
            changes.c.after.is_not(None),
        )
        .order_by(changes.c.subject_id, changes.c.recorded_at, changes.c.id)
    )
    result: dict[UUID, list[tuple[datetime, Any]]] = {}
    for row in rows:
        versions, at = result.setdefault(row.subject_id, []), row.recorded_at.astimezone(UTC)
        if versions and versions[-1][0] == at:
            # Of what one transaction recorded, the last counts.
            versions.pop()
        if not versions or versions[-1][1] != row.value:
            versions.append((at, row.value))
    return result
