"""The temporal graph as naively as can be: days are whole numbers, and every change copies the whole belief.

Independent of the code under test: what holds is evaluated day by day, never by intervals.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from uuid import UUID

from graph.kinds import EntityKind

# Validities begin and end at day 0 to LAST_DAY; an open one holds on LAST_DAY, too.
LAST_DAY = 12
HIERARCHIES = {"CONTAINS", "HAS_PART"}
LINKS = {"MONITORED_BY", "CONTROLLED_BY"}


@dataclass(frozen=True, slots=True)
class NaiveEdge:
    """source RELATIONSHIP target on the days from `start` up to, and without, `end`; None: for ever.

    exclusive: no other edge from the source's kind to that port of the target.
    """

    source: UUID
    relationship: str
    target: UUID
    port: int | None
    start: int
    end: int | None
    exclusive: bool = False

    def days(self) -> range:
        return range(self.start, LAST_DAY + 1 if self.end is None else self.end)

    def same_fact(self, other: NaiveEdge) -> bool:
        return (self.source, self.relationship, self.target, self.port) == (
            other.source,
            other.relationship,
            other.target,
            other.port,
        )


Belief = Mapping[UUID, NaiveEdge]


class RefusedError(Exception):
    """The model refuses with this code."""


@dataclass(slots=True)
class NaiveGraph:
    """kinds: of all entities. deleted: the day of deletion. history: every belief, with when it began."""

    kinds: dict[UUID, EntityKind]
    deleted: dict[UUID, int] = field(default_factory=dict)
    belief: dict[UUID, NaiveEdge] = field(default_factory=dict)
    history: list[tuple[datetime, Belief]] = field(default_factory=list)

    def commit(self, recorded: datetime) -> None:
        self.history.append((recorded, dict(self.belief)))

    def known(self, known_at: datetime | None) -> Belief:
        if known_at is None:
            return self.history[-1][1] if self.history else {}
        return next((belief for recorded, belief in reversed(self.history) if recorded <= known_at), {})

    def check(self, edge: NaiveEdge, others: Iterable[NaiveEdge]) -> None:
        for end in (edge.source, edge.target):
            if end in self.deleted and (edge.end is None or edge.end > self.deleted[end]):
                raise RefusedError("CONFLICT")
        others = list(others)
        meeting = [other for other in others if set(other.days()) & set(edge.days())]
        if any(other.same_fact(edge) for other in meeting):
            raise RefusedError("OVERLAP")
        rivals = [other for other in meeting if self._place(other) == self._place(edge) is not None]
        if any(edge.exclusive or other.exclusive for other in rivals):
            raise RefusedError("CONFLICT")
        if edge.relationship in HIERARCHIES:
            for day in edge.days():
                downward: dict[UUID, list[UUID]] = {}
                for other in others:
                    if other.relationship in HIERARCHIES and day in other.days():
                        downward.setdefault(other.source, []).append(other.target)
                if edge.source in distances(edge.target, partial(_listed, downward)):
                    raise RefusedError("CYCLE")

    def create(self, edge_id: UUID, edge: NaiveEdge) -> None:
        self.belief[edge_id] = edge

    def exclusive(self, source: UUID, relationship: str, *, wanted: bool | None) -> bool:
        """Return whether such an edge is exclusive."""
        always = relationship == "CONTROLLED_BY" and self.kinds[source] is EntityKind.ASSET
        if (wanted and relationship not in LINKS) or (wanted is False and always):
            raise RefusedError("BAD_USER_INPUT")
        return always or bool(wanted)

    def change(self, edge_id: UUID, start: int, end: int | None, *, exclusive: bool | None = None) -> None:
        if end is not None and end <= start:
            raise RefusedError("BAD_USER_INPUT")
        before = self.belief[edge_id]
        wanted = before.exclusive if exclusive is None else exclusive
        after = replace(before, start=start, end=end, exclusive=wanted)
        if after == before:
            return
        self.exclusive(before.source, before.relationship, wanted=wanted)
        inside = set(after.days()) <= set(before.days()) and (end is not None)
        if not inside or (after.exclusive and not before.exclusive):
            self.check(after, [other for key, other in self.belief.items() if key != edge_id])
        self.belief[edge_id] = after

    def end(self, edge_id: UUID, at: int) -> None:
        before = self.belief[edge_id]
        if not before.start < at or (before.end is not None and at >= before.end):
            raise RefusedError("BAD_USER_INPUT")
        self.belief[edge_id] = replace(before, end=at)

    def cut(self, edge_ids: Collection[UUID], at: int) -> None:
        for edge_id in edge_ids:
            if self.belief[edge_id].start >= at:
                del self.belief[edge_id]
            else:
                self.belief[edge_id] = replace(self.belief[edge_id], end=at)

    def from_on(self, at: int) -> dict[UUID, NaiveEdge]:
        return {key: edge for key, edge in self.belief.items() if edge.end is None or edge.end > at}

    def _place(self, edge: NaiveEdge) -> object:
        if edge.relationship in LINKS:
            return (edge.relationship, self.kinds[edge.source], edge.target, edge.port)
        return None


def _listed(neighbours: Mapping[UUID, list[UUID]], node: UUID) -> list[UUID]:
    return neighbours.get(node, [])


def on_day(belief: Belief, day: int) -> dict[UUID, NaiveEdge]:
    """Return the edges that hold on a day."""
    return {key: edge for key, edge in belief.items() if day in edge.days()}


def distances(start: UUID, neighbours: Callable[[UUID], Iterable[UUID]]) -> dict[UUID, int]:
    """Return how many hops it takes to each node, 0 to the start itself."""
    hops, waiting = {start: 0}, deque([start])
    while waiting:
        node = waiting.popleft()
        for near in neighbours(node):
            if near not in hops:
                hops[near] = hops[node] + 1
                waiting.append(near)
    return hops


def below(edges: Collection[NaiveEdge], root: UUID) -> set[UUID]:
    """Return the root and what is below it."""
    nodes, grown = {root}, True
    last: set[UUID] = set()
    while grown:
        grown = False
        for edge in edges:
            outward = edge.relationship in HIERARCHIES | LINKS
            near, far = (edge.source, edge.target) if outward else (edge.target, edge.source)
            if edge.relationship not in HIERARCHIES | LINKS | {"LOCATED_IN", "TARGETS"} or near not in nodes - last:
                continue
            if far not in nodes or (far in last and edge.relationship != "TARGETS"):
                nodes.add(far)
                grown = True
                if edge.relationship == "TARGETS":
                    last.add(far)
                else:
                    last.discard(far)
    return nodes
