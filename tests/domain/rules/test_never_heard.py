"""A `noData` rule that counts what was never heard: from the creation, until the first reading, however it comes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from domain.base.packed import micros_of
from domain.plant.devices.operations import device_create
from domain.rules.conditions import condition_read, condition_since
from domain.rules.evaluate import evaluate
from domain.rules.operations import RuleDraft, rule_update
from graph.entities.model import EntityDraft
from graph.errors import BadInputError
from testing.deriving_plant import DerivingPlant
from testing.line import NOW
from testing.world import new_id
from tests.domain.rules.test_endings import at, delete, kinds, read, ruled, stored_events

HOUR_US = 3_600_000_000
UNHEARD: dict[str, Any] = {"noData": {"metric": "t", "afterUs": HOUR_US, "everHeard": False}}


def device_of(plant: DerivingPlant, minute: float) -> UUID:
    """Make a device that was created at a minute."""
    device = new_id()
    with plant.line.world.changing() as (session, _):
        for statement in (
            """INSERT INTO entities (organization_id, id, kind, name, status, attributes, created_at, updated_at)
                VALUES (:o, :id, 'DEVICE', 'd', 'active', '{}', :at, :at)""",
            "INSERT INTO devices (organization_id, id) VALUES (:o, :id)",
        ):
            session.execute(text(statement), {"at": at(minute), "o": plant.organization_id, "id": device})
    plant.drain()
    return device


def test_one_that_never_sent_counts_from_its_creation_until_it_does(plant: DerivingPlant) -> None:
    device = device_of(plant, 0)
    rule_id = ruled(plant, UNHEARD)
    plant.drain()
    assert stored_events(plant) == [(60, None, None)]
    read(plant, device, (90, 1))
    assert stored_events(plant) == [(60, 90, "CONDITION"), (150, None, None)]
    # A reading that was late: there was none of the silence.
    read(plant, device, (30, 1))
    assert [event[0] for event in stored_events(plant)] == [150]
    assert "WITHDRAWN" in kinds(plant)
    assert {row.rule_id for row in plant.line.rows("SELECT rule_id FROM events")} == {rule_id}


def test_a_reading_from_before_the_creation_counts(plant: DerivingPlant) -> None:
    device = device_of(plant, 100)
    ruled(plant, UNHEARD)
    plant.drain()
    assert stored_events(plant) == [(160, None, None)]
    read(plant, device, (50, 1))
    assert stored_events(plant) == [(110, None, None)]


def test_heard_on_a_port_it_is_counted_by_ports(plant: DerivingPlant) -> None:
    device = device_of(plant, 0)
    rule_id = ruled(plant, UNHEARD)
    plant.drain()
    with plant.line.world.changing() as (session, change):
        condition = {"noData": {**UNHEARD["noData"], "afterUs": 2 * HOUR_US}}
        rule_update(
            session,
            change=change,
            rule_id=rule_id,
            draft=RuleDraft(name="x", condition=condition, effective_from=at(100)),
        )
    plant.drain()
    assert stored_events(plant) == [(60, 100, "RULE_CHANGED"), (120, None, None)]
    reading = {"device_id": device, "port": 2, "timestamp": at(400), "metrics": {"t": 1.0}}
    plant.line.normalize(plant.line.send(reading))
    plant.drain()
    assert stored_events(plant) == [(60, 100, "RULE_CHANGED"), (120, 400, "CONDITION"), (520, None, None)]
    assert {row.key for row in plant.line.rows("SELECT key FROM events WHERE withdrawn_at IS NULL")} == {"2"}


def test_one_that_is_created_later_is_evaluated_when_its_time_has_come(plant: DerivingPlant) -> None:
    ruled(plant, UNHEARD)
    plant.drain()
    with plant.line.world.changing() as (session, change):
        device = device_create(session, change=change, draft=EntityDraft(name="new")).id
        created_at = change.recorded
    assert [(row.entity_id, row.reason) for row in plant.line.rows("SELECT entity_id, reason FROM dirty_windows")] == [
        (device, "rule")
    ]
    plant.drain()
    assert stored_events(plant) == []
    [timer] = plant.line.rows("SELECT entity_id, due_at FROM rule_timers")
    assert (timer.entity_id, timer.due_at) == (device, created_at + timedelta(hours=1))


def test_without_such_a_rule_a_creation_invalidates_nothing(plant: DerivingPlant) -> None:
    ruled(plant, {"noData": {"metric": "t", "afterUs": HOUR_US}})
    plant.drain()
    with plant.line.world.changing() as (session, change):
        device_create(session, change=change, draft=EntityDraft(name="new"))
    assert plant.windows() == []
    assert plant.line.rows("SELECT FROM rule_timers") == []


def test_its_deletion_and_another_version_end_it(plant: DerivingPlant) -> None:
    device = device_of(plant, 0)
    rule_id = ruled(plant, UNHEARD)
    plant.drain()
    delete(plant, device, at(200))
    assert stored_events(plant) == [(60, 200, "ENTITY_DELETED")]
    delete(plant, device, None)
    assert stored_events(plant) == [(60, None, None)]
    with plant.line.world.changing() as (session, change):
        draft = RuleDraft(name="x", condition={"noData": {"metric": "t", "afterUs": HOUR_US}}, effective_from=at(120))
        rule_update(session, change=change, rule_id=rule_id, draft=draft)
    plant.drain()
    assert stored_events(plant) == [(60, 120, "RULE_CHANGED")]


def test_what_is_no_truth_value_is_refused() -> None:
    with pytest.raises(BadInputError) as refused:
        condition_read({"noData": {"metric": "t", "afterUs": 1, "everHeard": "no"}})
    assert refused.value.path == ("condition", "noData", "everHeard")


def plain(born: int, readings: list[int], after: int, since: int, until: int) -> list[tuple[int, int | None]]:
    """Return the silences, found by looking at each reading."""
    known = sorted(set(readings))
    begins = known if known and known[0] < born else [born, *known]
    spans: list[tuple[int, int | None]] = []
    for n, begin in enumerate(begins):
        end = begins[n + 1] if n + 1 < len(begins) else None
        opened = max(begin + after, since)
        if (end is None and begin + after < until) or (end is not None and end - begin > after and opened < end):
            spans.append((opened, end))
    return spans


@settings(max_examples=300, deadline=None)
@given(
    st.integers(0, 30), st.lists(st.integers(0, 60), max_size=8), st.integers(1, 10), st.integers(0, 20),
    st.integers(0, 60),
)  # fmt: skip
def test_in_parts_it_is_what_looking_at_each_reading_gives(
    born: int, readings: list[int], after: int, since: int, cut: int
) -> None:
    until = 61
    cut = max(since, min(cut, until))
    read_condition = condition_read({"noData": {"metric": "t", "afterUs": after, "everHeard": False}})
    condition = condition_since(read_condition, born)
    known = sorted(set(readings))

    def points(first: int, last: int) -> dict[str, Any]:
        at_us = np.array([n for n in known if first <= n < last], dtype=np.int64)
        return {"t": (at_us, np.zeros(len(at_us)))}

    initial = points(0, since)
    spans, state = evaluate(
        condition, points=points(since, cut), state=None, until_us=cut, since_us=since, initial=initial
    )
    silences = {span.opened: span.cleared for span in spans}
    spans, _ = evaluate(condition, points=points(cut, until), state=state, until_us=until, since_us=since)
    silences |= {span.opened: span.cleared for span in spans}
    # What was open at the cut because nothing had come by then, and was not after all, is taken back by whoever stores it.
    wanted = [span for span in plain(born, known, after, since, until) if span[1] is None or span[1] > since]
    assert {opened: cleared for opened, cleared in silences.items() if (opened, cleared) in wanted} == dict(wanted)


@pytest.mark.slow
def test_however_it_comes_it_is_what_a_recomputation_gives(plant: DerivingPlant) -> None:
    ruled(plant, UNHEARD)
    plant.drain()

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.integers(0, 200),
        st.lists(st.lists(st.integers(0, 400), min_size=1, max_size=3, unique=True), max_size=4),
    )
    def holds(born: int, batches: list[list[int]]) -> None:
        device = device_of(plant, born)
        for batch in batches:
            read(plant, device, *((minute, 1.0) for minute in batch))
        minutes = sorted({minute for batch in batches for minute in batch})
        wanted = plain(born, minutes, 60, -(10**9), int((NOW - at(0)).total_seconds() // 60) + 1)
        rows = plant.line.rows(
            "SELECT opened_at, cleared_at FROM events WHERE entity_id = :id AND withdrawn_at IS NULL ORDER BY opened_at",
            id=device,
        )
        events = [
            tuple(None if item is None else (micros_of(item) - micros_of(at(0))) // 60_000_000 for item in row)
            for row in rows
        ]
        assert events == wanted

    holds()
