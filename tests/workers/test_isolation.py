"""One poison item in each queue: it stops nobody else, is set aside with its reason, and is done once it can be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from domain.base.leases import Lease, lease_acquire
from domain.base.streams import DERIVE, NORMALIZE, RAW, stream_name
from domain.exchange.replays.model import Replay, ReplayState
from domain.exchange.replays.operations import replay_order
from domain.exchange.replays.queries import replay_get
from domain.telemetry.feed.entries import raw_encode
from domain.telemetry.store.retention import RetentionPolicy, partition_drop
from graph.errors import LimitExceededError
from graph.kinds import EntityKind
from runtime.database import transaction
from testing.deriving_plant import SUM, DerivingPlant
from testing.line import NOW, TTL, Line
from testing.poison import DEADLOCK, failures, pauses_end, poisoned
from testing.rollup_plant import RollupPlant
from testing.world import new_id, world_create
from workers import buckets, enqueue, hourly, partition_task, replay, retention, sweeper
from workers.enqueue import Enqueuer
from workers.process import QUEUE_PARTITIONS, QUEUE_SHORT, ProcessState
from workers.stages.derive import DeriveStage
from workers.stages.normalize import NormalizeStage

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def one_partition(state: ProcessState, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    line.partitions = 1
    # However busy the machine is.
    for job in (buckets, hourly, retention):
        monkeypatch.setattr(job, "RUN_S", 600.0)
    state.context = replace(state.context, partitions=1)


@pytest.fixture
def other(engine: Callable[[str], Engine]) -> Line:
    """Another organization."""
    return Line(world_create(owner=engine("owner"), api=engine("api"), slug="other"), engine, partitions=1)


def normalize_both(line: Line, other: Line) -> None:
    """Let both organizations' readings be normalized under one lease."""
    line.run()
    other.lease = line.lease


@pytest.fixture
def owner(engine: Callable[[str], Engine]) -> Engine:
    return engine("owner")


def lease(state: ProcessState, stage: str) -> Lease:
    with transaction(state.engine) as session:
        acquired = lease_acquire(session, stage=stage, partition=0, holder=state.holder, ttl=timedelta(hours=1))
    assert acquired is not None
    return acquired


def reported(owner: Engine) -> list[tuple[str, str, int, bool]]:
    return [(row.queue, row.item, row.tries, row.is_resolved) for row in failures(owner)]


@contextmanager
def series_poison(owner: Engine, entity: UUID, metric: str, **options: Any) -> Iterator[None]:
    """Have a series of an entity not be made."""
    with poisoned(owner, "series", f"NEW.entity_id = '{entity}' AND NEW.metric = '{metric}'", **options):
        yield


# Entities that derive.


def pumps(state: ProcessState, line: Line, number: int) -> tuple[DerivingPlant, list[UUID]]:
    """Pumps that derive from a reading each that was normalized: their windows wait."""
    plant = DerivingPlant(line)
    plant.formulas(SUM, since=NOW - timedelta(days=1))
    made = [plant.pump() for _ in range(number)]
    devices = [line.device() for _ in made]
    for device, pump in zip(devices, made, strict=True):
        plant.link(device, pump, valid_from=NOW - timedelta(days=1))
    line.normalize(
        line.send(*({"device_id": device, "timestamp": NOW - HOUR, "metrics": {"a": 1, "b": 1}} for device in devices))
    )
    return plant, made


def derive(stage: DeriveStage) -> None:
    stage._failed._read_at_s = float("-inf")
    stage._overdue_at_s = 0.0
    stage.poll()


def derived(line: Line, pump: UUID) -> int:
    return sum(1 for entity, _, metric, _ in line.history() if (entity, metric) == (pump, "total"))


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "domain.derivation.invalidation.windows.windows_overdue.__kwdefaults__", {"overdue": timedelta(0)}
    )


@pytest.mark.usefixtures("at_once")
def test_an_entity_that_cannot_be_derived(state: ProcessState, line: Line, other: Line, owner: Engine) -> None:
    normalize_both(line, other)
    _, made = pumps(state, line, 5)
    _, [of_other] = pumps(state, other, 1)
    stage = DeriveStage(state, lease(state, DERIVE), lease_ttl=TTL)
    with series_poison(owner, made[1], "total"):
        for tries in range(1, 6):
            derive(stage)
            assert [derived(line, pump) for pump in made] == [1, 0, 1, 1, 1]
            assert derived(other, of_other) == 1
            assert reported(owner) == [("DERIVATION", str(made[1]), tries, False)]
            pauses_end(owner)
        # Set aside: it is tried no more, in this process or another, and its window stays.
        derive(DeriveStage(state, stage.lease, lease_ttl=TTL))
        assert reported(owner) == [("DERIVATION", str(made[1]), 5, False)]
        assert {row.entity_id for row in line.rows("SELECT entity_id FROM dirty_windows")} == {made[1]}
    line.rows("UPDATE failed_items SET tries = 0, due_at = now() RETURNING id")
    derive(DeriveStage(state, stage.lease, lease_ttl=TTL))
    assert [derived(line, pump) for pump in made] == [1, 1, 1, 1, 1]
    assert reported(owner) == [("DERIVATION", str(made[1]), 0, True)]
    assert line.rows("SELECT * FROM dirty_windows") == []


@pytest.mark.usefixtures("at_once")
def test_a_deadlock_of_an_entity_is_not_its_fault(state: ProcessState, line: Line, owner: Engine) -> None:
    _, made = pumps(state, line, 2)
    stage = DeriveStage(state, lease(state, DERIVE), lease_ttl=TTL)
    with series_poison(owner, made[1], "total", code=DEADLOCK):
        for _ in range(7):
            with pytest.raises(OperationalError):
                derive(stage)
    assert reported(owner) == []
    derive(stage)
    assert [derived(line, pump) for pump in made] == [1, 1]


def test_timers_of_one_organization_that_cannot_fire(
    state: ProcessState, line: Line, other: Line, owner: Engine
) -> None:
    for item in (line, other):
        item.rows(
            "INSERT INTO rule_timers (organization_id, rule_id, entity_id, key, due_at)"
            " VALUES (:o, :r, :e, '', now() - interval '1 s') RETURNING entity_id",
            o=item.organization_id, r=new_id(), e=new_id(),
        )  # fmt: skip
    stage = DeriveStage(state, lease(state, DERIVE), lease_ttl=TTL)
    with poisoned(owner, "dirty_windows", f"NEW.organization_id = {line.organization_id} AND NEW.reason = 'timer'"):
        derive(stage)
    # The other's rang, and what its window asked for was looked at.
    [left] = line.rows("SELECT organization_id FROM rule_timers")
    assert left.organization_id == line.organization_id
    assert reported(owner) == [("TIMERS", "0/1", 1, False)]
    pauses_end(owner)
    derive(DeriveStage(state, stage.lease, lease_ttl=TTL))
    assert line.rows("SELECT * FROM rule_timers") == []
    assert reported(owner) == [("TIMERS", "0/1", 1, True)]


# Batches of readings.


def test_a_batch_that_cannot_be_normalized(state: ProcessState, line: Line, other: Line, owner: Engine) -> None:
    batches = [
        line.send({"device_id": line.device(), "timestamp": NOW - HOUR, "metrics": {"t": n}}, at=datetime.now(UTC))[0]
        for n in range(3)
    ]
    batches += other.send(
        {"device_id": other.device(), "timestamp": NOW - HOUR, "metrics": {"t": 9}}, at=datetime.now(UTC)
    )
    stage = NormalizeStage(state, lease(state, NORMALIZE), lease_ttl=TTL)

    def run() -> None:
        sweeper.partition_sweep(state, partition=0, deadline_s=float("inf"), slack=timedelta(0))
        while stage.poll():
            pass

    state.bus.publish(stream_name(RAW, 0), [raw_encode(batch) for batch in batches])
    with poisoned(owner, "raw_batches", f"NEW.id = {batches[1].id}", on="UPDATE"):
        while stage.poll():
            pass
        assert sorted(map(str, line.history().values())) == ["0.0", "2.0"]
        assert [str(value) for value in other.history().values()] == ["9.0"]
        assert reported(owner) == [("BATCHES", str(batches[1].id), 1, False)]
        # Left alone, it is not swept either; when its pause is over it is.
        run()
        assert reported(owner) == [("BATCHES", str(batches[1].id), 1, False)]
        pauses_end(owner)
        stage._failed._read_at_s = float("-inf")
        run()
        assert reported(owner) == [("BATCHES", str(batches[1].id), 2, False)]
    assert line.ingest_counts().pending == 1
    pauses_end(owner)
    stage._failed._read_at_s = float("-inf")
    run()
    assert sorted(map(str, line.history().values())) == ["0.0", "1.0", "2.0"]
    assert reported(owner) == [("BATCHES", str(batches[1].id), 2, True)]
    assert line.ingest_counts().pending == 0


def test_a_batch_that_cannot_be_read_back_is_not_swept_and_the_others_are(
    state: ProcessState, line: Line, other: Line, owner: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = [
        of.send({"device_id": of.device(), "timestamp": NOW - HOUR, "metrics": {"t": 1}}, at=datetime.now(UTC))[0]
        for of in (line, line, other)
    ]

    def encode(batch: Any) -> bytes:
        if batch.id == sent[0].id:
            raise KeyError(batch.id)
        return raw_encode(batch)

    monkeypatch.setattr(sweeper, "raw_encode", encode)
    values = {"partition": 0, "deadline_s": float("inf"), "slack": timedelta(0)}
    assert sweeper.partition_sweep(state, **values) == 2  # type: ignore[arg-type]
    assert reported(owner) == [("BATCHES", str(sent[0].id), 1, False)]


# Buckets.


def test_a_rollup_that_cannot_be_written_at_one_entity(
    state: ProcessState, line: Line, other: Line, owner: Engine
) -> None:
    normalize_both(line, other)
    machines: list[tuple[RollupPlant, UUID]] = []
    for of, number in ((line, 3), (other, 1)):
        plant = RollupPlant(of)
        plant.create()
        plant.drain()
        for _ in range(number):
            machine = plant.asset()
            part, device = plant.measured()
            of.world.edge(machine, "HAS_PART", part)
            plant.send(device, "power", [(NOW - HOUR, 1.0)])
            plant.invalidate_all(part)
            machines.append((plant, machine))
    bad = machines[1][1]

    def stored() -> list[int]:
        return [sum(1 for entity, _ in plant.stored() if entity == machine) for plant, machine in machines]

    with series_poison(owner, bad, "power_total", code=DEADLOCK):
        for attempt in range(7):
            buckets.compute(attempt, 0)
        assert reported(owner) == []
    with series_poison(owner, bad, "power_total"):
        for tries in range(1, 6):
            buckets.compute(7 + tries, 0)
            buckets.compute(7 + tries, 1)
            assert stored() == [1, 0, 1, 1]
            [(queue, item, tried, _)] = reported(owner)
            assert (queue, item.rpartition("/")[2], tried) == ("ROLLUPS", str(bad), tries)
            pauses_end(owner)
    line.rows("UPDATE failed_items SET tries = 0, due_at = now() RETURNING id")
    buckets.compute(20, 0)
    assert (stored(), [is_resolved for *_, is_resolved in reported(owner)]) == ([1, 1, 1, 1], [True])
    assert line.rows("SELECT * FROM dirty_buckets") == []


def test_health_that_cannot_be_written_of_one_asset(
    state: ProcessState, line: Line, other: Line, owner: Engine
) -> None:
    assets = [(of, of.world.entity(EntityKind.ASSET)) for of in (line, line, line, other)]
    for of, asset in assets:
        of.rows(
            "INSERT INTO dirty_buckets (organization_id, entity_id, computation, computation_id, begins, ends, generation)"
            " VALUES (:o, :e, 'HEALTH', :e, now() - interval '1 day', now(), 0) RETURNING entity_id",
            o=of.organization_id, e=asset,
        )  # fmt: skip
    bad = assets[1][1]
    with series_poison(owner, bad, "health", code=DEADLOCK):
        buckets.compute(1, 0)
        assert reported(owner) == []
    with series_poison(owner, bad, "health"):
        buckets.compute(2, 0)
        buckets.compute(2, 1)
        assert reported(owner) == [("HEALTH", str(bad), 1, False)]
        assert [row.entity_id for row in line.rows("SELECT entity_id FROM dirty_buckets")] == [bad]
    pauses_end(owner)
    buckets.compute(3, 0)
    assert reported(owner) == [("HEALTH", str(bad), 1, True)]
    assert line.rows("SELECT * FROM dirty_buckets") == []


# Hourly aggregates.


def test_a_series_whose_hours_cannot_be_summarized(state: ProcessState, line: Line, other: Line, owner: Engine) -> None:
    normalize_both(line, other)
    devices = [(of, of.device()) for of in (line, line, line, other)]
    for of, device in devices:
        of.normalize(of.send({"device_id": device, "timestamp": NOW - 3 * HOUR, "metrics": {"t": 1}}))
    [bad] = line.rows("SELECT id FROM series WHERE entity_id = :e", e=devices[1][1])

    def summarized() -> int:
        return len(line.rows("SELECT * FROM series_hours"))

    with poisoned(owner, "series_hours", f"NEW.series_id = {bad.id}", code=DEADLOCK):
        hourly.summarize(1, 0)
        assert reported(owner) == []
    with poisoned(owner, "series_hours", f"NEW.series_id = {bad.id}"):
        hourly.summarize(2, 0)
        assert summarized() == 3
        assert reported(owner) == [("HOURLY_AGGREGATES", str(bad.id), 1, False)]
        # It is marked, so that readers go by its points, and left alone.
        assert {row.series_id for row in line.rows("SELECT series_id FROM dirty_hours")} == {bad.id}
        hourly.summarize(3, 0)
        assert reported(owner) == [("HOURLY_AGGREGATES", str(bad.id), 1, False)]
    pauses_end(owner)
    hourly.summarize(4, 0)
    assert (summarized(), reported(owner)) == (4, [("HOURLY_AGGREGATES", str(bad.id), 1, True)])
    assert line.rows("SELECT * FROM dirty_hours") == []


# What a job walks for the installation.


def test_a_partition_that_cannot_be_dropped(
    state: ProcessState, line: Line, owner: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    state.context = replace(state.context, retention_raw=timedelta(days=90), retention_points=timedelta(days=365))
    days = [datetime(2020, 1, day, tzinfo=UTC) for day in (1, 2, 3)]
    for at in days:
        line.normalize(line.send({"device_id": line.device(), "timestamp": at, "metrics": {"t": 1}}, at=at))
    line.summarize()
    bad: list[str] = []

    def drop(session: Any, partition: Any) -> Any:
        if partition.table == "telemetry_raw":
            bad.append(partition.name)
            raise ValueError(partition.name)
        return partition_drop(session, partition)

    monkeypatch.setattr(retention, "partition_drop", drop)
    retention.retain(7, 0)
    assert len(bad) == 3
    assert reported(owner) == [("RETENTION", name, 1, False) for name in sorted(bad)]
    # The other tables are dropped.
    assert line.rows("SELECT * FROM telemetry_history") == []
    monkeypatch.undo()
    pauses_end(owner)
    monkeypatch.setattr("workers.retention._policy", lambda _state: RetentionPolicy(timedelta(days=90), None))
    retention.retain(8, 0)
    assert line.rows("SELECT * FROM telemetry_raw") == []
    assert {is_resolved for *_, is_resolved in reported(owner)} == {True}


@pytest.mark.parametrize(
    ("error", "ends"),
    [
        (LimitExceededError("Too much."), ReplayState.FAILED),
        (RuntimeError("a defect"), ReplayState.FAILED),
        (OperationalError("SELECT 1", {}, None), ReplayState.QUEUED),  # type: ignore[arg-type]
    ],
)
def test_a_failing_replay_gives_up_its_place(
    state: ProcessState, line: Line, monkeypatch: pytest.MonkeyPatch, error: Exception, ends: ReplayState
) -> None:
    with transaction(line.engine("api"), line.organization_id) as session:
        ordered: Replay = replay_order(
            session, organization_id=line.organization_id, replay_id=new_id(), begins=NOW - HOUR, ends=NOW,
            device_ids=None, dry_run=False, side_effects=False, actor="me", now=NOW,
        )  # fmt: skip

    def fail(*_: Any) -> None:
        if isinstance(error, OperationalError):
            raise ConnectionError
        raise error

    monkeypatch.setattr(replay, "_part", fail)
    replay.replay_run(line.organization_id, str(ordered.id), 0)
    with transaction(line.engine("api"), line.organization_id) as session:
        now = replay_get(session, organization_id=line.organization_id, replay_id=ordered.id)
    assert now.state is ends
    if ends is ReplayState.FAILED:
        assert str(error) in (now.message or "")


def test_a_failing_look_does_not_stop_the_others(state: ProcessState, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise LookupError

    for name in ("replays_idle", "organizations_dirty"):
        monkeypatch.setattr(enqueue, name, fail)
    Enqueuer(state).look()
    assert state.queue(QUEUE_PARTITIONS).count == 1
    assert {str(job.func_name).split(".")[1] for job in state.queue(QUEUE_SHORT).jobs} == {
        "sweeper", "hourly", "retention", "convergence",
    }  # fmt: skip


def test_a_stage_that_fails_as_a_whole_leaves_the_others_running(
    state: ProcessState, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_stage: NormalizeStage) -> bool:
        raise LookupError

    polls: list[object] = []

    def was_polled(stage: DeriveStage) -> bool:
        polls.append(stage)
        state.stopping.set()
        return False

    monkeypatch.setattr(NormalizeStage, "poll", fail)
    monkeypatch.setattr(DeriveStage, "poll", was_polled)
    partition_task.partition_task_run(0)
    assert polls
