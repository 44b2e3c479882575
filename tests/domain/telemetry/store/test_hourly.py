"""Hourly aggregates: built in order, rebuilt after writes, final once their points are dropped."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import Engine, text

from domain.base.packed import Aggregate, MetricType, Series
from domain.telemetry.model.readings import RawBatch
from domain.telemetry.store import bucketed, hourly_build, hourly_invalidate
from domain.telemetry.store.history import telemetry_read
from domain.telemetry.store.hourly_build import hours_aggregate, hours_complete_until, organizations_due
from domain.telemetry.store.hourly_read import HOURLY
from domain.telemetry.store.retention import RetentionPolicy, partition_drop, partitions_outdated
from graph.edges.bulk import EdgeDraft, edges_create
from graph.edges.model import EdgeVersion
from graph.errors import LimitExceededError
from graph.kinds import EntityKind
from runtime.database import transaction
from testing.line import NOW, Line
from testing.waits import Deadline, patient
from testing.world import world_create

HOUR = timedelta(hours=1)
DAY = datetime(2026, 4, 3, tzinfo=UTC)


@pytest.fixture
def line(engine: Callable[[str], Engine]) -> Line:
    return Line(world_create(owner=engine("owner"), api=engine("api"), slug="line"), engine)


def read(
    line: Line, entity_id: UUID, *, begins: datetime = DAY, ends: datetime = DAY + timedelta(days=2), **arguments: Any
) -> Sequence[Series]:
    given: dict[str, Any] = {
        "metrics": None,
        "from_": begins,
        "to": ends,
        "bucket": (0, HOUR),
        "aggregate": Aggregate.SUM,
        "timezone": "UTC",
        "max_points": 1000,
        "now": NOW,
        **arguments,
    }
    with transaction(line.engine("api"), line.organization_id) as session:
        return telemetry_read(session, organization_id=line.organization_id, entity_ids=[entity_id], **given)[entity_id]


def values(series: Series) -> list[float]:
    return [float(value) for value in series.values[~np.isnan(series.values)]]


def send(line: Line, device: UUID, *points: tuple[float, Any], metric: str = "t") -> list[RawBatch]:
    """Have points normalized, given as (hours after DAY, value); return their batches."""
    readings = [
        {"device_id": device, "timestamp": DAY + timedelta(hours=hours), "metrics": {metric: value}}
        for hours, value in points
    ]
    batches = line.send(*readings)
    line.normalize(batches)
    return batches


def hours(line: Line) -> list[tuple[float, float | None]]:
    return [
        ((row.hour - DAY) / HOUR, row.sum)
        for row in line.rows("SELECT hour, sum FROM series_hours ORDER BY series_id, hour")
    ]


def lie(line: Line) -> None:
    """Falsify the hours, so that reading them shows."""
    with transaction(line.engine("owner")) as session:
        session.execute(text("UPDATE series_hours SET sum = sum + 1000 WHERE is_whole"))


def test_buckets_are_read_by_the_hour_and_the_rest_by_the_point(line: Line) -> None:
    device = line.device()
    send(line, device, (0.5, 1), (1.5, 2), (1.6, 3), (2.5, 4), (5.0, 5))
    line.summarize()
    assert hours(line) == [(0, 1.0), (1, 5.0), (2, 4.0), (5, 5.0)]
    [series] = read(line, device)
    assert values(series) == [1.0, 5.0, 4.0, 5.0]
    lie(line)
    assert values(read(line, device)[0]) == [1001.0, 1005.0, 1004.0, 1005.0]
    # A day, and by months; parts of an hour at the ends are read as points.
    day = read(line, device, bucket=(0, timedelta(days=1)))[0]
    assert values(day) == [4015.0]
    parts = read(line, device, begins=DAY + 0.25 * HOUR, ends=DAY + 2.75 * HOUR, bucket=(1, timedelta()))[0]
    assert values(parts) == [1.0 + 1005.0 + 4.0]
    # Buckets that are not made of hours are not.
    assert values(read(line, device, bucket=(0, HOUR / 2))[0]) == [1.0, 5.0, 4.0, 5.0]
    assert values(read(line, device, bucket=(0, timedelta(days=1)), timezone="Asia/Kolkata")[0]) == [15.0]
    assert values(read(line, device, bucket=None)[0]) == [1.0, 2.0, 3.0, 4.0, 5.0]


def test_an_hour_written_to_is_read_by_its_points_until_it_is_aggregated_again(line: Line) -> None:
    device = line.device()
    send(line, device, (0.5, 1), (1.5, 2))
    line.summarize()
    lie(line)
    send(line, device, (1.7, 3))
    assert values(read(line, device)[0]) == [1001.0, 5.0]
    assert line.summarize() == 1
    assert hours(line) == [(0, 1001.0), (1, 5.0)]
    assert values(read(line, device)[0]) == [1001.0, 5.0]


def test_a_point_that_goes_takes_its_hour_with_it(line: Line) -> None:
    line.schema("pump", {"metrics": {"t": {"type": "NUMBER"}}})
    device = line.device(type_name="pump")
    batches = send(line, device, (0.5, 1), (1.5, 20), (1.6, 2))
    line.summarize()
    # What lies out of range is a dead letter from now on.
    line.schema("pump", {"metrics": {"t": {"type": "NUMBER", "max": 10}}})
    line.reopen()
    line.normalize(batches)
    assert values(read(line, device)[0]) == [1.0, 2.0]
    assert HOUR in [row.h for row in line.rows("SELECT (hour - :d) AS h FROM dirty_hours", d=DAY)]
    line.summarize()
    assert hours(line) == [(0, 1.0), (1, 2.0)]


def test_a_type_is_that_of_the_hours_read_and_of_no_others(line: Line) -> None:
    device = line.device()
    send(line, device, (0.5, 1), (1.5, True), (1.6, False), (2.5, True), (3.5, True), (3.6, 2))
    line.summarize()
    for begin, end, type_ in ((1, 3, MetricType.BOOLEAN), (0, 2, MetricType.NUMBER), (3, 4, MetricType.NUMBER)):
        [series] = read(line, device, begins=DAY + begin * HOUR, ends=DAY + end * HOUR)
        assert series.type is type_


def test_texts_are_read_by_their_points_beside_hours_without_any(line: Line) -> None:
    device = line.device()
    send(line, device, (0.5, 1), (0.6, "off"), (1.5, 2), (2.5, "on"))
    line.summarize()
    assert hours(line) == [(0, None), (1, 2.0), (2, None)]
    lie(line)
    assert values(read(line, device)[0]) == [1.0, 1002.0]
    last = read(line, device, aggregate=Aggregate.LAST)[0]
    assert last.texts is not None
    assert [text for text in last.texts if text] == ["off", "on"]
    assert values(read(line, device, aggregate=Aggregate.COUNT)[0]) == [2.0, 1.0, 1.0]


def test_an_asset_is_read_by_the_hours_of_its_devices_and_by_points_where_they_overlap(line: Line) -> None:
    first, second = sorted([line.device(), line.device()])
    asset = line.world.entity(EntityKind.ASSET)

    def link(device: UUID, begins: datetime, ends: datetime | None) -> None:
        with line.world.changing() as (session, change):
            [made] = edges_create(
                session,
                change=change,
                drafts=[
                    EdgeDraft(
                        source_id=asset,
                        target_id=device,
                        relationship="MONITORED_BY",
                        valid_from=begins,
                        valid_until=ends,
                    )
                ],
            )
            assert isinstance(made, EdgeVersion)

    # Swapped within the hour.
    link(first, DAY, DAY + 2.25 * HOUR)
    link(second, DAY + 2.25 * HOUR, None)
    for device, value in ((first, 1), (second, 10)):
        send(line, device, *((n / 2, value) for n in range(8)))
    line.summarize()
    lie(line)
    assert values(read(line, asset)[0]) == [1002.0, 1002.0, 11.0, 1020.0]
    # From now on both report at once, and one hides the other.
    link(first, DAY + 3 * HOUR, None)
    assert values(read(line, asset)[0]) == [2.0, 2.0, 11.0, 2.0]


def test_hours_are_aggregated_in_order_once_no_open_transaction_can_write_to_them(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = line.device()
    line.summarize()
    with line.pipeline() as session:
        complete_until = hours_complete_until(session)
        assert organizations_due(session, complete_until=complete_until) == []
    assert line.rows("SELECT until FROM hours_progress")[0].until == complete_until
    # As if all of this had been sent in time: nobody marks it.
    monkeypatch.setattr(hourly_invalidate, "LATE_AFTER_US", 10**18)
    send(line, device, *((n, n) for n in range(30)))
    send(line, device, *((n, n) for n in range(30)), metric="u")
    assert line.rows("SELECT * FROM dirty_hours") == []
    with transaction(line.engine("owner")) as session:
        session.execute(text("UPDATE hours_progress SET until = :d"), {"d": DAY})
    monkeypatch.setattr(hourly_build, "SERIES_MAX", 1)
    with line.pipeline() as session:
        assert organizations_due(session, complete_until=complete_until) == [line.organization_id]
        assert (
            hours_aggregate(session, organization_id=line.organization_id, complete_until=DAY + 20 * HOUR).hours == 20
        )
    # One of two series is done; neither's hours count yet.
    [progress] = line.rows("SELECT until, next FROM hours_progress")
    assert (progress.until, progress.next) == (DAY, DAY + 20 * HOUR)
    lie(line)
    assert values(read(line, device, metrics=["t"])[0]) == [float(n) for n in range(30)]
    while True:
        with line.pipeline() as session:
            built = hours_aggregate(session, organization_id=line.organization_id, complete_until=DAY + 20 * HOUR)
        if built.is_done:
            break
    assert len(hours(line)) == 40
    assert values(read(line, device, metrics=["u"])[0]) == [float(n) for n in range(30)]
    line.summarize()
    assert len(hours(line)) == 60
    assert line.rows("SELECT until FROM hours_progress")[0].until == complete_until


def test_a_transaction_that_runs_holds_back_what_it_could_write_to(line: Line) -> None:
    with line.pipeline() as writing:
        began = writing.execute(text("SELECT now()")).scalar_one()
        with line.pipeline() as session:
            assert session.execute(hourly_build._OLDEST_TRANSACTION).scalar_one() == began
            assert hours_complete_until(session) < began - timedelta(minutes=34)


def waits(line: Line) -> bool:
    """Whether a statement of the pipeline about marks waits for a lock."""
    with line.pipeline() as session:
        waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%INTO dirty_hours%'"
        return session.execute(text(waiting)).first() is not None


def test_a_write_during_aggregation_invalidates_the_hour_again(line: Line) -> None:
    device = line.device()
    send(line, device, (0.5, 1))
    line.summarize()
    send(line, device, (0.6, 2))
    with line.pipeline() as session:
        complete_until = hours_complete_until(session)
    late = line.send({"device_id": device, "timestamp": DAY + 0.7 * HOUR, "metrics": {"t": 4}})
    line.run()
    with line.pipeline() as building:
        assert hours_aggregate(building, organization_id=line.organization_id, complete_until=complete_until).hours == 1
        writer = threading.Thread(target=line.normalize, args=(late,))
        writer.start()
        deadline = Deadline(30)
        while not waits(line):
            assert writer.is_alive()
            deadline.pause()
    writer.join(patient(30))
    assert hours(line) == [(0, 3.0)]
    assert values(read(line, device)[0]) == [7.0]
    assert line.summarize() == 1
    assert hours(line) == [(0, 7.0)]


def test_an_uncommitted_invalidation_is_left_for_later(line: Line) -> None:
    device = line.device()
    send(line, device, (0.5, 1))
    line.summarize()
    send(line, device, (0.6, 2))
    with line.pipeline() as writing:
        # As whoever writes to the hour just now.
        writing.execute(text("UPDATE dirty_hours SET invalidated_at = now()"))
        assert line.summarize() == 0
    assert values(read(line, device)[0]) == [3.0]
    assert line.summarize() == 1
    assert hours(line) == [(0, 3.0)]


def april_drop(line: Line) -> None:
    retention = RetentionPolicy(None, NOW - datetime(2026, 5, 1, tzinfo=UTC) + timedelta(days=1) - 12 * HOUR)
    with transaction(line.engine("pipeline")) as session:
        [month] = partitions_outdated(session, retention=retention, now=datetime(2026, 5, 3, tzinfo=UTC))
        assert not month.is_unfinished
        assert partition_drop(session, month) == ["telemetry_history_202604"]
    line.stage_cache.forget()


def test_buckets_of_zones_between_the_hours_outlive_their_points(line: Line) -> None:
    device = line.device()
    # Before and after midnight in Kolkata (18:30 UTC) and in Kathmandu (18:15 UTC), and within a quarter.
    send(line, device, *((18 + n / 20, n) for n in range(20)), (2.1, True), (3, 5), (42.4, 7))
    line.summarize()
    requests = [
        (zone, bucket, aggregate)
        for zone in ("Asia/Kolkata", "Asia/Kathmandu", "UTC", "Australia/Eucla")
        for bucket in ((0, timedelta(days=1)), (0, HOUR), (1, timedelta()), (0, HOUR / 4), (0, HOUR / 2))
        for aggregate in sorted(HOURLY)
    ]

    def answers() -> list[Any]:
        stored_answers = []
        for zone, bucket, aggregate in requests:
            [series] = read(line, device, timezone=zone, bucket=bucket, aggregate=aggregate)
            stored_answers.append((zone, bucket, aggregate, values(series), series.type, series.incomplete))
        return stored_answers

    before = answers()
    assert not any(is_incomplete for *_, is_incomplete in before)
    assert [5.0 + 1 + sum(range(10)), 7.0 + sum(range(10, 20))] in [item[3] for item in before]
    april_drop(line)
    assert answers() == before
    for aggregate in set(Aggregate) - HOURLY:
        [series] = read(line, device, aggregate=aggregate)
        assert series.incomplete, aggregate


def test_answers_that_need_dropped_points_are_reported_incomplete(line: Line) -> None:
    device, other = line.device(), line.device()
    send(line, device, (0.5, 1), (1.5, 2), (2.5, "off"), (2.6, 3))
    send(line, other, (30.5, 1), metric="u")
    line.summarize()
    assert not read(line, device, bucket=None)[0].incomplete
    april_drop(line)

    def buckets_read(**arguments: Any) -> tuple[list[float], bool]:
        [series] = read(line, device, **arguments)
        return values(series), series.incomplete

    # Hours with texts.
    assert buckets_read() == ([1.0, 2.0], True)
    assert buckets_read(ends=DAY + 2 * HOUR) == ([1.0, 2.0], False)
    # The stored points themselves.
    assert buckets_read(bucket=None) == ([], True)
    assert buckets_read(bucket=None, begins=DAY + 3 * HOUR) == ([], False)
    # Buckets, and beginnings, within a quarter of an hour.
    assert buckets_read(bucket=(0, HOUR / 6), ends=DAY + 2 * HOUR) == ([], True)
    assert buckets_read(begins=DAY + 0.4 * HOUR, ends=DAY + 2 * HOUR) == ([1.0, 2.0], True)
    assert buckets_read(begins=DAY + 0.25 * HOUR, ends=DAY + 2 * HOUR) == ([1.0, 2.0], False)
    # Another series is none the worse for it.
    assert not read(line, other)[0].incomplete


def test_hours_without_quarters_are_reported_where_quarters_are_requested(line: Line) -> None:
    device = line.device()
    send(line, device, (0.5, 1), (1.5, 2))
    line.summarize()
    with transaction(line.engine("owner")) as session:
        session.execute(text("UPDATE series_hours SET quarters = NULL"))
    assert values(read(line, device, timezone="Asia/Kolkata", bucket=(0, timedelta(days=1)))[0]) == [3.0]
    april_drop(line)
    [series] = read(line, device, timezone="Asia/Kolkata", bucket=(0, timedelta(days=1)))
    assert (values(series), series.incomplete) == ([], True)
    [series] = read(line, device, bucket=(0, timedelta(days=1)))
    assert (values(series), series.incomplete) == ([3.0], False)


def test_an_asset_whose_devices_overlap_is_reported_incomplete(line: Line) -> None:
    devices = [line.device(), line.device()]
    asset = line.world.entity(EntityKind.ASSET)
    with line.world.changing() as (session, change):
        drafts = [
            EdgeDraft(source_id=asset, target_id=device, relationship="MONITORED_BY", valid_from=DAY, valid_until=None)
            for device in devices
        ]
        edges_create(session, change=change, drafts=drafts)
    send(line, devices[0], (0.5, 1))
    send(line, devices[1], (1.5, 2))
    line.summarize()
    assert [(values(bucket), bucket.incomplete) for bucket in read(line, asset)] == [([1.0, 2.0], False)]
    april_drop(line)
    assert [(values(bucket), bucket.incomplete) for bucket in read(line, asset)] == [([], True)]
    assert not read(line, devices[0])[0].incomplete


def test_hours_that_are_aggregated_again_leave_none_behind(line: Line) -> None:
    device = line.device()
    send(line, device, (0.5, 1), (1.5, 2))
    line.summarize()
    with transaction(line.engine("owner")) as session:
        # As the migration does that has all hours rebuilt; and a point went unseen meanwhile.
        session.execute(text("UPDATE hours_progress SET until = :d, next = NULL, series_id = NULL"), {"d": DAY})
        session.execute(text("UPDATE series_hours SET first = 9, last = 9, quarters = NULL"))
        session.execute(text('DELETE FROM telemetry_history WHERE "timestamp" < :h'), {"h": DAY + HOUR})
    assert values(read(line, device)[0]) == [2.0]
    line.summarize()
    rows = line.rows("SELECT hour, first, quarters IS NULL AS is_bare FROM series_hours")
    assert [((row.hour - DAY) / HOUR, row.first, row.is_bare) for row in rows] == [(1.0, 2.0, False)]


def test_hours_outlive_their_points_and_late_data_do_not_change_them(line: Line) -> None:
    device = line.device()
    send(line, device, (0.5, 1), (0.6, 2), (1.5, 3))
    line.summarize()
    april_drop(line)
    assert values(read(line, device)[0]) == [3.0, 3.0]
    assert values(read(line, device, bucket=None)[0]) == []
    send(line, device, (0.7, 4), (5.5, 4))
    assert values(read(line, device)[0]) == [3.0, 3.0]
    assert line.summarize() == 0
    assert values(read(line, device)[0]) == [3.0, 3.0]
    assert line.rows("SELECT * FROM dirty_hours") == []


def test_more_than_the_limit_is_reported(line: Line) -> None:
    device = line.device()
    send(line, device, *((n, n) for n in range(6)))
    line.summarize()
    assert len(values(read(line, device, scan_limit=6)[0])) == 6
    with pytest.raises(LimitExceededError):
        read(line, device, scan_limit=5)


def test_another_organization_sees_none_of_it(line: Line, engine: Callable[[str], Engine]) -> None:
    device = line.device()
    send(line, device, (0.5, 1))
    line.summarize()
    other = world_create(owner=engine("owner"), api=engine("api"), slug="other")
    for role in ("api", "pipeline"):
        with transaction(engine(role), other.organization_id) as session:
            assert session.execute(text("SELECT count(*) FROM series_hours")).scalar_one() == 0


def test_the_history_reads_points_where_hours_do_not_serve(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reference that the property test compares with is the road without hours."""
    device = line.device()
    send(line, device, (0.5, 1))
    line.summarize()
    lie(line)
    monkeypatch.setattr(bucketed, "hours_suffice", lambda _: False)
    assert values(read(line, device)[0]) == [1.0]
