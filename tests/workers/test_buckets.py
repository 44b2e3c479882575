"""The job that computes dirty buckets, and its entries in the live feed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.base.streams import BUCKETS_PARTITION, DERIVED, DERIVED_PARTITION, stream_name
from domain.derivation.rollups.compute import buckets_compute
from domain.telemetry.feed.entries import norm_decode
from testing.line import NOW, Line
from testing.poison import failures, pauses_end
from testing.rollup_plant import RollupPlant
from workers import buckets, enqueue
from workers.enqueue import Enqueuer, buckets_in_cooldown
from workers.process import QUEUE_SHORT, ProcessState

HOUR = timedelta(hours=1)


def jobs(state: ProcessState) -> list[list[Any]]:
    return [list(job.args) for job in state.queue(QUEUE_SHORT).jobs if job.func_name == "workers.buckets.compute"]


@pytest.fixture
def plant(line: Line) -> RollupPlant:
    line.partitions = 1
    plant = RollupPlant(line)
    plant.create()
    return plant


def measure(plant: RollupPlant, *points: tuple[datetime, float]) -> None:
    machine = plant.asset()
    part, device = plant.measured()
    plant.line.world.edge(machine, "HAS_PART", part)
    plant.send(device, "power", points)
    plant.invalidate_all(part)


def test_a_job_computes_dirty_buckets_and_publishes_to_the_feed(state: ProcessState, plant: RollupPlant) -> None:
    measure(plant, (NOW - HOUR, 1.0), (NOW - 2 * HOUR, 2.0))
    buckets.compute(7, 0)
    assert sorted(plant.stored().values()) == [1.0, 2.0]
    assert plant.dirty() == []
    last = state.bus.last_entry(stream_name(DERIVED, BUCKETS_PARTITION))
    assert last is not None
    entry = norm_decode(last[1])
    assert (entry.partition, entry.position) == (DERIVED_PARTITION + BUCKETS_PARTITION, 1)
    assert (entry.names, sorted(entry.values.tolist())) == (["power_total"], [1.0, 2.0])
    [commit] = plant.line.rows("SELECT partition, position, corrects FROM derived_commits")
    assert tuple(commit) == (BUCKETS_PARTITION, 1, False)
    assert jobs(state) == []


def test_unfinished_work_is_left_to_the_next_job(
    state: ProcessState, plant: RollupPlant, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure(plant, (NOW - HOUR, 1.0))
    monkeypatch.setattr(buckets, "RUN_S", -1.0)
    buckets.compute(7, 0)
    buckets.compute(8, buckets.PARTS_MAX)
    assert jobs(state) == [[7, 1]]


def test_a_bucket_that_is_too_much_is_left_alone_for_a_while(
    state: ProcessState, plant: RollupPlant, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure(plant, (NOW - HOUR, 1.0), (NOW - HOUR / 2, 2.0))
    plant.drain()
    measure(plant, (NOW - HOUR, 1.0), (NOW - HOUR / 2, 2.0))
    first = plant.dirty()

    def little(*arguments: Any, **named: Any) -> Any:
        return buckets_compute(*arguments, **named, points_max=1)

    monkeypatch.setattr(buckets, "buckets_compute", little)
    buckets.compute(7, 0)
    assert plant.dirty() == first
    assert {row.queue for row in failures(plant.line.engine("owner"))} == {"ROLLUPS"}
    monkeypatch.undo()
    pauses_end(plant.line.engine("owner"))
    buckets.compute(8, 0)
    assert (plant.dirty(), len(plant.stored())) == ([], 2)


def test_it_is_enqueued_once_a_second_while_buckets_are_dirty(state: ProcessState, plant: RollupPlant) -> None:
    enqueuers = [Enqueuer(state), Enqueuer(state)]
    for enqueuer in (*enqueuers, *enqueuers):
        enqueuer.look()
    ticks = [tick for tick, _ in jobs(state)]
    # Two, where the second ends within this test.
    assert 1 <= len(ticks) <= 2
    assert len(set(ticks)) == len(ticks)
    plant.drain()
    Enqueuer(state).look()
    assert [tick for tick, _ in jobs(state)] == ticks


def test_work_that_takes_long_rests_before_it_is_done_again(
    state: ProcessState, plant: RollupPlant, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure(plant, (NOW - HOUR, 1.0))
    monkeypatch.setattr(buckets, "COOLDOWN_FACTOR", 0.0)
    buckets.compute(7, 0)
    assert not buckets_in_cooldown(state)
    measure(plant, (NOW - HOUR / 2, 2.0))
    monkeypatch.setattr(buckets, "COOLDOWN_FACTOR", 1e6)
    buckets.compute(8, 0)
    assert buckets_in_cooldown(state)
    measure(plant, (NOW - HOUR / 4, 3.0))
    # The lease of the line has no process behind it.
    monkeypatch.setattr(enqueue, "holder_is_dead", lambda _: False)
    Enqueuer(state).look()
    assert jobs(state) == []
