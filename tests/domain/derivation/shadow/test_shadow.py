"""A version in shadow records how it differs, and does nothing else."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import Engine, text

from domain.base.packed import Values
from domain.base.streams import DERIVE
from domain.definitions.processors.versions import VERSIONS, Version
from domain.derivation.invalidation.spans import EntitySpan
from domain.derivation.shadow import shadow as shadow_module
from domain.derivation.shadow.operations import shadow_drop
from domain.derivation.shadow.shadow import ShadowComparison, shadow_write
from domain.pipeline.derive import write as write_module
from graph.errors import ArgusError
from runtime.database import transaction
from testing.deriving_plant import DerivingPlant
from testing.line import NOW, Line
from testing.transaction_work import work_counted
from testing.world import world_create
from tests.domain.pipeline.derive.test_versions import EXACT, ONES, PLAIN, THIRDS

BEGIN = NOW - timedelta(hours=2)
MINUTES = 12


def at(minute: int) -> datetime:
    return BEGIN + timedelta(minutes=minute)


def plant_make(engine: Callable[[str], Engine], slug: str) -> tuple[DerivingPlant, list[UUID], list[UUID]]:
    """Make an organization with two pumps, each with a device."""
    with transaction(engine("owner")) as session:
        session.execute(text("UPDATE stage_leases SET expires_at = '-infinity'"))
    plant = DerivingPlant(Line(world_create(owner=engine("owner"), api=engine("api"), slug=slug), engine))
    plant.formulas(THIRDS, since=at(0))
    devices, pumps = [plant.line.device() for _ in range(2)], [plant.pump() for _ in range(2)]
    for device, pump in zip(devices, pumps, strict=True):
        plant.link(device, pump, valid_from=at(0))
    plant.drain()
    return plant, devices, pumps


def run(plant: DerivingPlant, devices: list[UUID], pumps: list[UUID], order: Iterable[int], calls: int) -> None:
    """Send what two devices say, in an order, so many readings at a call, and take it through the stages."""
    readings = [{"device_id": devices[n % 2], "timestamp": at(n // 2), "metrics": {**ONES, "a": n % 3}} for n in order]
    for first in range(0, len(readings), calls):
        batches = plant.line.send(*readings[first : first + calls])
        plant.derive(pumps, plant.attribute(plant.line.normalize(batches).entries))
    plant.drain()


def numbered(
    differences: Mapping[tuple[UUID, str, datetime], object], pumps: list[UUID]
) -> dict[tuple[int, str, datetime], object]:
    return {(pumps.index(pump), metric, t): what for (pump, metric, t), what in differences.items()}


def test_differences_are_those_of_the_data_and_the_series_stays(engine: Callable[[str], Engine]) -> None:
    plain, devices, pumps = plant_make(engine, "plain")
    run(plain, devices, pumps, range(2 * MINUTES), 100)
    stored = {(pumps.index(pump), t): value for (pump, t), value in plain.derived().items()}
    assert len(stored) == 2 * MINUTES
    expected = {}
    for (n, t), value in stored.items():
        a = (2 * int((t - BEGIN) / timedelta(minutes=1)) + n) % 3
        exact = math.fsum([0.1 * a, 0.2, 0.3])
        if exact != value:
            expected[n, "total", t] = (1, value, 2, exact)
    assert 0 < len(expected) < len(stored)

    shuffled = Random(3).sample(range(2 * MINUTES), 2 * MINUTES)  # noqa: S311
    for name, order, calls in (
        ("steady", range(2 * MINUTES), 2),
        ("at-once", range(2 * MINUTES), 100),
        ("shuffled", shuffled, 5),
        ("twice", [*shuffled, *range(2 * MINUTES)], 7),
    ):
        plant, devices, pumps = plant_make(engine, name)
        plant.try_out(2)
        run(plant, devices, pumps, order, calls)
        assert {(pumps.index(pump), t): value for (pump, t), value in plant.derived().items()} == stored
        assert numbered(plant.differences(), pumps) == expected
        status = plant.shadow()
        assert status is not None
        assert (status.version, status.different, status.omitted, status.errors) == (2, len(expected), 0, 0)
        assert status.compared >= len(stored)
        # Deriving all of it again finds the same again.
        assert plant.compare(at(0), at(MINUTES)) == 2
        plant.drain(chunk=timedelta(minutes=3))
        assert numbered(plant.differences(), pumps) == expected
        assert {(pumps.index(pump), t): value for (pump, t), value in plant.derived().items()} == stored


def one(engine: Callable[[str], Engine], slug: str = "one") -> tuple[DerivingPlant, UUID, UUID]:
    plant, devices, pumps = plant_make(engine, slug)
    return plant, devices[0], pumps[0]


def send(plant: DerivingPlant, device: UUID, *minutes: int) -> None:
    batches = plant.line.send(*({"device_id": device, "timestamp": at(n), "metrics": ONES} for n in minutes))
    plant.line.normalize(batches)
    plant.drain()


def test_a_promotion_leaves_no_difference_after_it_and_dropping_none_at_all(engine: Callable[[str], Engine]) -> None:
    plant, device, pump = one(engine)
    plant.try_out(2)
    send(plant, device, 0, 1, 2)
    assert plant.differences() == {(pump, "total", at(n)): (1, PLAIN, 2, EXACT) for n in range(3)}
    plant.promote(2, since=at(1))
    plant.drain()
    assert plant.differences() == {(pump, "total", at(0)): (1, PLAIN, 2, EXACT)}
    assert plant.derived() == {(pump, at(0)): PLAIN, (pump, at(1)): EXACT, (pump, at(2)): EXACT}
    # The one before it, in shadow now, finds the same the other way round.
    plant.try_out(1)
    assert plant.differences() == {}
    plant.compare(at(0), at(9))
    plant.drain()
    assert plant.differences() == {(pump, "total", at(n)): (2, EXACT, 1, PLAIN) for n in (1, 2)}
    with plant.line.world.changing() as (session, change):
        assert shadow_drop(session, change=change, stage=DERIVE).different == 2
    assert plant.differences() == {}
    assert plant.shadow() is None
    with plant.line.world.changing() as (session, change), pytest.raises(ArgusError) as refused:
        shadow_drop(session, change=change, stage=DERIVE)
    assert (refused.value.code, refused.value.path) == ("NOT_FOUND", ("stage",))
    send(plant, device, 3)
    assert plant.differences() == {}


def test_a_link_that_goes_takes_its_differences_along(engine: Callable[[str], Engine]) -> None:
    plant, device, pump = one(engine)
    plant.try_out(2)
    other_device = plant.line.device()
    link = plant.link(other_device, pump, port=1, valid_from=at(0))
    plant.line.normalize(plant.line.send({"device_id": other_device, "port": 1, "timestamp": at(3), "metrics": ONES}))
    send(plant, device, 0, 1)
    assert set(plant.differences()) == {(pump, "total", at(n)) for n in (0, 1, 3)}
    plant.retract(link)
    plant.drain()
    assert set(plant.differences()) == {(pump, "total", at(n)) for n in (0, 1)}
    status = plant.shadow()
    assert status is not None
    assert status.different == 2


def test_a_bound_that_is_reached_is_reported(engine: Callable[[str], Engine], monkeypatch: pytest.MonkeyPatch) -> None:
    def bounded(session: object, **arguments: object) -> None:
        shadow_write(session, **arguments, differences_max=3)  # type: ignore[arg-type]

    monkeypatch.setattr(write_module, "shadow_write", bounded)
    plant, device, pump = one(engine)
    plant.try_out(2)
    send(plant, device, 0, 1)
    send(plant, device, 2, 3, 4)
    status = plant.shadow()
    assert status is not None
    assert (status.different, status.omitted) == (3, 2)
    assert plant.differences() == {(pump, "total", at(n)): (1, PLAIN, 2, EXACT) for n in (0, 1, 2)}
    assert plant.derived() == {(pump, at(n)): PLAIN for n in range(5)}
    # Where there is room again, more is kept.
    plant.promote(2, since=at(0))
    plant.promote(1, since=at(1))
    plant.drain()
    assert set(plant.differences()) == {(pump, "total", at(n)) for n in (1, 2, 3)}
    status = plant.shadow()
    assert status is not None
    assert (status.different, status.omitted) == (3, 3)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Version 2 fails on every sum with a 7."""

    def total(count: int, offset: float, terms: Iterable[Values]) -> Values:
        rows = np.stack(list(terms), axis=1)
        if (rows == 7 * 0.1).any():
            message = "seven\0th"
            raise RuntimeError(message)
        sums: Values = rows.sum(axis=1) + offset + 1
        return sums

    monkeypatch.setitem(VERSIONS, 2, Version(2, "Adds one, and does not like sevens.", total))


@pytest.mark.usefixtures("failing")
def test_an_error_in_shadow_affects_nothing_else(
    engine: Callable[[str], Engine], caplog: pytest.LogCaptureFixture
) -> None:
    plant, device, pump = one(engine)
    other_device, other = plant.line.device(), plant.pump()
    plant.link(other_device, other, valid_from=at(0))
    plant.try_out(2)
    batches = plant.line.send(
        {"device_id": device, "timestamp": at(0), "metrics": {**ONES, "a": 7}},
        {"device_id": other_device, "timestamp": at(0), "metrics": ONES},
    )
    plant.line.normalize(batches)
    plant.drain()
    assert plant.derived() == {(pump, at(0)): 7 * 0.1 + 0.2 + 0.3, (other, at(0)): PLAIN}
    assert set(plant.differences()) == {(other, "total", at(0))}
    status = plant.shadow()
    assert status is not None
    assert (status.compared, status.different, status.errors) == (1, 1, 1)
    assert status.last_error == "RuntimeError('seven\\x00th')"
    assert "shadow_failed" in caplog.text
    # The reading is corrected: nothing is left of the error but its count.
    plant.line.normalize(plant.line.send({"device_id": device, "timestamp": at(0), "metrics": ONES}))
    plant.drain()
    assert set(plant.differences()) == {(pump, "total", at(0)), (other, "total", at(0))}


def test_a_version_that_always_fails_costs_a_bounded_number_of_attempts(
    engine: Callable[[str], Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def total(count: int, offset: float, terms: Iterable[Values]) -> Values:
        tried.append(count)
        raise ZeroDivisionError

    monkeypatch.setattr(shadow_module, "FAILURES_MAX", 8)
    monkeypatch.setitem(VERSIONS, 2, Version(2, "Fails.", total))
    plant, _, _ = one(engine)
    devices = [plant.line.device() for _ in range(40)]
    for device in devices:
        plant.link(device, plant.pump(), valid_from=at(0))
    plant.drain()
    plant.try_out(2)
    rows = [{"device_id": device, "timestamp": at(0), "metrics": ONES} for device in devices]
    plant.line.normalize(plant.line.send(*rows))
    plant.drain()
    assert len(plant.derived()) == 40
    status = plant.shadow()
    assert status is not None
    assert (status.errors, status.compared) == (40, 0)
    assert len(tried) <= 8 + 8


def test_an_error_on_writing_differences_affects_nothing_else(engine: Callable[[str], Engine]) -> None:
    plant, device, pump = one(engine)
    plant.try_out(2)
    with transaction(engine("owner")) as session:
        session.execute(text("ALTER TABLE shadow_differences ADD CONSTRAINT ck_none CHECK (value < 0)"))
    try:
        send(plant, device, 0)
    finally:
        with transaction(engine("owner")) as session:
            session.execute(text("ALTER TABLE shadow_differences DROP CONSTRAINT ck_none"))
    assert plant.derived() == {(pump, at(0)): PLAIN}
    status = plant.shadow()
    assert status is not None
    assert (status.different, status.errors) == (0, 1)
    assert "ck_none" in str(status.last_error)


def test_without_a_shadow_the_stage_sends_what_it_sent(engine: Callable[[str], Engine]) -> None:
    plant, devices, pumps = plant_make(engine, "counted")
    statements = {}
    for n, version in enumerate((None, 2, None)):
        plant.try_out(version)
        # The dependency index is read again, and the checkpoints are made.
        run(plant, devices, pumps, (4 * n, 4 * n + 1), 2)
        with work_counted(plant.line.engine("pipeline")) as work:
            run(plant, devices, pumps, (4 * n + 2, 4 * n + 3), 2)
        statements[n] = work.statements
    assert statements[0] == statements[2] < statements[1] <= statements[0] + 6


def test_organizations_do_not_meet(engine: Callable[[str], Engine]) -> None:
    first, device, pump = one(engine, "first")
    first.try_out(2)
    first.promote(2, since=at(5))
    send(first, device, 0, 6)
    second, other_device, other = one(engine, "second")
    assert (second.shadow(), second.differences()) == (None, {})
    send(second, other_device, 0, 6)
    assert second.derived() == {(other, at(0)): PLAIN, (other, at(6)): PLAIN}
    assert first.derived() == {(pump, at(0)): PLAIN, (pump, at(6)): EXACT}
    second.try_out(2)
    assert second.compare(at(0), at(9)) == 2
    assert first.windows() == []
    second.drain()
    assert set(first.differences()) == {(pump, "total", at(0))}
    assert set(second.differences()) == {(other, "total", at(0)), (other, "total", at(6))}
    with second.line.pipeline() as session:
        stolen = ShadowComparison(compared=5, spans=[EntitySpan(pump.bytes, 0, 2**50)])
        shadow_write(session, organization_id=first.organization_id, version=2, comparison=stolen)
    assert set(first.differences()) == {(pump, "total", at(0))}
    with second.line.world.changing() as (session, change):
        shadow_drop(session, change=change, stage=DERIVE)
    assert set(first.differences()) == {(pump, "total", at(0))}
