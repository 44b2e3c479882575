"""Waiting for the outside delays nothing inside, and an expired job is reported."""

from __future__ import annotations

import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from rq import SimpleWorker
from rq.serializers import JSONSerializer
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from domain.base.leases import lease_list, lease_release
from domain.work.notifications.operations import notification_order, webhook_secret_rotate
from testing.line import NOW, Line
from testing.receivers import hangs, receiver_open
from testing.rollup_plant import RollupPlant
from testing.waits import Deadline
from testing.world import World, new_id, world_create
from workers.context import WorkerContext
from workers.enqueue import Enqueuer
from workers.expiry import ExpiryQueue, job_expired
from workers.jobs import HOURLY, SWEEP, job_enqueue, job_tick
from workers.process import QUEUE_PARTITIONS, QUEUE_SHORT, ProcessState

PATIENCE_S = 120.0
HANGING = 40


@pytest.fixture
def context(context: WorkerContext) -> WorkerContext:
    # As `argus up` has it: one process takes what is short.
    return replace(context, workers=3, webhook_allow=("127.0.0.0/8",))


@pytest.fixture
def other(line: Line, engine: Callable[[str], Engine]) -> World:
    made = world_create(owner=engine("owner"), api=engine("api"), slug="other")
    with made.changing() as (session, change):
        webhook_secret_rotate(session, change=change, secret="argus_whs_of_a_test")
    return made


def until(what: Callable[[], bool]) -> None:
    deadline = Deadline(PATIENCE_S)
    while not what():
        deadline.pause()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_calls_that_hang_hold_up_no_rollup(
    line: Line, other: World, engine: Callable[[str], Engine], pool: Callable[[], subprocess.Popen[bytes]]
) -> None:
    line.partitions = 1
    plant = RollupPlant(line)
    plant.create()
    machine = plant.asset()
    part, device = plant.measured()
    line.world.edge(machine, "HAS_PART", part)
    plant.send(device, "power", [(NOW - timedelta(hours=1), 1.0)])
    assert line.lease is not None
    with Session(engine("pipeline")) as session, session.begin():
        lease_release(session, lease=line.lease)

    def calls_ended() -> int:
        with Session(engine("owner")) as session:
            return int(session.execute(text("SELECT count(last_error) FROM notifications")).scalar_one())

    def tasks_run() -> int:
        with Session(engine("pipeline")) as session:
            return len({lease.lease.partition for lease in lease_list(session) if not lease.is_free})

    with receiver_open(lambda *_: None) as receiver:
        receiver.reply = hangs(receiver.ended)
        with Session(engine("pipeline")) as session, session.begin():
            session.execute(text(f"SET argus.organization_id = {other.organization_id}"))
            for _ in range(HANGING):
                notification_order(
                    session, organization_id=other.organization_id, notification_id=new_id(),
                    event_id=new_id(), url=receiver.url, sequence=1, payload={}, now=datetime.now(UTC),
                )  # fmt: skip
        pool()
        until(lambda: len(receiver.seen) >= 4)
        # Each partition task has a process that does nothing else.
        until(lambda: tasks_run() == 2)
        # A busy machine gets three chances to compute a bucket before the first call has been given up.
        ended = []
        for _ in range(3):
            before = calls_ended()
            plant.invalidate_all(part)
            until(lambda: plant.dirty() == [])
            ended.append(calls_ended() - before)
        assert list(plant.stored().values()) == [1.0]
        assert min(ended) == 0


def expired_read(engine: Callable[[str], Engine]) -> dict[str, float]:
    """Return how many jobs have expired, by kind; those of which none has are counted as 0 and left out."""
    with Session(engine("api")) as session:
        counts = session.execute(
            text("SELECT labels ->> 'job', value FROM deliveries_state() WHERE name = 'argus_jobs_expired_total'")
        ).all()
    assert counts
    return {job: count for job, count in counts if count}


def test_a_job_that_expires_in_its_queue_is_an_error_and_counted(
    state: ProcessState, engine: Callable[[str], Engine]
) -> None:
    state.began_s -= SWEEP.ttl_s
    now_s = time.time()
    job_enqueue(state, SWEEP, job_tick(SWEEP, now_s))
    [job] = state.queue(QUEUE_SHORT).jobs
    # As its time to live does.
    state.queues.delete(job.key)
    worker = SimpleWorker([QUEUE_SHORT], connection=state.queues, serializer=JSONSerializer, queue_class=ExpiryQueue)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with capture_logs() as logs:
            worker.work(burst=True, logging_level="WARNING")
    finally:
        # RQ takes them for a separate process.
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert [(line["event"], line["log_level"], line["job"]) for line in logs] == [("job_expired", "error", job.id)]
    assert expired_read(engine) == {"sweep": 1}


def test_jobs_of_a_kind_that_expire_one_after_another_are_reported_once_and_all_counted(
    state: ProcessState, engine: Callable[[str], Engine]
) -> None:
    state.began_s -= HOURLY.ttl_s
    with capture_logs() as logs:
        for n in range(5):
            job_expired(f"sweep-{n}", queue=QUEUE_SHORT)
        job_expired("hourly-1-1", queue=QUEUE_SHORT)
    assert [(line["event"], line["log_level"], line["job"], line["muted"]) for line in logs] == [
        ("job_expired", "error", "sweep-0", 0),
        ("job_expired", "error", "hourly-1-1", 0),
    ]
    assert expired_read(engine) == {"sweep": 5, "hourly": 1}


def test_a_job_enqueued_before_the_process_began_expires_without_an_error(
    state: ProcessState, engine: Callable[[str], Engine]
) -> None:
    """As all that waits when Argus is stopped, and started again later."""
    with capture_logs() as logs:
        job_expired("sweep-1", queue=QUEUE_SHORT)
        state.began_s -= SWEEP.ttl_s
        job_expired("hourly-1-1", queue=QUEUE_SHORT)
    assert [(line["event"], line["log_level"], line["job"]) for line in logs] == [
        ("job_outdated", "info", "sweep-1"),
        ("job_outdated", "info", "hourly-1-1"),
    ]
    assert expired_read(engine) == {}


def test_recurring_jobs_do_not_pile_up_without_workers(state: ProcessState, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of a kind waits: a worker that comes late would else reach only jobs whose time is over."""
    enqueuer = Enqueuer(state)
    begin_s = time.time()
    for second in range(0, 600, 10):
        monkeypatch.setattr("workers.enqueue.time.time", lambda now_s=begin_s + second: now_s)
        enqueuer.look()
    for queue in (QUEUE_SHORT, QUEUE_PARTITIONS):
        kinds = Counter(
            job_id.rpartition("-")[0] if queue == QUEUE_PARTITIONS else job_id.partition("-")[0]
            for job_id in state.queue(queue).get_job_ids()
        )
        assert kinds
        assert set(kinds.values()) == {1}, kinds
