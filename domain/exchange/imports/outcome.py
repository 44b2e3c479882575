"""What an import did, or would do."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace

from domain.exchange.imports.records import Remark


@dataclass(slots=True)
class Outcome:
    """created, updated, unchanged: entities. definitions_...: types and relationships. told: what was left out, why."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    definitions_created: int = 0
    definitions_updated: int = 0
    definitions_unchanged: int = 0
    edges_created: int = 0
    edges_updated: int = 0
    edges_unchanged: int = 0
    told: list[Remark] = field(default_factory=list)

    @property
    def refused(self) -> list[Remark]:
        """What is an error, not only a remark."""
        return [each for each in self.told if each.code is not None]

    @property
    def written(self) -> int:
        """How many changes there were."""
        return sum(getattr(self, each.name) for each in fields(self) if each.name.endswith(("created", "updated")))

    def copy(self) -> Outcome:
        """Return it as it is now."""
        return replace(self, told=list(self.told))

    def restore(self, before: Outcome) -> None:
        """Make it what it was."""
        for each in fields(self):
            if each.name != "told":
                setattr(self, each.name, getattr(before, each.name))
        self.told[:] = before.told
