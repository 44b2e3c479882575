"""Entities near, within and around a place, compared with a full scan."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from itertools import count
from typing import Any
from uuid import UUID

import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyproj import Geod
from shapely.geometry import mapping

from graph.entities import places
from graph.entities.places import Positions, entities_around, entities_in_area_of, entities_near, entities_within
from graph.errors import ArgusError
from graph.ids import EntityId
from graph.kinds import EntityKind
from graph.paging import Page, PageRequest
from testing.installation import SHARED_DATA
from testing.world import World, day, place

GEOD = Geod(ellps="WGS84")
SLUGS = (f"places-{number}" for number in count())
DEVICE, SPACE = EntityKind.DEVICE, EntityKind.SPACE


def all_pages(world: World, work: Callable[..., Page[EntityId]], *, first: int = 3, **arguments: Any) -> list[EntityId]:
    """Read every page, in both directions; check that the total is what they hold."""

    def read(request: PageRequest) -> tuple[Page[EntityId], int]:
        with world.session() as session:
            page = work(session, organization_id=world.organization_id, page=request, **arguments)
            assert page.total is not None
            return page, page.total()

    forward: list[EntityId] = []
    page, total = read(PageRequest(first))
    forward += page.items
    while page.has_next:
        page, total = read(PageRequest(first, page.keys[-1]))
        forward += page.items
    backward: list[EntityId] = []
    page, _ = read(PageRequest(1, last=first))
    backward[:0] = page.items
    while page.has_previous:
        page, _ = read(PageRequest(1, last=first, before=page.keys[0]))
        backward[:0] = page.items
    assert backward == forward
    assert total == len(forward)
    return forward


numbers = st.floats(-1, 1, allow_nan=False).map(lambda x: round(x, 4))
# Where the world is round: across the antimeridian, at a pole, at the equator, in between.
CENTRES = [(0.0, 0.0), (179.99, 10.0), (-179.99, -45.0), (20.0, 89.9), (-70.0, -89.95), (8.5, 47.3), (25.0, 65.0)]


@pytest.mark.slow
def test_near_agrees_with_a_full_scan(worlds: Callable[[str], World]) -> None:
    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        centre=st.sampled_from(CENTRES),
        offsets=st.lists(st.tuples(numbers, numbers), max_size=25),
        radius=st.floats(10, 200_000),
        moves=st.dictionaries(st.integers(0, 24), st.tuples(numbers, numbers), max_size=10),
    )
    def check(
        centre: tuple[float, float],
        offsets: list[tuple[float, float]],
        radius: float,
        moves: dict[int, tuple[float, float]],
    ) -> None:
        world = worlds(next(SLUGS))
        longitude, latitude = centre
        wide = 60.0 if abs(latitude) > 80 else 2.0

        def position_of(x: float, y: float) -> tuple[float, float]:
            return (longitude + x * wide + 180) % 360 - 180, max(min(latitude + y, 90.0), -90.0)

        at = [position_of(x, y) for x, y in offsets]
        ids = place(world, [shapely.Point(position) for position in at], DEVICE)
        moved = {number: position_of(*offset) for number, offset in moves.items() if number < len(ids)}
        positions = Positions({ids[number]: (DEVICE, *position) for number, position in moved.items()})
        at = [moved.get(number, position) for number, position in enumerate(at)]
        distances = [GEOD.inv(longitude, latitude, *position)[2] for position in at]
        expected = [item for distance, item in sorted(zip(distances, ids, strict=True)) if distance <= radius]
        where: dict[str, Any] = {
            "longitude": longitude,
            "latitude": latitude,
            "radius_m": radius,
            "positions": positions,
        }
        assert all_pages(world, entities_near, **where) == expected
        assert all_pages(world, entities_near, kinds=[DEVICE], **where) == expected
        assert all_pages(world, entities_near, kinds=[SPACE], **where) == []

    check()


def test_the_distance_to_an_area_is_that_to_its_nearest_side(world: World) -> None:
    square = shapely.box(8.50, 47.30, 8.60, 47.34)
    [area] = place(world, [square])
    # Sampled every few centimetres, so the true distance lies within them.
    west = min(GEOD.inv(8.48, 47.32, 8.50, 47.30 + n * 1e-6)[2] for n in range(40_000))
    for point, distance in (((8.48, 47.32), west), ((8.55, 47.32), 0.0)):
        for radius, seen in ((distance + 0.2, [area]), (distance - 0.2, [])):
            if radius > 0:
                entity_ids = all_pages(world, entities_near, longitude=point[0], latitude=point[1], radius_m=radius)
                assert entity_ids == seen


def test_a_long_side_along_a_parallel_is_straight_in_degrees(world: World) -> None:
    """RFC 7946: its sides are no arcs of great circles, which would bulge by kilometres here."""
    [line] = place(world, [shapely.LineString([(0, 60), (8, 60)])])
    distance = GEOD.inv(4, 60.1, 4, 60)[2]
    for radius, seen in ((distance + 1, [line]), (distance - 1, [])):
        assert all_pages(world, entities_near, longitude=4.0, latitude=60.1, radius_m=radius) == seen


boxes = st.builds(
    lambda x, y, w, h: shapely.box(x, y, x + w, y + h),
    numbers, numbers, st.floats(0.001, 1).map(lambda v: round(v, 4)), st.floats(0.001, 1).map(lambda v: round(v, 4)),
)  # fmt: skip
triangles = st.tuples(st.tuples(numbers, numbers), st.tuples(numbers, numbers), st.tuples(numbers, numbers)).map(
    shapely.Polygon
)
areas = boxes | triangles.filter(lambda shape: shape.is_valid and shape.area > 1e-6)
shapes = areas | st.tuples(numbers, numbers).map(shapely.Point)


@pytest.mark.slow
def test_within_and_around_agree_with_a_full_scan(worlds: Callable[[str], World]) -> None:
    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        known=st.lists(shapes, max_size=20),
        searched=areas,
        at=st.tuples(numbers, numbers),
        moves=st.dictionaries(st.integers(0, 19), st.tuples(numbers, numbers), max_size=10),
    )
    def check(known: list[Any], searched: Any, at: tuple[float, float], moves: dict[int, tuple[float, float]]) -> None:
        world = worlds(next(SLUGS))
        ids = place(world, known)
        moved = {number: position for number, position in moves.items() if number < len(ids)}
        positions = Positions({ids[number]: (SPACE, *position) for number, position in moved.items()})
        now = [shapely.Point(moved[number]) if number in moved else shape for number, shape in enumerate(known)]
        view = json.loads(json.dumps(mapping(searched)))
        entity_ids = all_pages(world, entities_within, geometry=view, positions=positions)
        assert entity_ids == [entity_id for entity_id, shape in zip(ids, now, strict=True) if searched.covers(shape)]
        around = [
            (shape.area, entity_id)
            for entity_id, shape in zip(ids, known, strict=True)
            if shape.geom_type == "Polygon" and shape.covers(shapely.Point(at))
        ]
        assert all_pages(world, entities_around, longitude=at[0], latitude=at[1]) == [
            area for _, area in sorted(around)
        ]

    check()


def ring(*corners: tuple[float, float]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [[list(corner) for corner in (*corners, corners[0])]]}


def box_ring(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    return ring((west, south), (east, south), (east, north), (west, north))


WORLD = [
    shapely.Point(x, y)
    for x in (-180.0, -179.99, -170.0, -100.0, -0.5, 0.0, 10.0, 100.0, 169.5, 179.99, 180.0)
    for y in (-90.0, -85.5, -10.0, 0.0, 52.0, 85.0, 90.0)
]


@pytest.mark.parametrize(
    "view",
    [
        box_ring(-180, -90, 180, 90),
        ring((-180, -90), (-180, 90), (180, 90), (180, -90)),
        box_ring(-180, -85.06, 180, 85.06),
        box_ring(-170, -60, 170, 60),
        # With a position on an edge that needs none.
        ring((-100, -60), (150, -60), (150, 60), (20, 60), (-100, 60)),
        # A map at zoom 0, wider than the world; one moved across the antimeridian, to either side; one turned on.
        box_ring(-200.5, -85, 200.5, 85),
        box_ring(-190, -60, 170, 60),
        box_ring(-260.25, -60, -100, 60),
        box_ring(169.5, -60, 190, 60),
        box_ring(185, -60, 270, 60),
        box_ring(180, -60, 265, 60),
        box_ring(-540, -90, 540, 90),
    ],
)
def test_a_wide_box_is_taken_as_written_and_one_beyond_180_degrees_is_wrapped(world: World, view: Any) -> None:
    places = [*WORLD, shapely.LineString([(100, 0), (169.5, 52)]), shapely.box(-170, -10, -100, 0)]
    ids = place(world, places)
    corners = view["coordinates"][0]
    west, east = min(x for x, _ in corners), max(x for x, _ in corners)
    south, north = min(y for _, y in corners), max(y for _, y in corners)

    def is_seen(shape: Any) -> bool:
        """Whether all of it lies in the view, shifted as a whole by multiples of 360 degrees."""
        if not (south <= shape.bounds[1] and shape.bounds[3] <= north):
            return False
        if east - west >= 360:
            return True
        return any(
            west <= shape.bounds[0] + degrees and shape.bounds[2] + degrees <= east
            for degrees in range(-1080, 1081, 360)
        )

    wanted = [entity_id for entity_id, shape in zip(ids, places, strict=True) if is_seen(shape)]
    # On the antimeridian itself a place has the longitude that it was given: 180 is not within [180, 265], -180 is.
    meridian = {entity_id for entity_id, shape in zip(ids, places, strict=True) if abs(shape.bounds[0]) == 180}
    entity_ids = all_pages(world, entities_within, first=50, geometry=view)
    assert set(entity_ids) - meridian == set(wanted) - meridian
    assert {entity for entity in entity_ids if entity in meridian} <= set(wanted)
    assert len(wanted) > 5


@pytest.mark.parametrize(
    ("view", "path", "message"),
    [
        # No box: which way round its long edge goes is not said.
        (ring((-170, 0), (170, 0), (0, 60)), ("coordinates", "0", "1"), "antimeridian"),
        (ring((100, 0), (190, 0), (150, 60)), ("coordinates", "0", "1", "0"), "between -180 and 180"),
        (box_ring(-700, -60, 700, 60), ("coordinates", "0", "0", "0"), "between -180 and 180"),
        (box_ring(-200, -95, 200, 95), ("coordinates", "0", "0", "1"), "between -90 and 90"),
    ],
)
def test_views_other_than_boxes_must_span_at_most_180_degrees(
    world: World, view: Any, path: tuple[str, ...], message: str
) -> None:
    with world.session() as session, pytest.raises(ArgusError, match=message) as refused:
        entities_within(session, organization_id=world.organization_id, geometry=view, page=PageRequest(5))
    assert (refused.value.code, refused.value.path) == ("BAD_USER_INPUT", ("geometry", *path))


def test_entities_in_the_area_of_a_space_exclude_the_space(world: World) -> None:
    hall, _ = place(world, [shapely.box(0, 0, 2, 2), shapely.box(1, 1, 3, 3)])
    inside, outside = place(world, [shapely.Point(1, 1), shapely.Point(2.5, 0)], DEVICE)
    bare = world.entity(SPACE)
    assert all_pages(world, entities_in_area_of, entity_id=hall) == [inside]
    assert all_pages(world, entities_in_area_of, entity_id=inside) == []
    assert all_pages(world, entities_in_area_of, entity_id=bare) == []
    assert outside not in all_pages(world, entities_in_area_of, entity_id=hall, kinds=[DEVICE])


def test_deleted_ones_other_kinds_and_other_organizations_are_left_out(worlds: Callable[[str], World]) -> None:
    ours, theirs = worlds("ours"), worlds("theirs")
    point = shapely.Point(8.5, 47.3)
    [remaining, deleted], [device] = place(ours, [point, point]), place(ours, [point], DEVICE)
    place(theirs, [point])
    with ours.session() as session:
        ours.delete(session, deleted, day(1))
    arguments: dict[str, Any] = {"longitude": 8.5, "latitude": 47.3, "radius_m": 10.0}
    assert all_pages(ours, entities_near, **arguments) == [remaining, device]
    assert all_pages(ours, entities_near, **arguments, kinds=[DEVICE]) == [device]
    assert all_pages(ours, entities_near, **arguments, kinds=[]) == []


@pytest.mark.parametrize(
    ("work", "arguments", "path"),
    [
        (entities_near, {"longitude": 181.0, "latitude": 0.0, "radius_m": 1.0}, ("longitude",)),
        (entities_near, {"longitude": 0.0, "latitude": float("nan"), "radius_m": 1.0}, ("latitude",)),
        (entities_near, {"longitude": 0.0, "latitude": 0.0, "radius_m": 0.0}, ("radiusM",)),
        (entities_near, {"longitude": 0.0, "latitude": 0.0, "radius_m": 2e6}, ("radiusM",)),
        (entities_around, {"longitude": 0.0, "latitude": 91.0}, ("latitude",)),
        (entities_within, {"geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 0]]]}},
         ("geometry", "coordinates", "0")),
    ],
)  # fmt: skip
def test_invalid_arguments_are_reported_by_path(
    world: World, work: Callable[..., object], arguments: dict[str, Any], path: tuple[str, ...]
) -> None:
    with world.session() as session, pytest.raises(ArgusError) as raised:
        work(session, organization_id=world.organization_id, page=PageRequest(5), **arguments)
    assert (raised.value.code, raised.value.path) == ("BAD_USER_INPUT", path)


@pytest.mark.parametrize("key", [(), ("x",), (1.0,), (float("nan"), "x"), (True, str(UUID(int=1)))])
def test_another_lists_cursor_is_refused(world: World, key: tuple[Any, ...]) -> None:
    point: dict[str, Any] = {"longitude": 0.0, "latitude": 0.0}
    square = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}
    for work, arguments in (
        (entities_near, {**point, "radius_m": 1.0}), (entities_around, point), (entities_within, {"geometry": square}),
    ):  # fmt: skip
        with world.session() as session, pytest.raises(ArgusError) as raised:
            work(session, organization_id=world.organization_id, page=PageRequest(5, key), **arguments)
        assert raised.value.path == ("after",)


def test_too_many_to_look_at_is_an_error_not_a_part(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "CANDIDATES_MAX", 3)
    place(world, [shapely.Point(0, n / 10_000) for n in range(4)])
    with world.session() as session, pytest.raises(ArgusError) as raised:
        entities_near(
            session, organization_id=world.organization_id, longitude=0.0, latitude=0.0, radius_m=900.0,
            page=PageRequest(50),
        )  # fmt: skip
    assert (raised.value.code, raised.value.path) == ("LIMIT_EXCEEDED", ("radiusM",))


def test_the_buses_that_were_in_the_square(world: World) -> None:
    track = SHARED_DATA / "geo" / "liverpool_bus_route14_outbound.csv"
    if not track.exists():
        pytest.skip("../shared/data is not here")
    expected = json.loads((SHARED_DATA / "EXPECTED.json").read_text())["geo/liverpool_bus"]
    with track.open(newline="") as file:
        rows = list(csv.DictReader(file))
    columns = {name.lower(): name for name in rows[0]}
    x, y = (
        next(columns[n] for n in names if n in columns)
        for names in (("longitude", "lon", "x"), ("latitude", "lat", "y"))
    )
    place(world, [shapely.Point(float(row[x]), float(row[y])) for row in rows], DEVICE)
    box = expected["box"]
    ring = [[box[a], box[b]] for a, b in ("ws", "es", "en", "wn", "ws")]
    entity_ids = all_pages(world, entities_within, first=500, geometry={"type": "Polygon", "coordinates": [ring]})
    assert (len(rows), len(entity_ids)) == (expected["rows"], expected["inside"])
