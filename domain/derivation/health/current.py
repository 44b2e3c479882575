"""Compute the health of many assets in one bucket each, from the last points before its end, in a few statements.

The same function evaluates as makes the series (`score.py`), from the same facts: only what decides is read of them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable, bigint_array, instant_array
from domain.base.packed import micros_of
from domain.derivation.formulas.config import derivation_config_read
from domain.derivation.health.events import events_open, metrics_from_health
from domain.derivation.health.measured import measured_before
from domain.derivation.health.read import Plan, child_sources, children_read, metrics_of_plan, plans_get
from domain.derivation.health.score import Child, Facts, Health, OpenEvent, Track, health_score
from domain.derivation.health.settings import HealthSettings
from domain.derivation.rollups.buckets import FIRST_US, LAST_US
from domain.telemetry.model.attribution import Segment, Source
from domain.telemetry.store.links import sources_list

_LAST = text(
    """
    SELECT u.n - 1 AS n, p."timestamp" AS at, p.value FROM unnest(:series, :begins, :ends) WITH ORDINALITY
        AS u (s, b, e, n)
    CROSS JOIN LATERAL (
        SELECT h."timestamp", h.value FROM telemetry_history h
        WHERE h.organization_id = :organization_id AND h.series_id = u.s AND h."timestamp" >= u.b
            AND h."timestamp" < u.e
        ORDER BY h."timestamp" DESC LIMIT 1
    ) p
    """
)
_NEVER: Final = np.empty(0, dtype=np.int64)

# A point: microseconds since the Unix epoch, and its value (NaN where it is no number).
Last = tuple[int, float]


@dataclass(frozen=True, slots=True)
class BucketHealth:
    """The health of an asset in the bucket [begins_us, ends_us)."""

    begins_us: int
    ends_us: int
    health: Health


@dataclass(slots=True)
class _Request:
    """A request for the health of one asset: inputs from since_us on, before ends_us."""

    asset_id: UUID
    plan: Plan
    settings: HealthSettings
    begins_us: int
    ends_us: int
    since_us: int
    valued: list[Source] = field(default_factory=list)
    measured: list[Segment] = field(default_factory=list)
    # By child, from when to when it is a part; and the series of its health.
    children: dict[UUID, list[tuple[int, int]]] = field(default_factory=dict)
    child_health: list[Source] = field(default_factory=list)


@dataclass(slots=True)
class _Windows:
    """Windows of series whose last points are wanted, without repeats."""

    places: dict[tuple[int, int, int], int] = field(default_factory=dict)
    current: dict[int, Last] = field(default_factory=dict)

    def note(self, segment: Segment, begins_us: int, ends_us: int) -> tuple[int, int, int]:
        begins, ends = max(segment.begins_us, begins_us, FIRST_US), min(segment.ends_us, ends_us, LAST_US)
        window = (segment.series.id, begins, ends)
        if begins < ends:
            self.places.setdefault(window, len(self.places))
        return window

    def last(self, windows: Sequence[tuple[int, int, int]]) -> Last | None:
        """Return the latest point of several windows; at equal times that of the first window."""
        points = [self.current[self.places[w]] for w in windows if w in self.places and self.places[w] in self.current]
        return max(points, key=lambda point: point[0], default=None)


def healths_compute(
    session: Session, *, organization_id: int, ids: Collection[UUID], at: datetime, now: datetime
) -> dict[UUID, BucketHealth]:
    """Return the health of assets in the bucket that holds `at`; without assets that have no profile then.

    Sixteen statements at most. Raises LimitExceededError for more parts or events than are read at once.
    """
    looks = _looks(session, organization_id, ids, micros_of(at), micros_of(now))
    if not looks:
        return {}
    config = derivation_config_read(session, organization_id=organization_id)
    chosen = [look.asset_id for look in looks]
    from_health = metrics_from_health(session, organization_id=organization_id, ids=chosen, config=config)
    spans = [(look.asset_id, look.begins_us, look.ends_us) for look in looks]
    events = events_open(session, organization_id=organization_id, spans=spans, from_health=from_health)
    _sources_read(session, organization_id, looks, from_health)
    lengths = _children_read(session, organization_id, looks)
    facts = _facts(session, organization_id, looks, lengths, events)
    now_us = micros_of(now)
    return {
        look.asset_id: BucketHealth(
            look.begins_us,
            look.ends_us,
            health_score(look.settings, known, begins_us=look.begins_us, ends_us=look.ends_us, now_us=now_us),
        )
        for look, known in zip(looks, facts, strict=True)
    }


def _looks(session: Session, organization_id: int, ids: Collection[UUID], at_us: int, now_us: int) -> list[_Request]:
    looks = []
    for asset_id, plan in plans_get(session, organization_id=organization_id, ids=ids).items():
        begins = at_us - at_us % plan.bucket_us
        ends = begins + plan.bucket_us
        settings = plan.at(ends - 1)
        if settings is not None:
            # Of what is not due yet nothing is said: at a time to come, that of now counts.
            since = min(begins, now_us) - settings.freshness_us - plan.bucket_us
            looks.append(_Request(asset_id, plan, settings, begins, ends, since))
    return looks


def _sources_read(
    session: Session, organization_id: int, looks: Sequence[_Request], from_health: Mapping[UUID, frozenset[str]]
) -> None:
    ids = [look.asset_id for look in looks]
    by_asset = sources_list(session, organization_id=organization_id, entity_ids=ids, metrics=None)
    for look in looks:
        metrics = metrics_of_plan(look.plan) - from_health[look.asset_id]
        sources = by_asset.get(look.asset_id, ())
        look.valued = [source for source in sources if source.metric in metrics]
        look.measured = [s for source in sources for s in source.segments if s.series.entity_id != look.asset_id]


def _children_read(session: Session, organization_id: int, looks: Sequence[_Request]) -> dict[UUID, int]:
    """Note the parts of each asset; return the length of a bucket of each part that has health."""
    children = children_read(session, organization_id=organization_id, ids=[look.asset_id for look in looks])
    plans, sources = child_sources(
        session, organization_id=organization_id, ids={child for of_asset in children.values() for child in of_asset}
    )
    for look in looks:
        look.children = {
            child: spans
            for child, spans in children.get(look.asset_id, {}).items()
            if any(begins < look.ends_us <= ends for begins, ends in spans)
        }
        look.child_health = [sources[child] for child in look.children if child in sources]
    return {child: plan.bucket_us for child, plan in plans.items()}


def _facts(
    session: Session,
    organization_id: int,
    looks: Sequence[_Request],
    lengths: Mapping[UUID, int],
    events: Sequence[Sequence[OpenEvent]],
) -> list[Facts]:
    requested = _Windows()
    wanted = []
    for look in looks:
        valued = [[requested.note(s, look.since_us, look.ends_us) for s in source.segments] for source in look.valued]
        measured = [requested.note(s, look.since_us, look.ends_us) for s in look.measured]
        # A point of a part says what was so at the end of its own bucket.
        child_health = [
            [requested.note(s, look.since_us - length, look.ends_us + 1 - length) for s in source.segments]
            for source in look.child_health
            for length in [lengths[source.entity_id]]
        ]
        wanted.append((valued, measured, child_health))
    _last_read(session, organization_id, requested)
    last_measured = [requested.last(measured) for _, measured, _ in wanted]
    silent = [n for n, last in enumerate(last_measured) if last is None]
    ever = measured_before(
        session,
        organization_id=organization_id,
        requests=[(looks[n].measured, looks[n].since_us) for n in silent],
    )
    for n, is_known in zip(silent, ever, strict=True):
        last_measured[n] = (looks[n].since_us - 1, np.nan) if is_known else None
    facts = []
    for n, (look, (valued, _, child_health)) in enumerate(zip(looks, wanted, strict=True)):
        values = {
            source.metric: _track(requested.last(windows)) for source, windows in zip(look.valued, valued, strict=True)
        }
        children = [
            Child(source.entity_id, look.children[source.entity_id], _track(requested.last(windows), length - 1))
            for source, windows in zip(look.child_health, child_health, strict=True)
            for length in [lengths[source.entity_id]]
        ]
        facts.append(Facts(values, _track(last_measured[n]).at, events[n], children))
    return facts


def _last_read(session: Session, organization_id: int, requested: _Windows) -> None:
    if not requested.places:
        return
    arrays_enable(session)
    rows = session.execute(
        _LAST,
        {
            "organization_id": organization_id,
            "series": bigint_array([series for series, _, _ in requested.places]),
            "begins": instant_array([begins for _, begins, _ in requested.places]),
            "ends": instant_array([ends for _, _, ends in requested.places]),
        },
    )
    for row in rows:
        requested.current[row.n] = (micros_of(row.at), np.nan if row.value is None else row.value)


def _track(last: Last | None, later_us: int = 0) -> Track:
    if last is None:
        return Track(_NEVER, np.empty(0))
    return Track(np.array([last[0] + later_us], dtype=np.int64), np.array([last[1]], dtype=np.float64))
