"""Supervision of worker processes: what each takes, and how they stop."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

from rq.registry import StartedJobRegistry
from rq.serializers import JSONSerializer

from testing.context import worker_context
from testing.waits import patient, quiet_period, wait_until
from tests.workers.conftest import PoolStart
from workers.process import QUEUE_PARTITIONS, QUEUE_SHORT, ProcessState
from workers.supervise import queues_of

GRACE_S = 1.0
# Jobs of a queue are too old after so long.
TTL_S = int(patient(60))
# RQ takes a second signal within a second for the first.
BETWEEN_SIGNALS_S = 1.2


def test_one_worker_more_than_partitions_runs_what_is_short() -> None:
    context = worker_context("", "", partitions=2, workers=3)
    both, partitions_first = (QUEUE_SHORT, QUEUE_PARTITIONS), (QUEUE_PARTITIONS, QUEUE_SHORT)
    assert queues_of(context) == [(QUEUE_SHORT,), partitions_first, partitions_first]
    assert queues_of(replace(context, workers=2)) == [both, both]
    assert queues_of(replace(context, workers=1)) == [both]


def enqueue(state: ProcessState, name: str, directory: Path) -> str:
    """Enqueue one of the long jobs as all jobs are, and wait until a worker runs it."""
    job = state.queue(QUEUE_SHORT).enqueue(
        f"tests.workers.long_jobs.{name}", args=(str(directory),), job_id=name, unique=True, ttl=TTL_S, result_ttl=0
    )
    wait_until((directory / "begun").exists)
    return job.id


def stop(pool: subprocess.Popen[bytes]) -> None:
    pool.terminate()
    assert pool.wait(timeout=patient(30)) == 0


def unusual(log: Path) -> list[str]:
    """Return the lines of a log that an operator would have to look at."""
    return [line for line in log.read_text().splitlines() if re.search(r"warning|error|critical|Traceback|Exit", line)]


def test_a_job_that_looks_whether_to_stop_ends_by_itself(state: ProcessState, pool: PoolStart, tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    running = pool(log=log)
    job_id = enqueue(state, "stops_on_request", tmp_path)
    stop(running)
    assert (tmp_path / "ended").exists()
    assert job_id not in state.queue(QUEUE_SHORT).get_job_ids()
    assert (unusual(log), "job_put_back" in log.read_text()) == ([], False)


def test_a_job_that_does_not_end_in_time_is_put_back_and_runs_again(
    state: ProcessState, pool: PoolStart, tmp_path: Path
) -> None:
    log = tmp_path / "worker.log"
    running = pool(log=log, grace_s=GRACE_S)
    job_id = enqueue(state, "runs_on", tmp_path)
    stop(running)
    assert state.queue(QUEUE_SHORT).get_job_ids()[0] == job_id
    assert StartedJobRegistry(QUEUE_SHORT, connection=state.queues, serializer=JSONSerializer).get_job_ids() == []
    assert unusual(log) == []
    assert log.read_text().count("job_put_back") == 1
    # However long it is until the next start.
    assert state.queues.ttl(f"rq:job:{job_id}") == -1
    (tmp_path / "let_go").touch()
    running = pool(log=log)
    wait_until((tmp_path / "ended").exists)
    assert (tmp_path / "begun").read_text() == "2"
    wait_until(lambda: job_id not in state.queue(QUEUE_SHORT).get_job_ids())
    stop(running)
    assert [line for line in unusual(log) if job_id in line] == []


def test_a_repeated_stop_signal_is_not_logged(state: ProcessState, pool: PoolStart, tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    running = pool(log=log, grace_s=2 * BETWEEN_SIGNALS_S)
    enqueue(state, "runs_on", tmp_path)
    children = [int(pid) for pid in Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()]
    # As a service manager signals all processes of a service at once, whose parent then tells its children again.
    for pid in (*children, running.pid):
        os.kill(pid, signal.SIGTERM)
    quiet_period(BETWEEN_SIGNALS_S)
    for pid in children:
        try:
            os.kill(pid, signal.SIGTERM)
        except ProcessLookupError:
            continue
    assert running.wait(timeout=patient(30)) == 0
    assert unusual(log) == [], log.read_text()
    assert log.read_text().count("job_put_back") == 1
