"""Walks: reached entities, their order, and times."""

from __future__ import annotations

from uuid import UUID

import pytest

from graph.direction import Direction
from graph.edges.operations import edge_correct, edges_end_of_entity
from graph.errors import ArgusError, BadInputError, LimitExceededError, NotFoundError
from graph.ids import EntityId
from graph.kinds import EntityKind
from graph.paging import PageRequest
from graph.walk.below import below_during
from graph.walk.model import Step
from graph.walk.queries import below, path, related_pages, traverse
from testing.world import World, day, new_id

ASSET, DEVICE, SPACE, PERSON, ACTIVITY = (
    EntityKind.ASSET,
    EntityKind.DEVICE,
    EntityKind.SPACE,
    EntityKind.PERSON,
    EntityKind.ACTIVITY,
)


def test_related_is_nearest_first_each_once_without_itself(world: World) -> None:
    a, b, c, d = world.entities(ASSET, 4)
    for source, target in ((a, b), (b, c), (a, c), (c, d), (d, a)):
        world.edge(source, "FEEDS", target)
    with world.session() as session:
        pages = related_pages(
            session,
            organization_id=world.organization_id,
            entity_ids=[a, d],
            relationships=["FEEDS"],
            depth=32,
            page=PageRequest(2),
        )
        assert {start: (page.items, page.has_next) for start, page in pages.items()} == {
            a: ([b, c], True),
            d: ([a, b], True),
        }
        second_page = related_pages(
            session,
            organization_id=world.organization_id,
            entity_ids=[a],
            relationships=["FEEDS"],
            depth=32,
            page=PageRequest(2, pages[a].keys[-1]),
        )[a]
        assert (second_page.items, second_page.keys, second_page.has_next, second_page.has_previous) == (
            [d],
            [("related", 2, str(d))],
            False,
            True,
        )
        assert second_page.total is not None
        assert second_page.total() == 3


def test_filters_choose_what_is_returned_and_the_walk_passes_through(world: World) -> None:
    fan, duct = world.entity(ASSET, "Fan"), world.entity(ASSET, "Duct")
    room = world.entity(SPACE)
    far = world.entity(ASSET, "Fan")
    world.edge(fan, "FEEDS", duct)
    world.edge(duct, "FEEDS", far)
    world.edge(duct, "FEEDS", room)

    def reached(**filters: object) -> list[UUID]:
        with world.session() as session:
            pages = related_pages(
                session,
                organization_id=world.organization_id,
                entity_ids=[fan],
                relationships=["FEEDS"],
                depth=3,
                page=PageRequest(10),
                **filters,  # type: ignore[arg-type]
            )
        return list(pages[fan].items)

    assert reached() == [duct, room, far]
    assert reached(kinds=[SPACE]) == [room]
    assert reached(types=["Fan"]) == [far]
    assert reached(types=["Duct"], kinds=[SPACE]) == []
    assert reached(direction=Direction.IN) == []


def test_steps_start_from_all_the_step_before_reached(world: World) -> None:
    ahu, vav_1, vav_2 = world.entities(ASSET, 3)
    room = world.entity(SPACE)
    sensors = world.entities(DEVICE, 3)
    world.edge(ahu, "FEEDS", vav_1)
    world.edge(ahu, "FEEDS", vav_2)
    world.edge(vav_1, "FEEDS", vav_2)
    world.edge(vav_2, "FEEDS", room)
    for source, sensor in zip((ahu, vav_1, room), sensors, strict=True):
        world.edge(source, "MONITORED_BY", sensor)
    feeds, points = Step(("FEEDS",), depth=32), Step(("MONITORED_BY",))

    def reached(*steps: Step, limit: int = 10) -> tuple[list[UUID], list[int], bool]:
        with world.session() as session:
            traversal = traverse(
                session, organization_id=world.organization_id, start_ids=[ahu], steps=steps, limit=limit
            )
        return [*traversal.ids], traversal.depths, traversal.truncated

    assert reached(feeds) == ([vav_1, vav_2, room], [1, 1, 2], False)
    assert reached(feeds, limit=2) == ([vav_1, vav_2], [1, 1], True)
    assert reached(feeds, points) == (sensors[1:], [2, 3], False)
    passed_on = Step(("FEEDS",), depth=32, include_start=True)
    assert reached(passed_on, points) == (sensors, [1, 2, 3], False)
    assert reached(passed_on) == ([ahu, vav_1, vav_2, room], [0, 1, 1, 2], False)
    # Siblings: up and down again, and the start is not among them.
    assert reached(Step(("FEEDS",)), Step(("FEEDS",), Direction.IN)) == ([vav_1], [2], False)


def test_a_traversal_hands_back_the_edges_it_followed(world: World) -> None:
    a, b, c, d = world.entities(ASSET, 4)
    first, second = world.edge(a, "FEEDS", b), world.edge(b, "FEEDS", c)
    world.edge(d, "FEEDS", b)
    with world.session() as session:
        traversal = traverse(
            session,
            organization_id=world.organization_id,
            start_ids=[a],
            steps=[Step(None, depth=2)],
            with_edges=True,
        )
    assert traversal.edge_ids == [first.id, second.id]


def test_a_path_is_shortest_and_goes_both_ways(world: World) -> None:
    a, b, c, d, e = world.entities(ASSET, 5)
    edges = [world.edge(*pair) for pair in ((a, "FEEDS", b), (b, "FEEDS", c), (d, "FEEDS", c), (d, "HAS_PART", e))]

    def way(begin: UUID, end: UUID, **arguments: object) -> tuple[list[UUID], list[UUID]] | None:
        with world.session() as session:
            shortest = path(
                session,
                organization_id=world.organization_id,
                from_id=begin,
                to_id=end,
                **arguments,  # type: ignore[arg-type]
            )
        return None if shortest is None else ([*shortest.ids], [*shortest.edge_ids])

    assert way(a, e) == ([a, b, c, d, e], [edge.id for edge in edges])
    assert way(e, a) == ([e, d, c, b, a], [edge.id for edge in reversed(edges)])
    assert way(a, e, depth_max=3) is None
    assert way(a, e, relationships=["FEEDS"]) is None
    assert way(a, c, direction=Direction.OUT) == ([a, b, c], [edges[0].id, edges[1].id])
    assert way(a, c, direction=Direction.IN) is None
    assert way(c, a, direction=Direction.IN) == ([c, b, a], [edges[1].id, edges[0].id])
    assert way(a, a) == ([a], [])
    assert way(a, e, as_of=day(-1)) is None


def test_below_follows_places_parts_links_and_targets(world: World) -> None:
    site, room, elsewhere = world.entities(SPACE, 3)
    ahu, fan, vav = world.entities(ASSET, 3)
    sensor, damper, loose = world.entities(DEVICE, 3)
    worker, order, follow_up = world.entity(PERSON), world.entity(ACTIVITY), world.entity(ACTIVITY)
    world.edge(site, "CONTAINS", room)
    world.edge(ahu, "LOCATED_IN", room)
    world.edge(ahu, "HAS_PART", fan)
    world.edge(fan, "MONITORED_BY", sensor)
    world.edge(fan, "CONTROLLED_BY", damper)
    world.edge(loose, "LOCATED_IN", elsewhere)
    world.edge(ahu, "FEEDS", vav)
    world.edge(order, "TARGETS", sensor)
    world.edge(order, "ASSIGNED_TO", worker)
    world.edge(follow_up, "TARGETS", order)
    with world.session() as session:

        def under(*roots: UUID) -> set[UUID]:
            return set(below(session, organization_id=world.organization_id, entity_ids=roots))

        assert under(site) == {site, room, ahu, fan, sensor, damper, order}
        assert under(fan) == {fan, sensor, damper, order}
        assert under(vav, elsewhere) == {vav, elsewhere, loose}
        assert under(order) == {order, follow_up}
        with pytest.raises(NotFoundError) as fault:
            under(new_id())
        assert fault.value.path == ("underId",)


def test_below_during_needs_a_path_whose_edges_overlap_in_time(world: World) -> None:
    a, b, c, d = world.entities(ASSET, 4)
    world.edge(a, "HAS_PART", b, valid_until=day(5))
    world.edge(b, "HAS_PART", c, valid_from=day(5))
    world.edge(b, "HAS_PART", d, valid_from=day(4))
    with world.session() as session:
        for begins, ends, expected in ((0, 9, {a, b, d}), (0, 4, {a, b}), (5, 9, {a})):
            reached = below_during(
                session,
                organization_id=world.organization_id,
                entity_ids=[a],
                begins=day(begins),
                ends=day(ends),
            )
            assert set(reached) == expected


def test_a_walk_reaches_a_deleted_entity_as_of_before(world: World) -> None:
    a, b = world.entities(ASSET, 2)
    world.edge(a, "HAS_PART", b)
    with world.changing() as (session, change):
        world.delete(session, b, day(5))
        edges_end_of_entity(session, change=change, entity_id=b, at=day(5))
    with world.session() as session:
        for instant, expected in ((day(4), [a, b]), (day(5), [a]), (None, [a])):
            reached = below(session, organization_id=world.organization_id, entity_ids=[a], as_of=instant)
            assert reached == expected


def test_known_at_is_what_was_believed_then(world: World) -> None:
    a, b = world.entities(ASSET, 2)
    edge = world.edge(a, "HAS_PART", b)
    with world.changing() as (session, change):
        corrected = edge_correct(session, change=change, edge_id=edge.id, valid_from=day(5))
    with world.session() as session:
        for known_at, expected in ((None, [a]), (corrected.recorded_at, [a]), (edge.recorded_at, [a, b])):
            reached = below(
                session,
                organization_id=world.organization_id,
                entity_ids=[a],
                as_of=day(1),
                known_at=known_at,
            )
            assert reached == expected
        with pytest.raises(BadInputError) as fault:
            below(
                session,
                organization_id=world.organization_id,
                entity_ids=[a],
                known_at=corrected.recorded_at.replace(year=9000),
            )
        assert fault.value.path == ("knownAt",)


def test_bounds_are_reported(world: World) -> None:
    a = world.entity(ASSET)
    cases: list[tuple[list[EntityId], list[Step], int, type[ArgusError], tuple[str, ...]]] = [
        ([a], [Step(("FEEDS",), depth=33)], 10, BadInputError, ("steps", "0", "depth")),
        ([a], [Step(("FEEDS",), depth=0)], 10, BadInputError, ("steps", "0", "depth")),
        ([a], [], 10, BadInputError, ("steps",)),
        ([a], [Step(("FEEDS",))] * 17, 10, LimitExceededError, ("steps",)),
        ([a], [Step(("FEDS",))], 10, BadInputError, ("steps", "0", "relationships")),
        ([a], [Step(("FEEDS",))], 0, BadInputError, ("limit",)),
        ([a], [Step(("FEEDS",))], 10_001, BadInputError, ("limit",)),
        ([a] * 1_001, [Step(("FEEDS",))], 10, LimitExceededError, ("startIds",)),
        ([a, EntityId(new_id())], [Step(("FEEDS",))], 10, NotFoundError, ("startIds", "1")),
    ]
    for starts, steps, limit, error, where in cases:
        with pytest.raises(error) as fault, world.session() as session:
            traverse(session, organization_id=world.organization_id, start_ids=starts, steps=steps, limit=limit)
        assert fault.value.path == where
