"""The RQ worker that runs jobs in its own process, and stops without losing one."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

import structlog
from redis import RedisError
from rq import Queue, SimpleWorker
from rq.exceptions import DequeueTimeout
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.worker import WorkerStatus

from workers.expiry import ExpiryQueue
from workers.process import ProcessState
from workers.stop import process_end

_log = structlog.get_logger(__name__)

# A worker that waits for a job looks so often whether it is to stop.
_WAIT_S: Final = 0.2
_HEARTBEAT_EVERY_S: Final = 30.0
_BUS_PAUSE_FIRST_S: Final = 1.0
_BUS_PAUSE_LAST_S: Final = 2.0

# What RQ says, as an error, of a bus that it cannot reach.
_BUS_ERRORS: Final = ("could not connect to Redis instance", "network:ConnectionError", "network:TimeoutError")


class BusTraceFilter(logging.Filter):
    """Shortens what RQ logs while the bus is away: a warning without a trace, for it goes on by itself."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record through."""
        error = record.exc_info[1] if record.exc_info else None
        message = record.getMessage()
        if isinstance(error, RedisError):
            record.msg, record.args = f"{message} {error!r}", ()
            record.exc_info = record.exc_text = None
        if isinstance(error, RedisError) or any(words in message for words in _BUS_ERRORS):
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


class StageWorker(SimpleWorker):
    """An RQ worker that runs jobs in its own process and stops with it: see `workers.stop`.

    A fork per job would cost 25 ms and every connection and cache. RQ's own handlers of signals raise an exception
    wherever the main thread is: in a job, which then fails, or on the way to one, which then is lost. This one looks at
    `stopping` while it waits, as jobs do while they work; a job that goes on for too long is put back.
    """

    def __init__(self, queues: Sequence[str], state: ProcessState) -> None:
        super().__init__(
            queues,
            connection=state.queues,
            serializer=JSONSerializer,
            queue_class=ExpiryQueue,
            log_job_description=False,
        )
        self._stopping = state.stopping
        self._running: tuple[Job, Queue] | None = None
        # Held by whoever decides what becomes of the job that runs: it ends, or it is put back.
        self._outcome = threading.Lock()
        self._has_ended = False

    def job_put_back(self) -> None:
        """Put the job that runs back into its queue, first of all, and end this process. From any thread.

        What the job has not committed is undone, for its connections end here.
        """
        with self._outcome:
            # Whatever fails: were the lock released, a job that is in its queue again could end here, too.
            report = None
            try:
                report = self._running_put_back()
            finally:
                process_end(report)

    def dequeue_job_and_maintain_ttl(
        self,
        timeout: int | None,  # noqa: ARG002  (as RQ has it)
        max_idle_time: int | None = None,  # noqa: ARG002
    ) -> tuple[Job, Queue] | None:
        """Wait for a job; return None, with which RQ ends its work, when the process is to stop."""
        self.set_state(WorkerStatus.IDLE)
        pause_s, heartbeat_at_s = _BUS_PAUSE_FIRST_S, time.monotonic()
        while not self._stopping.is_set():
            try:
                if time.monotonic() >= heartbeat_at_s:
                    self.heartbeat()
                    heartbeat_at_s = time.monotonic() + _HEARTBEAT_EVERY_S
                if self.should_run_maintenance_tasks:
                    self.run_maintenance_tasks()  # type: ignore[no-untyped-call]
                return self.queue_class.dequeue_any(
                    self._ordered_queues,
                    _WAIT_S,  # type: ignore[arg-type]
                    connection=self.connection,
                    job_class=self.job_class,
                    serializer=self.serializer,
                    death_penalty_class=self.death_penalty_class,
                )
            except DequeueTimeout:
                continue
            except RedisError as error:
                _log.warning("worker_waits", error=repr(error))
                self._stopping.wait(pause_s)
                pause_s = min(pause_s * 2, _BUS_PAUSE_LAST_S)
        return None

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Run a job."""
        self._running = job, queue
        job.redis_server_version = self.get_redis_server_version()  # type: ignore[no-untyped-call]
        try:
            super().execute_job(job, queue)
        finally:
            self._running = None
            if self._has_ended:
                self._has_ended = False
                self._outcome.release()

    def handle_execution_ended(self, job: Job, queue: Queue, heartbeat_ttl: int) -> None:
        """Begin to write down how a job ended, unless it is being put back: then this process ends any moment."""
        if not self._has_ended:
            self._outcome.acquire()
            self._has_ended = True
        super().handle_execution_ended(job, queue, heartbeat_ttl)

    def _install_signal_handlers(self) -> None:
        """Install none: `stop_watch` has."""

    def _running_put_back(self) -> Callable[[], object] | None:
        """Put the job that runs back, if any. Return what logs how that went."""
        if self._running is None:
            return None
        job, queue = self._running
        try:
            self._put_back(job, queue)
        except Exception as error:  # noqa: BLE001  (the process ends, whatever it is)
            return partial(_log.warning, "job_not_put_back", job=job.id, error=repr(error))
        # Without it, RQ forgets the worker when it has not been heard of for a while.
        with suppress(Exception):
            self.register_death()  # type: ignore[no-untyped-call]
        return partial(_log.info, "job_put_back", job=job.id)

    def _put_back(self, job: Job, queue: Queue) -> None:
        # It waits for the next worker, however long there is none: then it is not too old, for nothing ran meanwhile.
        job.ttl = None
        execution = self.execution
        queue.enqueue_job(job, at_front=True)
        with self.connection.pipeline() as pipeline:
            self.cleanup_execution(job, pipeline=pipeline, execution=execution)
            pipeline.execute()
