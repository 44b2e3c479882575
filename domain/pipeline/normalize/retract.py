"""Retract points that readings no longer mean, and store in their place what other readings said. Rare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable, bigint_array, instant_array, int_array, uuid_array
from domain.base.packed import micros_of
from domain.pipeline.normalize.plan import readings_normalize
from domain.telemetry.model.columns import Normalized, Readings
from domain.telemetry.model.readings import NO_PORT
from domain.telemetry.model.schemas import SchemaVersions
from domain.telemetry.model.stage_cache import PendingCacheUpdates, StageCache
from domain.telemetry.store.hourly_invalidate import hours_invalidate
from domain.telemetry.store.points import PointColumns, points_of, points_parameters, points_write

# By raw id, not by name and value: a schema that was edited since would give others. EXCEPT, for it is hashed or
# sorted whatever the planner believes of the arrays.
_RETRACT = text(
    """
    WITH stored AS MATERIALIZED (
        SELECT h.series_id, h."timestamp", h.raw_id, h.type, h.value, h.text
        FROM unnest(:devices, :ports, :reading_at, :reading_ids) AS u (d, p, t, r)
        JOIN series s ON s.organization_id = :organization_id AND s.entity_id = u.d
            AND s.port IS NOT DISTINCT FROM nullif(u.p, -1)
        JOIN telemetry_history h ON h.organization_id = :organization_id AND h.series_id = s.id
            AND h."timestamp" = u.t AND h.raw_id = u.r
    ), stale AS (
        SELECT * FROM stored
        EXCEPT
        SELECT k.s, k.t, k.r, k.y, nullif(k.v, 'NaN'), k.x
        FROM unnest(:series, :at, :raw_ids, :types, :values, :texts) AS k (s, t, r, y, v, x)
    ), gone AS (
        DELETE FROM telemetry_history h USING stale o
        WHERE h.organization_id = :organization_id AND h.series_id = o.series_id AND h."timestamp" = o."timestamp"
            AND h.raw_id = o.raw_id
        RETURNING h.series_id, h."timestamp", h.raw_id
    )
    SELECT (SELECT count(*) FROM stored) - count(*) AS remaining,
        coalesce(array_agg(series_id ORDER BY series_id, "timestamp"), '{}') AS series,
        coalesce(array_agg("timestamp" ORDER BY series_id, "timestamp"), '{}') AS at,
        coalesce(array_agg(raw_id ORDER BY series_id, "timestamp"), '{}') AS raw_ids
    FROM gone
    """
)
READING_COLUMNS = 'r.id, r.device_id, r.port, r."timestamp", r.received_at, r.key, r.metrics::text AS metrics'
# What else was said at the same device, port and time, by readings that count and have been processed.
_BESIDE = text(
    f"""
    SELECT DISTINCT ON (r.id) {READING_COLUMNS} FROM unnest(:devices, :ports, :reading_at) AS u (d, p, t)
    JOIN telemetry_raw r ON r.organization_id = :organization_id AND r.device_id = u.d AND r."timestamp" = u.t
        AND coalesce(r.port, -1) = u.p
    JOIN reading_keys k ON k.organization_id = r.organization_id AND k.device_id = r.device_id AND k.key = r.key
        AND k.raw_id = r.id
    ORDER BY r.id
    """  # noqa: S608  (only names from above)
)


@dataclass(frozen=True, slots=True)
class NormalizationContext:
    """The context of normalizing an organization's readings: schemas, caches and bounds.

    retained_from_us: from when on points are kept, in microseconds since the Unix epoch.
    """

    organization_id: int
    future_tolerance: timedelta
    schemas: Mapping[bytes, SchemaVersions]
    stage_cache: StageCache
    retained_from_us: int

    def normalized(self, readings: Readings) -> Normalized:
        """Return readings as points and dead letters."""
        return readings_normalize(
            readings,
            future_tolerance=self.future_tolerance,
            schemas=self.schemas,
            retained_from_us=self.retained_from_us,
        )


@dataclass(frozen=True, slots=True)
class Retracted:
    """The result of a retraction. remaining: how many points stayed.

    series: those that lost one; their latest values are to be looked up again once what is left to write is written.
    """

    series: list[int]
    remaining: int


def readings_retract(
    session: Session,
    *,
    context: NormalizationContext,
    readings: Readings,
    points: PointColumns | None,
    notes: PendingCacheUpdates,
) -> Retracted:
    """Remove from history every point of these readings that is not among `points` just so.

    Where another reading said something at the same (device, port, metric, timestamp), its point takes the place.
    """
    arrays_enable(session)
    if points is None:
        points = PointColumns.none()
    done = session.execute(
        _RETRACT, {**_reading_parameters(readings), **points_parameters(context.organization_id, points)}
    ).one()
    if done.series:
        hours_invalidate(
            session,
            organization_id=context.organization_id,
            series=np.array(done.series, dtype=np.int64),
            at=np.array([micros_of(at) for at in done.at], dtype=np.int64),
            notes=notes,
        )
        losers, themselves = set(done.raw_ids), set(readings.raw_ids.tolist())
        places = np.array([n for n, raw_id in enumerate(readings.raw_ids.tolist()) if raw_id in losers], dtype=np.intp)
        beside = session.execute(
            _BESIDE, {"organization_id": context.organization_id, **_reading_parameters(readings.take(places))}
        ).all()
        _write(session, context, readings_of([row for row in beside if row.id not in themselves]), notes)
        notes.units_to_check |= set(done.series)
    return Retracted(sorted(set(done.series)), done.remaining)


def readings_of(rows: object) -> Readings:
    """Return readings of the raw log, from rows of READING_COLUMNS."""
    listed = list(rows)  # type: ignore[call-overload]
    return Readings(
        np.array([row.id for row in listed], dtype=np.int64),
        np.zeros(len(listed), dtype=np.int32),
        [row.device_id.bytes for row in listed],
        np.array([NO_PORT if row.port is None else row.port for row in listed], dtype=np.int32),
        np.array([micros_of(row.timestamp) for row in listed], dtype=np.int64),
        np.array([micros_of(row.received_at) for row in listed], dtype=np.int64),
        [row.key.bytes for row in listed],
        [orjson.loads(row.metrics) for row in listed],
    )


def _reading_parameters(readings: Readings) -> dict[str, object]:
    return {
        "devices": uuid_array(b"".join(readings.devices)),
        "ports": int_array(readings.ports),
        "reading_at": instant_array(readings.timestamps),
        "reading_ids": bigint_array(readings.raw_ids),
    }


def _write(session: Session, context: NormalizationContext, beside: Readings, notes: PendingCacheUpdates) -> None:
    if not len(beside):
        return
    meant = context.normalized(beside)
    points = points_of(
        session,
        organization_id=context.organization_id,
        readings=beside,
        normalized=meant,
        chosen=np.arange(len(meant.readings), dtype=np.intp),
        stage_cache=context.stage_cache,
        notes=notes,
    )
    points_write(
        session, organization_id=context.organization_id, points=points, stage_cache=context.stage_cache, notes=notes
    )
