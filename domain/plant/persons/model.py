"""Details of persons, besides those of every entity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from domain.plant.entity_kind import EntityKindSpec
from domain.plant.persons.tables import persons
from graph.kinds import EntityKind

PERSON: Final = EntityKindSpec(EntityKind.PERSON, persons, {"email": "email"})


@dataclass(frozen=True, slots=True)
class PersonDetails:
    """The details of one person."""

    email: str | None
