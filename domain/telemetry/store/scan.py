"""Read stored points out of the database in columns: the hot path of every telemetry read.

One statement for any number of series. The server packs the points of each window of a series into arrays,
sent in binary and row by row, so that neither side holds more than one window of one series beside what is
kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
from psycopg import Connection
from sqlalchemy.orm import Session

from domain.base.array_loads import columns_register
from domain.base.packed import Instants, MetricType, Points, Values, instant_of, points_merge
from domain.base.streams import DERIVED_PARTITION
from domain.telemetry.model.attribution import Source
from graph.errors import LimitExceededError
from graph.stopping import stop_check

POINTS_SCANNED_MAX = 5_000_000

_WINDOW_US = 32 * 86_400_000_000
_WINDOWS_MAX = 24

# LIMIT keeps one window within the bound of the whole call. Only texts have no value. Every order that is relied upon
# is asked for: an index gives it for nothing, where the planner takes the index.
_SCAN = """
SELECT w.n - 1, p.at, p.numbers, p.texts, p.least_type, p.types, {offsets}
FROM unnest(%(series)s::bigint[], %(begins)s::timestamptz[], %(ends)s::timestamptz[])
    WITH ORDINALITY AS w (series_id, begins, ends, n)
CROSS JOIN LATERAL (
    SELECT array_agg(h."timestamp" ORDER BY h."timestamp") AS at,
        array_agg(coalesce(h.value, 'NaN') ORDER BY h."timestamp") AS numbers,
        array_agg(h.text ORDER BY h."timestamp") FILTER (WHERE h.type = 2) AS texts,
        min(h.type) AS least_type,
        {types} AS types
    FROM (
        SELECT s."timestamp", s.type, s.value, s.text
        FROM telemetry_history s
        WHERE s.organization_id = %(organization_id)s AND s.series_id = w.series_id
            AND s."timestamp" >= w.begins AND s."timestamp" < w.ends
        ORDER BY s."timestamp"
        LIMIT %(limit)s
    ) h
) p
WHERE p.at IS NOT NULL
ORDER BY w.n
"""

# The organization's own greatest position of each of the feed's partitions, beyond those given.
OFFSETS_OF = f"""
    SELECT r.partition, max(r.feed_position) AS feed_offset
    FROM unnest(%(partitions)s::smallint[], %(positions)s::bigint[]) AS v (partition, position)
    JOIN raw_batches r ON r.partition = v.partition AND r.feed_position > v.position
    WHERE r.organization_id = %(organization_id)s AND r.received_at >= %(recent)s
    GROUP BY r.partition
    UNION ALL
    SELECT v.partition, max(d.position) AS feed_offset
    FROM unnest(%(partitions)s::smallint[], %(positions)s::bigint[]) AS v (partition, position)
    JOIN derived_commits d ON d.partition = v.partition - {DERIVED_PARTITION} AND d.position > v.position
    WHERE d.organization_id = %(organization_id)s AND v.partition >= {DERIVED_PARTITION}
    GROUP BY v.partition
"""  # noqa: S608  (a number of ours)
# Where the live feed stood in the very snapshot that the points are read in.
OFFSETS = f"(SELECT json_object_agg(b.partition, b.feed_offset)::text FROM ({OFFSETS_OF}) b)"  # noqa: S608  (only text from above)


_TYPES = 'array_agg(h.type ORDER BY h."timestamp")'


@dataclass(slots=True)
class OffsetsProbe:
    """Reads the live feed's offsets in the snapshot of a scan.

    after: positions from which to look, by partition. recent: batches received before are passed over.
    offsets: filled by the scan; stays None where the scan finds no point at all.
    """

    after: Mapping[int, int]
    recent: datetime
    offsets: dict[int, int] | None = None

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of `OFFSETS`."""
        return {
            "partitions": list(self.after),
            "positions": list(self.after.values()),
            "recent": self.recent,
        }


@dataclass(frozen=True, slots=True)
class _Window:
    source: int
    series_id: int
    begins_us: int
    ends_us: int


def points_scan(
    session: Session,
    *,
    organization_id: int,
    sources: Sequence[Source],
    begins_us: int,
    ends_us: int,
    limit: int = POINTS_SCANNED_MAX,
    probe: OffsetsProbe | None = None,
) -> Iterator[tuple[int, Points]]:
    """Yield (index of the source, its points within [begins_us, ends_us)) in the order of `sources`.

    Sources without points are left out. Each is ascending, one point per timestamp: that of the segment that
    goes first. In memory: one source at a time. Exhaust it, or let the transaction go.
    Raises LimitExceededError where more than `limit` stored points would have to be read.
    """
    windows = _windows(sources, begins_us, ends_us)
    if not windows:
        return
    # Windows come in the order of segments, so that of two points at one time the first wins.
    chunks: list[Points] = []
    current, scanned = 0, 0
    parameters = {"organization_id": organization_id, "limit": limit + 1, **_columns(windows)}
    for n, chunk_points in _rows(session, parameters, probe):
        scanned += len(chunk_points.at)
        if scanned > limit:
            msg = f"The range holds more than {limit} stored points; ask for a shorter one or fewer metrics."
            raise LimitExceededError(msg, path=("from",))
        window = windows[n]
        if window.source != current and chunks:
            yield current, points_merge(chunks)
            chunks = []
        current = window.source
        chunks.append(chunk_points)
    if chunks:
        yield current, points_merge(chunks)


def windows_scan(
    session: Session, *, organization_id: int, windows: Sequence[tuple[int, int, int]]
) -> Iterator[tuple[int, Points]]:
    """Yield (index of the window, its points, ascending) for windows (series id, begin, end), microseconds; half-open.

    In the order of `windows`; those without points are left out. In memory: one window at a time. Exhaust it, or let
    the transaction go. Other than those of `points_scan`, points of several types each bear their own.
    """
    if not windows:
        return
    numbered = [_Window(0, *window) for window in windows]
    parameters = {"organization_id": organization_id, "limit": None, **_columns(numbered)}
    yield from _rows(session, parameters, None, with_types=True)


def _windows(sources: Sequence[Source], begins_us: int, ends_us: int) -> list[_Window]:
    """Cut every segment at the same instants: months or so, and never very many."""
    width = max(_WINDOW_US, -((begins_us - ends_us) // _WINDOWS_MAX))
    windows: list[_Window] = []
    for number, source in enumerate(sources):
        for segment in source.segments:
            begins = max(segment.begins_us, begins_us)
            until = min(segment.ends_us, ends_us)
            while begins < until:
                ends = min(until, begins - (begins - begins_us) % width + width)
                windows.append(_Window(number, segment.series.id, begins, ends))
                begins = ends
    return windows


def _columns(windows: Sequence[_Window]) -> dict[str, Any]:
    return {
        "series": [window.series_id for window in windows],
        "begins": [instant_of(window.begins_us) for window in windows],
        "ends": [instant_of(window.ends_us) for window in windows],
    }


def _rows(
    session: Session, parameters: Mapping[str, Any], probe: OffsetsProbe | None, *, with_types: bool = False
) -> Iterator[tuple[int, Points]]:
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, Connection)  # noqa: S101  (the engine's driver, for the type checker)
    statement = _SCAN.replace("{offsets}", "NULL" if probe is None else OFFSETS)
    statement = statement.replace("{types}", _TYPES if with_types else "NULL")
    if probe is not None:
        parameters = {**parameters, **probe.parameters()}
    with connection.cursor(binary=True) as cursor:
        columns_register(cursor)
        for n, at, numbers, texts, least, types, offsets in cursor.stream(statement, parameters):
            if probe is not None and probe.offsets is None:
                probe.offsets = offsets_parse(offsets)
            points = _points(at, numbers, texts, least)
            stop_check(len(points.at))
            yield n, points if types is None else replace(points, types=types.astype(np.int8))


def offsets_parse(answer: str | None) -> dict[int, int]:
    """Parse the result of `OFFSETS`: greatest position by partition."""
    return {int(partition): feed_offset for partition, feed_offset in json.loads(answer or "{}").items()}


def _points(at: Instants, numbers: Values, texts: list[str] | None, least: int) -> Points:
    # Booleans among numbers are numbers; beside texts, what is none is what the least is.
    types = np.full(len(at), least, dtype=np.int8)
    if texts is None:
        return Points(at, numbers, types, None)
    is_text = np.isnan(numbers)
    types[is_text] = MetricType.TEXT
    column = np.full(len(at), None, dtype=object)
    column[is_text] = texts
    return Points(at, numbers, types, column)
