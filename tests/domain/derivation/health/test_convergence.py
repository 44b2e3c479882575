"""Health converges: after late data, corrections and moves, the series equals that of a run with all data from the start."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine

from domain.configuration.profiles.operations import (
    asset_create_from_profile,
    asset_profile_set,
    profile_create,
    profile_update,
)
from domain.derivation.health.compute import health_buckets_compute
from domain.derivation.health.operations import health_explain
from domain.rules.model import Scope, Severity, Step
from domain.rules.operations import RuleDraft, rule_create
from graph.edges.operations import edge_correct
from graph.entities.model import EntityDraft
from testing.deriving_plant import DerivingPlant
from testing.line import NOW, Line
from testing.world import EPOCH, World

T0 = NOW.replace(minute=0, second=0, microsecond=0) - timedelta(hours=10)
HOT = {"t": {"warnHigh": 80, "critHigh": 90, "weight": 40}}
READINGS = {1: 95.0, 20: 50.0, 24: 85.0, 70: 99.0, 100: 10.0, 104: 95.0, 130: 40.0, 260: 85.0, 300: 20.0}
OVER_90 = {"threshold": {"metric": "t", "operator": "GT", "value": 90, "forUs": 0, "clearValue": 60, "clearForUs": 0}}


def minute(number: int) -> datetime:
    return T0 + timedelta(minutes=number)


class Factory:
    """A house with two pumps, and a device that measures `t` at one of them."""

    def __init__(self, line: Line) -> None:
        self.plant = DerivingPlant(line)
        world = line.world
        with world.changing() as (session, change):
            self.profile = profile_create(session, change=change, name="P", thresholds=HOT, effective_from=EPOCH).id
            self.ids = {
                name: asset_create_from_profile(
                    session, change=change, profile_id=self.profile, draft=EntityDraft(name=name)
                ).id
                for name in ("house", "first", "second", "other house")
            }
        self.device = line.device()
        self.link = self.plant.link(self.device, self.ids["first"], valid_from=EPOCH)
        self.part = world.edge(self.ids["house"], "HAS_PART", self.ids["first"], valid_from=EPOCH)
        world.edge(self.ids["house"], "HAS_PART", self.ids["second"], valid_from=EPOCH)

    def device_at(self, name: str) -> UUID:
        """Make a device that measures `u` at a pump or a house."""
        device = self.plant.line.device()
        self.plant.link(device, self.ids[name], valid_from=EPOCH)
        return device

    def hear(self, *readings: tuple[UUID, int]) -> None:
        """Readings of (device, minute), of `u`, in one call."""
        line = self.plant.line
        rows = [{"device_id": device, "timestamp": minute(m), "metrics": {"u": 1}} for device, m in readings]
        line.normalize(line.send(*rows))

    def read(self, *minutes: int) -> None:
        line = self.plant.line
        rows = [{"device_id": self.device, "timestamp": minute(m), "metrics": {"t": READINGS[m]}} for m in minutes]
        line.normalize(line.send(*rows))

    def relink(self) -> None:
        """From minute 90 on it was the second pump's device."""
        self.plant.correct(self.link, valid_until=minute(90))
        self.plant.link(self.device, self.ids["second"], valid_from=minute(90))

    def move(self) -> None:
        """The first pump was moved to the other house at minute 22."""
        with self.plant.line.world.changing() as (session, change):
            edge_correct(session, change=change, edge_id=self.part.edge_id, valid_until=minute(22))
        self.plant.line.world.edge(self.ids["other house"], "HAS_PART", self.ids["first"], valid_from=minute(22))

    def rule(self, **members: Any) -> None:
        draft = RuleDraft(
            name="hot",
            condition=OVER_90,
            scope=Scope(entity_id=self.ids["first"]),
            severity=Severity.HIGH,
            effective_from=EPOCH,
            **members,
        )
        with self.plant.line.world.changing() as (session, change):
            rule_create(session, change=change, draft=draft)

    def edit(self, **members: Any) -> None:
        with self.plant.line.world.changing() as (session, change):
            profile_update(session, change=change, profile_id=self.profile, **members)

    def use(self, name: str, profile_id: UUID | None) -> None:
        with self.plant.line.world.changing() as (session, change):
            asset_profile_set(session, change=change, asset_id=self.ids[name], profile_id=profile_id)

    def compute(self, **arguments: Any) -> int:
        with self.plant.line.pipeline() as session:
            done = health_buckets_compute(
                session,
                organization_id=self.plant.organization_id,
                stage_cache=self.plant.stage_cache,
                **{"now": NOW, **arguments},
            )
        self.plant.stage_cache.keep(done.notes)
        return done.taken

    def drain(self, **arguments: Any) -> None:
        """Derive and compute until nothing is dirty."""
        while self.plant.windows() or self.pending():
            self.plant.drain()
            while self.compute(**arguments):
                pass

    def pending(self) -> int:
        [row] = self.plant.line.rows(
            "SELECT count(*) FROM dirty_buckets WHERE organization_id = :o", o=self.plant.organization_id
        )
        return int(row[0])

    def series(self) -> dict[str, dict[int, float]]:
        """By name and minute, the points of health."""
        names: dict[UUID, str] = {entity_id: name for name, entity_id in self.ids.items()}
        result: dict[str, dict[int, float]] = {name: {} for name in self.ids}
        for (entity_id, _, metric, at), value in self.plant.line.history().items():
            if metric == "health" and value is not None:
                result[names[entity_id]][(at - T0) // timedelta(minutes=1)] = float(value)
        return result


@pytest.fixture
def factories(worlds: Callable[[str], World], engine: Callable[[str], Engine]) -> Callable[[str], Factory]:
    from_health: list[Factory] = []

    def make(name: str) -> Factory:
        line = Line(worlds(name), engine)
        factory = Factory(line)
        if from_health:
            # One holder of the leases, whatever the organization.
            line.lease = from_health[0].plant.line.run().lease
            factory.plant.lease = from_health[0].plant.run().lease
        from_health.append(factory)
        return factory

    return make


@pytest.fixture
def factory(factories: Callable[[str], Factory]) -> Factory:
    return factories("One")


def test_a_reading_becomes_health_of_the_pump_and_of_its_house(factory: Factory) -> None:
    factory.read(1, 20)
    factory.drain()
    series = factory.series()
    assert series["first"] == {0: 60, 15: 100, 75: 80}
    assert series["house"] == {0: 88, 15: 100, 75: 94}
    assert (series["second"], series["other house"]) == ({}, {})


def test_an_event_costs_while_it_is_open(factory: Factory) -> None:
    factory.rule()
    factory.read(1, 20, 24)
    factory.drain()
    # Open from minute 1 to 20, 30 points; 85 is a warning.
    assert factory.series()["first"] == {0: 30, 15: 50, 75: 80}
    factory.edit(thresholds={})
    factory.drain()
    assert factory.series()["first"] == {0: 30, 15: 50, 75: 80}
    factory.edit(thresholds={}, effective_from=EPOCH)
    factory.drain()
    assert factory.series()["first"] == {0: 70, 15: 70, 75: 80}


@pytest.mark.parametrize("how", ["at once", "one by one", "backwards"])
def test_a_silent_asset_stays_silent_while_its_part_sends(factory: Factory, how: str) -> None:
    """x has one reading, its part one each 15 minutes: the silence of x is known for as long as anything is."""
    x, part = factory.device_at("house"), factory.device_at("second")
    readings = [(x, 0), *((part, m) for m in range(1, 211, 15))]
    if how == "at once":
        factory.hear(*readings)
    for reading in () if how == "at once" else readings if how == "one by one" else reversed(readings):
        factory.hear(reading)
        factory.drain()
    factory.drain()
    series = factory.series()["house"]
    # At minute 256 the part, last heard at 196, is silent too: 80 of it cost 6.
    assert series == dict.fromkeys(range(0, 60, 15), 100) | dict.fromkeys(range(60, 210, 15), 80) | {255: 74}
    for m, score in ((50, 100), (200, 80), (240, 80), (300, 74), (330, None)):
        with factory.plant.line.world.session() as session:
            explained = health_explain(
                session,
                organization_id=factory.plant.organization_id,
                asset_id=factory.ids["house"],
                at=minute(m),
                now=NOW,
            )
        assert explained is not None
        assert explained.health.score == score, m


def test_a_removed_first_reading_is_forgotten(factory: Factory) -> None:
    part = factory.device_at("second")
    line = factory.plant.line
    link = factory.plant.link(line.device(), factory.ids["house"], valid_from=EPOCH)
    factory.hear((link.target_id, 0), *((part, m) for m in range(1, 151, 15)))
    factory.drain()
    assert factory.series()["house"][135] == 80
    factory.plant.retract(link)
    factory.drain()
    assert factory.series()["house"][135] == 100


def test_an_event_whose_escalation_is_retracted_costs_less(factory: Factory) -> None:
    factory.rule(escalation=[Step(3_600_000_000, Severity.CRITICAL)])
    factory.read(1)
    factory.drain()
    assert factory.series()["first"] == {0: 10, 60: 30}
    factory.read(20, 24)
    factory.drain()
    assert factory.series()["first"] == {0: 30, 15: 50, 75: 80}


def test_an_asset_that_stops_using_the_profile_has_no_health(factory: Factory) -> None:
    factory.read(1)
    factory.drain()
    assert factory.series()["house"] == {0: 88, 60: 94}
    factory.use("first", None)
    factory.drain()
    assert factory.series()["first"] == {}
    factory.use("first", factory.profile)
    factory.drain()
    assert factory.series()["first"] == {0: 60, 60: 80}
    assert factory.series()["house"] == {0: 88, 60: 94}


def test_metrics_derived_from_health_cost_no_health(factory: Factory) -> None:
    formula = {"shown": {"formula": "health + 1.0"}}
    hot = {**HOT, "shown": {"critHigh": 1}}
    factory.edit(formulas=formula, thresholds=hot, effective_from=EPOCH)
    below = {"threshold": {**OVER_90["threshold"], "metric": "shown", "value": 0, "clearValue": None}}
    with factory.plant.line.world.changing() as (session, change):
        draft = RuleDraft(name="any", condition=below, severity=Severity.CRITICAL, effective_from=EPOCH)
        rule_create(session, change=change, draft=draft)
    factory.read(1, 20)
    factory.drain()
    assert factory.series()["first"] == {0: 60, 15: 100, 75: 80}
    shown = factory.plant.derived("shown")
    assert sorted(value for (entity, _), value in shown.items() if entity == factory.ids["first"]) == [61, 81, 101]


def test_a_long_time_is_computed_in_parts(factory: Factory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("domain.derivation.health.compute.BUCKETS_MAX", 8)
    factory.read(*READINGS)
    factory.drain(points_max=10)
    parts = factory.series()
    factory.edit(thresholds={}, effective_from=EPOCH)
    factory.edit(thresholds=HOT, effective_from=EPOCH)
    factory.drain()
    assert factory.series() == parts
    assert len(parts["first"]) > 8


def test_due_buckets_are_computed_once(factory: Factory) -> None:
    line = factory.plant.line
    line.normalize(line.send({"device_id": factory.device, "timestamp": minute(1), "metrics": {"t": 50}}, at=minute(2)))
    factory.drain(now=minute(2))
    assert factory.series()["first"] == {0: 100}
    due = line.rows("SELECT due_at FROM health_timers WHERE entity_id = :e", e=factory.ids["first"])
    assert [row[0] for row in due] == [minute(61)]
    factory.compute(now=minute(60))
    assert factory.series()["first"] == {0: 100}
    factory.compute(now=minute(61))
    assert factory.series()["first"] == {0: 100, 60: 80}
    factory.drain(now=minute(61))
    assert line.rows("SELECT due_at FROM health_timers WHERE entity_id = :e", e=factory.ids["first"]) == []


@pytest.mark.parametrize("seed", range(4))
def test_any_order_gives_what_a_run_with_all_data_gives(factories: Callable[[str], Factory], seed: int) -> None:
    knew, other = factories("Knew"), factories("Other")
    knew.rule()
    knew.relink()
    knew.move()
    knew.read(*READINGS)
    knew.drain()
    expected = knew.series()
    assert all(expected.values())

    chance = random.Random(seed)  # noqa: S311  (a schedule)
    steps: list[Callable[[], None]] = [other.rule, other.relink, other.move]
    steps += [lambda m=m: other.read(m) for m in READINGS]  # type: ignore[misc]
    chance.shuffle(steps)
    for step in steps:
        step()
        if chance.random() < 0.6:
            other.plant.drain()
        if chance.random() < 0.6:
            other.compute()
    other.drain()
    assert other.series() == expected
