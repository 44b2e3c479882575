"""Rows in any physical order are answered in the promised one: nothing but ORDER BY promises one.

The rows lie against their order of time, and no index is read, so that whoever forgets to ask for an order shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import Engine, text

from domain.base.packed import Aggregate, micros_of
from domain.derivation.rollups.inputs import ComputeRange, Sources, stored_read
from domain.exchange.replays.readings import Scope, readings_next
from domain.telemetry.model.attribution import SeriesRow
from domain.telemetry.model.columns import readings_decode
from domain.telemetry.store.history import telemetry_read
from domain.telemetry.store.raw_log import BatchName, raw_batches_read
from domain.telemetry.store.scan import windows_scan
from domain.telemetry.store.stored import stored_read as points_stored
from runtime.database import transaction
from testing.line import NOW, Line
from testing.planner import NOINDEX
from testing.servers import TestDatabase, TestServers
from testing.world import world_create

HOUR = timedelta(hours=1)
DAY = datetime(2026, 4, 3, tzinfo=UTC)
# Hours after DAY, as they came: those of one hour between those of another, and backwards.
CAME = (1.75, 0.5, 1.25, 3.5, 0.25, 1.5, 0.75, 3.25, 2.0)


@pytest.fixture
def database(servers: TestServers) -> Iterator[TestDatabase]:
    made = servers.database_create(planner=NOINDEX)
    yield made
    servers.database_drop(made)


@pytest.fixture
def line(engine: Callable[[str], Engine]) -> Line:
    return Line(world_create(owner=engine("owner"), api=engine("api"), slug="line"), engine)


def send(line: Line, device: UUID, *points: tuple[float, Any]) -> None:
    """Have each point stored by a separate transaction, so that they lie in the order in which they came."""
    for hours, value in points:
        line.normalize(line.send({"device_id": device, "timestamp": DAY + hours * HOUR, "metrics": {"t": value}}))


def series_of(line: Line, device: UUID) -> int:
    [row] = line.rows("SELECT id FROM series WHERE entity_id = :d", d=device)
    return int(row.id)


def read(line: Line, device: UUID, *, bucket: timedelta | None, aggregate: Aggregate = Aggregate.SUM) -> Any:
    with transaction(line.engine("api"), line.organization_id) as session:
        [series] = telemetry_read(
            session,
            organization_id=line.organization_id,
            entity_ids=[device],
            metrics=None,
            from_=DAY,
            to=DAY + 4 * HOUR,
            bucket=None if bucket is None else (0, bucket),
            aggregate=aggregate,
            timezone="UTC",
            max_points=1000,
            now=NOW,
        )[device]
    return series


def test_the_rows_lie_against_their_order(line: Line) -> None:
    """Else this proves nothing."""
    device = line.device()
    send(line, device, *((hours, hours) for hours in CAME))
    with line.pipeline() as session:
        timestamps = session.execute(text('SELECT "timestamp" FROM telemetry_history')).scalars().all()
        plan = "\n".join(session.execute(text("EXPLAIN SELECT FROM telemetry_history WHERE series_id = 1")).scalars())
    assert [(at - DAY) / HOUR for at in timestamps] == list(CAME)
    assert "Seq Scan" in plan


def test_hours_are_made_of_points_that_lie_in_no_order(line: Line) -> None:
    device = line.device()
    send(line, device, *((hours, hours) for hours in CAME))
    line.summarize()
    rows = line.rows("SELECT hour, points, first, last, least, greatest, sum FROM series_hours ORDER BY hour")
    assert [((row.hour - DAY) / HOUR, *tuple(row)[1:]) for row in rows] == [
        (0.0, 3, 0.25, 0.75, 0.25, 0.75, 1.5),
        (1.0, 3, 1.25, 1.75, 1.25, 1.75, 4.5),
        (2.0, 1, 2.0, 2.0, 2.0, 2.0, 2.0),
        (3.0, 2, 3.25, 3.5, 3.25, 3.5, 6.75),
    ]


def test_first_and_last_of_an_hour_that_is_aggregated_again_are_not_swapped(line: Line) -> None:
    device = line.device()
    line.summarize()
    # Late, and so marked: two of one hour, the later one first.
    send(line, device, (0.75, 2), (0.25, 1))
    line.summarize()
    assert [tuple(row) for row in line.rows("SELECT first, last FROM series_hours")] == [(1.0, 2.0)]


def test_series_are_answered_in_their_order(line: Line) -> None:
    device = line.device()
    send(line, device, *((hours, hours) for hours in CAME))
    assert read(line, device, bucket=None).values.tolist() == sorted(CAME)
    for _ in range(2):
        assert read(line, device, bucket=HOUR).values.tolist() == [1.5, 4.5, 2.0, 6.75]
        assert read(line, device, bucket=HOUR, aggregate=Aggregate.FIRST).values.tolist() == [0.25, 1.25, 2.0, 3.25]
        assert read(line, device, bucket=HOUR, aggregate=Aggregate.LAST).values.tolist() == [0.75, 1.75, 2.0, 3.5]
        line.summarize()


def test_windows_are_read_in_their_order_and_their_points_ascending_with_texts_and_types(line: Line) -> None:
    device = line.device()
    send(line, device, (1.5, "c"), (0.5, 1), (1.25, True), (0.25, "a"), (0.75, "b"))
    series = series_of(line, device)
    begins, middle, ends = (micros_of(DAY + hours * HOUR) for hours in (0, 1, 2))
    with line.pipeline() as session:
        windows = list(
            windows_scan(
                session,
                organization_id=line.organization_id,
                windows=[(series, middle, ends), (series, begins, middle)],
            )
        )
    assert [n for n, _ in windows] == [0, 1]
    (_, late), (_, early) = windows
    assert np.diff(late.at).min() > 0
    assert np.diff(early.at).min() > 0
    assert late.texts is not None
    assert early.texts is not None
    assert (late.texts.tolist(), late.types.tolist()) == ([None, "c"], [1, 2])
    assert (early.texts.tolist(), early.types.tolist()) == (["a", None, "b"], [2, 0, 2])


def test_stored_points_are_read_with_their_own_values(line: Line) -> None:
    device = line.device()
    said = {1.5: "c", 0.5: 1.0, 1.25: True, 0.25: "a", 0.75: "b"}
    send(line, device, *said.items())
    rows = line.rows("SELECT organization_id, id, received_at FROM raw_batches ORDER BY id DESC")
    with line.pipeline() as session:
        names = [BatchName(*row) for row in rows]
        readings = readings_decode(raw_batches_read(session, organization_id=line.organization_id, names=names))
        stored = points_stored(session, organization_id=line.organization_id, readings=readings)
    by_hour = {
        (int(readings.timestamps[of]) - micros_of(DAY)) / 3.6e9: stored.texts.get(n, value)
        for n, (of, value) in enumerate(zip(stored.readings.tolist(), stored.values.tolist(), strict=True))
    }
    assert by_hour == said


def test_a_replay_takes_readings_in_the_order_of_time(line: Line) -> None:
    device = line.device()
    send(line, device, *((hours, hours) for hours in CAME))
    scope = Scope(line.organization_id, DAY, DAY + 4 * HOUR, None)
    taken: list[float] = []
    place: Any = (None, None)
    with line.pipeline() as session:
        while True:
            readings, place = readings_next(session, scope=scope, after=place, limit=2)
            taken += [metrics["t"] for metrics in readings.metrics]
            if place[0] is None:
                break
    assert taken == sorted(CAME)


def test_stored_points_of_a_rollup_are_read_ascending(line: Line) -> None:
    device = line.device()
    send(line, device, *((hours, hours) for hours in CAME))
    own = SeriesRow(series_of(line, device), device, None, "t", None, 0)
    compute_range = ComputeRange(device.bytes, np.array([micros_of(DAY), micros_of(DAY + 4 * HOUR)]))
    with line.pipeline() as session:
        points = stored_read(
            session,
            organization_id=line.organization_id,
            ranges=[compute_range],
            sources=Sources({}, {device.bytes: own}),
        )
    assert points[0].values.tolist() == sorted(CAME)
