"""GeoJSON geometries (RFC 7946): checked, to WKB with a bounding box, and back. WGS 84, longitude first."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import shapely
from shapely.geometry import shape

from graph.errors import BadInputError, LimitExceededError

POSITIONS_MAX: Final = 10_000
ALTITUDE_MAX_M: Final = 1e7
_LINE_MIN: Final = 2
_RING_MIN: Final = 4
_DIMENSIONS: Final = (2, 3)
# How deep the positions of each type lie in its coordinates.
_DEPTHS: Final = {
    "Point": 0,
    "MultiPoint": 1,
    "LineString": 1,
    "MultiLineString": 2,
    "Polygon": 2,
    "MultiPolygon": 3,
}
_COLLECTION: Final = "GeometryCollection"
# Degrees of longitude half way and all the way round the earth, and how far from 0 those of a view may lie.
_HALF: Final = 180.0
_CIRCLE: Final = 360.0
_VIEW_MAX: Final = 540.0

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Geometry:
    """A geometry as it is stored.

    wkb: little endian, extended where there are altitudes (metres). bounds: PostgreSQL's `box`, in degrees.
    """

    wkb: bytes
    bounds: str


def geometry_of_geojson(value: Any, *, path: Path = ("location",)) -> Geometry:
    """Return the geometry that a GeoJSON object describes; bbox and foreign members are left aside.

    Rings turned the wrong way round are turned (RFC 7946, 3.1.6). A ring that is a box is taken as written, however
    wide; elsewhere an edge of more than 180 degrees of longitude is taken for one across the antimeridian.
    Raises BadInputError, at the place at fault, for an unknown type, a position out of range, a ring that is not
    closed, crosses or touches itself, or a line across the antimeridian (to be cut there: 3.1.9);
    LimitExceededError above POSITIONS_MAX positions.
    """
    dimensions: set[int] = set()
    count = 0
    for kind, coordinates, place in _parts(value, path):
        for positions, where in _runs(coordinates, _DEPTHS[kind], place):
            count += len(positions)
            if count > POSITIONS_MAX:
                raise LimitExceededError(f"A geometry may have {POSITIONS_MAX} positions.", path=path)
            for index, position in enumerate(positions):
                dimensions.add(_position_check(position, (*where, str(index)) if _DEPTHS[kind] else where))
            _run_check(kind, positions, where)
    if len(dimensions) > 1:
        raise BadInputError("Either all positions have an altitude or none.", path=path)
    geometry = shapely.orient_polygons(shape(value))
    if not geometry.is_valid:
        raise BadInputError(f"The geometry is not valid: {shapely.is_valid_reason(geometry)}.", path=path)
    west, south, east, north = geometry.bounds
    wkb = shapely.to_wkb(geometry, byte_order=1)
    return Geometry(wkb, f"(({west!r},{south!r}),({east!r},{north!r}))")


def view_of_geojson(value: Any, *, path: Path = ("geometry",)) -> Geometry:
    """Return the geometry of an area to look within: as `geometry_of_geojson`, but a box may reach beyond 180 degrees.

    Such a box, as a map shows it that was moved across the antimeridian or is wider than the world, is wrapped: into
    one box, or into two on both sides of the antimeridian. Raises as `geometry_of_geojson`.
    """
    return geometry_of_geojson(_wrapped(value, path), path=path)


def geojson_of_wkb(wkb: bytes) -> dict[str, Any]:
    """Return the GeoJSON object of a stored geometry."""
    geojson: dict[str, Any] = json.loads(shapely.to_geojson(shapely.from_wkb(wkb)))
    return geojson


def _parts(value: Any, path: Path) -> list[tuple[str, Any, Path]]:
    """Return type, coordinates and place of the geometry, or of each member of a collection."""
    kind = _kind(value, path)
    if kind != _COLLECTION:
        return [(kind, _member(value, "coordinates", path), (*path, "coordinates"))]
    members = _member(value, "geometries", path)
    parts = []
    for index, member in enumerate(members):
        place = (*path, "geometries", str(index))
        inner = _kind(member, place)
        if inner == _COLLECTION:
            raise BadInputError("A GeometryCollection within another is not taken.", path=place)
        parts.append((inner, _member(member, "coordinates", place), (*place, "coordinates")))
    return parts


def _kind(value: Any, path: Path) -> str:
    if not isinstance(value, Mapping):
        raise BadInputError("A location is a GeoJSON geometry: an object with type and coordinates.", path=path)
    kind = value.get("type")
    if kind in ("Feature", "FeatureCollection"):
        raise BadInputError(f"A location is a GeoJSON geometry, not a {kind}.", path=(*path, "type"))
    if not isinstance(kind, str) or (kind not in _DEPTHS and kind != _COLLECTION):
        known = ", ".join([*_DEPTHS, _COLLECTION])
        raise BadInputError(f"The type of a GeoJSON geometry is one of {known}.", path=(*path, "type"))
    if "crs" in value:
        raise BadInputError("Positions are WGS 84; RFC 7946 knows no crs.", path=(*path, "crs"))
    return kind


def _member(value: Mapping[str, Any], name: str, path: Path) -> list[Any]:
    member = value.get(name)
    if not isinstance(member, list) or not member:
        raise BadInputError(f"A {value['type']} needs {name}: an array that is not empty.", path=(*path, name))
    return member


def _runs(coordinates: Any, depth: int, place: Path) -> list[tuple[list[Any], Path]]:
    """Return the arrays of positions within coordinates, each with its place; a point is a run of one."""
    if depth == 0:
        return [([coordinates], place)]
    level: list[tuple[list[Any], Path]] = [(coordinates, place)]
    for _ in range(depth - 1):
        level = [(inner, (*at, str(index))) for items, at in level for index, inner in enumerate(items)]
        for inner, at in level:
            if not isinstance(inner, list) or not inner:
                raise BadInputError("This must be an array of positions that is not empty.", path=at)
    return level


def _position_check(position: Any, place: Path) -> int:
    numbers = isinstance(position, list) and all(
        isinstance(item, (int, float)) and not isinstance(item, bool) for item in position
    )
    if not numbers or len(position) not in _DIMENSIONS:
        raise BadInputError("A position is [longitude, latitude] or [longitude, latitude, altitude].", path=place)
    bounds = (("longitude", 180.0), ("latitude", 90.0), ("altitude", ALTITUDE_MAX_M))
    for index, (number, (name, most)) in enumerate(zip(position, bounds, strict=False)):
        if not -most <= number <= most:  # a NaN lies nowhere
            message = f"A {name} must lie between {-most:g} and {most:g}."
            raise BadInputError(message, path=(*place, str(index)))
    return len(position)


def _run_check(kind: str, positions: list[Any], place: Path) -> None:
    if "Point" in kind:
        return
    if "LineString" in kind and len(positions) < _LINE_MIN:
        raise BadInputError("A line needs two positions.", path=place)
    if "Polygon" in kind:
        if len(positions) < _RING_MIN:
            raise BadInputError("A ring needs four positions, the last equal to the first.", path=place)
        if positions[0] != positions[-1]:
            raise BadInputError("A ring ends where it begins: repeat its first position.", path=place)
    if "Polygon" in kind and _is_box(positions):
        return
    for index, (here, there) in enumerate(pairwise(positions)):
        if abs(here[0] - there[0]) > _HALF:
            message = "This crosses the antimeridian: cut it there in two (RFC 7946, section 3.1.9)."
            raise BadInputError(message, path=(*place, str(index + 1)))


def _is_box(positions: list[Any]) -> bool:
    """Return whether the edges of a ring all lie on the edges of its bounding box."""
    longitudes, latitudes = [position[0] for position in positions], [position[1] for position in positions]
    sides = ((0, {min(longitudes), max(longitudes)}), (1, {min(latitudes), max(latitudes)}))
    return all(
        any(here[axis] == there[axis] and here[axis] in ends for axis, ends in sides)
        for here, there in pairwise(positions)
    )


def _wrapped(value: Any, path: Path) -> Any:
    """Return a box that reaches beyond 180 degrees of longitude as boxes that do not; anything else as it is."""
    ring = _only_ring(value)
    if ring is None or not _is_box(ring):
        return value
    west, east = min(item[0] for item in ring), max(item[0] for item in ring)
    south, north = min(item[1] for item in ring), max(item[1] for item in ring)
    for index, position in enumerate(ring):
        _position_check([0, *position[1:]], (*path, "coordinates", "0", str(index)))
    if (west >= -_HALF and east <= _HALF) or west < -_VIEW_MAX or east > _VIEW_MAX or west == east:
        return value
    if east - west >= _CIRCLE:
        spans = [(-_HALF, _HALF)]
    else:
        turned = (west + _HALF) // _CIRCLE * _CIRCLE
        west, east = west - turned, east - turned
        spans = [(west, east)] if east <= _HALF else [(west, _HALF), (-_HALF, east - _CIRCLE)]
    boxes = [
        [[[w, south], [e, south], [e, north], [w, north], [w, south]]]
        for w, e in spans
        # An edge that touches the antimeridian from its other side has no area there.
        if w < e
    ]
    return {"type": "MultiPolygon", "coordinates": boxes}


def _only_ring(value: Any) -> list[Any] | None:
    """Return the ring of a polygon without holes, where its positions are numbers; else None."""
    if not isinstance(value, Mapping) or value.get("type") != "Polygon" or "crs" in value:
        return None
    rings = value.get("coordinates")
    ring = rings[0] if isinstance(rings, list) and len(rings) == 1 else None
    if not isinstance(ring, list) or not _RING_MIN <= len(ring) <= POSITIONS_MAX or ring[0] != ring[-1]:
        return None
    for position in ring:
        if not isinstance(position, list) or len(position) not in _DIMENSIONS:
            return None
        if any(isinstance(n, bool) or not isinstance(n, (int, float)) or not math.isfinite(n) for n in position):
            return None
    return ring
