"""What a process remembers of entities between transactions of the derive stage: a copy, which may be lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from domain.derivation.formulas.derive import State
from domain.pipeline.derive.evaluate import EntityRuleState

_CHECKPOINTS_MAX: Final = 200_000


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far an entity has been derived: by which revision, up to when, and the state there."""

    revision: int
    head_us: int
    state: State


@dataclass(slots=True)
class Checkpoints:
    """Those of one partition, by organization and entity; good while one holder follows itself on the lease.

    standings: where entities stand with their rules.
    """

    of: dict[tuple[int, bytes], Checkpoint] = field(default_factory=dict)
    standings: dict[tuple[int, bytes], EntityRuleState] = field(default_factory=dict)

    def keep(self, found: Mapping[tuple[int, bytes], Checkpoint | None]) -> None:
        """Remember what a committed transaction found out; None: forget."""
        if len(self.of) > _CHECKPOINTS_MAX:
            self.of.clear()
        for key, checkpoint in found.items():
            if checkpoint is None:
                self.of.pop(key, None)
            else:
                self.of[key] = checkpoint

    def drop(self, organization_id: int, entities: Iterable[bytes]) -> None:
        """Forget entities: of a transaction that failed it may not be known whether it was committed."""
        for entity in entities:
            self.of.pop((organization_id, entity), None)
            self.standings.pop((organization_id, entity), None)

    def stand(self, found: Mapping[tuple[int, bytes], EntityRuleState | None]) -> None:
        """Remember where entities stand with their rules; None: forget."""
        if len(self.standings) > _CHECKPOINTS_MAX:
            self.standings.clear()
        for key, standing in found.items():
            if standing is None:
                self.standings.pop(key, None)
            else:
                self.standings[key] = standing
