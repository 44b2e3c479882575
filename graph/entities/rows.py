"""Convert entities from rows of `entities`, and to the states of the audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Row

from graph.entities.model import Entity
from graph.ids import EntityId
from graph.kinds import EntityKind
from graph.tables import entities

# What `entity_of_row` needs.
ENTITY_COLUMNS: Final = tuple(
    entities.c[name]
    for name in (
        "id",
        "kind",
        "type",
        "name",
        "external_id",
        "status",
        "attributes",
        "geometry",
        "created_at",
        "updated_at",
        "deleted_at",
    )
)


def entity_of_row(row: Row[Any]) -> Entity:
    """Return the entity that a row of ENTITY_COLUMNS holds."""
    return Entity(
        EntityId(row.id),
        EntityKind(row.kind),
        row.type,
        row.name,
        row.external_id,
        row.status,
        row.attributes,
        row.geometry,
        row.created_at.astimezone(UTC),
        row.updated_at.astimezone(UTC),
        None if row.deleted_at is None else row.deleted_at.astimezone(UTC),
    )


def entity_state(entity: Entity, details: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entity as the audit trail shows it: JSON, in the contract's names.

    details: what its kind has besides, in the contract's names; instants are written out.
    """
    return {
        "id": str(entity.id),
        "kind": entity.kind.value,
        "type": entity.type,
        "name": entity.name,
        "externalId": entity.external_id,
        "status": entity.status,
        "attributes": dict(entity.attributes),
        "location": entity.location,
        "createdAt": entity.created_at.isoformat(),
        "updatedAt": entity.updated_at.isoformat(),
        "deletedAt": None if entity.deleted_at is None else entity.deleted_at.isoformat(),
        **{name: value.isoformat() if isinstance(value, datetime) else value for name, value in details.items()},
    }
