"""Explain the health of an asset, and update its stored series. No commit, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import numpy as np
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable, instant_array, uuid_array
from domain.base.failed_items.model import FailedQueue
from domain.base.failed_items.queries import isolation_sql
from domain.base.packed import Column, instant_of, micros_of
from domain.derivation.formulas.changes import SeriesChange, points_diff, series_changes
from domain.derivation.formulas.outputs import changes_write, series_ensure
from domain.derivation.health.current import BucketHealth, healths_compute
from domain.derivation.health.invalidate import DAY_US
from domain.derivation.health.measured import measured_since, measured_since_get, measured_since_write
from domain.derivation.health.read import READ_POINTS_MAX, Plan, facts_read, plans_get
from domain.derivation.health.score import Facts, OpenEvent, Track, expiries, health_points
from domain.derivation.health.settings import METRIC
from domain.derivation.rollups.buckets import LAST_US
from domain.telemetry.model.attribution import Segment, SeriesRow, Source
from domain.telemetry.model.stage_cache import PendingCacheUpdates, StageCache
from domain.telemetry.store.scan import points_scan
from graph.entities.queries import entity_get
from graph.kinds import EntityKind
from graph.relationships.builtin import HAS_PART
from graph.sql import any_of
from graph.tables import entity_edges

ORIGIN: Final = "health"
UNIT: Final = "%"

_TIMERS = text(
    """
    INSERT INTO health_timers (organization_id, entity_id, due_at)
    SELECT :organization_id, u.e, u.at FROM unnest(:entities, :due) AS u (e, at) ON CONFLICT DO NOTHING
    """
)
_TIMERS_GONE = text(
    """
    DELETE FROM health_timers WHERE organization_id = :organization_id AND entity_id = :asset_id
        AND due_at >= :begins AND due_at < :ends AND NOT due_at = ANY(:due)
    """
)
_IS_DUE: Final = f"""
    h.organization_id = :organization_id AND h.due_at <= :now
    AND NOT {isolation_sql(FailedQueue.HEALTH, organization="h.organization_id", holds="h.entity_id::text")}
"""
_DUE = text(
    f"""
    DELETE FROM health_timers t USING (
        SELECT organization_id, entity_id, due_at FROM health_timers h
        WHERE {_IS_DUE} AND (CAST(:only AS text) IS NULL OR h.entity_id::text = :only) ORDER BY due_at LIMIT :limit
    ) d
    WHERE t.organization_id = d.organization_id AND t.entity_id = d.entity_id AND t.due_at = d.due_at
    RETURNING t.entity_id, t.due_at
    """  # noqa: S608  (constants)
)
_DUE_KEYS = text(
    f"SELECT h.entity_id::text FROM health_timers h WHERE {_IS_DUE}"  # noqa: S608  (constants)
    " GROUP BY h.entity_id ORDER BY min(h.due_at) LIMIT :limit"
)
# Timers that one transaction takes.
DUE_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class HealthRange:
    """A range of an asset's health buckets: [begins_us, ends_us), at bucket bounds.

    changed_us: from when on anything of it changed; None: from their begin on.
    """

    asset_id: UUID
    begins_us: int
    ends_us: int
    changed_us: int | None = None


def health_explain(
    session: Session, *, organization_id: int, asset_id: UUID, at: datetime, now: datetime
) -> BucketHealth | None:
    """Return the health of the bucket that holds `at`, with its parts; None where the asset has no profile then.

    Raises NotFoundError for no asset, LimitExceededError where there is too much to read.
    """
    entity_get(session, organization_id=organization_id, entity_id=asset_id, kind=EntityKind.ASSET, path=("assetId",))
    return healths_compute(session, organization_id=organization_id, ids=[asset_id], at=at, now=now).get(asset_id)


def health_due_keys(session: Session, *, organization_id: int, now: datetime, limit: int) -> list[str]:
    """Return the assets with due timers, the longest due first. One statement."""
    return list(session.scalars(_DUE_KEYS, {"organization_id": organization_id, "now": now, "limit": limit}))


def health_due(session: Session, *, organization_id: int, now: datetime, only: str | None = None) -> list[HealthRange]:
    """Take due timers; return the buckets in which some value became too old. Three statements.

    only: of one asset. Those of an asset that failed, and is left alone, stay.
    """
    values = {"organization_id": organization_id, "now": now, "limit": DUE_MAX, "only": only}
    due = session.execute(_DUE, values).all()
    plans = plans_get(session, organization_id=organization_id, ids={row.entity_id for row in due})
    return [
        _range(row.entity_id, plans[row.entity_id], micros_of(row.due_at), micros_of(row.due_at) + 1)
        for row in due
        if row.entity_id in plans
    ]


def health_compute(
    session: Session,
    *,
    organization_id: int,
    work: HealthRange,
    events: Sequence[OpenEvent],
    now: datetime,
    stage_cache: StageCache,
    notes: PendingCacheUpdates,
    from_health: frozenset[str] = frozenset(),
    limit: int = READ_POINTS_MAX,
) -> tuple[list[SeriesChange], list[tuple[UUID, int, int]]]:
    """Recompute an asset's health over a range of buckets; return what changed, and which assets that affects.

    events: those of the asset that were open in the range. made: what is made of its health, and has no part in it.
    Affected are assets that it is part of, or itself elsewhere, each with a time. Timers are left for what is to
    become too old. Raises LimitExceededError where there is too much to read at once: the caller then takes the range
    in parts.
    """
    plan = plans_get(session, organization_id=organization_id, ids=[work.asset_id]).get(work.asset_id)
    wanted = Track(np.empty(0, dtype=np.int64), np.empty(0))
    measured: Sequence[Segment] = ()
    if plan is not None:
        read = facts_read(
            session,
            organization_id=organization_id,
            asset_id=work.asset_id,
            plan=plan,
            begins_us=work.begins_us,
            ends_us=work.ends_us,
            events=events,
            from_health=from_health,
            limit=limit,
        )
        facts, measured = read.facts, read.measured
        wanted = plan_points(plan, facts, begins_us=work.begins_us, ends_us=work.ends_us, now_us=micros_of(now))
        _timers_leave(session, organization_id, work, _lapses(plan, facts, micros_of(now), work))
    entity = work.asset_id.bytes
    ensured = series_ensure(
        session,
        organization_id=organization_id,
        metric=METRIC,
        unit=UNIT,
        entities=[entity],
        stage_cache=stage_cache,
        notes=notes,
        is_recompute=False,
        origin=ORIGIN,
    )
    stored = _stored(session, organization_id, ensured[entity], work, limit)
    points = points_diff(metric=METRIC, entities=[entity], wanted=_column(wanted), stored=_column(stored))
    changes = changes_write(
        session,
        organization_id=organization_id,
        changes=series_changes(points, series=ensured),
        stage_cache=stage_cache,
        notes=notes,
    )
    parents = session.scalars(
        select(entity_edges.c.source_id).where(
            entity_edges.c.organization_id == organization_id,
            any_of(entity_edges.c.target_id, [work.asset_id] if changes else []),
            entity_edges.c.relationship == HAS_PART,
            text("upper_inf(recorded)"),
        )
    )
    # Of a profile that is used no more the bucket is not known; none is longer than a day.
    length = DAY_US if plan is None else plan.bucket_us
    affected = [
        (parent, change.points.begins_us, change.points.ends_us + length)
        for parent in set(parents)
        for change in changes
    ]
    return changes, affected + _measured_since_update(session, organization_id, work, measured)


def _measured_since_update(
    session: Session, organization_id: int, work: HealthRange, measured: Sequence[Segment]
) -> list[tuple[UUID, int, int]]:
    """Update since when an asset counts as measured; return the buckets of its own that this affects.

    Silence scores otherwise wherever it was, or is no longer, ever measured before: that is behind the range, up to
    its first reading as it was, or as it is.
    """
    stored_us = measured_since_get(session, organization_id=organization_id, asset_id=work.asset_id)
    if stored_us is not None and stored_us < (work.begins_us if work.changed_us is None else work.changed_us):
        # All that changed lies behind it.
        return []
    since = measured_since(session, organization_id=organization_id, segments=measured)
    if since == stored_us:
        return []
    measured_since_write(session, organization_id=organization_id, asset_id=work.asset_id, since_us=since)
    known = [at for at in (stored_us, since) if at is not None]
    begins, ends = min(known), LAST_US if None in (stored_us, since) else max(known) + 1
    return [] if work.begins_us <= begins and ends <= work.ends_us else [(work.asset_id, begins, ends)]


def plan_points(plan: Plan, facts: Facts, *, begins_us: int, ends_us: int, now_us: int) -> Track:
    """Return the points of buckets in [begins_us, ends_us), each by what is in force at its last instant. Pure."""
    length = plan.bucket_us
    tracks = [
        health_points(
            settings,
            facts,
            begins_us=max(begins_us, begins - begins % length),
            ends_us=min(ends_us, ends - ends % length),
            now_us=now_us,
        )
        for begins, ends, settings in plan.spans
    ]
    return Track(
        np.concatenate([np.empty(0, dtype=np.int64), *(track.at for track in tracks)]),
        np.concatenate([np.empty(0), *(track.values for track in tracks)]),
    )


def _range(asset_id: UUID, plan: Plan, begins_us: int, ends_us: int) -> HealthRange:
    length = plan.bucket_us
    return HealthRange(asset_id, begins_us - begins_us % length, ends_us + -ends_us % length)


def _lapses(plan: Plan, facts: Facts, now_us: int, work: HealthRange) -> list[int]:
    """Return when values within a range will become too old, after now."""
    lapses = {at for _, _, settings in plan.spans for at in expiries(settings, facts)}
    return sorted(at for at in lapses if max(now_us + 1, work.begins_us) <= at < work.ends_us)


def _timers_leave(session: Session, organization_id: int, work: HealthRange, due: Sequence[int]) -> None:
    """Replace the timers within a range by these."""
    arrays_enable(session)
    asset = {"organization_id": organization_id, "asset_id": work.asset_id}
    begins, ends = instant_of(work.begins_us), instant_of(work.ends_us)
    session.execute(_TIMERS_GONE, {**asset, "begins": begins, "ends": ends, "due": instant_array(due)})
    if due:
        entities = uuid_array(work.asset_id.bytes * len(due))
        wanted = {"organization_id": organization_id, "entities": entities, "due": instant_array(due)}
        session.execute(_TIMERS, wanted)


def _stored(session: Session, organization_id: int, series_id: int, work: HealthRange, limit: int) -> Track:
    row = SeriesRow(series_id, work.asset_id, None, METRIC, UNIT, None, ORIGIN)
    source = Source(work.asset_id, METRIC, None, [Segment(row, work.begins_us, work.ends_us)])
    scanned = points_scan(
        session,
        organization_id=organization_id,
        sources=[source],
        begins_us=work.begins_us,
        ends_us=work.ends_us,
        limit=limit,
    )
    for _, points in scanned:
        return Track(points.at, points.values)
    return Track(np.empty(0, dtype=np.int64), np.empty(0))


def _column(track: Track) -> Column:
    return Column(np.zeros(len(track.at), dtype=np.int64), track.at, track.values)
