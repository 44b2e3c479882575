"""Worker state in the test's own process, and a pool of real worker processes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine

import workers.process
from testing.context import worker_context
from testing.installation import PROJECT
from testing.line import Line
from testing.servers import TestDatabase
from testing.waits import patient
from testing.world import world_create
from workers.context import WorkerContext
from workers.process import ProcessState, state_open

POOL = """
import json, sys
from testing.context import worker_context
from workers.supervise import run_workers
sys.exit(run_workers(worker_context(**json.loads(sys.argv[1]))))
"""


@pytest.fixture(autouse=True)
def long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """What failed is left alone for longer than a test takes; `testing.poison.pauses_end` ends that."""
    monkeypatch.setattr("domain.base.failed_items.operations.PAUSE_FIRST_S", 3600.0)


@pytest.fixture
def line(engine: Callable[[str], Engine]) -> Line:
    return Line(world_create(owner=engine("owner"), api=engine("api"), slug="line"), engine, partitions=2)


@pytest.fixture
def context(database: TestDatabase, bus_url: str) -> WorkerContext:
    return worker_context(database.url("pipeline"), bus_url, partitions=2, workers=2)


@pytest.fixture
def state(context: WorkerContext) -> Iterator[ProcessState]:
    """This process, made a worker."""
    made = state_open(context)
    yield made
    made.engine.dispose()
    made.queues.close()
    workers.process._state = None


@pytest.fixture
def pool(context: WorkerContext) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """`pool()`: start a pool of worker processes; it ends with the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        settings = {
            "database_url": context.database_url,
            "redis_url": context.redis_url,
            "partitions": context.partitions,
            "workers": context.workers,
            "webhook_allow": context.webhook_allow,
        }
        process = subprocess.Popen([sys.executable, "-c", POOL, json.dumps(settings)], cwd=PROJECT)
        started.append(process)
        return process

    yield start
    for process in started:
        process.terminate()
        process.wait(timeout=patient(30))
