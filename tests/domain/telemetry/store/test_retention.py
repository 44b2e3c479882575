"""Retention deletes what is too old, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from domain.base.packed import Aggregate, Column, micros_of
from domain.derivation.formulas.changes import points_diff, series_changes
from domain.derivation.formulas.outputs import changes_write, series_ensure
from domain.telemetry.model.readings import RawBatch
from domain.telemetry.model.stage_cache import PendingCacheUpdates
from domain.telemetry.store import retention
from domain.telemetry.store.history import telemetry_read
from domain.telemetry.store.latest import latest_read
from domain.telemetry.store.raw_log import BatchName, raw_batches_read
from domain.telemetry.store.retention import (
    OldPartition,
    RetentionPolicy,
    history_close,
    partition_drop,
    partitions_outdated,
    rows_forget,
    rows_retained_from,
)
from graph.kinds import EntityKind
from runtime.database import transaction
from testing.line import NOW, Line
from testing.world import new_id, world_create

DAY = timedelta(days=1)
OLD = NOW - timedelta(days=100)
RETENTION = RetentionPolicy(raw=timedelta(days=90), points=timedelta(days=365))


@pytest.fixture
def line(engine: Callable[[str], Engine]) -> Line:
    return Line(world_create(owner=engine("owner"), api=engine("api"), slug="line"), engine)


def outdated(line: Line, policy: RetentionPolicy = RETENTION) -> list[OldPartition]:
    with transaction(line.engine("pipeline")) as session:
        return partitions_outdated(session, retention=policy, now=NOW)


def drop(line: Line, policy: RetentionPolicy = RETENTION) -> list[str]:
    gone: list[str] = []
    for partition in outdated(line, policy):
        with transaction(line.engine("pipeline")) as session:
            gone += partition_drop(session, partition)
    return gone


def forget(
    line: Line, policy: RetentionPolicy = RETENTION, tables: Sequence[str] = retention.RAW_ROWS
) -> dict[str, int]:
    gone = {}
    for table in tables:
        with transaction(line.engine("pipeline")) as session:
            before = rows_retained_from(session, table=table, retention=policy, now=NOW)
        assert before is not None
        gone[table] = 0
        page: int | None = 0
        while page is not None:
            with transaction(line.engine("pipeline")) as session:
                count, page = rows_forget(session, table=table, before=before, first_page=page)
            gone[table] += count
    return gone


def partitions(session: Session, table: str) -> set[datetime]:
    rows = session.execute(text("SELECT begins FROM partitions_ended(:table, 'infinity')"), {"table": table})
    return {at.astimezone(UTC) for at in rows.scalars()}


def test_the_raw_log_is_dropped_by_day_of_receipt_with_its_keys_and_dead_letters(line: Line) -> None:
    device = line.device()
    for at, value in ((OLD, 1), (NOW, 2)):
        line.normalize(line.send({"device_id": device, "timestamp": at, "metrics": {"t": value}}, at=at))
        line.normalize(line.send({"device_id": device, "timestamp": -1, "metrics": {"t": value}}, at=at))
    assert drop(line) == ["telemetry_raw_20260121", "raw_batches_20260121"]
    assert forget(line) == {"reading_keys": 2, "dead_letters": 1, "derived_commits": 0}
    assert [tuple(row) for row in line.rows("SELECT received_at FROM telemetry_raw")] == [(NOW,), (NOW,)]
    counts = line.ingest_counts()
    assert (counts.received, counts.stored, counts.dead, counts.duplicate) == (2, 1, 1, 0)
    # Its points stay.
    assert list(line.history().values()) == [1.0, 2.0]
    assert (drop(line), forget(line)) == ([], {"reading_keys": 0, "dead_letters": 0, "derived_commits": 0})


def test_a_day_with_a_batch_that_is_not_finished_stays_whole(line: Line) -> None:
    device = line.device()
    batches = line.send({"device_id": device, "timestamp": OLD, "metrics": {"t": 1}}, at=OLD)
    line.normalize(line.send({"device_id": device, "timestamp": OLD - DAY, "metrics": {"u": 1}}, at=OLD - DAY))
    assert [(partition.name, partition.is_unfinished) for partition in outdated(line)] == [
        ("telemetry_raw_20260120", False),
        ("telemetry_raw_20260121", True),
        ("raw_batches_20260120", False),
        ("raw_batches_20260121", True),
    ]
    assert drop(line) == ["telemetry_raw_20260120", "raw_batches_20260120"]
    assert forget(line)["reading_keys"] == 1
    assert line.ingest_counts().pending == 1
    line.normalize(batches)
    assert (line.ingest_counts().stored, len(line.history())) == (1, 2)
    # Its key stays as long as its reading does.
    assert forget(line)["reading_keys"] == 0
    assert drop(line) == ["telemetry_raw_20260121", "raw_batches_20260121"]
    assert forget(line)["reading_keys"] == 1


def test_points_go_by_month_and_the_latest_value_stays(line: Line) -> None:
    device = line.device()
    for at in (datetime(2025, 3, 31, tzinfo=UTC), datetime(2025, 4, 30, tzinfo=UTC), datetime(2025, 5, 2, tzinfo=UTC)):
        line.normalize(line.send({"device_id": device, "timestamp": at, "metrics": {at.strftime("m%m"): 1}}))
    line.summarize()
    # A month goes when the last instant of it is no longer kept.
    may = RetentionPolicy(None, NOW - datetime(2025, 5, 1, tzinfo=UTC))
    assert [
        partition.name
        for partition in outdated(line, RetentionPolicy(None, NOW - datetime(2025, 4, 30, 23, tzinfo=UTC)))
    ] == ["telemetry_history_202503"]
    assert drop(line, may) == [
        "telemetry_history_202503",
        "telemetry_history_202504",
    ]
    assert [metric for _, _, metric, _ in line.history()] == ["m05"]
    with transaction(line.engine("api"), line.organization_id) as session:
        [series] = telemetry_read(
            session,
            organization_id=line.organization_id,
            entity_ids=[device],
            metrics=["m03"],
            from_=datetime(2025, 1, 1, tzinfo=UTC),
            to=NOW,
            bucket=None,
            aggregate=Aggregate.MEAN,
            timezone="UTC",
            max_points=10,
            now=NOW,
        )[device]
        latest = latest_read(session, organization_id=line.organization_id, entity_ids=[device], metrics=None)[device]
    assert (len(series.timestamps), series.truncated) == (0, False)
    assert sorted(value.metric for value in latest) == ["m03", "m04", "m05"]


JANUARY = datetime(2024, 1, 15, tzinfo=UTC)


def january_drop(line: Line, device: UUID, **metrics: Any) -> list[RawBatch]:
    """Have a reading of a month stored, and the month dropped; return its batches."""
    batches = line.send({"device_id": device, "timestamp": JANUARY, "metrics": {"t": 1, **metrics}})
    line.normalize(batches)
    # Not before it is known what its hours came to.
    assert [(partition.name, partition.is_unfinished) for partition in outdated(line)] == [
        ("telemetry_history_202401", True)
    ]
    assert drop(line) == []
    line.summarize()
    assert drop(line) == ["telemetry_history_202401"]
    return batches


def dead_letters(line: Line) -> list[tuple[Any, ...]]:
    rows = line.rows(
        "SELECT raw_id, metric, code, attempts FROM dead_letters WHERE resolved_at IS NULL ORDER BY raw_id"
    )
    return [tuple(row) for row in rows]


def counts(line: Line) -> tuple[int, int, int, int]:
    counts = line.ingest_counts()
    return counts.stored, counts.duplicate, counts.dead, counts.pending


@pytest.mark.parametrize("remembers", [True, False])
def test_a_reading_before_retention_is_a_dead_letter_and_leaves_nothing(line: Line, *, remembers: bool) -> None:
    device = line.device()
    january_drop(line, device)
    if not remembers:
        line.stage_cache.forget()
    late = {"device_id": device, "timestamp": JANUARY + timedelta(minutes=1), "metrics": {"t": 2, "u": 3}}
    # Of the first month that is kept, too, in the same batch.
    recent = {"device_id": device, "timestamp": datetime(2024, 2, 1, tzinfo=UTC), "metrics": {"t": 4}}
    line.normalize(line.send(late, recent))
    assert counts(line) == (2, 0, 1, 0)
    [(_, metric, code, attempts)] = dead_letters(line)
    assert (metric, code, attempts) == (None, "BEFORE_RETENTION", 1)
    assert list(line.history().values()) == [4.0]
    assert [row.sum for row in line.rows("SELECT sum FROM series_hours ORDER BY hour")] == [1.0]
    assert {row.metric for row in line.rows("SELECT metric FROM series")} == {"t"}
    with transaction(line.engine("pipeline")) as session:
        assert datetime(2024, 1, 1, tzinfo=UTC) not in partitions(session, "telemetry_history")
    # Said twice, it is a repeat.
    line.normalize(line.send(late))
    assert counts(line) == (2, 1, 1, 0)


def test_points_stored_within_retention_stay_stored_on_a_retry(line: Line) -> None:
    device = line.device()
    # One metric of it was refused, and waits to be tried again.
    batches = january_drop(line, device, bad=[1])
    line.normalize(line.send({"device_id": device, "timestamp": JANUARY + DAY, "metrics": {"t": 2}}))
    before = counts(line)
    assert before == (1, 0, 1, 0)
    assert [code for _, _, code, _ in dead_letters(line)] == ["UNSUPPORTED_VALUE", "BEFORE_RETENTION"]
    line.reopen()
    line.normalize(batches)
    rows = line.rows("SELECT id, received_at FROM raw_batches WHERE normalized_at IS NULL")
    with line.pipeline() as session:
        names = [BatchName(line.organization_id, row.id, row.received_at) for row in rows]
        others = raw_batches_read(session, organization_id=line.organization_id, names=names)
    line.normalize(others)
    assert counts(line) == before
    assert [(code, attempts) for _, _, code, attempts in dead_letters(line)] == [
        ("UNSUPPORTED_VALUE", 1),
        ("BEFORE_RETENTION", 2),
    ]
    assert line.history() == {}


def test_months_before_retention_are_closed_even_without_points(line: Line) -> None:
    device = line.device()

    def sent(at: datetime) -> str:
        line.normalize(line.send({"device_id": device, "timestamp": at, "metrics": {"t": at.month}}))
        return dead_letters(line)[-1][2] if len(dead_letters(line)) > dead[0] else "stored"

    dead = [0]

    def close(policy: RetentionPolicy) -> None:
        dead[0] = len(dead_letters(line))
        with transaction(line.engine("pipeline")) as session:
            assert history_close(session, retention=policy, now=NOW)

    close(RETENTION)
    # The month in which what is kept begins is kept whole.
    assert sent(datetime(2025, 5, 1, tzinfo=UTC)) == "stored"
    assert sent(datetime(2025, 4, 30, 23, 59, tzinfo=UTC)) == "BEFORE_RETENTION"
    # Kept for longer, or for ever: as nothing was dropped, it may be loaded.
    close(RetentionPolicy(None, timedelta(days=800)))
    assert sent(datetime(2025, 4, 30, 23, 59, 1, tzinfo=UTC)) == "stored"
    close(RetentionPolicy(None, None))
    assert sent(datetime(2015, 4, 30, tzinfo=UTC)) == "stored"
    # A month with points stays open until they have been dropped, and so do those after it.
    close(RETENTION)
    assert sent(datetime(2015, 4, 29, tzinfo=UTC)) == "stored"
    assert sent(datetime(2024, 4, 29, tzinfo=UTC)) == "stored"
    line.summarize()
    drop(line)
    close(RetentionPolicy(None, None))
    # What was dropped stays closed.
    assert sent(datetime(2015, 4, 28, tzinfo=UTC)) == "BEFORE_RETENTION"


def test_a_month_goes_only_after_all_before_it(line: Line) -> None:
    device = line.device()
    for month in (1, 2):
        line.normalize(line.send({"device_id": device, "timestamp": JANUARY.replace(month=month), "metrics": {"t": 1}}))
    line.summarize()
    line.normalize(line.send({"device_id": device, "timestamp": JANUARY + DAY, "metrics": {"t": 2}}))
    # January is to be summarized again; February must not make it final.
    with transaction(line.engine("pipeline")) as session:
        [january, february] = partitions_outdated(session, retention=RETENTION, now=NOW)
        assert (january.is_unfinished, february.is_unfinished) == (True, False)
        assert list(partition_drop(session, february)) == []
    line.summarize()
    assert drop(line) == ["telemetry_history_202401", "telemetry_history_202402"]
    assert [row.sum for row in line.rows("SELECT sum FROM series_hours ORDER BY hour")] == [1.0, 2.0, 1.0]


def test_derived_points_are_not_written_before_retention(line: Line) -> None:
    january_drop(line, line.device())
    asset = line.world.entity(EntityKind.ASSET)
    at = np.array([micros_of(JANUARY), micros_of(datetime(2024, 2, 1, tzinfo=UTC))])
    notes = PendingCacheUpdates()
    with line.pipeline() as session:
        series = series_ensure(
            session,
            organization_id=line.organization_id,
            metric="d",
            unit=None,
            entities=[asset.bytes],
            stage_cache=line.stage_cache,
            notes=notes,
            is_recompute=False,
        )
        wanted = Column(np.zeros(2, dtype=np.int64), at, np.array([1.0, 2.0]))
        nothing = Column(wanted.owner[:0], wanted.at[:0], wanted.values[:0])
        points = points_diff(metric="d", entities=[asset.bytes], wanted=wanted, stored=nothing)
        changes = changes_write(
            session,
            organization_id=line.organization_id,
            changes=series_changes(points, series=series),
            stage_cache=line.stage_cache,
            notes=notes,
        )
    assert list(line.history().values()) == [2.0]
    # Nor announced.
    assert [(change.points.at.tolist(), change.points.begins_us) for change in changes] == [([at[1]], at[1])]


def test_a_repeat_before_retention_is_reported_as_a_duplicate_while_its_key_is_stored(
    line: Line,
) -> None:
    device = line.device()
    reading = {"device_id": device, "timestamp": OLD, "metrics": {"t": 1}}
    line.normalize(line.send(reading, at=OLD))
    line.normalize(line.send(reading, at=NOW - DAY))
    assert line.ingest_counts(from_=NOW - 2 * DAY).duplicate == 1
    drop(line)
    forget(line)
    # The reading it repeats is gone, and what became of it is not forgotten.
    counts = line.ingest_counts()
    assert (counts.received, counts.duplicate, counts.dead) == (1, 1, 0)
    line.normalize(line.send(reading))
    assert list(line.history().values()) == [1.0]
    assert line.ingest_counts().pending == 0


def test_partitions_in_use_stay_and_others_wait_briefly(line: Line) -> None:
    device = line.device()
    line.normalize(line.send({"device_id": device, "timestamp": OLD, "metrics": {"t": 1}}, at=OLD))
    # Batches stay as long as their readings.
    for table, gone in (("telemetry_raw", []), ("raw_batches", ["telemetry_raw_20260121"])):
        with transaction(line.engine("api"), line.organization_id) as session:
            session.execute(text(f"SELECT count(*) FROM {table}"))  # noqa: S608
            assert drop(line) == gone
    assert drop(line) == ["raw_batches_20260121"]


def test_no_other_tables_and_nothing_young_can_be_dropped(line: Line) -> None:
    for statement in (
        "SELECT drop_partitions('telemetry_raw', now())",
        "SELECT drop_partitions('telemetry_raw', 'infinity')",
        "SELECT drop_partitions('changes', now() - interval '9 years')",
        "SELECT delete_expired_rows('reading_keys', now(), 0, 1)",
        "SELECT delete_expired_rows('changes', now() - interval '9 years', 0, 1)",
    ):
        with pytest.raises(DBAPIError) as refused, transaction(line.engine("pipeline")) as session:
            session.execute(text(statement))
        assert getattr(refused.value.orig, "sqlstate", None) == "P0001"
    with pytest.raises(ValueError, match="At least"):
        outdated(line, RetentionPolicy(timedelta(hours=3), None))


def test_rows_go_page_by_page_and_of_every_organization(
    line: Line, engine: Callable[[str], Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "PAGES", 1)
    other = world_create(owner=engine("owner"), api=engine("api"), slug="other")
    with transaction(engine("owner")) as session:
        session.execute(
            text(
                "INSERT INTO reading_keys SELECT o, gen_random_uuid(), gen_random_uuid(), n,"
                " CASE WHEN n % 3 = 0 THEN cast(:new AS timestamptz) ELSE :old END, true"
                " FROM generate_series(1, 600) n, unnest(cast(:of AS int[])) o"
            ),
            {"new": NOW, "old": OLD, "of": [line.organization_id, other.organization_id]},
        )
        session.execute(
            text(
                "INSERT INTO derived_commits SELECT :o, 0, n, CASE WHEN n = 3 THEN cast(:new AS timestamptz) ELSE :old END,"
                " '{}', '{}', '{}', false FROM generate_series(1, 3) n"
            ),
            {"new": NOW, "old": OLD, "o": other.organization_id},
        )
    gone = forget(line)
    assert (gone["reading_keys"], gone["derived_commits"]) == (800, 2)
    assert {row.received_at for row in line.rows("SELECT received_at FROM reading_keys")} == {NOW}


def test_processed_changes_and_notifications_expire_and_waiting_ones_stay(line: Line) -> None:
    event, opened, rule = new_id(), new_id(), new_id()
    values = {"o": line.organization_id, "old": NOW - 400 * DAY, "new": NOW, "r": rule, "e": event, "open": opened}
    with transaction(line.engine("owner")) as session:
        for statement in (
            "INSERT INTO rules VALUES (:o, :r, 'hot', :old, :old)",
            (
                "INSERT INTO events (organization_id, id, rule_id, entity_id, key, version_id, severity, began_at,"
                " opened_at, cleared_at, cleared_reason, flaps, detected_at) SELECT :o, id, :r, id, '', id, 'HIGH', :old,"
                " :old, cleared, CASE WHEN cleared IS NOT NULL THEN 'CONDITION' END, 0, :old"
                " FROM (VALUES (cast(:e AS uuid), cast(:old AS timestamptz)), (:open, NULL)) v (id, cleared)"
            ),
            (
                "INSERT INTO event_changes (organization_id, event_id, kind, at, recorded_at, side_effects_disabled, processed_at)"
                " SELECT :o, :e, 'OPENED', :old, :old, false, acted"
                " FROM (VALUES (cast(:old AS timestamptz)), (:new), (NULL)) v (acted)"
            ),
            (
                "INSERT INTO event_corrections (organization_id, event_id, recorded_at, before, after)"
                " SELECT :o, :e, at, '{}', '{}' FROM (VALUES (cast(:old AS timestamptz)), (:new)) v (at)"
            ),
            (
                "INSERT INTO notifications (organization_id, id, event_id, url, payload, state, due_at,"
                " created_at, finished_at) SELECT :o, gen_random_uuid(), event, n::text, '{}', state, :old, :old, finished"
                " FROM (VALUES (1, cast(:e AS uuid), 'DELIVERED', cast(:old AS timestamptz)), (2, :e, 'DEAD', :old),"
                " (3, :e, 'DEAD', :new), (4, :e, 'PENDING', NULL), (5, :open, 'DELIVERED', :old))"
                " v (n, event, state, finished)"
            ),
        ):
            session.execute(text(statement), values)
    policy = RetentionPolicy(None, None, changes=30 * DAY, notifications=90 * DAY, history=365 * DAY)
    tables = ("event_changes", "notifications", "event_corrections", "activity_steps")
    assert forget(line, policy, tables) == {
        "event_changes": 1, "notifications": 2, "event_corrections": 1, "activity_steps": 0,
    }  # fmt: skip
    assert [row.processed_at for row in line.rows("SELECT processed_at FROM event_changes ORDER BY processed_at")] == [
        NOW,
        None,
    ]
    assert [row.url for row in line.rows("SELECT url FROM notifications ORDER BY 1")] == ["3", "4", "5"]
    with transaction(line.engine("pipeline")) as session:
        unlimited = [
            rows_retained_from(session, table=table, retention=RetentionPolicy(None, None), now=NOW) for table in tables
        ]
    assert unlimited == [None] * 4


def test_of_states_behind_the_points_one_a_month_stays(line: Line) -> None:
    line.normalize(line.send({"device_id": line.device(), "timestamp": NOW, "metrics": {"t": 1}}))
    first = NOW.replace(day=1, hour=0) - 400 * DAY
    with transaction(line.engine("owner")) as session:
        session.execute(
            text(
                "INSERT INTO rule_states SELECT :o, e, e, '', cast(:first AS timestamptz) + n * interval '1 day', '{}'"
                " FROM generate_series(0, 400) n, unnest(cast(:pairs AS uuid[])) e"
            ),
            {"o": line.organization_id, "first": first, "pairs": [new_id(), new_id()]},
        )
    policy = RetentionPolicy(None, 365 * DAY)
    with transaction(line.engine("pipeline")) as session:
        before = rows_retained_from(session, table="rule_states", retention=policy, now=NOW)
    assert before == NOW - 365 * DAY
    every = {row.at for row in line.rows("SELECT at FROM rule_states")}
    gone = forget(line, policy, ("rule_states",))
    left = {row.at for row in line.rows("SELECT at FROM rule_states")}
    last = {max(at for at in every if at <= before and (at.year, at.month) == month) for month in {
        (at.year, at.month) for at in every if at <= before
    }}  # fmt: skip
    assert left == last | {at for at in every if at >= before}
    assert gone == {"rule_states": 2 * (len(every) - len(left))}


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    days=st.sets(st.integers(0, 800), max_size=6),
    months=st.sets(st.integers(0, 800), max_size=4),
    raw=st.none() | st.integers(1, 700),
    points=st.none() | st.integers(1, 700),
)
def test_exactly_what_ended_before_goes(
    line: Line, days: set[int], months: set[int], raw: int | None, points: int | None
) -> None:
    policy = RetentionPolicy(*(None if age is None else timedelta(days=age) for age in (raw, points)))
    line.summarize()
    with line.pipeline() as session:
        for table, ages in (("telemetry_raw", days), ("raw_batches", days), ("telemetry_history", months)):
            for age in ages:
                session.execute(text("SELECT ensure_partition(:t, :at)"), {"t": table, "at": NOW - age * DAY})
        before = {table: partitions(session, table) for table in ("telemetry_raw", "raw_batches", "telemetry_history")}
        for partition in partitions_outdated(session, retention=policy, now=NOW):
            partition_drop(session, partition)
        for table, limit in (("telemetry_raw", raw), ("raw_batches", raw), ("telemetry_history", points)):
            stays = {at for at in before[table] if limit is None or ends(table, at) > NOW - limit * DAY}
            assert partitions(session, table) == stays
        session.rollback()


def ends(table: str, begins: datetime) -> datetime:
    return (begins.replace(day=1) + 32 * DAY).replace(day=1) if table == "telemetry_history" else begins + DAY
