"""Versions of a rule: the last readings are evaluated where one begins, an event goes on while its condition is the same.

Against a plain reference, in whatever order readings and edits come.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine

from domain.base.packed import micros_of
from domain.rules.backtest import rule_backtest
from domain.rules.model import Damping, Rule, Scope, Severity, Step
from domain.rules.operations import RuleDraft
from domain.telemetry.feed.entries import norm_decode, norm_encode
from testing.deriving_plant import DerivingPlant
from testing.line import NOW, Line
from testing.world import world_create
from tests.domain.rules.test_stage import MINUTE, T0, create, edit, evaluate, left, over, send

HOUR = 60 * MINUTE


@pytest.fixture
def line(engine: Callable[[str], Engine]) -> Line:
    return Line(world_create(owner=engine("owner"), api=engine("api"), slug="line"), engine)


def minute(n: float) -> datetime:
    return T0 + timedelta(minutes=n)


def stored_events(line: Line) -> list[tuple[Any, ...]]:
    """The current events: opened and cleared in minutes, reason, severity, flaps."""
    rows = line.rows(
        "SELECT * FROM events WHERE organization_id = :o AND withdrawn_at IS NULL ORDER BY opened_at",
        o=line.organization_id,
    )
    return [
        (
            (row.opened_at - T0) / timedelta(minutes=1),
            None if row.cleared_at is None else (row.cleared_at - T0) / timedelta(minutes=1),
            row.cleared_reason,
            row.severity,
            row.flaps,
        )
        for row in rows
    ]


def changes(line: Line) -> list[tuple[str, float]]:
    rows = line.rows(
        "SELECT kind, at FROM event_changes WHERE organization_id = :o ORDER BY id", o=line.organization_id
    )
    return [(row.kind, (row.at - T0) / timedelta(minutes=1)) for row in rows]


def test_a_version_of_the_same_condition_carries_an_open_event_over(line: Line) -> None:
    device = line.device()
    rule = create(line, over(50, forUs=5 * MINUTE), severity=Severity.LOW)
    evaluate(line, device, send(line, device, [(minute(0), 60.0), (minute(10), 61.0)]))
    [before] = line.rows("SELECT id FROM events")
    assert changes(line) == [("OPENED", 10)]
    for at, severity, action in [
        (20, Severity.LOW, {"webhookUrl": "https://a.example.com/x"}),
        (30, Severity.HIGH, {}),
        (40, Severity.MEDIUM, {}),
    ]:
        edit(line, rule, over(50, forUs=5 * MINUTE), severity=severity, action=action, effective_from=minute(at))
        evaluate(line, device, left(line, device))
        assert stored_events(line) == [(10, None, None, severity, 0)]
    assert [row.id for row in line.rows("SELECT id FROM events")] == [before.id]
    assert changes(line) == [("OPENED", 10), ("ESCALATED", 30), ("DEESCALATED", 40)]
    # It is of the version in which it ends, whatever comes then.
    evaluate(line, device, send(line, device, [(minute(35), 40.0)]))
    assert stored_events(line) == [(10, 35, "CONDITION", Severity.HIGH, 0)]


def test_a_version_of_another_condition_evaluates_what_is_stored(line: Line) -> None:
    device = line.device()
    rule = create(line, over(50))
    evaluate(line, device, send(line, device, [(minute(0), 60.0), (minute(10), 70.0)]))
    edit(line, rule, over(65), effective_from=minute(20), severity=Severity.HIGH)
    evaluate(line, device, left(line, device))
    assert stored_events(line) == [(0, 20, "RULE_CHANGED", "MEDIUM", 0), (20, None, None, "HIGH", 0)]
    [value] = line.rows("SELECT value, began_at FROM events WHERE cleared_at IS NULL")
    assert tuple(value) == (70.0, minute(20))
    edit(line, rule, over(75), effective_from=minute(30))
    evaluate(line, device, left(line, device))
    assert stored_events(line)[1:] == [(20, 30, "RULE_CHANGED", "HIGH", 0)]
    # Back again: the last reading is still beyond it.
    edit(line, rule, over(50), effective_from=minute(40))
    evaluate(line, device, left(line, device))
    assert stored_events(line)[2:] == [(40, None, None, "MEDIUM", 0)]
    # And the edit between taken back: one event again, as if none of them had been.
    for at in (20, 30):
        edit(line, rule, over(50), effective_from=minute(at))
        evaluate(line, device, left(line, device))
    assert stored_events(line) == [(0, None, None, "MEDIUM", 0)]


def test_a_duration_counts_from_when_the_value_began_to_satisfy_the_new_condition(line: Line) -> None:
    device = line.device()
    rule = create(line, over(90, forUs=HOUR))
    evaluate(line, device, send(line, device, [(minute(0), 10.0), (minute(30), 60.0), (minute(70), 65.0)]))
    edit(line, rule, over(50, forUs=HOUR), effective_from=minute(80))
    evaluate(line, device, left(line, device))
    assert stored_events(line) == []
    # It holds since 30, an hour is over at the next reading.
    evaluate(line, device, send(line, device, [(minute(95), 62.0)]))
    assert stored_events(line) == [(95, None, None, "MEDIUM", 0)]
    edit(line, rule, over(55, forUs=HOUR), effective_from=minute(100))
    evaluate(line, device, left(line, device))
    # It has held for longer than it has to: it opens at once, and has held since an hour at least.
    assert stored_events(line)[1:] == [(100, None, None, "MEDIUM", 0)]
    [began] = line.rows("SELECT began_at FROM events WHERE cleared_at IS NULL")
    assert began.began_at == minute(40)


def test_a_silent_device_is_silent_for_a_new_version_too(line: Line) -> None:
    device = line.device()
    rule = create(line, {"noData": {"metric": "t", "afterUs": 600 * MINUTE}})
    evaluate(line, device, send(line, device, [(minute(0), 1.0)]), now=minute(60))
    edit(line, rule, {"noData": {"metric": "t", "afterUs": 30 * MINUTE}}, effective_from=minute(50))
    evaluate(line, device, left(line, device), now=minute(60))
    assert stored_events(line) == [(50, None, None, "MEDIUM", 0)]
    edit(line, rule, {"noData": {"metric": "t", "afterUs": 90 * MINUTE}}, effective_from=minute(55))
    evaluate(line, device, left(line, device), now=minute(60))
    assert stored_events(line) == [(50, 55, "RULE_CHANGED", "MEDIUM", 0)]
    [timer] = line.rows("SELECT due_at FROM rule_timers")
    assert timer.due_at == minute(90)
    evaluate(line, device, [(micros_of(minute(90)), micros_of(minute(90)) + 1)], now=minute(91))
    assert stored_events(line)[1:] == [(90, None, None, "MEDIUM", 0)]


def test_a_value_too_old_for_an_expression_does_not_count(line: Line) -> None:
    device = line.device()
    rule = create(line, {"expression": "t > 90.0"})
    evaluate(line, device, send(line, device, [(minute(0), 60.0)]))
    edit(line, rule, {"expression": "t > 50.0"}, effective_from=minute(16))
    evaluate(line, device, left(line, device))
    assert stored_events(line) == []
    edit(line, rule, {"expression": "t > 50.0"}, effective_from=minute(15))
    evaluate(line, device, left(line, device))
    assert stored_events(line) == [(15, None, None, "MEDIUM", 0)]


def test_a_future_version_takes_effect_in_time_without_readings(line: Line) -> None:
    device = line.device()
    rule = create(line, over(90))
    evaluate(line, device, send(line, device, [(minute(0), 60.0)]), now=minute(1))
    edit(line, rule, over(50), effective_from=minute(30))
    evaluate(line, device, left(line, device), now=minute(2))
    [timer] = line.rows("SELECT due_at FROM rule_timers")
    assert (stored_events(line), timer.due_at) == ([], minute(30))
    evaluate(line, device, [(micros_of(minute(30)), micros_of(minute(30)) + 1)], now=minute(31))
    assert stored_events(line) == [(30, None, None, "MEDIUM", 0)]
    evaluate(line, device, send(line, device, [(minute(25), 40.0)]), now=minute(32))
    assert stored_events(line) == []


def test_a_new_rule_evaluates_what_is_stored_and_a_backtest_finds_the_same(line: Line) -> None:
    device = line.device()
    send(line, device, [(minute(0), 60.0)])
    with line.world.session() as session:
        backtest = rule_backtest(
            session,
            organization_id=line.organization_id,
            draft=RuleDraft(name="draft", condition=over(50), scope=Scope(entity_id=device)),
            begins=minute(20),
            ends=minute(40),
            now=NOW,
        )
    assert [(finding.began, finding.opened, finding.cleared) for _, finding in backtest.findings] == [
        (micros_of(minute(20)), micros_of(minute(20)), None)
    ]
    create(line, over(50), effective_from=minute(20))
    evaluate(line, device, left(line, device))
    assert stored_events(line) == [(20, None, None, "MEDIUM", 0)]


def test_damping_goes_on_over_versions_of_one_condition(line: Line) -> None:
    device = line.device()
    rule = create(line, over(50), damping=Damping(3, 24 * HOUR))
    flaps = [(minute(n), 60.0 if n % 2 else 40.0) for n in range(20)]
    edit(line, rule, over(50), damping=Damping(3, 24 * HOUR), severity=Severity.HIGH, effective_from=minute(10))
    evaluate(line, device, send(line, device, flaps))
    left(line, device)
    assert stored_events(line) == [
        (1, 2, "CONDITION", "MEDIUM", 0),
        (3, 4, "CONDITION", "MEDIUM", 0),
        (5, None, None, "HIGH", 7),
    ]


@dataclass(frozen=True)
class Version:
    since: int
    condition: dict[str, Any] | None
    severity: Severity


def plain(readings: Sequence[tuple[int, float]], versions: Sequence[Version], until: int) -> list[tuple[Any, ...]]:
    """Walk from reading to reading, version by version, in minutes. until: now."""
    runs: list[tuple[int, int, dict[str, Any], list[Version]]] = []
    for n, version in enumerate(versions):
        end = versions[n + 1].since if n + 1 < len(versions) else 10**9
        if version.condition is None:
            continue
        if runs and runs[-1][1] == version.since and runs[-1][2] == version.condition:
            since, _, condition, of_run = runs.pop()
            runs.append((since, end, condition, [*of_run, version]))
        else:
            runs.append((version.since, end, version.condition, [version]))
    events: list[tuple[Any, ...]] = []
    for since, end, condition, of_run in runs:
        if since > until:
            continue
        before = [reading for reading in readings if reading[0] < since]
        within = [reading for reading in readings if since <= reading[0] < end]
        [(what, body)] = condition.items()
        spans = (_silences if what == "noData" else _heats)(body, before, within, since, min(end, until + 1))
        for opened, cleared in spans:
            at = cleared if cleared is not None else end if end <= until else None
            last = next(v for v in reversed(of_run) if v.since <= (until if at is None else at))
            reason = "CONDITION" if cleared is not None else None if at is None else "RULE_CHANGED"
            events.append((opened, at, reason, last.severity, 0))
    return events


def _silences(
    body: dict[str, Any], before: Sequence[tuple[int, float]], within: Sequence[tuple[int, float]], since: int, end: int
) -> list[tuple[int, int | None]]:
    after = body["afterUs"] // MINUTE
    times = [at for at, _ in [*before[-1:], *within]]
    spans = []
    for at, cleared in zip(times, [*times[1:], None], strict=False):
        opened = max(at + after, since)
        if at + after < (end if cleared is None else cleared) and opened < (end if cleared is None else cleared):
            spans.append((opened, cleared))
    return spans


def _heats(
    body: dict[str, Any], before: Sequence[tuple[int, float]], within: Sequence[tuple[int, float]], since: int, end: int
) -> list[tuple[int, int | None]]:
    value, clear = body["value"], body.get("clearValue", body["value"])
    long, cool = body.get("forUs", 0) // MINUTE, body.get("clearForUs", 0) // MINUTE
    began: int | None = None
    for at, v in before:
        began = (at if began is None else began) if v > value else None
    steps = list(within)
    if before and not (steps and steps[0][0] == since):
        steps.insert(0, (since, before[-1][1]))
    spans: list[tuple[int, int | None]] = []
    cold: int | None = None
    for at, v in steps:
        if spans and spans[-1][1] is None:
            cold = (at if cold is None else cold) if v <= clear else None
            if cold is not None and at - cold >= cool:
                spans[-1] = (spans[-1][0], at)
                began = cold = None
        else:
            began = (at if began is None else began) if v > value else None
            if began is not None and at - began >= long:
                spans.append((at, None))
                cold = None
    return spans


CONDITIONS: Sequence[dict[str, Any] | None] = [
    over(40),
    over(60, clearValue=45),
    over(50, forUs=40 * MINUTE, clearForUs=10 * MINUTE),
    over(50, forUs=40 * MINUTE, clearForUs=10 * MINUTE),
    {"noData": {"metric": "t", "afterUs": 25 * MINUTE}},
    None,
]


@pytest.mark.parametrize("seed", range(10))
def test_any_order_of_readings_and_edits_gives_what_a_plain_walk_gives(line: Line, seed: int) -> None:
    random = Random(seed)  # noqa: S311  (a test's)
    device = line.device()
    until = 3_000
    minutes = sorted(random.sample(range(100, until), 120))
    readings = [(n, float(random.randrange(100))) for n in minutes]
    versions: dict[int, Version] = {}
    rule: Rule | None = None
    scope = Scope(entity_id=device)
    pending = list(readings)
    random.shuffle(pending)
    if seed % 2:
        pending.sort()
    seen: list[tuple[int, float]] = []
    # Two of the instants are such at which there is a reading.
    instants = [100, 1_000, *random.sample(range(100, until + 500), 8), *random.sample(minutes, 2)]
    while pending or instants:
        if instants and (rule is None or random.random() < 0.4 or not pending):
            since = instants.pop(0)
            version = Version(
                since, random.choice(CONDITIONS), random.choice([Severity.LOW, Severity.MEDIUM, Severity.HIGH])
            )
            members: dict[str, Any] = {
                "severity": version.severity,
                "effective_from": minute(since),
                "is_active": version.condition is not None,
                "scope": scope,
                "damping": Damping(1_000, 1),
            }
            condition = version.condition or over(1)
            rule = create(line, condition, **members) if rule is None else edit(line, rule, condition, **members)
            versions[since] = version
            windows = left(line, device)
            if windows and seen:
                evaluate(line, device, windows, now=minute(until))
        else:
            part, pending = pending[:17], pending[17:]
            seen = sorted([*seen, *part])
            evaluate(line, device, send(line, device, [(minute(n), v) for n, v in part]), now=minute(until))
        if seen:
            ascending = [versions[at] for at in sorted(versions)]
            assert stored_events(line) == plain(seen, ascending, until)
    # Nothing changes where nothing has changed.
    done = evaluate(line, device, [(micros_of(T0), micros_of(minute(until)))], now=minute(until))
    assert done.changes == []


def test_an_event_of_a_step_is_of_the_version_in_force_then(line: Line) -> None:
    device = line.device()
    rule = create(line, over(50), escalation=[Step(HOUR, Severity.CRITICAL)])
    evaluate(line, device, send(line, device, [(minute(0), 60.0)]), now=minute(30))
    edit(line, rule, over(50), escalation=[Step(3 * HOUR, Severity.HIGH)], effective_from=minute(40))
    evaluate(line, device, left(line, device), now=minute(41))
    evaluate(line, device, [(micros_of(minute(0)), micros_of(minute(0)) + 1)], now=minute(90))
    assert stored_events(line) == [(0, None, None, "MEDIUM", 0)]
    [timer] = line.rows("SELECT due_at FROM rule_timers")
    assert timer.due_at == minute(180)
    evaluate(line, device, [(micros_of(minute(180)), micros_of(minute(180)) + 1)], now=minute(181))
    assert stored_events(line) == [(0, None, None, "HIGH", 0)]


@pytest.mark.parametrize("seed", range(3))
def test_readings_at_hand_over_versions_give_what_a_plain_walk_gives(line: Line, seed: int) -> None:
    random = Random(seed)  # noqa: S311  (a test's)
    plant = DerivingPlant(line)
    device, asset = line.device(), plant.pump()
    plant.link(device, asset, valid_from=T0)
    base = NOW - timedelta(hours=10)
    scope = Scope(entity_id=asset)
    versions = [
        Version(0, over(40), Severity.LOW),
        Version(100, over(40), Severity.HIGH),
        Version(150, over(60, forUs=20 * MINUTE), Severity.MEDIUM),
        Version(250, None, Severity.LOW),
        Version(300, {"noData": {"metric": "t", "afterUs": 25 * MINUTE}}, Severity.LOW),
    ]
    offset = (base - T0) // timedelta(minutes=1)
    rule: Rule | None = None
    for version in versions:
        members: dict[str, Any] = {
            "severity": version.severity,
            "effective_from": base + timedelta(minutes=version.since),
            "is_active": version.condition is not None,
            "scope": scope,
            "damping": Damping(1_000, 1),
        }
        condition = version.condition or over(1)
        rule = create(line, condition, **members) if rule is None else edit(line, rule, condition, **members)
    plant.drain()
    seen: list[tuple[int, float]] = []
    incremental = 0
    for n in sorted(random.sample(range(450), 60)):
        reading = (n, float(random.randrange(100)))
        seen.append(reading)
        at = base + timedelta(minutes=n)
        done = line.normalize(line.send({"device_id": device, "timestamp": at, "metrics": {"t": reading[1]}}))
        known = plant.checkpoints.rule_states.get((line.organization_id, asset.bytes))
        plant.derive([asset], plant.attribute([norm_decode(norm_encode(entry)) for entry in done.entries]))
        incremental += known is not None
        shifted = [Version(v.since + offset, v.condition, v.severity) for v in versions]
        walked = plain([(at + offset, v) for at, v in seen], shifted, (NOW - T0) // timedelta(minutes=1))
        assert stored_events(line) == walked
    assert incremental > 50
    assert plant.windows() == []
