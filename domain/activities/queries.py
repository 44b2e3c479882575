"""Read the details of activities."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy.orm import Session

from domain.activities.model import ACTIVITY, ActivityDetails
from domain.noun import details_get
from graph.ids import EntityId


def activity_details_get(
    session: Session, *, organization_id: int, ids: Collection[UUID]
) -> dict[EntityId, ActivityDetails]:
    """Return the details of these activities; ids of anything else are left out. One statement."""
    found = details_get(session, organization_id=organization_id, noun=ACTIVITY, ids=ids)
    return {activity_id: ActivityDetails(**details) for activity_id, details in found.items()}
