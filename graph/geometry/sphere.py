"""Distances on the WGS 84 ellipsoid, and boxes of degrees that are sure to hold all within a distance. Pure."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import Geod, Proj

# The least radius of curvature of the ellipsoid: a metre spans no greater angle than on a sphere of this size.
RADIUS_LEAST_M: Final = 6_335_439.0
_MARGIN: Final = 1.01
_POLE: Final = 90.0
_HALF_CIRCLE: Final = 180.0
# A side is straight in degrees (RFC 7946, 3.1.1) but not in metres: cut so short, it strays by centimetres.
_SIDE_MAX_DEGREES: Final = 0.01
_GEOD: Final = Geod(ellps="WGS84")

Bounds = tuple[float, float, float, float]
Metres = npt.NDArray[np.float64]


def boxes_around(longitude: float, latitude: float, radius_m: float) -> list[Bounds]:
    """Return one or two boxes (west, south, east, north) that hold every point within `radius_m` of a point.

    Two where the circle crosses the antimeridian; all longitudes where it holds a pole.
    """
    angle = math.degrees(radius_m / RADIUS_LEAST_M) * _MARGIN
    south, north = max(latitude - angle, -_POLE), min(latitude + angle, _POLE)
    if latitude + angle >= _POLE or latitude - angle <= -_POLE:
        return [(-_HALF_CIRCLE, south, _HALF_CIRCLE, north)]
    # The widest reach of a circle on a sphere is not at its centre's latitude but nearer to the pole.
    sine = math.sin(math.radians(angle)) / math.cos(math.radians(latitude))
    if sine >= 1.0:
        return [(-_HALF_CIRCLE, south, _HALF_CIRCLE, north)]
    reach = math.degrees(math.asin(sine)) * _MARGIN
    west, east = longitude - reach, longitude + reach
    if east - west >= 2 * _HALF_CIRCLE:
        return [(-_HALF_CIRCLE, south, _HALF_CIRCLE, north)]
    if west < -_HALF_CIRCLE:
        return [(west + 2 * _HALF_CIRCLE, south, _HALF_CIRCLE, north), (-_HALF_CIRCLE, south, east, north)]
    if east > _HALF_CIRCLE:
        return [(west, south, _HALF_CIRCLE, north), (-_HALF_CIRCLE, south, east - 2 * _HALF_CIRCLE, north)]
    return [(west, south, east, north)]


def distances_m(longitude: float, latitude: float, geometries: npt.NDArray[Any]) -> Metres:
    """Return how far each geometry is from a point, in metres; 0 within an area.

    Exact between points (Karney 2013, as in PROJ). To lines and areas: the nearest place of their sides in an
    azimuthal equidistant projection about the point, in which distances from it are true.
    """
    distances = np.empty(len(geometries))
    points = shapely.get_type_id(geometries) == shapely.GeometryType.POINT
    if points.any():
        result = shapely.get_coordinates(geometries[points])
        here = np.full(len(result), longitude), np.full(len(result), latitude)
        _, _, distances[points] = _GEOD.inv(*here, result[:, 0], result[:, 1])
    others = np.flatnonzero(~points)
    if len(others):
        project = Proj(proj="aeqd", lon_0=longitude, lat_0=latitude, ellps="WGS84")

        def metres(coordinates: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
            return np.column_stack(project(coordinates[:, 0], coordinates[:, 1]))

        sides = shapely.segmentize(shapely.force_2d(geometries[others]), _SIDE_MAX_DEGREES)
        projected = shapely.transform(sides, metres)
        distances[others] = shapely.distance(projected, shapely.Point(0.0, 0.0))
        # Within an area is decided in degrees, as `within` decides it.
        inside = shapely.intersects(geometries[others], shapely.Point(longitude, latitude))
        distances[others[inside]] = 0.0
    return distances
