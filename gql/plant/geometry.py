"""Find entities by location."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import strawberry
from sqlalchemy.orm import Session

from domain.nodes.positions import positions_now
from gql.access.principal import VIEWERS
from gql.base.connections import page_read, paged
from gql.base.context import Info
from gql.base.entities import EntityConnection, EntityKindEnum, to_entity_connection
from gql.base.ids import uuid_named
from gql.base.related import entities_loaded
from gql.base.roots import queries, query
from gql.base.scalars import GeoJSON
from graph.entities.places import entities_around, entities_in_area_of, entities_near, entities_within
from graph.kinds import EntityKind
from graph.paging import PageRequest
from graph.walk.queries import entities_check


@queries
class GeometryQuery:
    """Find entities by location."""

    @query(VIEWERS, scoped=True)
    @paged()
    async def near(
        self,
        info: Info,
        longitude: float,
        latitude: float,
        radius_m: float,
        *,
        page: PageRequest,
        kinds: list[EntityKindEnum] | None = None,  # type: ignore[valid-type]
    ) -> EntityConnection:
        """Entities that are within a distance of a point now, nearest first.

        What reports its position is where its latest `longitude` and `latitude` are, anything else at its location: of
        a location, the nearest place counts. Distances are on the WGS 84 ellipsoid.

        Args:
            longitude: Longitude of the point in degrees, -180 to 180.
            latitude: Latitude of the point in degrees, -90 to 90.
            radius_m: Greatest distance in metres, above 0 and at most 1,000,000.
        """
        return await _page(
            info, _moving(entities_near), page,
            longitude=longitude, latitude=latitude, radius_m=radius_m, kinds=_kinds(kinds),
        )  # fmt: skip

    @query(VIEWERS, scoped=True)
    @paged()
    async def within(
        self,
        info: Info,
        geometry: GeoJSON,
        *,
        page: PageRequest,
        kinds: list[EntityKindEnum] | None = None,  # type: ignore[valid-type]
    ) -> EntityConnection:
        """Entities that lie wholly in a geometry now, its edge included; the oldest first.

        What reports its position is where its latest `longitude` and `latitude` are, anything else at its location.

        Args:
            geometry: GeoJSON geometry, WGS 84. A box that reaches beyond 180 degrees of longitude is wrapped.
        """
        return await _page(info, _moving(entities_within), page, geometry=geometry, kinds=_kinds(kinds))

    @query(VIEWERS, scoped=True)
    @paged()
    async def in_area_of(
        self,
        info: Info,
        entity_id: strawberry.ID,
        *,
        page: PageRequest,
        kinds: list[EntityKindEnum] | None = None,  # type: ignore[valid-type]
    ) -> EntityConnection | None:
        """Entities that lie wholly in the location of another now, such as the area of a space; see `within`.

        Args:
            entity_id: Id of the entity whose location is the area.
        """
        identity = uuid_named(entity_id, "entityId")

        def work(session: Session, *, organization_id: int, **arguments: Any) -> Any:
            entities_check(session, organization_id=organization_id, ids=[identity], path="entityId")
            return entities_in_area_of(session, organization_id=organization_id, entity_id=identity, **arguments)

        return await _page(info, _moving(work), page, kinds=_kinds(kinds))

    @query(VIEWERS, scoped=True)
    @paged()
    async def around(
        self,
        info: Info,
        longitude: float,
        latitude: float,
        *,
        page: PageRequest,
        kinds: list[EntityKindEnum] | None = None,  # type: ignore[valid-type]
    ) -> EntityConnection | None:
        """Entities in whose area a point lies, its edge included; the smallest area first.

        Args:
            longitude: Longitude of the point in degrees, -180 to 180.
            latitude: Latitude of the point in degrees, -90 to 90.
            kinds: Only entities of these kinds. Default: spaces.
        """
        wanted = [EntityKind.SPACE] if kinds is None else _kinds(kinds)
        return await _page(info, entities_around, page, longitude=longitude, latitude=latitude, kinds=wanted)


def _moving(work: Callable[..., Any]) -> Callable[..., Any]:
    """Return work that regards where entities are now by what they report."""

    def run(session: Session, *, organization_id: int, **arguments: Any) -> Any:
        positions = positions_now(session, organization_id=organization_id)
        return work(session, organization_id=organization_id, positions=positions, **arguments)

    return run


async def _page(info: Info, work: Any, page: PageRequest, **arguments: Any) -> EntityConnection:
    rows = await page_read(info, work, page, **arguments)
    [loaded] = await entities_loaded(info, [rows])
    return to_entity_connection(loaded)


def _kinds(kinds: list[Any] | None) -> list[EntityKind] | None:
    return None if kinds is None else [EntityKind(kind) for kind in kinds]
