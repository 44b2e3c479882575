"""Consumers of an entity's points besides its formulas: rules, and rollups above it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from domain.derivation.rollups.model import EntitySelector
from domain.derivation.rollups.queries import rollups_list
from domain.rules.assignments import assignments_of
from domain.rules.model import Assignment
from domain.rules.queries import Rulebook, rulebook_read

# A link from an entity to itself, whatever the ports of its readings.
ANY_PORT: Final = -2


@dataclass(frozen=True, slots=True)
class Consumers:
    """The rules and rollups of an organization. counted: what its rollups count. rulebook: its rules."""

    counted: Sequence[EntitySelector] = ()
    rulebook: Rulebook = field(default_factory=dict)

    @property
    def is_idle(self) -> bool:
        """Whether there are neither rules nor rollups."""
        return not self.counted and not self.rulebook

    @property
    def is_scoped(self) -> bool:
        """Whether any rule is about what is below an entity."""
        return any(version.scope.under_id is not None for of_rule in self.rulebook.values() for version in of_rule)

    def counts(self, kind: str, type_name: str | None) -> bool:
        """Return whether a rollup counts entities of a kind and type."""
        return any(chosen.has(kind, type_name) for chosen in self.counted)

    def assignments(
        self, session: Session, *, organization_id: int, entity_ids: Collection[UUID]
    ) -> Mapping[UUID, Sequence[Assignment]]:
        """Return the rule assignments of each of these entities that has any."""
        if not self.rulebook:
            return {}
        return assignments_of(session, organization_id=organization_id, entity_ids=entity_ids, rulebook=self.rulebook)


def consumers_read(session: Session, *, organization_id: int) -> Consumers:
    """Return the rules and rollups of an organization. Two statements."""
    rollups = rollups_list(session, organization_id=organization_id)
    rulebook = rulebook_read(session, organization_id=organization_id)
    return Consumers([rollup.draft.members for rollup in rollups], rulebook)
