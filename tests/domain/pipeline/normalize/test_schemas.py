"""Telemetry schemas as the normalize stage applies them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, text

from domain.pipeline.normalize.entries import feed_entries_rebuild
from domain.pipeline.normalize.schemas import schemas_of
from domain.telemetry.feed.entries import NormEntry
from domain.telemetry.model.readings import RawBatch
from graph.change import graph_hold
from testing.line import Line
from testing.world import world_create

T0 = datetime(2026, 4, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
FAHRENHEIT: dict[str, Any] = {"metrics": {"t": {"unit": "Cel", "sentUnit": "[degF]", "max": 150}}}


@pytest.fixture
def line(engine: Callable[[str], Engine]) -> Line:
    return Line(world_create(owner=engine("owner"), api=engine("api"), slug="line"), engine)


def send(line: Line, device: UUID, at: datetime, **metrics: Any) -> list[RawBatch]:
    return line.send({"device_id": device, "timestamp": at, "metrics": metrics})


def dead_letters(line: Line) -> list[tuple[str | None, str, Any]]:
    rows = line.rows("SELECT metric, code, payload FROM dead_letters WHERE resolved_at IS NULL ORDER BY raw_id, metric")
    return [(row.metric, row.code, row.payload) for row in rows]


def said(entry: NormEntry) -> dict[str, float]:
    names = [entry.names[metric] for metric in entry.metrics.tolist()]
    return dict(zip(names, entry.values.tolist(), strict=True))


def units(line: Line) -> dict[str, str | None]:
    return {row.metric: row.unit for row in line.rows("SELECT metric, unit FROM series")}


def test_the_good_metrics_go_on(line: Line) -> None:
    line.schema(
        "Probe",
        {
            "metrics": {
                "t": {**FAHRENHEIT["metrics"]["t"], "rename": "temperature"},
                "on": {"type": "BOOLEAN"},
                "id": {"type": "TEXT", "required": True},
                "n": {"required": True, "min": 0},
            },
            "unknown": "refuse",
        },
    )
    device, other = line.device(type_name="Probe"), line.device()
    result = line.normalize(
        [
            *send(line, device, T0, t=212, on=1, id=[], x="?", n=-1),
            *send(line, device, T0 + HOUR, on=True),
            *send(line, other, T0, t=212, on=1, x="?"),
        ]
    )
    assert line.history() == {
        (device, None, "temperature", T0): 100.0,
        (device, None, "on", T0 + HOUR): 1.0,
        (other, None, "t", T0): 212.0,
        (other, None, "on", T0): 1.0,
        (other, None, "x", T0): "?",
    }
    assert dead_letters(line) == [
        ("id", "UNSUPPORTED_VALUE", []),
        ("n", "OUT_OF_RANGE", -1),
        ("on", "WRONG_TYPE", 1),
        ("x", "UNKNOWN_METRIC", "?"),
        ("id", "METRIC_MISSING", ["on"]),
        ("n", "METRIC_MISSING", ["on"]),
    ]
    assert (line.ingest_counts().stored, line.ingest_counts().dead) == (3, 0)
    assert [said(entry) for entry in result.entries[:2]] == [{"temperature": 100.0}, {"on": 1.0}]
    assert {unit for unit in units(line).values() if unit} == {"Cel"}


def test_a_reading_without_any_accepted_metric_is_a_dead_letter(line: Line) -> None:
    line.schema("Probe", {"metrics": {"t": {}}, "unknown": "drop"})
    device = line.device(type_name="Probe")
    line.normalize([*send(line, device, T0, x=1, y=2), *send(line, device, T0 + HOUR, x=1, t=2)])
    assert line.history() == {(device, None, "t", T0 + HOUR): 2.0}
    assert dead_letters(line) == [(None, "NOTHING_KEPT", {"x": 1, "y": 2})]
    assert (line.ingest_counts().stored, line.ingest_counts().dead) == (1, 1)


def test_the_schema_is_that_of_the_readings_time(line: Line) -> None:
    device = line.device(type_name="Probe")
    line.schema("Probe", FAHRENHEIT, begins=T0)
    line.schema("Probe", {"metrics": {"t": {"unit": "K"}}}, begins=T0 + HOUR)
    for at in (T0 + HOUR, T0 - timedelta(microseconds=1), T0 + HOUR - timedelta(microseconds=1), T0):
        line.normalize(send(line, device, at, t=32))
    assert line.history() == {
        (device, None, "t", T0 - timedelta(microseconds=1)): 32.0,
        (device, None, "t", T0): 0.0,
        (device, None, "t", T0 + HOUR - timedelta(microseconds=1)): 0.0,
        (device, None, "t", T0 + HOUR): 32.0,
    }
    assert units(line) == {"t": "K"}


def test_the_unit_is_that_of_the_latest_point(line: Line) -> None:
    device = line.device(type_name="Probe")
    line.schema("Probe", FAHRENHEIT, begins=T0)
    line.schema("Probe", {"metrics": {"t": {"unit": "K"}}}, begins=T0 + HOUR)
    said: dict[str, Any] = {"device_id": device, "message_id": "m"}
    first = line.send({**said, "timestamp": T0, "metrics": {"t": 32}})
    line.normalize(line.send({**said, "timestamp": T0 + HOUR, "metrics": {"t": 32}}))
    assert units(line) == {"t": "K"}
    # It turns out to repeat the first: the latest point is an earlier one now.
    line.normalize(first)
    assert line.history() == {(device, None, "t", T0): 0.0}
    assert units(line) == {"t": "Cel"}


def test_the_unit_goes_with_the_schema(line: Line) -> None:
    device = line.device(type_name="Probe")
    line.schema("Probe", FAHRENHEIT)
    line.normalize(send(line, device, T0, t=32))
    line.schema("Probe", {"metrics": {"t": {"unit": "K"}}})
    line.normalize(send(line, device, T0 - HOUR, t=32))
    assert units(line) == {"t": "K"}
    with line.world.changing() as (session, _):
        session.execute(text("UPDATE entities SET type = NULL WHERE id = :d"), {"d": device})
    line.normalize(send(line, device, T0 + HOUR, t=32))
    assert units(line) == {"t": None}


def test_schemas_are_read_once_a_revision(
    line: Line, statements: Callable[[Engine], AbstractContextManager[list[str]]]
) -> None:
    line.schema("Probe", FAHRENHEIT)
    line.schema("Probe", {"metrics": {}}, begins=T0)
    one, two, plain = line.device(type_name="Probe"), line.device(type_name="Probe"), line.device()

    def ask(*devices: UUID) -> tuple[set[bytes], int]:
        with line.pipeline() as session:
            revision = graph_hold(session, organization_id=line.organization_id)
            with statements(line.engine("pipeline")) as seen:
                schemas = schemas_of(
                    session,
                    organization_id=line.organization_id,
                    revision=revision,
                    devices=[device.bytes for device in devices],
                    stage_cache=line.stage_cache,
                )
        return set(schemas), len(seen)

    assert ask(plain) == (set(), 1)
    assert ask(plain, one) == ({one.bytes}, 1)
    assert ask(plain, one, two) == ({one.bytes, two.bytes}, 1)
    assert ask(two, plain) == ({two.bytes}, 0)
    line.schema("Probe", {}, begins=T0 + HOUR)
    assert ask(one, two, plain) == ({one.bytes, two.bytes}, 1)
    assert [len(line.stage_cache.schemas[line.organization_id].by_device), len(line.stage_cache.schemas)] == [3, 1]


def test_processed_again_under_another_schema(line: Line) -> None:
    device = line.device(type_name="Probe")
    batches = [
        *send(line, device, T0, t=212, x=1),
        *send(line, device, T0, t=50, u=5),
        *send(line, device, T0 + HOUR, t=400, x=2),
    ]
    line.normalize(batches)
    edited: dict[str, Any] = {"metrics": {**FAHRENHEIT["metrics"], "x": {"rename": "y"}, "u": {"min": 6}}}
    edited["metrics"]["t"]["min"] = 20
    line.schema("Probe", edited)
    with line.pipeline() as session:
        again = feed_entries_rebuild(session, organization_id=line.organization_id, batches=batches)
    # Until then everything stays as it was, also for subscribers of the feed.
    assert [said(entry) for entry in again] == [{"x": 1.0}, {"t": 50.0, "u": 5.0}, {"t": 400.0, "x": 2.0}]
    line.reopen()
    result = line.normalize(batches)
    assert line.history() == {
        (device, None, "t", T0): 100.0,
        (device, None, "y", T0): 1.0,
        (device, None, "y", T0 + HOUR): 2.0,
    }
    assert [said(entry) for entry in result.entries] == [{"t": 100.0, "y": 1.0}, {}, {"y": 2.0}]
    assert dead_letters(line) == [("t", "OUT_OF_RANGE", 50), ("u", "OUT_OF_RANGE", 5), ("t", "OUT_OF_RANGE", 400)]
    assert (line.ingest_counts().stored, line.ingest_counts().dead) == (2, 1)
    latest = line.rows(
        'SELECT s.metric, l."timestamp", l.value FROM latest_values l JOIN series s ON s.id = l.series_id'
    )
    assert {(row.metric, row.timestamp, row.value) for row in latest} == {("t", T0, 100.0), ("y", T0 + HOUR, 2.0)}
    # And back again, in two transactions.
    line.schema("Probe", {})
    line.reopen()
    for batch in batches:
        line.normalize([batch])
    assert line.history() == {
        (device, None, "t", T0): 50.0,
        (device, None, "x", T0): 1.0,
        (device, None, "u", T0): 5.0,
        (device, None, "t", T0 + HOUR): 400.0,
        (device, None, "x", T0 + HOUR): 2.0,
    }
    assert dead_letters(line) == []
    assert line.ingest_counts().stored == 3


def test_points_that_can_no_longer_be_written_are_removed(line: Line) -> None:
    device = line.device(type_name="Probe")
    batches = [*send(line, device, T0, t=1), *send(line, device, T0, t=3), *send(line, device, T0 + HOUR, t=2)]
    line.normalize(batches)
    line.schema("Probe", {"metrics": {"t": {"unit": "cm", "sentUnit": "m"}}})
    with line.engine("owner").begin() as connection:
        connection.exec_driver_sql("ALTER TABLE telemetry_history ADD CHECK (value <> 300) NOT VALID")
    line.reopen()
    line.normalize(batches, is_isolating=True)
    assert line.history() == {(device, None, "t", T0): 100.0, (device, None, "t", T0 + HOUR): 200.0}
    assert dead_letters(line) == [(None, "PROCESSING_FAILED", {"t": 3})]
    assert (line.ingest_counts().stored, line.ingest_counts().dead) == (2, 1)
