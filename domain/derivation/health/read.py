"""Read the inputs of an asset's health: its profile by event time, its values, its parts and their health."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable, uuid_array
from domain.base.packed import Instants, micros_of
from domain.definitions.profiles.queries import InForce, profile_ids_of, profiles_in_force
from domain.derivation.health.measured import measured_before
from domain.derivation.health.score import Child, Facts, OpenEvent, Track
from domain.derivation.health.settings import METRIC, HealthSettings, settings_of
from domain.telemetry.model.attribution import BEGIN_US, END_US, Segment, Source
from domain.telemetry.store.links import series_rows, sources_list
from domain.telemetry.store.scan import points_scan
from graph.errors import LimitExceededError
from graph.relationships.builtin import HAS_PART

# Parts of one asset that its health takes notice of.
CHILDREN_MAX: Final = 10_000
READ_POINTS_MAX: Final = 2_000_000

_CHILDREN = text(
    """
    SELECT source_id, target_id AS id, lower(valid) AS begins, upper(valid) AS ends FROM entity_edges
    WHERE organization_id = :organization_id AND source_id = ANY(:assets) AND relationship = :has_part
        AND target_kind = 'ASSET' AND upper_inf(recorded)
    ORDER BY source_id, target_id, lower(valid)
    """
)


@dataclass(frozen=True, slots=True)
class Plan:
    """An asset's health settings over event time: (begins_us, ends_us, settings), ascending, half-open."""

    spans: Sequence[tuple[int, int, HealthSettings]]

    @property
    def freshness_us(self) -> int:
        """The longest freshness of any version."""
        return max((settings.freshness_us for _, _, settings in self.spans), default=0)

    @property
    def bucket_us(self) -> int:
        """The length of a bucket, which no version changes."""
        return self.spans[0][2].bucket_us

    def at(self, instant_us: int) -> HealthSettings | None:
        """Return what is in force at an instant; None before the first version."""
        return next((settings for begins, ends, settings in self.spans if begins <= instant_us < ends), None)


def plans_get(session: Session, *, organization_id: int, ids: Collection[UUID]) -> dict[UUID, Plan]:
    """Return the health settings over event time of each of these assets; without a profile: left out.

    Two statements.
    """
    used = profile_ids_of(session, organization_id=organization_id, ids=ids)
    plans = plans_of(profiles_in_force(session, organization_id=organization_id, ids=set(used.values())))
    return {asset_id: plans[profile_id] for asset_id, profile_id in used.items()}


def plans_of(in_force: InForce) -> dict[UUID, Plan]:
    """Return the health settings over event time of the assets of each of these profiles. Pure."""
    return {
        profile_id: Plan([(b, e, settings_of(content.thresholds, content.health)) for b, e, content in spans])
        for profile_id, spans in in_force.items()
    }


@dataclass(frozen=True, slots=True)
class HealthRead:
    """The facts about an asset's health. measured: the series of its devices, each while it is linked."""

    facts: Facts
    measured: Sequence[Segment]


def facts_read(
    session: Session,
    *,
    organization_id: int,
    asset_id: UUID,
    plan: Plan,
    begins_us: int,
    ends_us: int,
    events: Sequence[OpenEvent] = (),
    from_health: frozenset[str] = frozenset(),
    limit: int = READ_POINTS_MAX,
) -> HealthRead:
    """Return the facts about an asset's health for buckets in [begins_us, ends_us), with the time before that counts.

    from_health: metrics computed from its health, which have no part in it. Values and the health of parts are read
    from one freshness before; that anything was ever measured, from as long before as it was.
    Eleven statements at most. Raises LimitExceededError for more points or parts than are read at once.
    """
    metrics = metrics_of_plan(plan) - from_health
    since = begins_us - plan.freshness_us - plan.bucket_us
    sources = sources_list(session, organization_id=organization_id, entity_ids=[asset_id], metrics=None)[asset_id]
    valued = [source for source in sources if source.metric in metrics]
    # Only readings of its devices count as measured, not what formulas and the like make of them.
    measured = [
        Source(asset_id, source.metric, None, segments)
        for source in sources
        if (segments := [s for s in source.segments if s.series.entity_id != asset_id])
    ]
    values: dict[str, Track] = {}
    readings: list[Instants] = [np.empty(0, dtype=np.int64)]
    scanned = points_scan(
        session,
        organization_id=organization_id,
        sources=[*valued, *measured],
        begins_us=since,
        ends_us=ends_us,
        limit=limit,
    )
    for n, points in scanned:
        if n < len(valued):
            values[valued[n].metric] = Track(points.at, points.values)
        else:
            readings.append(points.at)
    measured_at = np.unique(np.concatenate(readings))
    segments = [segment for source in measured for segment in source.segments]
    if not len(measured_at) or measured_at[0] >= begins_us + plan.bucket_us:
        [is_known] = measured_before(session, organization_id=organization_id, requests=[(segments, since)])
        # Only whether it was ever measured matters, not when.
        measured_at = np.concatenate([np.array([since - 1] if is_known else [], dtype=np.int64), measured_at])
    children = _children(session, organization_id=organization_id, asset_id=asset_id, since_us=since, ends_us=ends_us)
    return HealthRead(Facts(values, measured_at, events, children), segments)


def metrics_of_plan(plan: Plan) -> frozenset[str]:
    """Return the metrics for which any version has thresholds."""
    return frozenset(threshold.metric for _, _, settings in plan.spans for threshold in settings.thresholds)


def children_read(
    session: Session, *, organization_id: int, ids: Collection[UUID]
) -> dict[UUID, dict[UUID, list[tuple[int, int]]]]:
    """Return the parts of each asset, with the spans in which they are parts. One statement.

    Raises LimitExceededError for more parts of one than its health takes notice of.
    """
    arrays_enable(session)
    assets = uuid_array(b"".join(asset_id.bytes for asset_id in ids))
    wanted = {"organization_id": organization_id, "assets": assets, "has_part": HAS_PART}
    children: dict[UUID, dict[UUID, list[tuple[int, int]]]] = {}
    for row in session.execute(_CHILDREN, wanted):
        begins = BEGIN_US if row.begins is None else micros_of(row.begins)
        ends = END_US if row.ends is None else micros_of(row.ends)
        parts = children.setdefault(row.source_id, {})
        parts.setdefault(row.id, []).append((begins, ends))
        if len(parts) > CHILDREN_MAX:
            raise LimitExceededError(f"The health of an asset takes notice of {CHILDREN_MAX} parts; it has more.")
    return children


def child_sources(
    session: Session, *, organization_id: int, ids: Collection[UUID]
) -> tuple[dict[UUID, Plan], dict[UUID, Source]]:
    """Return the health settings of each of these assets, and its health series where it has one. Three statements."""
    plans = plans_get(session, organization_id=organization_id, ids=ids)
    rows = series_rows(session, organization_id=organization_id, entity_ids=plans.keys(), metrics=(METRIC,))
    return plans, {
        child_id: Source(child_id, METRIC, None, [Segment(row, BEGIN_US, END_US)])
        for child_id in plans
        for row in rows.get(child_id, ())
        if row.port is None
    }


def _children(session: Session, *, organization_id: int, asset_id: UUID, since_us: int, ends_us: int) -> list[Child]:
    spans = children_read(session, organization_id=organization_id, ids=[asset_id]).get(asset_id, {})
    if not spans:
        return []
    plans, by_child = child_sources(session, organization_id=organization_id, ids=spans.keys())
    sources = list(by_child.values())
    # A point holds for the end of its own bucket, which may be longer than the asset's.
    longest = max((plans[source.entity_id].bucket_us for source in sources), default=0)
    children: list[Child] = []
    scanned = points_scan(
        session, organization_id=organization_id, sources=sources, begins_us=since_us - longest, ends_us=ends_us
    )
    for n, points in scanned:
        child_id = sources[n].entity_id
        at = points.at + plans[child_id].bucket_us - 1
        children.append(Child(child_id, spans[child_id], Track(at, points.values)))
    with_score = {child.id for child in children}
    none = Track(np.empty(0, dtype=np.int64), np.empty(0))
    # A part without a score costs nothing; that it was added or removed is a fact all the same.
    return children + [Child(child_id, spans[child_id], none) for child_id in spans if child_id not in with_score]
