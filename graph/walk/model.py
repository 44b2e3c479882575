"""Inputs and results of walks: plain ids and arrays, so that engines can be compared.

Two engines implement `WalkEngine` and must agree in everything, order included: SQL, which is the truth,
and a snapshot in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from graph.direction import Direction
from graph.ids import EdgeVersionId, EntityId
from graph.kinds import EntityKind

DEPTH_MAX: Final = 32
STEPS_MAX: Final = 16
STARTS_MAX: Final = 1_000
LIMIT_MAX: Final = 10_000
# Nodes one walk may come to, over all its steps and starts, before it is refused.
NODES_MAX: Final = 1_000_000
# Edges a walk hands back.
EDGES_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class Step:
    """1 to `depth` hops over these relationships; None: over all.

    kinds, types: which of the nodes reached it keeps; it passes through others all the same. None: all.
    include_start: keep the nodes it starts from, too, whatever their kind and type.
    """

    relationships: tuple[str, ...] | None
    direction: Direction = Direction.OUT
    depth: int = 1
    kinds: frozenset[EntityKind] | None = None
    types: frozenset[str] | None = None
    include_start: bool = False


@dataclass(frozen=True, slots=True)
class Reached:
    """ids[i] was reached after depths[i] hops, the least over all ways; in the order of depth, then id.

    edge_ids: versions the walk followed, in the order of the depth they lead to, then id, at most EDGES_MAX;
    empty unless asked for. truncated: there was more.
    """

    ids: list[EntityId] = field(default_factory=list)
    depths: list[int] = field(default_factory=list)
    edge_ids: list[EdgeVersionId] = field(default_factory=list)
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class Path:
    """A path: edge_ids[i] connects ids[i] and ids[i + 1], whichever way it points."""

    ids: list[EntityId]
    edge_ids: list[EdgeVersionId]


class WalkEngine(Protocol):
    """Walks one organization's graph at one moment. Arguments are checked, starts exist.

    Every method raises LimitExceededError where it would come to more than NODES_MAX nodes.
    """

    def reach(self, *, starts: Sequence[EntityId], steps: Sequence[Step], limit: int, with_edges: bool) -> Reached:
        """Walk the steps one after the other; return the nodes that the last one selects.

        Each step starts from every node the step before kept. A node may be reached again where it started:
        a step counts walks, not distances from its starts. But `starts` are left out of the answer, unless
        the last step starts from them and includes its start.
        """
        ...

    def reach_each(self, *, starts: Sequence[EntityId], step: Step) -> dict[EntityId, Reached]:
        """Walk one step from each start by itself; a start is not in its own answer."""
        ...

    def path(
        self,
        *,
        from_id: EntityId,
        to_id: EntityId,
        relationships: tuple[str, ...] | None,
        direction: Direction,
        depth_max: int,
    ) -> Path | None:
        """Return a shortest path of at most `depth_max` edges; which one of several is not said."""
        ...

    def below(self, *, roots: Sequence[EntityId]) -> list[EntityId]:
        """Return the roots and all that is below them, in the order of their ids."""
        ...
