"""Rollup buckets: their values, which are invalidated, and what writing them invalidates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.base.packed import Aggregate
from domain.derivation.rollups.model import BucketSize, RollupAggregate, Worst
from graph.edges.operations import edge_retract
from graph.kinds import EntityKind
from testing.line import NOW
from testing.rollup_plant import HOUR, RollupPlant

MINUTE = timedelta(minutes=1)
END = datetime(9999, 1, 1, tzinfo=UTC)


def at(hours: float) -> datetime:
    return NOW + hours * HOUR


def test_a_bucket_is_the_sum_of_its_descendants_each_once(plant: RollupPlant) -> None:
    plant.create()
    machine, middle = plant.asset(), plant.asset()
    (one, one_device), (two, two_device) = plant.measured(), plant.measured()
    for source, target in ((machine, middle), (machine, one), (middle, one), (middle, two)):
        plant.line.world.edge(source, "HAS_PART", target)
    plant.drain()
    plant.send(one_device, "power", [(at(-3), 0.1), (at(-2.5), 0.2), (at(-2), 0.3)])
    plant.send(two_device, "power", [(at(-3) + MINUTE, 10)])
    assert plant.invalidate({one: [(at(-3), at(-2) + MINUTE)], two: [(at(-3), at(-2))]}) == 4
    assert {(entity, begins, ends) for entity, _, begins, ends in plant.dirty()} == {
        (entity, at(hours), at(hours + 1)) for entity in (machine, middle) for hours in (-3, -2)
    }
    done = plant.compute()
    assert (done.taken, done.is_done) == (4, True)
    # The first is what its own bucket gives, and the second, and both are added.
    expected = {at(-3): (0.1 + 0.2) + 10, at(-2): 0.3}
    assert plant.stored() == {(e, t): value for e in (machine, middle) for t, value in expected.items()}
    # What is derived from it follows.
    windows = {(entity, begins, ends) for entity, begins, ends, reason in plant.windows() if reason == "rollup"}
    last = at(-2) + timedelta(microseconds=1)
    assert windows == {(entity, at(-3), last) for entity in (machine, middle)}
    # No stored point is written again.
    plant.invalidate({one: [(at(-3), at(-1))]})
    assert plant.compute().commit is None


def test_only_the_named_metrics_invalidate_and_nothing_is_invalidated_twice(plant: RollupPlant) -> None:
    plant.create()
    machine, (part, _) = plant.asset(), plant.measured()
    plant.line.world.edge(machine, "HAS_PART", part)
    plant.drain()
    span = {part: [(at(-1.5), at(-1.25))]}
    assert plant.invalidate(span, metrics={part: ["temperature"]}) == 0
    assert plant.dirty() == []
    assert plant.invalidate(span, metrics={part: ["temperature", "power"]}) == 1
    assert plant.invalidate({part: [(at(-1.75), at(-1.5))]}, metrics={}) == 1
    assert plant.invalidate(span) == 1
    [(entity, _, begins, ends)] = plant.dirty()
    assert (entity, begins, ends) == (machine, at(-2), at(-1))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"aggregate": RollupAggregate.SUM}, 9.0),
        ({"aggregate": RollupAggregate.SUM, "combine": Aggregate.COUNT}, 4.0),
        ({"aggregate": RollupAggregate.MEAN}, (2.0 + 5.0) / 2),
        ({"aggregate": RollupAggregate.MIN}, 1.0),
        ({"aggregate": RollupAggregate.MAX}, 5.0),
        ({"aggregate": RollupAggregate.COUNT}, 3.0),
        ({"aggregate": RollupAggregate.COUNT, "combine": Aggregate.LAST}, 2.0),
        ({"aggregate": RollupAggregate.WEIGHTED_MEAN, "attribute": "size"}, (2.0 * 3 + 5.0 * 1) / 4),
        ({"aggregate": RollupAggregate.WORST, "worst": Worst.LOWEST}, 3.0),
        ({"aggregate": RollupAggregate.WORST, "worst": Worst.HIGHEST}, 5.0),
    ],
)
def test_each_aggregate(plant: RollupPlant, arguments: dict[str, object], expected: float) -> None:
    """Of texts only the number counts, as where buckets of a series are read."""
    machine = plant.asset()
    parts = [plant.measured() for _ in range(4)]
    for part, _ in parts:
        plant.line.world.edge(machine, "HAS_PART", part)
    for (entity_id, _), weight in zip(parts, (3, 1, "wide"), strict=False):
        plant.weigh(entity_id, weight)
    plant.send(parts[0][1], "power", [(at(-1), 1), (at(-1) + MINUTE, 3)])
    plant.send(parts[1][1], "power", [(at(-1), 5)])
    plant.send(parts[2][1], "power", [(at(-1), "broken")])
    plant.create(**arguments)
    plant.drain()
    assert plant.stored() == {(machine, at(-1)): expected}


def test_a_point_counts_only_while_its_entity_is_a_descendant(plant: RollupPlant) -> None:
    plant.create()
    left, right = plant.asset(), plant.asset()
    part, device = plant.measured()
    plant.line.world.edge(left, "HAS_PART", part, valid_until=at(-1.5))
    plant.line.world.edge(right, "HAS_PART", part, valid_from=at(-1.5))
    plant.send(device, "power", [(at(-2), 1), (at(-1.5) - MINUTE, 2), (at(-1.5), 4)])
    plant.invalidate_all(part)
    plant.drain()
    assert plant.stored() == {(left, at(-2)): 3.0, (right, at(-2)): 4.0}


def test_a_hierarchy_of_spaces_counts_what_is_located_in_them(plant: RollupPlant) -> None:
    plant.create(
        relationship="CONTAINS",
        of_kinds=[EntityKind.DEVICE],
        of_types=None,
        of_port=None,
        aggregate=RollupAggregate.MAX,
    )
    site, room = plant.line.world.entities(EntityKind.SPACE, 2)
    plant.line.world.edge(site, "CONTAINS", room)
    device = plant.line.device()
    plant.line.world.edge(device, "LOCATED_IN", room)
    plant.send(device, "power", [(at(-1), 7)])
    plant.drain()
    assert plant.stored() == {(site, at(-1)): 7.0, (room, at(-1)): 7.0}


@pytest.mark.parametrize(("port", "expected"), [(None, 1.0), (2, 4.0)])
def test_without_a_port_what_devices_send_without_one_is_meant(
    plant: RollupPlant, port: int | None, expected: float
) -> None:
    plant.create(relationship="CONTAINS", of_kinds=[EntityKind.DEVICE], of_types=None, of_port=port)
    room, device = plant.line.world.entity(EntityKind.SPACE), plant.line.device()
    plant.line.world.edge(device, "LOCATED_IN", room)
    sent = [{"device_id": device, "timestamp": at(-1), "metrics": {"power": 1}}]
    sent.append({"device_id": device, "port": 2, "timestamp": at(-1), "metrics": {"power": 4}})
    plant.line.normalize(plant.line.send(*sent))
    plant.drain()
    assert plant.stored() == {(room, at(-1)): expected}


def test_an_edit_recomputes_all_buckets_and_a_deletion_removes_them(plant: RollupPlant) -> None:
    rollup = plant.create(at_types=["machine"])
    machine = plant.asset("machine")
    part, device = plant.measured()
    plant.line.world.edge(machine, "HAS_PART", part)
    plant.send(device, "power", [(at(-2), 1), (at(-1), 2)])
    plant.drain()
    assert plant.stored() == {(machine, at(-2)): 1.0, (machine, at(-1)): 2.0}
    day = BucketSize("P1D", 0, timedelta(days=1))
    rollup = plant.update(rollup, at_types=["machine"], bucket=day, timezone="Asia/Tokyo")
    plant.drain()
    assert plant.stored() == {(machine, datetime(2026, 4, 30, 15, tzinfo=UTC)): 3.0}
    rollup = plant.update(rollup, at_types=["plant"])
    plant.drain()
    assert plant.stored() == {}
    plant.update(rollup, at_types=["machine"])
    plant.drain()
    assert len(plant.stored()) == 2
    assert plant.owned(machine, part) == {(machine, "power_total")}
    plant.delete(rollup)
    plant.drain()
    assert plant.stored() == {}


def test_a_long_time_is_worked_off_in_parts_where_there_are_points(plant: RollupPlant) -> None:
    plant.create(bucket=BucketSize("PT1M", 0, MINUTE))
    machine = plant.asset()
    part, device = plant.measured()
    plant.line.world.edge(machine, "HAS_PART", part)
    plant.drain()
    points = [(at(-hours), float(hours)) for hours in range(1, 30)]
    plant.send(device, "power", points)
    assert plant.invalidate_all(part) == 1
    [(_, _, begins, ends)] = plant.dirty()
    assert (begins, ends) == (datetime(2020, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))
    first = plant.compute(buckets_max=600)
    assert not first.is_done
    assert [begins for _, _, begins, _ in plant.dirty()] == [at(-29) + 600 * MINUTE]
    plant.drain(buckets_max=600)
    assert plant.stored() == {(machine, instant): value for instant, value in points}


@pytest.mark.parametrize(
    "aggregate", [aggregate for aggregate in RollupAggregate if aggregate.value not in {"WEIGHTED_MEAN", "WORST"}]
)
def test_an_entity_without_descendants_loses_its_points(plant: RollupPlant, aggregate: RollupAggregate) -> None:
    plant.create(aggregate=aggregate)
    machine, (part, device) = plant.asset(), plant.measured()
    edge = plant.line.world.edge(machine, "HAS_PART", part)
    plant.send(device, "power", [(at(-1), 1)])
    plant.drain()
    assert plant.stored() == {(machine, at(-1)): 1.0}
    with plant.line.world.changing() as (session, change):
        edge_retract(session, change=change, edge_id=edge.edge_id)
    plant.invalidate_at(machine)
    plant.drain()
    assert plant.stored() == {}


def test_an_upper_entity_that_is_none_any_more_loses_its_points(plant: RollupPlant) -> None:
    plant.create(at_types=["machine"])
    machine = plant.asset("machine")
    plant.asset("ruin")
    part, device = plant.measured()
    plant.line.world.edge(machine, "HAS_PART", part)
    plant.send(device, "power", [(at(-1), 7)])
    plant.drain()
    assert plant.stored() == {(machine, at(-1)): 7.0}
    with plant.line.world.changing() as (session, _):
        session.connection().exec_driver_sql("UPDATE entities SET type = 'ruin' WHERE id = %s", (machine,))
    plant.invalidate_at(machine)
    plant.drain()
    assert plant.stored() == {}


def test_circles_of_places_end(plant: RollupPlant) -> None:
    """Assets can be located in each other; a rollup over places then counts each once, and itself never."""
    plant.create(relationship="CONTAINS", of_kinds=[EntityKind.ASSET], of_types=["part"], at_kinds=[EntityKind.ASSET])
    parts: list[UUID] = []
    for _ in range(3):
        part, device = plant.measured()
        plant.send(device, "power", [(at(-1), 2 ** len(parts))])
        parts.append(part)
    for n in range(3):
        plant.line.world.edge(parts[n], "LOCATED_IN", parts[(n + 1) % 3])
    plant.invalidate_all(*parts)
    plant.drain()
    assert plant.stored() == {(part, at(-1)): 7.0 - 2**n for n, part in enumerate(parts)}
