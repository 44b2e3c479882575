"""Log and count jobs that expired in their queue, which RQ drops silently."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Final

import structlog
from redis import Redis
from rq import Queue
from rq.job import Job
from rq.serializers import Serializer
from rq.timeouts import BaseDeathPenalty
from sqlalchemy.exc import SQLAlchemyError

from domain.work.notifications.state import JOBS_EXPIRED, work_count
from runtime.database import transaction
from workers.failures import failure_log_throttled
from workers.jobs import JOBS
from workers.process import state_get

_log = structlog.get_logger(__name__)

# By the first part of a job's id, how long it may wait. Other names are counted as one: a label must not grow with
# anything.
_TTLS_S: Final = {job.name: job.ttl_s for job in JOBS}


class ExpiryQueue(Queue):
    """A queue that reports jobs whose time to live ended before a worker took them."""

    @classmethod
    def _fetch_dequeued_job(  # noqa: PLR0917  (as RQ has it)
        cls,
        connection: Redis,
        queue_key: str,
        job_id: str,
        job_class: type[Job] | None = None,
        serializer: Serializer | str | None = None,
        death_penalty_class: type[BaseDeathPenalty] | None = None,
    ) -> tuple[Job, Queue] | None:
        """Return a job taken from a queue; None where it is no more, which `Queue.dequeue_any` passes over."""
        fetched = super()._fetch_dequeued_job(
            connection,
            queue_key,
            job_id,
            job_class=job_class,
            serializer=serializer,
            death_penalty_class=death_penalty_class,
        )
        if fetched is None:
            job_expired(job_id, queue=queue_key)
        return fetched


def job_expired(job_id: str, *, queue: str) -> None:
    """Log and count a job that expired in its queue; one enqueued before this process began was nobody's to run."""
    named = job_id.partition("-")[0]
    kind = named if named in _TTLS_S else "other"
    if time.monotonic() - state_get().began_s < _TTLS_S.get(named, 0):
        _log.info("job_outdated", job=job_id, on=queue)
        return
    # Every one is counted; of each kind there is a line now and then.
    failure_log_throttled(state_get(), _log.error, "job_expired", kind, job=job_id, on=queue)
    try:
        with transaction(state_get().engine) as session:
            work_count(session, counts={(JOBS_EXPIRED, kind): 1}, now=datetime.now(UTC))
    except SQLAlchemyError as error:
        _log.warning("job_expired_not_counted", job=job_id, error=repr(error))
