"""The job that summarizes hours."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from testing.line import NOW, Line
from workers import hourly
from workers.enqueue import Enqueuer
from workers.process import QUEUE_SHORT, ProcessState


def jobs(state: ProcessState) -> list[list[Any]]:
    return [list(job.args) for job in state.queue(QUEUE_SHORT).jobs if job.func_name == "workers.hourly.summarize"]


def send(line: Line, *values: int) -> None:
    device = line.device()
    line.normalize(
        line.send(*({"device_id": device, "timestamp": NOW - timedelta(hours=n), "metrics": {"t": n}} for n in values))
    )


def test_a_job_summarizes_what_there_is(state: ProcessState, line: Line) -> None:
    line.partitions = 1
    send(line, 1, 2, 3)
    hourly.summarize(7, 0)
    assert sorted(row.sum for row in line.rows("SELECT sum FROM series_hours")) == [1.0, 2.0, 3.0]
    assert line.rows("SELECT * FROM dirty_hours") == []
    send(line, 4)
    hourly.summarize(8, 0)
    assert len(line.rows("SELECT * FROM series_hours")) == 4
    assert jobs(state) == []


def test_unfinished_work_is_left_to_the_next_job(
    state: ProcessState, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    line.partitions = 1
    send(line, 1)
    monkeypatch.setattr(hourly, "RUN_S", -1.0)
    hourly.summarize(7, 0)
    hourly.summarize(8, hourly.PARTS_MAX)
    assert jobs(state) == [[7, 1]]


def test_it_is_enqueued_once_a_minute(state: ProcessState) -> None:
    enqueuers = [Enqueuer(state), Enqueuer(state)]
    for enqueuer in (*enqueuers, *enqueuers):
        enqueuer.look()
    ticks = [tick for tick, _ in jobs(state)]
    # Two, where the minute ends within this test.
    assert 1 <= len(ticks) <= 2
    assert len(set(ticks)) == len(ticks)
