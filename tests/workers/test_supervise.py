"""Supervision of worker processes."""

from __future__ import annotations

from dataclasses import replace

from testing.context import worker_context
from workers.process import QUEUE_PARTITIONS, QUEUE_SHORT
from workers.supervise import queues_of


def test_one_worker_more_than_partitions_runs_what_is_short() -> None:
    context = worker_context("", "", partitions=2, workers=3)
    both, partitions_first = (QUEUE_SHORT, QUEUE_PARTITIONS), (QUEUE_PARTITIONS, QUEUE_SHORT)
    assert queues_of(context) == [(QUEUE_SHORT,), partitions_first, partitions_first]
    assert queues_of(replace(context, workers=2)) == [both, both]
    assert queues_of(replace(context, workers=1)) == [both]
