"""Convert entities from rows of `entities`, and to the states of the audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from graph.entities.model import Entity
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
_KINDS: Final = {kind.value: kind for kind in EntityKind}


def entity_of_row(row: Any) -> Entity:
    """Return the entity that a row of ENTITY_COLUMNS holds, others may follow. Hot path."""
    entity_id, kind, type_, name, external_id, status, attributes, geometry, created_at, updated_at, deleted_at, *_ = (
        row
    )
    return Entity(
        entity_id,
        _KINDS[kind],
        type_,
        name,
        external_id,
        status,
        attributes,
        geometry,
        created_at.astimezone(UTC),
        updated_at.astimezone(UTC),
        None if deleted_at is None else deleted_at.astimezone(UTC),
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
