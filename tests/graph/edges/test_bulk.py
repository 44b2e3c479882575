"""Many edges at once are evaluated as one after the other."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from graph.changes import ChangeFilter, changes_page
from graph.direction import Direction
from graph.edges.bulk import EdgeDraft, edges_create
from graph.edges.operations import edge_create
from graph.edges.queries import edges_of
from graph.errors import ArgusError
from graph.kinds import EntityKind
from graph.paging import PageRequest
from testing.world import World, day

SLUGS = (f"bulk-{number}" for number in count())
RELATIONSHIPS = [
    "HAS_PART",
    "FEEDS",
    "CONTAINS",
    "MONITORED_BY",
    "MONITORED_BY",
    "CONTROLLED_BY",
    "LOCATED_IN",
    "NO_SUCH",
]

drafts = st.lists(
    st.tuples(
        st.sampled_from(RELATIONSHIPS),
        st.integers(0, 6),
        st.integers(0, 6),
        st.sampled_from([None, None, 1, -1]),
        st.integers(0, 6),
        st.none() | st.integers(3, 9),
        st.sampled_from([None, None, True, False]),
    ),
    max_size=12,
)


def arguments(nodes: list[Any], row: tuple[Any, ...]) -> dict[str, Any]:
    relationship, source, target, port, begins, ends, exclusive = row
    until: datetime | None = None if ends is None else day(ends)
    return {
        "source_id": nodes[source],
        "target_id": nodes[target],
        "relationship": relationship,
        "port": port,
        "exclusive": exclusive,
        "valid_from": day(begins),
        "valid_until": until,
    }


def nodes_of(world: World) -> list[Any]:
    return [
        *world.entities(EntityKind.ASSET, 3),
        *world.entities(EntityKind.SPACE, 2),
        *world.entities(EntityKind.DEVICE, 2),
    ]


def believed(world: World, nodes: list[Any]) -> list[tuple[Any, ...]]:
    with world.session() as session:
        believed_edges = [
            edge
            for at in range(10)
            for edges in edges_of(
                session, organization_id=world.organization_id, entity_ids=nodes, direction=Direction.OUT,
                as_of=day(at + 0.5),
            ).values()
            for edge in edges
        ]  # fmt: skip
    return sorted(
        {
            (nodes.index(e.source_id), e.relationship, nodes.index(e.target_id), e.port or 0, e.exclusive, e.valid_from)
            for e in believed_edges
        }
    )


def test_many_edges_at_once_are_checked_as_if_one_by_one(worlds: Callable[[str], World]) -> None:
    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(before=drafts, rows=drafts)
    def check(before: list[tuple[Any, ...]], rows: list[tuple[Any, ...]]) -> None:
        slow, fast = worlds(next(SLUGS)), worlds(next(SLUGS))
        outcomes: list[list[object]] = []
        for world in (slow, fast):
            nodes = nodes_of(world)
            said: list[object] = []
            with world.changing() as (session, change):
                for row in before if world is fast else before + rows:
                    try:
                        edge_create(session, change=change, **arguments(nodes, row))
                        said.append(None)
                    except ArgusError as error:
                        said.append((error.code, error.path))
            if world is fast:
                with world.changing() as (session, change):
                    made = edges_create(
                        session, change=change, drafts=[EdgeDraft(**arguments(nodes, row)) for row in rows]
                    )
                said += [(result.code, result.path) if isinstance(result, ArgusError) else None for result in made]
            outcomes.append([said, believed(world, nodes)])
        assert outcomes[0] == outcomes[1]

    check()


def test_a_thousand_edges_cost_no_more_statements_than_ten(world: World) -> None:
    root, *parts = world.entities(EntityKind.ASSET, 1_100)
    devices = world.entities(EntityKind.DEVICE, 1_100)
    counts = []
    for begin, end in ((0, 10), (10, 1_010)):
        drafts = [EdgeDraft(source_id=root, target_id=part, relationship="HAS_PART") for part in parts[begin:end]]
        drafts += [
            EdgeDraft(source_id=part, target_id=device, relationship="MONITORED_BY", port=0)
            for part, device in zip(parts[begin:end], devices[begin:end], strict=True)
        ]
        statements: list[str] = []
        with world.changing() as (session, change):
            listen: Any = lambda *call, seen=statements: seen.append(call[2])  # noqa: E731
            event.listen(session.connection().engine, "before_cursor_execute", listen)
            made = edges_create(session, change=change, drafts=drafts)
            event.remove(session.connection().engine, "before_cursor_execute", listen)
        assert not [result for result in made if isinstance(result, ArgusError)]
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 8


def test_each_edge_is_in_the_audit_trail(world: World) -> None:
    source, *targets = world.entities(EntityKind.ASSET, 4)
    with world.changing(reason="delivery") as (session, change):
        made = edges_create(
            session,
            change=change,
            drafts=[EdgeDraft(source_id=source, target_id=target, relationship="FEEDS") for target in targets],
        )
    with world.session() as session:
        page = changes_page(session, organization_id=world.organization_id, where=ChangeFilter(), page=PageRequest(10))
    assert {change.subject_id for change in page.items} == {
        edge.edge_id for edge in made if not isinstance(edge, ArgusError)
    }
    assert {(change.action, change.reason) for change in page.items} == {("created", "delivery")}
