"""Versions of the derive stage: each computes what lies where it is in force, promotions in the past included."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from domain.definitions.processors.versions import UnknownVersionError
from runtime.database import transaction
from testing.deriving_plant import DerivingPlant
from testing.line import NOW

THIRDS = {"total": {"sum": {"a": 0.1, "b": 0.2, "c": 0.3}, "maxAge": "PT10M"}}
PLAIN, EXACT = 0.1 + 0.2 + 0.3, math.fsum([0.1, 0.2, 0.3])
ONES = {"a": 1, "b": 1, "c": 1}
BEGIN = NOW - timedelta(hours=1)


def at(minute: int) -> datetime:
    return BEGIN + timedelta(minutes=minute)


@pytest.mark.parametrize("knows_from_the_start", [True, False])
def test_a_promotion_in_the_past_recomputes_the_points(plant: DerivingPlant, knows_from_the_start: bool) -> None:
    plant.formulas(THIRDS, since=at(0))
    device, pump = plant.line.device(), plant.pump()
    plant.link(device, pump, valid_from=at(0))
    plant.drain()
    if knows_from_the_start:
        plant.promote(2, since=at(4))
        plant.promote(1, since=at(6))
    for minute in range(8):
        # One of the readings is accepted before the promotion and taken through the stages after it.
        batches = plant.line.send({"device_id": device, "timestamp": at(minute), "metrics": ONES})
        if minute == 5 and not knows_from_the_start:
            before = plant.derived()
            assert set(before.values()) == {PLAIN}
            plant.promote(2, since=at(4))
            plant.promote(1, since=at(6))
            windows = [(begins, ends, reason) for _, begins, ends, reason in plant.windows()]
            assert windows[0][0] == at(4)
            assert windows[1] == (at(6), windows[0][1], "processor")
            assert {reason for _, _, reason in windows} == {"processor"}
        plant.derive([pump], plant.attribute(plant.line.normalize(batches).entries))
    plant.drain()
    assert plant.windows() == []
    assert plant.derived() == {(pump, at(n)): EXACT if n in {4, 5} else PLAIN for n in range(8)}


def test_a_window_over_a_promotion_is_split_and_values_carry_over_it(plant: DerivingPlant) -> None:
    plant.formulas(THIRDS, since=at(0))
    plant.promote(2, since=at(2))
    device, pump = plant.line.device(), plant.pump()
    plant.link(device, pump, valid_from=at(0))
    plant.line.normalize(
        plant.line.send(
            {"device_id": device, "timestamp": at(1), "metrics": ONES},
            {"device_id": device, "timestamp": at(2), "metrics": {"c": 1}},
            {"device_id": device, "timestamp": at(3), "metrics": {"a": 1}},
        )
    )
    plant.drain()
    assert plant.derived() == {(pump, at(1)): PLAIN, (pump, at(2)): EXACT, (pump, at(3)): EXACT}


def test_a_promotion_that_changes_nothing_makes_nothing_dirty(plant: DerivingPlant) -> None:
    plant.formulas(THIRDS, since=at(0))
    plant.pump()
    plant.drain()
    plant.promote(1, since=at(0))
    assert plant.windows() == []
    plant.promote(2, since=at(0))
    assert [reason for *_, reason in plant.windows()] == ["processor"]
    plant.drain()
    plant.promote(2, since=at(0))
    plant.promote(2, since=at(5))
    assert plant.windows() == []


def test_a_version_this_code_does_not_know_is_not_guessed(plant: DerivingPlant) -> None:
    plant.formulas(THIRDS, since=at(0))
    device, pump = plant.line.device(), plant.pump()
    plant.link(device, pump, valid_from=at(0))
    plant.drain()
    with transaction(plant.line.engine("owner"), plant.organization_id) as session:
        for statement in (
            "INSERT INTO processor_versions VALUES (:o, 'derive', :since, gen_random_uuid(), 99, now(), 'newer')",
            "UPDATE graph_clocks SET revision = revision + 1, derivation_revision = revision + 1 WHERE :since < now()",
        ):
            session.execute(text(statement), {"o": plant.organization_id, "since": at(1)})
    plant.line.normalize(plant.line.send({"device_id": device, "timestamp": at(2), "metrics": ONES}))
    waiting = plant.windows()
    assert {reason for *_, reason in waiting} == {"processor", "readings"}
    with pytest.raises(UnknownVersionError):
        plant.derive([pump])
    assert plant.windows() == waiting
    assert plant.derived() == {}
