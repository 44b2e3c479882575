"""The end of suppression is a function of shelves, windows and the graph, in whatever order they were set."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, text

from domain.base.packed import micros_of
from domain.pipeline.act.suppressed import suppression_refresh
from domain.rules.model import Rule
from domain.rules.operations import RuleDraft, rule_create
from domain.rules.shelving.operations import maintenance_window_create, maintenance_window_end, shelf_create, shelf_end
from domain.rules.suppression import suppressed_until, suppression_end
from graph.edges.operations import edge_correct
from graph.kinds import EntityKind
from testing.line import NOW, Line
from testing.world import new_id, world_create
from tests.domain.rules.test_stage import T0, create, edit, evaluate, left, over, send


@pytest.fixture
def line(engine: Callable[[str], Engine]) -> Line:
    return Line(world_create(owner=engine("owner"), api=engine("api"), slug="suppressions"), engine)


def at(minute: int) -> datetime:
    return NOW - timedelta(hours=2) + timedelta(minutes=minute)


def refresh(line: Line, *, limit: int = 3) -> None:
    """Look again at all whose shelves, windows or place have changed, a few at a time."""
    is_left = True
    while is_left:
        with line.pipeline() as session:
            is_left = suppression_refresh(session, organization_id=line.organization_id, limit=limit).is_pending


def suppressions(line: Line) -> dict[datetime, datetime | None]:
    rows = line.rows("SELECT opened_at, suppressed_until FROM events WHERE withdrawn_at IS NULL ORDER BY opened_at")
    return {row.opened_at: row.suppressed_until for row in rows}


def window(line: Line, begins: datetime, ends: datetime, under: UUID | None = None) -> UUID:
    with line.world.changing() as (session, change):
        return maintenance_window_create(session, change=change, under_id=under, begins=begins, ends=ends).id


def minutes(*pairs: tuple[int, float]) -> list[tuple[datetime, float]]:
    return [(T0 + timedelta(minutes=minute), value) for minute, value in pairs]


def minute(number: int) -> datetime:
    return T0 + timedelta(minutes=number)


def test_spans_that_meet_are_one_suppression() -> None:
    spans = [(0, 10), (2, 5), (10, 20), (21, 30)]
    assert [suppression_end(spans, item) for item in (-1, 0, 9, 19, 20, 21, 29, 30)] == [
        None, 20, 20, 20, None, 30, 30, None,
    ]  # fmt: skip


def test_a_shelf_is_of_a_rule_and_maintenance_of_what_is_below(line: Line) -> None:
    world = line.world
    hall, pump, other = (world.entity(kind) for kind in (EntityKind.SPACE, EntityKind.ASSET, EntityKind.ASSET))
    world.edge(pump, "LOCATED_IN", hall)
    condition = {"threshold": {"metric": "a", "operator": "GT", "value": 5}}
    with world.changing() as (session, change):
        rule = rule_create(session, change=change, draft=RuleDraft(name="hot", condition=condition)).id
        shelf = shelf_create(session, change=change, rule_id=rule, entity_id=None, begins=at(0), ends=at(10))
        maintenance_window_create(session, change=change, under_id=hall, begins=at(20), ends=at(30))
    for n in range(30, 100, 10):
        window(line, at(n), at(n + 10), hall)
    keys = [
        (rule, other, 0), (rule, other, 10), (new_id(), other, 5), (rule, pump, 20), (rule, pump, 15), (rule, other, 25),
    ]  # fmt: skip
    with line.pipeline() as session:
        ends_us = suppressed_until(
            session,
            organization_id=line.organization_id,
            spots=[(item, entity, micros_of(at(minute))) for item, entity, minute in keys],
        )
    # Windows that follow on each other are one suppression, though they begin after all requested instants.
    assert ends_us == [micros_of(at(10)), None, None, micros_of(at(100)), None, None]
    with world.changing() as (session, change):
        later = shelf_create(
            session, change=change, rule_id=rule, entity_id=other, ends=change.recorded + timedelta(days=9)
        )
    with world.changing() as (session, change):
        ended = shelf_end(session, change=change, shelf_id=later.id)
        assert (ended.ends, shelf.ends) == (change.recorded, at(10))


def test_a_corrected_event_moves_into_a_window_and_out_of_it(line: Line) -> None:
    device = line.device()
    create(line, over(50))
    window(line, minute(0), minute(8))
    evaluate(line, device, send(line, device, minutes((10, 60.0), (20, 40.0))))
    assert suppressions(line) == {minute(10): None}
    evaluate(line, device, send(line, device, minutes((5, 70.0))))
    assert suppressions(line) == {minute(5): minute(8)}
    done = evaluate(line, device, send(line, device, minutes((5, 30.0))))
    assert suppressions(line) == {minute(10): None}
    # There were no side effects, and now there may have to be.
    assert [change.kind for change in done.changes] == ["OPENED", "CORRECTED"]
    with line.pipeline() as session:
        session.execute(text("UPDATE events SET opening_processed_at = opened_at"))
    done = evaluate(line, device, send(line, device, minutes((5, 75.0))))
    assert [change.kind for change in done.changes] == ["CORRECTED"]


def test_windows_of_the_past_count_for_what_was_found_before(line: Line) -> None:
    device = line.device()
    rule = create(line, over(50))
    flaps = [(n, 60.0 if n % 2 else 40.0) for n in range(1, 11)]
    evaluate(line, device, send(line, device, minutes(*flaps)))
    made = window(line, minute(3), minute(6))
    refresh(line)
    assert list(suppressions(line).values()) == [None, minute(6), minute(6), None, None]
    with line.world.changing() as (session, change):
        shelf_create(session, change=change, rule_id=rule.id, entity_id=None, begins=minute(6), ends=minute(8))
    refresh(line)
    # One that opened before the shelf, in a suppression that it lengthens.
    assert list(suppressions(line).values()) == [None, minute(8), minute(8), minute(8), None]
    with line.world.changing() as (session, change):
        assert maintenance_window_end(session, change=change, window_id=made).ends == minute(6)
    assert line.rows("SELECT FROM suppression_invalidations") == []


def test_the_end_of_a_shelf_of_now_ends_the_suppression(line: Line) -> None:
    device = line.device()
    rule = create(line, over(50))
    evaluate(line, device, send(line, device, minutes((1, 60.0))))
    with line.world.changing() as (session, change):
        ends = change.recorded + timedelta(days=30)
        shelf = shelf_create(session, change=change, rule_id=rule.id, entity_id=device, begins=minute(0), ends=ends)
    refresh(line)
    assert suppressions(line) == {minute(1): ends}
    with line.world.changing() as (session, change):
        ended = shelf_end(session, change=change, shelf_id=shelf.id).ends
    refresh(line)
    assert suppressions(line) == {minute(1): ended}


def test_a_link_corrected_in_the_past_moves_what_is_below(line: Line) -> None:
    device, hall = line.device(), line.world.entity(EntityKind.SPACE)
    create(line, over(50))
    window(line, minute(0), minute(30), hall)
    evaluate(line, device, send(line, device, minutes((5, 60.0), (10, 40.0), (15, 60.0))))
    assert suppressions(line) == {minute(5): None, minute(15): None}
    edge = line.world.edge(device, "LOCATED_IN", hall, valid_from=minute(12))
    refresh(line)
    assert suppressions(line) == {minute(5): None, minute(15): minute(30)}
    with line.world.changing() as (session, change):
        edge_correct(session, change=change, edge_id=edge.edge_id, valid_from=minute(2), valid_until=minute(20))
    refresh(line)
    assert suppressions(line) == {minute(5): minute(20), minute(15): minute(20)}


@pytest.mark.parametrize("seed", range(4))
def test_any_order_of_readings_rules_shelves_and_windows_gives_the_same(
    line: Line, engine: Callable[[str], Engine], seed: int
) -> None:
    random = Random(seed)  # noqa: S311  (a test's)
    knowing = Line(world_create(owner=engine("owner"), api=engine("api"), slug="knowing"), engine)
    readings = [(n, float(random.randrange(100))) for n in range(0, 300, 3)]
    suppressions = [(begins, begins + random.randrange(1, 60)) for begins in random.sample(range(300), 8)]
    value = random.randrange(40, 70)

    def suppress(of: Line, rule: Rule, hall: UUID, n: int) -> None:
        begins, ends = (minute(suppression) for suppression in suppressions[n])
        if n % 3 == 0:
            with of.world.changing() as (session, change):
                shelf_create(session, change=change, rule_id=rule.id, entity_id=None, begins=begins, ends=ends)
        else:
            window(of, begins, ends, hall if n % 3 == 1 else None)

    def place(of: Line) -> tuple[UUID, UUID]:
        return of.device(), of.world.entity(EntityKind.SPACE)

    # One that knows all from the start.
    device, hall = place(knowing)
    rule = create(knowing, over(value))
    knowing.world.edge(device, "LOCATED_IN", hall, valid_from=minute(100))
    for n in range(len(suppressions)):
        suppress(knowing, rule, hall, n)
    evaluate(knowing, device, send(knowing, device, minutes(*readings)))
    wanted = _stored(knowing)
    assert {suppression[-1] is None for suppression in wanted} == {True, False}

    line.lease = knowing.lease
    device, hall = place(line)
    rule = create(line, over(50))
    random.shuffle(readings)
    steps: list[Any] = [
        *(lambda part=readings[n::5]: evaluate(line, device, send(line, device, minutes(*part))) for n in range(5)),
        *(lambda n=n: suppress(line, rule, hall, n) for n in range(len(suppressions))),
        lambda: line.world.edge(device, "LOCATED_IN", hall, valid_from=minute(100)),
        lambda: (edit(line, rule, over(value), effective_from=T0), evaluate(line, device, left(line, device))),
        *[lambda: refresh(line)] * 3,
    ]
    random.shuffle(steps)
    for step in [*steps, lambda: refresh(line)]:
        step()
    assert _stored(line) == wanted


def _stored(line: Line) -> list[tuple[Any, ...]]:
    rows = line.rows(
        "SELECT began_at, opened_at, cleared_at, suppressed_until FROM events"
        " WHERE organization_id = :o AND withdrawn_at IS NULL ORDER BY opened_at",
        o=line.organization_id,
    )
    return [tuple(row) for row in rows]
