"""Deduplicate readings: of one device and key, the reading with the smallest raw id counts, whenever it comes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable, bigint_array, boolean_array, instant_array, uuid_array
from domain.telemetry.model.columns import Readings

_CLAIM = text(
    """
    INSERT INTO reading_keys (organization_id, device_id, key, raw_id, received_at, stored)
    SELECT :organization_id, u.d, u.k, u.i, u.r, u.s
    FROM unnest(:devices, :keys, :ids, :received, :stored) AS u (d, k, i, r, s)
    ON CONFLICT DO NOTHING
    """
)
_HOLDERS = text(
    """
    SELECT u.n - 1 AS n, k.raw_id, k.received_at
    FROM unnest(:devices, :keys, :ids) WITH ORDINALITY AS u (d, k, i, n)
    JOIN reading_keys k ON k.organization_id = :organization_id AND k.device_id = u.d AND k.key = u.k
    WHERE k.raw_id <> u.i
    """
)
_TAKE_OVER = text(
    """
    WITH old AS MATERIALIZED (
        SELECT k.device_id, k.key, k.raw_id, k.received_at, k.stored, u.i, u.r, u.s
        FROM unnest(:devices, :keys, :ids, :received, :stored) AS u (d, k, i, r, s)
        JOIN reading_keys k ON k.organization_id = :organization_id AND k.device_id = u.d AND k.key = u.k
        WHERE k.raw_id > u.i FOR UPDATE OF k
    )
    UPDATE reading_keys k SET raw_id = old.i, received_at = old.r, stored = old.s FROM old
    WHERE k.organization_id = :organization_id AND k.device_id = old.device_id AND k.key = old.key
    RETURNING old.raw_id, old.received_at, old.stored
    """
)

_STORED_UPDATE = text(
    """
    UPDATE reading_keys k SET stored = u.s
    FROM unnest(:devices, :keys, :ids, :received, :stored) AS u (d, k, i, r, s)
    WHERE k.organization_id = :organization_id AND k.device_id = u.d AND k.key = u.k AND k.raw_id = u.i
        AND k.stored <> u.s
    """
)


@dataclass(frozen=True, slots=True)
class Superseded:
    """A reading that held its key until now. was_stored: whether it had any point."""

    raw_id: int
    received_at: datetime
    was_stored: bool


@dataclass(frozen=True, slots=True)
class Claims:
    """The result of claiming keys.

    duplicates: places of the readings that repeat another. superseded: readings processed before that now turn
    out to repeat one of these.
    """

    duplicates: NDArray[np.intp]
    superseded: list[Superseded]


def keys_claim(
    session: Session,
    *,
    organization_id: int,
    readings: Readings,
    chosen: NDArray[np.intp],
    stored: NDArray[np.bool_],
) -> Claims:
    """Claim the keys of readings: decide which of them count. stored, per reading: whether it has any point.

    One statement where nothing repeats, three where something does.
    """
    arrays_enable(session)
    best: dict[bytes, int] = {}
    repeated: list[int] = []
    for i in chosen.tolist():
        identity = readings.devices[i] + readings.keys[i]
        other = best.setdefault(identity, i)
        if readings.raw_ids[i] < readings.raw_ids[other]:
            best[identity] = i
            repeated.append(other)
        elif other != i:
            repeated.append(i)
    candidates = np.fromiter(best.values(), dtype=np.intp, count=len(best))
    done = session.execute(_CLAIM, _parameters(organization_id, readings, candidates, stored))
    if done.rowcount == len(candidates):  # type: ignore[attr-defined]
        return Claims(np.array(repeated, dtype=np.intp), [])
    holders = session.execute(_HOLDERS, _parameters(organization_id, readings, candidates, stored)).all()
    superseded: list[Superseded] = []
    taken: list[int] = []
    for row in holders:
        place = int(candidates[row.n])
        if row.raw_id < readings.raw_ids[place]:
            repeated.append(place)
        else:
            taken.append(place)
    if taken:
        values = _parameters(organization_id, readings, np.array(taken, dtype=np.intp), stored)
        superseded = [Superseded(*row) for row in session.execute(_TAKE_OVER, values)]
    return Claims(np.array(repeated, dtype=np.intp), superseded)


def keys_stored_update(
    session: Session, *, organization_id: int, readings: Readings, stored: NDArray[np.bool_]
) -> None:
    """Update whether reprocessed readings, which hold their keys already, have any point now."""
    arrays_enable(session)
    everything = np.arange(len(readings), dtype=np.intp)
    session.execute(_STORED_UPDATE, _parameters(organization_id, readings, everything, stored))


def _parameters(
    organization_id: int, readings: Readings, index: NDArray[np.intp], stored: NDArray[np.bool_]
) -> dict[str, object]:
    places = index.tolist()
    return {
        "organization_id": organization_id,
        "devices": uuid_array(b"".join([readings.devices[i] for i in places])),
        "keys": uuid_array(b"".join([readings.keys[i] for i in places])),
        "ids": bigint_array(readings.raw_ids[index]),
        "received": instant_array(readings.received[index]),
        "stored": boolean_array(stored[index]),
    }
