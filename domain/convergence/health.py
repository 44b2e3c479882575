"""Self-check of health: recompute it from measurements, events and parts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from domain.base.packed import micros_of
from domain.convergence.model import CheckedSpan, CheckKind, Report
from domain.convergence.pending import PendingInvalidations
from domain.convergence.points import points_compare, points_of
from domain.derivation.formulas.config import DerivationConfig
from domain.derivation.health.events import events_open, metrics_from_health
from domain.derivation.health.operations import plan_points
from domain.derivation.health.read import Plan, facts_read, plans_get
from domain.derivation.health.settings import METRIC
from domain.telemetry.model.attribution import Segment, Source
from domain.telemetry.store.links import series_rows
from domain.telemetry.store.scan import points_scan
from graph.errors import LimitExceededError

POINTS_MAX: Final = 200_000


def health_check(
    session: Session,
    *,
    organization_id: int,
    ids: Iterable[UUID],
    config: DerivationConfig,
    span: CheckedSpan,
    now: datetime,
    pending: PendingInvalidations,
    report: Report,
) -> None:
    """Compare the complete buckets of the health of these assets, all of which use a profile."""
    plans = plans_get(session, organization_id=organization_id, ids=list(ids))
    for asset_id, plan in plans.items():
        if asset_id in pending.entities or asset_id in pending.health_pending:
            report.skipped[CheckKind.HEALTH] += 1
            continue
        length = plan.bucket_us
        ends_us = span.ends_us - span.ends_us % length
        begins_us = min(span.begins_us - span.begins_us % length, ends_us - length)
        buckets = CheckedSpan(max(begins_us, 0), ends_us)
        try:
            computed = _computed(session, organization_id, asset_id, plan=plan, config=config, buckets=buckets, now=now)
        except LimitExceededError:
            report.skipped[CheckKind.HEALTH] += 1
            continue
        stored = _stored(session, organization_id, asset_id, buckets)
        if computed or stored:
            report.checks[CheckKind.HEALTH] += 1
            report.differences += points_compare(CheckKind.HEALTH, METRIC, asset_id, computed=computed, stored=stored)


def _computed(
    session: Session,
    organization_id: int,
    asset_id: UUID,
    *,
    plan: Plan,
    config: DerivationConfig,
    buckets: CheckedSpan,
    now: datetime,
) -> dict[int, float]:
    from_health = metrics_from_health(session, organization_id=organization_id, ids=[asset_id], config=config)
    begins_us, ends_us = buckets.begins_us, buckets.ends_us
    [events] = events_open(
        session, organization_id=organization_id, spans=[(asset_id, begins_us, ends_us)], from_health=from_health
    )
    read = facts_read(
        session,
        organization_id=organization_id,
        asset_id=asset_id,
        plan=plan,
        begins_us=begins_us,
        ends_us=ends_us,
        events=events,
        from_health=from_health[asset_id],
        limit=POINTS_MAX,
    )
    track = plan_points(plan, read.facts, begins_us=begins_us, ends_us=ends_us, now_us=micros_of(now))
    return points_of(track.at.tolist(), track.values.tolist())


def _stored(session: Session, organization_id: int, asset_id: UUID, buckets: CheckedSpan) -> dict[int, float]:
    rows = series_rows(session, organization_id=organization_id, entity_ids=[asset_id]).get(asset_id, ())
    segments = [
        Segment(row, buckets.begins_us, buckets.ends_us) for row in rows if row.metric == METRIC and row.port is None
    ]
    scanned = points_scan(
        session,
        organization_id=organization_id,
        sources=[Source(asset_id, METRIC, None, segments)],
        begins_us=buckets.begins_us,
        ends_us=buckets.ends_us,
    )
    for _, points in scanned:
        return points_of(points.at.tolist(), points.values.tolist())
    return {}
