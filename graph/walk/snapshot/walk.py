"""The engine that walks a snapshot: arrays of nodes, a whole level at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from graph.direction import Direction
from graph.errors import LimitExceededError
from graph.ids import EdgeVersionId, EntityId
from graph.stopping import stop_check
from graph.walk.below import BELOW_IN, BELOW_LAST, BELOW_OUT
from graph.walk.model import EDGES_MAX, NODES_MAX, Path, Reached, Step, WalkEngine
from graph.walk.snapshot.edges import EdgeFilter, Slots
from graph.walk.snapshot.model import Snapshot
from graph.walk.snapshot.nodes import Indices, uuids_of

Depths = npt.NDArray[np.int32]

# Depths are kept as what they lack of this, so that memory fresh from the system, all zeros, means: never reached.
_FAR: Final = 1 << 30
# So few are made distinct faster by Python, and so few by sorting, than by an array as long as all there are.
_FEW: Final = 64
_SOME: Final = 4_096
_NONE: Final = np.zeros(0, dtype=np.int32)
_NO_SLOTS: Final = np.zeros(0, dtype=np.int64)
_SIDES: Final = {Direction.OUT: (True,), Direction.IN: (False,), Direction.ANY: (True, False)}


@dataclass(frozen=True, slots=True)
class FollowedEdges:
    """Edges walked in one hop: slots of `table`, and the depth each leads to."""

    table: int
    slots: Slots
    depths: Depths


@dataclass(frozen=True, slots=True)
class SnapshotWalk:
    """A `WalkEngine` over a snapshot as of an instant (microseconds since PostgreSQL's epoch).

    otherwise: used where a start is not in the snapshot: an entity made since that has no edges.
    """

    snapshot: Snapshot
    as_of: int
    otherwise: WalkEngine

    def reach(self, *, starts: Sequence[EntityId], steps: Sequence[Step], limit: int, with_edges: bool) -> Reached:
        """Walk the steps one after the other; see `WalkEngine`."""
        begins = self._find(starts)
        if begins is None:
            return self.otherwise.reach(starts=starts, steps=steps, limit=limit, with_edges=with_edges)
        nodes, depths, hidden = begins, np.zeros(len(begins), dtype=np.int32), begins
        followed: list[FollowedEdges] | None = [] if with_edges else None
        for place, step in enumerate(steps):
            # The last step of a walk may stop at the first depth by which there is more than can be returned.
            enough = limit + len(begins) if place == len(steps) - 1 and followed is None else None
            indices, hops = self._matching(step, *self._step(nodes, depths, step, followed, enough))
            hidden = begins
            if step.include_start:
                hidden = np.setdiff1d(begins, nodes)
                indices, hops = self._nearest(np.concatenate([indices, nodes]), np.concatenate([hops, depths]))
            nodes, depths = indices, hops
        if len(hidden):
            stays = ~np.isin(nodes, hidden)
            nodes, depths = nodes[stays], depths[stays]
        first, first_depths = self._first(nodes, depths, limit)
        edges, more = self._edges(followed or [])
        return Reached(self.snapshot.nodes.ids(first), first_depths.tolist(), edges, len(nodes) > limit or more)

    def reach_indices(self, *, start: EntityId, step: Step) -> tuple[Indices, Depths] | None:
        """Walk one step from one start; return the nodes of the snapshot it keeps and their depths, in no order.

        For what goes on working with the snapshot's own numbers. None where the start is unknown.
        """
        begins = self._find([start])
        if begins is None:
            return None
        return self._matching(step, *self._levels(begins, 0, step, None, None))

    def reach_each(self, *, starts: Sequence[EntityId], step: Step) -> dict[EntityId, Reached]:
        """Walk one step from each start by itself, all starts a level at a time; see `WalkEngine`."""
        starts = list(dict.fromkeys(starts))
        begins = self._find(starts)
        if begins is None:
            return self.otherwise.reach_each(starts=starts, step=step)
        every = np.int64(len(self.snapshot.nodes))
        edge_filters = self._edge_filters(step.relationships)
        # A key is the place of a start and a node: start * every + node.
        frontier: npt.NDArray[np.int64] = np.arange(len(begins), dtype=np.int64) * every + begins
        seen = np.sort(frontier)
        levels: list[npt.NDArray[np.int64]] = []
        for _ in range(step.depth):
            who, at = np.divmod(frontier, every)
            keys: list[npt.NDArray[np.int64]] = [
                who[origins] * every + ends
                for _, _, origins, ends in self._hops(at.astype(np.int32), edge_filters, step.direction)
            ]
            frontier = np.setdiff1d(np.concatenate([_NO_SLOTS, *keys]), seen)
            if not len(frontier):
                break
            levels.append(frontier)
            seen = np.union1d(seen, frontier)
            _count(len(seen) - len(begins))
        return self._by_start(starts, step, levels)

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
        ends = self._find([from_id, to_id])
        if ends is None:
            return self.otherwise.path(
                from_id=from_id, to_id=to_id, relationships=relationships, direction=direction, depth_max=depth_max
            )
        edge_filters = self._edge_filters(relationships)
        there, back = (
            _Side.at(node, side, nodes=len(self.snapshot.nodes))
            for node, side in zip(ends, (direction, direction.reverse), strict=True)
        )
        for _ in range(depth_max):
            side, other = (there, back) if len(there.frontier) <= len(back.frontier) else (back, there)
            side.advance(self._hops(side.frontier, edge_filters, side.direction))
            _count(there.reached + back.reached)
            both = other.levels[side.frontier]
            if both.any():
                # Levels count from one; the meeting that is nearest to the other side makes the shortest path.
                meeting = side.frontier[np.argmin(np.where(both == 0, _FAR, both))]
                return self._way(there, back, int(meeting))
            if not len(side.frontier):
                return None
        return None

    def below(self, *, roots: Sequence[EntityId]) -> list[EntityId]:
        """Walk down in two states at once, within hierarchies and below located entities; see `WalkEngine`."""
        indices = self.below_indices(roots=roots)
        return self.otherwise.below(roots=roots) if indices is None else self.snapshot.nodes.ids(indices)

    def below_indices(self, *, roots: Sequence[EntityId]) -> Indices | None:
        """Return the roots and all that is below them, in the order of their ids; None where a root is unknown."""
        frontier = self._find(roots)
        if frontier is None:
            return None
        snapshot = self.snapshot
        outs, backs = self._edge_filters({*snapshot.hierarchies, *BELOW_OUT}), self._edge_filters(BELOW_IN)
        last = snapshot.flags({BELOW_LAST})
        if last is None:
            raise AssertionError("unreachable")
        below, walked = (np.zeros(len(snapshot.nodes), dtype=np.bool_) for _ in range(2))
        below[frontier] = walked[frontier] = True
        while len(frontier):
            further = []
            for table, down, up in zip(snapshot.tables, outs, backs, strict=True):
                stop_check(len(frontier))
                slots, _ = table.hop(frontier, outward=True, edge_filter=down, with_origins=False)
                further.append(table.ends(slots, outward=True))
                slots, _ = table.hop(frontier, outward=False, edge_filter=up, with_origins=False)
                ends, ending = table.ends(slots, outward=False), last[table.columns.relationship[slots]]
                below[ends[ending]] = True
                further.append(ends[~ending])
            candidates = np.concatenate(further)
            frontier = _distinct(candidates[~walked[candidates]], len(walked))
            below[frontier] = walked[frontier] = True
        indices = np.flatnonzero(below).astype(np.int32)
        _count(len(indices))
        return indices if snapshot.nodes.ordered == len(snapshot.nodes) else snapshot.nodes.sort(indices)

    def _find(self, entity_ids: Sequence[EntityId]) -> Indices | None:
        indices = self.snapshot.nodes.find(list(dict.fromkeys(entity_ids)))
        return None if (indices < 0).any() else indices

    def _edge_filters(self, relationships: Collection[str] | None) -> list[EdgeFilter]:
        """Return a filter for each table."""
        allowed = self.snapshot.flags(relationships)
        return [EdgeFilter(table, self.as_of, allowed) for table in self.snapshot.tables]

    def _hops(
        self, frontier: Indices, edge_filters: Sequence[EdgeFilter], direction: Direction
    ) -> Iterator[tuple[int, Slots, Slots, Indices]]:
        """Yield, a table and a direction at a time: the table, slots of edges, origins in `frontier`, nodes led to."""
        for outward in _SIDES[direction]:
            for number, table in enumerate(self.snapshot.tables):
                if not len(table):
                    continue
                stop_check(len(frontier))
                slots, origins = table.hop(
                    frontier, outward=outward, edge_filter=edge_filters[number], with_origins=True
                )
                if origins is None:
                    raise AssertionError("unreachable")
                yield number, slots, origins, table.ends(slots, outward=outward)

    def _step(
        self, begins: Indices, depths: Depths, step: Step, followed: list[FollowedEdges] | None, enough: int | None
    ) -> tuple[Indices, Depths]:
        """Return the nodes that 1 to `depth` hops reach, and the least number of hops to each.

        As in the SQL engine: the nodes it begins from differ in depth, so one can be reached again after more hops
        of this step and fewer in all, and is then walked on from again. Where they do not differ none can.
        enough: stop at a depth by which more nodes than this are kept; None: never.
        """
        if len(begins) and (depths == depths[0]).all():
            return self._levels(begins, int(depths[0]), step, followed, enough)
        edge_filters = self._edge_filters(step.relationships)
        nearness = np.zeros(len(self.snapshot.nodes), dtype=np.int32)
        frontier = begins
        reached: list[Indices] = [_NONE]
        near = _FAR - depths
        for _ in range(step.depth):
            improved = [_NONE]
            for number, slots, origins, ends in self._hops(frontier, edge_filters, step.direction):
                arriving = near[origins] - 1
                if followed is not None:
                    followed.append(FollowedEdges(number, slots, _FAR - arriving))
                better = arriving > nearness[ends]
                np.maximum.at(nearness, ends[better], arriving[better])
                improved.append(ends[better])
            frontier = _distinct(np.concatenate(improved), len(nearness))
            if not len(frontier):
                break
            near = nearness[frontier]
            reached.append(frontier)
        nodes = _distinct(np.concatenate(reached), len(nearness))
        _count(len(nodes))
        return nodes, _FAR - nearness[nodes]

    def _levels(
        self, begins: Indices, depth: int, step: Step, followed: list[FollowedEdges] | None, enough: int | None
    ) -> tuple[Indices, Depths]:
        """Walk breadth first from nodes of one depth: `_step` without keeping depths, the usual case."""
        edge_filters = self._edge_filters(step.relationships)
        seen = np.zeros(len(self.snapshot.nodes), dtype=np.bool_)
        frontier, total, matching = begins, 0, 0
        levels: list[Indices] = []
        for level in range(depth + 1, depth + step.depth + 1):
            arriving = []
            for outward in _SIDES[step.direction]:
                for number, table in enumerate(self.snapshot.tables):
                    if not len(table):
                        continue
                    slots, _ = table.hop(
                        frontier, outward=outward, edge_filter=edge_filters[number], with_origins=False
                    )
                    if followed is not None:
                        followed.append(FollowedEdges(number, slots, np.full(len(slots), level, dtype=np.int32)))
                    ends = table.ends(slots, outward=outward)
                    arriving.append(ends[~seen[ends]])
            candidates = np.concatenate(arriving) if arriving else _NONE
            frontier = _distinct(candidates, len(seen))
            if not len(frontier):
                break
            seen[frontier] = True
            levels.append(frontier)
            total += len(frontier)
            _count(total)
            if enough is not None:
                matching += len(self._of_kind(step, frontier))
                if matching > enough:
                    break
        sizes = [len(item) for item in levels]
        numbers = np.arange(depth + 1, depth + 1 + len(levels), dtype=np.int32)
        return np.concatenate(levels) if levels else _NONE, np.repeat(numbers, sizes)

    def _of_kind(self, step: Step, nodes: Indices) -> Indices:
        """Return those of the nodes that the step keeps."""
        table = self.snapshot.nodes
        if step.kinds is not None:
            nodes = nodes[table.kinds_flags(step.kinds)[table.kind[nodes]]]
        if step.types is not None:
            nodes = nodes[table.types_flags(step.types)[table.type[nodes]]]
        return nodes

    def _matching(self, step: Step, nodes: Indices, depths: Depths) -> tuple[Indices, Depths]:
        if step.kinds is None and step.types is None:
            return nodes, depths
        matching = self._of_kind(step, nodes)
        stays = np.isin(nodes, matching, assume_unique=True)
        return nodes[stays], depths[stays]

    def _nearest(self, nodes: Indices, depths: Depths) -> tuple[Indices, Depths]:
        """Return each node once, at the least of its depths."""
        order = np.lexsort((depths, nodes))
        nodes, depths = nodes[order], depths[order]
        first = np.ones(len(nodes), dtype=np.bool_)
        first[1:] = nodes[1:] != nodes[:-1]
        return nodes[first], depths[first]

    def _first(self, nodes: Indices, depths: Depths, limit: int) -> tuple[Indices, Depths]:
        """Return the first `limit` in the order of depth, then id."""
        if len(nodes) > limit:
            deepest = np.partition(depths, limit - 1)[limit - 1]
            above, at = depths < deepest, depths == deepest
            last = self.snapshot.nodes.sort(nodes[at])[: limit - int(above.sum())]
            first, first_depths = self._first(nodes[above], depths[above], limit)
            return np.concatenate([first, last]), np.append(first_depths, np.repeat(deepest, len(last)))
        order = self._order(nodes, depths)
        return nodes[order], depths[order]

    def _order(self, nodes: Indices, *before: npt.NDArray[np.signedinteger]) -> Slots:
        table = self.snapshot.nodes
        ids = (nodes,) if table.ordered == len(table) else (table.low[nodes], table.high[nodes])
        return np.lexsort((*ids, *before))

    def _edges(self, followed: Sequence[FollowedEdges]) -> tuple[list[EdgeVersionId], bool]:
        """Return the versions followed, in the order of the least depth each leads to, then id; and whether of more."""
        if not followed:
            return [], False
        tables = self.snapshot.tables
        high = np.concatenate([tables[item.table].columns.high[item.slots] for item in followed])
        low = np.concatenate([tables[item.table].columns.low[item.slots] for item in followed])
        depths = np.concatenate([item.depths for item in followed])
        order = np.lexsort((depths, low, high))
        high, low, depths = high[order], low[order], depths[order]
        first = np.ones(len(high), dtype=np.bool_)
        first[1:] = (high[1:] != high[:-1]) | (low[1:] != low[:-1])
        high, low, depths = high[first], low[first], depths[first]
        order = np.argsort(depths, kind="stable")[:EDGES_MAX]
        return [EdgeVersionId(uuid) for uuid in uuids_of(high[order], low[order])], len(high) > EDGES_MAX

    def _by_start(
        self, starts: Sequence[EntityId], step: Step, levels: Sequence[npt.NDArray[np.int64]]
    ) -> dict[EntityId, Reached]:
        """Return by start the nodes reached from it."""
        every = np.int64(len(self.snapshot.nodes))
        keys = np.concatenate(levels) if levels else np.zeros(0, dtype=np.int64)
        depths = np.repeat(np.arange(1, len(levels) + 1, dtype=np.int32), [len(level) for level in levels])
        who, nodes = keys // every, (keys % every).astype(np.int32)
        if step.kinds is not None or step.types is not None:
            stays = np.isin(nodes, self._of_kind(step, np.unique(nodes)))
            who, nodes, depths = who[stays], nodes[stays], depths[stays]
        order = self._order(nodes, depths, who)
        who, nodes, depths = who[order], nodes[order], depths[order]
        ids, hops = self.snapshot.nodes.ids(nodes), depths.tolist()
        bounds = np.searchsorted(who, np.arange(len(starts) + 1)).tolist()
        return {
            start: Reached(ids[begin:end], hops[begin:end])
            for start, begin, end in zip(starts, bounds[:-1], bounds[1:], strict=True)
        }

    def _way(self, there: _Side, back: _Side, meeting: int) -> Path:
        nodes, edges = there.trail(meeting)
        nodes_on, edges_on = back.trail(meeting)
        path = np.array([*reversed(nodes), meeting, *nodes_on], dtype=np.int32)
        versions: list[EdgeVersionId] = []
        for number, slot in (*reversed(edges), *edges_on):
            columns = self.snapshot.tables[number].columns
            versions += map(EdgeVersionId, uuids_of(columns.high[slot : slot + 1], columns.low[slot : slot + 1]))
        return Path(self.snapshot.nodes.ids(path), versions)


@dataclass(slots=True)
class _Side:
    """One of the two searches that meet.

    levels: by node, one more than the hops to it; 0: not reached. trails: for each level the nodes it came to, the
    nodes it came from, tables and slots of the edges.
    """

    direction: Direction
    frontier: Indices
    levels: npt.NDArray[np.int32]
    trails: list[tuple[Indices, Indices, Slots, Slots]] = field(default_factory=list)
    reached: int = 1

    @staticmethod
    def at(node: int, direction: Direction, *, nodes: int) -> _Side:
        levels = np.zeros(nodes, dtype=np.int32)
        levels[node] = 1
        return _Side(direction, np.array([node], dtype=np.int32), levels)

    def advance(self, hops: Iterator[tuple[int, Slots, Slots, Indices]]) -> None:
        parts = [(_NONE, _NONE, _NO_SLOTS, _NO_SLOTS)]
        for number, slots, origins, ends in hops:
            new = self.levels[ends] == 0
            parts.append((ends[new], self.frontier[origins[new]], np.full(int(new.sum()), number), slots[new]))
        nodes, froms, tables, slots = (np.concatenate(column) for column in zip(*parts, strict=True))
        if len(nodes) > 1:
            nodes, first = np.unique(nodes, return_index=True)
            froms, tables, slots = froms[first], tables[first], slots[first]
        self.levels[nodes] = len(self.trails) + 2
        self.trails.append((nodes, froms, tables, slots))
        self.frontier = nodes
        self.reached += len(nodes)

    def trail(self, node: int) -> tuple[list[int], list[tuple[int, int]]]:
        """Return the nodes and the edges, table and slot, from `node` back to where the search began, without it."""
        nodes, edges = [], []
        for level in range(int(self.levels[node]) - 2, -1, -1):
            reached, froms, tables, slots = self.trails[level]
            at = int(np.searchsorted(reached, node))
            node = int(froms[at])
            nodes.append(node)
            edges.append((int(tables[at]), int(slots[at])))
        return nodes, edges


def _distinct(indices: Indices, every: int) -> Indices:
    """Return each index once. every: there are none from here on."""
    if len(indices) < 2:  # noqa: PLR2004  (one is distinct)
        return indices
    if len(indices) <= _FEW:
        return np.array(list(dict.fromkeys(indices.tolist())), dtype=np.int32)
    if len(indices) <= _SOME:
        ordered = np.sort(indices)
        new = np.empty(len(ordered), dtype=np.bool_)
        new[0] = True
        np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
        return ordered[new]
    # The last write to a place wins; nobody reads a cell that was not written.
    stamps = np.empty(every, dtype=np.int32)
    places = np.arange(len(indices), dtype=np.int32)
    stamps[indices] = places
    distinct: Indices = indices[stamps[indices] == places]
    return distinct


def _count(visited: int) -> int:
    if visited > NODES_MAX:
        raise LimitExceededError(f"The walk comes to more than {NODES_MAX} entities.")
    return visited
