"""Write derived points: only what differs from what is stored. Hot path: a few statements for any number."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable, bigint_array, double_array, instant_array, uuid_array
from domain.derivation.formulas.changes import SeriesChange, changes_clip
from domain.telemetry.model.readings import NO_PORT
from domain.telemetry.model.stage_cache import PendingCacheUpdates, StageCache
from domain.telemetry.store.hourly_invalidate import hours_invalidate
from domain.telemetry.store.points import latest_recompute, months_ensure
from domain.telemetry.store.retention_bound import retained_from_check

_NONE: dict[str, int] = {}
# What writes a series: `series.origin`.
FORMULA: Final = "formula"

_SERIES_MAKE = text(
    """
    INSERT INTO series (organization_id, entity_id, port, metric, unit, origin)
    SELECT :organization_id, u.e, NULL, :metric, :unit, :origin FROM unnest(:entities) AS u (e)
    ON CONFLICT (organization_id, entity_id, port, metric)
        DO UPDATE SET unit = excluded.unit, origin = excluded.origin
        WHERE (series.unit, series.origin) IS DISTINCT FROM (excluded.unit, excluded.origin)
    """
)
_SERIES_FIND = text(
    """
    SELECT u.n - 1 AS n, s.id FROM unnest(:entities) WITH ORDINALITY AS u (e, n)
    JOIN series s ON s.organization_id = :organization_id AND s.entity_id = u.e AND s.metric = :metric
        AND s.port IS NULL
    """
)
_HISTORY = text(
    """
    INSERT INTO telemetry_history AS h (organization_id, type, series_id, "timestamp", value, raw_id, text)
    SELECT :organization_id, 0, u.s, u.t, u.v, 0, NULL FROM unnest(:series, :at, :values) AS u (s, t, v)
    ON CONFLICT (organization_id, series_id, "timestamp") DO UPDATE SET value = excluded.value
        WHERE h.value IS DISTINCT FROM excluded.value
    """
)
_LATEST = text(
    """
    INSERT INTO latest_values AS l (organization_id, type, series_id, "timestamp", value, raw_id, received_at, text)
    SELECT :organization_id, 0, u.s, u.t, u.v, 0, NULL, NULL FROM unnest(:series, :at, :values) AS u (s, t, v)
    ON CONFLICT (organization_id, series_id) DO UPDATE SET "timestamp" = excluded."timestamp", value = excluded.value
        WHERE excluded."timestamp" >= l."timestamp"
    """
)
_REMOVE = text(
    """
    DELETE FROM telemetry_history h USING unnest(:series, :at) AS u (s, t)
    WHERE h.organization_id = :organization_id AND h.series_id = u.s AND h."timestamp" = u.t
    """
)
_UNRECEIVED = text(
    "UPDATE latest_values SET received_at = NULL WHERE organization_id = :organization_id AND series_id = ANY(:series)"
)
_COMMIT = text(
    """
    INSERT INTO derived_commits
        (organization_id, partition, position, committed_at, series_ids, begins, ends, corrects)
    VALUES (:organization_id, :partition, :position, :now, :series, :begins, :ends, :corrects)
    """
)


def series_ensure(
    session: Session,
    *,
    organization_id: int,
    metric: str,
    unit: str | None,
    entities: Collection[bytes],
    stage_cache: StageCache,
    notes: PendingCacheUpdates,
    is_recompute: bool,
    origin: str = FORMULA,
) -> dict[bytes, int]:
    """Return the series of one derived metric by entity, created where missing; cached ones cost no statement.

    origin: what writes it. is_recompute: the formula may be another, and so the unit: then all are looked up. Two
    statements at most.
    """
    known: dict[bytes, int] = {}
    missing: list[bytes] = []
    for entity in entities:
        key = (organization_id, entity, NO_PORT)
        series_id = stage_cache.series.get(key, _NONE).get(metric) or notes.series.get(key, _NONE).get(metric)
        if series_id and not is_recompute:
            known[entity] = series_id
        else:
            missing.append(entity)
    if missing:
        arrays_enable(session)
        wanted = {"organization_id": organization_id, "entities": uuid_array(b"".join(missing)), "metric": metric}
        session.execute(_SERIES_MAKE, {**wanted, "unit": unit, "origin": origin})
        for row in session.execute(_SERIES_FIND, wanted):
            known[missing[row.n]] = row.id
            notes.series.setdefault((organization_id, missing[row.n], NO_PORT), {})[metric] = row.id
    return known


def changes_write(
    session: Session,
    *,
    organization_id: int,
    changes: Sequence[SeriesChange],
    stage_cache: StageCache,
    notes: PendingCacheUpdates,
) -> list[SeriesChange]:
    """Apply changes to history and latest values; return them. Two statements, or five where points are removed.

    Points before the retention bound are left out of the changes and not written. One statement
    more where anything is old.
    """
    if not changes:
        return []
    arrays_enable(session)
    oldest_us = min(change.points.begins_us for change in changes)
    retained_from_us = retained_from_check(session, oldest_us=oldest_us, notes=notes)
    changes = changes_clip(changes, retained_from_us=retained_from_us)
    written = [change for change in changes if len(change.points.at)]
    if written:
        at = np.concatenate([change.points.at for change in written])
        months_ensure(session, at, stage_cache=stage_cache, notes=notes)
        series = np.repeat([change.series_id for change in written], [len(change.points.at) for change in written])
        hours_invalidate(session, organization_id=organization_id, series=series, at=at, notes=notes)
        values = np.concatenate([change.points.values for change in written])
        session.execute(_HISTORY, _columns(organization_id, series, at, values))
        last = np.cumsum([len(change.points.at) for change in written]) - 1
        # A series that changed over times far apart is among them several times: its latest point is the latest value.
        last = last[np.lexsort((at[last], series[last]))]
        last = last[np.r_[series[last][1:] != series[last][:-1], True]]
        session.execute(_LATEST, _columns(organization_id, series[last], at[last], values[last]))
    removed = [change for change in changes if len(change.points.removed)]
    if removed:
        series = np.repeat([change.series_id for change in removed], [len(change.points.removed) for change in removed])
        at = np.concatenate([change.points.removed for change in removed])
        hours_invalidate(session, organization_id=organization_id, series=series, at=at, notes=notes)
        session.execute(
            _REMOVE, {"organization_id": organization_id, "series": bigint_array(series), "at": instant_array(at)}
        )
        ids = sorted({change.series_id for change in removed})
        latest_recompute(session, organization_id=organization_id, series=ids)
        session.execute(_UNRECEIVED, {"organization_id": organization_id, "series": bigint_array(ids)})
    return changes


def _columns(
    organization_id: int, series: NDArray[np.int64], at: NDArray[np.int64], values: NDArray[np.float64]
) -> dict[str, object]:
    return {
        "organization_id": organization_id,
        "series": bigint_array(series),
        "at": instant_array(at),
        "values": double_array(values),
    }


@dataclass(frozen=True, slots=True)
class DerivedCommit:
    """The changes of one commit of the derive stage, at an offset of the live feed."""

    organization_id: int
    partition: int
    position: int
    committed_at: datetime
    changes: Sequence[SeriesChange]

    @property
    def entities(self) -> list[UUID]:
        """The changed entities, once each."""
        return [UUID(bytes=entity) for entity in dict.fromkeys(change.points.entity for change in self.changes)]


def commit_write(session: Session, *, commit: DerivedCommit) -> None:
    """Store a commit's entry of the live feed. One statement."""
    arrays_enable(session)
    session.execute(
        _COMMIT,
        {
            "organization_id": commit.organization_id,
            "partition": commit.partition,
            "position": commit.position,
            "now": commit.committed_at,
            "series": bigint_array([change.series_id for change in commit.changes]),
            "begins": instant_array([change.points.begins_us for change in commit.changes]),
            "ends": instant_array([change.points.ends_us for change in commit.changes]),
            "corrects": any(change.points.corrects for change in commit.changes),
        },
    )
