"""Walks over all time agree at each instant with a walk as of that instant."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from graph.errors import LimitExceededError
from graph.kinds import EntityKind
from graph.relationships.operations import relationship_create
from graph.walk.spans import ALL_TIME, BELOW, END_US, hierarchy_hops, spans_above, spans_below, spans_without
from testing.world import EPOCH, World, day, new_id
from tests.graph import naive
from tests.graph.naive import LAST_DAY, NaiveEdge

ASSET, DEVICE, SPACE, ACTIVITY = EntityKind.ASSET, EntityKind.DEVICE, EntityKind.SPACE, EntityKind.ACTIVITY
KINDS = {ASSET: 4, SPACE: 3, DEVICE: 2, ACTIVITY: 2}
SHAPES = [
    ("HAS_PART", ASSET, ASSET),
    ("HAS_PART", ASSET, ASSET),
    ("CONTAINS", SPACE, SPACE),
    ("LOCATED_IN", ASSET, SPACE),
    ("LOCATED_IN", DEVICE, SPACE),
    ("MONITORED_BY", ASSET, DEVICE),
    ("TARGETS", ACTIVITY, ASSET),
    ("TARGETS", ACTIVITY, ACTIVITY),
    ("FEEDS", ASSET, ASSET),
]
_SLUGS = count(1)
_INSERT = text(
    "INSERT INTO entity_edges (organization_id, id, edge_id, relationship, source_id, source_kind, target_id,"
    " target_kind, valid, recorded) VALUES (:organization_id, :id, :id, :relationship, :source, :source_kind,"
    " :target, :target_kind, tstzrange(:begins, :ends), tstzrange(:recorded, :retracted))"
)

edges_drawn = st.lists(
    st.tuples(
        st.sampled_from(SHAPES),
        st.integers(0, 3),
        st.integers(0, 3),
        st.integers(0, 8),
        st.none() | st.integers(1, 5),
        st.integers(0, 5),
    ),
    max_size=14,
)


def micros(number: float) -> int:
    """Return a day's instant in microseconds since the Unix epoch."""
    return (day(number) - EPOCH) // timedelta(microseconds=1) + int(EPOCH.timestamp()) * 1_000_000


def put(world: World, edge: NaiveEdge, kinds: dict[UUID, EntityKind], *, retracted: bool = False) -> None:
    """Write an edge as it is, past all checks: circles, too."""
    with world.session() as session:
        session.execute(
            _INSERT,
            {
                "organization_id": world.organization_id,
                "id": new_id(),
                "relationship": edge.relationship,
                "source": edge.source,
                "source_kind": kinds[edge.source],
                "target": edge.target,
                "target_kind": kinds[edge.target],
                "begins": day(edge.start),
                "ends": None if edge.end is None else day(edge.end),
                "recorded": EPOCH,
                "retracted": day(1) if retracted else None,
            },
        )


def holds(spans: list[tuple[int, int]], at: int) -> bool:
    """Return whether an instant lies in one of the spans."""
    return any(begins <= at < ends for begins, ends in spans)


def test_spans_say_at_each_instant_what_a_walk_says(worlds: Callable[[str], World]) -> None:
    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )
    @given(drawn=edges_drawn)
    def check(drawn: list[tuple[tuple[str, EntityKind, EntityKind], int, int, int, int | None, int]]) -> None:
        world = worlds(f"spans-{next(_SLUGS)}")
        nodes = {kind: world.entities(kind, number) for kind, number in KINDS.items()}
        kinds: dict[UUID, EntityKind] = {node: kind for kind, of_kind in nodes.items() for node in of_kind}
        believed: list[NaiveEdge] = []
        for (relationship, source_kind, target_kind), a, b, start, length, fate in drawn:
            source = nodes[source_kind][a % KINDS[source_kind]]
            target = nodes[target_kind][b % KINDS[target_kind]]
            edge = NaiveEdge(source, relationship, target, None, start, None if length is None else start + length)
            meets = any(edge.same_fact(other) and set(other.days()) & set(edge.days()) for other in believed)
            if source == target or meets:
                continue
            put(world, edge, kinds, retracted=fate == 0)
            if fate:
                believed.append(edge)
        ids = [node for of_kind in nodes.values() for node in of_kind]
        with world.session() as session:
            down = spans_below(session, organization_id=world.organization_id, ids=ids, hops=BELOW)
            up = spans_above(session, organization_id=world.organization_id, ids=ids, hops=BELOW)
            parts_hops = hierarchy_hops("HAS_PART")
            parts = spans_below(session, organization_id=world.organization_id, ids=ids, hops=parts_hops)
        for instant_day in range(LAST_DAY + 1):
            now = [edge for edge in believed if instant_day in edge.days()]
            part_edges = [edge for edge in now if edge.relationship == "HAS_PART"]
            for root in ids:
                expected = naive.below(now, root)
                at = micros(instant_day)
                assert {node for node, spans in down[root].items() if holds(spans, at)} == expected
                assert {node for node in ids if holds(up[node].get(root, []), at)} == expected
                assert {node for node, spans in parts[root].items() if holds(spans, at)} == naive.below(
                    part_edges, root
                )

    check()


def test_an_end_of_one_path_is_extended_by_another(world: World) -> None:
    """An activity that targets an asset, and is in a hierarchy besides, reaches what is below it there."""
    with world.changing() as (session, change):
        relationship_create(
            session,
            change=change,
            name="STEPS",
            inverse="STEP_OF",
            source_kinds=[ASSET, ACTIVITY],
            target_kinds=[ACTIVITY],
            hierarchy=True,
        )
    asset, order, step = world.entity(ASSET), world.entity(ACTIVITY), world.entity(ACTIVITY)
    world.edge(order, "TARGETS", asset)
    world.edge(order, "STEPS", step, valid_from=day(2))
    world.edge(asset, "STEPS", order, valid_from=day(1))
    with world.session() as session:
        down = spans_below(session, organization_id=world.organization_id, ids=[asset], hops=BELOW)
        up = spans_above(session, organization_id=world.organization_id, ids=[step], hops=BELOW)
    assert down == {asset: {asset: [ALL_TIME], order: [(micros(0), END_US)], step: [(micros(2), END_US)]}}
    assert up == {step: {step: [ALL_TIME], order: [(micros(2), END_US)], asset: [(micros(2), END_US)]}}


def test_spans_of_two_ways_are_joined_and_a_hierarchy_can_take_in_places(world: World) -> None:
    site, left, right = world.entities(SPACE, 3)
    pump = world.entity(ASSET)
    world.edge(site, "CONTAINS", left, valid_until=day(4))
    world.edge(site, "CONTAINS", right, valid_from=day(2), valid_until=day(6))
    world.edge(pump, "LOCATED_IN", left)
    world.edge(pump, "LOCATED_IN", right)
    with world.session() as session:
        with_places = spans_above(
            session,
            organization_id=world.organization_id,
            ids=[pump],
            hops=hierarchy_hops("CONTAINS", located=True),
        )
        bare = spans_above(session, organization_id=world.organization_id, ids=[pump], hops=hierarchy_hops("CONTAINS"))
    assert with_places[pump][site] == [(micros(0), micros(6))]
    assert bare == {pump: {pump: [ALL_TIME]}}


def test_a_walk_that_reaches_too_many_is_refused(world: World) -> None:
    site = world.entity(SPACE)
    for room in world.entities(SPACE, 3):
        world.edge(site, "CONTAINS", room)
    with world.session() as session:
        arguments = {"session": session, "organization_id": world.organization_id, "ids": [site], "hops": BELOW}
        assert len(spans_below(**arguments, nodes_max=4)[site]) == 4  # type: ignore[arg-type]
        with pytest.raises(LimitExceededError):
            spans_below(**arguments, nodes_max=3)  # type: ignore[arg-type]


def test_without_leaves_what_is_new() -> None:
    assert spans_without([(0, 10), (12, 20)], [(2, 3), (5, 12), (19, 30)]) == [(0, 2), (3, 5), (12, 19)]
    assert spans_without([(0, 10)], []) == [(0, 10)]
    assert spans_without([(3, 4)], [(0, 10)]) == []
