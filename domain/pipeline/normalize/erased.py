"""Readings of devices that were erased: nothing is written of them, and they are deleted from the raw log.

They come from a process that did not know of the erasure yet. Only where an organization has erased anything, its
devices are looked for at all.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.arrays import bigint_array, uuid_array
from domain.base.packed import instant_of
from domain.telemetry.model.columns import Readings
from domain.telemetry.model.readings import RawBatch

_GONE = text(
    """
    SELECT u.d FROM unnest(:devices) AS u (d)
    WHERE EXISTS (SELECT FROM erasures WHERE organization_id = :organization_id)
        AND NOT EXISTS (SELECT FROM entities e WHERE e.organization_id = :organization_id AND e.id = u.d)
    """
)
_ERASE = text("SELECT raw_erase(:ids, CAST(:received AS timestamptz[]))")


def readings_erased(
    session: Session, *, organization_id: int, readings: Readings, batches: Sequence[RawBatch]
) -> NDArray[np.intp]:
    """Delete the readings of erased devices from the raw log; return their places.

    batches: those of the readings. The transaction holds the graph, so that no erasure is finished meanwhile.
    """
    places = _places(session, organization_id, readings)
    if len(places):
        session.execute(
            _ERASE,
            {
                "ids": bigint_array([batch.id for batch in batches]),
                "received": [instant_of(batch.received_us) for batch in batches],
            },
        )
    return places


def readings_not_erased(session: Session, *, organization_id: int, readings: Readings) -> Readings:
    """Return the readings without those of devices that were erased since they were read."""
    places = _places(session, organization_id, readings)
    if not len(places):
        return readings
    return readings.take(np.setdiff1d(np.arange(len(readings)), places))


def _places(session: Session, organization_id: int, readings: Readings) -> NDArray[np.intp]:
    devices = sorted(set(readings.devices))
    values = {"organization_id": organization_id, "devices": uuid_array(b"".join(devices))}
    gone = {device.bytes for device in session.scalars(_GONE, values)}
    return np.array([n for n, device in enumerate(readings.devices) if device in gone], dtype=np.intp)
