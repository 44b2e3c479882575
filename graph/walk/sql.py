"""The engine that queries the database, a statement a level; the truth that others are compared with."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import TextClause, select, text
from sqlalchemy.orm import Session

from graph.direction import Direction
from graph.errors import LimitExceededError
from graph.ids import EdgeVersionId, EntityId
from graph.instants import Moment, moment_sql, moment_values
from graph.json_bounds import text_is_storable, texts_storable
from graph.kinds import EntityKind
from graph.stopping import stop_check
from graph.tables import entities
from graph.walk.below import below_select
from graph.walk.model import EDGES_MAX, NODES_MAX, Path, Reached, Step


@dataclass(frozen=True, slots=True)
class SqlWalk:
    """A `WalkEngine` over the session's transaction."""

    session: Session
    organization_id: int
    moment: Moment

    def reach(self, *, starts: Sequence[EntityId], steps: Sequence[Step], limit: int, with_edges: bool) -> Reached:
        """Walk the steps one after the other; see `WalkEngine`."""
        followed: dict[EdgeVersionId, int] | None = {} if with_edges else None
        depths: dict[EntityId, int] = dict.fromkeys(starts, 0)
        hidden = set(starts)
        for step in steps:
            begins = depths
            depths = self._matching(step, *self._step(begins, step, followed))
            if step.include_start:
                for node, depth in begins.items():
                    depths[node] = min(depth, depths.get(node, depth))
                hidden = set(starts) - set(begins)
            else:
                hidden = set(starts)
        ordered = sorted((depth, node) for node, depth in depths.items() if node not in hidden)
        edges = sorted((depth, edge) for edge, depth in (followed or {}).items())
        return Reached(
            [node for _, node in ordered[:limit]],
            [depth for depth, _ in ordered[:limit]],
            [edge for _, edge in edges[:EDGES_MAX]],
            len(ordered) > limit or len(edges) > EDGES_MAX,
        )

    def reach_each(self, *, starts: Sequence[EntityId], step: Step) -> dict[EntityId, Reached]:
        """Walk one step from each start by itself, all starts a level at a time; see `WalkEngine`."""
        depths: dict[EntityId, dict[EntityId, int]] = {start: {start: 0} for start in starts}
        frontiers: dict[EntityId, list[EntityId]] = {start: [start] for start in depths}
        kinds: dict[EntityId, EntityKind] = {}
        visited = 0
        for level in range(1, step.depth + 1):
            neighbours: dict[EntityId, list[EntityId]] = {}
            wanted = {node for frontier in frontiers.values() for node in frontier}
            for origin, node, kind, _ in self._hop(wanted, step.relationships, step.direction):
                neighbours.setdefault(origin, []).append(node)
                kinds[node] = kind
            for start, frontier in frontiers.items():
                depth_by_node = depths[start]
                result = {near for node in frontier for near in neighbours.get(node, ()) if near not in depth_by_node}
                depth_by_node.update(dict.fromkeys(result, level))
                frontiers[start] = list(result)
                visited = _count(visited + len(result))
            if not any(frontiers.values()):
                break
        for start, depth_by_node in depths.items():
            del depth_by_node[start]
        allowed = self._of_types({node for depth_by_node in depths.values() for node in depth_by_node}, step.types)
        reached = {}
        for start, depth_by_node in depths.items():
            ordered = sorted(
                (depth, node) for node, depth in depth_by_node.items() if _keeps(step, kinds[node], node, allowed)
            )
            reached[start] = Reached([node for _, node in ordered], [depth for depth, _ in ordered])
        return reached

    def path(
        self,
        *,
        from_id: EntityId,
        to_id: EntityId,
        relationships: tuple[str, ...] | None,
        direction: Direction,
        depth_max: int,
    ) -> Path | None:
        """Search from both ends, the smaller frontier first, until they meet; see `WalkEngine`."""
        if from_id == to_id:
            return Path([from_id], [])
        there, back = _Side.at(from_id, direction), _Side.at(to_id, direction.reverse)
        for _ in range(depth_max):
            side, other = (there, back) if len(there.frontier) <= len(back.frontier) else (back, there)
            side.advance(self._hop(side.frontier, relationships, side.direction))
            _count(len(there.depths) + len(back.depths))
            # One side's nodes of the level just done are the only ones that can newly be on both sides.
            met = [(side.depths[node] + other.depths[node], node) for node in side.frontier if node in other.depths]
            if met:
                return _join(there, back, min(met)[1])
            if not side.frontier:
                return None
        return None

    def below(self, *, roots: Sequence[EntityId]) -> list[EntityId]:
        """Ask for all in one recursive statement; see `WalkEngine`."""
        query = below_select(organization_id=self.organization_id, entity_ids=roots, moment=self.moment)
        entity_ids = self.session.scalars(query.limit(NODES_MAX + 1)).all()
        _count(len(entity_ids))
        return sorted(map(EntityId, entity_ids))

    def _step(
        self, begins: Mapping[EntityId, int], step: Step, followed: dict[EdgeVersionId, int] | None
    ) -> tuple[dict[EntityId, int], dict[EntityId, EntityKind]]:
        """Return the least number of hops to each node that 1 to `depth` hops reach, and its kind.

        The nodes it begins from differ in depth, so a node can be reached again after more hops of this step
        and fewer in all; it is then walked on from again.
        """
        depths: dict[EntityId, int] = {}
        kinds: dict[EntityId, EntityKind] = {}
        frontier: Mapping[EntityId, int] = begins
        for _ in range(step.depth):
            improved: dict[EntityId, int] = {}
            for origin, node, kind, edge in self._hop(frontier, step.relationships, step.direction):
                depth = frontier[origin] + 1
                if depth < improved.get(node, depths.get(node, depth + 1)):
                    improved[node] = depth
                    kinds[node] = kind
                if followed is not None:
                    followed[edge] = min(depth, followed.get(edge, depth))
            depths.update(improved)
            _count(len(depths))
            frontier = improved
            if not frontier:
                break
        return depths, kinds

    def _matching(
        self, step: Step, depths: Mapping[EntityId, int], kinds: Mapping[EntityId, EntityKind]
    ) -> dict[EntityId, int]:
        allowed = self._of_types(depths, step.types)
        return {node: depth for node, depth in depths.items() if _keeps(step, kinds[node], node, allowed)}

    def _of_types(self, nodes: Collection[EntityId], types: Collection[str] | None) -> set[UUID] | None:
        if types is None:
            return None
        rows = self.session.scalars(
            select(entities.c.id).where(
                entities.c.organization_id == self.organization_id,
                entities.c.id == text("ANY (CAST(:ids AS uuid[]))").bindparams(ids=list(nodes)),
                entities.c.type.in_(list(filter(text_is_storable, types))),
            )
        )
        return set(rows)

    def _hop(
        self, nodes: Collection[EntityId], relationships: Sequence[str] | None, direction: Direction
    ) -> Iterable[tuple[EntityId, EntityId, EntityKind, EdgeVersionId]]:
        """Return (from, to, kind of to, edge version) of every edge that leads on from these nodes."""
        rows = self.session.execute(
            _hop_sql(self.moment, direction, by_relationship=relationships is not None),
            {
                "organization_id": self.organization_id,
                "ids": list(nodes),
                "relationships": None if relationships is None else texts_storable(relationships),
                **moment_values(self.moment),
            },
        )
        for origin, node, kind, edge in rows:
            stop_check()
            yield origin, node, EntityKind(kind), edge


@dataclass(slots=True)
class _Side:
    """One of the two searches that meet."""

    direction: Direction
    frontier: list[EntityId]
    depths: dict[EntityId, int]
    # The node and the edge by which a node was first reached.
    via: dict[EntityId, tuple[EntityId, EdgeVersionId]]
    level: int = 0

    @staticmethod
    def at(node: EntityId, direction: Direction) -> _Side:
        return _Side(direction, [node], {node: 0}, {})

    def advance(self, hops: Iterable[tuple[EntityId, EntityId, EntityKind, EdgeVersionId]]) -> None:
        self.level += 1
        steps: dict[EntityId, tuple[EntityId, EdgeVersionId]] = {}
        for origin, node, _, edge in hops:
            if node not in self.depths:
                steps[node] = min((origin, edge), steps.get(node, (origin, edge)))
        self.via.update(steps)
        self.depths.update(dict.fromkeys(steps, self.level))
        self.frontier = list(steps)

    def trail(self, node: EntityId) -> tuple[list[EntityId], list[EdgeVersionId]]:
        """Return the nodes and edges from `node` back to where the search began, without `node`."""
        nodes, edges = [], []
        while node in self.via:
            node, edge = self.via[node]
            nodes.append(node)
            edges.append(edge)
        return nodes, edges


def _join(there: _Side, back: _Side, meeting: EntityId) -> Path:
    nodes, edges = there.trail(meeting)
    nodes_on, edges_on = back.trail(meeting)
    return Path([*reversed(nodes), meeting, *nodes_on], [*reversed(edges), *edges_on])


def _keeps(step: Step, kind: EntityKind, node: EntityId, allowed: set[UUID] | None) -> bool:
    return (step.kinds is None or kind in step.kinds) and (allowed is None or node in allowed)


def _count(visited: int) -> int:
    if visited > NODES_MAX:
        raise LimitExceededError(f"The walk comes to more than {NODES_MAX} entities.")
    return visited


def _hop_sql(moment: Moment, direction: Direction, *, by_relationship: bool) -> TextClause:
    among = " AND e.relationship = ANY (CAST(:relationships AS text[]))" if by_relationship else ""
    branches = {
        Direction.OUT: [("source", "target")],
        Direction.IN: [("target", "source")],
        Direction.ANY: [("source", "target"), ("target", "source")],
    }[direction]
    return text(
        " UNION ALL ".join(
            f"SELECT e.{near}_id, e.{far}_id, e.{far}_kind, e.id FROM entity_edges e"  # noqa: S608  (constants)
            f" WHERE e.organization_id = :organization_id AND e.{near}_id = ANY (CAST(:ids AS uuid[]))"
            f"{among} AND {moment_sql(moment)}"
            for near, far in branches
        )
    )
