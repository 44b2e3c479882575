"""Isolate series whose hours cannot be aggregated: they are set aside, and the others go on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.failed_items.isolation import isolate
from domain.base.failed_items.model import FailedItem, FailedQueue
from domain.base.failed_items.operations import item_failed, items_resolved
from domain.base.failed_items.queries import isolation_sql
from domain.base.packed import instant_of

# A series, and over which hours: [begins_us, ends_us).
Window = tuple[int, int, int]

# Of dirty_hours m: their series failed and is left alone.
SERIES_ISOLATED: Final = isolation_sql(
    FailedQueue.HOURLY_AGGREGATES, organization="m.organization_id", holds="m.series_id::text"
)
_INVALIDATE_AGAIN = text(
    """
    INSERT INTO dirty_hours (organization_id, series_id, hour, invalidated_at)
    SELECT :organization_id, :series_id, h, now()
    FROM generate_series(CAST(:begins AS timestamptz), CAST(:ends AS timestamptz) - interval '1 hour',
        interval '1 hour') AS g (h)
    ON CONFLICT (organization_id, series_id, hour) DO UPDATE SET invalidated_at = excluded.invalidated_at
    """
)


def windows_isolated(
    session: Session, *, organization_id: int, windows: Sequence[Window], work: Callable[[Sequence[Window]], None]
) -> list[FailedItem]:
    """Do `work` on windows, all at once if possible; return the series that failed by themselves.

    Their hours are invalidated, so that they are read from points and summarized when the series is tried again.
    """
    failed: dict[str, FailedItem] = {}
    for (series_id, begins_us, ends_us), error in isolate(session, windows, work):
        session.execute(
            _INVALIDATE_AGAIN,
            {
                "organization_id": organization_id,
                "series_id": series_id,
                "begins": instant_of(begins_us),
                "ends": instant_of(ends_us),
            },
        )
        if str(series_id) not in failed:
            failed[str(series_id)] = item_failed(
                session,
                organization_id=organization_id,
                queue=FailedQueue.HOURLY_AGGREGATES,
                item=str(series_id),
                holds=str(series_id),
                error=error,
            )
    done = {str(series_id) for series_id, _, _ in windows} - failed.keys()
    items_resolved(session, organization_id=organization_id, queue=FailedQueue.HOURLY_AGGREGATES, items=done)
    return list(failed.values())
