"""What follows at an entity besides its formulas: rollups above it that count it, rules that judge it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from domain.rollups.model import Chosen
from domain.rollups.queries import rollups_list

# A link from an entity that is judged or counted, whatever the ports of its readings.
ANY_PORT: Final = -2


@dataclass(frozen=True, slots=True)
class Watchers:
    """What an organization has that follows from points. counted: what its rollups count."""

    counted: Sequence[Chosen] = ()

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing of the kind."""
        return not self.counted

    def watches(self, kind: str, type_name: str | None) -> bool:
        """Tell whether anything follows from the points of entities of a kind and type."""
        return any(chosen.has(kind, type_name) for chosen in self.counted)


def watchers_read(session: Session, *, organization_id: int) -> Watchers:
    """Return what an organization has. One statement."""
    found = rollups_list(session, organization_id=organization_id)
    return Watchers([rollup.draft.of for rollup in found])
