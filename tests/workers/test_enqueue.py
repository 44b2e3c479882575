"""The enqueuer: each partition gets one task at a time, and leases of dead processes are freed."""

from __future__ import annotations

from datetime import timedelta

from domain.base.leases import Lease, lease_acquire
from domain.base.streams import NORMALIZE, STAGES
from runtime.database import transaction
from testing.line import Line
from workers.enqueue import Enqueuer
from workers.process import QUEUE_PARTITIONS, QUEUE_SHORT, ProcessState, holder_is_dead, holder_name


def test_the_enqueuer_asks_for_each_partition_once(state: ProcessState, line: Line) -> None:
    enqueuer = Enqueuer(state)
    enqueuer.look()
    enqueuer.look()
    jobs = state.queue(QUEUE_PARTITIONS).jobs
    # Twice, where the looks fell on both sides of a border of time.
    assert sorted(list(job.args) for job in jobs) in ([[0], [1]], [[0], [0], [1], [1]])
    assert state.queue(QUEUE_SHORT).count in {2, 3, 4}


def test_the_lease_of_a_dead_process_is_free(state: ProcessState, line: Line) -> None:
    where, pid, started = holder_name().rsplit("/", 2)
    dead = f"{where}/{pid}/{int(started) - 1}"
    assert not holder_is_dead(holder_name())
    assert not holder_is_dead("elsewhere/1/1")
    # On this host, in a container: its process numbers are not ours.
    assert not holder_is_dead(f"{where}1/{pid}/{int(started) - 1}")
    assert holder_is_dead(dead)
    with transaction(state.engine) as session:
        for partition in (0, 1):
            for stage in STAGES:
                lease_acquire(
                    session,
                    stage=stage,
                    partition=partition,
                    holder=dead if partition and stage == NORMALIZE else holder_name(),
                    ttl=timedelta(minutes=1),
                )
    Enqueuer(state).look()
    assert [list(job.args) for job in state.queue(QUEUE_PARTITIONS).jobs] == [[1]]
    with transaction(state.engine) as session:
        assert lease_acquire(session, stage=NORMALIZE, partition=1, holder="me", ttl=timedelta(minutes=1)) == Lease(
            NORMALIZE, 1, 2
        )
