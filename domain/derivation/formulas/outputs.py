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


@dataclass(frozen=True, slots=True)
class SeriesChange:
    """The change of one derived series. at, values: new and changed points, in microseconds since the Unix epoch.

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
        """Add the differences between wanted and stored points of one metric, both over the same spans.

        entities: by the columns' places. series: by entity, where there is any point.
        """
        ends_wanted = np.searchsorted(wanted.owner, np.arange(len(entities) + 1)).tolist()
        ends_stored = np.searchsorted(stored.owner, np.arange(len(entities) + 1)).tolist()
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

    def clip(self, retained_from_us: int) -> None:
        """Drop changes before an instant."""
        self.changed = [
            item
            if item.begins_us >= retained_from_us
            else replace(
                item,
                at=item.at[item.at >= retained_from_us],
                values=item.values[item.at >= retained_from_us],
                begins_us=retained_from_us,
            )
            for item in self.changed
            if item.ends_us > retained_from_us
        ]
        self.removed = [(series, kept) for series, at in self.removed if len(kept := at[at >= retained_from_us])]

    def _compare(self, wanted: SeriesChange, at: Instants, values: Values) -> None:
        place = np.minimum(np.searchsorted(at, wanted.at), len(at) - 1)
        existed = at[place] == wanted.at
        fresh = ~(existed & (values[place] == wanted.values))
        gone = at[~np.isin(at, wanted.at, assume_unique=True)]
        changed_at = np.concatenate((wanted.at[fresh], gone))
        if not len(changed_at):
            return
        self.changed.append(
            replace(
                wanted,
                at=wanted.at[fresh],
                values=wanted.values[fresh],
                begins_us=int(changed_at.min()),
                ends_us=int(changed_at.max()) + 1,
                corrects=bool(len(gone)) or bool(existed[fresh].any()),
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
    is_recompute: bool,
    origin: str = FORMULA,
) -> dict[bytes, int]:
    """Return the series of one derived metric by entity, created where missing; cached ones cost no statement.

    origin: what writes it. is_recompute: the formula may be another, and so the unit: then all are asked for. Two
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
    session: Session, *, organization_id: int, changes: Changes, stage_cache: StageCache, notes: PendingCacheUpdates
) -> None:
    """Apply changes to history and latest values. Two statements, or five where points are removed.

    What lies before points are kept is left out of the changes: there nothing is written any more. One statement more
    where anything is old.
    """
    if not changes.changed:
        return
    arrays_enable(session)
    oldest_us = min(change.begins_us for change in changes.changed)
    changes.clip(retained_from_check(session, oldest_us=oldest_us, notes=notes))
    written = [change for change in changes.changed if len(change.at)]
    if written:
        at = np.concatenate([change.at for change in written])
        months_ensure(session, at, stage_cache=stage_cache, notes=notes)
        series = np.repeat([change.series_id for change in written], [len(change.at) for change in written])
        hours_invalidate(session, organization_id=organization_id, series=series, at=at, notes=notes)
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
        hours_invalidate(session, organization_id=organization_id, series=series, at=at, notes=notes)
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
    """The changes of one commit of the derive stage, at an offset of the live feed."""

    organization_id: int
    partition: int
    position: int
    committed_at: datetime
    changes: Sequence[SeriesChange]

    @property
    def entities(self) -> list[UUID]:
        """The changed entities, once each."""
        return [UUID(bytes=entity) for entity in dict.fromkeys(change.entity for change in self.changes)]


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
            "begins": instant_array([change.begins_us for change in commit.changes]),
            "ends": instant_array([change.ends_us for change in commit.changes]),
            "corrects": any(change.corrects for change in commit.changes),
        },
    )
