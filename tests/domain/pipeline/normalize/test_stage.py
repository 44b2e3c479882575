"""From a call's readings to history, latest values, dead letters and ingest accounting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from domain.base.leases import FencedError, lease_acquire, lease_release
from domain.base.packed import instant_of
from domain.pipeline.normalize.entries import feed_entries_rebuild
from domain.telemetry.feed.entries import feed_entry, norm_encode, raw_decode, raw_encode
from domain.telemetry.store.raw_log import BatchName, batches_unfinished, raw_batches_read
from runtime.database import transaction
from testing.line import NOW, TTL, Line
from testing.world import world_create

T0 = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture
def line(engine: Callable[[str], Engine]) -> Line:
    return Line(world_create(owner=engine("owner"), api=engine("api"), slug="line"), engine)


def test_a_reading_ends_in_history(line: Line) -> None:
    device = line.device("probe")
    batches = line.send(
        {"device_id": device, "timestamp": T0, "metrics": {"t": 1.5, "on": True, "say": "hi", "none": None}},
        {"external_id": "probe", "port": 2, "timestamp": 1000, "metrics": {"t": 3}},
    )
    result = line.normalize(batches)
    assert line.history() == {
        (device, None, "t", T0): 1.5,
        (device, None, "on", T0): 1.0,
        (device, None, "say", T0): "hi",
        (device, 2, "t", datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)): 3.0,
    }
    assert (result.readings, result.points) == (2, 4)
    counts = line.ingest_counts()
    assert (counts.received, counts.stored, counts.pending) == (2, 2, 0)
    [entry] = result.entries
    groups = feed_entry(norm_encode(entry)).groups()
    assert sorted((g.port or -1, g.metric, g.points.values.tolist()[0]) for g in groups if g.metric != "say") == [
        (-1, "on", 1.0),
        (-1, "t", 1.5),
        (2, "t", 3.0),
    ]
    assert [g.points.texts.tolist() for g in groups if g.points.texts is not None] == [["hi"]]
    assert {g.device_id for g in groups} == {device}
    latest = line.rows('SELECT "timestamp", received_at, type, value, text FROM latest_values ORDER BY type, value')
    assert [(row.type, row.value, row.text) for row in latest] == [
        (0, 1.5, None),
        (0, 3.0, None),
        (1, 1.0, None),
        (2, None, "hi"),
    ]
    assert {row.received_at for row in latest} == {NOW}
    assert line.rows("SELECT last_seen_at FROM device_presence")[0].last_seen_at == NOW


def test_a_batch_survives_the_bus_and_is_read_back_from_the_log(line: Line) -> None:
    device = line.device()
    [batch] = line.send(
        {"device_id": device, "timestamp": T0, "port": 0, "metrics": {"b": 1.0, "a": "ü"}},
        {"device_id": device, "message_id": "m", "metrics": {"a": [1]}},
    )
    name = BatchName(line.organization_id, batch.id, instant_of(batch.received_us))
    with line.pipeline() as session:
        [stored] = raw_batches_read(session, organization_id=line.organization_id, names=[name])
        assert batches_unfinished(session, partition=0, before=NOW + timedelta(seconds=1), limit=10) == [name]
    for other in (raw_decode(raw_encode(batch)), stored):
        assert (other.id, other.partition, other.received_us) == (batch.id, 0, batch.received_us)
        assert other.raw_ids.tolist() == batch.raw_ids.tolist()
        assert (other.devices, other.keys, other.metrics) == (batch.devices, batch.keys, batch.metrics)
        assert (other.ports.tolist(), other.timestamps.tolist()) == (batch.ports.tolist(), batch.timestamps.tolist())
    assert batch.metrics == '[{"a":"ü","b":1},{"a":[1]}]'.encode()


def test_a_repeat_changes_nothing(line: Line) -> None:
    device = line.device()
    line.normalize(line.send({"device_id": device, "timestamp": T0, "metrics": {"t": 1, "u": 2}}))
    again = line.send({"device_id": device, "timestamp": "2026-04-01T02:00:00+02:00", "metrics": {"u": 2.0, "t": 1.0}})
    assert line.normalize(again).points == 0
    counts = line.ingest_counts()
    assert (counts.received, counts.stored, counts.duplicate) == (2, 1, 1)
    assert line.ingest_counts(device_id=line.device()).received == 0


def test_the_smaller_raw_id_counts_when_it_comes_last(line: Line) -> None:
    device = line.device()
    first = line.send({"device_id": device, "timestamp": T0, "message_id": "m", "metrics": {"t": 1, "bad": []}})
    beside = line.send({"device_id": device, "timestamp": T0 + timedelta(hours=1), "metrics": {"t": 5}})
    second = line.send(
        {
            "device_id": device,
            "timestamp": T0 + timedelta(hours=1),
            "message_id": "m",
            "metrics": {"t": 2, "v": {}, "w": 3},
        }
    )
    for batches in (second, beside):
        line.normalize(batches)
    assert line.history() == {
        (device, None, "t", T0 + timedelta(hours=1)): 2.0,
        (device, None, "w", T0 + timedelta(hours=1)): 3.0,
    }
    line.normalize(first)
    assert line.history() == {(device, None, "t", T0): 1.0, (device, None, "t", T0 + timedelta(hours=1)): 5.0}
    counts = line.ingest_counts()
    assert (counts.stored, counts.duplicate, counts.dead) == (2, 1, 0)
    latest = line.rows("SELECT s.metric, l.value, l.raw_id FROM latest_values l JOIN series s ON s.id = l.series_id")
    assert [(row.metric, row.value, row.raw_id) for row in latest] == [("t", 5.0, beside[0].raw_ids[0])]
    open_dead_letters = line.rows("SELECT metric, raw_id FROM dead_letters WHERE resolved_at IS NULL")
    assert [(row.metric, row.raw_id) for row in open_dead_letters] == [("bad", first[0].raw_ids[0])]


def test_of_two_values_at_one_time_the_larger_raw_id_stays(line: Line) -> None:
    device = line.device()
    one = line.send({"device_id": device, "timestamp": T0, "metrics": {"t": 1, "only": 1}})
    two = line.send({"device_id": device, "timestamp": T0, "metrics": {"t": "two"}})
    line.normalize(two)
    result = line.normalize(one)
    assert line.history() == {(device, None, "t", T0): "two", (device, None, "only", T0): 1.0}
    # What lost does not appear in the live feed.
    assert [entry.names for entry in result.entries] == [["only"]]
    assert line.ingest_counts().stored == 2
    latest = line.rows("SELECT type, value, text FROM latest_values ORDER BY type")
    assert [(row.type, row.value, row.text) for row in latest] == [(0, 1.0, None), (2, None, "two")]


def test_invalid_readings_are_dead_letters(line: Line) -> None:
    device = line.device()
    batches = line.send(
        {"device_id": device, "timestamp": "2099-01-01T00:00:00Z", "metrics": {"t": 1}},
        {"device_id": device, "timestamp": -1, "metrics": {"t": 1}},
        {"device_id": device, "timestamp": T0, "metrics": {"a": None}},
        {"device_id": device, "timestamp": T0, "metrics": {"a": float("nan"), "b": "x" * 10_001, "c": "\0", "d": 1}},
        {"device_id": device, "timestamp": NOW + timedelta(minutes=5), "metrics": {"t": 1}},
        {"device_id": device, "timestamp": NOW + timedelta(minutes=5, milliseconds=1), "metrics": {"t": 2}},
    )
    line.normalize(batches)
    dead_letters = line.rows("SELECT raw_id, metric, code, payload, attempts FROM dead_letters ORDER BY raw_id, metric")
    first = int(batches[0].raw_ids[0])
    assert [(row.raw_id - first, row.metric, row.code) for row in dead_letters] == [
        (0, None, "FUTURE_TIMESTAMP"),
        (1, None, "BEFORE_EPOCH"),
        (2, None, "NO_METRICS"),
        (3, "a", "UNSUPPORTED_VALUE"),
        (3, "b", "VALUE_TOO_LONG"),
        (3, "c", "UNSUPPORTED_VALUE"),
        (5, None, "FUTURE_TIMESTAMP"),
    ]
    assert dead_letters[3].payload == ["nan"]
    counts = line.ingest_counts()
    assert (counts.received, counts.stored, counts.dead) == (6, 2, 4)
    assert [row.dead for row in line.rows("SELECT dead FROM raw_batches")] == [4]


def test_a_batch_delivered_again_changes_nothing_but_is_sent_again(line: Line) -> None:
    device = line.device()
    batches = line.send({"device_id": device, "timestamp": T0, "metrics": {"t": 1, "bad": []}})
    [entry] = line.normalize(batches).entries
    result = line.normalize(batches)
    assert (result.entries, result.done) == ([], batches)
    with line.pipeline() as session:
        [again] = feed_entries_rebuild(session, organization_id=line.organization_id, batches=batches)
    assert norm_encode(again) == norm_encode(replace(entry, group=0, group_size=0))
    assert [row.attempts for row in line.rows("SELECT attempts FROM dead_letters")] == [1]
    assert [row.position for row in line.rows("SELECT position FROM stage_leases")] == [1]


def test_positions_are_contiguous(line: Line) -> None:
    device = line.device()
    batches = [line.send({"device_id": device, "timestamp": T0, "metrics": {"t": n}})[0] for n in range(5)]
    line.normalize(batches[3:4])
    entries = line.normalize(batches).entries
    assert [(entry.batch_id, entry.position) for entry in entries] == [
        (batches[n].id, position) for n, position in ((0, 2), (1, 3), (2, 4), (4, 5))
    ]
    numbered = line.rows("SELECT id, feed_position FROM raw_batches ORDER BY feed_position")
    assert [(row.id, row.feed_position) for row in numbered] == [
        (batches[n].id, p) for n, p in ((3, 1), (0, 2), (1, 3), (2, 4), (4, 5))
    ]


def test_a_reading_that_cannot_be_written_is_isolated(line: Line, engine: Callable[[str], Engine]) -> None:
    device, ghost = line.device(), line.device()
    batches = line.send(
        *({"device_id": device, "timestamp": T0 + timedelta(seconds=n), "metrics": {"t": n}} for n in range(9)),
        {"device_id": ghost, "timestamp": T0, "metrics": {"t": 1}},
        {"device_id": device, "timestamp": T0, "metrics": {"u": 1}},
    )
    with transaction(engine("owner")) as session:
        session.connection().exec_driver_sql(f"DELETE FROM devices WHERE id = '{ghost}'")  # noqa: S608
    result = line.normalize(batches, is_isolating=True)
    assert result.points == 10
    dead_letters = line.rows("SELECT device_id, code, payload FROM dead_letters")
    assert [(row.device_id, row.code, row.payload) for row in dead_letters] == [(ghost, "PROCESSING_FAILED", {"t": 1})]
    counts = line.ingest_counts()
    assert (counts.stored, counts.dead, counts.pending) == (10, 1, 0)


def test_a_lost_lease_prevents_the_commit(line: Line, engine: Callable[[str], Engine]) -> None:
    device = line.device()
    batches = line.send({"device_id": device, "timestamp": T0, "metrics": {"t": 1}})
    old = line.run()
    with transaction(engine("pipeline")) as session:
        lease_release(session, lease=old.lease)
        assert lease_acquire(session, stage="normalize", partition=0, holder="other", ttl=TTL) is not None
        assert lease_acquire(session, stage="normalize", partition=0, holder="third", ttl=TTL) is None
    with pytest.raises(FencedError):
        line.normalize(batches)
    assert line.history() == {}
    assert line.ingest_counts().pending == 1
