"""Any sequence of changes leaves what a naive model of the graph has, at every instant and every knowledge of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.orm import Session

from graph.change import GraphChange
from graph.direction import Direction
from graph.edges.model import EdgeVersion
from graph.edges.operations import edge_correct, edge_create, edge_end, edge_retract, edges_end_of_entity
from graph.edges.queries import edge_versions_by_id, edges_of
from graph.edges.replace import edges_replace_target
from graph.errors import ArgusError
from graph.ids import EntityId
from graph.kinds import EntityKind
from graph.paging import PageRequest
from graph.walk.model import Step
from graph.walk.queries import below, path, related_pages, traverse
from graph.walk.snapshot.cache import Snapshots
from testing.world import EPOCH, World, day
from tests.graph import naive
from tests.graph.naive import LAST_DAY, NaiveEdge, NaiveGraph, RefusedError

KINDS = {
    EntityKind.ASSET: 4,
    EntityKind.SPACE: 3,
    EntityKind.DEVICE: 2,
}
TYPES = {EntityKind.ASSET: "pump", EntityKind.SPACE: "room", EntityKind.DEVICE: "meter"}
SHAPES = [
    ("HAS_PART", EntityKind.ASSET, EntityKind.ASSET),
    ("CONTAINS", EntityKind.SPACE, EntityKind.SPACE),
    ("FEEDS", EntityKind.ASSET, EntityKind.ASSET),
    ("LOCATED_IN", EntityKind.ASSET, EntityKind.SPACE),
    ("MONITORED_BY", EntityKind.ASSET, EntityKind.DEVICE),
    ("MONITORED_BY", EntityKind.SPACE, EntityKind.DEVICE),
    ("CONTROLLED_BY", EntityKind.ASSET, EntityKind.DEVICE),
    ("CONTROLLED_BY", EntityKind.SPACE, EntityKind.DEVICE),
]


@dataclass(frozen=True, slots=True)
class Draft:
    """An edge to be tried. source, target: places among the nodes of their kind."""

    shape: tuple[str, EntityKind, EntityKind]
    source: int
    target: int
    port: int | None
    start: int
    end: int | None
    corrected: int | None
    exclusive: bool | None


def drafts_of(shapes: list[tuple[str, EntityKind, EntityKind]], *, ports: bool = False) -> st.SearchStrategy[Draft]:
    return st.builds(
        Draft,
        st.sampled_from(shapes),
        st.integers(0, 3),
        st.integers(0, 3),
        st.sampled_from([None, 1]) if ports else st.none(),
        st.integers(0, 8),
        st.none() | st.integers(4, LAST_DAY),
        st.sampled_from([None, None, None, 2, 6, LAST_DAY]),
        st.sampled_from([None, None, True, False]),
    )


PARTS, LINKS, OTHERS = drafts_of(SHAPES[:2]), drafts_of(SHAPES[4:], ports=True), drafts_of(SHAPES[2:4])
SLUGS = (f"plant-{number}" for number in count())
DAYS = st.integers(0, LAST_DAY)
UNTIL = st.none() | DAYS
NUMBERS = st.integers(0, 30)


class GraphMachine(RuleBasedStateMachine):
    """Does the same to an organization in PostgreSQL and to the model, and compares."""

    worlds: Callable[[str], World]

    @initialize()
    def begin(self) -> None:
        self.world = type(self).worlds(next(SLUGS))
        self.snapshots = Snapshots()
        self.nodes = {
            kind: self.world.entities(kind, number - 1) + self.world.entities(kind, 1, TYPES[kind])
            for kind, number in KINDS.items()
        }
        self.all = [node for nodes in self.nodes.values() for node in nodes]
        self.model = NaiveGraph({node: kind for kind, nodes in self.nodes.items() for node in nodes})

    def both(self, really: Callable[[Session, GraphChange], object], naively: Callable[[object], object]) -> None:
        """Do it in one change, and check that either both refuse with one code or both do it."""
        before = dict(self.model.belief), dict(self.model.deleted)
        refused: str | None = None
        recorded: datetime | None = None
        result: object = None
        try:
            with self.world.changing() as (session, change):
                recorded = change.recorded
                result = really(session, change)
        except ArgusError as fault:
            refused = fault.code
        expected: str | None = None
        try:
            naively(result)
        except RefusedError as fault:
            expected = str(fault)
        if expected is not None:
            self.model.belief, self.model.deleted = before
        assert refused == expected
        if refused is None:
            assert recorded is not None
            self.model.commit(recorded)

    def pick(self, number: int) -> UUID:
        return sorted(self.model.belief)[number % len(self.model.belief)]

    @rule(drafts=st.lists(PARTS, min_size=1, max_size=6))
    def create_parts(self, drafts: list[Draft]) -> None:
        """Hierarchy over few nodes, so that circles are near."""
        for draft in drafts:
            self.create(draft)

    @rule(drafts=st.lists(LINKS, min_size=1, max_size=4))
    def create_links(self, drafts: list[Draft]) -> None:
        """Links to few ports, so that they meet."""
        for draft in drafts:
            self.create(draft)

    @rule(drafts=st.lists(OTHERS, min_size=1, max_size=4))
    def create_others(self, drafts: list[Draft]) -> None:
        for draft in drafts:
            self.create(draft)

    def create(self, draft: Draft) -> None:
        """Create an edge; sometimes correct its end in the same change."""
        relationship, source_kind, target_kind = draft.shape
        sources, targets = self.nodes[source_kind], self.nodes[target_kind]
        source_id, target_id = sources[draft.source % len(sources)], targets[draft.target % len(targets)]
        if source_id == target_id or (draft.end is not None and draft.end <= draft.start):
            return

        def really(session: Session, change: GraphChange) -> UUID:
            created = edge_create(
                session,
                change=change,
                source_id=source_id,
                target_id=target_id,
                relationship=relationship,
                port=draft.port,
                exclusive=draft.exclusive,
                valid_from=day(draft.start),
                valid_until=None if draft.end is None else day(draft.end),
            )
            if draft.corrected is not None:
                edge_correct(session, change=change, edge_id=created.id, valid_until=day(draft.corrected))
            return created.edge_id

        def naively(edge_id: object) -> None:
            exclusive = self.model.exclusive(source_id, relationship, wanted=draft.exclusive)
            edge = NaiveEdge(source_id, relationship, target_id, draft.port, draft.start, draft.end, exclusive)
            self.model.check(edge, self.model.belief.values())
            key = edge_id if isinstance(edge_id, UUID) else UUID(int=0)
            self.model.create(key, edge)
            if draft.corrected is not None:
                self.model.change(key, edge.start, draft.corrected)

        self.both(really, naively)

    @precondition(lambda self: self.model.belief)
    @rule(number=NUMBERS, at=DAYS)
    def end(self, number: int, at: int) -> None:
        edge_id = self.pick(number)
        self.both(
            lambda session, change: edge_end(session, change=change, edge_id=edge_id, at=day(at)),
            lambda _: self.model.end(edge_id, at),
        )

    @precondition(lambda self: self.model.belief)
    @rule(number=NUMBERS, exclusive=st.booleans())
    def correct_exclusive(self, number: int, exclusive: bool) -> None:
        edge_id = self.pick(number)
        before = self.model.belief[edge_id]
        self.both(
            lambda session, change: edge_correct(session, change=change, edge_id=edge_id, exclusive=exclusive),
            lambda _: self.model.change(edge_id, before.start, before.end, exclusive=exclusive),
        )

    @precondition(lambda self: self.model.belief)
    @rule(number=NUMBERS, start=DAYS, end=UNTIL)
    def correct(self, number: int, start: int, end: int | None) -> None:
        edge_id = self.pick(number)
        until = None if end is None else day(end)
        self.both(
            lambda session, change: edge_correct(
                session, change=change, edge_id=edge_id, valid_from=day(start), valid_until=until
            ),
            lambda _: self.model.change(edge_id, start, end),
        )

    @precondition(lambda self: len(self.model.belief) > 2)
    @rule(number=NUMBERS)
    def retract(self, number: int) -> None:
        edge_id = self.pick(number)
        self.both(
            lambda session, change: edge_retract(session, change=change, edge_id=edge_id),
            lambda _: self.model.belief.pop(edge_id),
        )

    @precondition(lambda self: any(edge.relationship in naive.LINKS for edge in self.model.belief.values()))
    @rule(first=st.booleans(), at=DAYS)
    def replace(self, first: bool, at: int) -> None:
        old, new = self.nodes[EntityKind.DEVICE] if first else reversed(self.nodes[EntityKind.DEVICE])

        def really(session: Session, change: GraphChange) -> dict[NaiveEdge, UUID]:
            done = edges_replace_target(
                session, change=change, target_id=old, replacement_id=new,
                relationships=sorted(naive.LINKS), at=day(at),
            )  # fmt: skip
            return {self.naive_of(edge): edge.edge_id for edge in done.created}

        def naively(created: object) -> None:
            leaving = {key: edge for key, edge in self.model.from_on(at).items() if edge.target == old}
            staying = [edge for key, edge in self.model.belief.items() if key not in leaving]
            arriving = [
                NaiveEdge(edge.source, edge.relationship, new, edge.port, max(edge.start, at), edge.end, edge.exclusive)
                for edge in leaving.values()
            ]
            for edge in arriving:
                self.model.check(edge, staying)
            self.model.cut(list(leaving), at)
            ids = created if isinstance(created, dict) else {}
            assert set(ids) == set(arriving)
            self.model.belief.update({ids[edge]: edge for edge in arriving})

        self.both(really, naively)

    @precondition(lambda self: len(self.model.deleted) < 2 and len(self.model.belief) > 5)
    @rule(number=NUMBERS, at=st.integers(4, LAST_DAY))
    def delete(self, number: int, at: int) -> None:
        entity_id = self.all[number % len(self.all)]
        if entity_id in self.model.deleted:
            return

        def really(session: Session, change: GraphChange) -> None:
            self.world.delete(session, entity_id, day(at))
            edges_end_of_entity(session, change=change, entity_id=entity_id, at=day(at))

        def naively(_: object) -> None:
            cut_edges = [key for key, edge in self.model.from_on(at).items() if entity_id in (edge.source, edge.target)]
            self.model.cut(cut_edges, at)
            self.model.deleted[entity_id] = at

        self.both(really, naively)

    @rule(at=st.integers(-1, LAST_DAY), known=st.none() | NUMBERS, start=NUMBERS, end=NUMBERS)
    def read(self, at: int, known: int | None, start: int, end: int) -> None:
        """Compare edges and walks at a random moment."""
        known_at = None
        if known is not None and self.model.history:
            known_at = self.model.history[known % len(self.model.history)][0]
        edges = naive.on_day(self.model.known(known_at), at)
        begin_id, end_id = self.all[start % len(self.all)], self.all[end % len(self.all)]
        common: Any = {"organization_id": self.world.organization_id, "as_of": day(at + 0.5), "known_at": known_at}
        with self.world.session() as session:
            stored_edges = edges_of(session, entity_ids=self.all, direction=Direction.OUT, **common)
            walked = self.walks(session, begin_id, end_id, common)
        with self.world.session(self.snapshots) as session:
            assert self.walks(session, begin_id, end_id, common) == walked
        under, length, related = walked[:3]
        assert {edge.edge_id: self.naive_of(edge) for many in stored_edges.values() for edge in many} == edges
        assert set(under) == naive.below(list(edges.values()), begin_id)
        hops = naive.distances(
            begin_id,
            lambda node: [
                e.target if e.source == node else e.source for e in edges.values() if node in (e.source, e.target)
            ],
        )
        assert length == hops.get(end_id)
        down = naive.distances(
            begin_id,
            lambda node: [
                e.target for e in edges.values() if e.source == node and e.relationship in ("FEEDS", "HAS_PART")
            ],
        )
        assert related == [node for hop, node in sorted((hop, node) for node, hop in down.items()) if 1 <= hop <= 3]

    def walks(self, session: Session, begin_id: UUID, end_id: UUID, common: Any) -> tuple[Any, ...]:
        """Return all that a walk can say; what it may choose freely is checked here."""
        way = path(session, from_id=begin_id, to_id=end_id, **common)
        if way is not None:
            assert (way.ids[0], way.ids[-1]) == (begin_id, end_id)
            versions = edge_versions_by_id(
                session, organization_id=self.world.organization_id, ids=[*way.edge_ids, UUID(int=0)]
            )
            for near, far, edge_id in zip(way.ids[:-1], way.ids[1:], way.edge_ids, strict=True):
                assert {versions[edge_id].source_id, versions[edge_id].target_id} == {near, far}
        pages = related_pages(
            session, entity_ids=self.all, relationships=["FEEDS", "HAS_PART"], depth=3, page=PageRequest(100), **common
        )
        placed = related_pages(
            session, entity_ids=self.all, relationships=["LOCATED_IN", "CONTAINS"], depth=2, direction=Direction.ANY,
            types=["pump"], page=PageRequest(100), **common,
        )  # fmt: skip
        steps = [
            Step(("HAS_PART", "FEEDS"), depth=2, include_start=True),
            Step(None, Direction.ANY, depth=2, kinds=frozenset({EntityKind.ASSET, EntityKind.DEVICE})),
            Step(("MONITORED_BY", "LOCATED_IN"), types=frozenset({"pump", "meter"}), include_start=True),
        ]
        traversals = [
            traverse(session, start_ids=starts, steps=steps[:length], limit=limit, with_edges=edges, **common)
            for starts, length, limit, edges in (
                ([begin_id], 1, 1000, True), ([begin_id, end_id], 2, 1000, True), ([end_id], 3, 1000, True),
                (self.all, 2, 3, False), ([begin_id], 1, 1, False),
            )
        ]  # fmt: skip
        return (
            below(session, entity_ids=[begin_id], **common),
            None if way is None else len(way.edge_ids),
            list(pages[EntityId(begin_id)].items),
            {node: list(page.items) for node, page in pages.items()},
            {node: list(page.items) for node, page in placed.items()},
            traversals,
        )

    @invariant()
    def history_only_grows(self) -> None:
        """What was believed at the first change is believed of it still."""
        if not hasattr(self, "model") or not self.model.history:
            return
        recorded, belief = self.model.history[len(self.model.history) // 2]
        with self.world.session() as session:
            edges = edges_of(
                session,
                organization_id=self.world.organization_id,
                entity_ids=self.all,
                direction=Direction.OUT,
                as_of=day(3.5),
                known_at=recorded,
            )
        known = {edge.edge_id for many in edges.values() for edge in many}
        assert known == set(naive.on_day(belief, 3))

    @staticmethod
    def naive_of(edge: EdgeVersion) -> NaiveEdge:
        start, end = edge.valid_from - EPOCH, None if edge.valid_until is None else edge.valid_until - EPOCH
        return NaiveEdge(
            edge.source_id,
            edge.relationship,
            edge.target_id,
            edge.port,
            start.days,
            None if end is None else end.days,
            edge.exclusive,
        )


@pytest.mark.slow
def test_any_sequence_of_changes_keeps_every_invariant(worlds: Callable[[str], World]) -> None:
    machine = type("Machine", (GraphMachine,), {"worlds": staticmethod(worlds)})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=40,
            # Not made smaller: that takes longer than a test may.
            phases=[Phase.reuse, Phase.generate],
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
