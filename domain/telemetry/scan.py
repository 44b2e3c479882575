"""Reads stored points out of the database in columns: the hot path of every telemetry read.

One statement for any number of series. The server packs the points of each window of a series into arrays,
sent in binary and row by row, so that neither side holds more than one window of one series beside what is
kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from psycopg import Connection
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.pq import Format
from sqlalchemy.orm import Session

from domain.telemetry.attribution import Source
from domain.telemetry.packed import Instants, MetricType, Points, Values, instant_of
from graph.errors import LimitExceededError

POINTS_SCANNED_MAX = 5_000_000

_WINDOW_US = 32 * 86_400_000_000
_WINDOWS_MAX = 24

_FLOAT8_ARRAY, _TIMESTAMPTZ_ARRAY = 1022, 1185
_ARRAY_HEADER = 20
_POSTGRES_EPOCH_US = 946_684_800_000_000

# LIMIT keeps one window within the bound of the whole call. Only texts have no value.
_SCAN = """
SELECT w.n - 1, p.at, p.numbers, p.texts, p.least_type, p.greatest_type
FROM unnest(%(series)s::bigint[], %(begins)s::timestamptz[], %(ends)s::timestamptz[])
    WITH ORDINALITY AS w (series_id, begins, ends, n)
CROSS JOIN LATERAL (
    SELECT array_agg(h."timestamp") AS at,
        array_agg(coalesce(h.value, 'NaN')) AS numbers,
        array_agg(h.text) FILTER (WHERE h.type = 2) AS texts,
        min(h.type) AS least_type,
        max(h.type) AS greatest_type
    FROM (
        SELECT s."timestamp", s.type, s.value, s.text
        FROM telemetry_history s
        WHERE s.organization_id = %(organization_id)s AND s.series_id = w.series_id
            AND s."timestamp" >= w.begins AND s."timestamp" < w.ends
        LIMIT %(limit)s
    ) h
) p
WHERE p.at IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class _Window:
    source: int
    rank: int
    series_id: int
    begins_us: int
    ends_us: int


@dataclass(frozen=True, slots=True)
class _Chunk:
    rank: int
    points: Points


class _Int64Array(Loader):
    """timestamptz[] without nulls, to int64 microseconds since the Unix epoch."""

    format = Format.BINARY

    def load(self, data: Buffer) -> Instants:
        elements = np.frombuffer(data, dtype=[("length", ">i4"), ("value", ">i8")], offset=_ARRAY_HEADER)
        return elements["value"].astype(np.int64) + _POSTGRES_EPOCH_US


class _Float64Array(Loader):
    """float8[] without nulls, to float64."""

    format = Format.BINARY

    def load(self, data: Buffer) -> Values:
        elements = np.frombuffer(data, dtype=[("length", ">i4"), ("value", ">f8")], offset=_ARRAY_HEADER)
        return elements["value"].astype(np.float64)


def points_scan(
    session: Session,
    *,
    organization_id: int,
    sources: Sequence[Source],
    begins_us: int,
    ends_us: int,
    limit: int = POINTS_SCANNED_MAX,
) -> Iterator[tuple[int, Points]]:
    """Yield (index of the source, its points within [begins_us, ends_us)) in the order of `sources`.

    Sources without points are left out. Each is ascending, one point per timestamp: that of the segment that
    goes first. In memory: one source at a time. Exhaust it, or let the transaction go.
    Raises LimitExceededError where more than `limit` stored points would have to be read.
    """
    windows = _windows(sources, begins_us, ends_us)
    if not windows:
        return
    held: list[_Chunk] = []
    current, scanned = 0, 0
    for n, chunk_points in _rows(session, organization_id=organization_id, windows=windows, limit=limit):
        scanned += len(chunk_points.at)
        if scanned > limit:
            msg = f"The range holds more than {limit} stored points; ask for a shorter one or fewer metrics."
            raise LimitExceededError(msg, path=("from",))
        window = windows[n]
        if window.source != current and held:
            yield current, _merge(held)
            held = []
        current = window.source
        held.append(_Chunk(window.rank, chunk_points))
    if held:
        yield current, _merge(held)


def _windows(sources: Sequence[Source], begins_us: int, ends_us: int) -> list[_Window]:
    """Cut every segment at the same instants: months or so, and never very many."""
    width = max(_WINDOW_US, -((begins_us - ends_us) // _WINDOWS_MAX))
    windows: list[_Window] = []
    for number, source in enumerate(sources):
        for rank, segment in enumerate(source.segments):
            begins = max(segment.begins_us, begins_us)
            until = min(segment.ends_us, ends_us)
            while begins < until:
                ends = min(until, begins - (begins - begins_us) % width + width)
                windows.append(_Window(number, rank, segment.series.id, begins, ends))
                begins = ends
    return windows


def _rows(
    session: Session, *, organization_id: int, windows: Sequence[_Window], limit: int
) -> Iterator[tuple[int, Points]]:
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, Connection)  # noqa: S101  (the engine's driver, told to the type checker)
    parameters: dict[str, Any] = {
        "organization_id": organization_id,
        "limit": limit + 1,
        "series": [window.series_id for window in windows],
        "begins": [instant_of(window.begins_us) for window in windows],
        "ends": [instant_of(window.ends_us) for window in windows],
    }
    with connection.cursor(binary=True) as cursor:
        cursor.adapters.register_loader(_TIMESTAMPTZ_ARRAY, _Int64Array)
        cursor.adapters.register_loader(_FLOAT8_ARRAY, _Float64Array)
        for n, at, numbers, texts, least, greatest in cursor.stream(_SCAN, parameters):
            yield n, _points(at, numbers, texts, least, greatest)


def _points(at: Instants, numbers: Values, texts: list[str] | None, least: int, greatest: int) -> Points:
    uniform = least if least == greatest else MetricType.NUMBER
    types = np.full(len(at), uniform, dtype=np.int8)
    if texts is None:
        return Points(at, numbers, types, None)
    is_text = np.isnan(numbers)
    types[is_text] = MetricType.TEXT
    column = np.full(len(at), None, dtype=object)
    column[is_text] = texts
    return Points(at, numbers, types, column)


def _merge(chunks: Sequence[_Chunk]) -> Points:
    """Put the chunks of one source in order of time, and keep the point of the smallest rank at each."""
    if len(chunks) == 1 and _is_ascending(chunks[0].points.at):
        return chunks[0].points
    parts = [chunk.points for chunk in chunks]
    texts = None
    if any(part.texts is not None for part in parts):
        texts = np.concatenate([_texts(part) for part in parts])
    points = Points(
        np.concatenate([part.at for part in parts]),
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.types for part in parts]),
        texts,
    )
    if _is_ascending(points.at):
        return points
    ranks = np.concatenate([np.full(len(c.points.at), c.rank, dtype=np.int32) for c in chunks])
    order = np.lexsort((ranks, points.at))
    at = points.at[order]
    first = np.append(True, at[1:] != at[:-1])
    return points.take(order[first])


def _texts(points: Points) -> np.ndarray[Any, np.dtype[np.object_]]:
    return np.full(len(points.at), None, dtype=object) if points.texts is None else points.texts


def _is_ascending(at: Instants) -> bool:
    return bool((at[1:] > at[:-1]).all())
