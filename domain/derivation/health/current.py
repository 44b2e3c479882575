"""Compute the health of many assets in one bucket each, from the last points before its end, in a few statements.

The same function scores as for the stored series (`score.py`), from the same facts, of which only the decisive ones are
read.
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
    requests = _requests(session, organization_id, ids, micros_of(at), micros_of(now))
    if not requests:
        return {}
    config = derivation_config_read(session, organization_id=organization_id)
    chosen = [request.asset_id for request in requests]
    from_health = metrics_from_health(session, organization_id=organization_id, ids=chosen, config=config)
    spans = [(request.asset_id, request.begins_us, request.ends_us) for request in requests]
    events = events_open(session, organization_id=organization_id, spans=spans, from_health=from_health)
    _sources_read(session, organization_id, requests, from_health)
    lengths = _children_read(session, organization_id, requests)
    facts = _facts(session, organization_id, requests, lengths, events)
    now_us = micros_of(now)
    return {
        request.asset_id: BucketHealth(
            request.begins_us,
            request.ends_us,
            health_score(request.settings, known, begins_us=request.begins_us, ends_us=request.ends_us, now_us=now_us),
        )
        for request, known in zip(requests, facts, strict=True)
    }


def _requests(session: Session, organization_id: int, ids: Collection[UUID], at_us: int, now_us: int) -> list[_Request]:
    requests = []
    for asset_id, plan in plans_get(session, organization_id=organization_id, ids=ids).items():
        begins = at_us - at_us % plan.bucket_us
        ends = begins + plan.bucket_us
        settings = plan.at(ends - 1)
        if settings is not None:
            # At a future instant the facts of now count: nothing is known yet of what is not due.
            since = min(begins, now_us) - settings.freshness_us - plan.bucket_us
            requests.append(_Request(asset_id, plan, settings, begins, ends, since))
    return requests


def _sources_read(
    session: Session, organization_id: int, requests: Sequence[_Request], from_health: Mapping[UUID, frozenset[str]]
) -> None:
    ids = [request.asset_id for request in requests]
    by_asset = sources_list(session, organization_id=organization_id, entity_ids=ids, metrics=None)
    for request in requests:
        metrics = metrics_of_plan(request.plan) - from_health[request.asset_id]
        sources = by_asset.get(request.asset_id, ())
        request.valued = [source for source in sources if source.metric in metrics]
        request.measured = [s for source in sources for s in source.segments if s.series.entity_id != request.asset_id]


def _children_read(session: Session, organization_id: int, requests: Sequence[_Request]) -> dict[UUID, int]:
    """Note the parts of each asset; return the length of a bucket of each part that has health."""
    children = children_read(session, organization_id=organization_id, ids=[request.asset_id for request in requests])
    plans, sources = child_sources(
        session, organization_id=organization_id, ids={child for of_asset in children.values() for child in of_asset}
    )
    for request in requests:
        request.children = {
            child: spans
            for child, spans in children.get(request.asset_id, {}).items()
            if any(begins < request.ends_us <= ends for begins, ends in spans)
        }
        request.child_health = [sources[child] for child in request.children if child in sources]
    return {child: plan.bucket_us for child, plan in plans.items()}


def _facts(
    session: Session,
    organization_id: int,
    requests: Sequence[_Request],
    lengths: Mapping[UUID, int],
    events: Sequence[Sequence[OpenEvent]],
) -> list[Facts]:
    series_windows = _Windows()
    wanted = []
    for request in requests:
        valued = [
            [series_windows.note(s, request.since_us, request.ends_us) for s in source.segments]
            for source in request.valued
        ]
        measured = [series_windows.note(s, request.since_us, request.ends_us) for s in request.measured]
        # A point of a part holds for the end of its own bucket.
        child_health = [
            [series_windows.note(s, request.since_us - length, request.ends_us + 1 - length) for s in source.segments]
            for source in request.child_health
            for length in [lengths[source.entity_id]]
        ]
        wanted.append((valued, measured, child_health))
    _last_read(session, organization_id, series_windows)
    last_measured = [series_windows.last(measured) for _, measured, _ in wanted]
    silent = [n for n, last in enumerate(last_measured) if last is None]
    ever = measured_before(
        session,
        organization_id=organization_id,
        requests=[(requests[n].measured, requests[n].since_us) for n in silent],
    )
    for n, is_known in zip(silent, ever, strict=True):
        last_measured[n] = (requests[n].since_us - 1, np.nan) if is_known else None
    facts = []
    for n, (request, (valued, _, child_health)) in enumerate(zip(requests, wanted, strict=True)):
        values = {
            source.metric: _track(series_windows.last(windows))
            for source, windows in zip(request.valued, valued, strict=True)
        }
        children = [
            Child(
                source.entity_id, request.children[source.entity_id], _track(series_windows.last(windows), length - 1)
            )
            for source, windows in zip(request.child_health, child_health, strict=True)
            for length in [lengths[source.entity_id]]
        ]
        facts.append(Facts(values, _track(last_measured[n]).at, events[n], children))
    return facts


def _last_read(session: Session, organization_id: int, series_windows: _Windows) -> None:
    if not series_windows.places:
        return
    arrays_enable(session)
    rows = session.execute(
        _LAST,
        {
            "organization_id": organization_id,
            "series": bigint_array([series for series, _, _ in series_windows.places]),
            "begins": instant_array([begins for _, begins, _ in series_windows.places]),
            "ends": instant_array([ends for _, _, ends in series_windows.places]),
        },
    )
    for row in rows:
        series_windows.current[row.n] = (micros_of(row.at), np.nan if row.value is None else row.value)


def _track(last: Last | None, later_us: int = 0) -> Track:
    if last is None:
        return Track(_NEVER, np.empty(0))
    return Track(np.array([last[0] + later_us], dtype=np.int64), np.array([last[1]], dtype=np.float64))
