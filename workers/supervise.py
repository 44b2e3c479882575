"""Supervise a pool of worker processes: some run jobs, one enqueues them, one calls webhooks.

The parent opens no connection and starts no thread, so that it can fork at any time; every child makes its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from types import FrameType

import structlog
from redis import RedisError
from sqlalchemy.exc import SQLAlchemyError

from runtime.collection import startup_freeze
from runtime.database import transaction
from runtime.process_name import process_name_set

# The jobs are imported before the fork: a worker's first job then begins at once.
from workers import buckets, convergence, hourly, partition_task, replay, retention, sweeper  # noqa: F401
from workers.context import WorkerContext
from workers.enqueue import Enqueuer
from workers.failures import is_retryable
from workers.notifications import deliver
from workers.process import QUEUE_PARTITIONS, QUEUE_SHORT, end_with_parent, state_open
from workers.stage_worker import BusTraceFilter, StageWorker
from workers.stop import GRACE_S, process_end, stop_watch

_log = structlog.get_logger(__name__)

# A child that has not ended so long after it was told to is killed: soon after it should have ended by itself, and
# before whoever runs Argus kills all of it, as Docker does after 10 s.
STOP_TIMEOUT_S = GRACE_S + 3.0
SHORT_NICE = 10
# As `ps` and `top` show it.
DELIVERER_NAME = "argus-webhooks"
_RESTART_FIRST_S, _RESTART_LAST_S = 0.2, 5.0
# A child that lived so long before it died is started again at once.
_STEADY_S = 10.0
_LOOK_EVERY_S = 0.2


@dataclass(slots=True)
class _Child:
    main: Callable[[WorkerContext], None]
    process: BaseProcess | None = None
    started_s: float = 0.0
    due_s: float = 0.0
    backoff_s: float = _RESTART_FIRST_S


def run_workers(context: WorkerContext) -> int:
    """Run a pool until SIGTERM or SIGINT; return the exit status. Children that die are started again.

    Call it from the main thread of a process that has opened no connection and started no thread.
    """
    children = [_Child(partial(_worker_main, queues=queues)) for queues in queues_of(context)]
    children.append(_Child(_enqueuer_main))
    if context.webhook_calls:
        children.append(_Child(_deliverer_main))

    startup_freeze()
    stopping = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    while not stopping.is_set():
        _start_due(children, context)
        sentinels = [child.process.sentinel for child in children if child.process is not None]
        if sentinels:
            wait(sentinels, timeout=_LOOK_EVERY_S)
        else:
            time.sleep(_LOOK_EVERY_S)
        _reap(children)
    _stop(children)
    return 0


def queues_of(context: WorkerContext) -> list[tuple[str, ...]]:
    """Return which queues each worker takes jobs from, the first of them first.

    Where there is a worker more than partitions, one takes what is short and no partition task: then partition tasks
    stay where they are, with all that their processes remember. Fewer share all there is.
    """
    if context.workers <= context.partitions:
        return [(QUEUE_SHORT, QUEUE_PARTITIONS)] * context.workers
    return [(QUEUE_SHORT,), *[(QUEUE_PARTITIONS, QUEUE_SHORT)] * (context.workers - 1)]


def _start_due(children: list[_Child], context: WorkerContext) -> None:
    now_s = time.monotonic()
    for child in children:
        if child.process is None and child.due_s <= now_s:
            child.process = multiprocessing.get_context("fork").Process(target=_child_main, args=(child.main, context))
            child.process.start()
            child.started_s = now_s


def _reap(children: list[_Child]) -> None:
    now_s = time.monotonic()
    for child in children:
        if child.process is None or child.process.is_alive():
            continue
        child.process.join()
        child.process = None
        if now_s - child.started_s > _STEADY_S:
            child.backoff_s = _RESTART_FIRST_S
        child.due_s = now_s + child.backoff_s
        child.backoff_s = min(child.backoff_s * 2, _RESTART_LAST_S)


def _stop(children: list[_Child]) -> None:
    running = [child.process for child in children if child.process is not None]
    for process in running:
        process.terminate()
    deadline_s = time.monotonic() + STOP_TIMEOUT_S
    for process in running:
        process.join(max(0.0, deadline_s - time.monotonic()))
        if process.is_alive():
            process.kill()
            process.join()


def _child_main(main: Callable[[WorkerContext], None], context: WorkerContext) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    logging.getLogger("rq").setLevel(logging.WARNING)
    logging.getLogger("rq.worker").addFilter(BusTraceFilter())
    try:
        main(context)
    except Exception as error:
        if not is_retryable(error):
            raise
        # It came while bus or database was away; the parent starts it again, ever more patiently.
        _log.warning("child_waits", error=repr(error))
        os._exit(1)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(0)


def _worker_main(context: WorkerContext, *, queues: tuple[str, ...]) -> None:
    state = state_open(context)
    # What is taken before partition tasks, or is partition tasks, waits for one of these workers; the rest has a worker
    # of its own.
    state.shared_with = queues[: queues.index(QUEUE_PARTITIONS) + 1] if QUEUE_PARTITIONS in queues else ()
    if QUEUE_PARTITIONS not in queues:
        # Where there is not enough for all, readings go first.
        os.nice(SHORT_NICE)
    with contextlib.suppress(SQLAlchemyError), transaction(state.engine):
        # Connected before the first job comes.
        pass
    worker = StageWorker(queues, state)
    stop_watch(state.stopping, overdue=worker.job_put_back)
    try:
        worker.work(logging_level="WARNING")
    except RedisError as error:
        # RQ gives up where it cannot write down how a job ended; the parent starts another worker.
        _log.warning("worker_ends", error=repr(error))


def _enqueuer_main(context: WorkerContext) -> None:
    state = state_open(context)
    stop_watch(state.stopping, overdue=process_end)
    Enqueuer(state).run()


def _deliverer_main(context: WorkerContext) -> None:
    process_name_set(DELIVERER_NAME)
    asyncio.run(deliver(state_open(context), calls=context.webhook_calls))
