"""The retention bound of points: read and locked by every transaction that writes points.

One rule: nothing is written to history before that instant. A reading from before it that is new ends as a dead letter
BEFORE_RETENTION; one that was stored while its time was kept stays stored, and nothing about it changes any more.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable, bigint_array, uuid_array
from domain.base.packed import micros_of
from domain.telemetry.model.attribution import BEGIN_US
from domain.telemetry.model.columns import Readings
from domain.telemetry.model.stage_cache import PendingCacheUpdates
from domain.telemetry.store.hourly_invalidate import began_us

# No point younger than a day is dropped (`drop_partitions`, `history_close`), and no transaction lasts for half of one.
_RETENTION_MIN_US: Final = timedelta(hours=12) // timedelta(microseconds=1)

_HOLD = text("SELECT nullif(history_retention_hold(), '-infinity')")
_STORED = text(
    """
    SELECT u.n - 1 AS n FROM unnest(:devices, :keys, :ids) WITH ORDINALITY AS u (d, k, i, n)
    JOIN reading_keys k ON k.organization_id = :organization_id AND k.device_id = u.d AND k.key = u.k
        AND k.raw_id = u.i AND k.stored
    """
)


def retained_from_lock(session: Session) -> int:
    """Lock and return the instant (microseconds) from which points are kept; where all are, before any time.

    It stays so until the transaction ends. The role is argus_pipeline.
    """
    retained_from = session.execute(_HOLD).scalar_one()
    return BEGIN_US if retained_from is None else micros_of(retained_from)


def retained_from_check(session: Session, *, oldest_us: int, notes: PendingCacheUpdates) -> int:
    """As `retained_from_lock`, for points no older than `oldest_us`: no statement where these are surely kept."""
    if oldest_us >= began_us(session, notes) - _RETENTION_MIN_US:
        return BEGIN_US
    return retained_from_lock(session)


def readings_frozen(
    session: Session, *, organization_id: int, retained_from_us: int, readings: Readings, again: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Tell which readings are final: stored before, and older than the retention bound. One statement at most.

    retained_from_us: from when on points are kept, see `retained_from_lock`. again: those that were processed before.
    """
    frozen = again & (readings.timestamps < retained_from_us)
    places = np.flatnonzero(frozen)
    if not len(places):
        return frozen
    arrays_enable(session)
    old = readings.take(places)
    rows = session.execute(
        _STORED,
        {
            "organization_id": organization_id,
            "devices": uuid_array(b"".join(old.devices)),
            "keys": uuid_array(b"".join(old.keys)),
            "ids": bigint_array(old.raw_ids),
        },
    )
    frozen[:] = False
    frozen[places[[row.n for row in rows]]] = True
    return frozen
