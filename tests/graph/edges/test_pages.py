"""Pages of edges, of their history and of the versions of a range, and their cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from graph.direction import Direction
from graph.edges.model import EdgeVersion
from graph.edges.operations import edge_correct, edge_end, edge_retract
from graph.edges.pages import edge_history_pages, edge_versions_page, edges_pages
from graph.edges.queries import edges_of
from graph.errors import BadInputError
from graph.ids import EntityId
from graph.kinds import EntityKind
from graph.paging import Page, PageRequest
from graph.walk.model import Step
from graph.walk.queries import below, related_pages, traverse
from testing.world import World, day

ASSET = EntityKind.ASSET


@contextmanager
def statements(world: World) -> Iterator[list[str]]:
    """The statements sent inside the block."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    event.listen(world.api, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(world.api, "before_cursor_execute", note)


def walk_through(fetch: Callable[[PageRequest], Page[EdgeVersion]], first: int) -> list[EdgeVersion]:
    """Read all pages of a list."""
    request = PageRequest(first)
    versions: list[EdgeVersion] = []
    while True:
        page = fetch(request)
        versions += page.items
        assert len(page.items) <= first
        assert page.has_previous == (request.after is not None)
        if not page.has_next:
            return versions
        request = PageRequest(first, page.keys[-1])


def test_edges_come_in_pages_that_inserts_do_not_shift(world: World) -> None:
    hub, *spokes = world.entities(ASSET, 8)
    edges = [world.edge(hub, "FEEDS", spoke) for spoke in spokes[:5]]
    edges += [world.edge(spoke, "FEEDS", hub) for spoke in spokes[5:]]
    common = {"organization_id": world.organization_id, "entity_ids": [hub]}
    with world.session() as session:

        def fetch(request: PageRequest, direction: Direction = Direction.ANY) -> Page[EdgeVersion]:
            return edges_pages(session, page=request, direction=direction, **common)[hub]  # type: ignore[arg-type]

        assert walk_through(fetch, 3) == edges
        assert walk_through(lambda request: fetch(request, Direction.OUT), 2) == edges[:5]
        assert walk_through(lambda request: fetch(request, Direction.IN), 2) == edges[5:]
        first = fetch(PageRequest(3))
        assert first.total is not None
        assert first.total() == 7
        with pytest.raises(BadInputError) as fault:
            fetch(PageRequest(3, ("nonsense",)))
        assert fault.value.path == ("after",)
    with world.changing() as (session, change):
        edge_correct(session, change=change, edge_id=edges[0].edge_id, valid_from=day(1))
    with world.session() as session:
        assert fetch(PageRequest(3, first.keys[-1])).items == edges[3:6]


def test_history_has_every_version_newest_valid_time_first(world: World) -> None:
    a, b, c = world.entities(ASSET, 3)
    first = world.edge(a, "FEEDS", b)
    second = world.edge(a, "FEEDS", c, valid_from=day(3))
    with world.changing() as (session, change):
        ended = edge_end(session, change=change, edge_id=first.edge_id, at=day(5))
    with world.changing() as (session, change):
        edge_retract(session, change=change, edge_id=second.edge_id)
    with world.session() as session:

        def fetch(request: PageRequest) -> Page[EdgeVersion]:
            return edge_history_pages(session, organization_id=world.organization_id, entity_ids=[a], page=request)[a]

        history = walk_through(fetch, 1)
    assert [(version.id, version.retracted_at) for version in history] == [
        (second.id, change.recorded),
        (ended.id, None),
        (first.id, ended.recorded_at),
    ]


def test_versions_of_a_range_overlap_it(world: World) -> None:
    a, b, c = world.entities(ASSET, 3)
    early = world.edge(a, "FEEDS", b, valid_until=day(3))
    late = world.edge(a, "FEEDS", b, valid_from=day(3))
    other = world.edge(c, "FEEDS", a, valid_from=day(1), valid_until=day(2))
    with world.changing() as (session, change):
        corrected = edge_correct(session, change=change, edge_id=late.edge_id, valid_from=day(4))
    with world.session() as session:

        def versions(begins: int, ends: int) -> list[object]:
            edge_versions = walk_through(
                lambda request: edge_versions_page(
                    session,
                    organization_id=world.organization_id,
                    entity_ids=[a],
                    begins=day(begins),
                    ends=day(ends),
                    page=request,
                ),
                1,
            )
            return [version.id for version in edge_versions]

        assert versions(0, 10) == [early.id, late.id, corrected.id, other.id]
        assert versions(3, 4) == [late.id]
        assert versions(2, 3) == [early.id]


def test_a_hundred_cost_as_many_statements_as_one(world: World) -> None:
    hubs = world.entities(ASSET, 20)
    spokes = world.entities(ASSET, 20)
    for hub, spoke in zip(hubs, spokes, strict=True):
        world.edge(hub, "FEEDS", spoke)
        world.edge(hub, "HAS_PART", spoke)
    organization_id, page = world.organization_id, PageRequest(5)

    def totals(pages: dict[EntityId, Page[EdgeVersion]]) -> None:
        assert [page.total() for page in pages.values() if page.total is not None] == [2] * len(pages)

    reads: list[Callable[[Session, list[EntityId]], object]] = [
        lambda s, ids: edges_of(s, organization_id=organization_id, entity_ids=ids),
        lambda s, ids: totals(edges_pages(s, organization_id=organization_id, entity_ids=ids, page=page)),
        lambda s, ids: edge_history_pages(s, organization_id=organization_id, entity_ids=ids, page=page),
        lambda s, ids: related_pages(
            s, organization_id=organization_id, entity_ids=ids, relationships=["FEEDS"], page=page
        ),
        lambda s, ids: below(s, organization_id=organization_id, entity_ids=ids),
        lambda s, ids: traverse(s, organization_id=organization_id, start_ids=ids, steps=[Step(("FEEDS",), depth=9)]),
    ]
    for read in reads:
        counts = []
        for ids in (hubs[:1], hubs):
            with world.session() as session, statements(world) as sent:
                read(session, ids)
            counts.append(len(sent))
        assert counts[0] == counts[1] > 0
