"""What an import did, or would do."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from domain.imports.records import Remark


@dataclass(slots=True)
class Outcome:
    """created, updated, unchanged: entities, types and relationships. told: what was left out, and why."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    edges_created: int = 0
    edges_updated: int = 0
    edges_unchanged: int = 0
    told: list[Remark] = field(default_factory=list)

    @property
    def refused(self) -> list[Remark]:
        """What is an error, not only a remark."""
        return [each for each in self.told if each.code is not None]

    def copy(self) -> Outcome:
        """Return it as it is now."""
        return replace(self, told=list(self.told))

    def restore(self, before: Outcome) -> None:
        """Make it what it was."""
        for name in ("created", "updated", "unchanged", "edges_created", "edges_updated", "edges_unchanged"):
            setattr(self, name, getattr(before, name))
        self.told[:] = before.told
