"""The health of assets as of now, for filters and orders: the number that `Asset.healthScore` shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from domain.derivation.health.queries import health_scores_get
from domain.plant.assets.tables import assets
from graph.errors import LimitExceededError
from graph.stopping import stop_check
from graph.tables import entities

# It is computed, not stored: assets with a profile of which it is computed for one list.
ASSETS_MAX: Final = 20_000
_BATCH: Final = 2_000


def healths_of(
    session: Session,
    *,
    organization_id: int,
    conditions: Sequence[ColumnElement[bool]],
    now: datetime,
    path: tuple[str, ...],
) -> Mapping[UUID, float]:
    """Return the health of the assets that fit some conditions on `entities`; of those that have any now.

    Seventeen statements for each _BATCH. Raises LimitExceededError, at `path`, for more than ASSETS_MAX with a profile.
    """
    candidates = session.scalars(
        select(entities.c.id)
        .join(assets, (assets.c.organization_id == entities.c.organization_id) & (assets.c.id == entities.c.id))
        .where(assets.c.profile_id.is_not(None), *conditions)
        .limit(ASSETS_MAX + 1)
    ).all()
    if len(candidates) > ASSETS_MAX:
        message = f"Health is compared among {ASSETS_MAX} assets with a profile at most; narrow the filter first."
        raise LimitExceededError(message, path=path)
    scores: dict[UUID, float] = {}
    for first in range(0, len(candidates), _BATCH):
        stop_check()
        batch = candidates[first : first + _BATCH]
        scores |= health_scores_get(session, organization_id=organization_id, ids=batch, now=now)
    return scores
