"""Find entities by where they are: near a point, within an area, around a point.

The database finds candidates by their bounding boxes, shapely and the ellipsoid decide.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final
from uuid import UUID

import numpy as np
import numpy.typing as npt
import shapely
from sqlalchemy import ARRAY, LargeBinary, Select, Text, Uuid, any_, bindparam, cast, column, func, select
from sqlalchemy.orm import Session

from graph.entities.queries import entities_get
from graph.errors import BadInputError, LimitExceededError
from graph.geometry.geojson import view_of_geojson
from graph.geometry.sphere import Bounds, boxes_around, distances_m
from graph.ids import EntityId
from graph.keyset import Keyset
from graph.kinds import EntityKind
from graph.paging import CursorKey, Page, PageRequest, page_of_read, page_of_sorted
from graph.tables import Box

RADIUS_MAX_M: Final = 1_000_000.0
# Entities whose boxes are in question, for one answer.
CANDIDATES_MAX: Final = 200_000
# Shares of the radius that are searched in turn, so that the nearest of many cost little.
_SHARES: Final = (1 / 64, 1 / 8, 1.0)
_CHUNK_MIN: Final = 1_000
_AREA: Final = 2  # dimensions
_WITHIN: Final = "within"


@dataclass(frozen=True, slots=True)
class Positions:
    """Where entities are instead of at their stored location. by_id: kind, longitude and latitude in degrees."""

    by_id: Mapping[EntityId, tuple[EntityKind, float, float]]

    def of_kinds(self, kinds: Collection[EntityKind] | None) -> tuple[list[EntityId], npt.NDArray[Any]]:
        """Return ids and points of the entities of these kinds; None: of all."""
        wanted = [(key, at) for key, at in sorted(self.by_id.items()) if kinds is None or at[0] in kinds]
        points = shapely.points(np.array([(x, y) for _, (_, x, y) in wanted]).reshape(-1, 2))
        return [key for key, _ in wanted], np.atleast_1d(np.asarray(points, dtype=object))


_NOT_MOVED: Final = Positions({})


def entities_near(
    session: Session,
    *,
    organization_id: int,
    longitude: float,
    latitude: float,
    radius_m: float,
    page: PageRequest,
    kinds: Collection[EntityKind] | None = None,
    positions: Positions = _NOT_MOVED,
) -> Page[EntityId]:
    """Return one page of the entities within `radius_m` metres of a point: nearest first, then by id.

    Distances are those to the nearest place of a location, on the WGS 84 ellipsoid; an area is at 0 m of a point
    within it. Deleted entities are left out. positions: of those that are elsewhere than at their location.
    At most three statements, and one more for the total if requested.
    Raises BadInputError for a point out of range, a radius outside 0 < radius <= RADIUS_MAX_M or a foreign
    cursor, LimitExceededError where more than CANDIDATES_MAX are in question.
    """
    _position_check(longitude, latitude)
    if not 0.0 < radius_m <= RADIUS_MAX_M:
        message = f"radiusM must lie above 0 and be at most {RADIUS_MAX_M:g}; it was {radius_m:g}."
        raise BadInputError(message, path=("radiusM",))

    @cache
    def found_within(radius: float) -> list[tuple[float, EntityId]]:
        ids, geometries = _candidates(
            session, organization_id, boxes_around(longitude, latitude, radius), kinds, path="radiusM"
        )
        ids, geometries = _moved(ids, geometries, positions, kinds)
        distances = distances_m(longitude, latitude, geometries)
        near = np.flatnonzero(distances <= radius)
        return sorted((float(distances[at]), ids[at]) for at in near.tolist())

    near = _measured("near", (), page)
    seen_m = float(page.after[1] or 0) if page.after else -1.0
    for share in _SHARES:
        # Whoever reads from the end needs all.
        if share < 1.0 and (page.is_backward or seen_m >= radius_m * share):
            continue
        near = _measured("near", found_within(radius_m * share), page)
        if near.has_next:
            break
    return replace(near, total=lambda: len(found_within(radius_m)))


def entities_within(
    session: Session,
    *,
    organization_id: int,
    geometry: Any,
    page: PageRequest,
    kinds: Collection[EntityKind] | None = None,
    without: EntityId | None = None,
    positions: Positions = _NOT_MOVED,
) -> Page[EntityId]:
    """Return one page of the entities whose whole location lies in a GeoJSON geometry, its edge included; by id.

    A box may reach beyond 180 degrees of longitude; it is wrapped.
    without: an entity to leave out. positions: see `entities_near`. Raises BadInputError for what is no geometry or a
    foreign cursor, LimitExceededError where more than CANDIDATES_MAX are in question.
    """
    area = shapely.from_wkb(view_of_geojson(geometry).wkb)
    return _within(session, organization_id, area, page=page, kinds=kinds, without=without, positions=positions)


def entities_in_area_of(
    session: Session,
    *,
    organization_id: int,
    entity_id: UUID,
    page: PageRequest,
    kinds: Collection[EntityKind] | None = None,
    positions: Positions = _NOT_MOVED,
) -> Page[EntityId]:
    """Return one page of the entities that lie in the location of another; none where it has none.

    See `entities_within`.
    """
    owner = entities_get(session, organization_id=organization_id, ids=[entity_id]).get(EntityId(entity_id))
    if owner is None or owner.geometry is None:
        return Page([], [], has_next=False, total=lambda: 0)
    area = shapely.from_wkb(owner.geometry)
    return _within(session, organization_id, area, page=page, kinds=kinds, without=owner.id, positions=positions)


def entities_around(
    session: Session,
    *,
    organization_id: int,
    longitude: float,
    latitude: float,
    page: PageRequest,
    kinds: Collection[EntityKind] | None = None,
) -> Page[EntityId]:
    """Return one page of the entities whose area contains a point, its edge included: smallest area first, then by id.

    Raises BadInputError for a point out of range or a foreign cursor, LimitExceededError where more than
    CANDIDATES_MAX are in question.
    """
    _position_check(longitude, latitude)
    ids, geometries = _candidates(
        session, organization_id, [(longitude, latitude, longitude, latitude)], kinds, path="longitude"
    )
    contains = shapely.covers(geometries, shapely.Point(longitude, latitude))
    contains &= shapely.get_dimensions(geometries) == _AREA
    areas = shapely.area(geometries)
    by_area = sorted((float(areas[at]), ids[at]) for at in np.flatnonzero(contains).tolist())
    return _measured("around", by_area, page)


def _within(
    session: Session,
    organization_id: int,
    area: Any,
    *,
    page: PageRequest,
    kinds: Collection[EntityKind] | None,
    without: EntityId | None,
    positions: Positions,
) -> Page[EntityId]:
    shapely.prepare(area)
    boxes = [tuple(area.bounds)]

    def covered(ids: list[EntityId], geometries: npt.NDArray[Any]) -> list[EntityId]:
        inside = np.flatnonzero(shapely.covers(area, geometries)).tolist()
        return [ids[at] for at in inside if ids[at] != without]

    def static(ids: list[EntityId], geometries: npt.NDArray[Any]) -> list[EntityId]:
        return [key for key in covered(ids, geometries) if key not in positions.by_id]

    moved = covered(*positions.of_kinds(kinds))
    entity_ids: list[EntityId] = []
    rest, chunk = page, max(_CHUNK_MIN, 4 * page.size)
    while len(entity_ids) <= page.size:
        ids, geometries = _candidates(session, organization_id, boxes, kinds, path="geometry", rest=rest, chunk=chunk)
        entity_ids += static(ids, geometries)
        if len(ids) < chunk:
            break
        end, chunk = _within_key(ids[-1]), min(chunk * 8, CANDIDATES_MAX)
        rest = replace(rest, before=end) if page.is_backward else replace(rest, after=end)

    def total() -> int:
        return len(moved) + len(static(*_candidates(session, organization_id, boxes, kinds, path="geometry")))

    entity_ids = sorted([*entity_ids, *_on_page(moved, page)], reverse=page.is_backward)
    return page_of_read(entity_ids[: page.size + 1], page, key=_within_key, total=total)


def _on_page(entity_ids: Sequence[EntityId], page: PageRequest) -> list[EntityId]:
    """Return those of some ids that lie on or behind a page, in the direction in which it is read."""
    after, before = (None if key is None else str(key[1]) for key in (page.after, page.before))
    return [key for key in entity_ids if (after is None or str(key) > after) and (before is None or str(key) < before)]


def _moved(
    ids: list[EntityId], geometries: npt.NDArray[Any], positions: Positions, kinds: Collection[EntityKind] | None
) -> tuple[list[EntityId], npt.NDArray[Any]]:
    """Return candidates with those that are elsewhere where they are now."""
    if not positions.by_id:
        return ids, geometries
    static = [at for at, key in enumerate(ids) if key not in positions.by_id]
    moved_ids, points = positions.of_kinds(kinds)
    return [*(ids[at] for at in static), *moved_ids], np.concatenate([geometries[static], points])


def _candidates(
    session: Session,
    organization_id: int,
    boxes: Sequence[Bounds],
    kinds: Collection[EntityKind] | None,
    *,
    path: str,
    rest: PageRequest | None = None,
    chunk: int = CANDIDATES_MAX + 1,
) -> tuple[list[EntityId], npt.NDArray[Any]]:
    """Return ids and geometries of what has a bounding box that meets one of these, one or two.

    rest: only those of it, `chunk` at most, in the direction of the page; None: all, up to CANDIDATES_MAX.
    """
    first, *second = [f"(({west!r},{south!r}),({east!r},{north!r}))" for west, south, east, north in boxes]
    there = func.entities_in_boxes(organization_id, _box(first), _box(second[0] if second else None)).table_valued(
        column("id", Uuid), column("kind", Text), column("geometry", LargeBinary)
    )
    query: Select[Any] = select(there.c.id, there.c.geometry)
    if kinds is not None:
        query = query.where(there.c.kind == any_(cast([kind.value for kind in kinds], ARRAY(Text))))
    if rest is not None:
        query = Keyset(_WITHIN, {"id": there.c.id}).limited(query, rest)
    rows = session.execute(query.limit(chunk)).all()
    if len(rows) > CANDIDATES_MAX:
        message = f"More than {CANDIDATES_MAX} entities lie there; ask for a smaller place."
        raise LimitExceededError(message, path=(path,))
    geometries = shapely.from_wkb(np.array([row.geometry for row in rows], dtype=object))
    return [EntityId(row.id) for row in rows], np.atleast_1d(geometries)


def _box(corners: str | None) -> Any:
    return cast(bindparam("box", corners, Text, unique=True), Box)


def _position_check(longitude: float, latitude: float) -> None:
    for name, number, most in (("longitude", longitude, 180.0), ("latitude", latitude, 90.0)):
        if not -most <= number <= most:  # a NaN lies nowhere
            raise BadInputError(f"{name} must lie between {-most:g} and {most:g}.", path=(name,))


def _measured(name: str, measured: Sequence[tuple[float, EntityId]], page: PageRequest) -> Page[EntityId]:
    """Return a page of what is sorted by a measure, then by id. name: of the list."""
    entries = page_of_sorted(measured, page, name=name, types=(float, str), key=lambda item: (item[0], str(item[1])))
    return entries.of([entity_id for _, entity_id in entries.items])


def _within_key(entity_id: EntityId) -> CursorKey:
    return (_WITHIN, str(entity_id))
