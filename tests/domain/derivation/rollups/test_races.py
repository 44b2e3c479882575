"""Concurrent invalidation and computation: nothing is missed, and an organization has one computation at a time."""

from __future__ import annotations

from datetime import timedelta

from domain.derivation.rollups.compute import buckets_compute
from testing.line import NOW
from testing.rollup_plant import HOUR, RollupPlant


def test_an_invalidation_neither_waits_for_the_bucket_being_deleted_nor_is_lost(plant: RollupPlant) -> None:
    plant.create()
    machine, (part, device) = plant.asset(), plant.measured()
    plant.line.world.edge(machine, "HAS_PART", part)
    plant.drain()
    at = NOW - HOUR
    span = {part: [(at, at + timedelta(seconds=1))]}
    plant.send(device, "power", [(at, 1)])
    plant.invalidate(span)
    with plant.line.pipeline() as session:
        done = buckets_compute(session, organization_id=plant.organization_id, run=plant.run, now=NOW)
        assert done.commit is not None
        # Were it to wait, it would for ever.
        plant.send(device, "power", [(at + timedelta(minutes=1), 2)])
        plant.invalidate(span)
    assert plant.stored() == {(machine, at): 1.0}
    assert len(plant.dirty()) == 1
    plant.drain()
    assert plant.stored() == {(machine, at): 3.0}


def test_of_one_organization_only_one_transaction_computes(plant: RollupPlant) -> None:
    plant.create()
    machine, (part, device) = plant.asset(), plant.measured()
    plant.line.world.edge(machine, "HAS_PART", part)
    plant.drain()
    at = NOW - HOUR
    plant.send(device, "power", [(at, 1)])
    plant.invalidate({part: [(at, at + timedelta(seconds=1))]})
    with plant.line.pipeline() as session:
        first = buckets_compute(session, organization_id=plant.organization_id, run=plant.run, now=NOW)
        second = plant.compute()
        assert (first.taken, second.taken, second.commit) == (1, 0, None)
    assert plant.stored() == {(machine, at): 1.0}
    positions = [row.position for row in plant.line.rows("SELECT position FROM derived_commits ORDER BY position")]
    plant.send(device, "power", [(at + timedelta(minutes=1), 2)])
    plant.invalidate({part: [(at, at + timedelta(seconds=1))]})
    plant.compute()
    assert [row.position for row in plant.line.rows("SELECT position FROM derived_commits ORDER BY position")] == [
        *positions,
        positions[-1] + 1,
    ]
