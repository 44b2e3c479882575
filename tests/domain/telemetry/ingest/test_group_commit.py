"""The group commit, the directory of devices and the acceptor over both."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import psycopg
import pytest
import redis
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from domain.base.errors import RateLimitedError
from domain.base.packed import instant_of
from domain.base.streams import RAW, stream_name
from domain.telemetry.feed.entries import raw_decode, raw_encode
from domain.telemetry.ingest import group_commit
from domain.telemetry.ingest.acceptor import Acceptor
from domain.telemetry.ingest.directory import DeviceDirectory
from domain.telemetry.ingest.group_commit import GroupCommitter
from domain.telemetry.ingest.publisher import RawPublisher
from domain.telemetry.model.readings import AcceptedReadings, RawBatch
from domain.telemetry.store.raw_log import BatchName, ReadingGroup, raw_batches_read
from graph.errors import UnavailableError
from runtime.bus.redis_streams import RedisStreams, bus_connect, bus_trouble
from runtime.database import engine_create, transaction
from testing.line import NOW, Line, draft
from testing.servers import TestDatabase
from testing.waits import Deadline, patient
from testing.world import world_create


class Gate:
    """Opens the ingest role's transactions; may hold them back, or say that the database is away."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.is_open = threading.Event()
        self.is_open.set()
        self.entered = threading.Event()
        self.is_transient = False
        self.transactions = 0

    @contextmanager
    def __call__(self) -> Iterator[Session]:
        self.entered.set()
        self.is_open.wait()
        self.transactions += 1
        with transaction(self.engine) as session:
            yield session
            if self.is_transient:
                raise OperationalError("COMMIT", {}, psycopg.OperationalError("gone"))


@pytest.fixture
def gate(engine: Callable[[str], Engine]) -> Gate:
    return Gate(engine("ingest"))


@pytest.fixture
def line(engine: Callable[[str], Engine]) -> Line:
    return Line(world_create(owner=engine("owner"), api=engine("api"), slug="line"), engine)


@pytest.fixture
def published() -> list[RawBatch]:
    return []


@pytest.fixture
def committer(gate: Gate, published: list[RawBatch]) -> Iterator[GroupCommitter]:
    made = GroupCommitter(transaction=gate, publish=published.extend, now=lambda: NOW)
    made.start()
    yield made
    gate.is_open.set()
    made.stop()


def readings(device: UUID, *numbers: int, metrics: bytes = b'{"n":%d}') -> AcceptedReadings:
    count = len(numbers)
    keys = [n.to_bytes(16) for n in numbers]
    said = [metrics % n if b"%d" in metrics else metrics for n in numbers]
    return AcceptedReadings([device.bytes] * count, [-1] * count, list(numbers), keys, said)


def groups(line: Line, device: UUID, *numbers: int, transport: str = "http", **how: Any) -> Sequence[ReadingGroup]:
    return [ReadingGroup(line.organization_id, 0, transport, readings(device, *numbers, **how))]


def stored(line: Line) -> list[list[int]]:
    """The readings' numbers by batch, in the order of raw ids."""
    rows = line.rows(
        "SELECT b.id, array_agg((r.metrics->>'n')::int ORDER BY r.id) AS numbers FROM raw_batches b"
        " JOIN telemetry_raw r ON r.batch_id = b.id GROUP BY b.id ORDER BY b.id"
    )
    return [row.numbers for row in rows]


def test_calls_at_the_same_time_share_a_transaction_and_a_batch(
    line: Line, gate: Gate, committer: GroupCommitter, published: list[RawBatch]
) -> None:
    device = line.device()
    gate.is_open.clear()
    first = committer.submit(groups(line, device, 1))
    while committer._calls:
        pass
    others = [committer.submit(groups(line, device, n, n + 1)) for n in (2, 4, 6)]
    other = committer.submit(groups(line, device, 8, transport="mqtt"))
    assert not first.done()
    gate.is_open.set()
    for future in (first, *others, other):
        future.result(timeout=patient(30))
    # One to make partitions, two that append.
    assert gate.transactions == 3
    assert stored(line) == [[1], [2, 3, 4, 5, 6, 7], [8]]
    rows = line.rows("SELECT transport, readings, first_raw_id, last_raw_id, bytes FROM raw_batches ORDER BY id")
    assert [(row.transport, row.readings, row.bytes) for row in rows] == [
        ("http", 1, 7),
        ("http", 6, 42),
        ("mqtt", 1, 7),
    ]
    committer.stop()
    assert [batch.raw_ids.tolist() for batch in published] == [
        list(range(row.first_raw_id, row.last_raw_id + 1)) for row in rows
    ]


def test_organizations_share_a_commit_and_nothing_else(
    line: Line, gate: Gate, committer: GroupCommitter, engine: Callable[[str], Engine], published: list[RawBatch]
) -> None:
    other = Line(world_create(owner=engine("owner"), api=engine("api"), slug="other"), engine)
    gate.is_open.clear()
    futures = [committer.submit(groups(line, line.device(), 1))]
    while committer._calls:
        pass
    futures += [committer.submit(groups(item, item.device(), n)) for item, n in ((line, 2), (other, 3), (line, 4))]
    gate.is_open.set()
    for future in futures:
        future.result(timeout=patient(30))
    # One to make partitions, two that append.
    assert gate.transactions == 3
    assert stored(line) == [[1], [2, 4], [3]]
    assert (line.ingest_counts().received, other.ingest_counts().received) == (3, 1)
    committer.stop()
    assert [batch.organization_id for batch in published] == [line.organization_id] * 2 + [other.organization_id]


def test_a_database_that_is_unavailable_refuses_and_keeps_nothing(
    line: Line, gate: Gate, committer: GroupCommitter, published: list[RawBatch]
) -> None:
    device = line.device()
    gate.is_transient = True
    with pytest.raises(UnavailableError):
        committer.submit(groups(line, device, 1)).result(timeout=patient(30))
    assert (stored(line), published) == ([], [])
    gate.is_transient = False
    committer.submit(groups(line, device, 2)).result(timeout=patient(30))
    assert stored(line) == [[2]]


def test_a_call_that_cannot_be_written_does_not_affect_the_others(
    line: Line, gate: Gate, committer: GroupCommitter
) -> None:
    device = line.device()
    gate.is_open.clear()
    futures = [committer.submit(groups(line, device, 1))]
    while committer._calls:
        pass
    futures += [committer.submit(groups(line, device, 2, metrics=b"{")), committer.submit(groups(line, device, 3))]
    gate.is_open.set()
    assert [type(future.exception(timeout=patient(30))).__name__ for future in futures] == [
        "NoneType",
        "DataError",
        "NoneType",
    ]
    assert stored(line) == [[1], [3]]


def test_waiting_calls_are_bounded(
    line: Line, gate: Gate, committer: GroupCommitter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "WAITING_READINGS_MAX", 3)
    device = line.device()
    gate.is_open.clear()
    taken = [committer.submit(groups(line, device, 1))]
    while committer._calls:
        pass
    taken.append(committer.submit(groups(line, device, 2, 3, 4)))
    with pytest.raises(RateLimitedError) as raised:
        committer.submit(groups(line, device, 5))
    assert (raised.value.code, raised.value.retry_after_s) == ("RATE_LIMITED", 1.0)
    gate.is_open.set()
    for future in taken:
        future.result(timeout=patient(30))
    assert stored(line) == [[1], [2, 3, 4]]


def test_a_slow_statement_is_not_reported_as_an_unavailable_database(
    line: Line, engine: Callable[[str], Engine], database: TestDatabase
) -> None:
    device = line.device()
    ingest, api = (
        engine_create(database.url(role), pool_size=1, statement_timeout_s=0.2) for role in ("ingest", "api")
    )
    committer = GroupCommitter(transaction=Gate(ingest), publish=lambda _: None, now=lambda: NOW)
    committer.start()
    committer.submit(groups(line, device, 1)).result(timeout=patient(60))

    def lookup(organization_id: int) -> AbstractContextManager[Session]:
        return transaction(api, organization_id)

    directory = DeviceDirectory(read=lookup, partitions=1, monotonic_s=time.monotonic)
    with Session(engine("owner")) as session, session.begin():
        session.execute(text("LOCK raw_batches, entities IN ACCESS EXCLUSIVE MODE"))
        for work in (
            lambda: committer.submit(groups(line, device, 2)).result(timeout=patient(60)),
            lambda: directory.find({str(device): device}, [], organization_id=line.organization_id),
        ):
            with pytest.raises(UnavailableError, match=r"^A statement took longer .* Nothing was kept; try again\.$"):
                work()
    assert stored(line) == [[1]]
    committer.stop()
    for item in (ingest, api):
        item.dispose()


def test_after_the_stop_nothing_is_taken_and_what_waited_is_written(line: Line, committer: GroupCommitter) -> None:
    device = line.device()
    future = committer.submit(groups(line, device, 1))
    committer.stop()
    assert future.result(timeout=0) is None
    with pytest.raises(UnavailableError):
        committer.submit(groups(line, device, 2))


def test_a_caller_that_disconnects_affects_no_other(line: Line, gate: Gate, committer: GroupCommitter) -> None:
    line.device("probe")
    acceptor = Acceptor(directory=line.directory(), committer=committer, now=lambda: NOW)

    def call(n: int) -> Any:
        return acceptor.accept(
            organization_id=line.organization_id,
            readings=[draft({"external_id": "probe", "metrics": {"n": n}})],
            transport="http",
            own_device_id=None,
        )

    async def scenario() -> None:
        gate.is_open.clear()
        gone = asyncio.create_task(call(1))
        assert await asyncio.to_thread(gate.entered.wait, 10)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        gate.is_open.set()
        assert (await call(2)).accepted == 1

    asyncio.run(scenario())
    assert sorted(n for batch in stored(line) for n in batch) == [1, 2]


def test_changes_of_devices_are_noticed_in_time(line: Line, engine: Callable[[str], Engine]) -> None:
    now_s = 0.0
    directory = line.directory(lambda: now_s)
    device = line.device("probe")

    def find() -> tuple[int, int]:
        resolved = directory.resolve(
            [
                draft({"device_id": device}),
                draft({"external_id": "probe"}),
                draft({"device_id": "x"}),
                draft({"external_id": "\0"}),
            ],
            organization_id=line.organization_id,
        )
        return len(resolved.by_id), len(resolved.by_external_id)

    assert find() == (1, 1)
    with line.world.changing() as (session, _):
        line.world.delete(session, device, NOW)
    assert find() == (1, 1)
    now_s = 0.6
    assert find() == (0, 0)
    with line.world.changing() as (session, _):
        session.execute(text("UPDATE entities SET deleted_at = NULL, status = 'revoked'"))
    assert find() == (0, 0)
    with line.world.changing() as (session, _):
        session.execute(text("UPDATE entities SET status = 'active'"))
    # What is not found is not remembered.
    assert find() == (1, 1)
    other = Line(world_create(owner=engine("owner"), api=engine("api"), slug="other"), engine)
    resolved = directory.resolve([draft({"device_id": device})], organization_id=other.organization_id)
    assert not resolved.by_id


def test_the_token_of_a_deleted_device_is_refused(line: Line, committer: GroupCommitter) -> None:
    gone, other = line.device(), line.device()
    with line.world.changing() as (session, _):
        line.world.delete(session, gone, NOW)
    acceptor = Acceptor(directory=line.directory(), committer=committer, now=lambda: NOW)
    result = asyncio.run(
        acceptor.accept(
            organization_id=line.organization_id,
            readings=[draft({"metrics": {"n": 1}}), draft({"device_id": other, "metrics": {"n": 1}})],
            transport="http",
            own_device_id=gone,
        )
    )
    assert (result.accepted, [error.code for error in result.errors]) == (0, ["UNKNOWN_DEVICE"] * 2)


def test_a_bus_that_is_unavailable_is_left_to_the_sweep(line: Line, bus_url: str) -> None:
    batches = [line.send({"device_id": line.device(), "metrics": {"n": 1}}, at=datetime.now(UTC))[0] for _ in range(2)]
    now_s = 0.0
    unreachable = RawPublisher(bus=RedisStreams(bus_connect("redis://127.0.0.1:1")), monotonic_s=lambda: now_s)
    unreachable.start()
    for batch in batches:
        unreachable.put([batch])
    unreachable.stop()
    assert (unreachable.counts.sent, unreachable.counts.left) == (0, 2)
    bus = RedisStreams(bus_connect(bus_url))
    there = RawPublisher(bus=bus, monotonic_s=lambda: now_s)
    there.start()
    there.put(batches)
    there.stop()
    assert (there.counts.sent, there.counts.left) == (2, 0)
    assert bus.length(stream_name(RAW, 0)) == 2


@pytest.mark.parametrize("refusal", ["READONLY", "OOM", "NOPERM"])
def test_a_bus_that_refuses_is_logged_once_and_published_to_again(
    line: Line, bus: redis.Redis, bus_url: str, caplog: pytest.LogCaptureFixture, refusal: str
) -> None:
    """The thread outlives an error that the bus answers with; it once ended without a word."""
    refuse = {
        "READONLY": ["REPLICAOF 127.0.0.1 1"], "OOM": ["CONFIG SET maxmemory 1"], "NOPERM": ["ACL SETUSER default -xadd"],
    }  # fmt: skip
    mend = {
        "READONLY": ["REPLICAOF NO ONE"], "OOM": ["CONFIG SET maxmemory 0"], "NOPERM": ["ACL SETUSER default +xadd"],
    }  # fmt: skip
    batch = line.send({"device_id": line.device(), "metrics": {"n": 1}}, at=datetime.now(UTC))[0]
    now_s = 0.0
    publisher = RawPublisher(bus=RedisStreams(bus_connect(bus_url)), monotonic_s=lambda: now_s)
    publisher.start()

    def wait_for(sent: int, left: int) -> None:
        deadline = Deadline(30)
        while (publisher.counts.sent, publisher.counts.left) != (sent, left):
            deadline.pause(publisher.counts)

    try:
        for command in refuse[refusal]:
            bus.execute_command(command)  # type: ignore[no-untyped-call]
        for count in (1, 2, 3):
            publisher.put([batch])
            wait_for(0, count)
            now_s += 2.0
        assert (trouble := bus_trouble(bus_url)) is not None or refusal == "NOPERM"
        assert trouble is None or trouble.startswith("refuses writes")
    finally:
        for command in mend[refusal]:
            bus.execute_command(command)  # type: ignore[no-untyped-call]
    publisher.put([batch])
    wait_for(1, 3)
    publisher.stop()
    assert bus_trouble(bus_url) is None
    said = [record.getMessage() for record in caplog.records if "bus takes" in record.getMessage()]
    assert len(said) == 2, said


def test_a_defect_of_one_batch_does_not_end_the_publishing_thread(line: Line, bus_url: str) -> None:
    batch = line.send({"device_id": line.device(), "metrics": {"n": 1}}, at=datetime.now(UTC))[0]
    now_s = 0.0
    publisher = RawPublisher(bus=RedisStreams(bus_connect(bus_url)), monotonic_s=lambda: now_s)
    publisher.start()
    publisher.put([replace(batch, metrics=cast("Any", object()))])
    deadline = Deadline(30)
    while not publisher.counts.left:
        deadline.pause()
    now_s = 2.0
    publisher.put([batch])
    publisher.stop()
    assert (publisher.counts.sent, publisher.counts.left) == (1, 1)


def test_a_batch_knows_the_calls_it_is_made_of_and_keeps_knowing(
    line: Line, gate: Gate, committer: GroupCommitter, published: list[RawBatch]
) -> None:
    device = line.device()
    gate.is_open.clear()
    first = committer.submit(groups(line, device, 1))
    while committer._calls:
        pass
    traced = [
        [replace(group, traces=(trace,)) for group in groups(line, device, n)] for n, trace in ((2, "x"), (3, "y"))
    ]
    others = [committer.submit(call) for call in traced]
    gate.is_open.set()
    for call in (first, *others):
        call.result(timeout=patient(30))
    untraced, shared = published
    assert (untraced.traces, shared.traces) == ((), ("x", "y"))
    assert raw_decode(raw_encode(shared)).traces == ("x", "y")
    with line.pipeline() as session:
        names = [BatchName(batch.organization_id, batch.id, instant_of(batch.received_us)) for batch in published]
        again = raw_batches_read(session, organization_id=line.organization_id, names=names)
    assert [batch.traces for batch in again] == [(), ("x", "y")]
    assert line.normalize(published).traces == ["x", "y"]
