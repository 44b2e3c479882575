"""Build hourly aggregates: of hours that have ended, in order, and of invalidated ones. The role is argus_pipeline.

A transaction that writes points of an hour invalidates the hour if it began more than LATE_AFTER_US after the hour's
end. One that does not invalidate it began earlier, and an hour is summarized only when no such transaction runs any
more. So the summary either sees a transaction's points or finds the hour invalidated; the row of `dirty_hours` is
deleted before the points are read, so that a concurrent writer adds another. Only the database's clock is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.arrays import (
    arrays_enable,
    bigint_array,
    boolean_array,
    double_array,
    instant_array,
    int_array,
    smallint_array,
)
from domain.base.failed_items.model import FailedItem
from domain.base.packed import instant_of, micros_of
from domain.telemetry.store.hourly_invalidate import LATE_AFTER_US
from domain.telemetry.store.hourly_isolation import SERIES_ISOLATED, windows_isolated
from domain.telemetry.store.hourly_summary import HOUR_US, HourlyAggregates, hourly_aggregates
from domain.telemetry.store.scan import windows_scan

# What one transaction does at most: invalidated hours; due hours of series; series.
INVALID_HOURS_MAX: Final = 2_000
HOURS_MAX: Final = 20_000
SERIES_MAX: Final = 2_000
# Beyond LATE_AFTER_US: so much may the database's clock step back between two of its readings.
_CLOCK_US: Final = 5 * 60_000_000

_OLDEST_TRANSACTION = text(
    """
    SELECT least(now(), (
        SELECT min(a.xact_start) FROM pg_stat_activity a
        WHERE a.datname = current_database() AND a.usename = current_user
    ))
    """
)
_DUE = text(
    """
    SELECT o.id FROM organizations o LEFT JOIN hours_progress p ON p.organization_id = o.id
    WHERE p.until IS NULL OR p.until < :complete_until
        OR EXISTS (SELECT FROM dirty_hours d WHERE d.organization_id = o.id)
    ORDER BY p.until NULLS FIRST, o.id
    """
)
# An organization without series has nothing to be summarized: whatever is written later is late, and invalidates its
# hour.
_BEGIN = text(
    """
    INSERT INTO hours_progress (organization_id, final_until, until)
    SELECT :organization_id, (SELECT coalesce(max(final_until), '-infinity') FROM hours_progress),
        CASE WHEN EXISTS (SELECT FROM series WHERE organization_id = :organization_id)
            THEN least(:complete_until, (SELECT min(begins) FROM partitions_ended('telemetry_history', 'infinity')))
            ELSE :complete_until END
    ON CONFLICT DO NOTHING
    """
)
_PROGRESS = text(
    """
    SELECT until, next, coalesce(series_id, 0) AS series_id, nullif(final_until, '-infinity') AS final_until
    FROM hours_progress WHERE organization_id = :organization_id FOR UPDATE
    """
)
_INVALID_HOURS = text(
    f"""
    SELECT series_id, hour FROM dirty_hours m WHERE organization_id = :organization_id AND NOT {SERIES_ISOLATED}
    ORDER BY invalidated_at LIMIT :limit FOR UPDATE SKIP LOCKED
    """  # noqa: S608  (a constant)
)
_UNMARK = text(
    """
    DELETE FROM dirty_hours d USING unnest(:series, :hours) AS u (s, h)
    WHERE d.organization_id = :organization_id AND d.series_id = u.s AND d.hour = u.h
    """
)
_CLEAR = text(
    """
    DELETE FROM series_hours a USING unnest(:series, :hours) AS u (s, h)
    WHERE a.organization_id = :organization_id AND a.series_id = u.s AND a.hour = u.h
    """
)
# Due hours: there are some where all is rebuilt.
_CLEAR_RANGE = text(
    """
    DELETE FROM series_hours WHERE organization_id = :organization_id AND series_id = ANY(:series)
        AND hour >= :begins AND hour < :ends
    """
)
_WRITE = text(
    """
    INSERT INTO series_hours AS a (organization_id, series_id, hour, is_whole, points, least_type, greatest_type,
        least, greatest, first, last, sum, sum_error, quarters)
    SELECT :organization_id, u.s, u.h, u.w, CASE WHEN u.w THEN u.n END, CASE WHEN u.w THEN u.lt END,
        CASE WHEN u.w THEN u.gt END, CASE WHEN u.w THEN u.l END, CASE WHEN u.w THEN u.g END,
        CASE WHEN u.w THEN u.f END, CASE WHEN u.w THEN u.z END, CASE WHEN u.w THEN u.t END, CASE WHEN u.w THEN u.e END,
        u.q
    FROM unnest(:series, :hours, :is_whole, :points, :least_types, :greatest_types, :least, :greatest, :first, :last,
        :sums, :errors, CAST(:quarters AS bytea[])) AS u (s, h, w, n, lt, gt, l, g, f, z, t, e, q)
    ON CONFLICT (organization_id, series_id, hour) DO UPDATE SET is_whole = excluded.is_whole, points = excluded.points,
        least_type = excluded.least_type, greatest_type = excluded.greatest_type, least = excluded.least,
        greatest = excluded.greatest, first = excluded.first, last = excluded.last, sum = excluded.sum,
        sum_error = excluded.sum_error, quarters = excluded.quarters
    """
)
_NEXT_MONTH = text("SELECT min(begins) FROM partitions_ended('telemetry_history', 'infinity') WHERE ends > :until")
_SERIES = text(
    """
    SELECT id FROM series WHERE organization_id = :organization_id AND id > :after ORDER BY id LIMIT :limit
    """
)
_ADVANCE = text(
    """
    UPDATE hours_progress SET until = :until, next = :next, series_id = :series_id
    WHERE organization_id = :organization_id
    """
)


@dataclass(frozen=True, slots=True)
class Built:
    """The result of a transaction. hours: aggregated. is_done: nothing is left to do just now.

    failed: series left out.
    """

    hours: int
    is_done: bool
    failed: Sequence[FailedItem] = ()


@dataclass(frozen=True, slots=True)
class _Progress:
    until: datetime
    next: datetime | None
    series_id: int
    final_until: datetime | None


def hours_complete_until(session: Session) -> datetime:
    """Return the instant before which hours may be aggregated: later writes before it invalidate them."""
    oldest: datetime = session.execute(_OLDEST_TRANSACTION).scalar_one()
    complete_us = micros_of(oldest) - LATE_AFTER_US - _CLOCK_US
    return instant_of(complete_us - complete_us % HOUR_US)


def organizations_due(session: Session, *, complete_until: datetime) -> Sequence[int]:
    """Return the organizations that have hours to aggregate, those furthest behind first."""
    return list(session.execute(_DUE, {"complete_until": complete_until}).scalars())


def hours_aggregate(session: Session, *, organization_id: int, complete_until: datetime) -> Built:
    """Aggregate some hours of an organization: invalidated ones first, then the next in order up to `complete_until`.

    complete_until: of an earlier transaction. Others that build for the organization wait.
    """
    arrays_enable(session)
    session.execute(_BEGIN, {"organization_id": organization_id, "complete_until": complete_until})
    progress = _Progress(*session.execute(_PROGRESS, {"organization_id": organization_id}).one())
    invalid_hours = session.execute(
        _INVALID_HOURS, {"organization_id": organization_id, "limit": INVALID_HOURS_MAX}
    ).all()
    if invalid_hours:
        return _invalid_build(
            session, organization_id, [(m.series_id, micros_of(m.hour)) for m in invalid_hours], progress
        )
    if progress.until >= complete_until:
        return Built(0, is_done=True)
    return _next_build(session, organization_id, progress, complete_until)


def _invalid_build(
    session: Session, organization_id: int, invalid_hours: list[tuple[int, int]], progress: _Progress
) -> Built:
    until_us = micros_of(progress.next or progress.until)
    final_us = 0 if progress.final_until is None else micros_of(progress.final_until)
    session.execute(_UNMARK, _pairs(organization_id, invalid_hours))
    # Those to come are summarized in their turn; those whose points were dropped stay what they are.
    again = sorted(invalid_hour for invalid_hour in invalid_hours if final_us <= invalid_hour[1] < until_us)
    session.execute(_CLEAR, _pairs(organization_id, again))
    return _summarize(session, organization_id, _runs(again))


def _next_build(session: Session, organization_id: int, progress: _Progress, complete_until: datetime) -> Built:
    begins, ends = progress.until, progress.next
    if ends is None:
        month = session.execute(_NEXT_MONTH, {"until": begins}).scalar_one()
        begins = max(begins, min(complete_until, month or complete_until))
        ends = min(complete_until, _month_after(begins))
    chunk = max(1, min(SERIES_MAX, HOURS_MAX // max(1, (micros_of(ends) - micros_of(begins)) // HOUR_US)))
    ids = list(
        session.execute(
            _SERIES, {"organization_id": organization_id, "after": progress.series_id, "limit": chunk}
        ).scalars()
    )
    span = {"series": bigint_array(ids), "begins": begins, "ends": ends}
    session.execute(_CLEAR_RANGE, {"organization_id": organization_id, **span})
    built = _summarize(session, organization_id, [(i, micros_of(begins), micros_of(ends)) for i in ids])
    is_last = len(ids) < chunk
    session.execute(
        _ADVANCE,
        {
            "organization_id": organization_id,
            "until": ends if is_last else begins,
            "next": None if is_last else ends,
            "series_id": None if is_last else ids[-1],
        },
    )
    return built


def _summarize(session: Session, organization_id: int, windows: Sequence[tuple[int, int, int]]) -> Built:
    hours = 0

    def work(some: Sequence[tuple[int, int, int]]) -> None:
        nonlocal hours
        summaries = [
            (some[n][0], hourly_aggregates(points))
            for n, points in windows_scan(session, organization_id=organization_id, windows=some)
        ]
        if summaries:
            session.execute(_WRITE, {"organization_id": organization_id, **_columns(summaries)})
        hours += sum(len(aggregates) for _, aggregates in summaries)

    failed = windows_isolated(session, organization_id=organization_id, windows=windows, work=work)
    return Built(hours, is_done=False, failed=failed)


def _columns(summaries: Sequence[tuple[int, HourlyAggregates]]) -> dict[str, object]:
    def column(name: str) -> np.ndarray:
        return np.concatenate([getattr(hours, name) for _, hours in summaries])

    return {
        "series": bigint_array(np.repeat([series for series, _ in summaries], [len(hours) for _, hours in summaries])),
        "hours": instant_array(column("at")),
        "is_whole": boolean_array(column("is_whole")),
        "points": int_array(column("points")),
        "least_types": smallint_array(column("least_type")),
        "greatest_types": smallint_array(column("greatest_type")),
        "least": double_array(column("least")),
        "greatest": double_array(column("greatest")),
        "first": double_array(column("first")),
        "last": double_array(column("last")),
        "sums": double_array(column("sum")),
        "errors": double_array(column("sum_error")),
        "quarters": [quarters for _, hours in summaries for quarters in hours.quarters],
    }


def _pairs(organization_id: int, pairs: Sequence[tuple[int, int]]) -> dict[str, object]:
    return {
        "organization_id": organization_id,
        "series": bigint_array([series for series, _ in pairs]),
        "hours": instant_array([hour for _, hour in pairs]),
    }


def _runs(invalid_hours: Sequence[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """Join hours of one series that follow each other: (series, begin, end). invalid_hours: sorted."""
    runs: list[tuple[int, int, int]] = []
    for series, hour in invalid_hours:
        if runs and runs[-1][0] == series and runs[-1][2] == hour:
            runs[-1] = (series, runs[-1][1], hour + HOUR_US)
        else:
            runs.append((series, hour, hour + HOUR_US))
    return runs


def _month_after(instant: datetime) -> datetime:
    at = instant.astimezone(UTC)
    return datetime(at.year + at.month // 12, at.month % 12 + 1, 1, tzinfo=UTC)
