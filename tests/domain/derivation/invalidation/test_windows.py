"""Dirty windows of edits, to the microsecond, and windows that reach before retention."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from domain.telemetry.store.retention import RetentionPolicy, partition_drop, partitions_outdated
from graph.kinds import EntityKind
from runtime.database import transaction
from testing.deriving_plant import SUM, DerivingPlant
from testing.line import NOW

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
END = datetime(9999, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def at(hours: float) -> datetime:
    return NOW + hours * HOUR


@pytest.fixture
def deriving(plant: DerivingPlant) -> DerivingPlant:
    """With a formula in force from the beginning, and nothing dirty."""
    plant.formulas(SUM, since=EPOCH)
    plant.drain()
    return plant


def test_a_link_dirties_its_asset_over_its_time(deriving: DerivingPlant) -> None:
    device, pump = deriving.line.device(), deriving.pump()
    edge = deriving.link(device, pump, valid_from=at(-9), valid_until=at(-1))
    assert deriving.windows() == [(pump, at(-9), at(-1), "link")]
    deriving.drain()
    # A correction: where what is believed now differs from what was.
    deriving.correct(edge, valid_from=at(-7))
    assert deriving.windows() == [(pump, at(-9), at(-7), "link")]
    deriving.drain()
    deriving.end(edge, at(-3))
    assert deriving.windows() == [(pump, at(-3), at(-1), "link")]
    deriving.drain()
    deriving.retract(edge)
    assert deriving.windows() == [(pump, at(-7), at(-3), "link")]


def test_a_replacement_dirties_both_assets(deriving: DerivingPlant) -> None:
    device, pumps = deriving.line.device(), [deriving.pump(), deriving.pump()]
    edge = deriving.link(device, pumps[0], valid_from=at(-9))
    deriving.drain()
    deriving.end(edge, at(-4))
    deriving.link(device, pumps[1], valid_from=at(-4))
    assert sorted(deriving.windows()) == sorted((p, at(-4), END, "link") for p in pumps)


def test_a_schema_dirties_all_of_its_type_until_the_next_version(deriving: DerivingPlant) -> None:
    pumps = {deriving.pump(), deriving.pump()}
    deriving.line.world.entity(EntityKind.ASSET, "fan")
    deriving.formulas({}, since=at(-2))
    deriving.drain()
    deriving.formulas({"total": {"sum": {"a": 3}}}, since=at(-5))
    assert {tuple(window) for window in deriving.windows()} == {(p, at(-5), at(-2), "schema") for p in pumps}
    deriving.drain()
    # The same once more changes nothing, and a version that held only before there were readings neither.
    deriving.formulas({"total": {"sum": {"a": 3}}}, since=at(-5))
    deriving.formulas({"total": {"sum": {"a": 4}}}, since=datetime(1900, 1, 1, tzinfo=UTC))
    assert deriving.windows() == []


def test_a_type_dirties_all_time_and_one_that_derives_nothing_none(deriving: DerivingPlant) -> None:
    pump, fan = deriving.pump(), deriving.line.world.entity(EntityKind.ASSET, "fan")
    deriving.line.world.entity(EntityKind.ASSET, "blower")
    with transaction(deriving.line.engine("owner")) as session:
        session.execute(text("UPDATE entities SET type = 'blower' WHERE id = :id"), {"id": fan})
    assert deriving.windows() == []
    with transaction(deriving.line.engine("owner")) as session:
        session.execute(text("UPDATE entities SET type = 'blower' WHERE id = :id"), {"id": pump})
    assert deriving.windows() == [(pump, EPOCH, END, "type")]


def test_windows_before_retention_are_left_unchanged_and_reported(deriving: DerivingPlant) -> None:
    device, pump = deriving.line.device(), deriving.pump()
    deriving.link(device, pump, valid_from=EPOCH)
    deriving.drain()
    border = datetime(2026, 4, 1, tzinfo=UTC)
    minutes = [-30, -5, 5, 30]
    readings = [
        {"device_id": device, "timestamp": border + timedelta(minutes=n), "metrics": {"a": n, "b": 1}} for n in minutes
    ]
    deriving.line.normalize(deriving.line.send(*readings))
    deriving.drain()
    assert list(deriving.derived().values()) == [n + 2.0 for n in minutes]
    deriving.line.summarize()
    with transaction(deriving.line.engine("pipeline")) as session:
        retention = RetentionPolicy(None, timedelta(days=200))
        for month in partitions_outdated(session, retention=retention, now=border + timedelta(days=200, hours=1)):
            assert partition_drop(session, month) == ["telemetry_history_202603"]
    deriving.line.stage_cache.forget()
    # All of it is to be derived otherwise. What could hang on points that have gone stays as it is: `a` five minutes
    # after the border has an input of its own, and the one before it would count for ten minutes.
    deriving.formulas({"total": {"sum": {"a": 10}, "maxAge": "PT10M"}}, since=EPOCH + HOUR)
    done = deriving.derive([pump])
    assert done.beyond_retention == 1
    assert deriving.windows() == []
    assert {t: value for (_, t), value in deriving.derived().items()} == {
        border + timedelta(minutes=5): 7.0,
        border + timedelta(minutes=30): 300.0,
    }
