"""Recompute dirty buckets of health. One transaction takes some assets of one organization.

As with rollups a dirty bucket is deleted before anything is read. Differences are written as derived points are; they
invalidate the assets that have this one as a part, and leave a dirty window, so that formulas, rules and rollups on
health are recomputed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable
from domain.base.packed import micros_of
from domain.derivation.formulas.changes import SeriesChange, spans_changed
from domain.derivation.formulas.config import DerivationConfig, derivation_config_read
from domain.derivation.formulas.inputs import retained_from
from domain.derivation.health.bounds import bounds_of
from domain.derivation.health.events import events_open, metrics_from_health
from domain.derivation.health.invalidate import DAY_US, Span, health_invalidate
from domain.derivation.health.operations import HealthRange, health_compute, health_due
from domain.derivation.health.read import READ_POINTS_MAX, Plan, plans_get
from domain.derivation.health.settings import FRESHNESS_MOST
from domain.derivation.invalidation.buckets import (
    Computation,
    DirtyBuckets,
    buckets_add,
    buckets_invalidate,
    buckets_take,
)
from domain.derivation.invalidation.windows import HEALTH, windows_add
from domain.derivation.rollups.compute import ComputedBuckets
from domain.derivation.rollups.feed_offset import commit_note
from domain.telemetry.model.attribution import spans_union
from domain.telemetry.model.stage_cache import PendingCacheUpdates, StageCache
from graph.change import graph_hold
from graph.errors import LimitExceededError
from graph.locks import HEALTH_LOCK

# What one transaction takes: rows, and of one asset so many buckets.
ROWS_MAX: Final = 100
BUCKETS_MAX: Final = 2_000
# A longer time is narrowed to where anything is.
_BUCKETS_FINE: Final = 64
_US: Final = timedelta(microseconds=1)

_LOCKED = text("SELECT pg_try_advisory_xact_lock(:lock, :organization_id)").bindparams(bindparam("lock", HEALTH_LOCK))
_DUE = text("SELECT DISTINCT organization_id FROM health_timers WHERE due_at <= :now")


@dataclass(slots=True)
class _Work:
    organization_id: int
    now: datetime
    stage_cache: StageCache
    config: DerivationConfig
    points_max: int
    notes: PendingCacheUpdates = field(default_factory=PendingCacheUpdates)
    changed: list[SeriesChange] = field(default_factory=list)
    parents: dict[tuple[UUID, UUID], list[Span]] = field(default_factory=dict)
    left: DirtyBuckets = field(default_factory=dict)


def organizations_timed(session: Session, *, now: datetime) -> list[int]:
    """Return the organizations with due health timers: some value has become too old."""
    return sorted(session.scalars(_DUE, {"now": now}))


def health_buckets_compute(
    session: Session,
    *,
    organization_id: int,
    stage_cache: StageCache,
    now: datetime,
    rows_max: int = ROWS_MAX,
    points_max: int = READ_POINTS_MAX,
    only: str | None = None,
) -> ComputedBuckets:
    """Compute the oldest dirty health buckets of an organization, and due timers; none where another transaction does.

    only: of one asset.

    Of a long span at most BUCKETS_MAX buckets are computed, the rest is invalidated again.
    Raises LimitExceededError where the health of one bucket is made of more than `points_max` points.
    """
    arrays_enable(session)
    revision = graph_hold(session, organization_id=organization_id)
    if not session.scalar(_LOCKED, {"organization_id": organization_id}):
        return ComputedBuckets(0, True, None, PendingCacheUpdates(), revision)
    spans: dict[UUID, list[Span]] = {}
    due = health_due(session, organization_id=organization_id, now=now, only=only)
    for item in due:
        spans.setdefault(item.asset_id, []).append((item.begins_us, item.ends_us))
    taken = buckets_take(
        session, organization_id=organization_id, computation=Computation.HEALTH, limit=rows_max, only=only
    )
    for bucket in taken.buckets:
        spans.setdefault(bucket.entity_id, []).append((bucket.begins_us, bucket.ends_us))
    if not spans:
        return ComputedBuckets(0, True, None, PendingCacheUpdates(), revision)
    config = derivation_config_read(session, organization_id=organization_id)
    work = _Work(organization_id, now, stage_cache, config, points_max)
    plans = plans_get(session, organization_id=organization_id, ids=spans.keys())
    for asset_id, of_asset in sorted(spans.items()):
        for begins, ends in spans_union(of_asset):
            _compute(session, work, asset_id, plans.get(asset_id), (begins, ends))
    _parents_invalidate(session, work)
    buckets_invalidate(session, organization_id=organization_id, dirty=work.left)
    commit = None
    if work.changed:
        windows_add(session, organization_id=organization_id, spans=spans_changed(work.changed), reason=HEALTH)
        commit = commit_note(session, organization_id=organization_id, changes=work.changed, now=now)
    # Those above are dirty now.
    is_done = taken.is_all and not work.left and not work.parents
    return ComputedBuckets(len(taken.buckets) + len(due), is_done, commit, work.notes, revision)


def _compute(session: Session, work: _Work, asset_id: UUID, plan: Plan | None, span: Span) -> None:
    """Compute the health of an asset over a span; what exceeds the bound is left for later."""
    length = DAY_US if plan is None else plan.bucket_us
    begins, ends = span
    if plan is not None and begins < micros_of(work.now) - FRESHNESS_MOST // _US:
        # Results of points beyond retention stay as stored.
        computable = retained_from(session, organization_id=work.organization_id) + plan.freshness_us + length
        begins = max(begins, computable + -computable % length)
        if begins >= ends:
            return
    changed = begins
    if ends - begins > _BUCKETS_FINE * length:
        bounds = bounds_of(
            session, organization_id=work.organization_id, asset_id=asset_id, plan=plan, begins_us=begins, ends_us=ends
        )
        # Where there are no points, that nothing was measured is still to be recorded.
        begins, ends = (begins, begins + length) if bounds is None else bounds
    from_health = metrics_from_health(
        session, organization_id=work.organization_id, ids=[asset_id], config=work.config
    )[asset_id]
    until = min(ends, begins + BUCKETS_MAX * length)
    while True:
        try:
            _range_compute(session, work, HealthRange(asset_id, begins, until, changed), from_health)
            break
        except LimitExceededError:
            if until - begins <= length:
                raise
            until = begins + (until - begins) // (2 * length) * length or begins + length
    if until < ends:
        buckets_add(
            work.left,
            asset_id.bytes,
            [(until, ends)],
            computation=Computation.HEALTH_PROPAGATION,
            computation_id=asset_id,
        )


def _range_compute(session: Session, work: _Work, health_range: HealthRange, from_health: frozenset[str]) -> None:
    [events] = events_open(
        session,
        organization_id=work.organization_id,
        spans=[(health_range.asset_id, health_range.begins_us, health_range.ends_us)],
        from_health={health_range.asset_id: from_health},
    )
    changed, parents = health_compute(
        session,
        organization_id=work.organization_id,
        work=health_range,
        events=events,
        now=work.now,
        stage_cache=work.stage_cache,
        notes=work.notes,
        from_health=from_health,
        limit=work.points_max,
    )
    work.changed += changed
    for parent, begins, ends in parents:
        work.parents.setdefault((parent, health_range.asset_id), []).append((begins, ends))


def _parents_invalidate(session: Session, work: _Work) -> None:
    """Invalidate the health of the parents of changed assets, and of assets that changed outside their range."""
    ids = {parent for parent, _ in work.parents}
    plans = {
        asset_id.bytes: plan
        for asset_id, plan in plans_get(session, organization_id=work.organization_id, ids=ids).items()
    }
    work.parents = {key: spans for key, spans in work.parents.items() if key[0].bytes in plans}
    by_child: dict[UUID, dict[bytes, list[Span]]] = {}
    for (parent, child), spans in work.parents.items():
        by_child.setdefault(child, {})[parent.bytes] = spans
    for child, changed in sorted(by_child.items()):
        health_invalidate(session, organization_id=work.organization_id, changed=changed, plans=plans, left_by=child)
