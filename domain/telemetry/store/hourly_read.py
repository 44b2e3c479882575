"""Read sources for buckets: from hourly aggregates where these are exact, point by point elsewhere.

Where buckets, or a range or a link, begin at quarters of an hour, the quarters of hours are read. By the point is read
what begins elsewhere; hours not summarized yet or written to since; hours with texts; whole sources where two series
overlap, of whose points one may hide another. Where the points of these have been dropped, and an hour is known to have
had any, the answer says that something is missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from psycopg import Connection
from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.array_loads import columns_register
from domain.base.arrays import arrays_enable, bigint_array, instant_array
from domain.base.packed import Aggregate, Instants, MetricType, Points, Values, instant_of, micros_of
from domain.telemetry.model.attribution import Segment, Source
from domain.telemetry.model.buckets import Counted
from domain.telemetry.store.hourly_summary import HOUR_US, QUARTER, QUARTER_US
from domain.telemetry.store.scan import points_scan
from graph.errors import LimitExceededError
from graph.stopping import stop_check

_NO_HOURS: Final = np.empty(0, dtype=np.int64)
# What replaces the points of an hour: which of its columns, and a second that goes with it: what a sum was rounded by,
# or the last point where the first is not enough.
_VALUES: Final = {
    Aggregate.COUNT: (None, None),
    Aggregate.MEAN: ("sum", "sum_error"),
    Aggregate.SUM: ("sum", "sum_error"),
    Aggregate.MIN: ("least", None),
    Aggregate.MAX: ("greatest", None),
    Aggregate.FIRST: ("first", None),
    Aggregate.LAST: ("last", None),
    Aggregate.DELTA: ("first", "last"),
}
# Aggregates that hours answer; the others need every point.
HOURLY: Final = frozenset(_VALUES)
_PROGRESS = text(
    """
    SELECT until, nullif(final_until, '-infinity') AS final_until FROM hours_progress
    WHERE organization_id = :organization_id
    """
)
# Rows of invalidated hours do not count, except where points are no longer kept: those are as they are for good.
# Hours of the middle of a window are taken whole, others by their quarters.
_HOURS = """
SELECT w.n - 1, h.at, h.numbers, h.seconds, h.points, h.is_boolean, h.split, h.quarters, h.partial, d.dirty
FROM unnest(%(series)s::bigint[], %(begins)s::timestamptz[], %(ends)s::timestamptz[], %(middle_begins)s::timestamptz[],
    %(middle_ends)s::timestamptz[]) WITH ORDINALITY AS w (series_id, begins, ends, middle_begins, middle_ends, n)
CROSS JOIN LATERAL (
    SELECT array_agg(a.hour ORDER BY a.hour) FILTER (WHERE a.is_known AND a.is_middle) AS at,
        array_agg({value} ORDER BY a.hour) FILTER (WHERE a.is_known AND a.is_middle) AS numbers,
        array_agg({second} ORDER BY a.hour) FILTER (WHERE a.is_known AND a.is_middle) AS seconds,
        array_agg(a.points::float8 ORDER BY a.hour) FILTER (WHERE a.is_known AND a.is_middle) AS points,
        bool_and(a.least_type = 1) FILTER (WHERE a.is_known AND a.is_middle) AS is_boolean,
        array_agg(a.hour ORDER BY a.hour) FILTER (WHERE a.is_known AND NOT a.is_middle) AS split,
        string_agg(a.quarters, ''::bytea ORDER BY a.hour) FILTER (WHERE a.is_known AND NOT a.is_middle) AS quarters,
        array_agg(a.hour ORDER BY a.hour) FILTER (WHERE NOT a.is_known) AS partial
    FROM (
        SELECT m.*, m.is_whole AND (m.is_middle OR m.quarters IS NOT NULL) AS is_known FROM (
        SELECT s.*, s.hour >= w.middle_begins AND s.hour < w.middle_ends AS is_middle FROM series_hours s
        WHERE s.organization_id = %(organization_id)s AND s.series_id = w.series_id
            AND s.hour >= w.begins AND s.hour < w.ends
        LIMIT %(limit)s
        ) m
    ) a
) h
CROSS JOIN LATERAL (
    SELECT array_agg(m.hour ORDER BY m.hour) AS dirty FROM dirty_hours m
    WHERE m.organization_id = %(organization_id)s AND m.series_id = w.series_id
        AND m.hour >= greatest(w.begins, %(final)s::timestamptz) AND m.hour < w.ends
) d
ORDER BY w.n
"""
# Of spans of series, which have an hour that had points.
_HAD = text(
    """
    SELECT u.n - 1 AS n FROM unnest(:series, :begins, :ends) WITH ORDINALITY AS u (s, b, e, n)
    WHERE EXISTS (
        SELECT FROM series_hours h WHERE h.organization_id = :organization_id AND h.series_id = u.s
            AND h.hour > u.b - interval '1 hour' AND h.hour < u.e
    )
    """
)


@dataclass(frozen=True, slots=True)
class _Part:
    """Hours of one segment that stand for their points; seconds: the second values of their points, or None."""

    at: Instants
    values: Values
    seconds: Values | None
    counts: Values
    types: NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class _Window:
    """Whole quarters of a segment, by their places: of the source, and within it.

    [middle_begins_us, middle_ends_us): of these, what is taken by whole hours.
    """

    source: int
    place: int
    begins_us: int
    ends_us: int
    middle_begins_us: int
    middle_ends_us: int


@dataclass(frozen=True, slots=True)
class _Progress:
    until: datetime
    final_until: datetime | None


@dataclass(slots=True)
class Missing:
    """The indexes of sources that had points in the range which retention has dropped."""

    places: set[int] = field(default_factory=set)


def hours_suffice(edges: Instants) -> bool:
    """Whether buckets with these edges are made of whole quarters of hours of UTC."""
    return bool((edges % QUARTER_US == 0).all())


def counted_scan(
    session: Session,
    *,
    organization_id: int,
    sources: Sequence[Source],
    begins_us: int,
    ends_us: int,
    how: Aggregate,
    limit: int,
    is_hourly: bool,
    missing: Missing | None = None,
) -> Iterator[tuple[int, Counted]]:
    """Yield (index of the source, counted points) in order: `bucket_aggregate` gives the same as of all points.

    Over [begins_us, ends_us), for buckets whose edges `hours_suffice`; is_hourly: they are whole hours. Sources without
    points are left out. Three statements more than `points_scan` at most. missing: filled with what is no longer
    retained. Raises LimitExceededError where more than `limit` rows would have to be read.
    """
    progress = _progress_read(session, organization_id)
    parts: dict[int, list[_Part]] = {}
    remaining = sources
    if progress is not None:
        until_us = min(ends_us, micros_of(progress.until))
        windows = _windows(sources, begins_us, until_us, is_hourly=is_hourly)
        if windows:
            parameters = {"organization_id": organization_id, "final": progress.final_until, "limit": limit + 1}
            remaining, parts = _hours_read(session, sources, windows, how=how, parameters=parameters)
            limit -= sum(len(part.at) for of_source in parts.values() for part in of_source)
            if limit < 0:
                raise LimitExceededError("The range holds too many hours; ask for a shorter one.", path=("from",))
        if missing is not None:
            span = begins_us, ends_us
            _missing_find(session, organization_id, progress, sources=remaining, span=span, missing=missing)
    scanned = points_scan(
        session, organization_id=organization_id, sources=remaining, begins_us=begins_us, ends_us=ends_us, limit=limit
    )
    following = next(scanned, None)
    for n in range(len(remaining)):
        points = None
        if following is not None and following[0] == n:
            points = following[1]
            following = next(scanned, None)
        if points is not None or n in parts:
            yield n, _joined(points, parts.get(n, []))


def points_missing(
    session: Session, *, organization_id: int, sources: Sequence[Source], begins_us: int, ends_us: int
) -> Missing:
    """Return the sources that had points within [begins_us, ends_us) which retention has dropped.

    Two statements at most.
    """
    missing = Missing()
    progress = _progress_read(session, organization_id)
    if progress is not None:
        span = begins_us, ends_us
        _missing_find(session, organization_id, progress, sources=sources, span=span, missing=missing)
    return missing


def _progress_read(session: Session, organization_id: int) -> _Progress | None:
    row = session.execute(_PROGRESS, {"organization_id": organization_id}).one_or_none()
    return None if row is None else _Progress(*row)


def _missing_find(
    session: Session,
    organization_id: int,
    progress: _Progress,
    *,
    sources: Sequence[Source],
    span: tuple[int, int],
    missing: Missing,
) -> None:
    """Note of which sources points would have to be read that were dropped. sources: with what is left to points."""
    if progress.final_until is None or span[0] >= micros_of(progress.final_until):
        return
    final_us = micros_of(progress.final_until)
    ranges = [
        (n, segment.series.id, begins, ends)
        for n, source in enumerate(sources)
        for segment in source.segments
        if (begins := max(segment.begins_us, span[0])) < (ends := min(segment.ends_us, span[1], final_us))
    ]
    if not ranges:
        return
    arrays_enable(session)
    values = {
        "organization_id": organization_id,
        "series": bigint_array([series for _, series, _, _ in ranges]),
        "begins": instant_array([begins for _, _, begins, _ in ranges]),
        "ends": instant_array([ends for _, _, _, ends in ranges]),
    }
    missing.places |= {ranges[row.n][0] for row in session.execute(_HAD, values)}


def _windows(sources: Sequence[Source], begins_us: int, ends_us: int, *, is_hourly: bool) -> list[_Window]:
    windows = []
    for n, source in enumerate(sources):
        if not _is_disjoint(source.segments):
            continue
        for place, segment in enumerate(source.segments):
            begins = _up(max(segment.begins_us, begins_us), QUARTER_US)
            ends = min(segment.ends_us, ends_us) // QUARTER_US * QUARTER_US
            if begins < ends:
                middle = (_up(begins, HOUR_US), ends // HOUR_US * HOUR_US) if is_hourly else (begins, begins)
                windows.append(_Window(n, place, begins, ends, *middle))
    return windows


def _up(at_us: int, step_us: int) -> int:
    return -(-at_us // step_us) * step_us


def _is_disjoint(segments: Sequence[Segment]) -> bool:
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
    value, second = _VALUES[how]
    parameters = {
        **parameters,
        "series": [sources[window.source].segments[window.place].series.id for window in windows],
        "begins": [instant_of(window.begins_us // HOUR_US * HOUR_US) for window in windows],
        "ends": [instant_of(_up(window.ends_us, HOUR_US)) for window in windows],
        "middle_begins": [instant_of(window.middle_begins_us) for window in windows],
        "middle_ends": [instant_of(window.middle_ends_us) for window in windows],
    }
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, Connection)  # noqa: S101  (the engine's driver, for the type checker)
    with connection.cursor(binary=True) as cursor:
        columns_register(cursor)
        statement = _HOURS.replace("{value}", f"a.{value}" if value else "0.0::float8")
        statement = statement.replace("{second}", f"a.{second}" if second else "0.0::float8")
        for n, *columns, split, quarters, partial, dirty in cursor.stream(statement, parameters):
            stop_check()
            window = windows[n]
            unknown = np.unique(np.concatenate([item for item in (partial, dirty, _NO_HOURS) if item is not None]))
            segment = sources[window.source].segments[window.place]
            pieces[window.source, window.place] = _pieces(segment, window, unknown)
            hour_parts = [_hours_part(columns, how), _quarters_part(split, quarters, window, how)]
            for part in hour_parts:
                if part is not None and (known := ~np.isin(part.at - part.at % HOUR_US, unknown)).any():
                    parts.setdefault(window.source, []).append(_part_take(part, known))
    remaining = [
        replace(source, segments=[piece for k in range(len(source.segments)) for piece in pieces[n, k]])
        for n, source in enumerate(sources)
    ]
    return remaining, parts


def _hours_part(columns: Sequence[Any], how: Aggregate) -> _Part | None:
    """Return the whole hours of a row: beginnings, values, second values, counts, whether all booleans."""
    at, values, seconds, counts, is_boolean = columns
    if at is None:
        return None
    types = np.full(len(at), MetricType.BOOLEAN if is_boolean else MetricType.NUMBER, dtype=np.int8)
    return _Part(at, values, seconds if _VALUES[how][1] else None, counts, types)


def _quarters_part(split: Instants | None, packed: bytes | None, window: _Window, how: Aggregate) -> _Part | None:
    """Return the quarters that lie in a window, of hours that are not taken whole."""
    if split is None or packed is None:
        return None
    records = np.frombuffer(packed, dtype=QUARTER)
    at = (split[:, np.newaxis] + QUARTER_US * np.arange(4)).ravel()
    within = (records["points"] > 0) & (at >= window.begins_us) & (at < window.ends_us)
    at, records = at[within], records[within]
    value, second = _VALUES[how]
    return _Part(
        at,
        records[value].astype(np.float64) if value else np.zeros(len(at)),
        records[second].astype(np.float64) if second else None,
        records["points"].astype(np.float64),
        records["least_type"].astype(np.int8),
    )


def _part_take(part: _Part, known: NDArray[np.bool_]) -> _Part:
    seconds = None if part.seconds is None else part.seconds[known]
    return _Part(part.at[known], part.values[known], seconds, part.counts[known], part.types[known])


def _pieces(segment: Segment, window: _Window, unknown: Instants) -> list[Segment]:
    """Cut out of a segment the window but for its unknown hours, which are ascending."""
    spans = [(segment.begins_us, window.begins_us)]
    for hour in unknown.tolist():
        begins, ends = max(hour, window.begins_us), min(hour + HOUR_US, window.ends_us)
        if spans[-1][1] == begins:
            spans[-1] = (spans[-1][0], ends)
        else:
            spans.append((begins, ends))
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
    columns: list[tuple[Instants, Values, Values, NDArray[np.int8]]] = []
    for part in parts:
        # Behind its values: of equal times their order stays.
        columns.append((part.at, part.values, part.counts, part.types))
        if part.seconds is not None:
            columns.append((part.at, part.seconds, np.zeros(len(part.at)), part.types))
    at = [column[0] for column in columns]
    values = [column[1] for column in columns]
    counts = [column[2] for column in columns]
    types = [column[3] for column in columns]
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
