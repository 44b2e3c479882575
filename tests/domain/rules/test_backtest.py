"""Backtests: a draft of a rule evaluated on stored readings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from domain.base.packed import micros_of
from domain.rules.backtest import ENTITIES_MAX, rule_backtest
from domain.rules.model import Scope
from domain.rules.operations import RuleDraft
from graph.errors import LimitExceededError
from graph.kinds import EntityKind
from testing.line import NOW, Line
from testing.world import world_create

HOT = {"threshold": {"metric": "a", "operator": "GT", "value": 5}}


def at(minute: int) -> datetime:
    return NOW - timedelta(hours=2) + timedelta(minutes=minute)


@pytest.fixture
def line(engine: Callable[[str], Engine]) -> Line:
    return Line(world_create(owner=engine("owner"), api=engine("api"), slug="backtests"), engine)


def test_a_backtest_finds_the_past_events_and_stores_nothing(line: Line) -> None:
    device = line.device()
    readings = [(0, 9), (1, 1), (10, 9), (11, 1), (20, 9)]
    line.normalize(
        line.send(*({"device_id": device, "timestamp": at(t), "metrics": {"a": value}} for t, value in readings))
    )
    draft = RuleDraft(name="draft", condition=HOT, scope=Scope(entity_id=device))
    with line.world.session() as session:
        backtest = rule_backtest(
            session, organization_id=line.organization_id, draft=draft, begins=at(5), ends=at(60), now=NOW
        )
    assert [(entity, finding.opened, finding.cleared, finding.value) for entity, finding in backtest.findings] == [
        (device, micros_of(at(10)), micros_of(at(11)), 9.0),
        (device, micros_of(at(20)), None, 9.0),
    ]
    assert (backtest.entities, backtest.points, backtest.truncated) == (1, 3, False)
    assert line.rows("SELECT id FROM events WHERE organization_id = :o", o=line.organization_id) == []


def test_it_is_bounded(line: Line) -> None:
    line.world.entities(EntityKind.SPACE, ENTITIES_MAX + 1)
    with line.world.session() as session, pytest.raises(LimitExceededError) as refused:
        rule_backtest(
            session,
            organization_id=line.organization_id,
            draft=RuleDraft(name="draft", condition=HOT),
            begins=at(5),
            ends=at(60),
            now=NOW,
        )
    assert refused.value.path == ("scope",)
