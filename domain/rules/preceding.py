"""What stands when a rule begins to judge an entity: the last readings before, as far back as its condition looks."""

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
    """A segment at whose begin a rule begins to judge, and what the entity is read as, of the port that it judges."""

    segment: Segment
    sources: Sequence[Source]


@dataclass(frozen=True, slots=True)
class _Asked:
    entry: int
    metric: str
    series: int
    begins_us: int
    ends_us: int


def standing_read(
    session: Session, *, organization_id: int, entries: Sequence[Entry], limit: int = POINTS_SCANNED_MAX
) -> list[dict[str, Points]]:
    """Return what stood at the begin of each entry, by metric: the last reading, and those its condition looks back at.

    What stands is the last reading before, however old, of any kind, and the last number. Three statements at most.
    Raises LimitExceededError where more than `limit` readings would have to be looked back at.
    """
    found = _lasts(session, organization_id, entries)
    behind = _behind(entries)
    spans = [stretch for _, source in behind for stretch in source.segments]
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
        before = found[n].get(source.metric, NO_POINTS)
        found[n][source.metric] = (
            np.concatenate((before[0], points.at)),
            np.concatenate((before[1], points.values)),
        )
    return found


def _read_by(entry: Entry) -> list[Source]:
    metrics = metrics_of(entry.segment.condition)
    return [source for source in entry.sources if source.metric in metrics]


def _behind(entries: Sequence[Entry]) -> list[tuple[int, Source]]:
    """Return what each entry's condition looks back at besides the last reading before that."""
    found: list[tuple[int, Source]] = []
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
                found.append((n, Source(source.entity_id, source.metric, source.port, segments)))
    return found


def _lasts(session: Session, organization_id: int, entries: Sequence[Entry]) -> list[dict[str, Points]]:
    """Return the last reading before what each entry's condition looks back over, and the last number there."""
    asked = [
        _Asked(n, source.metric, s.series.id, max(_FIRST_US, s.begins_us), min(s.ends_us, ends))
        for n, entry in enumerate(entries)
        for ends in [entry.segment.begins_us - max(0, memory_us(entry.segment.condition) - 1)]
        for source in _read_by(entry)
        for s in source.segments
        if max(_FIRST_US, s.begins_us) < min(s.ends_us, ends)
    ]
    # By entry and metric: the last reading, and the last that is a number. Of two at one time the first series' counts.
    newest: dict[tuple[int, str], tuple[int, float]] = {}
    numbers: dict[tuple[int, str], tuple[int, float]] = {}
    texts: list[_Asked] = []
    for each, at, value in _last(session, organization_id, asked, _LAST):
        _keep(newest, each, at, value)
        if np.isnan(value):
            texts.append(each)
        else:
            _keep(numbers, each, at, value)
    for each, at, value in _last(session, organization_id, texts, _LAST_NUMBER, most=_TEXTS_MAX):
        _keep(numbers, each, at, value)
    found: list[dict[str, Points]] = [{} for _ in entries]
    for (n, metric), last in newest.items():
        kept = sorted({last, numbers.get((n, metric), last)})
        found[n][metric] = (
            np.array([at for at, _ in kept], dtype=np.int64),
            np.array([value for _, value in kept], dtype=np.float64),
        )
    return found


def _keep(found: dict[tuple[int, str], tuple[int, float]], of: _Asked, at_us: int, value: float) -> None:
    known = found.get((of.entry, of.metric))
    if known is None or known[0] < at_us:
        found[of.entry, of.metric] = (at_us, value)


def _last(
    session: Session, organization_id: int, asked: Sequence[_Asked], statement: TextClause, **more: int
) -> list[tuple[_Asked, int, float]]:
    if not asked:
        return []
    arrays_enable(session)
    rows = session.execute(
        statement,
        {
            "organization_id": organization_id,
            "series": bigint_array([each.series for each in asked]),
            "begins": instant_array([each.begins_us for each in asked]),
            "ends": instant_array([each.ends_us for each in asked]),
            **more,
        },
    ).all()
    return [
        (asked[row.n], micros_of(row.at), np.nan if row.value is None else row.value)
        for row in sorted(rows, key=lambda row: row.n)
    ]
