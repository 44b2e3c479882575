"""Valkey and PostgreSQL killed and started again under a pool of workers, which go on by themselves."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from domain.base.streams import RAW, stream_name
from domain.telemetry.feed.entries import raw_encode
from runtime.bus.redis_streams import RedisStreams, bus_connect
from runtime.database import engine_create
from runtime.embedded import postgres, valkey
from testing.installation import PROJECT
from testing.line import Line
from testing.servers import FAST, TestServers, servers_open
from testing.waits import Deadline, patient
from testing.world import world_create
from tests.workers.conftest import pool_command

pytestmark = [pytest.mark.slow, pytest.mark.chaos]

DRAIN_S = 60


@pytest.fixture
def own_servers() -> Iterator[TestServers]:
    """Servers that the test may kill."""
    with servers_open("argus-outage-") as started:
        yield started


@pytest.fixture
def engines(own_servers: TestServers) -> Iterator[dict[str, Engine]]:
    database = own_servers.database_create()
    made = {role: engine_create(database.url(role)) for role in ("owner", "api", "ingest", "pipeline")}
    yield made
    for engine in made.values():
        engine.dispose()


@pytest.fixture
def workers_running(own_servers: TestServers, engines: dict[str, Engine]) -> Iterator[None]:
    settings = {
        "database_url": engines["pipeline"].url.render_as_string(hide_password=False),
        "redis_url": own_servers.bus_server.url,
        "partitions": 2,
        "workers": 3,
    }
    process = subprocess.Popen(pool_command(settings), cwd=PROJECT)
    yield
    process.terminate()
    assert process.wait(timeout=patient(30)) == 0


def drain(line: Line) -> tuple[int, int, int]:
    deadline = Deadline(DRAIN_S)
    while line.ingest_counts().pending:
        deadline.pause()
    counts = line.ingest_counts()
    return counts.received, counts.stored, counts.pending


def kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def test_acknowledged_readings_are_processed_when_the_servers_return(
    own_servers: TestServers, engines: dict[str, Engine], workers_running: None
) -> None:
    world = world_create(owner=engines["owner"], api=engines["api"], slug="line")
    line = Line(world, engines.__getitem__, partitions=2)
    device = line.device()
    bus = RedisStreams(bus_connect(own_servers.bus_server.url))

    def send(number: int, *, is_published: bool) -> None:
        [batch] = line.send({"device_id": device, "metrics": {"n": number}}, at=datetime.now(UTC))
        if is_published:
            bus.publish(stream_name(RAW, batch.partition), [raw_encode(batch)])

    send(1, is_published=True)
    assert drain(line) == (1, 1, 0)

    kill(own_servers.bus_process)
    send(2, is_published=False)
    own_servers.bus_process = valkey.start(own_servers.bus_server)
    assert drain(line) == (2, 2, 0)

    kill(own_servers.database_process)
    own_servers.database_process = postgres.start(own_servers.database_server, settings=FAST)
    for engine in engines.values():
        engine.dispose()
    send(3, is_published=True)
    send(4, is_published=False)
    assert drain(line) == (4, 4, 0)
    assert sorted(str(value) for value in line.history().values()) == ["1.0", "2.0", "3.0", "4.0"]
