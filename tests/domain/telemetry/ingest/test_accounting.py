"""Ingest accounting reads counters and agrees with counting the raw log, whatever happens to readings later."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, event, text
from sqlalchemy.orm import Session

from domain.telemetry.ingest.accounting import HOUR_S, MINUTE_S, IngestCounts, ingest_counts, pieces_of
from testing.ingest_counts import COUNTED_SQL
from testing.line import NOW, Line
from testing.world import World

INSTANTS = st.integers(0, 2 * 86_400 * 1_000_000).map(
    lambda us: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
)


@pytest.fixture
def line(world: World, engine: Callable[[str], Engine]) -> Line:
    return Line(world, engine)


@given(one=INSTANTS, other=INSTANTS)
def test_pieces_add_up_to_their_range(one: datetime, other: datetime) -> None:
    begins, ends = sorted((one, other))
    pieces = pieces_of(begins, ends)
    spans = [*pieces.hours, *pieces.minutes, pieces.first, pieces.last]
    ordered = sorted(span for span in spans if span[0] < span[1])
    assert sum((b - a for a, b in ordered), timedelta()) == ends - begins
    assert all(before[1] == after[0] for before, after in pairwise(ordered))
    for width, whole in ((HOUR_S, pieces.hours), (MINUTE_S, pieces.minutes)):
        assert all(instant.timestamp() % width == 0 for span in whole for instant in span)
    assert all(b - a < timedelta(seconds=MINUTE_S) for a, b in (pieces.first, pieces.last)) or not ordered[1:]


EVER = (NOW - timedelta(days=400), NOW + timedelta(days=400))


def counted(line: Line, begins: datetime = EVER[0], ends: datetime = EVER[1]) -> IngestCounts:
    """Count the raw log row by row."""
    [row] = line.rows(COUNTED_SQL, o=line.organization_id, begins=begins, ends=ends)
    return IngestCounts(row.received, row.stored, row.duplicate, row.dead, row.pending)


def check(line: Line) -> IngestCounts:
    """Compare the counts with the raw log, over ranges that cut hours, minutes and batches."""
    received = sorted({row.received_at for row in line.rows("SELECT DISTINCT received_at FROM raw_batches")})
    ends = [*received, *(at + timedelta(microseconds=1) for at in received), *EVER]
    for begins in ends:
        for until in ends:
            if begins <= until:
                assert line.ingest_counts(from_=begins, to=until) == counted(line, begins, until), (begins, until)
    return line.ingest_counts()


def test_batches_cut_by_minutes_and_hours_and_those_that_wait(line: Line) -> None:
    device = line.device()
    for n, at in enumerate((0, 1, 59, 60, 61, 3_599, 3_600, 7_200, 90_000)):
        sent_at = NOW + timedelta(seconds=at, microseconds=n)
        batches = line.send({"device_id": device, "timestamp": NOW, "metrics": {f"m{n}": n}}, at=sent_at)
        if n % 4 != 3:
            line.normalize(batches)
    assert check(line) == IngestCounts(received=9, stored=7, duplicate=0, dead=0, pending=2)


def test_a_reading_that_repeats_one_that_arrived_late(line: Line) -> None:
    device = line.device()
    reading = {"device_id": device, "timestamp": NOW, "metrics": {"t": 1}}
    first = line.send(reading)
    second = line.send(reading, at=NOW + timedelta(minutes=2))
    third = line.send({**reading, "metrics": {"t": None}}, at=NOW + timedelta(hours=2))
    line.normalize(third)
    line.normalize(second)
    assert check(line) == IngestCounts(received=3, stored=1, duplicate=0, dead=1, pending=1)
    # The smaller raw id comes last: what was counted as stored is a repeat after all.
    line.normalize(first)
    assert check(line) == IngestCounts(received=3, stored=1, duplicate=1, dead=1, pending=0)
    [row] = line.rows("SELECT stored, duplicate, dead FROM raw_batches WHERE id = :id", id=second[0].id)
    assert tuple(row) == (0, 1, 0)


def test_a_reopened_batch_is_not_counted_twice(line: Line) -> None:
    device = line.device()
    reading = {"device_id": device, "timestamp": NOW, "metrics": {"t": 1}}
    first, second = line.send(reading), line.send(reading, at=NOW + timedelta(minutes=2))
    line.normalize(second)
    line.reopen()
    assert check(line) == IngestCounts(received=2, stored=0, duplicate=0, dead=0, pending=2)
    line.normalize(first)
    assert check(line) == IngestCounts(received=2, stored=1, duplicate=0, dead=0, pending=1)
    line.normalize(second)
    assert check(line) == IngestCounts(received=2, stored=1, duplicate=1, dead=0, pending=0)


def test_a_repeat_within_a_batch_that_is_halved(line: Line) -> None:
    device = line.device()
    reading = {"device_id": device, "timestamp": NOW, "metrics": {"t": 1}}
    first, second = line.send(reading), line.send(reading, {**reading, "message_id": "poison"})
    line.normalize([*second, *first], is_isolating=True)
    assert check(line) == IngestCounts(received=3, stored=2, duplicate=1, dead=0, pending=0)


@pytest.mark.parametrize("retained_days", [0.0, None])
def test_a_range_until_now_has_no_end(line: Line, retained_days: float | None) -> None:
    device = line.device()
    line.normalize(line.send({"device_id": device, "timestamp": NOW, "metrics": {"t": 1}}))
    to = None if retained_days is None else NOW
    counts = line.ingest_counts(to=to)
    assert counts.received == (1 if retained_days is None else 0)


def test_of_a_device(line: Line) -> None:
    one, other = line.device(), line.device()
    for device in (one, other):
        line.normalize(line.send({"device_id": device, "timestamp": NOW, "metrics": {"t": 1}}))
    assert line.ingest_counts(device_id=one) == IngestCounts(1, 1, 0, 0, 0)


def test_no_single_reading_is_read(line: Line) -> None:
    device = line.device()
    for n in range(3):
        line.normalize(line.send({"device_id": device, "timestamp": NOW, "metrics": {f"m{n}": 1}}))
    with line.engine("api").connect() as connection:
        connection.execute(
            text("SELECT set_config('argus.organization_id', :o, false)"), {"o": str(line.organization_id)}
        )
        seen: list[str] = []
        event.listen(connection, "before_cursor_execute", lambda *arguments: seen.append(arguments[2]))
        with Session(connection) as session:
            ingest_counts(session, organization_id=line.organization_id, from_=EVER[0], to=None)
    [statement] = [statement for statement in seen if "raw_batches" in statement]
    assert "telemetry_raw" not in statement
    assert "reading_keys" not in statement
