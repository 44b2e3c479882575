"""Read the last readings before a rule begins to evaluate an entity, as far back as its condition looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable, bigint_array, instant_array
from domain.base.packed import micros_of
from domain.rules.conditions import metrics_of
from domain.rules.evaluate import NO_POINTS, Points, memory_us
from domain.rules.model import Segment
from domain.telemetry.model.attribution import Segment as ComputeRange
from domain.telemetry.model.attribution import Source
from domain.telemetry.store.scan import POINTS_SCANNED_MAX, points_scan

# A text is no reading of a threshold: behind the last texts of a series, a number is looked for among so many points.
_TEXTS_MAX: Final = 1_000
_FIRST_US: Final = 0

_LAST = text(
    """
    SELECT u.n - 1 AS n, l.at, l.value FROM unnest(:series, :begins, :ends) WITH ORDINALITY AS u (s, b, e, n)
    CROSS JOIN LATERAL (
        SELECT h."timestamp" AS at, h.value FROM telemetry_history h
        WHERE h.organization_id = :organization_id AND h.series_id = u.s
            AND h."timestamp" >= u.b AND h."timestamp" < u.e
        ORDER BY h."timestamp" DESC LIMIT 1
    ) l
    """
)
_LAST_NUMBER = text(
    """
    SELECT u.n - 1 AS n, l.at, l.value FROM unnest(:series, :begins, :ends) WITH ORDINALITY AS u (s, b, e, n)
    CROSS JOIN LATERAL (
        SELECT r.at, r.value FROM (
            SELECT h."timestamp" AS at, h.value FROM telemetry_history h
            WHERE h.organization_id = :organization_id AND h.series_id = u.s
                AND h."timestamp" >= u.b AND h."timestamp" < u.e
            ORDER BY h."timestamp" DESC LIMIT :most
        ) r WHERE r.value IS NOT NULL ORDER BY r.at DESC LIMIT 1
    ) l
    """
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A segment at which a rule begins to evaluate an entity, and the sources of the entity's readings at that port."""

    segment: Segment
    sources: Sequence[Source]


@dataclass(frozen=True, slots=True)
class _Lookback:
    entry: int
    metric: str
    series: int
    begins_us: int
    ends_us: int


def preceding_read(
    session: Session, *, organization_id: int, entries: Sequence[Entry], limit: int = POINTS_SCANNED_MAX
) -> list[dict[str, Points]]:
    """Return the readings before each entry, by metric: the last one, and those its condition looks back at.

    The last reading counts however old it is, of any type, and the last number. Three statements at most.
    Raises LimitExceededError where more than `limit` readings would have to be looked back at.
    """
    points_by_entry = _lasts(session, organization_id, entries)
    behind = _behind(entries)
    spans = [compute_range for _, source in behind for compute_range in source.segments]
    scanned = points_scan(
        session,
        organization_id=organization_id,
        sources=[source for _, source in behind],
        begins_us=min((span.begins_us for span in spans), default=0),
        ends_us=max((span.ends_us for span in spans), default=0),
        limit=limit,
    )
    for k, points in scanned:
        n, source = behind[k]
        before = points_by_entry[n].get(source.metric, NO_POINTS)
        points_by_entry[n][source.metric] = (
            np.concatenate((before[0], points.at)),
            np.concatenate((before[1], points.values)),
        )
    return points_by_entry


def _read_by(entry: Entry) -> list[Source]:
    metrics = metrics_of(entry.segment.condition)
    return [source for source in entry.sources if source.metric in metrics]


def _behind(entries: Sequence[Entry]) -> list[tuple[int, Source]]:
    """Return what each entry's condition looks back at besides the last reading before that."""
    sources: list[tuple[int, Source]] = []
    for n, entry in enumerate(entries):
        ends = entry.segment.begins_us
        begins = max(_FIRST_US, ends - memory_us(entry.segment.condition) + 1)
        for source in _read_by(entry):
            segments = [
                ComputeRange(s.series, max(s.begins_us, begins), min(s.ends_us, ends))
                for s in source.segments
                if max(s.begins_us, begins) < min(s.ends_us, ends)
            ]
            if segments:
                sources.append((n, Source(source.entity_id, source.metric, source.port, segments)))
    return sources


def _lasts(session: Session, organization_id: int, entries: Sequence[Entry]) -> list[dict[str, Points]]:
    """Return the last reading before what each entry's condition looks back over, and the last number there."""
    lookbacks = [
        _Lookback(n, source.metric, s.series.id, max(_FIRST_US, s.begins_us), min(s.ends_us, ends))
        for n, entry in enumerate(entries)
        for ends in [entry.segment.begins_us - max(0, memory_us(entry.segment.condition) - 1)]
        for source in _read_by(entry)
        for s in source.segments
        if max(_FIRST_US, s.begins_us) < min(s.ends_us, ends)
    ]
    # By entry and metric: the last reading, and the last that is a number. Of two at one time the first series' counts.
    newest: dict[tuple[int, str], tuple[int, float]] = {}
    numbers: dict[tuple[int, str], tuple[int, float]] = {}
    texts: list[_Lookback] = []
    for item, at, value in _last(session, organization_id, lookbacks, _LAST):
        _keep(newest, item, at, value)
        if np.isnan(value):
            texts.append(item)
        else:
            _keep(numbers, item, at, value)
    for item, at, value in _last(session, organization_id, texts, _LAST_NUMBER, most=_TEXTS_MAX):
        _keep(numbers, item, at, value)
    points_by_entry: list[dict[str, Points]] = [{} for _ in entries]
    for (n, metric), last in newest.items():
        readings = sorted({last, numbers.get((n, metric), last)})
        points_by_entry[n][metric] = (
            np.array([at for at, _ in readings], dtype=np.int64),
            np.array([value for _, value in readings], dtype=np.float64),
        )
    return points_by_entry


def _keep(newest: dict[tuple[int, str], tuple[int, float]], window: _Lookback, at_us: int, value: float) -> None:
    known = newest.get((window.entry, window.metric))
    if known is None or known[0] < at_us:
        newest[window.entry, window.metric] = (at_us, value)


def _last(
    session: Session, organization_id: int, lookbacks: Sequence[_Lookback], statement: TextClause, **more: int
) -> list[tuple[_Lookback, int, float]]:
    if not lookbacks:
        return []
    arrays_enable(session)
    rows = session.execute(
        statement,
        {
            "organization_id": organization_id,
            "series": bigint_array([request.series for request in lookbacks]),
            "begins": instant_array([request.begins_us for request in lookbacks]),
            "ends": instant_array([request.ends_us for request in lookbacks]),
            **more,
        },
    ).all()
    return [
        (lookbacks[row.n], micros_of(row.at), np.nan if row.value is None else row.value)
        for row in sorted(rows, key=lambda row: row.n)
    ]
