"""Reads sources for buckets: by the hour where hours say it exactly, point by point elsewhere.

Elsewhere: the parts of an hour at the ends of a range or a link; hours not summarized yet or written to since; hours
with texts; whole sources where two series overlap, of whose points one may hide another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

import numpy as np
from psycopg import Connection
from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.telemetry.array_loads import columns_register
from domain.telemetry.attribution import Segment, Source
from domain.telemetry.buckets import Counted
from domain.telemetry.hours.summary import HOUR_US
from domain.telemetry.packed import Aggregate, Instants, MetricType, Points, Values, instant_of, micros_of
from domain.telemetry.scan import points_scan
from graph.errors import LimitExceededError
from graph.stopping import stop_check

_NO_HOURS: Final = np.empty(0, dtype=np.int64)
# What stands for the points of an hour: its values, and of how many points each.
_VALUES: Final = {
    Aggregate.COUNT: ("0.0::float8", None),
    Aggregate.MEAN: ("a.sum", "a.sum_error"),
    Aggregate.SUM: ("a.sum", "a.sum_error"),
    Aggregate.MIN: ("a.least", None),
    Aggregate.MAX: ("a.greatest", None),
    Aggregate.FIRST: ("a.first", None),
    Aggregate.LAST: ("a.last", None),
}
_PROGRESS = text(
    """
    SELECT until, nullif(final_until, '-infinity') AS final_until FROM hours_progress
    WHERE organization_id = :organization_id
    """
)
# Rows of hours that are marked do not count, except where points are no longer kept: those are as they are for good.
_HOURS = """
SELECT w.n - 1, h.at, h.numbers, h.errors, h.points, h.is_boolean, h.partial, d.dirty
FROM unnest(%(series)s::bigint[], %(begins)s::timestamptz[], %(ends)s::timestamptz[])
    WITH ORDINALITY AS w (series_id, begins, ends, n)
CROSS JOIN LATERAL (
    SELECT array_agg(a.hour ORDER BY a.hour) FILTER (WHERE a.is_whole) AS at,
        array_agg({value} ORDER BY a.hour) FILTER (WHERE a.is_whole) AS numbers,
        array_agg({error} ORDER BY a.hour) FILTER (WHERE a.is_whole) AS errors,
        array_agg(a.points::float8 ORDER BY a.hour) FILTER (WHERE a.is_whole) AS points,
        bool_and(a.least_type = 1) FILTER (WHERE a.is_whole) AS is_boolean,
        array_agg(a.hour) FILTER (WHERE NOT a.is_whole) AS partial
    FROM (
        SELECT * FROM series_hours s
        WHERE s.organization_id = %(organization_id)s AND s.series_id = w.series_id
            AND s.hour >= w.begins AND s.hour < w.ends
        LIMIT %(limit)s
    ) a
) h
CROSS JOIN LATERAL (
    SELECT array_agg(m.hour) AS dirty FROM dirty_hours m
    WHERE m.organization_id = %(organization_id)s AND m.series_id = w.series_id
        AND m.hour >= greatest(w.begins, %(final)s::timestamptz) AND m.hour < w.ends
) d
"""


@dataclass(frozen=True, slots=True)
class _Part:
    """Hours of one segment that stand for their points; errors: what `values` were rounded by, or None."""

    at: Instants
    values: Values
    errors: Values | None
    counts: Values
    is_boolean: bool


@dataclass(frozen=True, slots=True)
class _Window:
    """Whole hours of a segment, by their places: of the source, and within it."""

    source: int
    place: int
    begins_us: int
    ends_us: int


def hours_serve(edges: Instants) -> bool:
    """Whether buckets with these edges are made of whole hours of UTC."""
    return bool((edges % HOUR_US == 0).all())


def counted_scan(
    session: Session,
    *,
    organization_id: int,
    sources: Sequence[Source],
    begins_us: int,
    ends_us: int,
    how: Aggregate,
    limit: int,
) -> Iterator[tuple[int, Counted]]:
    """Yield (index of the source, what `bucket_aggregate` makes the same of as of its points) in their order.

    Over [begins_us, ends_us), for buckets whose edges `hours_serve`. Sources without points are left out. Two
    statements more than `points_scan`. Raises LimitExceededError where more than `limit` rows would have to be read.
    """
    progress = session.execute(_PROGRESS, {"organization_id": organization_id}).one_or_none()
    parts: dict[int, list[_Part]] = {}
    if progress is not None:
        windows = _windows(sources, begins_us, min(ends_us, micros_of(progress.until)))
        if windows:
            parameters = {"organization_id": organization_id, "final": progress.final_until, "limit": limit + 1}
            sources, parts = _hours_read(session, sources, windows, how=how, parameters=parameters)
            limit -= sum(len(part.at) for of_source in parts.values() for part in of_source)
            if limit < 0:
                raise LimitExceededError("The range holds too many hours; ask for a shorter one.", path=("from",))
    scanned = points_scan(
        session, organization_id=organization_id, sources=sources, begins_us=begins_us, ends_us=ends_us, limit=limit
    )
    found = next(scanned, None)
    for n in range(len(sources)):
        points = None
        if found is not None and found[0] == n:
            points = found[1]
            found = next(scanned, None)
        if points is not None or n in parts:
            yield n, _joined(points, parts.get(n, []))


def _windows(sources: Sequence[Source], begins_us: int, ends_us: int) -> list[_Window]:
    windows = []
    for n, source in enumerate(sources):
        if not _is_apart(source.segments):
            continue
        for place, segment in enumerate(source.segments):
            begins = -(-max(segment.begins_us, begins_us) // HOUR_US) * HOUR_US
            ends = min(segment.ends_us, ends_us) // HOUR_US * HOUR_US
            if begins < ends:
                windows.append(_Window(n, place, begins, ends))
    return windows


def _is_apart(segments: Sequence[Segment]) -> bool:
    spans = sorted((segment.begins_us, segment.ends_us) for segment in segments)
    return all(begins >= ends for (_, ends), (begins, _) in pairwise(spans))


def _hours_read(
    session: Session,
    sources: Sequence[Source],
    windows: Sequence[_Window],
    *,
    how: Aggregate,
    parameters: dict[str, Any],
) -> tuple[list[Source], dict[int, list[_Part]]]:
    """Return the sources without the hours that are known, and these by source."""
    pieces = {(n, k): [segment] for n, source in enumerate(sources) for k, segment in enumerate(source.segments)}
    parts: dict[int, list[_Part]] = {}
    value, error = _VALUES[how]
    parameters = {
        **parameters,
        "series": [sources[window.source].segments[window.place].series.id for window in windows],
        "begins": [instant_of(window.begins_us) for window in windows],
        "ends": [instant_of(window.ends_us) for window in windows],
    }
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, Connection)  # noqa: S101  (the engine's driver, told to the type checker)
    with connection.cursor(binary=True) as cursor:
        columns_register(cursor)
        statement = _HOURS.replace("{value}", value).replace("{error}", error or "0.0::float8")
        for n, at, values, errors, counts, is_boolean, partial, dirty in cursor.stream(statement, parameters):
            stop_check()
            window = windows[n]
            unknown = np.concatenate([each for each in (partial, dirty, _NO_HOURS) if each is not None])
            segment = sources[window.source].segments[window.place]
            pieces[window.source, window.place] = _pieces(segment, window, np.unique(unknown))
            if at is None:
                continue
            known = ~np.isin(at, unknown)
            if known.any():
                part = _Part(at[known], values[known], errors[known] if error else None, counts[known], is_boolean)
                parts.setdefault(window.source, []).append(part)
    left = [
        replace(source, segments=[piece for k in range(len(source.segments)) for piece in pieces[n, k]])
        for n, source in enumerate(sources)
    ]
    return left, parts


def _pieces(segment: Segment, window: _Window, unknown: Instants) -> list[Segment]:
    """Cut out of a segment the window's hours but for the unknown ones, which are ascending."""
    spans = [(segment.begins_us, window.begins_us)]
    for hour in unknown.tolist():
        if spans[-1][1] == hour:
            spans[-1] = (spans[-1][0], hour + HOUR_US)
        else:
            spans.append((hour, hour + HOUR_US))
    if spans[-1][1] == window.ends_us:
        spans[-1] = (spans[-1][0], segment.ends_us)
    else:
        spans.append((window.ends_us, segment.ends_us))
    return [replace(segment, begins_us=begins, ends_us=ends) for begins, ends in spans if begins < ends]


def _joined(points: Points | None, parts: Sequence[_Part]) -> Counted:
    """Put points and hours in order of time. No hour has both."""
    if not parts:
        assert points is not None  # noqa: S101  (one of them there is)
        return Counted(points, None)
    columns: list[tuple[Instants, Values, Values, int]] = []
    for part in parts:
        type_ = MetricType.BOOLEAN if part.is_boolean else MetricType.NUMBER
        columns.append((part.at, part.values, part.counts, type_))
        if part.errors is not None:
            columns.append((part.at, part.errors, np.zeros(len(part.at)), type_))
    at = [column[0] for column in columns]
    values = [column[1] for column in columns]
    counts = [column[2] for column in columns]
    types = [np.full(len(column[0]), column[3], dtype=np.int8) for column in columns]
    texts = None
    if points is not None:
        at.append(points.at)
        values.append(points.values)
        counts.append(np.ones(len(points.at)))
        types.append(points.types)
        if points.texts is not None:
            none = np.full(sum(len(column[0]) for column in columns), None, dtype=object)
            texts = np.concatenate((none, points.texts))
    joined = Points(np.concatenate(at), np.concatenate(values), np.concatenate(types), texts)
    order = np.argsort(joined.at, kind="stable")
    return Counted(joined.take(order), np.concatenate(counts)[order])
