"""One writer per metric of an entity: refusals, and successive writers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.configuration.entity_types.operations import entity_type_create, entity_type_update
from domain.configuration.profiles.operations import profile_create
from domain.derivation.rollups.model import BucketSize
from graph.errors import ConflictError
from graph.kinds import EntityKind
from testing.line import NOW
from testing.rollup_plant import HOUR, RollupPlant

ASSET = EntityKind.ASSET
DERIVED: dict[str, Any] = {"derived": {"power_total": {"sum": {"power": 2}}}}
FOUR = BucketSize("PT4H", 0, 4 * HOUR)


def type_create(plant: RollupPlant, name: str, schema: dict[str, Any]) -> Any:
    with plant.line.world.changing() as (session, change):
        return entity_type_create(session, change=change, kind=ASSET, name=name, telemetry_schema=schema)


def type_update(plant: RollupPlant, type_id: Any, **arguments: Any) -> None:
    with plant.line.world.changing() as (session, change):
        entity_type_update(session, change=change, entity_type_id=type_id, **arguments)


def profile_make(plant: RollupPlant, name: str, type_name: str | None) -> None:
    with plant.line.world.changing() as (session, change):
        profile_create(session, change=change, name=name, type_name=type_name, formulas=DERIVED["derived"])


def test_a_formula_of_a_type_is_refused_where_a_rollup_writes(plant: RollupPlant) -> None:
    plant.create(at_types=["machine"])
    with pytest.raises(ConflictError, match="'Power' writes 'power_total'") as refused:
        type_create(plant, "machine", DERIVED)
    assert refused.value.path == ("telemetrySchema", "derived", "power_total")
    other = type_create(plant, "press", DERIVED)
    with pytest.raises(ConflictError, match="'Power' writes 'power_total'"):
        type_update(plant, other.id, name="machine")
    machine = type_create(plant, "machine", {"derived": {"loss": {"sum": {"power": 1}}}})
    with pytest.raises(ConflictError, match="'Power' writes 'power_total'"):
        type_update(plant, machine.id, telemetry_schema=DERIVED)
    type_update(plant, machine.id, description="has no formula of that name")


def test_a_formula_of_a_profile_is_refused_where_a_rollup_writes(plant: RollupPlant) -> None:
    plant.create(at_types=["machine"])
    for type_name in ("machine", None):
        with pytest.raises(ConflictError, match="'Power' writes 'power_total'") as refused:
            profile_make(plant, "one", type_name)
        assert refused.value.path == ("formulas", "power_total")
    profile_make(plant, "one", "press")


def test_a_rollup_is_refused_where_a_formula_derives_its_metric(plant: RollupPlant) -> None:
    type_create(plant, "machine", DERIVED)
    profile_make(plant, "one", "press")
    for type_name, message in (("machine", "type 'machine'"), ("press", "profile 'one'")):
        with pytest.raises(ConflictError, match=message) as refused:
            plant.create(at_types=[type_name])
        assert refused.value.path == ("metric",)
    plant.create(at_types=["hall"])


@pytest.mark.parametrize("bucket", [BucketSize("PT1H", 0, HOUR), FOUR])
@pytest.mark.parametrize("rows", [1, 500])
def test_a_rollup_recreated_for_a_metric_equals_a_new_one(plant: RollupPlant, bucket: BucketSize, rows: int) -> None:
    machine, hall = plant.asset("machine"), plant.asset("hall")
    parts = [plant.measured() for _ in range(2)]
    for n, (part, device) in enumerate(parts):
        plant.line.world.edge(machine, "HAS_PART", part)
        plant.line.world.edge(hall, "HAS_PART", part)
        plant.send(device, "power", [(NOW - hours * HOUR, hours + n) for hours in (1, 2, 3, 7, 30)])
    first = plant.create()
    plant.drain()
    before = plant.stored()
    plant.delete(first)
    second = plant.create(bucket=bucket, at_types=["machine"])
    plant.drain(rows_max=rows)
    # As where nothing was before; and as one of another name.
    plant.create(name="other", metric="other", bucket=bucket, at_types=["machine"])
    plant.drain()
    fresh = plant.stored("other")
    assert {entity for entity, _ in fresh} == {machine}
    assert plant.stored() == fresh
    assert (bucket is FOUR) == (fresh != {key: value for key, value in before.items() if key[0] == machine})
    # What the first once wrote is not taken from the second when something changes there.
    plant.invalidate_at(machine)
    plant.drain(rows_max=rows)
    assert plant.stored() == fresh
    plant.delete(second)
    plant.drain(rows_max=rows)
    assert plant.stored() == {}


def test_of_two_rollups_of_one_metric_an_entity_has_that_of_its_type(plant: RollupPlant) -> None:
    plant.create(at_types=["machine"])
    plant.create(name="by four", at_types=["press"], bucket=FOUR)
    machine = plant.asset("machine")
    plant.asset("press")
    part, device = plant.measured()
    plant.line.world.edge(machine, "HAS_PART", part)
    plant.send(device, "power", [(NOW - HOUR, 1), (NOW - 2 * HOUR, 2)])
    plant.drain()
    assert plant.stored() == {(machine, NOW - HOUR): 1.0, (machine, NOW - 2 * HOUR): 2.0}
    with plant.line.world.changing() as (session, _):
        session.connection().exec_driver_sql("UPDATE entities SET type = 'press' WHERE id = %s", (machine,))
    plant.invalidate_at(machine)
    plant.drain()
    assert plant.stored() == {(machine, NOW - timedelta(hours=4)): 3.0}
