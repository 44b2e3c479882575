"""The job of the self-check: it resumes where it stopped, reports each difference once, and can be turned off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text
from structlog.testing import capture_logs

from runtime.database import transaction
from testing.deriving_plant import SUM, DerivingPlant
from testing.line import Line
from workers import convergence
from workers.jobs import CHECK, job_enqueue
from workers.process import QUEUE_SHORT, ProcessState


@pytest.fixture
def plant(line: Line) -> DerivingPlant:
    """Three pumps that derive a metric, of readings an hour ago."""
    made = DerivingPlant(line)
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    made.formulas(SUM, since=hour_ago - timedelta(days=1))
    for _ in range(3):
        device, pump = line.device(), made.pump()
        made.link(device, pump, valid_from=hour_ago - timedelta(days=1))
        readings = [
            {"device_id": device, "timestamp": hour_ago + timedelta(minutes=m), "metrics": {"a": m, "b": 1}}
            for m in range(5)
        ]
        for batch in line.send(*readings, at=datetime.now(UTC)):
            line.normalize([batch])
    made.drain()
    return made


def values(line: Line, name: str) -> dict[str, float]:
    rows = line.rows("SELECT labels ->> 'of' AS of, value FROM convergence_state() WHERE name = :n", n=name)
    return {row.of: row.value for row in rows}


def test_each_tick_checks_the_next_entities_and_reports_a_difference_once(
    state: ProcessState, plant: DerivingPlant, engine: Callable[[str], Engine]
) -> None:
    line = plant.line
    state.context = replace(state.context, check_entities=2)
    assert values(line, "argus_convergence_checks_total")["derived"] == 0
    for tick in range(2):
        convergence.check(tick)
    assert values(line, "argus_convergence_checks_total")["derived"] == 3
    assert sum(values(line, "argus_convergence_differences_total").values()) == 0
    with transaction(engine("owner")) as session:
        session.execute(
            text(
                'DELETE FROM telemetry_history h WHERE h.organization_id = :o AND h."timestamp" = ('
                ' SELECT min(x."timestamp") FROM telemetry_history x JOIN series s ON s.id = x.series_id'
                " AND s.organization_id = x.organization_id WHERE s.metric = 'total' AND x.organization_id = :o)"
                " AND series_id IN (SELECT id FROM series WHERE metric = 'total' AND organization_id = :o)"
            ),
            {"o": line.organization_id},
        )
    with capture_logs() as logs:
        for tick in range(6):
            convergence.check(tick)
    reported = [line for line in logs if line["event"] == "convergence_difference"]
    count = int(values(line, "argus_convergence_differences_total")["derived"])
    assert len(reported) == count > 0
    assert {(line["kind"], line["subject"], line["stored"]) for line in reported} == {("derived", "total", None)}
    assert values(line, "argus_convergence_differences_open")["derived"] == count


def test_it_can_be_turned_off(state: ProcessState, plant: DerivingPlant) -> None:
    state.context = replace(state.context, check_entities=0)
    convergence.check(0)
    assert sum(values(plant.line, "argus_convergence_checks_total").values()) == 0


def test_it_is_enqueued_once_a_minute(state: ProcessState) -> None:
    for _ in range(2):
        job_enqueue(state, CHECK, 7, arguments=(7,))
    assert state.queue(QUEUE_SHORT).job_ids == ["check-7"]
