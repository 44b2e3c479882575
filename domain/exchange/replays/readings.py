"""Read the readings of a replay, device by device in order of time, in columns. Hot path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import numpy as np
from psycopg import Connection
from sqlalchemy import ARRAY, Uuid, bindparam, text
from sqlalchemy.orm import Session

from domain.base.array_loads import columns_register
from domain.base.packed import instant_of
from domain.telemetry.model.columns import Readings, metrics_decode

DEVICES_AT_ONCE: Final = 1_000
_INSTANT: Final = timedelta(microseconds=1)

_DEVICES = text(
    """
    SELECT d.id FROM devices d
    WHERE d.organization_id = :organization_id AND (cast(:after AS uuid) IS NULL OR d.id >= :after)
        AND (:devices IS NULL OR d.id = ANY(:devices))
    ORDER BY d.id LIMIT :limit
    """
).bindparams(bindparam("devices", type_=ARRAY(Uuid)), bindparam("after", type_=Uuid))
# Those that wait for the stages will be processed by what is in force anyway.
_READINGS = """
SELECT u.n - 1, c.ids, c.ports, c.at, c.received, c.keys, c.metrics
FROM unnest(%(devices)s::uuid[], %(begins)s::timestamptz[]) WITH ORDINALITY AS u (device_id, begins, n)
CROSS JOIN LATERAL (
    SELECT array_agg(o.id ORDER BY o."timestamp", o.id) AS ids,
        array_agg(coalesce(o.port, -1) ORDER BY o."timestamp", o.id) AS ports,
        array_agg(o."timestamp" ORDER BY o."timestamp", o.id) AS at,
        array_agg(o.received_at ORDER BY o."timestamp", o.id) AS received,
        array_agg(o.key ORDER BY o."timestamp", o.id) AS keys,
        '[' || string_agg(o.metrics::text, ',' ORDER BY o."timestamp", o.id) || ']' AS metrics
    FROM (
        SELECT r.id, r.port, r."timestamp", r.received_at, r.key, r.metrics FROM telemetry_raw r
        JOIN raw_batches b ON b.organization_id = r.organization_id AND b.id = r.batch_id
            AND b.received_at = r.received_at AND b.normalized_at IS NOT NULL
        WHERE r.organization_id = %(organization_id)s AND r.device_id = u.device_id
            AND r."timestamp" >= u.begins AND r."timestamp" < %(ends)s
        ORDER BY r."timestamp" LIMIT %(limit)s
    ) o
) c
WHERE c.ids IS NOT NULL
ORDER BY u.n
"""


@dataclass(frozen=True, slots=True)
class Scope:
    """The scope of a replay: readings of [begins, ends), by these devices or by all of the organization's."""

    organization_id: int
    begins: datetime
    ends: datetime
    device_ids: Sequence[UUID] | None


@dataclass(frozen=True, slots=True)
class _Device:
    """Some readings of one device, ascending by time and raw id. Columns as in `Readings`."""

    device: bytes
    ids: np.ndarray[tuple[int], np.dtype[np.int64]]
    ports: np.ndarray[tuple[int], np.dtype[np.int32]]
    at: np.ndarray[tuple[int], np.dtype[np.int64]]
    received: np.ndarray[tuple[int], np.dtype[np.int64]]
    keys: list[bytes]
    metrics: list[Any]

    def __len__(self) -> int:
        return len(self.ids)

    def before(self, at: int) -> _Device:
        """Return the readings before an instant."""
        n = int(np.searchsorted(self.at, at))
        columns = (self.ids[:n], self.ports[:n], self.at[:n], self.received[:n])
        return _Device(self.device, *columns, self.keys[:n], self.metrics[:n])


Place = tuple[UUID | None, datetime | None]


def readings_next(session: Session, *, scope: Scope, after: Place, limit: int) -> tuple[Readings, Place]:
    """Return the readings that follow a place, and the place after them: (None, None) at the end.

    after: the device and time of the last reading done; (None, None) at the beginning. About `limit` readings; all of
    one device and one instant stay together, and are more only where they alone are. Those that no stage has
    processed yet are left out.
    """
    parameters = {"organization_id": scope.organization_id, "after": after[0], "devices": scope.device_ids}
    devices = session.execute(_DEVICES, {**parameters, "limit": DEVICES_AT_ONCE}).scalars().all()
    result: list[_Device] = []
    room, done = limit, 0
    while done < len(devices):
        # As many as are likely to have what there is room for; the first is asked alone. None is asked for much more
        # than those before had: it is then the first of the next part.
        per_device = max((limit - room) // done, 1) if done else limit
        most = min(room, 4 * per_device)
        chunk = devices[done : done + max(1, room // per_device)]
        begins = [after[1] + _INSTANT if d == after[0] and after[1] is not None else scope.begins for d in chunk]
        by_place = _read(session, scope, chunk, begins, limit=most + 1)
        for n, device_id in enumerate(chunk):
            readings = by_place.get(n)
            if readings is None:
                continue
            if len(readings) <= min(room, most):
                result.append(readings)
                room -= len(readings)
                continue
            # More than there is room for: without the last instant, which may go on.
            last = int(readings.at[min(room, len(readings) - 1)])
            complete = readings.before(last)
            if not len(complete) and not result:
                # More than a part at one instant: all of it, so that it is evaluated as one.
                at = instant_of(last)
                one = Scope(scope.organization_id, at, at + _INSTANT, None)
                complete = _read(session, one, [device_id], [at], limit=None)[0]
            upto = instant_of(int(complete.at[-1])) if len(complete) else begins[n].astimezone(UTC) - _INSTANT
            return _joined([*result, complete]), (device_id, upto)
        done += len(chunk)
    if len(devices) == DEVICES_AT_ONCE:
        return _joined(result), (devices[-1], scope.ends)
    return _joined(result), (None, None)


def _read(
    session: Session, scope: Scope, devices: Sequence[UUID], begins: Sequence[datetime], *, limit: int | None
) -> dict[int, _Device]:
    """Return at most `limit` readings of each device from its own beginning on, by the device's place."""
    parameters = {
        "organization_id": scope.organization_id,
        "devices": list(devices),
        "begins": list(begins),
        "ends": scope.ends,
        "limit": limit,
    }
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, Connection)  # noqa: S101  (the engine's driver, for the type checker)
    by_device = {}
    with connection.cursor(binary=True) as cursor:
        columns_register(cursor)
        for n, ids, ports, at, received, keys, metrics in cursor.execute(_READINGS, parameters):
            order = np.lexsort((ids, at))
            decoded = metrics_decode(metrics)
            by_device[n] = _Device(
                devices[n].bytes,
                ids[order],
                ports[order],
                at[order],
                received[order],
                [keys[16 * k : 16 * k + 16] for k in order.tolist()],
                [decoded[k] for k in order.tolist()],
            )
    return by_device


def _joined(parts: Sequence[_Device]) -> Readings:
    whole = np.empty(0, dtype=np.int64)
    return Readings(
        np.concatenate([whole, *(part.ids for part in parts)]),
        np.zeros(sum(map(len, parts)), dtype=np.int32),
        [part.device for part in parts for _ in range(len(part))],
        np.concatenate([whole.astype(np.int32), *(part.ports for part in parts)]),
        np.concatenate([whole, *(part.at for part in parts)]),
        np.concatenate([whole, *(part.received for part in parts)]),
        [key for part in parts for key in part.keys],
        [metrics for part in parts for metrics in part.metrics],
    )
