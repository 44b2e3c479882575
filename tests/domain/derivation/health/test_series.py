"""The series of health: late data, a corrected part or an edited profile gives what a run with all data gives."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from domain.base.packed import instant_of, micros_of
from domain.configuration.profiles.operations import asset_create_from_profile, profile_create, profile_update
from domain.derivation.health.operations import HealthRange, health_compute, health_due, health_explain
from domain.derivation.health.queries import health_scores_get
from domain.derivation.health.read import plans_get
from domain.derivation.health.score import OpenEvent
from domain.plant.devices.links import device_link
from domain.telemetry.model.stage_cache import PendingCacheUpdates, StageCache
from graph.edges.operations import edge_correct
from graph.entities.model import EntityDraft
from testing.line import Line
from testing.world import World

_NUMBERS = count()
T0 = datetime(2026, 4, 1, tzinfo=UTC)
LATER = T0 + timedelta(days=1)
HOT = {"t": {"warnHigh": 80, "critHigh": 90, "weight": 40}}


def minute(number: int) -> datetime:
    return T0 + timedelta(minutes=number)


class Plant:
    """A pump that is part of a house, with a device that measures `t`."""

    def __init__(self, line: Line) -> None:
        self.line = line
        with line.world.changing() as (session, change):
            self.profile = profile_create(session, change=change, name="P", thresholds=HOT, effective_from=T0)
            house, pump = (
                asset_create_from_profile(
                    session, change=change, profile_id=self.profile.id, draft=EntityDraft(name=name)
                )
                for name in ("house", "pump")
            )
        self.house, self.pump, self.device = house.id, pump.id, line.device()
        with line.world.changing() as (session, change):
            device_link(session, change=change, device_id=self.device, asset_id=self.pump, valid_from=T0)
        self.part = line.world.edge(self.house, "HAS_PART", self.pump, valid_from=T0).edge_id

    def send(self, *readings: tuple[int, float]) -> None:
        """Readings of (minute, value), one after the other; what they invalidate is computed."""
        for at, value in readings:
            self.store(at, value)
            self.invalidate(self.pump, at, at)

    def invalidate(self, asset_id: UUID, begins: int, ends: int, **how: Any) -> None:
        with self.line.pipeline() as session:
            changed = [(asset_id, micros_of(minute(begins)), micros_of(minute(ends)) + 1)]
            ranges = self.changed(session, changed)
        self.compute(ranges, **how)

    def compute(self, ranges: list[HealthRange], now: datetime = LATER, events: tuple[OpenEvent, ...] = ()) -> None:
        """Compute until no bucket is dirty."""
        while ranges:
            with self.line.pipeline() as session:
                _, further = health_compute(
                    session,
                    organization_id=self.line.organization_id,
                    work=ranges.pop(),
                    events=events,
                    now=now,
                    stage_cache=StageCache(),
                    notes=PendingCacheUpdates(),
                )
                ranges += self.changed(session, further)

    def changed(self, session: Session, ranges: Collection[tuple[UUID, int, int]]) -> list[HealthRange]:
        """The buckets of what changed: what was measured counts for one freshness."""
        ids = {asset_id for asset_id, _, _ in ranges}
        plans = plans_get(session, organization_id=self.line.organization_id, ids=ids)
        return [
            HealthRange(asset_id, begins - begins % length, ends + -ends % length)
            for asset_id, begins, end in ranges
            if asset_id in plans
            for length, ends in [(plans[asset_id].bucket_us, end + plans[asset_id].freshness_us)]
        ]

    def store(self, at: int, value: float) -> None:
        """A reading at a minute; nothing is computed."""
        reading = {"device_id": self.device, "timestamp": minute(at), "metrics": {"t": value}}
        self.line.normalize(self.line.send(reading))

    def leave(self, at: int) -> None:
        """The pump is a part of the house only until a minute, as it is known from now on."""
        with self.line.world.changing() as (session, change):
            edge_correct(session, change=change, edge_id=self.part, valid_until=minute(at))

    def edit(self, at: int) -> None:
        """From a minute on a pump is hot at 50."""
        with self.line.world.changing() as (session, change):
            thresholds = {"t": {"warnHigh": 50}}
            profile_update(
                session,
                change=change,
                profile_id=self.profile.id,
                thresholds=thresholds,
                health={"freshness": "PT40M"},
                effective_from=minute(at),
            )

    def crash(self, asset_id: UUID) -> None:
        """Compute, and lose it."""
        work = HealthRange(asset_id, micros_of(minute(0)), micros_of(minute(240)))

        def lost() -> None:
            with self.line.pipeline() as session:
                health_compute(
                    session,
                    organization_id=self.line.organization_id,
                    work=work,
                    events=(),
                    now=LATER,
                    stage_cache=StageCache(),
                    notes=PendingCacheUpdates(),
                )
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            lost()

    def series(self, asset_id: UUID) -> dict[int, float]:
        """By minute, the points of an asset's health."""
        with self.line.world.session() as session:
            rows = session.execute(
                text(
                    """SELECT h."timestamp" AS at, h.value FROM telemetry_history h JOIN series s ON s.id = h.series_id
                    AND s.organization_id = h.organization_id
                    WHERE s.entity_id = :e AND s.metric = 'health' ORDER BY 1"""
                ),
                {"e": asset_id},
            )
            return {(row.at - T0) // timedelta(minutes=1): row.value for row in rows}

    def score(self, asset_id: UUID, now: datetime = LATER) -> float | None:
        with self.line.world.session() as session:
            organization_id = self.line.organization_id
            return health_scores_get(session, organization_id=organization_id, ids=[asset_id], now=now).get(asset_id)

    def explained(self, asset_id: UUID, at: int, now: datetime = LATER) -> float | None:
        """The score that is explained of a minute."""
        with self.line.world.session() as session:
            result = health_explain(
                session, organization_id=self.line.organization_id, asset_id=asset_id, at=minute(at), now=now
            )
        return None if result is None else result.health.score


@pytest.fixture
def plants(worlds: Callable[[str], World], engine: Callable[[str], Engine]) -> Callable[[str], Plant]:
    made: list[Plant] = []

    def make(name: str) -> Plant:
        line = Line(worlds(name), engine)
        line.lease = made[0].line.run().lease if made else None
        made.append(Plant(line))
        return made[-1]

    return make


def test_a_pump_and_the_house_it_is_part_of(plants: Callable[[str], Plant]) -> None:
    plant = plants("One")
    plant.send((1, 95), (20, 50))
    # Minute 81: an hour after the last reading. What t was is not known any more, that nothing comes costs 20.
    assert plant.series(plant.pump) == {0: 60, 15: 100, 75: 80}
    # 30 at most, of the part's 40 lost points; the part's last point counts for an hour.
    assert plant.series(plant.house) == {0: 88, 15: 100, 75: 94}
    # As of now, and null where nothing recent is known.
    for now, *wanted in ((2, 60, 88), (25, 100, 100), (81, 80, 94), (91, None, 94), (200, None, None)):
        for asset, score in zip((plant.pump, plant.house), wanted, strict=True):
            assert plant.score(asset, minute(now)) == plant.explained(asset, now, minute(now)) == score, now
    assert (plant.score(plant.pump), plant.score(plant.house)) == (None, None)


def test_late_data_come_to_the_same(plants: Callable[[str], Plant]) -> None:
    readings = [(1, 95.0), (20, 50.0), (24, 85.0), (70, 95.0), (100, 10.0)]
    one, other = plants("One"), plants("Other")
    one.send(*readings)
    other.send(*reversed(readings))
    for asset in ("pump", "house"):
        series = one.series(getattr(one, asset))
        assert series == other.series(getattr(other, asset))
        assert {15, 60, 90} <= series.keys()


def test_an_edited_profile_and_events(plants: Callable[[str], Plant]) -> None:
    plant = plants("One")
    plant.send((1, 95), (20, 95))
    with plant.line.world.changing() as (session, change):
        profile_update(session, change=change, profile_id=plant.profile.id, thresholds={}, effective_from=minute(15))
    event = OpenEvent(UUID(int=5), "HIGH", micros_of(minute(20)), micros_of(minute(31)))
    plant.invalidate(plant.pump, 0, 31, events=(event,))
    assert plant.series(plant.pump) == {0: 60, 15: 70, 30: 70, 75: 80}


def test_values_that_become_too_old_have_a_timer(plants: Callable[[str], Plant]) -> None:
    plant = plants("One")
    plant.line.normalize(
        plant.line.send({"device_id": plant.device, "timestamp": minute(1), "metrics": {"t": 50}}, at=minute(2))
    )
    plant.invalidate(plant.pump, 1, 1, now=minute(2))
    assert plant.series(plant.pump) == {0: 100}
    for now, points in ((60, {0: 100}), (61, {0: 100, 60: 80})):
        with plant.line.pipeline() as session:
            due = health_due(session, organization_id=plant.line.organization_id, now=minute(now))
        plant.compute(due, now=minute(now))
        assert plant.series(plant.pump) == points


def test_an_explanation_says_what_the_point_says(plants: Callable[[str], Plant]) -> None:
    plant = plants("One")
    plant.send((1, 95))
    with plant.line.world.session() as session:
        result = health_explain(
            session, organization_id=plant.line.organization_id, asset_id=plant.pump, at=minute(14), now=LATER
        )
        before = health_explain(
            session, organization_id=plant.line.organization_id, asset_id=plant.pump, at=minute(-1), now=LATER
        )
    assert result is not None
    assert (instant_of(result.begins_us), instant_of(result.ends_us), result.health.score) == (
        minute(0),
        minute(15),
        60,
    )
    assert [(p.part, p.subject, p.cost, p.weight, p.detail) for p in result.health.parts] == [
        ("THRESHOLD", "t", 40, 40, "95 is at or above critHigh 90"),
        ("FRESHNESS", None, 0, 20, "it was measured within the freshness"),
    ]
    assert before is None


steps = st.lists(
    st.tuples(st.integers(0, 120), st.sampled_from([50.0, 85.0, 95.0])),
    min_size=1,
    max_size=6,
    unique_by=lambda item: item[0],
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(readings=steps, data=st.data(), leaves=st.integers(1, 120), edited=st.integers(0, 120), stops=st.integers(0, 3))
def test_any_order_gives_the_same(
    plants: Callable[[str], Plant],
    readings: list[tuple[int, float]],
    data: st.DataObject,
    leaves: int,
    edited: int,
    stops: int,
) -> None:
    """The one knows all before anything is computed; to the other it comes in any order, and some of it fails once."""
    name = f"Plant {next(_NUMBERS)}"
    one, other = plants(f"{name} one"), plants(f"{name} other")
    one.leave(leaves)
    one.edit(edited)
    for reading in readings:
        one.store(*reading)
    one.invalidate(one.pump, 0, 240)
    one.invalidate(one.house, 0, 240)

    def late_leave() -> None:
        other.leave(leaves)
        other.invalidate(other.house, leaves, 10_000)

    def late_edit() -> None:
        other.edit(edited)
        other.invalidate(other.pump, edited, 240)
        other.invalidate(other.house, edited, 240)

    changes: list[Callable[[], None]] = [
        late_leave,
        late_edit,
        *(partial(other.send, reading) for reading in readings),
    ]
    for n, change in enumerate(data.draw(st.permutations(changes))):
        if n == stops:
            other.crash(other.pump)
        change()
    for asset in ("pump", "house"):
        assert one.series(getattr(one, asset)) == other.series(getattr(other, asset))
