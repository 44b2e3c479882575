"""What an entity is in: one way up, now, within what the caller sees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from uuid import UUID

from sqlalchemy import text

from graph.ids import EntityId
from graph.kinds import EntityKind
from graph.walk.above import PATH_MAX, paths_above
from graph.walk.scopes import scope_bind
from testing.world import World, day, new_id

ACTIVITY, ASSET, DEVICE, PERSON, SPACE = (
    EntityKind.ACTIVITY, EntityKind.ASSET, EntityKind.DEVICE, EntityKind.PERSON, EntityKind.SPACE,
)  # fmt: skip


def named(world: World, kind: EntityKind, name: str) -> EntityId:
    entity_id = world.entity(kind)
    with world.session() as session:
        session.execute(text("UPDATE entities SET name = :name WHERE id = :id"), {"name": name, "id": entity_id})
    return entity_id


def paths(world: World, *ids: UUID, under: Sequence[UUID] | None = None) -> list[list[str]]:
    with world.session() as session:
        if under is not None:
            scope_bind(session, organization_id=world.organization_id, under=under)
        by_id = paths_above(session, organization_id=world.organization_id, ids=ids)
        return [by_id[EntityId(entity_id)] for entity_id in ids]


def test_each_kind_has_the_way_up_that_a_person_expects(worlds: Callable[[str], World]) -> None:
    world, other = worlds("plant"), worlds("other")
    site, hall, room = (named(world, SPACE, name) for name in ("site", "hall", "room"))
    pump, motor = named(world, ASSET, "pump"), named(world, ASSET, "motor")
    probe, loose = named(world, DEVICE, "probe"), named(world, DEVICE, "loose")
    ann, work = named(world, PERSON, "ann"), named(world, ACTIVITY, "work")
    world.edge(site, "CONTAINS", hall)
    world.edge(hall, "CONTAINS", room)
    world.edge(pump, "LOCATED_IN", room)
    world.edge(pump, "HAS_PART", motor)
    world.edge(motor, "MONITORED_BY", probe)
    # Where the device and the part are themselves is not asked where they are of something.
    world.edge(probe, "LOCATED_IN", site)
    world.edge(motor, "LOCATED_IN", site)
    world.edge(loose, "LOCATED_IN", hall)
    world.edge(ann, "LOCATED_IN", hall)
    world.edge(work, "TARGETS", pump)
    world.edge(work, "ASSIGNED_TO", ann)
    expected: dict[UUID, list[str]] = {
        site: [],
        hall: ["site"],
        room: ["site", "hall"],
        pump: ["site", "hall", "room"],
        motor: ["site", "hall", "room", "pump"],
        probe: ["site", "hall", "room", "pump", "motor"],
        loose: ["site", "hall"],
        ann: ["site", "hall"],
        work: ["site", "hall", "room", "pump"],
    }
    assert paths(world, *expected) == list(expected.values())
    assert paths(other, probe, new_id()) == [[], []]
    # A confined caller sees no further up than its scope.
    assert paths(world, probe, motor, pump, room, under=[pump]) == [["pump", "motor"], ["pump"], [], []]
    assert paths(world, probe, under=[hall]) == [["hall", "room", "pump", "motor"]]


def test_of_several_the_measured_one_goes_before_the_moved_one_and_the_first_by_name(world: World) -> None:
    fan, ahu, pump = (named(world, ASSET, name) for name in ("fan", "ahu", "pump"))
    probe, drive = world.entities(DEVICE, 2)
    world.edge(pump, "MONITORED_BY", probe)
    world.edge(fan, "MONITORED_BY", probe)
    world.edge(ahu, "CONTROLLED_BY", probe)
    world.edge(ahu, "CONTROLLED_BY", drive)
    assert paths(world, probe, drive) == [["fan"], ["ahu"]]


def test_what_holds_now_counts(world: World) -> None:
    before, later, gone = (named(world, SPACE, name) for name in ("before", "later", "gone"))
    pump, fan, motor = world.entities(ASSET, 3)
    world.edge(pump, "LOCATED_IN", before, valid_until=day(5))
    world.edge(pump, "LOCATED_IN", later, valid_from=day(5))
    world.edge(motor, "LOCATED_IN", before, valid_until=day(5))
    world.edge(fan, "LOCATED_IN", gone)
    with world.session() as session:
        world.delete(session, gone, day(1))
    assert paths(world, pump, motor, fan) == [["later"], [], []]


def test_a_circle_ends_and_a_long_way_is_cut_at_its_far_end(world: World) -> None:
    outer, inner = named(world, ASSET, "outer"), named(world, ASSET, "inner")
    world.edge(outer, "HAS_PART", inner)
    world.edge(outer, "LOCATED_IN", inner)
    assert paths(world, inner, outer) == [["outer"], ["inner"]]
    chain = [named(world, SPACE, f"s{number}") for number in range(PATH_MAX + 3)]
    for container, contained in pairwise(chain):
        world.edge(container, "CONTAINS", contained)
    assert paths(world, chain[-1]) == [[f"s{number}" for number in range(2, PATH_MAX + 2)]]
