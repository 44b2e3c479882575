"""Read the current health of assets."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from domain.derivation.health.current import healths_compute


def health_scores_get(
    session: Session, *, organization_id: int, ids: Collection[UUID], now: datetime
) -> Mapping[UUID, float]:
    """Return the health of each of these assets in the bucket that holds now; where nothing recent is known, none.

    What `health_explain` says of now. Sixteen statements at most, for any number of assets.
    """
    computed = healths_compute(session, organization_id=organization_id, ids=ids, at=now, now=now)
    return {asset_id: bucket.health.score for asset_id, bucket in computed.items() if bucket.health.score is not None}
