"""A backtest finds what the rule finds once created, and writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine

from domain.rules.backtest import rule_backtest
from domain.rules.model import Damping, Scope
from domain.rules.operations import RuleDraft
from testing.line import NOW, Line
from testing.world import world_create
from tests.domain.rules.test_stage import T0, create, evaluate, left, over, send, stored_episodes

HOUR = 3_600_000_000


@pytest.mark.parametrize(
    "condition",
    [
        over(50, forUs=HOUR, clearValue=40, clearForUs=HOUR // 2),
        {"noData": {"metric": "t", "afterUs": HOUR // 2}},
        {"allOf": [over(45), {"expression": "t < 80.0"}]},
    ],
)
def test_a_backtest_agrees_with_the_rule_created_later(
    engine: Callable[[str], Engine], condition: dict[str, Any]
) -> None:
    line = Line(world_create(owner=engine("owner"), api=engine("api"), slug="line"), engine)
    random = Random(7)  # noqa: S311  (a test's)
    device = line.device(type_name="pump")
    spans = send(
        line,
        device,
        [
            (T0 + timedelta(minutes=20 * n - 600 + random.randrange(19)), float(random.randrange(100)))
            for n in range(300)
        ],
    )
    more: dict[str, Any] = {"scope": Scope(kind="DEVICE", type="pump"), "damping": Damping(3, 6 * HOUR)}
    with line.world.session() as session:
        backtest = rule_backtest(
            session,
            organization_id=line.organization_id,
            draft=RuleDraft(name="draft", condition=condition, **more),
            begins=T0,
            ends=NOW + timedelta(hours=1),
            now=NOW,
        )
    for table in ("rules", "rule_versions", "events", "rule_states", "rule_timers"):
        assert line.rows(f"SELECT count(*) AS n FROM {table}")[0].n == 0  # noqa: S608  (names of this test)
    create(line, condition, **more)
    evaluate(line, device, [*spans, *left(line, device)])
    backtested = [
        (
            finding.began,
            finding.opened,
            finding.cleared,
            finding.reason and finding.reason.value,
            finding.version.severity,
            finding.flaps,
        )
        for _, finding in backtest.findings
    ]
    assert backtested == stored_episodes(line)
    assert len(backtested) >= 5
