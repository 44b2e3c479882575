"""Partial aggregates: contents and deletion."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from domain.derivation.rollups import partial_aggregates
from domain.derivation.rollups.compute import buckets_compute
from testing.line import NOW
from testing.rollup_plant import HOUR, RollupPlant

MINUTE = timedelta(minutes=1)
BEGIN = NOW - HOUR


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partial_aggregates, "OPEN", 1)
    monkeypatch.setattr(partial_aggregates, "LEAST", 2)


def built(plant: RollupPlant) -> tuple[UUID, UUID, UUID]:
    """A machine with a part that has sent five points; computed, with a partial aggregate of four."""
    plant.create()
    machine, (part, device) = plant.asset(), plant.measured()
    plant.line.world.edge(machine, "HAS_PART", part)
    plant.drain()
    say(plant, device, range(5), 1)
    invalidate(plant, part, 0, 5)
    plant.compute()
    assert stored_parts(plant) == [(4, 4.0)]
    return machine, part, device


def say(plant: RollupPlant, device: UUID, minutes: range, value: float) -> None:
    plant.send(device, "power", [(BEGIN + n * MINUTE, value) for n in minutes])
    # The touching, which the derive stage does when it follows a window, is done here by hand.
    plant.line.rows("DELETE FROM dirty_windows WHERE organization_id = :o RETURNING id", o=plant.organization_id)


def invalidate(plant: RollupPlant, part: UUID, first: int, until: int) -> None:
    plant.invalidate({part: [(BEGIN + first * MINUTE, BEGIN + (until - 1) * MINUTE + timedelta(seconds=1))]})


def stored_parts(plant: RollupPlant) -> list[tuple[int, float]]:
    rows = plant.line.rows(
        "SELECT points, value FROM rollup_partial_aggregates WHERE organization_id = :o", o=plant.organization_id
    )
    return [(row.points, row.value) for row in rows]


def test_a_partial_aggregate_is_read_instead_of_its_points_and_extended(plant: RollupPlant) -> None:
    machine, part, device = built(plant)
    say(plant, device, range(5, 8), 10)
    # Without an invalidation: what a partial aggregate holds is not read again.
    say(plant, device, range(1), 1000)
    invalidate(plant, part, 5, 8)
    plant.compute()
    assert plant.stored() == {(machine, BEGIN): 35.0}
    assert stored_parts(plant) == [(7, 25.0)]


def test_a_change_within_a_partial_aggregate_deletes_it(plant: RollupPlant) -> None:
    machine, part, device = built(plant)
    say(plant, device, range(1), 1000)
    invalidate(plant, part, 0, 1)
    plant.compute()
    assert plant.stored() == {(machine, BEGIN): 1004.0}
    assert stored_parts(plant) == [(4, 1003.0)]


def test_values_still_to_be_propagated_are_left_out(plant: RollupPlant) -> None:
    machine, part, device = built(plant)
    invalidate(plant, part, 5, 12)
    say(plant, device, range(5, 12), 10)
    plant.line.rows(
        "INSERT INTO dirty_windows (organization_id, entity_id, begins, ends, reason)"
        " VALUES (:o, :e, :b, :b + interval '1 minute', 'readings') RETURNING id",
        o=plant.organization_id,
        e=part,
        b=BEGIN + 8 * MINUTE,
    )
    plant.compute()
    assert plant.stored() == {(machine, BEGIN): 75.0}
    assert stored_parts(plant) == [(8, 35.0)]


def test_an_edit_of_what_is_counted_finds_no_partial_aggregate(plant: RollupPlant) -> None:
    machine, _, device = built(plant)
    say(plant, device, range(1), 1000)
    plant.line.world.edge(machine, "HAS_PART", plant.asset("part"))
    plant.invalidate_at(machine)
    plant.drain()
    assert plant.stored() == {(machine, BEGIN): 1004.0}


@pytest.mark.parametrize("is_long", [False, True])
@pytest.mark.parametrize("is_new", [False, True])
def test_a_partial_aggregate_written_during_a_change_is_deleted_with_its_invalidation(
    plant: RollupPlant, is_long: bool, is_new: bool
) -> None:
    """An invalidation does not wait for the partial aggregate that is being written, and does not see it."""
    machine, part, device = built(plant)
    say(plant, device, range(5, 8), 10)
    invalidate(plant, part, 5, 8)
    if is_new:
        plant.line.rows(
            "DELETE FROM rollup_partial_aggregates WHERE organization_id = :o RETURNING key", o=plant.organization_id
        )
    with plant.line.pipeline() as session:
        buckets_compute(session, organization_id=plant.organization_id, run=plant.run, now=NOW)
        say(plant, device, range(6), 100)
        plant.invalidate({part: [(BEGIN - 100 * HOUR if is_long else BEGIN, NOW)]})
    say(plant, device, range(8, 9), 10)
    invalidate(plant, part, 8, 9)
    plant.drain(rows_max=1)
    assert plant.stored() == {(machine, BEGIN): 630.0}


def test_a_note_that_another_adds_to_is_not_waited_for(plant: RollupPlant) -> None:
    machine, part, device = built(plant)
    say(plant, device, range(1), 1000)
    invalidate(plant, part, 0, 1)
    with plant.line.pipeline() as session:
        session.execute(text("SELECT FROM rollup_input_changes FOR UPDATE"))
        plant.compute()
    assert plant.stored() == {(machine, BEGIN): 1004.0}
    assert len(plant.line.rows("SELECT FROM rollup_input_changes")) == 1
    invalidate(plant, part, 0, 1)
    plant.drain()
    assert plant.line.rows("SELECT FROM rollup_input_changes") == []
