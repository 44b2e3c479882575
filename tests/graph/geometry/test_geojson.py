"""GeoJSON geometries: stored unchanged, or refused with the path of the fault."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.errors import ArgusError
from graph.geometry.geojson import geojson_of_wkb, geometry_of_geojson

SQUARE = [[0, 0], [4, 0], [4, 3], [0, 3], [0, 0]]
HOLE = [[1, 1], [1, 2], [2, 2], [2, 1], [1, 1]]


@pytest.mark.parametrize(
    ("geometry", "bounds"),
    [
        ({"type": "Point", "coordinates": [8.5, 47.25]}, "((8.5,47.25),(8.5,47.25))"),
        ({"type": "Point", "coordinates": [180.0, -90.0]}, "((180.0,-90.0),(180.0,-90.0))"),
        ({"type": "Point", "coordinates": [8.5, 47.25, 408.0]}, "((8.5,47.25),(8.5,47.25))"),
        ({"type": "MultiPoint", "coordinates": [[1.0, 2.0], [3.0, -4.0]]}, "((1.0,-4.0),(3.0,2.0))"),
        ({"type": "LineString", "coordinates": [[0.1, 0.2], [0.3, 0.4]]}, "((0.1,0.2),(0.3,0.4))"),
        ({"type": "MultiLineString", "coordinates": [[[0, 0], [1, 1]], [[2, 2], [3, 1]]]}, "((0.0,0.0),(3.0,2.0))"),
        ({"type": "Polygon", "coordinates": [SQUARE]}, "((0.0,0.0),(4.0,3.0))"),
        ({"type": "Polygon", "coordinates": [SQUARE, HOLE]}, "((0.0,0.0),(4.0,3.0))"),
        ({"type": "MultiPolygon", "coordinates": [[SQUARE], [[[9, 9], [10, 9], [9, 10], [9, 9]]]]},
         "((0.0,0.0),(10.0,10.0))"),
        ({"type": "GeometryCollection", "geometries": [
            {"type": "Point", "coordinates": [-1, 0]}, {"type": "Polygon", "coordinates": [SQUARE]}]},
         "((-1.0,0.0),(4.0,3.0))"),
    ],
)  # fmt: skip
def test_there_and_back(geometry: dict[str, Any], bounds: str) -> None:
    made = geometry_of_geojson(geometry)
    assert made.bounds == bounds
    assert geojson_of_wkb(made.wkb) == geometry
    assert geometry_of_geojson(geojson_of_wkb(made.wkb)) == made


def test_rings_are_oriented() -> None:
    turned = {"type": "Polygon", "coordinates": [SQUARE[::-1], HOLE[::-1]]}
    [outer, hole] = geojson_of_wkb(geometry_of_geojson(turned).wkb)["coordinates"]
    assert area(outer) == 12
    assert area(hole) == -1


def area(ring: list[list[float]]) -> float:
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairwise(ring)) / 2


def test_members_that_say_nothing_of_the_place_are_left_aside() -> None:
    point = {"type": "Point", "coordinates": [1.0, 2.0]}
    decorated = {**point, "bbox": [1, 2, 1, 2], "title": "here"}
    assert geojson_of_wkb(geometry_of_geojson(decorated).wkb) == point


BOW = [[0, 0], [2, 2], [2, 0], [0, 2], [0, 0]]


@pytest.mark.parametrize(
    ("geometry", "path", "message"),
    [
        ("POINT(1 2)", (), "GeoJSON"),
        ({}, ("type",), "one of Point"),
        ({"type": ["Point"]}, ("type",), "one of Point"),
        ({"type": "Feature", "geometry": None}, ("type",), "not a Feature"),
        ({"type": "Point", "coordinates": [1, 2], "crs": {}}, ("crs",), "WGS 84"),
        ({"type": "Point"}, ("coordinates",), "coordinates"),
        ({"type": "Point", "coordinates": []}, ("coordinates",), "not empty"),
        ({"type": "Point", "coordinates": [1]}, ("coordinates",), "longitude"),
        ({"type": "Point", "coordinates": [1, 2, 3, 4]}, ("coordinates",), "longitude"),
        ({"type": "Point", "coordinates": [True, 2]}, ("coordinates",), "longitude"),
        ({"type": "Point", "coordinates": ["1", 2]}, ("coordinates",), "longitude"),
        ({"type": "Point", "coordinates": [180.1, 2]}, ("coordinates", "0"), "between -180 and 180"),
        ({"type": "Point", "coordinates": [47, 98]}, ("coordinates", "1"), "between -90 and 90"),
        ({"type": "Point", "coordinates": [1, 2, 1e9]}, ("coordinates", "2"), "altitude"),
        ({"type": "Point", "coordinates": [math.nan, 2]}, ("coordinates", "0"), "longitude"),
        ({"type": "Point", "coordinates": [10**400, 2]}, ("coordinates", "0"), "longitude"),
        ({"type": "MultiPoint", "coordinates": [[1, 2], [1]]}, ("coordinates", "1"), "longitude"),
        ({"type": "LineString", "coordinates": [[1, 2]]}, ("coordinates",), "two positions"),
        ({"type": "LineString", "coordinates": [[1, 2], [1, 2]]}, (), "not valid"),
        ({"type": "LineString", "coordinates": [[1, 2], [1, 3, 4]]}, (), "altitude"),
        ({"type": "LineString", "coordinates": [[170, 0], [-170, 0]]}, ("coordinates", "1"), "antimeridian"),
        ({"type": "MultiLineString", "coordinates": [[[1, 2], [3, 4]], 5]}, ("coordinates", "1"), "array"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 0]]]}, ("coordinates", "0"), "four positions"),
        ({"type": "Polygon", "coordinates": [SQUARE[:-1]]}, ("coordinates", "0"), "repeat"),
        ({"type": "Polygon", "coordinates": [BOW]}, (), r"Self-intersection\[1 1\]"),
        ({"type": "Polygon", "coordinates": [SQUARE, [[9, 9], [9, 8], [8, 8], [9, 9]]]}, (), "Hole lies outside"),
        ({"type": "GeometryCollection", "geometries": [{"type": "Point", "coordinates": [1, 99]}]},
         ("geometries", "0", "coordinates", "1"), "latitude"),
        ({"type": "GeometryCollection", "geometries": [{"type": "GeometryCollection", "geometries": []}]},
         ("geometries", "0"), "within another"),
        ({"type": "GeometryCollection", "geometries": [None]}, ("geometries", "0"), "GeoJSON"),
    ],
)  # fmt: skip
def test_invalid_geometries(geometry: Any, path: tuple[str, ...], message: str) -> None:
    with pytest.raises(ArgusError, match=message) as fault:
        geometry_of_geojson(geometry)
    assert fault.value.code == "BAD_USER_INPUT"
    assert fault.value.path == ("location", *path)


def test_a_location_may_be_a_box_as_wide_as_the_world() -> None:
    world = {"type": "Polygon", "coordinates": [[[-180, -90], [180, -90], [180, 90], [-180, 90], [-180, -90]]]}
    made = geometry_of_geojson(world)
    assert geojson_of_wkb(made.wkb) == world
    beyond = {"type": "Polygon", "coordinates": [[[-190, 0], [0, 0], [0, 9], [-190, 9], [-190, 0]]]}
    with pytest.raises(ArgusError, match="between -180 and 180"):
        geometry_of_geojson(beyond)


def test_the_number_of_positions_is_bounded() -> None:
    line = {"type": "LineString", "coordinates": [[number / 1_000, 0] for number in range(10_000)]}
    assert geometry_of_geojson(line).bounds == "((0.0,0.0),(9.999,0.0))"
    line["coordinates"] += [[20, 0]]  # type: ignore[operator]
    with pytest.raises(ArgusError) as fault:
        geometry_of_geojson(line)
    assert (fault.value.code, fault.value.path) == ("LIMIT_EXCEEDED", ("location",))


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-200, 200) | st.floats() | st.sampled_from(["Point", "Polygon", "x"]),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from(["type", "geometries"]), inner),
    max_leaves=25,
)
_TYPES = ("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection")


@given(kind=st.sampled_from(_TYPES), inside=_ANY)
def test_any_body_is_accepted_or_refused(kind: str, inside: Any) -> None:
    member = "geometries" if kind == "GeometryCollection" else "coordinates"
    made = None
    path: tuple[str, ...] = ("location",)
    try:
        made = geometry_of_geojson({"type": kind, member: inside})
    except ArgusError as fault:
        path = fault.path[:1]
    assert path == ("location",)
    if made is not None:
        assert geometry_of_geojson(geojson_of_wkb(made.wkb)) == made
