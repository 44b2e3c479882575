"""A plant whose pumps move."""

from __future__ import annotations

import json
from uuid import UUID

import shapely
from sqlalchemy import text

from graph.entities.model import EntityPatch
from graph.entities.operations import entity_update
from graph.entities.queries import entity_get
from graph.kinds import EntityKind
from runtime.database import transaction
from testing.deriving_plant import DerivingPlant


def space_drawn(plant: DerivingPlant, name: str, area: shapely.Geometry) -> UUID:
    """Make a space with an area, whose external id is a name."""
    space = plant.line.world.entity(EntityKind.SPACE)
    with transaction(plant.line.engine("owner")) as session:
        session.execute(text("UPDATE entities SET external_id = :name WHERE id = :id"), {"id": space, "name": name})
    area_draw(plant, space, area)
    return space


def area_draw(plant: DerivingPlant, space: UUID, area: shapely.Geometry) -> None:
    """Give a space another area, and have all derived that follows."""
    with plant.line.world.changing() as (session, change):
        before = entity_get(session, organization_id=plant.organization_id, entity_id=space)
        patch = EntityPatch(location=json.loads(shapely.to_geojson(area)))
        entity_update(session, change=change, before=before, patch=patch, details_before={}, details_after={})
    plant.drain()
