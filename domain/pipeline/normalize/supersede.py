"""Supersede readings: undo those that turn out to repeat one with a smaller raw id. Rare."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable, bigint_array, instant_array
from domain.base.packed import micros_of
from domain.pipeline.normalize.dead_letters import dead_letters_resolve
from domain.pipeline.normalize.keys import Superseded
from domain.pipeline.normalize.retract import READING_COLUMNS, NormalizationContext, readings_of, readings_retract
from domain.telemetry.model.columns import Readings
from domain.telemetry.model.stage_cache import PendingCacheUpdates
from domain.telemetry.store.points import latest_recompute

_SUPERSEDED = text(
    f"""
    SELECT {READING_COLUMNS} FROM unnest(:ids, :received) AS u (i, t)
    JOIN telemetry_raw r ON r.organization_id = :organization_id AND r.id = u.i AND r.received_at = u.t
    """  # noqa: S608  (only names from above)
)


def readings_supersede(
    session: Session,
    *,
    context: NormalizationContext,
    stage: str,
    superseded: Sequence[Superseded],
    notes: PendingCacheUpdates,
    now: datetime,
) -> Readings:
    """Retract the points and dead letters of readings that are duplicates after all; return those readings.

    superseded: their keys name another reading by now. Where another reading said
    something at the same (device, port, metric, timestamp), its point takes the place.
    """
    arrays_enable(session)
    parameters = {
        "organization_id": context.organization_id,
        "ids": bigint_array([item.raw_id for item in superseded]),
        "received": instant_array([micros_of(item.received_at) for item in superseded]),
    }
    replaced = readings_of(session.execute(_SUPERSEDED, parameters).all())
    if not len(replaced):
        return replaced
    dead_letters_resolve(
        session,
        organization_id=context.organization_id,
        stage=stage,
        raw_ids=replaced.raw_ids.tolist(),
        now=now,
    )
    retracted = readings_retract(session, context=context, readings=replaced, points=None, notes=notes)
    latest_recompute(session, organization_id=context.organization_id, series=retracted.series)
    return replaced
