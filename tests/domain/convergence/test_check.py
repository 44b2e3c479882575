"""A healthy plant has no differences; a corrupted value of each kind is found, reported once, and repaired."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import Engine, text

from domain.base.packed import micros_of
from domain.convergence.check import checked_span, entities_check
from domain.convergence.ledger import differences_list, report_write
from domain.convergence.model import CheckedSpan, CheckKind, Difference, Report
from domain.convergence.repair import differences_repair
from runtime.database import snapshot, transaction
from testing.deriving_plant import DerivingPlant
from testing.line import NOW, Line
from testing.world import World
from tests.domain.derivation.health.test_convergence import READINGS, Factory, minute
from tests.properties.test_derivation import Deliver, Derive, Sent, at
from tests.properties.test_propagation import Propagation


def check(line: Line, begins_us: int, ends_us: int) -> Report:
    with snapshot(line.engine("pipeline"), line.organization_id) as session:
        return entities_check(
            session,
            organization_id=line.organization_id,
            after=None,
            most=1_000,
            span=CheckedSpan(begins_us, ends_us),
            now=NOW,
        ).report


def record(line: Line, report: Report) -> list[Difference]:
    with line.pipeline() as session:
        return report_write(session, organization_id=line.organization_id, report=report, now=NOW)


def repair(line: Line) -> int:
    with line.pipeline() as session:
        differences = differences_list(session, organization_id=line.organization_id)
        differences_repair(session, organization_id=line.organization_id, differences=differences, now=NOW)
    return len(differences)


def spoil(line: Line, statement: str) -> None:
    with transaction(line.engine("owner")) as session:
        done = session.execute(text(statement), {"o": line.organization_id})
        assert done.rowcount >= 1, statement  # type: ignore[attr-defined]


def counters(line: Line) -> dict[tuple[str, str], float]:
    rows = line.rows("SELECT name, labels ->> 'of' AS of, value FROM convergence_state()")
    return {(row.name, row.of): row.value for row in rows}


@pytest.fixture
def propagation(worlds: Callable[[str], World], engine: Callable[[str], Engine]) -> Propagation:
    """Two pumps with a derived metric below a site with a rollup and a rule, all derived."""
    made = Propagation(DerivingPlant(Line(worlds("propagation"), engine)))
    made.schedule.send([Sent(0, m, None, {"a": 20 if m % 10 < 6 else 1, "b": 1}) for m in range(0, 30, 2)])
    made.step(Deliver([0], 0, crashes=False, is_lost=False))
    made.step(Derive(brings=True, crashes=False, forgets=False))
    made.drain()
    return made


@pytest.fixture
def factory(worlds: Callable[[str], World], engine: Callable[[str], Engine]) -> Factory:
    """A house of pumps with health and a rule, read and computed."""
    made = Factory(Line(worlds("factory"), engine))
    made.rule()
    made.read(*READINGS)
    made.drain()
    return made


# ruff: noqa: S608  (constants)
SERIES = "series_id IN (SELECT id FROM series WHERE organization_id = :o AND metric = '{}')"
ONE = """ctid = (SELECT h.ctid FROM telemetry_history h JOIN series s ON s.organization_id = h.organization_id
    AND s.id = h.series_id WHERE h.organization_id = :o AND s.metric = '{}' ORDER BY h."timestamp" LIMIT 1)"""


@pytest.mark.parametrize(
    ("of", "statement"),
    [
        (CheckKind.DERIVED, "DELETE FROM telemetry_history WHERE organization_id = :o AND " + SERIES.format("total")),
        (CheckKind.DERIVED, "UPDATE telemetry_history SET value = value + 1 WHERE organization_id = :o AND "
         + SERIES.format("total")),
        (CheckKind.ROLLUPS, "UPDATE telemetry_history SET value = value * 1.001 WHERE organization_id = :o AND "
         + SERIES.format("all")),
        (CheckKind.ROLLUPS, "DELETE FROM telemetry_history WHERE organization_id = :o AND " + SERIES.format("all")),
        (CheckKind.EVENTS, "UPDATE events SET cleared_at = NULL, cleared_reason = NULL WHERE organization_id = :o"),
        (CheckKind.EVENTS, "UPDATE events SET opened_at = opened_at + interval '1 second' WHERE organization_id = :o"),
        (CheckKind.EVENTS, "UPDATE events SET withdrawn_at = now() WHERE organization_id = :o"),
    ],
)  # fmt: skip
def test_corrupted_values_of_a_plant_are_found_and_repaired(
    propagation: Propagation, of: CheckKind, statement: str
) -> None:
    line, span = propagation.plant.line, (micros_of(at(-30)), micros_of(at(60)))
    healthy = check(line, *span)
    assert healthy.differences == []
    assert healthy.skipped.total() == 0
    assert min(healthy.checks[kind] for kind in (CheckKind.DERIVED, CheckKind.EVENTS, CheckKind.ROLLUPS)) > 0
    before = propagation.stored_events(), propagation.stored_rollup(), propagation.plant.derived()
    spoil(line, statement)
    report = check(line, *span)
    assert of in {difference.kind for difference in report.differences}
    assert len(record(line, report)) == len(report.differences)
    # The same again is no news.
    assert record(line, check(line, *span)) == []
    count = sum(difference.kind is of for difference in report.differences)
    assert counters(line)["argus_convergence_differences_total", of] == count
    assert counters(line)["argus_convergence_differences_open", of] == count
    assert repair(line) == len(report.differences)
    # What waits is skipped, and no difference.
    assert check(line, *span).differences == []
    propagation.drain()
    after = check(line, *span)
    assert after.differences == []
    assert after.skipped.total() == 0
    assert counters(line)["argus_convergence_differences_open", of] == 0
    assert (propagation.stored_events(), propagation.stored_rollup(), propagation.plant.derived()) == before


@pytest.mark.parametrize(
    ("of", "statement"),
    [
        (CheckKind.HEALTH, "UPDATE telemetry_history SET value = value - 1 WHERE organization_id = :o AND " + ONE.format("health")),
        (CheckKind.HEALTH, "DELETE FROM telemetry_history WHERE organization_id = :o AND " + ONE.format("health")),
        (CheckKind.EVENTS, "UPDATE events SET cleared_at = NULL, cleared_reason = NULL WHERE organization_id = :o"),
        (CheckKind.EVENTS, "UPDATE events SET began_at = began_at - interval '1 minute' WHERE organization_id = :o"),
    ],
)  # fmt: skip
def test_corrupted_health_is_found_and_repaired(factory: Factory, of: CheckKind, statement: str) -> None:
    line, span = factory.plant.line, (micros_of(minute(0)), micros_of(minute(330)))
    healthy = check(line, *span)
    assert healthy.differences == []
    assert healthy.checks[CheckKind.HEALTH] >= 2
    before = factory.series()
    spoil(line, statement)
    report = check(line, *span)
    assert of in {difference.kind for difference in report.differences}
    record(line, report)
    repair(line)
    assert check(line, *span).differences == []
    factory.drain()
    after = check(line, *span)
    assert after.differences == []
    assert after.skipped.total() == 0
    assert factory.series() == before


@pytest.mark.parametrize("seed", range(4))
def test_health_gives_no_false_alarm_while_anything_is_late_or_corrected(
    worlds: Callable[[str], World], engine: Callable[[str], Engine], seed: int
) -> None:
    draw = random.Random(seed)  # noqa: S311
    factory = Factory(Line(worlds("late"), engine))
    line = factory.plant.line
    steps: list[Callable[[], object]] = [partial(factory.read, m) for m in READINGS]
    steps += [factory.relink, factory.move, factory.rule, partial(factory.edit, health={"freshness": "PT2H"})]
    draw.shuffle(steps)
    between: list[Callable[[], object]] = [lambda: None, factory.plant.drain, factory.compute, factory.drain]
    spans = [(0, 330), (0, 60), (60, 200), (200, 330)]
    checked = 0
    for step in steps:
        step()
        for _ in range(2):
            draw.choice(between)()
            begins, ends = draw.choice(spans)
            report = check(line, micros_of(minute(begins)), micros_of(minute(ends)))
            assert report.differences == []
            checked += report.checks[CheckKind.HEALTH]
    factory.drain()
    for begins, ends in spans:
        report = check(line, micros_of(minute(begins)), micros_of(minute(ends)))
        assert report.differences == []
        checked += report.checks[CheckKind.HEALTH]
    assert checked > 0


def test_an_event_that_nothing_makes_is_found(factory: Factory) -> None:
    line = factory.plant.line
    spoil(
        line,
        "INSERT INTO events (organization_id, id, rule_id, entity_id, key, version_id, began_at, opened_at, severity,"
        " flaps, detected_at) SELECT organization_id, gen_random_uuid(), rule_id, entity_id, key, version_id,"
        " opened_at - interval '30 minutes', opened_at - interval '30 minutes', severity, 0, detected_at FROM events"
        " WHERE organization_id = :o LIMIT 1",
    )
    [difference] = [
        e for e in check(line, micros_of(minute(0)), micros_of(minute(330))).differences if e.kind is CheckKind.EVENTS
    ]
    assert difference.computed is None
    assert difference.stored is not None
    assert "open" in difference.stored


def test_a_corrupted_state_of_a_rule_is_found_and_a_missing_one_is_none(
    worlds: Callable[[str], World], engine: Callable[[str], Engine]
) -> None:
    factory = Factory(Line(worlds("states"), engine))
    factory.rule()
    line = factory.plant.line
    # One reading each six hours over four days: a state is stored for each day.
    rows = [
        {"device_id": factory.device, "timestamp": minute(-360 * n), "metrics": {"t": 95 if n % 3 else 50}}
        for n in range(16)
    ]
    line.normalize(line.send(*rows))
    factory.drain()
    span = (micros_of(minute(-600)), micros_of(minute(60)))
    assert check(line, *span).differences == []
    [states] = line.rows("SELECT count(*) FROM rule_states WHERE organization_id = :o", o=line.organization_id)
    assert states[0] >= 2
    spoil(
        line,
        "UPDATE rule_states SET state = 'null' WHERE organization_id = :o AND at = (SELECT max(at) FROM rule_states)",
    )
    report = check(line, *span)
    assert {difference.kind for difference in report.differences} == {CheckKind.STATES}
    record(line, report)
    repair(line)
    factory.drain()
    assert check(line, *span).differences == []
    # A state is where evaluation may begin; without one it begins earlier, and finds the same.
    spoil(line, "DELETE FROM rule_states WHERE organization_id = :o")
    assert check(line, *span).differences == []


def test_an_organization_is_walked_in_parts_and_from_the_start_again(factory: Factory) -> None:
    line = factory.plant.line
    seen, after = 0, None
    for _ in range(20):
        with snapshot(line.engine("pipeline"), line.organization_id) as session:
            checked = entities_check(
                session,
                organization_id=line.organization_id,
                after=after,
                most=1,
                span=CheckedSpan(micros_of(minute(0)), micros_of(minute(330))),
                now=NOW,
            )
        seen += checked.report.checks[CheckKind.HEALTH]
        after = checked.last
        if after is None:
            break
    assert after is None
    assert seen == check(line, micros_of(minute(0)), micros_of(minute(330))).checks[CheckKind.HEALTH]


def test_a_check_writes_nothing(factory: Factory) -> None:
    line = factory.plant.line
    with snapshot(line.engine("pipeline"), line.organization_id) as session:
        assert session.scalar(text("SHOW transaction_read_only")) == "on"
        assert session.scalar(text("SHOW transaction_isolation")) == "repeatable read"


def test_the_recent_past_is_checked() -> None:
    span = checked_span(NOW)
    assert (span.begins_us, span.ends_us) == (
        micros_of(NOW - timedelta(hours=2)),
        micros_of(NOW - timedelta(minutes=5)),
    )
