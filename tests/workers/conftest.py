"""Worker state in the test's own process, and a pool of real worker processes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest
from sqlalchemy import Engine

import workers.process
from testing.context import worker_context
from testing.installation import PROJECT
from testing.line import Line
from testing.servers import TestDatabase
from testing.waits import patient
from testing.world import world_create
from workers import partition_task
from workers.context import WorkerContext
from workers.partition_task import PartitionTask
from workers.process import ProcessState, state_open
from workers.stop import GRACE_S

POOL = """
import json, sys
import workers.stop
from runtime.logs import logs_configure
from testing.context import worker_context
workers.stop.GRACE_S = float(sys.argv[2])
from workers.supervise import run_workers
logs_configure(json=False)
sys.exit(run_workers(worker_context(**json.loads(sys.argv[1]))))
"""


def pool_command(settings: Mapping[str, Any], *, grace_s: float = GRACE_S) -> list[str]:
    """Return the command of a pool of worker processes. grace_s: see `workers.stop`."""
    return [sys.executable, "-c", POOL, json.dumps(settings), str(grace_s)]


class TaskRun(Protocol):
    """`task_run()`: run a partition task until it finds nothing to do."""

    def __call__(self, partition: int = 0) -> None: ...


class PoolStart(Protocol):
    """`pool()`: start a pool of worker processes. log: where what they print goes."""

    def __call__(self, *, log: Path | None = None, grace_s: float = GRACE_S) -> subprocess.Popen[bytes]: ...


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
def task_run(monkeypatch: pytest.MonkeyPatch) -> TaskRun:
    def time_end(_task: PartitionTask) -> None:
        monkeypatch.setattr(partition_task, "RUN_S", 0.0)

    def run(partition: int = 0) -> None:
        monkeypatch.setattr(partition_task, "RUN_S", 3_600.0)
        monkeypatch.setattr(PartitionTask, "_wait_for_entries", time_end)
        partition_task.partition_task_run(partition)

    return run


@pytest.fixture
def pool(context: WorkerContext) -> Iterator[PoolStart]:
    """`pool()`: start a pool of worker processes; it ends with the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*, log: Path | None = None, grace_s: float = GRACE_S) -> subprocess.Popen[bytes]:
        settings = {
            "database_url": context.database_url,
            "redis_url": context.redis_url,
            "partitions": context.partitions,
            "workers": context.workers,
            "webhook_allow": context.webhook_allow,
        }
        with ExitStack() as stack:
            output = None if log is None else stack.enter_context(log.open("ab"))
            process = subprocess.Popen(
                pool_command(settings, grace_s=grace_s), cwd=PROJECT, stdout=output, stderr=output
            )
        started.append(process)
        return process

    yield start
    for process in started:
        process.terminate()
        process.wait(timeout=patient(30))
