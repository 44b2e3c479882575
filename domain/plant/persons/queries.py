"""Read the details of persons."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy.orm import Session

from domain.plant.entity_kind import details_get
from domain.plant.persons.model import PERSON, PersonDetails
from graph.ids import EntityId


def person_details_get(
    session: Session, *, organization_id: int, ids: Collection[UUID]
) -> dict[EntityId, PersonDetails]:
    """Return the details of these persons; ids of anything else are left out. One statement."""
    result = details_get(session, organization_id=organization_id, spec=PERSON, ids=ids)
    return {person_id: PersonDetails(**details) for person_id, details in result.items()}
