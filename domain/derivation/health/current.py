"""Compute the health of many assets in one bucket each, from the last points before its end, in a few statements.

The same function judges as makes the series (`score.py`), from the same facts: only what decides is read of them.
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
from domain.derivation.formulas.config import configured_read
from domain.derivation.health.events import events_open, made_of_health
from domain.derivation.health.measured import measured_before
from domain.derivation.health.read import Plan, child_sources, children_read, metrics_of_plan, plans_get
from domain.derivation.health.score import Child, Facts, Health, OpenEvent, Track, health_judge
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
class Judged:
    """The health of an asset in the bucket [begins_us, ends_us)."""

    begins_us: int
    ends_us: int
    health: Health


@dataclass(slots=True)
class _Look:
    """What is looked for of an asset: all from since_us on, before ends_us."""

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
    scored: list[Source] = field(default_factory=list)


@dataclass(slots=True)
class _Asked:
    """Windows of series whose last points are asked for, each once."""

    places: dict[tuple[int, int, int], int] = field(default_factory=dict)
    found: dict[int, Last] = field(default_factory=dict)

    def note(self, segment: Segment, begins_us: int, ends_us: int) -> tuple[int, int, int]:
        begins, ends = max(segment.begins_us, begins_us, FIRST_US), min(segment.ends_us, ends_us, LAST_US)
        window = (segment.series.id, begins, ends)
        if begins < ends:
            self.places.setdefault(window, len(self.places))
        return window

    def last(self, windows: Sequence[tuple[int, int, int]]) -> Last | None:
        """Return the last point of all; of two at one time that of the window that goes first."""
        points = [self.found[self.places[w]] for w in windows if w in self.places and self.places[w] in self.found]
        return max(points, key=lambda point: point[0], default=None)


def healths_judge(
    session: Session, *, organization_id: int, ids: Collection[UUID], at: datetime, now: datetime
) -> dict[UUID, Judged]:
    """Return the health of assets, each in the bucket that holds `at`; one without a profile then is left out.

    Sixteen statements at most. Raises LimitExceededError for more parts or events than are read at once.
    """
    looks = _looks(session, organization_id, ids, micros_of(at), micros_of(now))
    if not looks:
        return {}
    configured = configured_read(session, organization_id=organization_id)
    chosen = [look.asset_id for look in looks]
    made = made_of_health(session, organization_id=organization_id, ids=chosen, configured=configured)
    spans = [(look.asset_id, look.begins_us, look.ends_us) for look in looks]
    events = events_open(session, organization_id=organization_id, asked=spans, made=made)
    _sources_read(session, organization_id, looks, made)
    lengths = _children_read(session, organization_id, looks)
    facts = _facts(session, organization_id, looks, lengths, events)
    now_us = micros_of(now)
    return {
        look.asset_id: Judged(
            look.begins_us,
            look.ends_us,
            health_judge(look.settings, known, begins_us=look.begins_us, ends_us=look.ends_us, now_us=now_us),
        )
        for look, known in zip(looks, facts, strict=True)
    }


def _looks(session: Session, organization_id: int, ids: Collection[UUID], at_us: int, now_us: int) -> list[_Look]:
    looks = []
    for asset_id, plan in plans_get(session, organization_id=organization_id, ids=ids).items():
        begins = at_us - at_us % plan.bucket_us
        ends = begins + plan.bucket_us
        settings = plan.at(ends - 1)
        if settings is not None:
            # Of what is not due yet nothing is said: at a time to come, that of now counts.
            since = min(begins, now_us) - settings.freshness_us - plan.bucket_us
            looks.append(_Look(asset_id, plan, settings, begins, ends, since))
    return looks


def _sources_read(
    session: Session, organization_id: int, looks: Sequence[_Look], made: Mapping[UUID, frozenset[str]]
) -> None:
    ids = [look.asset_id for look in looks]
    found = sources_list(session, organization_id=organization_id, entity_ids=ids, metrics=None)
    for look in looks:
        metrics = metrics_of_plan(look.plan) - made[look.asset_id]
        sources = found.get(look.asset_id, ())
        look.valued = [source for source in sources if source.metric in metrics]
        look.measured = [s for source in sources for s in source.segments if s.series.entity_id != look.asset_id]


def _children_read(session: Session, organization_id: int, looks: Sequence[_Look]) -> dict[UUID, int]:
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
        look.scored = [sources[child] for child in look.children if child in sources]
    return {child: plan.bucket_us for child, plan in plans.items()}


def _facts(
    session: Session,
    organization_id: int,
    looks: Sequence[_Look],
    lengths: Mapping[UUID, int],
    events: Sequence[Sequence[OpenEvent]],
) -> list[Facts]:
    asked = _Asked()
    wanted = []
    for look in looks:
        valued = [[asked.note(s, look.since_us, look.ends_us) for s in source.segments] for source in look.valued]
        measured = [asked.note(s, look.since_us, look.ends_us) for s in look.measured]
        # A point of a part says what was so at the end of its own bucket.
        scored = [
            [asked.note(s, look.since_us - length, look.ends_us + 1 - length) for s in source.segments]
            for source in look.scored
            for length in [lengths[source.entity_id]]
        ]
        wanted.append((valued, measured, scored))
    _last_read(session, organization_id, asked)
    heard = [asked.last(measured) for _, measured, _ in wanted]
    silent = [n for n, last in enumerate(heard) if last is None]
    ever = measured_before(
        session,
        organization_id=organization_id,
        asked=[(looks[n].measured, looks[n].since_us) for n in silent],
    )
    for n, is_known in zip(silent, ever, strict=True):
        heard[n] = (looks[n].since_us - 1, np.nan) if is_known else None
    facts = []
    for n, (look, (valued, _, scored)) in enumerate(zip(looks, wanted, strict=True)):
        values = {
            source.metric: _track(asked.last(windows)) for source, windows in zip(look.valued, valued, strict=True)
        }
        children = [
            Child(source.entity_id, look.children[source.entity_id], _track(asked.last(windows), length - 1))
            for source, windows in zip(look.scored, scored, strict=True)
            for length in [lengths[source.entity_id]]
        ]
        facts.append(Facts(values, _track(heard[n]).at, events[n], children))
    return facts


def _last_read(session: Session, organization_id: int, asked: _Asked) -> None:
    if not asked.places:
        return
    arrays_enable(session)
    rows = session.execute(
        _LAST,
        {
            "organization_id": organization_id,
            "series": bigint_array([series for series, _, _ in asked.places]),
            "begins": instant_array([begins for _, begins, _ in asked.places]),
            "ends": instant_array([ends for _, _, ends in asked.places]),
        },
    )
    for row in rows:
        asked.found[row.n] = (micros_of(row.at), np.nan if row.value is None else row.value)


def _track(last: Last | None, later_us: int = 0) -> Track:
    if last is None:
        return Track(_NEVER, np.empty(0))
    return Track(np.array([last[0] + later_us], dtype=np.int64), np.array([last[1]], dtype=np.float64))
