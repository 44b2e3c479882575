"""Find whether, and since when, anything was measured of an asset, however long ago: freshness needs it.

A first reading counts for ever: an asset that was once measured and stops sending is known to be silent. So neither
question has a lower time bound. Both are answered by index look-ups over the link intervals of each series, by the
latest point where that decides, and by the hours of series beyond the retention of points.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable, bigint_array, instant_array
from domain.base.packed import instant_of, micros_of
from domain.derivation.rollups.buckets import FIRST_US, LAST_US
from domain.telemetry.model.attribution import Segment

# Before it points are beyond retention; hours of series are not.
_FINAL_UNTIL = (
    "coalesce((SELECT p.final_until FROM hours_progress p WHERE p.organization_id = :organization_id), '-infinity')"
)
_BEFORE = text(
    f"""
    SELECT u.n - 1 AS n FROM unnest(:series, :begins, :ends) WITH ORDINALITY AS u (s, b, e, n)
    JOIN latest_values l ON l.organization_id = :organization_id AND l.series_id = u.s AND l."timestamp" >= u.b
    WHERE l."timestamp" < u.e
        OR EXISTS (
            SELECT FROM telemetry_history h WHERE h.organization_id = :organization_id AND h.series_id = u.s
                AND h."timestamp" >= u.b AND h."timestamp" < u.e)
        OR EXISTS (
            SELECT FROM series_hours r WHERE r.organization_id = :organization_id AND r.series_id = u.s
                AND r.hour >= u.b AND r.hour < u.e AND r.hour < {_FINAL_UNTIL})
    """  # noqa: S608  (constants)
)
_FIRST = text(
    f"""
    SELECT min(p.at) FROM unnest(:series, :begins, :ends) AS u (s, b, e)
    CROSS JOIN LATERAL (
        (SELECT h."timestamp" AS at FROM telemetry_history h
         WHERE h.organization_id = :organization_id AND h.series_id = u.s
            AND h."timestamp" >= u.b AND h."timestamp" < u.e ORDER BY h."timestamp" LIMIT 1)
        UNION ALL
        (SELECT r.hour FROM series_hours r
         WHERE r.organization_id = :organization_id AND r.series_id = u.s
            AND r.hour >= u.b AND r.hour < u.e AND r.hour < {_FINAL_UNTIL} ORDER BY r.hour LIMIT 1)
    ) p
    """  # noqa: S608  (constants)
)
_STORED = text("SELECT since FROM health_measured WHERE organization_id = :organization_id AND entity_id = :asset_id")
_SET = text(
    """
    INSERT INTO health_measured (organization_id, entity_id, since) VALUES (:organization_id, :asset_id, :since)
    ON CONFLICT (organization_id, entity_id) DO UPDATE SET since = excluded.since
    """
)
_DROP = text("DELETE FROM health_measured WHERE organization_id = :organization_id AND entity_id = :asset_id")


def measured_before(
    session: Session, *, organization_id: int, requests: Iterable[tuple[Sequence[Segment], int]]
) -> list[bool]:
    """Tell, for each (segments, instant), whether a series has a point within a segment and before the instant.

    One statement, none where there is no segment.
    """
    pairs = list(requests)
    windows = [
        (n, segment.series.id, *span)
        for n, (segments, before_us) in enumerate(pairs)
        for segment in segments
        for span in [_clipped(segment, before_us)]
        if span[0] < span[1]
    ]
    is_measured = [False] * len(pairs)
    if windows:
        arrays_enable(session)
        rows = session.scalars(_BEFORE, {"organization_id": organization_id, **_columns(windows)})
        for row in rows:
            is_measured[windows[row][0]] = True
    return is_measured


def measured_since(session: Session, *, organization_id: int, segments: Sequence[Segment]) -> int | None:
    """Return the time of the first point within any of the segments; None: there is none. One statement at most."""
    windows = [(0, segment.series.id, *_clipped(segment, LAST_US)) for segment in segments]
    if not windows:
        return None
    arrays_enable(session)
    first = session.scalar(_FIRST, {"organization_id": organization_id, **_columns(windows)})
    return None if first is None else micros_of(first)


def measured_since_get(session: Session, *, organization_id: int, asset_id: UUID) -> int | None:
    """Return since when an asset counts as measured in its stored health series; None: never. One statement."""
    since = session.scalar(_STORED, {"organization_id": organization_id, "asset_id": asset_id})
    return None if since is None else micros_of(since)


def measured_since_write(session: Session, *, organization_id: int, asset_id: UUID, since_us: int | None) -> None:
    """Store since when an asset counts as measured in its health series. One statement."""
    asset = {"organization_id": organization_id, "asset_id": asset_id}
    if since_us is None:
        session.execute(_DROP, asset)
    else:
        session.execute(_SET, {**asset, "since": instant_of(since_us)})


def _clipped(segment: Segment, before_us: int) -> tuple[int, int]:
    return max(segment.begins_us, FIRST_US), min(segment.ends_us, before_us, LAST_US)


def _columns(windows: Sequence[tuple[int, int, int, int]]) -> dict[str, Any]:
    return {
        "series": bigint_array([series for _, series, _, _ in windows]),
        "begins": instant_array([begins for _, _, begins, _ in windows]),
        "ends": instant_array([ends for _, _, _, ends in windows]),
    }
