"""The job of a replay: it gives way to live readings, and keeps to its rate."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.exchange.replays.model import Replay, ReplayState
from domain.exchange.replays.operations import replay_order
from domain.exchange.replays.queries import replay_get
from runtime.database import transaction
from testing.line import NOW, Line
from testing.world import new_id
from workers import replay
from workers.enqueue import Enqueuer
from workers.process import QUEUE_SHORT, ProcessState

T0 = datetime(2026, 4, 1, tzinfo=UTC)
READINGS = 5


@pytest.fixture
def ordered(line: Line) -> Replay:
    """A replay of some readings that the stages have processed."""
    device = line.device()
    readings = [
        {"device_id": device, "timestamp": T0 + timedelta(minutes=n), "metrics": {"t": n}} for n in range(READINGS)
    ]
    line.normalize(line.send(*readings))
    with transaction(line.engine("api"), line.organization_id) as session:
        return replay_order(
            session,
            organization_id=line.organization_id,
            replay_id=new_id(),
            begins=T0,
            ends=T0 + timedelta(days=1),
            device_ids=None,
            dry_run=False,
            side_effects=False,
            actor="me",
            now=NOW,
        )


def now_of(line: Line, replay_id: UUID) -> Replay:
    with transaction(line.engine("api"), line.organization_id) as session:
        return replay_get(session, organization_id=line.organization_id, replay_id=replay_id)


def test_a_replay_leaves_the_workers_to_live_readings(state: ProcessState, line: Line, ordered: Replay) -> None:
    [batch] = line.send({"device_id": line.device(), "timestamp": T0, "metrics": {"t": 1}}, at=NOW)
    replay.replay_run(line.organization_id, str(ordered.id), 0)
    # The job ended at once, and left it to the enqueuer to begin another.
    assert now_of(line, ordered.id).state is ReplayState.QUEUED
    assert state.queue(QUEUE_SHORT).count == 0
    line.normalize([batch])
    replay.replay_run(line.organization_id, str(ordered.id), 1)
    done = now_of(line, ordered.id)
    assert (done.state, done.done) == (ReplayState.FINISHED, READINGS + 1)


def test_a_part_is_bounded_by_the_rate(
    state: ProcessState, line: Line, ordered: Replay, monkeypatch: pytest.MonkeyPatch
) -> None:
    state.context = replace(state.context, replay_readings_per_s=READINGS - 1)
    monkeypatch.setattr(replay, "RUN_S", 0.5)
    replay.replay_run(line.organization_id, str(ordered.id), 0)
    done = now_of(line, ordered.id)
    assert (done.state, done.done) == (ReplayState.RUNNING, READINGS - 1)
    [job] = state.queue(QUEUE_SHORT).jobs
    assert list(job.args) == [line.organization_id, str(ordered.id), 1]


def test_a_waiting_replay_is_enqueued_once(
    state: ProcessState, ordered: Replay, monkeypatch: pytest.MonkeyPatch
) -> None:
    enqueuer = Enqueuer(state)
    begin_s = time.time()
    for second in range(0, 300, 10):
        monkeypatch.setattr("workers.enqueue.time.time", lambda now_s=begin_s + second: now_s)
        enqueuer.look()
    waiting = [name for name in state.queue(QUEUE_SHORT).get_job_ids() if name.startswith(f"replay-{ordered.id}")]
    assert len(waiting) == 1
