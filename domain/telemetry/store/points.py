"""Write points: series, history and latest values, in columns. Hot path: four statements for any number."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.arrays import (
    arrays_enable,
    bigint_array,
    double_array,
    instant_array,
    int_array,
    smallint_array,
    text_array,
    uuid_array,
)
from domain.telemetry.model.columns import Normalized, Readings
from domain.telemetry.model.stage_cache import PendingCacheUpdates, StageCache
from domain.telemetry.store.hourly_invalidate import hours_invalidate

_SERIES_MAKE = text(
    """
    INSERT INTO series (organization_id, entity_id, port, metric)
    SELECT :organization_id, u.d, nullif(u.p, -1), u.m FROM unnest(:devices, :ports, :metrics) AS u (d, p, m)
    ON CONFLICT DO NOTHING
    """
)
_SERIES_FIND = text(
    """
    SELECT u.n - 1 AS n, s.id FROM unnest(:devices, :ports, :metrics) WITH ORDINALITY AS u (d, p, m, n)
    JOIN series s ON s.organization_id = :organization_id AND s.entity_id = u.d AND s.metric = u.m
        AND s.port IS NOT DISTINCT FROM nullif(u.p, -1)
    """
)
_ENSURE = text("SELECT ensure_partition('telemetry_history', u.at) FROM unnest(:months) AS u (at)")
_HISTORY = text(
    """
    INSERT INTO telemetry_history AS h (organization_id, type, series_id, "timestamp", value, raw_id, text)
    SELECT :organization_id, u.y, u.s, u.t, nullif(u.v, 'NaN'), u.r, u.x
    FROM unnest(:types, :series, :at, :values, :raw_ids, :texts) AS u (y, s, t, v, r, x)
    ON CONFLICT (organization_id, series_id, "timestamp") DO UPDATE
        SET type = excluded.type, value = excluded.value, raw_id = excluded.raw_id, text = excluded.text
        WHERE excluded.raw_id > h.raw_id
    """
)
_LOSERS = text(
    """
    SELECT u.n - 1 AS n FROM unnest(:series, :at, :raw_ids) WITH ORDINALITY AS u (s, t, r, n)
    LEFT JOIN telemetry_history h ON h.organization_id = :organization_id AND h.series_id = u.s
        AND h."timestamp" = u.t AND h.raw_id = u.r
    WHERE h.raw_id IS NULL
    """
)
_LATEST = text(
    """
    INSERT INTO latest_values AS l (organization_id, type, series_id, "timestamp", value, raw_id, received_at, text)
    SELECT :organization_id, u.y, u.s, u.t, nullif(u.v, 'NaN'), u.r, u.c, u.x
    FROM unnest(:types, :series, :at, :values, :raw_ids, :received, :texts) AS u (y, s, t, v, r, c, x)
    ON CONFLICT (organization_id, series_id) DO UPDATE
        SET type = excluded.type, "timestamp" = excluded."timestamp", value = excluded.value,
            raw_id = excluded.raw_id, received_at = excluded.received_at, text = excluded.text
        WHERE (excluded."timestamp", excluded.raw_id) > (l."timestamp", l.raw_id)
    """
)
# The stored points of readings: each by its own raw id, whatever a schema would make of it today.
_STORED_POINTS = text(
    """
    SELECT u.n - 1 AS n, s.metric, h.type, h.value, h.text
    FROM unnest(:devices, :ports, :at, :raw_ids) WITH ORDINALITY AS u (d, p, t, r, n)
    JOIN series s ON s.organization_id = :organization_id AND s.entity_id = u.d
        AND s.port IS NOT DISTINCT FROM nullif(u.p, -1)
    JOIN telemetry_history h ON h.organization_id = :organization_id AND h.series_id = s.id
        AND h."timestamp" = u.t AND h.raw_id = u.r
    ORDER BY u.n, s.metric COLLATE "C"
    """
)
_LATEST_CLEAR = text("DELETE FROM latest_values WHERE organization_id = :organization_id AND series_id = ANY(:series)")
_LATEST_FIND = text(
    """
    INSERT INTO latest_values (organization_id, type, series_id, "timestamp", value, raw_id, received_at, text)
    SELECT h.organization_id, h.type, h.series_id, h."timestamp", h.value, h.raw_id,
        coalesce(r.received_at, h."timestamp"), h.text
    FROM unnest(:series) AS u (s)
    CROSS JOIN LATERAL (
        SELECT * FROM telemetry_history p
        WHERE p.organization_id = :organization_id AND p.series_id = u.s ORDER BY p."timestamp" DESC LIMIT 1
    ) h
    LEFT JOIN LATERAL (
        SELECT t.received_at FROM telemetry_raw t
        WHERE t.organization_id = h.organization_id AND t.id = h.raw_id LIMIT 1
    ) r ON true
    """
)


@dataclass(frozen=True, slots=True)
class PointColumns:
    """Points of known series. at, received: int64 microseconds since the Unix epoch. texts: by place."""

    series: NDArray[np.int64]
    at: NDArray[np.int64]
    raw_ids: NDArray[np.int64]
    received: NDArray[np.int64]
    types: NDArray[np.int8]
    values: NDArray[np.float64]
    texts: dict[int, str]

    @classmethod
    def none(cls) -> PointColumns:
        """Return no points."""
        whole = np.empty(0, dtype=np.int64)
        return cls(whole, whole, whole, whole, np.empty(0, dtype=np.int8), np.empty(0, dtype=np.float64), {})

    def take(self, index: NDArray[np.intp]) -> PointColumns:
        """Return the points at these places."""
        texts = {}
        if self.texts:
            texts = {new: self.texts[old] for new, old in enumerate(index.tolist()) if old in self.texts}
        return PointColumns(
            self.series[index],
            self.at[index],
            self.raw_ids[index],
            self.received[index],
            self.types[index],
            self.values[index],
            texts,
        )

    def __len__(self) -> int:
        return len(self.series)


def points_of(
    session: Session,
    *,
    organization_id: int,
    readings: Readings,
    normalized: Normalized,
    chosen: NDArray[np.intp],
    stage_cache: StageCache,
    notes: PendingCacheUpdates,
) -> PointColumns:
    """Return the chosen points of normalized readings with their series, created where missing."""
    reading_of = normalized.readings[chosen]
    series = _series_resolve(
        session,
        organization_id=organization_id,
        readings=readings,
        places=reading_of.tolist(),
        names=[normalized.names[m] for m in normalized.metrics[chosen].tolist()],
        stage_cache=stage_cache,
        notes=notes,
    )
    texts = {}
    if normalized.texts:
        texts = {n: normalized.texts[p] for n, p in enumerate(chosen.tolist()) if p in normalized.texts}
    return PointColumns(
        series,
        readings.timestamps[reading_of],
        readings.raw_ids[reading_of],
        readings.received[reading_of],
        normalized.types[chosen],
        normalized.values[chosen],
        texts,
    )


def _series_resolve(
    session: Session,
    *,
    organization_id: int,
    readings: Readings,
    places: list[int],
    names: list[str],
    stage_cache: StageCache,
    notes: PendingCacheUpdates,
) -> NDArray[np.int64]:
    ports = readings.ports.tolist()
    resolved: list[int] = []
    missing: dict[tuple[bytes, int, str], list[int]] = {}
    none: dict[str, int] = {}
    last, known, noted = -1, none, none
    for n, (place, name) in enumerate(zip(places, names, strict=True)):
        if place != last:
            key = (organization_id, readings.devices[place], ports[place])
            last, known, noted = place, stage_cache.series.get(key, none), notes.series.get(key, none)
        series_id = known.get(name) or noted.get(name, 0)
        if not series_id:
            missing.setdefault((readings.devices[place], ports[place], name), []).append(n)
        resolved.append(series_id)
    if missing:
        wanted = {
            "organization_id": organization_id,
            "devices": uuid_array(b"".join(device for device, _, _ in missing)),
            "ports": int_array([port for _, port, _ in missing]),
            "metrics": text_array(name.encode() for _, _, name in missing),
        }
        session.execute(_SERIES_MAKE, wanted)
        rows = {row.n: row.id for row in session.execute(_SERIES_FIND, wanted)}
        for k, ((device, port, name), at) in enumerate(missing.items()):
            notes.series.setdefault((organization_id, device, port), {})[name] = rows[k]
            for n in at:
                resolved[n] = rows[k]
    return np.array(resolved, dtype=np.int64)


def points_write(
    session: Session,
    *,
    organization_id: int,
    points: PointColumns,
    stage_cache: StageCache,
    notes: PendingCacheUpdates,
) -> NDArray[np.intp]:
    """Write points to history and latest values; return the places of those that are now in history.

    At one timestamp of one series the larger raw id stays, whatever came first.
    """
    if not len(points):
        return np.empty(0, dtype=np.intp)
    arrays_enable(session)
    order = np.lexsort((points.raw_ids, points.at, points.series))
    series, at = points.series[order], points.at[order]
    is_new_series = series[1:] != series[:-1]
    is_last = np.r_[is_new_series | (at[1:] != at[:-1]), True]
    last_written = order[is_last]
    ordered = points.take(last_written)
    months_ensure(session, ordered.at, stage_cache=stage_cache, notes=notes)
    hours_invalidate(session, organization_id=organization_id, series=ordered.series, at=ordered.at, notes=notes)
    columns = points_parameters(organization_id, ordered)
    done = session.execute(_HISTORY, columns)
    if done.rowcount != len(last_written):  # type: ignore[attr-defined]
        superseded = [row.n for row in session.execute(_LOSERS, columns)]
        last_written = np.delete(last_written, superseded)
    newest = ordered.take(np.flatnonzero(np.r_[ordered.series[1:] != ordered.series[:-1], True]))
    session.execute(_LATEST, points_parameters(organization_id, newest))
    return last_written


def points_stored(session: Session, *, organization_id: int, readings: Readings) -> Normalized:
    """Return the stored points of readings."""
    arrays_enable(session)
    rows = session.execute(
        _STORED_POINTS,
        {
            "organization_id": organization_id,
            "devices": uuid_array(b"".join(readings.devices)),
            "ports": int_array(readings.ports),
            "at": instant_array(readings.timestamps),
            "raw_ids": bigint_array(readings.raw_ids),
        },
    ).all()
    index: dict[str, int] = {}
    metrics = [index.setdefault(row.metric, len(index)) for row in rows]
    return Normalized(
        names=list(index),
        readings=np.array([row.n for row in rows], dtype=np.int32),
        metrics=np.array(metrics, dtype=np.int32),
        types=np.array([row.type for row in rows], dtype=np.int8),
        values=np.array([math.nan if row.value is None else row.value for row in rows], dtype=np.float64),
        texts={place: row.text for place, row in enumerate(rows) if row.text is not None},
        dead_letters=[],
    )


def latest_recompute(session: Session, *, organization_id: int, series: list[int]) -> None:
    """Recompute the latest values of series from history."""
    if not series:
        return
    arrays_enable(session)
    parameters = {"organization_id": organization_id, "series": bigint_array(series)}
    session.execute(_LATEST_CLEAR, parameters)
    session.execute(_LATEST_FIND, parameters)


def months_ensure(
    session: Session, at: NDArray[np.int64], *, stage_cache: StageCache, notes: PendingCacheUpdates
) -> None:
    """Create partitions of history for these instants (microseconds since the Unix epoch), where missing."""
    months = np.unique(at.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)).tolist()
    missing = [month for month in months if month not in stage_cache.months and month not in notes.months]
    if missing:
        begins = [datetime(1970 + month // 12, month % 12 + 1, 1, tzinfo=UTC) for month in missing]
        session.execute(_ENSURE, {"months": begins})
        notes.months |= set(missing)


def points_parameters(organization_id: int, points: PointColumns) -> dict[str, object]:
    """Return the columns of points as a statement takes them."""
    return {
        "organization_id": organization_id,
        "types": smallint_array(points.types),
        "series": bigint_array(points.series),
        "at": instant_array(points.at),
        "values": double_array(points.values),
        "raw_ids": bigint_array(points.raw_ids),
        "received": instant_array(points.received),
        "texts": text_array(_texts(points)),
    }


def _texts(points: PointColumns) -> list[bytes | None]:
    texts: list[bytes | None] = [None] * len(points)
    for place, value in points.texts.items():
        texts[place] = value.encode()
    return texts
