"""Writes derived points: what differs from what stands, and nothing else. Hot path: a few statements for any number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.derivation.derive import NOTHING, Column
from domain.telemetry.arrays import (
    arrays_enable,
    bigint_array,
    double_array,
    instant_array,
    text_array,
    uuid_array,
)
from domain.telemetry.readings import NO_PORT
from domain.telemetry.stages.memory import StageMemory, StageNotes
from domain.telemetry.stages.points import latest_recompute, months_ensure

# No raw reading made a derived point.
NO_RAW_ID = 0

_SERIES_MAKE = text(
    """
    INSERT INTO series (organization_id, entity_id, port, metric, unit)
    SELECT :organization_id, u.e, NULL, u.m, u.u FROM unnest(:entities, :metrics, :units) AS u (e, m, u)
    ON CONFLICT (organization_id, entity_id, port, metric) DO UPDATE SET unit = excluded.unit
        WHERE series.unit IS DISTINCT FROM excluded.unit
    """
)
_SERIES_FIND = text(
    """
    SELECT u.n - 1 AS n, s.id FROM unnest(:entities, :metrics) WITH ORDINALITY AS u (e, m, n)
    JOIN series s ON s.organization_id = :organization_id AND s.entity_id = u.e AND s.metric = u.m AND s.port IS NULL
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


@dataclass(frozen=True, slots=True)
class SeriesChange:
    """What became of one derived series. points: new or changed. corrects: something that stood was not right.

    [begins_us, ends_us) holds all of it.
    """

    entity: bytes
    metric: str
    series_id: int
    points: Column
    begins_us: int
    ends_us: int
    corrects: bool


@dataclass(slots=True)
class Changes:
    """The points of a transaction in columns, by series: to write and to remove."""

    changed: list[SeriesChange] = field(default_factory=list)
    removed: list[tuple[int, NDArray[np.int64]]] = field(default_factory=list)

    def add(self, *, entity: bytes, metric: str, series_id: int, wanted: Column, stored: Column) -> None:
        """Note how what stands differs from what should stand, both over the same time."""
        fresh, gone = _differences(wanted, stored)
        if not len(fresh) and not len(gone):
            return
        at = np.concatenate([wanted.at[fresh], gone])
        corrects = bool(len(gone)) or bool(np.isin(wanted.at[fresh], stored.at).any())
        points = Column(wanted.at[fresh], wanted.values[fresh])
        self.changed.append(SeriesChange(entity, metric, series_id, points, int(at.min()), int(at.max()) + 1, corrects))
        if len(gone):
            self.removed.append((series_id, gone))


def series_ensure(
    session: Session,
    *,
    organization_id: int,
    wanted: Mapping[tuple[bytes, str], str | None],
    memory: StageMemory,
    notes: StageNotes,
) -> dict[tuple[bytes, str], int]:
    """Return the series of derived metrics, made where missing. wanted: unit by entity and metric.

    Two statements, none where all are remembered.
    """
    known: dict[tuple[bytes, str], int] = {}
    missing: list[tuple[bytes, str]] = []
    for entity, metric in wanted:
        key = (organization_id, entity, NO_PORT)
        found = memory.series.get(key, {}).get(metric) or notes.series.get(key, {}).get(metric)
        if found:
            known[entity, metric] = found
        else:
            missing.append((entity, metric))
    if missing:
        arrays_enable(session)
        names = {
            "organization_id": organization_id,
            "entities": uuid_array(b"".join(entity for entity, _ in missing)),
            "metrics": text_array(metric.encode() for _, metric in missing),
        }
        units = [wanted[key] for key in missing]
        session.execute(
            _SERIES_MAKE, {**names, "units": text_array(None if unit is None else unit.encode() for unit in units)}
        )
        for row in session.execute(_SERIES_FIND, names):
            entity, metric = missing[row.n]
            known[entity, metric] = row.id
            notes.series.setdefault((organization_id, entity, NO_PORT), {})[metric] = row.id
    return known


def changes_write(
    session: Session, *, organization_id: int, changes: Changes, memory: StageMemory, notes: StageNotes
) -> None:
    """Bring history and latest values to what the changes say. Statements: two, or five where points are removed."""
    arrays_enable(session)
    written = [change for change in changes.changed if len(change.points)]
    if written:
        at = np.concatenate([change.points.at for change in written])
        months_ensure(session, at, memory=memory, notes=notes)
        series = np.repeat([change.series_id for change in written], [len(change.points) for change in written])
        values = np.concatenate([change.points.values for change in written])
        session.execute(_HISTORY, _columns(organization_id, series, at, values))
        last = np.cumsum([len(change.points) for change in written]) - 1
        session.execute(_LATEST, _columns(organization_id, series[last], at[last], values[last]))
    if changes.removed:
        series = np.repeat([s for s, _ in changes.removed], [len(at) for _, at in changes.removed])
        at = np.concatenate([at for _, at in changes.removed])
        session.execute(
            _REMOVE, {"organization_id": organization_id, "series": bigint_array(series), "at": instant_array(at)}
        )
        ids = sorted({series_id for series_id, _ in changes.removed})
        latest_recompute(session, organization_id=organization_id, series=ids)
        session.execute(_UNRECEIVED, {"organization_id": organization_id, "series": bigint_array(ids)})


def _columns(
    organization_id: int, series: NDArray[np.int64], at: NDArray[np.int64], values: NDArray[np.float64]
) -> dict[str, object]:
    return {
        "organization_id": organization_id,
        "series": bigint_array(series),
        "at": instant_array(at),
        "values": double_array(values),
    }


def _differences(wanted: Column, stored: Column) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Return the places of wanted points that are not stored so, and the times of stored ones that are not wanted."""
    if not len(stored):
        return np.arange(len(wanted), dtype=np.intp), NOTHING.at
    place = np.minimum(np.searchsorted(stored.at, wanted.at), len(stored) - 1)
    same = (stored.at[place] == wanted.at) & (stored.values[place] == wanted.values)
    gone = stored.at[~np.isin(stored.at, wanted.at, assume_unique=True)]
    return np.flatnonzero(~same), gone


@dataclass(frozen=True, slots=True)
class DerivedCommit:
    """What a commit of the derive stage changed, at a place in the live feed."""

    organization_id: int
    partition: int
    position: int
    committed_at: datetime
    changes: Sequence[SeriesChange]

    @property
    def entities(self) -> list[UUID]:
        """The entities touched, once each."""
        return [UUID(bytes=entity) for entity in dict.fromkeys(change.entity for change in self.changes)]
