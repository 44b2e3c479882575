"""The sweep: it sends what no entry of the bus carries."""

from __future__ import annotations

from datetime import timedelta

from domain.base.streams import NORMALIZE
from testing.line import Line
from tests.workers.conftest import TaskRun
from tests.workers.test_partition_task import STREAM, batch_of, feed
from workers.process import ProcessState
from workers.sweeper import partition_sweep


def test_the_sweep_sends_what_no_entry_carries(state: ProcessState, line: Line, task_run: TaskRun) -> None:
    line.partitions = 1
    batches = [batch_of(line, n) for n in range(3)]
    state.bus.group_ensure(STREAM, NORMALIZE)
    none, deadline_s = timedelta(seconds=-1), float("inf")
    assert partition_sweep(state, partition=0, deadline_s=deadline_s) == 0
    assert partition_sweep(state, partition=0, deadline_s=deadline_s, slack=none) == 3
    task_run()
    assert line.ingest_counts().stored == 3
    assert [batch for _, batch in feed(state)] == [batch.id for batch in batches]
    assert partition_sweep(state, partition=0, deadline_s=deadline_s, slack=none) == 0
