"""The partition task, with real servers, in the test's own process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
import pytest
import redis
from sqlalchemy import Engine

from domain.base.leases import lease_acquire
from domain.base.streams import DEAD, NORM, NORMALIZE, RAW, stream_name
from domain.telemetry.feed.entries import norm_decode, raw_encode
from domain.telemetry.model.readings import RawBatch
from runtime.database import transaction
from testing.line import Line
from tests.workers.conftest import TaskRun
from workers import partition_task
from workers.partition_task import PartitionTask
from workers.process import QUEUE_PARTITIONS, QUEUE_SHORT, ProcessState

T0 = datetime(2026, 4, 1, tzinfo=UTC)
STREAM = stream_name(RAW, 0)


@pytest.fixture
def line(line: Line) -> Line:
    line.partitions = 1
    return line


def batch_of(line: Line, n: int) -> RawBatch:
    device = line.device()
    [batch] = line.send({"device_id": device, "timestamp": T0, "metrics": {"t": n}}, at=datetime.now(UTC))
    return batch


def publish(state: ProcessState, batches: Sequence[RawBatch]) -> None:
    state.bus.publish(STREAM, [raw_encode(batch) for batch in batches])


def feed(state: ProcessState) -> list[tuple[int, int]]:
    stream = stream_name(NORM, 0)
    entries = state.bus.read_after({stream: "0-0"}, count=100, block_ms=1)
    return [(entry.position, entry.batch_id) for _, p in entries.get(stream, ()) for entry in [norm_decode(p)]]


def test_a_run_normalizes_sends_on_and_acknowledges(state: ProcessState, line: Line, task_run: TaskRun) -> None:
    batches = [batch_of(line, n) for n in range(3)]
    publish(state, batches)
    task_run()
    assert line.ingest_counts().stored == 3
    assert feed(state) == [(n + 1, batch.id) for n, batch in enumerate(batches)]
    assert state.bus.oldest_waiting_ms(STREAM, NORMALIZE) is None
    [job] = state.queue(QUEUE_PARTITIONS).jobs
    assert (job.func_name, list(job.args)) == ("workers.partition_task.partition_task_run", [0])


def test_the_task_of_a_removed_partition_ends(state: ProcessState, line: Line, task_run: TaskRun) -> None:
    task_run(state.context.partitions)
    assert state.queue(QUEUE_PARTITIONS).count == 0
    task_run(state.context.partitions - 1)
    assert state.queue(QUEUE_PARTITIONS).count == 1


def test_entries_read_by_a_dead_consumer_are_claimed(state: ProcessState, line: Line, task_run: TaskRun) -> None:
    batch = batch_of(line, 1)
    publish(state, [batch])
    assert len(state.bus.group_read(STREAM, NORMALIZE, consumer="dead", count=10, block_ms=1)) == 1
    task_run()
    assert line.ingest_counts().stored == 1
    assert state.bus.oldest_waiting_ms(STREAM, NORMALIZE) is None


def test_a_batch_delivered_twice_is_sent_on_twice_at_one_position(
    state: ProcessState, line: Line, task_run: TaskRun
) -> None:
    batch = batch_of(line, 1)
    publish(state, [batch, batch])
    task_run()
    publish(state, [batch])
    task_run()
    assert feed(state) == [(1, batch.id), (1, batch.id)]
    assert line.ingest_counts().stored == 1


def test_bytes_that_are_no_entry_do_not_stop_the_stage(state: ProcessState, line: Line, task_run: TaskRun) -> None:
    state.bus.publish(STREAM, [b"nonsense"])
    publish(state, [batch_of(line, 1)])
    task_run()
    assert line.ingest_counts().stored == 1
    assert state.bus.oldest_waiting_ms(STREAM, NORMALIZE) is None


def test_a_reading_that_cannot_be_written_does_not_stop_the_others(
    state: ProcessState, line: Line, task_run: TaskRun, engine: Callable[[str], Engine]
) -> None:
    good, bad = batch_of(line, 1), batch_of(line, 2)
    with transaction(engine("owner")) as session:
        session.connection().exec_driver_sql("DELETE FROM devices WHERE id = (SELECT max(id::text)::uuid FROM devices)")
    publish(state, [bad, good])
    task_run()
    counts = line.ingest_counts()
    assert (counts.stored, counts.dead, counts.pending) == (1, 1, 0)


def test_a_leased_partition_is_not_run_by_another_process(state: ProcessState, line: Line, task_run: TaskRun) -> None:
    with transaction(state.engine) as session:
        lease_acquire(session, stage=NORMALIZE, partition=0, holder="other", ttl=timedelta(minutes=1))
    publish(state, [batch_of(line, 1)])
    task_run()
    assert line.ingest_counts().pending == 1
    assert state.queue(QUEUE_PARTITIONS).count == 0


def test_a_partition_task_continues_after_the_bus_lost_everything(
    state: ProcessState, line: Line, bus: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partition_task, "RUN_S", 3_600.0)
    wait = PartitionTask._wait_for_entries
    waits: list[threading.Thread] = []

    def lose() -> None:
        bus.flushall()
        publish(state, [batch_of(line, 2)])

    def waits_for_entries(task: PartitionTask) -> None:
        if not waits:
            # While it waits, or just before: whichever, it finds a bus that knows nothing.
            waits.append(threading.Thread(target=lose))
            waits[0].start()
        elif line.ingest_counts().stored == 2:
            state.stopping.set()
        wait(task)

    monkeypatch.setattr(PartitionTask, "_wait_for_entries", waits_for_entries)
    publish(state, [batch_of(line, 1)])
    partition_task.partition_task_run(0)
    waits[0].join()
    assert line.ingest_counts().stored == 2


def test_entries_of_another_database_are_passed_over(state: ProcessState, line: Line, task_run: TaskRun) -> None:
    good = batch_of(line, 1)
    publish(state, [replace(good, organization_id=10**6), replace(good, id=10**6), good])
    task_run()
    assert line.ingest_counts().stored == 1
    assert state.bus.oldest_waiting_ms(STREAM, NORMALIZE) is None


def test_a_run_gives_way_where_others_wait(state: ProcessState, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partition_task, "RUN_S", 3600.0)
    state.queue(QUEUE_SHORT).enqueue("workers.sweeper.sweep")
    publish(state, [batch_of(line, 1)])
    partition_task.partition_task_run(0)
    assert line.ingest_counts().stored == 1


@pytest.mark.parametrize(
    ("shared_with", "stays"), [((QUEUE_SHORT, QUEUE_PARTITIONS), False), ((QUEUE_PARTITIONS,), True)]
)
def test_a_run_makes_way_only_for_what_has_no_other_worker(
    state: ProcessState, monkeypatch: pytest.MonkeyPatch, shared_with: tuple[str, ...], stays: bool
) -> None:
    for name, seconds in (("RUN_S", 3_600.0), ("OTHERS_WAIT_S", 0.0), ("SHARE_S", 0.0)):
        monkeypatch.setattr(partition_task, name, seconds)
    polls: list[PartitionTask] = []
    poll = PartitionTask.poll

    def counted(task: PartitionTask) -> bool:
        polls.append(task)
        if len(polls) == 3:
            state.stopping.set()
        return poll(task)

    monkeypatch.setattr(PartitionTask, "poll", counted)
    state.shared_with = shared_with
    state.queue(QUEUE_SHORT).enqueue("workers.sweeper.sweep")
    partition_task.partition_task_run(0)
    assert len(polls) == (3 if stays else 1)


def test_dead_letters_are_mirrored(state: ProcessState, line: Line, task_run: TaskRun) -> None:
    device = line.device()
    batches = line.send({"device_id": device, "timestamp": "2099-01-01T00:00:00Z", "metrics": {"t": 1}})
    publish(state, batches)
    task_run()
    stream = stream_name(DEAD, 0)
    [(_, payload)] = state.bus.read_after({stream: "0-0"}, count=9, block_ms=1)[stream]
    mirrored = orjson.loads(payload)
    [stored] = line.rows("SELECT id, raw_id FROM dead_letters")
    assert (mirrored["id"], mirrored["rawId"], mirrored["deviceId"]) == (str(stored.id), stored.raw_id, str(device))
    assert (mirrored["code"], mirrored["metric"], mirrored["stage"]) == ("FUTURE_TIMESTAMP", None, NORMALIZE)
