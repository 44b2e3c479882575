"""Read the stored points of readings, in columns: for many readings of few devices. Hot path of replays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg import Connection
from sqlalchemy.orm import Session

from domain.base.array_loads import columns_register
from domain.base.arrays import arrays_enable, instant_array, int_array, uuid_array
from domain.base.packed import MetricType
from domain.telemetry.model.columns import Normalized, Readings

_TEXT = int(MetricType.TEXT)
# By the range of each device port, not by the point: neighbours lie together.
_STORED_POINTS = """
SELECT s.metric, p.at, p.raw_ids, p.types, p.numbers, p.texts
FROM unnest(%(devices)s, %(ports)s, %(begins)s, %(ends)s) AS w (device_id, port, begins, ends)
JOIN series s ON s.organization_id = %(organization_id)s AND s.entity_id = w.device_id
    AND s.port IS NOT DISTINCT FROM nullif(w.port, -1)
CROSS JOIN LATERAL (
    SELECT array_agg(h."timestamp" ORDER BY h."timestamp") AS at,
        array_agg(h.raw_id ORDER BY h."timestamp") AS raw_ids,
        array_agg(h.type ORDER BY h."timestamp") AS types,
        array_agg(coalesce(h.value, 'NaN') ORDER BY h."timestamp") AS numbers,
        array_agg(h.text ORDER BY h."timestamp") FILTER (WHERE h.text IS NOT NULL) AS texts
    FROM telemetry_history h
    WHERE h.organization_id = %(organization_id)s AND h.series_id = s.id
        AND h."timestamp" BETWEEN w.begins AND w.ends
) p
WHERE p.at IS NOT NULL
"""


def stored_read(session: Session, *, organization_id: int, readings: Readings) -> Normalized:
    """Return the stored points of readings. One statement, over the whole range of each device port."""
    arrays_enable(session)
    order = np.argsort(readings.raw_ids)
    ids = readings.raw_ids[order]
    devices, ports, begins, ends = _ranges(readings)
    index: dict[str, int] = {}
    places, metrics, types, values = [], [], [], []
    texts_by_place: dict[tuple[int, int], str] = {}
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, Connection)  # noqa: S101  (the engine's driver, for the type checker)
    parameters: dict[str, Any] = {
        "organization_id": organization_id,
        "devices": uuid_array(b"".join(devices)),
        "ports": int_array(ports),
        "begins": instant_array(begins),
        "ends": instant_array(ends),
    }
    with connection.cursor(binary=True) as cursor:
        columns_register(cursor)
        for metric, at, raw_ids, kinds, numbers, texts in cursor.execute(_STORED_POINTS, parameters):
            # Others may have said something in between: only what these readings said.
            near = np.minimum(np.searchsorted(ids, raw_ids), len(ids) - 1)
            reading_of = order[near]
            mine = (ids[near] == raw_ids) & (readings.timestamps[reading_of] == at)
            if not mine.any():
                continue
            name = index.setdefault(metric, len(index))
            if texts is not None:
                is_text = np.flatnonzero(kinds == _TEXT)
                texts_by_place |= {
                    (int(reading_of[k]), name): text for k, text in zip(is_text.tolist(), texts, strict=True) if mine[k]
                }
            places.append(reading_of[mine])
            metrics.append(np.full(len(places[-1]), name, dtype=np.int32))
            types.append(kinds[mine])
            values.append(numbers[mine])
    return _ordered(list(index), places, metrics, (types, values), texts_by_place)


def _ranges(readings: Readings) -> tuple[list[bytes], list[int], list[int], list[int]]:
    """Return device, port, first and last time of each device port that sent any of the readings."""
    spans: dict[tuple[bytes, int], tuple[int, int]] = {}
    for device, port, at in zip(readings.devices, readings.ports.tolist(), readings.timestamps.tolist(), strict=True):
        first, last = spans.get((device, port), (at, at))
        spans[device, port] = min(first, at), max(last, at)
    keys = list(spans)
    return [d for d, _ in keys], [p for _, p in keys], [spans[k][0] for k in keys], [spans[k][1] for k in keys]


def _ordered(
    names: list[str],
    places: list[NDArray[np.intp]],
    metrics: list[NDArray[np.int32]],
    columns: tuple[list[NDArray[np.int16]], list[NDArray[np.float64]]],
    texts_by_place: dict[tuple[int, int], str],
) -> Normalized:
    """Put the points of all series in the order of their readings."""
    reading_of = np.concatenate([np.empty(0, dtype=np.intp), *places])
    metric = np.concatenate([np.empty(0, dtype=np.int32), *metrics])
    order = np.lexsort((metric, reading_of))
    reading_of, metric = reading_of[order], metric[order]
    texts = {}
    if texts_by_place:
        of_point = enumerate(zip(reading_of.tolist(), metric.tolist(), strict=True))
        texts = {place: texts_by_place[key] for place, key in of_point if key in texts_by_place}
    types, values = (np.concatenate([np.empty(0), *column])[order] for column in columns)
    return Normalized(names, reading_of.astype(np.int32), metric, types.astype(np.int8), values, texts, [])
