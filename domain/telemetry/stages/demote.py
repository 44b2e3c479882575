"""Undoes readings that were processed and then turned out to repeat one with a smaller raw id. Rare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.telemetry.arrays import arrays_enable, bigint_array, instant_array, int_array, uuid_array
from domain.telemetry.normalize import Normalized, Readings, readings_normalize
from domain.telemetry.packed import micros_of
from domain.telemetry.readings import NO_PORT
from domain.telemetry.stages.letters import letters_resolve
from domain.telemetry.stages.memory import StageMemory, StageNotes
from domain.telemetry.stages.points import (
    latest_recompute,
    points_of,
    points_withdraw,
    points_write,
)

_COLUMNS = 'r.id, r.device_id, r.port, r."timestamp", r.received_at, r.key, r.metrics::text AS metrics'
_DEMOTED = text(
    f"""
    SELECT {_COLUMNS} FROM unnest(:ids, :received) AS u (i, t)
    JOIN telemetry_raw r ON r.organization_id = :organization_id AND r.id = u.i AND r.received_at = u.t
    """  # noqa: S608  (only names from above)
)
# What else was said at the same device, port and time, by readings that count and have been processed.
_BESIDE = text(
    f"""
    SELECT DISTINCT ON (r.id) {_COLUMNS} FROM unnest(:devices, :ports, :at) AS u (d, p, t)
    JOIN telemetry_raw r ON r.organization_id = :organization_id AND r.device_id = u.d AND r."timestamp" = u.t
        AND coalesce(r.port, -1) = u.p
    JOIN reading_keys k ON k.organization_id = r.organization_id AND k.device_id = r.device_id AND k.key = r.key
        AND k.raw_id = r.id
    ORDER BY r.id
    """  # noqa: S608  (only names from above)
)


@dataclass(frozen=True, slots=True)
class Demotion:
    """What a demotion needs beside its readings."""

    organization_id: int
    stage: str
    future_tolerance: timedelta
    now: datetime


def readings_demote(
    session: Session,
    *,
    demotion: Demotion,
    demoted: Sequence[tuple[int, datetime]],
    memory: StageMemory,
    notes: StageNotes,
) -> Readings:
    """Take back the points and dead letters of readings that are duplicates after all; return those readings.

    demoted: raw id and time of receipt; their keys name another reading by now. Where another reading said
    something at the same (device, port, metric, timestamp), its point takes the place.
    """
    arrays_enable(session)
    organization_id = demotion.organization_id
    gone = _read(
        session,
        _DEMOTED,
        {
            "organization_id": organization_id,
            "ids": bigint_array([raw_id for raw_id, _ in demoted]),
            "received": instant_array([micros_of(at) for _, at in demoted]),
        },
    )
    if not len(gone):
        return gone
    letters_resolve(
        session,
        organization_id=organization_id,
        stage=demotion.stage,
        raw_ids=gone.raw_ids.tolist(),
        now=demotion.now,
    )
    meant = readings_normalize(gone, future_tolerance=demotion.future_tolerance)
    withdrawn = points_of(
        session,
        organization_id=organization_id,
        readings=gone,
        normalized=meant,
        chosen=_all(meant),
        memory=memory,
        notes=notes,
    )
    series = points_withdraw(session, organization_id=organization_id, points=withdrawn)
    if not series:
        return gone
    beside = _read(
        session,
        _BESIDE,
        {
            "organization_id": organization_id,
            "devices": uuid_array(b"".join(gone.devices)),
            "ports": int_array(gone.ports),
            "at": instant_array(gone.timestamps),
        },
    )
    meant = readings_normalize(beside, future_tolerance=demotion.future_tolerance)
    points = points_of(
        session,
        organization_id=organization_id,
        readings=beside,
        normalized=meant,
        chosen=_all(meant),
        memory=memory,
        notes=notes,
    )
    points_write(session, organization_id=organization_id, points=points, memory=memory, notes=notes)
    latest_recompute(session, organization_id=organization_id, series=series)
    return gone


def _all(normalized: Normalized) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    return np.arange(len(normalized.readings), dtype=np.intp)


def _read(session: Session, statement: object, values: dict[str, object]) -> Readings:
    rows = session.execute(statement, values).all()  # type: ignore[call-overload]
    return Readings(
        np.array([row.id for row in rows], dtype=np.int64),
        np.zeros(len(rows), dtype=np.int32),
        [row.device_id.bytes for row in rows],
        np.array([NO_PORT if row.port is None else row.port for row in rows], dtype=np.int32),
        np.array([micros_of(row.timestamp) for row in rows], dtype=np.int64),
        np.array([micros_of(row.received_at) for row in rows], dtype=np.int64),
        [row.key.bytes for row in rows],
        [orjson.loads(row.metrics) for row in rows],
    )
