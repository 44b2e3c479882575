"""A pool of real worker processes: fast when all is well, and complete when it is killed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
import redis
from sqlalchemy import Engine

from domain.telemetry.ingest.acceptor import Acceptor
from domain.telemetry.ingest.group_commit import GroupCommitter
from domain.telemetry.ingest.publisher import RawPublisher
from runtime.bus.redis_streams import RedisStreams, bus_connect
from runtime.database import transaction
from testing.line import Line, draft
from testing.servers import TestServers
from testing.waits import Deadline, patient, quiet_period

T0 = datetime(2026, 4, 1, tzinfo=UTC)
START_S = 60


@pytest.fixture
def acceptor(line: Line, engine: Callable[[str], Engine], bus_url: str) -> Iterator[Acceptor]:
    publisher = RawPublisher(bus=RedisStreams(bus_connect(bus_url)), monotonic_s=time.monotonic)
    committer = GroupCommitter(
        transaction=lambda: transaction(engine("ingest")), publish=publisher.put, now=lambda: datetime.now(UTC)
    )
    publisher.start()
    committer.start()
    yield Acceptor(directory=line.directory(time.monotonic), committer=committer, now=lambda: datetime.now(UTC))
    committer.stop()
    publisher.stop()


def send(acceptor: Acceptor, line: Line, devices: list[UUID], first: int, count: int) -> None:
    readings = [
        draft(
            {
                "device_id": devices[n % len(devices)],
                "timestamp": T0 + timedelta(seconds=n),
                "metrics": {"n": n, "m": -n},
            }
        )
        for n in range(first, first + count)
    ]
    acceptance = asyncio.run(
        acceptor.accept(organization_id=line.organization_id, readings=readings, transport="test", own_device_id=None)
    )
    assert (acceptance.accepted, acceptance.rejected) == (count, 0)


def drain(line: Line, timeout_s: float) -> None:
    deadline = Deadline(timeout_s)
    while line.ingest_counts().pending:
        deadline.pause()


def descendants(root: int) -> list[int]:
    pids = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == root and fields[0] != "Z":
                pids.append(int(entry.name))
    return pids


def sessions_end(servers: TestServers) -> None:
    """Break every connection of the workers to the database."""
    with psycopg.connect(servers.database_server.dsn(), autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'argus_pipeline'")


def test_workers_killed_and_a_bus_that_forgets(
    line: Line, acceptor: Acceptor, pool: Callable[[], subprocess.Popen[bytes]], bus: redis.Redis, servers: TestServers
) -> None:
    devices = [line.device() for _ in range(7)]
    running = pool()
    send(acceptor, line, devices, 0, 50)
    drain(line, START_S)
    assert line.ingest_counts().stored == 50
    killed = 0
    for attempt in range(1, 13):
        send(acceptor, line, devices, attempt * 50, 50)
        if attempt % 4 == 1:
            for pid in descendants(running.pid):
                os.kill(pid, signal.SIGKILL)
                killed += 1
        if attempt in {2, 6, 11}:
            sessions_end(servers)
        if attempt == 6:
            bus.flushall()
        if attempt == 10:
            running.kill()
            running.wait()
            running = pool()
        # They work on some of it before the next harm.
        quiet_period(0.2)
    assert killed >= 6
    drain(line, START_S)
    counts = line.ingest_counts()
    assert (counts.received, counts.stored, counts.pending) == (650, 650, 0)
    history = line.history()
    assert len(history) == 1300
    for (_, _, metric, at), value in history.items():
        n = (at - T0).total_seconds()
        assert value == (n if metric == "n" else -n)
    positions = line.rows(
        "SELECT partition, count(*) AS n, count(DISTINCT feed_position) AS d, min(feed_position) AS low, max(feed_position) AS high"
        " FROM raw_batches GROUP BY partition"
    )
    assert [(row.d, row.low, row.high) for row in positions] == [(row.n, 1, row.n) for row in positions]


def test_a_pool_stops_on_a_signal(pool: Callable[[], subprocess.Popen[bytes]]) -> None:
    running = pool()
    deadline = Deadline(START_S)
    while len(descendants(running.pid)) < 4:
        deadline.pause()
    children = descendants(running.pid)
    # Two that run jobs, one that enqueues them, one that calls webhooks.
    assert len(children) == 4
    running.send_signal(signal.SIGTERM)
    assert running.wait(timeout=patient(30)) == 0
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]
