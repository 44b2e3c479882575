"""Keep the outcome counters of batches right when the outcome of a reading changes later.

A batch's counters are written when it is normalized. Two things change the outcome of a reading later: another with a
smaller raw id turns out to be the same, and a replay. Of a batch that waits to be processed again nothing is counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable, bigint_array, instant_array, smallint_array, uuid_array
from domain.pipeline.normalize.outcomes import DEAD, DUPLICATE, STORED
from domain.telemetry.model.columns import Readings

_MOVE = text(
    """
    UPDATE raw_batches b
    SET stored = b.stored + d.stored, duplicate = b.duplicate + d.duplicate, dead = b.dead + d.dead
    FROM (
        SELECT r.batch_id, r.received_at,
            (count(*) FILTER (WHERE u.a = 0) - count(*) FILTER (WHERE u.b = 0))::integer AS stored,
            (count(*) FILTER (WHERE u.a = 1) - count(*) FILTER (WHERE u.b = 1))::integer AS duplicate,
            (count(*) FILTER (WHERE u.a = 2) - count(*) FILTER (WHERE u.b = 2))::integer AS dead
        FROM unnest(:ids, :received, :before, :after) AS u (i, t, b, a)
        JOIN telemetry_raw r ON r.organization_id = :organization_id AND r.id = u.i AND r.received_at = u.t
        GROUP BY 1, 2
    ) d
    WHERE b.organization_id = :organization_id AND b.id = d.batch_id AND b.received_at = d.received_at
        AND b.normalized_at IS NOT NULL
    """
)
# Locked, so that none of them turns out to repeat another before the transaction has counted it.
_COUNTED = text(
    """
    WITH locked AS MATERIALIZED (
        SELECT k.device_id, k.key, k.raw_id, k.stored
        FROM unnest(:devices, :keys) AS u (d, k)
        JOIN reading_keys k ON k.organization_id = :organization_id AND k.device_id = u.d AND k.key = u.k
        ORDER BY k.device_id, k.key FOR NO KEY UPDATE OF k
    )
    SELECT u.n - 1 AS n, locked.stored FROM unnest(:devices, :keys, :ids) WITH ORDINALITY AS u (d, k, i, n)
    JOIN locked ON locked.device_id = u.d AND locked.key = u.k AND locked.raw_id = u.i
    """
)


@dataclass(frozen=True, slots=True)
class ChangedOutcome:
    """A reading whose outcome differs from the one that was counted."""

    raw_id: int
    received_us: int
    before: int
    after: int


def outcomes_recount(session: Session, *, organization_id: int, moved: Sequence[ChangedOutcome]) -> None:
    """Correct the outcome counters of finished batches. One statement."""
    if not moved:
        return
    arrays_enable(session)
    session.execute(
        _MOVE,
        {
            "organization_id": organization_id,
            "ids": bigint_array([item.raw_id for item in moved]),
            "received": instant_array([item.received_us for item in moved]),
            "before": smallint_array([item.before for item in moved]),
            "after": smallint_array([item.after for item in moved]),
        },
    )


def outcomes_counted(session: Session, *, organization_id: int, readings: Readings) -> NDArray[np.int8]:
    """Return, and lock, the counted outcome of processed readings. One statement."""
    arrays_enable(session)
    outcome = np.full(len(readings), DUPLICATE, dtype=np.int8)
    values = {
        "organization_id": organization_id,
        "devices": uuid_array(b"".join(readings.devices)),
        "keys": uuid_array(b"".join(readings.keys)),
        "ids": bigint_array(readings.raw_ids),
    }
    for row in session.execute(_COUNTED, values):
        outcome[row.n] = STORED if row.stored else DEAD
    return outcome


def outcomes_compare(
    session: Session, *, organization_id: int, readings: Readings, before: NDArray[np.int8], after: NDArray[np.int8]
) -> None:
    """Correct the counters of readings that were processed again."""
    moved = [
        ChangedOutcome(int(readings.raw_ids[n]), int(readings.received[n]), int(before[n]), int(after[n]))
        for n in np.flatnonzero(before != after).tolist()
    ]
    outcomes_recount(session, organization_id=organization_id, moved=moved)
