"""The table of all jobs: function, queue, interval, time limits.

A job's id says what it is for: the partition's job that takes over from given fences, the sweep of a given moment. So
any number of hosts enqueue each job once. An id is never taken for longer than a job needs: RQ refuses it while the
hash of an old job lives, and one that was abandoned lives long.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rq.exceptions import DuplicateJobError

from workers.process import QUEUE_PARTITIONS, QUEUE_SHORT, ProcessState

# A partition task gives up its worker after so long, and is enqueued again.
PARTITION_TASK_RUN_S: Final = 300


@dataclass(frozen=True, slots=True)
class Job:
    """A kind of job.

    name: ids of its jobs begin with it. function: by its dotted name. every_s: how often it is due; None: when there is
    something to do. ttl_s: for how long it may wait in the queue. result_ttl_s, failure_ttl_s: for how long after its
    end its id is taken, so that no other host enqueues the same. timeout_s: for how long it may run. in_parts: whether
    it enqueues its next part itself, until the work of a tick is done.
    """

    name: str
    function: str
    queue: str
    every_s: int | None
    ttl_s: int
    result_ttl_s: int
    failure_ttl_s: int
    timeout_s: int
    in_parts: bool = False


PARTITION_TASK: Final = Job(
    "partition", "workers.partition_task.partition_task_run", QUEUE_PARTITIONS,
    every_s=None, ttl_s=20, result_ttl_s=0, failure_ttl_s=20, timeout_s=PARTITION_TASK_RUN_S + 60,
)  # fmt: skip
SWEEP: Final = Job(
    "sweep", "workers.sweeper.sweep", QUEUE_SHORT,
    every_s=5, ttl_s=20, result_ttl_s=15, failure_ttl_s=15, timeout_s=60,
)  # fmt: skip
BUCKETS: Final = Job(
    "buckets", "workers.buckets.compute", QUEUE_SHORT,
    every_s=1, ttl_s=20, result_ttl_s=10, failure_ttl_s=20, timeout_s=120, in_parts=True,
)  # fmt: skip
HOURLY: Final = Job(
    "hourly", "workers.hourly.summarize", QUEUE_SHORT,
    every_s=60, ttl_s=60, result_ttl_s=120, failure_ttl_s=120, timeout_s=120, in_parts=True,
)  # fmt: skip
CHECK: Final = Job(
    "check", "workers.convergence.check", QUEUE_SHORT,
    every_s=60, ttl_s=60, result_ttl_s=120, failure_ttl_s=120, timeout_s=60,
)  # fmt: skip
RETENTION: Final = Job(
    "retention", "workers.retention.retain", QUEUE_SHORT,
    every_s=3_600, ttl_s=3_600, result_ttl_s=7_200, failure_ttl_s=7_200, timeout_s=120, in_parts=True,
)  # fmt: skip
# What follows in the same hour: rows of one table, a page of organizations at a time.
RETENTION_ROWS: Final = Job(
    "retention", "workers.retention.forget", QUEUE_SHORT,
    every_s=None, ttl_s=3_600, result_ttl_s=7_200, failure_ttl_s=7_200, timeout_s=120,
)  # fmt: skip
ERASURE: Final = Job(
    "erasure", "workers.erasures.erase", QUEUE_SHORT,
    every_s=2, ttl_s=20, result_ttl_s=10, failure_ttl_s=20, timeout_s=120, in_parts=True,
)  # fmt: skip
# One waits however busy the workers are: no second is enqueued meanwhile.
REPLAY: Final = Job(
    "replay", "workers.replay.replay_run", QUEUE_SHORT,
    every_s=None, ttl_s=3_600, result_ttl_s=0, failure_ttl_s=20, timeout_s=120,
)  # fmt: skip

JOBS: Final = (PARTITION_TASK, SWEEP, BUCKETS, HOURLY, CHECK, RETENTION, RETENTION_ROWS, ERASURE, REPLAY)


def job_enqueue(state: ProcessState, job: Job, *parts: str | int, arguments: tuple[str | int, ...] = ()) -> None:
    """Enqueue a job, unless it is enqueued, runs, or ended lately. parts: what its id names besides the job."""
    try:
        state.queue(job.queue).enqueue(
            job.function,
            args=arguments,
            job_id="-".join(map(str, (job.name, *parts))),
            unique=True,
            ttl=job.ttl_s,
            result_ttl=job.result_ttl_s,
            failure_ttl=job.failure_ttl_s,
            job_timeout=job.timeout_s,
        )
    except DuplicateJobError:
        return


def job_tick(job: Job, now_s: float) -> int:
    """Return the tick of a recurring job: the same number on every host."""
    assert job.every_s is not None  # noqa: S101  (only of those that recur)
    return int(now_s) // job.every_s
