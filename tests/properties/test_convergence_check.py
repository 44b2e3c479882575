"""The self-check raises no false alarm: at any moment of any schedule, what it calls complete equals a recomputation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import count

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from domain.base.packed import micros_of
from domain.convergence.check import entities_check
from domain.convergence.model import CheckedSpan, CheckKind, Report
from runtime.database import snapshot, transaction
from testing.deriving_plant import DerivingPlant
from testing.line import NOW, Line
from testing.world import world_create
from tests.properties import test_derivation as deriving
from tests.properties.test_derivation import Deliver, Derive, at
from tests.properties.test_propagation import PROPAGATION, Propagation, readings_send

_SLUGS = count()
CHECKS: Counter[CheckKind] = Counter()


def report_of(propagation: Propagation, begins: int, ends: int) -> Report:
    line = propagation.plant.line
    with snapshot(line.engine("pipeline"), line.organization_id) as session:
        return entities_check(
            session,
            organization_id=line.organization_id,
            after=None,
            most=1_000,
            span=CheckedSpan(micros_of(at(begins)), micros_of(at(ends))),
            now=NOW,
        ).report


@pytest.mark.slow
@settings(
    max_examples=12,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    sent=st.lists(deriving.SENT, min_size=1, max_size=20),
    sizes=st.lists(st.integers(1, 5), min_size=8, max_size=8),
    steps=st.lists(st.one_of(deriving.STEP, PROPAGATION), max_size=14),
    span=st.tuples(st.integers(-30, 20), st.integers(1, 40)).filter(lambda pair: pair[0] < pair[1]),
)
def test_no_moment_of_any_schedule_gives_a_false_alarm(
    engine: Callable[[str], Engine],
    sent: list[deriving.Sent],
    sizes: list[int],
    steps: list[object],
    span: tuple[int, int],
) -> None:
    line = Line(world_create(owner=engine("owner"), api=engine("api"), slug=f"c{next(_SLUGS)}"), engine)
    with transaction(engine("owner")) as session:
        # The example before this one held them.
        session.execute(text("UPDATE stage_leases SET expires_at = '-infinity'"))
    propagation = Propagation(DerivingPlant(line))
    readings_send(propagation, sent, sizes)
    for step in steps:
        propagation.step(step)
        assert report_of(propagation, *span).differences == []
    for n in reversed(range(len(propagation.schedule.batches))):
        propagation.step(Deliver([n], n % 2, crashes=False, is_lost=bool(n % 3)))
        assert report_of(propagation, *span).differences == []
    propagation.step(Derive(brings=True, crashes=False, forgets=False))
    propagation.drain()
    for begins, ends in (span, (-30, 40), (-30, 15), (10, 40)):
        report = report_of(propagation, begins, ends)
        assert report.differences == []
        assert report.skipped.total() == 0
        CHECKS.update(report.checks)


def test_something_was_checked() -> None:
    assert not CHECKS or min(CHECKS[of] for of in (CheckKind.DERIVED, CheckKind.EVENTS, CheckKind.ROLLUPS)) > 0
