"""The sweep: it sends what no entry of the bus carries."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.base.streams import NORMALIZE
from testing.line import Line
from tests.workers.test_partition_task import STREAM, batch_of, feed
from workers import partition_task
from workers.process import ProcessState
from workers.sweeper import partition_sweep


def test_the_sweep_sends_what_no_entry_carries(
    state: ProcessState, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partition_task, "RUN_S", 0.5)
    line.partitions = 1
    batches = [batch_of(line, n) for n in range(3)]
    state.bus.group_ensure(STREAM, NORMALIZE)
    none, deadline_s = timedelta(seconds=-1), float("inf")
    assert partition_sweep(state, partition=0, deadline_s=deadline_s) == 0
    assert partition_sweep(state, partition=0, deadline_s=deadline_s, slack=none) == 3
    partition_task.partition_task_run(0)
    assert line.ingest_counts().stored == 3
    assert [batch for _, batch in feed(state)] == [batch.id for batch in batches]
    assert partition_sweep(state, partition=0, deadline_s=deadline_s, slack=none) == 0
