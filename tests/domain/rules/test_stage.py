"""Events converge: any order, batches, late data and edited rules give what a run with all data from the start gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import Engine

from domain.base.packed import Column, micros_of
from domain.rules.assignments import assignments_of
from domain.rules.model import Damping, Rule, Scope, Severity, Step
from domain.rules.operations import RuleDraft, rule_create, rule_delete, rule_update
from domain.rules.queries import rulebook_read
from domain.rules.reconcile import EventsDone
from domain.rules.stage import rules_evaluate_incrementally, rules_recompute
from domain.rules.timeline import advance, severity_of
from domain.telemetry.model.attribution import END_US
from testing.line import NOW, Line
from testing.world import new_id, world_create

T0 = datetime(2026, 4, 1, tzinfo=UTC)
MINUTE = 60_000_000


@pytest.fixture
def line(engine: Callable[[str], Engine]) -> Line:
    return Line(world_create(owner=engine("owner"), api=engine("api"), slug="line"), engine)


def over(value: float, **more: Any) -> dict[str, Any]:
    return {"threshold": {"metric": "t", "operator": "GT", "value": value, **more}}


def create(line: Line, condition: dict[str, Any], **more: Any) -> Rule:
    draft = RuleDraft(name="hot", condition=condition, **{"effective_from": T0, **more})
    with line.world.changing() as (session, change):
        return rule_create(session, change=change, draft=draft)


def edit(line: Line, rule: Rule, condition: dict[str, Any], **more: Any) -> Rule:
    with line.world.changing() as (session, change):
        draft = RuleDraft(name="hot", condition=condition, **more)
        return rule_update(session, change=change, rule_id=rule.id, draft=draft)


def send(line: Line, device: UUID, readings: Iterable[tuple[datetime, float]]) -> list[tuple[int, int]]:
    """Store readings; return the span they cover."""
    readings = list(readings)
    line.normalize(line.send(*({"device_id": device, "timestamp": at, "metrics": {"t": v}} for at, v in readings)))
    times = [micros_of(at) for at, _ in readings]
    return [(min(times), max(times) + 1)]


def left(line: Line, device: UUID) -> list[tuple[int, int]]:
    """Take the windows that edits left for a device."""
    rows = line.rows(
        "DELETE FROM dirty_windows WHERE organization_id = :o AND entity_id = :e AND reason = 'rule' RETURNING begins, ends",
        o=line.organization_id,
        e=device,
    )
    return [(micros_of(row.begins), micros_of(row.ends)) for row in rows]


def evaluate(line: Line, device: UUID, spans: list[tuple[int, int]], *, now: datetime = NOW) -> EventsDone:
    with line.pipeline() as session:
        rulebook = rulebook_read(session, organization_id=line.organization_id)
        assignments = assignments_of(
            session, organization_id=line.organization_id, entity_ids=[device], rulebook=rulebook
        )
        done, _ = rules_recompute(
            session,
            organization_id=line.organization_id,
            spans={device.bytes: spans},
            assignments={device.bytes: assignments.get(device, [])},
            now=now,
            side_effects_disabled=False,
            new_id=new_id,
        )
    return done


def stored_episodes(line: Line) -> list[tuple[Any, ...]]:
    """The events that stored_episodes: began, opened, cleared, reason, severity, flaps."""
    rows = line.rows(
        "SELECT * FROM events WHERE organization_id = :o AND withdrawn_at IS NULL ORDER BY rule_id, opened_at",
        o=line.organization_id,
    )
    return [
        (
            micros_of(row.began_at),
            micros_of(row.opened_at),
            None if row.cleared_at is None else micros_of(row.cleared_at),
            row.cleared_reason,
            row.severity,
            row.flaps,
        )
        for row in rows
    ]


def expected(line: Line, device: UUID, *, now: datetime = NOW) -> list[tuple[Any, ...]]:
    """The episodes that all readings and the current rules give, evaluated at once."""
    history = sorted((micros_of(key[3]), float(value or 0)) for key, value in line.history().items() if key[2] == "t")
    points = (
        np.array([at for at, _ in history], dtype=np.int64),
        np.array([value for _, value in history], dtype=np.float64),
    )
    with line.world.session() as session:
        rulebook = rulebook_read(session, organization_id=line.organization_id)
        assignments = assignments_of(
            session, organization_id=line.organization_id, entity_ids=[device], rulebook=rulebook
        )
    now_us = micros_of(now)
    expected_events = []
    for assignment in sorted(assignments.get(device, []), key=lambda assignment: assignment.rule_id):
        until = max([now_us + 1, *(points[0][-1:] + 1).tolist()])
        # All that was ever read before a version begins, though but the last of it counts.
        initial_points = {
            segment.begins_us: {
                "t": (points[0][points[0] < segment.begins_us], points[1][points[0] < segment.begins_us])
            }
            for segment in assignment.segments
        }
        episodes, _ = advance(
            assignment.segments,
            points={"t": points},
            state=None,
            begins_us=0,
            until_us=until,
            initial_points=initial_points,
        )
        for opened, e in sorted(episodes.items()):
            severity = severity_of(e.version, opened=opened, cleared=e.cleared, now_us=now_us)
            reason = None if e.reason is None else e.reason.value
            expected_events.append((e.began, opened, e.cleared, reason, severity.value, e.flaps))
    return expected_events


@pytest.mark.parametrize("seed", range(6))
def test_events_are_a_function_of_readings_and_rules(line: Line, seed: int) -> None:
    random = Random(seed)  # noqa: S311  (a test's)
    device = line.device(type_name="pump")
    scope = [Scope(entity_id=device), Scope(kind="DEVICE", type="pump"), Scope()][seed % 3]
    damping = Damping(3, 6 * 3_600_000_000)
    steps = [Step(12 * 3_600_000_000, Severity.CRITICAL)]
    common = {"scope": scope, "damping": damping, "escalation": steps}
    rules = [
        create(line, over(50, forUs=60 * MINUTE, clearValue=40, clearForUs=30 * MINUTE), **common),
        create(line, {"allOf": [over(45), {"noData": {"metric": "t", "afterUs": 90 * MINUTE}}]}, **common),
        create(line, {"anyOf": [over(80), {"expression": "t < 10.0"}]}, **common),
    ]
    readings = [
        (T0 + timedelta(minutes=20 * n + random.randrange(19)), float(random.randrange(100))) for n in range(400)
    ]
    late = random.sample(readings, 60)
    on_time = [reading for reading in readings if reading not in late]
    cuts = sorted(random.sample(range(len(on_time)), 5))
    batches = [on_time[a:b] for a, b in zip([0, *cuts], [*cuts, None], strict=True) if on_time[a:b]]
    batches += [late[:30], late[30:]]
    left(line, device)
    for n, batch in enumerate(batches):
        evaluate(line, device, send(line, device, batch))
        assert stored_episodes(line) == expected(line, device)
        if n in {2, 5}:
            at = T0 + timedelta(hours=random.randrange(100))
            edit(line, rules[0], over(random.randrange(30, 70)), effective_from=at, **common)
            evaluate(line, device, left(line, device))
            assert stored_episodes(line) == expected(line, device)
    with line.world.changing() as (session, change):
        rule_delete(session, change=change, rule_id=rules[1].id)
    evaluate(line, device, left(line, device))
    assert stored_episodes(line) == expected(line, device)
    # Nothing changes where nothing has changed.
    assert evaluate(line, device, [(micros_of(T0), END_US)]).changes == []


def test_a_recomputed_episode_keeps_its_id_and_is_listed_as_corrected(line: Line) -> None:
    device = line.device()
    create(line, over(50))
    evaluate(line, device, send(line, device, [(T0 + timedelta(minutes=n), v) for n, v in [(10, 60.0), (20, 40.0)]]))
    [before] = line.rows("SELECT * FROM events")
    done = evaluate(line, device, send(line, device, [(T0 + timedelta(minutes=5), 70.0)]))
    [after] = line.rows("SELECT * FROM events")
    assert (after.id, after.opened_at, after.value) == (before.id, T0 + timedelta(minutes=5), 70.0)
    assert [change.kind for change in done.changes] == ["CORRECTED"]
    [correction] = line.rows("SELECT * FROM event_corrections")
    assert (correction.before["opened_at"], correction.after["opened_at"]) == (
        before.opened_at.isoformat(),
        after.opened_at.isoformat(),
    )


def test_a_vanished_episode_is_retracted_and_can_reopen(line: Line) -> None:
    device = line.device()
    rule = create(line, over(50))
    evaluate(line, device, send(line, device, [(T0 + timedelta(minutes=n), v) for n, v in [(10, 60.0), (20, 40.0)]]))
    [event] = line.rows("SELECT * FROM events")
    edit(line, rule, over(90), effective_from=T0)
    done = evaluate(line, device, left(line, device))
    assert [(change.kind, change.event_id) for change in done.changes] == [("WITHDRAWN", event.id)]
    assert stored_episodes(line) == []
    edit(line, rule, over(50), effective_from=T0)
    done = evaluate(line, device, left(line, device))
    assert [(change.kind, change.event_id) for change in done.changes] == [
        ("REOPENED", event.id),
        ("CORRECTED", event.id),
    ]


def test_an_event_open_when_its_rule_changes_is_cleared_there(line: Line) -> None:
    device = line.device()
    rule = create(line, over(50))
    evaluate(line, device, send(line, device, [(T0 + timedelta(minutes=10), 60.0)]))
    at = T0 + timedelta(minutes=15)
    edit(line, rule, over(90), effective_from=at)
    evaluate(line, device, left(line, device))
    [event] = line.rows("SELECT cleared_at, cleared_reason FROM events")
    assert tuple(event) == (at, "RULE_CHANGED")


def test_silence_opens_an_event_when_its_time_has_come_and_the_next_reading_clears_it(line: Line) -> None:
    device = line.device()
    create(line, {"noData": {"metric": "t", "afterUs": 60 * MINUTE}})
    start = NOW - timedelta(minutes=30)
    evaluate(line, device, send(line, device, [(start, 1.0)]))
    assert stored_episodes(line) == []
    [timer] = line.rows("SELECT due_at FROM rule_timers")
    assert timer.due_at == start + timedelta(minutes=60)
    due = micros_of(timer.due_at)
    evaluate(line, device, [(due, due + 1)], now=timer.due_at)
    assert [(began, opened, cleared) for began, opened, cleared, *_ in stored_episodes(line)] == [
        (micros_of(start), due, None)
    ]
    assert line.rows("SELECT FROM rule_timers") == []


def test_flapping_creates_no_more_events_than_damping_allows(line: Line) -> None:
    device = line.device()
    create(line, over(50), damping=Damping(4, 3_600_000_000))
    flaps = [(T0 + timedelta(seconds=n), 60.0 if n % 2 else 40.0) for n in range(900)]
    evaluate(line, device, send(line, device, flaps))
    assert [flaps for *_, flaps in stored_episodes(line)] == [0, 0, 0, 446]


def test_the_outbox_says_whether_side_effects_are_allowed(line: Line) -> None:
    device = line.device()
    create(line, over(50))
    evaluate(line, device, send(line, device, [(T0, 60.0), (T0 + timedelta(minutes=1), 40.0)]))
    rows = line.rows("SELECT kind, at, side_effects_disabled, processed_at FROM event_changes ORDER BY id")
    assert [tuple(row) for row in rows] == [
        ("OPENED", T0, False, None),
        ("CLEARED", T0 + timedelta(minutes=1), False, None),
    ]


def test_evaluating_incrementally_from_checkpoints_gives_the_same(line: Line) -> None:
    device = line.device()
    create(line, over(50, forUs=2 * MINUTE))
    create(line, {"allOf": [over(40), {"noData": {"metric": "t", "afterUs": 5 * MINUTE}}]})
    random = Random(7)  # noqa: S311  (a test's)
    readings = [(T0 + timedelta(minutes=3 * n), float(random.randrange(100))) for n in range(1500)]
    with line.pipeline() as session:
        rulebook = rulebook_read(session, organization_id=line.organization_id)
        stored_assignments = assignments_of(
            session, organization_id=line.organization_id, entity_ids=[device], rulebook=rulebook
        )
    common: dict[str, Any] = {
        "organization_id": line.organization_id,
        "now": NOW,
        "side_effects_disabled": False,
        "new_id": new_id,
    }
    assignments = {device.bytes: stored_assignments[device]}
    spans = send(line, device, readings[:10])
    with line.pipeline() as session:
        _, known = rules_recompute(session, spans={device.bytes: spans}, assignments=assignments, **common)
    states = known[device.bytes]
    for first in range(10, len(readings), 149):
        part = readings[first : first + 149]
        [(begins, head)] = send(line, device, part)
        assert len(states) == 2
        assert all(state.watermark_us <= begins for state in states.values())
        column = Column(
            np.zeros(len(part), dtype=np.int64),
            np.array([micros_of(at) for at, _ in part], dtype=np.int64),
            np.array([value for _, value in part], dtype=np.float64),
        )
        with line.pipeline() as session:
            _, moved = rules_evaluate_incrementally(
                session,
                places=[(device.bytes, "")],
                columns={"t": column},
                watermarks_us=[head],
                assignments=assignments,
                states=states,
                **common,
            )
        states = moved[device.bytes]
        assert stored_episodes(line) == expected(line, device)
    # What was stored on the way is what evaluating again goes on from, and nothing changes.
    assert line.rows("SELECT FROM rule_states") != []
    assert evaluate(line, device, [(micros_of(T0), END_US)]).changes == []
