"""Write derived points: only what differs from what is stored. Hot path: a few statements for any number."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable, bigint_array, double_array, instant_array, uuid_array
from domain.base.packed import Column, Instants, Values
from domain.telemetry.model.readings import NO_PORT
from domain.telemetry.model.stage_cache import PendingCacheUpdates, StageCache
from domain.telemetry.store.hourly_marks import hours_mark
from domain.telemetry.store.points import latest_recompute, months_ensure
from domain.telemetry.store.retention_bound import points_kept_before

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


@dataclass(frozen=True, slots=True)
class SeriesChange:
    """What became of one derived series. at, values: points new or changed, in microseconds since the Unix epoch.

    corrects: something that stood was not right. [begins_us, ends_us) holds all of it.
    """

    entity: bytes
    metric: str
    series_id: int
    at: Instants
    values: Values
    begins_us: int
    ends_us: int
    corrects: bool


@dataclass(slots=True)
class Changes:
    """The points of a transaction in columns, by series: to write and to remove."""

    changed: list[SeriesChange] = field(default_factory=list)
    removed: list[tuple[int, NDArray[np.int64]]] = field(default_factory=list)

    def add(
        self, *, metric: str, entities: Sequence[bytes], series: Mapping[bytes, int], wanted: Column, stored: Column
    ) -> None:
        """Note how what stands of one metric differs from what should stand, both over the same times.

        entities: by the columns' places. series: by entity, where there is any point.
        """
        ends_wanted = np.searchsorted(wanted.of, np.arange(len(entities) + 1)).tolist()
        ends_stored = np.searchsorted(stored.of, np.arange(len(entities) + 1)).tolist()
        for n, entity in enumerate(entities):
            first, last = ends_wanted[n], ends_wanted[n + 1]
            begins, ends = ends_stored[n], ends_stored[n + 1]
            at, values = wanted.at[first:last], wanted.values[first:last]
            if begins == ends:
                if first == last:
                    continue
                span = int(at[0]), int(at[-1]) + 1
                self.changed.append(SeriesChange(entity, metric, series[entity], at, values, *span, corrects=False))
            else:
                before = stored.at[begins:ends], stored.values[begins:ends]
                self._compare(SeriesChange(entity, metric, series[entity], at, values, 0, 0, corrects=True), *before)

    def clip(self, kept_us: int) -> None:
        """Leave out what lies before an instant."""
        self.changed = [
            each
            if each.begins_us >= kept_us
            else replace(
                each, at=each.at[each.at >= kept_us], values=each.values[each.at >= kept_us], begins_us=kept_us
            )
            for each in self.changed
            if each.ends_us > kept_us
        ]
        self.removed = [(series, kept) for series, at in self.removed if len(kept := at[at >= kept_us])]

    def _compare(self, wanted: SeriesChange, at: Instants, values: Values) -> None:
        place = np.minimum(np.searchsorted(at, wanted.at), len(at) - 1)
        stood = at[place] == wanted.at
        fresh = ~(stood & (values[place] == wanted.values))
        gone = at[~np.isin(at, wanted.at, assume_unique=True)]
        touched = np.concatenate((wanted.at[fresh], gone))
        if not len(touched):
            return
        self.changed.append(
            replace(
                wanted,
                at=wanted.at[fresh],
                values=wanted.values[fresh],
                begins_us=int(touched.min()),
                ends_us=int(touched.max()) + 1,
                corrects=bool(len(gone)) or bool(stood[fresh].any()),
            )
        )
        if len(gone):
            self.removed.append((wanted.series_id, gone))


def series_ensure(
    session: Session,
    *,
    organization_id: int,
    metric: str,
    unit: str | None,
    entities: Collection[bytes],
    stage_cache: StageCache,
    notes: PendingCacheUpdates,
    is_anew: bool,
    origin: str = FORMULA,
) -> dict[bytes, int]:
    """Return the series of one derived metric by entity, made where missing; none is asked for that is remembered.

    origin: what writes it. is_anew: the formula may be another, and so the unit: then all are asked for. Two statements
    at most.
    """
    known: dict[bytes, int] = {}
    missing: list[bytes] = []
    for entity in entities:
        key = (organization_id, entity, NO_PORT)
        found = stage_cache.series.get(key, _NONE).get(metric) or notes.series.get(key, _NONE).get(metric)
        if found and not is_anew:
            known[entity] = found
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
    session: Session, *, organization_id: int, changes: Changes, stage_cache: StageCache, notes: PendingCacheUpdates
) -> None:
    """Bring history and latest values to what the changes say. Statements: two, or five where points are removed.

    What lies before points are kept is left out of the changes: there nothing is written any more. One statement more
    where anything is old.
    """
    if not changes.changed:
        return
    arrays_enable(session)
    oldest_us = min(change.begins_us for change in changes.changed)
    changes.clip(points_kept_before(session, oldest_us=oldest_us, notes=notes))
    written = [change for change in changes.changed if len(change.at)]
    if written:
        at = np.concatenate([change.at for change in written])
        months_ensure(session, at, stage_cache=stage_cache, notes=notes)
        series = np.repeat([change.series_id for change in written], [len(change.at) for change in written])
        hours_mark(session, organization_id=organization_id, series=series, at=at, notes=notes)
        values = np.concatenate([change.values for change in written])
        session.execute(_HISTORY, _columns(organization_id, series, at, values))
        last = np.cumsum([len(change.at) for change in written]) - 1
        # A series that changed over times far apart is among them several times: its latest point is the latest value.
        last = last[np.lexsort((at[last], series[last]))]
        last = last[np.r_[series[last][1:] != series[last][:-1], True]]
        session.execute(_LATEST, _columns(organization_id, series[last], at[last], values[last]))
    if changes.removed:
        series = np.repeat([s for s, _ in changes.removed], [len(at) for _, at in changes.removed])
        at = np.concatenate([at for _, at in changes.removed])
        hours_mark(session, organization_id=organization_id, series=series, at=at, notes=notes)
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


def commit_write(session: Session, *, commit: DerivedCommit) -> None:
    """Note what a commit changed at its place in the feed. One statement."""
    arrays_enable(session)
    session.execute(
        _COMMIT,
        {
            "organization_id": commit.organization_id,
            "partition": commit.partition,
            "position": commit.position,
            "now": commit.committed_at,
            "series": bigint_array([change.series_id for change in commit.changes]),
            "begins": instant_array([change.begins_us for change in commit.changes]),
            "ends": instant_array([change.ends_us for change in commit.changes]),
            "corrects": any(change.corrects for change in commit.changes),
        },
    )
