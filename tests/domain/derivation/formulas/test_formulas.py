"""Formulas that are expressions: attributes as recorded, areas, chains, faults; and what is refused when defined."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from domain.derivation.formulas.faults import faults_of
from domain.derivation.formulas.formulas import TERMS_MAX, cycle_text, derived_check, derived_cycle
from graph.entities.model import EntityPatch
from graph.entities.operations import entity_update
from graph.entities.queries import entity_get
from graph.errors import BadInputError, LimitExceededError
from graph.kinds import EntityKind
from runtime.database import transaction
from testing.deriving_plant import DerivingPlant
from testing.line import NOW
from testing.world import EPOCH

MINUTE = timedelta(minutes=1)
SQUARE = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]}


def send(plant: DerivingPlant, device: UUID, readings: dict[datetime, dict[str, Any]], *, at: datetime = NOW) -> None:
    sent = [{"device_id": device, "timestamp": t, "metrics": metrics} for t, metrics in readings.items()]
    plant.line.normalize(plant.line.send(*sent, at=at))


def update(plant: DerivingPlant, entity_id: UUID, **patch: Any) -> datetime:
    """Change an entity; return when it was recorded."""
    with plant.line.world.changing() as (session, change):
        before = entity_get(session, organization_id=plant.organization_id, entity_id=entity_id)
        entity_update(
            session, change=change, before=before, patch=EntityPatch(**patch), details_before={}, details_after={}
        )
        return change.recorded


def values(plant: DerivingPlant, metric: str) -> dict[datetime, float]:
    return {at: value for (_, at), value in plant.derived(metric).items()}


def test_a_formula_reads_attributes_as_they_were_recorded(plant: DerivingPlant) -> None:
    plant.formulas({"heat": {"formula": "flow * attributes.pump.factor"}}, since=EPOCH)
    device, pump = plant.line.device(), plant.pump()
    plant.link(device, pump, valid_from=EPOCH)
    first = update(plant, pump, attributes={"pump": {"factor": 2}, "color": "red"})
    second = update(plant, pump, attributes={"pump": {"factor": 3}, "color": "red"})
    third = update(plant, pump, attributes={"pump": {"factor": "many"}})
    plant.drain()
    times = [first - MINUTE, first, second - timedelta(microseconds=1), second, third, third + MINUTE]
    send(plant, device, {t: {"flow": 10} for t in times}, at=third + 2 * MINUTE)
    plant.drain()
    # Before the first record: as recorded first. The last two have no number.
    assert list(values(plant, "heat").values()) == [20, 20, 20, 30]
    with plant.line.world.session() as session:
        [fault] = faults_of(session, organization_id=plant.organization_id, entity_ids=[pump])[pump]
    assert (fault.metric, fault.last_at, fault.message) == (
        "heat",
        third + MINUTE,
        "The attribute pump.factor is no number.",
    )
    # An attribute that no formula reads changes nothing; one that is put right counts from now on, and not before.
    update(plant, pump, attributes={"pump": {"factor": "many"}, "color": "blue"})
    plant.drain()
    assert list(values(plant, "heat").values()) == [20, 20, 20, 30]
    fourth = update(plant, pump, attributes={"pump": {"factor": 5}})
    assert [(begins, reason) for _, begins, _, reason in plant.windows()] == [(fourth, "attributes")]
    plant.drain()
    assert values(plant, "heat") == {times[0]: 20, times[1]: 20, times[2]: 20, times[3]: 30, times[5]: 50}
    with plant.line.world.session() as session:
        assert faults_of(session, organization_id=plant.organization_id, entity_ids=[pump]) == {}


def test_a_fault_goes_with_what_caused_it(plant: DerivingPlant) -> None:
    plant.formulas({"ratio": {"formula": "a / b"}, "sum": {"formula": "a + b"}}, since=EPOCH)
    device, pump = plant.line.device(), plant.pump()
    link = plant.link(device, pump, valid_from=EPOCH)
    plant.drain()
    send(plant, device, {NOW - 2 * MINUTE: {"a": 6, "b": 3}, NOW - MINUTE: {"b": 0}})
    plant.drain()
    # An error in one formula affects its own metric only.
    assert values(plant, "ratio") == {NOW - 2 * MINUTE: 2}
    assert values(plant, "sum") == {NOW - 2 * MINUTE: 9, NOW - MINUTE: 6}

    def faults() -> list[tuple[str, datetime, str]]:
        with plant.line.world.session() as session:
            stored_faults = faults_of(session, organization_id=plant.organization_id, entity_ids=[pump])
        return [(fault.metric, fault.last_at, fault.message) for fault in stored_faults.get(pump, ())]

    assert faults() == [("ratio", NOW - MINUTE, "/ has no finite result.")]
    # The larger raw id wins: the reading is another now.
    send(plant, device, {NOW - MINUTE: {"b": 2}})
    plant.drain()
    assert values(plant, "ratio") == {NOW - 2 * MINUTE: 2, NOW - MINUTE: 3}
    assert faults() == []
    send(plant, device, {NOW: {"b": 0}})
    plant.drain()
    assert len(faults()) == 1
    plant.retract(link)
    plant.drain()
    assert faults() == []
    assert values(plant, "sum") == {}


def test_metrics_derived_from_derived_ones_live_and_late(plant: DerivingPlant) -> None:
    formulas = {
        "c": {"formula": "b + 1", "maxAge": "PT2M"},
        "b": {"formula": "a * 2", "maxAge": "PT3M"},
        "d": {"formula": "c + x", "maxAge": "PT5M"},
    }
    plant.formulas(formulas, since=EPOCH)
    device, pump = plant.line.device(), plant.pump()
    plant.link(device, pump, valid_from=EPOCH)
    plant.drain()
    start = NOW - 30 * MINUTE
    read_back = []
    for n, metrics in enumerate([{"a": 1}, {"a": 2}, {"x": 10}, {"x": 20}]):
        sent = {"device_id": device, "timestamp": start + n * MINUTE, "metrics": metrics}
        entries = plant.line.normalize(plant.line.send(sent)).entries
        read_back.append(plant.derive([pump], plant.attribute(entries)).read_back)
    assert read_back == [0, 0, 0, 0]
    assert values(plant, "b") == {start: 2, start + MINUTE: 4}
    assert values(plant, "c") == {start: 3, start + MINUTE: 5}
    assert values(plant, "d") == {start + 2 * MINUTE: 15, start + 3 * MINUTE: 25}
    # What comes late counts through all of them, as far as each reaches: 3 + 2 + 5 minutes.
    send(plant, device, {start - 3 * MINUTE: {"x": 1}, start + MINUTE: {"a": 3}})
    plant.drain()
    assert values(plant, "d") == {start: 4, start + MINUTE: 8, start + 2 * MINUTE: 17, start + 3 * MINUTE: 27}
    plant.formulas({"b": {"formula": "a * 2", "maxAge": "PT3M"}}, since=EPOCH)
    plant.drain()
    assert values(plant, "d") == {}
    assert values(plant, "b") == {start: 2, start + MINUTE: 6}


def test_whether_something_is_in_an_area(plant: DerivingPlant) -> None:
    plant.formulas({"in_yard": {"formula": 'inArea(longitude, latitude, "yard")'}}, since=EPOCH)
    device, pump = plant.line.device(), plant.pump()
    plant.link(device, pump, valid_from=EPOCH)
    fixes = {NOW - 3 * MINUTE: (0.5, 0.5), NOW - 2 * MINUTE: (1.5, 0.5), NOW - MINUTE: (1.0, 0.5)}
    send(plant, device, {t: {"longitude": x, "latitude": y} for t, (x, y) in fixes.items()})
    plant.drain()
    assert values(plant, "in_yard") == {}
    yard = plant.line.world.entity(EntityKind.SPACE)
    with transaction(plant.line.engine("owner")) as session:
        session.execute(text("UPDATE entities SET external_id = 'yard' WHERE id = :id"), {"id": yard})
    update(plant, yard, location=SQUARE)
    assert {reason for *_, reason in plant.windows()} == {"area"}
    plant.drain()
    # The edge belongs to it.
    assert list(values(plant, "in_yard").values()) == [1, 0, 1]
    wide = {**SQUARE, "coordinates": [[[0, 0], [2, 0], [2, 2], [0, 2], [0, 0]]]}
    update(plant, yard, location=wide)
    plant.drain()
    assert list(values(plant, "in_yard").values()) == [1, 1, 1]


@pytest.mark.parametrize(
    ("derived", "path", "what"),
    [
        ({"a": {"formula": "a + 1"}}, ("d", "a", "formula"), "^'a' -> 'a' forms a cycle"),
        (
            {"a": {"formula": "b"}, "b": {"formula": "c"}, "c": {"formula": "b + x"}},
            ("d", "b", "formula"),
            "^'b' -> 'c' -> 'b' forms a cycle",
        ),
        ({"a": {"formula": "1 + 2"}}, ("d", "a", "formula"), "at least one metric"),
        ({"a": {"formula": "attributes.x * 2"}}, ("d", "a", "formula"), "at least one metric"),
        ({"a": {"formula": "x +"}}, ("d", "a", "formula"), "no CEL expression"),
        ({"a": {"formula": 7}}, ("d", "a", "formula"), "text"),
        ({"a": {"formula": "x", "sum": {"x": 1}}}, ("d", "a", "sum"), "not both"),
        ({"a": {"formula": "x", "offset": 1}}, ("d", "a", "offset"), "not both"),
        ({"a": {"formula": "x", "unit": "furlongs"}}, ("d", "a", "unit"), "UCUM"),
        ({"a": {"formula": "x", "maxAge": "P1M"}}, ("d", "a", "maxAge"), "duration"),
    ],
)
def test_invalid_definitions_are_refused(derived: Any, path: tuple[str, ...], what: str) -> None:
    with pytest.raises(BadInputError, match=what) as refused:
        derived_check(derived, path=("d",))
    assert refused.value.path == path


def test_a_long_circle_is_reported_in_part() -> None:
    count = 100
    derived = {f"m{n:03}": {"formula": f"m{(n + 1) % count:03} + 1"} for n in range(count)}
    assert derived_cycle(derived) == tuple(f"m{n:03}" for n in range(count))
    message = cycle_text(tuple(derived))
    assert message.startswith("'m000' -> 'm001' -> ")
    assert message.endswith(" -> 'm018' -> ... (81 more) -> 'm000'")


def test_a_formula_reads_so_many_metrics() -> None:
    names = [f"metric_{n}" for n in range(TERMS_MAX + 1)]
    derived_check({"a": {"formula": "max(" + ", ".join(names[:-1]) + ")"}}, path=("d",))
    with pytest.raises(LimitExceededError, match="it reads 101"):
        derived_check({"a": {"formula": "max(" + ", ".join(names) + ")"}}, path=("d",))
