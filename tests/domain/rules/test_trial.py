"""A trial finds what the rule would have found, and writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine

from domain.rules.model import Damping, Scope, Severity, Step
from domain.rules.operations import RuleDraft
from domain.rules.trial import Found, Trial, rule_try
from domain.telemetry.packed import micros_of
from graph.errors import BadInputError, LimitExceededError, NotFoundError
from graph.kinds import EntityKind
from tests.domain.rules.test_stage import T0, create, judge, left, over, send, stand
from tests.domain.telemetry.line import NOW, Line
from tests.graph.world import new_id, world_create

HOUR = 3_600_000_000


@pytest.fixture
def line(engine: Callable[[str], Engine]) -> Line:
    return Line(world_create(owner=engine("owner"), api=engine("api"), slug="line"), engine)


def attempt(line: Line, condition: dict[str, Any], *, first: int = 500, **more: Any) -> Trial:
    begins, ends = more.pop("begins", T0), more.pop("ends", NOW)
    with line.world.session() as session:
        return rule_try(
            session,
            organization_id=line.organization_id,
            draft=RuleDraft(name="draft", condition=condition, **more),
            begins=begins,
            ends=ends,
            first=first,
        )


def told(found: Found) -> tuple[Any, ...]:
    cleared = None if found.cleared_at is None else micros_of(found.cleared_at)
    reason = None if found.cleared_reason is None else found.cleared_reason.value
    began, opened = micros_of(found.began_at), micros_of(found.opened_at)
    return (began, opened, cleared, reason, found.severity.value, found.flaps)


@pytest.mark.parametrize(
    "condition",
    [
        over(50, forUs=HOUR, clearValue=40, clearForUs=HOUR // 2),
        {"noData": {"metric": "t", "afterUs": HOUR // 2}},
        {"allOf": [over(45), {"expression": "t < 80.0"}]},
    ],
)
def test_it_finds_what_the_rule_then_finds(line: Line, condition: dict[str, Any]) -> None:
    random = Random(7)  # noqa: S311  (a test's)
    device = line.device(type_name="pump")
    readings = [
        (T0 + timedelta(minutes=20 * n - 600 + random.randrange(19)), float(random.randrange(100))) for n in range(300)
    ]
    spans = send(line, device, readings)
    more: dict[str, Any] = {
        "scope": Scope(kind="DEVICE", type="pump"),
        "damping": Damping(3, 6 * HOUR),
        "escalation": [Step(12 * HOUR, Severity.CRITICAL)],
    }
    trial = attempt(line, condition, **more)
    for table in ("rules", "rule_versions", "events", "rule_states", "rule_timers"):
        assert line.rows(f"SELECT count(*) AS n FROM {table}")[0].n == 0  # noqa: S608  (names of this test)
    create(line, condition, **more)
    judge(line, device, [*spans, *left(line, device)])
    assert [told(each) for each in trial.found] == stand(line)
    judged = sum(at >= T0 for at, _ in readings)
    assert (trial.total, trial.entities, trial.readings) == (len(trial.found), 1, judged)
    assert trial.total >= 5
    few = attempt(line, condition, first=2, **more)
    assert (few.found, few.total) == (trial.found[:2], trial.total)


def test_it_looks_at_what_is_in_scope_while_it_is(line: Line) -> None:
    inside, outside = line.device(), line.device()
    hall = line.world.entity(EntityKind.SPACE)
    line.world.edge(inside, "LOCATED_IN", hall, valid_from=T0 + timedelta(hours=2), valid_until=T0 + timedelta(hours=4))
    for device in (inside, outside):
        send(line, device, [(T0 + timedelta(hours=n), 60.0) for n in range(1, 6)])
    [found] = attempt(line, over(50), scope=Scope(under_id=hall)).found
    began, ended = (micros_of(T0 + timedelta(hours=n)) for n in (2, 4))
    assert (found.entity_id, *told(found)) == (inside, began, began, ended, "SCOPE_LEFT", "MEDIUM", 0)
    # At its end, nothing is known of what comes after.
    [open_] = attempt(line, over(50), scope=Scope(under_id=hall), ends=T0 + timedelta(hours=3)).found
    assert open_.cleared_at is None
    assert {found.entity_id for found in attempt(line, over(50)).found} == {inside, outside}
    assert [found.entity_id for found in attempt(line, over(50), scope=Scope(entity_id=outside)).found] == [outside]
    assert attempt(line, over(50), scope=Scope(kind="DEVICE", type="fan")).entities == 0


def test_what_makes_no_sense_or_too_much_is_refused(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    device = line.device()
    send(line, device, [(T0 + timedelta(hours=n), 60.0) for n in range(3)])
    for given, path in (
        ({"first": 0}, ("first",)),
        ({"first": 501}, ("first",)),
        ({"begins": NOW}, ("to",)),
        ({"scope": Scope(kind="DEVICE")}, ("scope",)),
    ):
        with pytest.raises(BadInputError) as refused:
            attempt(line, over(50), **given)
        assert refused.value.path == path
    with pytest.raises(NotFoundError):
        attempt(line, over(50), scope=Scope(under_id=new_id()))
    monkeypatch.setattr("domain.rules.trial.READINGS_MAX", 2)
    with pytest.raises(LimitExceededError):
        attempt(line, over(50))
    monkeypatch.setattr("domain.rules.trial.ENTITIES_MAX", 0)
    with pytest.raises(LimitExceededError):
        attempt(line, over(50))
