"""Checkpoints: what a process caches of entities between transactions of the derive stage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from domain.derivation.formulas.derive import State
from domain.rules.fast_path import PairKey, PairState
from domain.rules.model import Assignment

_CHECKPOINTS_MAX: Final = 200_000


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far an entity has been derived: at which revision, up to which watermark, with the state there."""

    revision: int
    watermark_us: int
    state: State


@dataclass(frozen=True, slots=True)
class EntityRuleState:
    """The cached rule state of an entity: valid while its assignments are these.

    states: of all pairs that there are. A pair that is not among them was never evaluated, for it had no reading.
    """

    assignments: Sequence[Assignment]
    states: Mapping[PairKey, PairState]


@dataclass(slots=True)
class Checkpoints:
    """The checkpoints of one partition, by organization and entity; valid while the same holder keeps the lease.

    rule_states: the state of each entity's rules.
    """

    by_entity: dict[tuple[int, bytes], Checkpoint] = field(default_factory=dict)
    rule_states: dict[tuple[int, bytes], EntityRuleState] = field(default_factory=dict)

    def keep(self, updates: Mapping[tuple[int, bytes], Checkpoint | None]) -> None:
        """Cache the checkpoints of a committed transaction; None: forget."""
        if len(self.by_entity) > _CHECKPOINTS_MAX:
            self.by_entity.clear()
        for key, checkpoint in updates.items():
            if checkpoint is None:
                self.by_entity.pop(key, None)
            else:
                self.by_entity[key] = checkpoint

    def drop(self, organization_id: int, entities: Iterable[bytes]) -> None:
        """Forget entities: of a transaction that failed it may not be known whether it was committed."""
        for entity in entities:
            self.by_entity.pop((organization_id, entity), None)
            self.rule_states.pop((organization_id, entity), None)

    def rule_states_update(self, updates: Mapping[tuple[int, bytes], EntityRuleState | None]) -> None:
        """Cache the rule states of entities; None: forget."""
        if len(self.rule_states) > _CHECKPOINTS_MAX:
            self.rule_states.clear()
        for key, rule_state in updates.items():
            if rule_state is None:
                self.rule_states.pop(key, None)
            else:
                self.rule_states[key] = rule_state
