"""Reads the current health of assets: the latest point of the series."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from domain.health.settings import METRIC
from domain.telemetry.links import among
from domain.telemetry.tables import latest_values, series


def health_scores_get(session: Session, *, organization_id: int, ids: Collection[UUID]) -> Mapping[UUID, float]:
    """Return the latest health of each of these assets that has any. One statement."""
    mine = and_(latest_values.c.organization_id == series.c.organization_id, latest_values.c.series_id == series.c.id)
    rows = session.execute(
        select(series.c.entity_id, latest_values.c.value)
        .join(latest_values, mine)
        .where(
            series.c.organization_id == organization_id,
            among(series.c.entity_id, ids),
            series.c.metric == METRIC,
            series.c.origin == "health",
        )
    )
    return {row.entity_id: row.value for row in rows}
