"""Weights count as recorded: the ones in force at the beginning of a bucket."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from domain.derivation.rollups.model import RollupAggregate
from domain.derivation.rollups.weights import UNWEIGHTED, Weights, weights_at, weights_recorded
from testing.rollup_plant import HOUR, RollupPlant

MEAN: dict[str, Any] = {"aggregate": RollupAggregate.WEIGHTED_MEAN, "attribute": "size", "at_types": ["machine"]}
# Later than any clock that changes are recorded by.
BEGIN = datetime(2100, 5, 1, 12, tzinfo=UTC)
END = datetime(9999, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def at(hours: float) -> datetime:
    return BEGIN + hours * HOUR


@pytest.fixture
def parts(plant: RollupPlant) -> list[tuple[UUID, UUID]]:
    """Two parts of one machine, of sizes 3 and 1, that measured 10 and 20 in each of four hours."""
    machine = plant.asset("machine")
    parts = [plant.measured() for _ in range(2)]
    for (part, device), size, value in zip(parts, (3, 1), (10, 20), strict=True):
        plant.line.world.edge(machine, "HAS_PART", part)
        plant.weigh(part, size)
        plant.send(device, "power", [(at(hour + 0.75), value) for hour in range(4)], received=at(4))
    plant.create(**MEAN)
    plant.drain()
    assert stored(plant) == [12.5] * 4
    return parts


def stored(plant: RollupPlant) -> list[float]:
    """The values of the machine, by the hour."""
    return [value for _, value in sorted(plant.stored().items())]


def test_an_edit_leaves_what_began_before_it(plant: RollupPlant, parts: list[tuple[UUID, UUID]]) -> None:
    (part, _), (other, _) = parts
    recorded = plant.weigh(part, 1, at=at(1.5))
    assert recorded == at(1.5) + TICK
    assert plant.follow(part) == [(recorded, END)]
    [(_, _, begins, ends)] = plant.dirty()
    assert (begins, ends) == (at(1), END)
    plant.drain()
    # The hour in the midst of which it was has begun with what was before.
    assert stored(plant) == [12.5, 12.5, 15.0, 15.0]
    # Where it has none it is left out, and what is edited back counts from then on again.
    plant.weigh(other, "wide", at=at(2))
    plant.weigh(other, 4, at=at(3) - TICK)
    plant.follow(other)
    plant.drain()
    assert stored(plant) == [12.5, 12.5, 15.0, 18.0]
    # All of it again, and as one finds it who did not see the edits, is the same.
    plant.invalidate_all(part)
    plant.drain()
    assert stored(plant) == [12.5, 12.5, 15.0, 18.0]
    plant.create(name="Later", metric="later", **MEAN)
    plant.drain()
    assert plant.stored("later") == plant.stored()


def test_late_data_is_weighted_as_what_it_is_late_for(plant: RollupPlant, parts: list[tuple[UUID, UUID]]) -> None:
    (part, device), _ = parts
    plant.weigh(part, 1, at=at(2) - TICK)
    plant.follow(part)
    plant.drain()
    assert stored(plant) == [12.5, 12.5, 15.0, 15.0]
    for hour in (1, 2):
        plant.send(device, "power", [(at(hour + 0.75), 100)], received=at(4))
        plant.invalidate({part: [(at(hour + 0.75), at(hour + 0.75) + TICK)]})
    plant.drain()
    assert stored(plant) == [12.5, (3 * 100 + 20) / 4, (100 + 20) / 2, 15.0]


@pytest.mark.usefixtures("parts")
def test_the_first_recorded_version_counts_from_the_beginning(plant: RollupPlant) -> None:
    """And so its edit has all time recomputed, though it is recorded late."""
    third, device = plant.measured()
    [machine] = {upper for upper, _ in plant.stored()}
    plant.line.world.edge(machine, "HAS_PART", third)
    plant.send(device, "power", [(at(0.75), 100)], received=at(4))
    plant.follow(third)
    plant.drain()
    assert stored(plant) == [12.5] * 4
    plant.weigh(third, 4, at=at(4))
    assert plant.follow(third) == [(datetime(1970, 1, 1, tzinfo=UTC), END)]
    plant.drain()
    assert stored(plant) == [(3 * 10 + 20 + 4 * 100) / 8, 12.5, 12.5, 12.5]


def test_other_attributes_leave_nothing(plant: RollupPlant, parts: list[tuple[UUID, UUID]]) -> None:
    (part, _), _ = parts
    plant.line.rows(
        """UPDATE entities SET attributes = attributes || '{"color": "red"}' WHERE id = :id RETURNING id""", id=part
    )
    assert plant.follow(part) == []


def test_weights_are_read_once_while_nothing_is_edited(
    plant: RollupPlant, parts: list[tuple[UUID, UUID]], statements: Any
) -> None:
    (part, _), _ = parts
    counts = []
    for size in (3, 2):
        # The same again is no edit.
        plant.weigh(part, size)
        plant.follow(part)
        for _ in range(2):
            plant.invalidate({part: [(at(0.75), at(0.75) + TICK)]})
            with statements(plant.line.engine("pipeline")) as seen:
                plant.compute()
            counts.append(sum("FROM changes" in statement for statement in seen))
    assert counts == [0, 0, 1, 0]


def test_weights_at_instants() -> None:
    weights = weights_recorded([(10, 2), (20, "many"), (30, 0.5), (40, True), (50, -1), (60, 7)])
    assert (weights.since_us, weights.values[0], weights.values[2]) == ([10, 20, 30, 40, 50, 60], 2.0, 0.5)
    begins = np.array([-5, 9, 10, 19, 20, 30, 39, 40, 50, 60, 99])
    none = math.nan
    row = [2, 2, 2, 2, none, 0.5, 0.5, none, none, 7, 7]
    table = weights_at([weights, UNWEIGHTED, Weights((10,), (3.0,))], begins)
    np.testing.assert_array_equal(table, [row, [none] * 11, [3] * 11])
    for n, expected in enumerate(row):
        np.testing.assert_array_equal(weights_at([weights], begins[n : n + 1]), [[expected]])
    assert weights_recorded([]) is UNWEIGHTED
    assert weights_at([weights], begins[:0]).shape == (1, 0)
