"""Delete and restore: the same for all kinds."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from domain.plant.assets.model import ASSET
from domain.plant.devices.model import DEVICE
from domain.plant.entity_kind import EntityKindSpec, details_get, details_named
from domain.plant.persons.model import PERSON
from domain.plant.spaces.model import SPACE
from domain.work.activities.model import ACTIVITY
from graph.absent import ABSENT, Absent
from graph.change import GraphChange
from graph.entities import operations
from graph.entities.model import Entity
from graph.entities.queries import entities_get
from graph.ids import EntityId
from graph.kinds import EntityKind

KIND_SPECS: Final[dict[EntityKind, EntityKindSpec]] = {
    spec.kind: spec for spec in (DEVICE, ASSET, SPACE, PERSON, ACTIVITY)
}


def entity_delete(
    session: Session,
    *,
    change: GraphChange,
    entity_id: UUID,
    kind: EntityKind | None = None,
    at: datetime | None = None,
) -> Entity:
    """Delete an entity, of that kind if one is given, as `graph.entities.operations.entity_delete` says.

    A deleted device's tokens are refused until it is restored. Raises NotFoundError, BadInputError.
    """
    details = _details(session, change, entity_id)
    return operations.entity_delete(session, change=change, entity_id=entity_id, kind=kind, at=at, details=details)


def entity_restore(
    session: Session, *, change: GraphChange, entity_id: UUID, external_id: str | Absent | None = ABSENT
) -> Entity:
    """Restore a deleted entity, without the edges that ended with it, under another external id if one is given.

    Raises NotFoundError, BadInputError, ConflictError.
    """
    details = _details(session, change, entity_id)
    return operations.entity_restore(
        session, change=change, entity_id=entity_id, external_id=external_id, details=details
    )


def _details(session: Session, change: GraphChange, entity_id: UUID) -> dict[str, Any]:
    organization_id = change.organization_id
    entity = entities_get(session, organization_id=organization_id, ids=[entity_id]).get(EntityId(entity_id))
    if entity is None:
        return {}
    spec = KIND_SPECS[entity.kind]
    details = details_get(session, organization_id=organization_id, spec=spec, ids=[entity_id])
    return details_named(spec, details.get(entity.id, {}))
