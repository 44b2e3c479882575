"""The forced end of a worker process, which comes whatever stands in its way."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest
from rq import Queue
from rq.job import Job
from structlog.testing import capture_logs

from testing.installation import PROJECT
from testing.waits import patient
from workers import stage_worker
from workers.process import QUEUE_SHORT, ProcessState
from workers.stage_worker import StageWorker

# Ended by a thread, as by `stop_watch`. Run with -E: output is buffered, whatever the environment says.
_ENDED_BY_A_THREAD = """
import sys, threading, time
from workers.stop import process_end
print("begun", flush=True)
sys.stdin.readline()
{before}
threading.Timer({after_s}, process_end).start()
{meanwhile}
"""


def process(**parts: object) -> subprocess.Popen[bytes]:
    running = subprocess.Popen(
        [sys.executable, "-E", "-c", _ENDED_BY_A_THREAD.format(**parts)],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert running.stdin is not None
    assert running.stdout is not None
    assert running.stdout.readline() == b"begun\n"
    return running


def test_a_process_ends_though_the_reader_of_its_output_has_gone() -> None:
    running = process(before="sys.stdout.write('not flushed')", after_s=0, meanwhile="time.sleep(600)")
    try:
        running.stdout.close()  # type: ignore[union-attr]
        running.stdin.close()  # type: ignore[union-attr]
        assert running.wait(timeout=patient(15)) == 0
    finally:
        running.kill()
        running.wait()


def test_a_process_ends_though_it_writes_to_a_pipe_that_nobody_reads() -> None:
    running = process(before="", after_s=0.5, meanwhile="while True: sys.stdout.write('x' * 100_000)")
    try:
        running.stdin.close()  # type: ignore[union-attr]
        assert running.wait(timeout=patient(15)) == 0
    finally:
        running.kill()
        running.wait()


def test_a_process_ends_whatever_fails_while_its_job_is_put_back(
    state: ProcessState, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = StageWorker([QUEUE_SHORT], state)
    reports: list[Callable[[], object] | None] = []

    def fail(_job: Job, _queue: Queue) -> None:
        raise ValueError("not of Redis")

    monkeypatch.setattr(stage_worker, "process_end", lambda report=None: reports.append(report))
    monkeypatch.setattr(worker, "_put_back", fail)
    queue = state.queue(QUEUE_SHORT)
    job = Job.create("tests.workers.long_jobs.runs_on", id="fails", connection=state.queues)
    worker._running = job, queue
    worker.job_put_back()
    [report] = reports
    assert report is not None
    with capture_logs() as logs:
        report()
    assert [(line["event"], line["log_level"], line["job"]) for line in logs] == [
        ("job_not_put_back", "warning", "fails")
    ]


_LOOP = """
import asyncio, os, signal
from workers.stop import stop_event

async def main():
    with stop_event() as stopping:
        os.kill(os.getpid(), signal.SIGTERM)
        await stopping.wait()
    os.kill(os.getpid(), signal.SIGTERM)

asyncio.run(main())
os._exit(7)
"""


def test_a_stop_signal_that_comes_again_at_the_end_of_a_loop_is_ignored() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LOOP], cwd=PROJECT, capture_output=True, timeout=patient(30), check=False
    )
    assert (done.returncode, done.stderr) == (7, b"")
