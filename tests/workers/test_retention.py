"""The jobs of retention, and caches of running workers after a partition is dropped."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from domain.base.streams import RAW, stream_name
from domain.telemetry.feed.entries import raw_encode
from domain.telemetry.store.retention import ROWS_TABLES, RetentionPolicy, partition_drop, partitions_outdated
from runtime.database import transaction
from testing.installation import PROJECT, environment
from testing.line import Line
from testing.servers import TestDatabase
from testing.waits import patient
from tests.workers.conftest import TaskRun
from workers import retention
from workers.enqueue import Enqueuer
from workers.process import QUEUE_SHORT, ProcessState

LONG_AGO = datetime(2020, 1, 15, tzinfo=UTC)


@pytest.fixture
def line(line: Line) -> Line:
    line.partitions = 1
    return line


@pytest.fixture
def keeping(state: ProcessState) -> ProcessState:
    state.context = replace(state.context, retention_raw=timedelta(days=90), retention_points=timedelta(days=365))
    return state


def old_day(line: Line, at: datetime = LONG_AGO) -> None:
    """Have a reading received, and its point be, long ago."""
    line.normalize(line.send({"device_id": line.device(), "timestamp": at, "metrics": {"t": 1}}, at=at))
    line.summarize()


def jobs(state: ProcessState) -> list[tuple[str, list[Any]]]:
    queued = [(str(job.func_name), list(job.args)) for job in state.queue(QUEUE_SHORT).jobs]
    return [job for job in queued if "retention" in job[0]]


def test_the_jobs_drop_what_is_old_and_then_its_rows(keeping: ProcessState, line: Line) -> None:
    old_day(line)
    retention.retain(7, 0)
    assert line.rows("SELECT * FROM telemetry_raw") == line.rows("SELECT * FROM telemetry_history") == []
    assert jobs(keeping) == [("workers.retention.forget", [7, 1, "reading_keys", 0])]
    assert len(line.rows("SELECT * FROM reading_keys")) == 1
    retention.forget(7, 1, "reading_keys", 0)
    assert line.rows("SELECT * FROM reading_keys") == []
    assert jobs(keeping)[1:] == [("workers.retention.forget", [7, 2, "dead_letters", 0])]


def test_unfinished_work_is_left_to_the_next_job(
    keeping: ProcessState, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    old_day(line)
    monkeypatch.setattr(retention, "RUN_S", -1.0)
    retention.retain(7, 0)
    retention.forget(8, 3, "reading_keys", 5)
    assert jobs(keeping) == [
        ("workers.retention.retain", [7, 1]),
        ("workers.retention.forget", [8, 4, "reading_keys", 5]),
    ]
    assert len(line.rows("SELECT * FROM telemetry_raw")) == 1


def test_partitions_in_use_are_retried_and_left_for_the_next_hour(keeping: ProcessState, line: Line) -> None:
    old_day(line)
    with transaction(line.engine("owner")) as session:
        session.execute(text("LOCK TABLE telemetry_history IN ACCESS SHARE MODE"))
        retention.retain(7, 0)
        retention.retain(7, retention.PARTS_MAX)
        assert len(line.rows("SELECT * FROM telemetry_history")) == 1
    assert jobs(keeping) == [("workers.retention.retain", [7, 1])]
    assert line.rows("SELECT * FROM telemetry_raw") == []
    retention.retain(7, 1)
    assert line.rows("SELECT * FROM telemetry_history") == []


def test_without_ages_nothing_goes(state: ProcessState, line: Line) -> None:
    old_day(line)
    retention.retain(0, 0)
    retention.forget(0, 1, "reading_keys", 0)
    assert len(line.rows("SELECT * FROM telemetry_raw")) == len(line.rows("SELECT * FROM reading_keys")) == 1


def test_it_is_enqueued_once_an_hour(state: ProcessState) -> None:
    enqueuers = [Enqueuer(state), Enqueuer(state)]
    for enqueuer in (*enqueuers, *enqueuers):
        enqueuer.look()
    ticks = [arguments for name, arguments in jobs(state) if name == "workers.retention.retain"]
    # Two, where the hour ends within this test.
    assert 1 <= len(ticks) <= 2
    assert len({tuple(arguments) for arguments in ticks}) == len(ticks)


def test_a_worker_does_not_write_into_a_dropped_month(state: ProcessState, line: Line, task_run: TaskRun) -> None:
    device = line.device()

    def send(*values: int) -> None:
        readings = [
            {"device_id": device, "timestamp": LONG_AGO + timedelta(seconds=value), "metrics": {"t": value}}
            for value in values
        ]
        batches = line.send(*readings, at=datetime.now(UTC))
        state.bus.publish(stream_name(RAW, 0), [raw_encode(batch) for batch in batches])
        task_run()

    send(1)
    assert len(state.stage_cache.months) == 1
    line.summarize()
    with transaction(state.engine) as session:
        [month] = partitions_outdated(
            session, retention=RetentionPolicy(None, timedelta(days=365)), now=datetime.now(UTC)
        )
        assert partition_drop(session, month) == ["telemetry_history_202001"]
    send(2, 3)
    assert line.history() == {}
    counts = line.ingest_counts()
    assert (counts.stored, counts.dead, counts.pending) == (1, 2, 0)
    assert {row.code for row in line.rows("SELECT code FROM dead_letters")} == {"BEFORE_RETENTION"}


def test_the_command_reports_and_applies(line: Line, database: TestDatabase, bus_url: str) -> None:
    old_day(line)
    waiting = line.send(
        {"device_id": line.device(), "timestamp": LONG_AGO, "metrics": {"t": 1}}, at=LONG_AGO - timedelta(days=1)
    )
    assert len(waiting) == 1

    def run(*options: str) -> str:
        given = {
            **environment(),
            "ARGUS_DATABASE_URL_PIPELINE": database.url("pipeline"),
            "ARGUS_REDIS_URL": bus_url,
            "ARGUS_RETENTION_POINTS": "P400D",
        }
        done = subprocess.run(
            [sys.executable, "-m", "argus", "retention", *options],
            cwd=PROJECT, env=given, capture_output=True, text=True, timeout=patient(60), check=True,
        )  # fmt: skip
        return done.stdout

    report = json.loads(run("--dry-run", "--json"))
    assert (report["retentionRaw"], report["retentionPoints"], report["rows"]) == ("P90D", "P400D", {})
    assert [(partition["name"], partition["state"]) for partition in report["partitions"]] == [
        ("telemetry_raw_20200114", "unfinished"),
        ("telemetry_raw_20200115", "outdated"),
        ("raw_batches_20200114", "unfinished"),
        ("raw_batches_20200115", "outdated"),
        ("telemetry_history_202001", "outdated"),
    ]
    assert all(partition["bytes"] > 0 and partition["rows"] >= 0 for partition in report["partitions"])
    assert "telemetry_history_202001" in run("--dry-run")
    done = json.loads(run("--json"))
    assert [partition["state"] for partition in done["partitions"]] == [
        "unfinished",
        "dropped",
        "unfinished",
        "dropped",
        "dropped",
    ]
    # The older day is still there, and so is what may be known of its readings.
    assert done["rows"] == dict.fromkeys(ROWS_TABLES, 0)
    assert [row.normalized_at for row in line.rows("SELECT normalized_at FROM raw_batches")] == [None]
