"""Many concurrent writers: one wins, the others get an error that says why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from graph.direction import Direction
from graph.edges.operations import edge_correct
from graph.edges.queries import edges_of
from graph.errors import ArgusError
from graph.kinds import EntityKind
from testing.world import World, new_id

WRITERS = 8


def race(attempts: list[Callable[[], object]]) -> Counter[str]:
    """Start all at once; return how many ended with which code, `done` for those that were let."""
    gate = Barrier(len(attempts))

    def run(attempt: Callable[[], object]) -> str:
        gate.wait()
        try:
            attempt()
        except ArgusError as fault:
            return fault.code
        return "done"

    with ThreadPoolExecutor(len(attempts)) as pool:
        return Counter(pool.map(run, attempts))


def create(
    world: World, source: UUID, relationship: str, target: UUID, port: int | None = None
) -> Callable[[], object]:
    return lambda: world.edge(source, relationship, target, port=port)


def believed(world: World) -> int:
    with world.session() as session:
        return int(session.execute(text("SELECT count(*) FROM entity_edges")).scalar_one())


def test_one_of_eight_gets_the_port(world: World) -> None:
    device = world.entity(EntityKind.DEVICE)
    assets = world.entities(EntityKind.ASSET, WRITERS)
    results = race([create(world, asset, "CONTROLLED_BY", device, 1) for asset in assets])
    assert results == {"done": 1, "CONFLICT": WRITERS - 1}
    assert believed(world) == 1


def test_an_exclusive_link_is_never_beside_a_shared_one(world: World) -> None:
    """Links that are made exclusive or shared, and shared ones that are corrected to exclusive, all at once."""
    for port in range(4):
        device = world.entity(EntityKind.DEVICE)
        assets = world.entities(EntityKind.ASSET, WRITERS)
        first = world.edge(assets[0], "MONITORED_BY", device, port=port)

        def correct(edge_id: UUID) -> None:
            with world.changing() as (session, change):
                edge_correct(session, change=change, edge_id=edge_id, exclusive=True)

        attempts: list[Callable[[], object]] = [partial(correct, first.edge_id)]
        for place, asset in enumerate(assets[1:]):
            attempts.append(
                partial(world.edge, asset, "MONITORED_BY", device, port=port, exclusive=[None, True][place % 2])
            )
        results = race(attempts)
        with world.session() as session:
            links = edges_of(
                session, organization_id=world.organization_id, entity_ids=[device], direction=Direction.IN
            )[device]
        alone = [link for link in links if link.exclusive]
        assert len(alone) <= 1
        assert not alone or alone == links
        # Each that was let is there, and the first is there whatever became of it.
        assert len(links) == results["done"] + (0 if first.edge_id in {link.edge_id for link in alone} else 1)


def test_one_of_eight_writes_the_same_fact(world: World) -> None:
    source, target = world.entities(EntityKind.SPACE, 2)
    results = race([create(world, source, "CONTAINS", target)] * WRITERS)
    assert results == {"done": 1, "OVERLAP": WRITERS - 1}
    assert believed(world) == 1


def test_the_last_edge_of_a_circle_is_refused(world: World) -> None:
    ring = world.entities(EntityKind.ASSET, WRITERS)
    results = race([create(world, node, "HAS_PART", ring[(place + 1) % WRITERS]) for place, node in enumerate(ring)])
    assert results == {"done": WRITERS - 1, "CYCLE": 1}
    assert believed(world) == WRITERS - 1


def test_every_change_has_a_separate_instant(world: World) -> None:
    root, *parts = world.entities(EntityKind.ASSET, WRITERS + 1)
    assert race([create(world, root, "HAS_PART", part) for part in parts]) == {"done": WRITERS}
    with world.session() as session:
        instants, revision = session.execute(
            text("SELECT count(DISTINCT lower(recorded)), (SELECT revision FROM graph_clocks) FROM entity_edges")
        ).one()
    assert (instants, revision) == (WRITERS, WRITERS)


def test_the_database_itself_refuses_what_the_lock_did_not_prevent(world: World) -> None:
    """Without the lock two transactions could both look and find nothing; the constraints catch that."""
    asset, device, other = (
        world.entity(EntityKind.ASSET),
        world.entity(EntityKind.DEVICE),
        world.entity(EntityKind.ASSET),
    )
    edge = world.edge(asset, "MONITORED_BY", device, port=1, exclusive=True)
    copy = text(
        "INSERT INTO entity_edges SELECT organization_id, :id, :id, relationship, :source_id, source_kind, target_id,"
        " target_kind, port, metadata, valid, recorded, place, :exclusive FROM entity_edges WHERE id = :copied"
    )
    refusals = []
    for source_id, exclusive in ((edge.source_id, True), (other, True), (other, False)):
        try:
            with world.session() as session:
                values = {"id": new_id(), "source_id": source_id, "copied": edge.id, "exclusive": exclusive}
                session.execute(copy, values)
        except IntegrityError as fault:
            refusals.append(str(fault.orig).split('"')[1])
    assert refusals[0] in {"ex_entity_edges_believed", "ex_entity_edges_exclusive"}
    assert refusals[1:] == ["ex_entity_edges_exclusive", "ex_entity_edges_shared"]
