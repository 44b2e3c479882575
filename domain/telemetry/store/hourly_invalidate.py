"""Invalidate hourly aggregates of hours that are written to late. Hot path: nothing but a comparison."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable, bigint_array, instant_array
from domain.base.packed import Instants, micros_of
from domain.telemetry.model.stage_cache import PendingCacheUpdates
from domain.telemetry.store.hourly_summary import HOUR_US, hour_of

# A transaction that begins so long after an hour's end invalidates it. An hour is summarized only once no transaction
# runs that began earlier, and then some, for clocks step: see `hours_complete_until`.
LATE_AFTER_US: Final = HOUR_US // 2

_BEGAN = text("SELECT now()")
# DO UPDATE, not DO NOTHING: it waits for a transaction that is about to delete the row, and which would not see these
# points.
_INVALIDATE = text(
    """
    INSERT INTO dirty_hours (organization_id, series_id, hour, invalidated_at)
    SELECT :organization_id, u.s, u.h, now() FROM unnest(:series, :hours) AS u (s, h)
    ON CONFLICT (organization_id, series_id, hour) DO UPDATE SET invalidated_at = excluded.invalidated_at
    """
)


def hours_invalidate(
    session: Session, *, organization_id: int, series: Instants, at: Instants, notes: PendingCacheUpdates
) -> None:
    """Invalidate the hours of points that this transaction writes or removes, where they may have been aggregated.

    series: int64. at: microseconds since the Unix epoch.
    """
    # Late is what lies in an hour that ended by then.
    latest = began_us(session, notes) - LATE_AFTER_US
    is_late = at < latest - latest % HOUR_US
    if not is_late.any():
        return
    pairs = np.unique(np.column_stack((series[is_late], hour_of(at[is_late]))), axis=0)
    arrays_enable(session)
    session.execute(
        _INVALIDATE,
        {
            "organization_id": organization_id,
            "series": bigint_array(pairs[:, 0]),
            "hours": instant_array(pairs[:, 1]),
        },
    )


def began_us(session: Session, notes: PendingCacheUpdates) -> int:
    """Return when the transaction began by the database's clock, in microseconds since the Unix epoch; asked once."""
    if notes.began_us is None:
        began: datetime = session.execute(_BEGAN).scalar_one()
        notes.began_us = micros_of(began)
    return notes.began_us
