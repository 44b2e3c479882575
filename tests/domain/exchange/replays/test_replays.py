"""Replays change only what is wrong, report it and recompute from it; they are resumable and bounded."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, text

from domain.base.streams import DERIVED_PARTITION
from domain.exchange.replays import operations
from domain.exchange.replays.model import Replay, ReplayState
from domain.exchange.replays.operations import Part, ReplayRun, replay_cancel, replay_order, replay_part
from domain.exchange.replays.queries import replay_get, replays_idle
from domain.telemetry.feed.corrections import correction_entry
from domain.telemetry.feed.entries import feed_entry, norm_encode
from domain.telemetry.feed.reads import feed_refill
from domain.telemetry.store.retention import RetentionPolicy, partition_drop, partitions_outdated
from runtime.database import transaction
from testing.deriving_plant import SUM, DerivingPlant
from testing.faults import fault_of
from testing.line import NOW, TOLERANCE, Line
from testing.world import new_id, world_create

T0 = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture
def line(engine: Callable[[str], Engine]) -> Line:
    return Line(world_create(owner=engine("owner"), api=engine("api"), slug="line"), engine)


def order(line: Line, **arguments: Any) -> Replay:
    with transaction(line.engine("api"), line.organization_id) as session:
        return replay_order(
            session,
            organization_id=line.organization_id,
            replay_id=new_id(),
            **{
                "begins": T0,
                "ends": T0 + timedelta(days=30),
                "device_ids": None,
                "dry_run": False,
                "side_effects": False,
                "actor": "me",
                "now": NOW,
                **arguments,
            },
        )


def part(line: Line, replay: Replay, readings_max: int = 5_000) -> Part:
    run = ReplayRun(TOLERANCE, line.stage_cache, line.dependency_cache)
    with line.pipeline() as session:
        done = replay_part(
            session,
            organization_id=line.organization_id,
            replay_id=replay.id,
            run=run,
            now=NOW,
            readings_max=readings_max,
        )
    line.stage_cache.keep(done.notes)
    return done


def replay(line: Line, readings_max: int = 5_000, **arguments: Any) -> Replay:
    """Order a replay and do all of it."""
    ordered = order(line, **arguments)
    while not (done := part(line, ordered, readings_max).replay).state.is_over:
        pass
    return done


def send(line: Line, device: UUID, values: dict[int, Any], **more: Any) -> None:
    readings = [
        {"device_id": device, "timestamp": T0 + timedelta(minutes=m), "metrics": {"t": v}, **more}
        for m, v in values.items()
    ]
    line.normalize(line.send(*readings))


def version(line: Line, device: UUID) -> list[Any]:
    """Every row of history with the transaction that wrote it."""
    return line.rows("SELECT xmin::text, series_id, timestamp, value FROM telemetry_history ORDER BY 2, 3")


def test_unchanged_points_are_not_written_again(line: Line) -> None:
    device, other = line.device(), line.device()
    send(line, device, {0: 1, 1: 2, 2: "x", 3: True})
    send(line, device, {1: 3})
    send(line, device, {1: 3})
    send(line, other, {0: [], 5: 5})
    before = version(line, device)
    done = replay(line)
    assert (done.state, done.total, done.done) == (ReplayState.FINISHED, 8, 8)
    assert done.changes == {"points": 0, "added": 0, "removed": 0, "changed": 0, "letters": 0, "samples": []}
    assert version(line, device) == before
    assert line.rows("SELECT 1 FROM dirty_windows UNION ALL SELECT 1 FROM derived_commits") == []


def test_an_edited_schema_reaches_what_was_received_before(line: Line) -> None:
    line.schema("pump", {"metrics": {"t": {"max": 10}}}, begins=T0 - timedelta(days=1))
    device = line.device(type_name="pump")
    send(line, device, {0: 1, 1: 20, 2: 3})
    line.schema("pump", {"metrics": {"t": {"max": 100, "rename": "u"}}}, begins=T0 + timedelta(minutes=1))
    report = replay(line, dry_run=True)
    # 20 was refused; it and 3 have another name.
    assert {k: report.changes[k] for k in ("added", "removed", "changed", "letters")} == {
        "added": 2, "removed": 1, "changed": 0, "letters": 1,
    }  # fmt: skip
    assert report.changes["samples"][0] == {
        "deviceId": str(device), "port": None, "metric": "u", "timestamp": "2026-04-01T00:01:00Z",
        "before": None, "after": 20.0,
    }  # fmt: skip
    assert {key[2:]: v for key, v in line.history().items()} == {("t", T0): 1, ("t", T0 + timedelta(minutes=2)): 3}
    done = replay(line)
    assert done.changes == report.changes
    assert {key[2:]: v for key, v in line.history().items()} == {
        ("t", T0): 1,
        ("u", T0 + timedelta(minutes=1)): 20,
        ("u", T0 + timedelta(minutes=2)): 3,
    }
    assert line.ingest_counts().stored == 3
    assert replay(line, dry_run=True).changes["points"] == 0


def test_corrupted_points_are_restored(line: Line, engine: Callable[[str], Engine]) -> None:
    device = line.device()
    send(line, device, {m: m for m in range(5)})
    with transaction(engine("owner")) as session:
        session.execute(text("UPDATE telemetry_history SET value = 99 WHERE value = 1"))
        session.execute(text("DELETE FROM telemetry_history WHERE value IN (2, 4)"))
        session.execute(text("DELETE FROM latest_values"))
    done = replay(line)
    assert (done.changes["changed"], done.changes["added"]) == (1, 2)
    assert sorted(map(str, line.history().values())) == [*map(str, [0.0, 1.0, 2.0, 3.0, 4.0])]
    assert [row.value for row in line.rows("SELECT value FROM latest_values")] == [4]


@pytest.mark.parametrize("readings_max", [1, 2, 3, 7])
def test_it_resumes_where_it_stopped_and_reads_each_reading_once(line: Line, readings_max: int) -> None:
    devices = [line.device() for _ in range(3)]
    for n, device in enumerate(devices):
        send(line, device, {m: m for m in range(2 * n + 1)})
        # Several readings at one instant are evaluated as one.
        send(line, device, {0: "late"}, port=1)
        send(line, device, {0: n}, port=2)
    done = replay(line, readings_max)
    assert (done.total, done.done, done.changes["points"]) == (15, 15, 0)
    chosen = replay(line, readings_max, device_ids=[devices[1]], ends=T0 + timedelta(minutes=2))
    assert (chosen.total, chosen.done) == (4, 4)


def test_a_part_that_is_rolled_back_is_done_again(line: Line) -> None:
    send(line, line.device(), {m: m for m in range(4)})
    ordered = order(line)
    run = ReplayRun(TOLERANCE, line.stage_cache, line.dependency_cache)
    with line.pipeline() as session:
        replay_part(
            session, organization_id=line.organization_id, replay_id=ordered.id, run=run, now=NOW, readings_max=2
        )
        session.rollback()
    assert part(line, ordered, 2).replay.done == 2
    assert part(line, ordered, 2).replay.done == 4


def test_unprocessed_readings_are_left_to_the_stages(line: Line) -> None:
    device = line.device()
    send(line, device, {0: 1})
    line.send({"device_id": device, "timestamp": T0, "metrics": {"t": 2}})
    done = replay(line)
    assert (done.total, done.done, done.changes["points"]) == (2, 1, 0)
    assert line.ingest_counts().pending == 1


def test_a_cancelled_replay_stops(line: Line) -> None:
    send(line, line.device(), {m: m for m in range(4)})
    ordered = order(line)
    part(line, ordered, 2)
    with transaction(line.engine("api"), line.organization_id) as session:
        cancelled = replay_cancel(session, organization_id=line.organization_id, replay_id=ordered.id, now=NOW)
    assert (cancelled.state, cancelled.finished_at) == (ReplayState.CANCELLED, NOW)
    after = part(line, ordered, 2)
    assert (after.readings, after.replay) == (0, cancelled)
    with transaction(line.engine("api"), line.organization_id) as session:
        cancel = partial(replay_cancel, session, organization_id=line.organization_id, replay_id=ordered.id, now=NOW)
        assert fault_of(cancel) == ("CONFLICT", ("id",))


@pytest.mark.parametrize(
    ("arguments", "code", "path"),
    [
        ({"ends": T0}, "BAD_USER_INPUT", ("input", "from")),
        ({"device_ids": [new_id()]}, "NOT_FOUND", ("input", "deviceIds")),
        ({"device_ids": [new_id()] * 10_001}, "LIMIT_EXCEEDED", ("input", "deviceIds")),
    ],
)
def test_invalid_replays(line: Line, arguments: dict[str, Any], code: str, path: tuple[str, ...]) -> None:
    assert fault_of(lambda: order(line, **arguments)) == (code, path)


def test_corrections_are_reported_to_the_feed_and_recomputed(line: Line, engine: Callable[[str], Engine]) -> None:
    plant = DerivingPlant(line)
    plant.formulas(SUM, since=T0)
    device, pump = line.device(), plant.pump()
    plant.link(device, pump, valid_from=T0)
    line.normalize(line.send({"device_id": device, "timestamp": T0, "metrics": {"a": 1, "b": 1}}))
    plant.drain()
    with transaction(engine("owner")) as session:
        session.execute(text("UPDATE telemetry_history SET value = 7 WHERE raw_id > 0 AND value = 1"))
    ordered = order(line)
    done = part(line, ordered)
    assert done.correction is not None
    entry = feed_entry(norm_encode(correction_entry(done.correction)))
    assert (entry.partition, [(i.entity_id, i.metric, i.from_) for i in entry.invalidated]) == (
        DERIVED_PARTITION, [(device, "a", T0), (device, "b", T0)],
    )  # fmt: skip
    with transaction(line.engine("api"), line.organization_id) as session:
        [again] = feed_refill(
            session,
            organization_id=line.organization_id,
            partition=DERIVED_PARTITION,
            after=done.correction.position - 1,
            until=done.correction.position,
            recent=NOW,
        )
    assert sorted(again.invalidated, key=lambda i: str(i.metric)) == list(entry.invalidated)
    assert [(window[0], window[3]) for window in plant.windows()] == [(pump, "replay")]
    plant.drain()
    assert plant.derived() == {(pump, T0): 3}


def test_idle_replays_are_resumed(line: Line) -> None:
    send(line, line.device(), {0: 1})
    ordered = order(line)
    with transaction(line.engine("pipeline")) as session:
        assert replays_idle(session, idle=timedelta(0), at_once=5) == [(line.organization_id, ordered.id)]
    part(line, ordered)
    with transaction(line.engine("pipeline")) as session:
        assert replays_idle(session, idle=timedelta(0), at_once=5) == []
    with transaction(line.engine("api"), line.organization_id) as session:
        assert replay_get(session, organization_id=line.organization_id, replay_id=ordered.id).state == "FINISHED"


def test_a_count_that_takes_long_is_estimated(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    send(line, line.device(), {n: n for n in range(10)})
    slow = text(f"SELECT count(*) {operations._OF_REPLAY} AND pg_sleep(5) IS NULL").bindparams(operations._DEVICES)
    monkeypatch.setattr(operations, "_TOTAL", slow)
    monkeypatch.setattr(operations, "_COUNT_MS", 100)
    done = replay(line)
    assert (done.state, done.done) == (ReplayState.FINISHED, 10)
    assert done.total >= 0


@pytest.mark.parametrize("dry_run", [True, False])
def test_readings_before_retention_are_skipped_and_counted(line: Line, *, dry_run: bool) -> None:
    device = line.device()
    line.schema("pump", {"metrics": {"t": {"max": 1_000}}}, begins=T0 - timedelta(days=60))
    old = [
        {"device_id": device, "timestamp": T0 - timedelta(minutes=m), "metrics": {"t": m}, "port": m % 2}
        for m in range(1, 6)
    ]
    line.normalize(line.send(*old))
    send(line, device, {0: 1, 1: [2]})
    line.summarize()
    with transaction(line.engine("pipeline")) as session:
        [month] = partitions_outdated(session, retention=RetentionPolicy(None, NOW - T0), now=NOW)
        assert partition_drop(session, month) == ["telemetry_history_202603"]
    line.stage_cache.forget()
    before = (line.history(), line.ingest_counts(), line.rows("SELECT raw_id, code FROM dead_letters"))
    # One of those that are kept lost its point.
    with transaction(line.engine("owner")) as session:
        session.execute(text("DELETE FROM telemetry_history WHERE value = 1"))
    done = replay(line, dry_run=dry_run, begins=T0 - timedelta(days=1))
    assert (done.state, done.done) == (ReplayState.FINISHED, 7)
    assert {k: done.changes[k] for k in ("added", "removed", "changed", "letters", "beforeRetention")} == {
        "added": 1, "removed": 0, "changed": 0, "letters": 0, "beforeRetention": 5,
    }  # fmt: skip
    if not dry_run:
        assert (line.history(), line.ingest_counts(), line.rows("SELECT raw_id, code FROM dead_letters")) == before
    assert line.rows("SELECT to_regclass('telemetry_history_202603') AS there")[0].there is None
    assert sum(row.sum for row in line.rows("SELECT sum FROM series_hours WHERE hour < :t", t=T0)) == 15.0
