"""The snapshots of a process: current at every read, bounded, rebuilt when in doubt, and without uncommitted changes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from graph.change import graph_change_begin
from graph.edges.operations import edge_correct, edge_create, edge_retract
from graph.entities.model import EntityPatch
from graph.entities.operations import entity_update
from graph.entities.queries import entity_get
from graph.ids import EntityId
from graph.instants import moment_resolve
from graph.kinds import EntityKind
from graph.walk.model import Step
from graph.walk.queries import below, traverse, walk_engine
from graph.walk.snapshot import cache, model
from graph.walk.snapshot.cache import Snapshots
from graph.walk.snapshot.walk import SnapshotWalk
from graph.walk.sql import SqlWalk
from testing.waits import patient
from testing.world import World, day, new_id


def parts(world: World, snapshots: Snapshots | None, whole: UUID) -> list[EntityId]:
    with world.session(snapshots) as session:
        return traverse(
            session,
            organization_id=world.organization_id,
            start_ids=[whole],
            steps=[Step(("HAS_PART",), depth=8)],
        ).ids


def engine_of(world: World, session: Session, **times: object) -> object:
    moment = moment_resolve(
        session,
        organization_id=world.organization_id,
        **{"as_of": None, "known_at": None, **times},  # type: ignore[arg-type]
    )
    return walk_engine(session, organization_id=world.organization_id, moment=moment)


def snapshot_of(world: World, snapshots: Snapshots) -> model.Snapshot:
    with world.session(snapshots) as session:
        engine = engine_of(world, session)
    assert isinstance(engine, SnapshotWalk)
    return engine.snapshot


def test_commits_of_other_processes_are_in_the_next_read(world: World) -> None:
    ours = Snapshots()
    whole, *some = world.entities(EntityKind.ASSET, 4)
    for known, part in enumerate(some):
        assert parts(world, ours, whole) == some[:known]
        edge = world.edge(whole, "HAS_PART", part)
    assert parts(world, ours, whole) == some
    with world.changing() as (session, change):
        edge_retract(session, change=change, edge_id=edge.id)
    assert parts(world, ours, whole) == some[:-1]


def test_uncommitted_writes_are_visible_to_their_transaction_only(world: World) -> None:
    snapshots = Snapshots()
    whole, part = world.entities(EntityKind.ASSET, 2)
    assert parts(world, snapshots, whole) == []
    with world.session(snapshots) as session:
        change = graph_change_begin(session, organization_id=world.organization_id, actor="test", new_id=new_id)
        edge_create(session, change=change, source_id=whole, target_id=part, relationship="HAS_PART")
        assert isinstance(engine_of(world, session), SqlWalk)
        assert below(session, organization_id=world.organization_id, entity_ids=[whole]) == sorted([whole, part])
        session.rollback()
    # What was rolled back never was, in memory either.
    assert parts(world, snapshots, whole) == []


def test_known_at_is_answered_by_the_database(world: World) -> None:
    snapshots = Snapshots()
    whole, part = world.entities(EntityKind.ASSET, 2)
    edge = world.edge(whole, "HAS_PART", part)
    with world.changing() as (session, change):
        edge_correct(session, change=change, edge_id=edge.id, valid_until=day(5))
        corrected = change.recorded
    with world.session(snapshots) as session:
        assert isinstance(engine_of(world, session), SnapshotWalk)
        assert isinstance(engine_of(world, session, known_at=corrected), SnapshotWalk)
        assert isinstance(engine_of(world, session, known_at=edge.recorded_at), SqlWalk)


def test_a_type_that_changes_changes_in_memory(world: World) -> None:
    snapshots = Snapshots()
    whole, part = world.entities(EntityKind.ASSET, 2, "pump")
    world.edge(whole, "HAS_PART", part)

    def valves() -> list[EntityId]:
        with world.session(snapshots) as session:
            return traverse(
                session,
                organization_id=world.organization_id,
                start_ids=[whole],
                steps=[Step(("HAS_PART",), types=frozenset({"valve"}))],
            ).ids

    assert valves() == []
    with world.changing() as (session, change):
        before = entity_get(session, organization_id=world.organization_id, entity_id=part)
        entity_update(session, change=change, before=before, patch=EntityPatch(type="valve"))
    assert valves() == [part]


def test_recent_edges_are_sorted_in_when_they_are_many(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "RECENT_MIN", 3)
    snapshots = Snapshots()
    whole, *some = world.entities(EntityKind.ASSET, 12)
    edges = []
    recent = set()
    # From the last made to the first, so that entities come to be known out of the order of their ids.
    for part in reversed(some):
        edges.append(world.edge(whole, "HAS_PART", part))
        assert parts(world, snapshots, whole) == parts(world, None, whole)
        recent.add(len(snapshot_of(world, snapshots).tables[1]))
    assert recent == {0, 1, 2, 3}
    for edge in edges[:6]:
        with world.changing() as (session, change):
            edge_retract(session, change=change, edge_id=edge.id)
        assert parts(world, snapshots, whole) == parts(world, None, whole)
    assert len(parts(world, snapshots, whole)) == len(some) - 6


def test_too_much_at_once_is_read_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graph.walk.snapshot.load.DELTA_MAX", 2)
    snapshots = Snapshots()
    whole, *some = world.entities(EntityKind.ASSET, 6)
    assert parts(world, snapshots, whole) == []
    with world.changing() as (session, change):
        for part in some:
            edge_create(session, change=change, source_id=whole, target_id=part, relationship="HAS_PART")
    assert parts(world, snapshots, whole) == some
    assert len(snapshot_of(world, snapshots).tables[1]) == 0


def test_a_database_restored_from_a_backup_is_read_again(world: World) -> None:
    snapshots = Snapshots()
    whole, part = world.entities(EntityKind.ASSET, 2)
    world.edge(whole, "HAS_PART", part)
    with world.session() as session:
        clock = session.execute(
            text("SELECT revision, last_recorded FROM graph_clocks WHERE organization_id = :o"),
            {"o": world.organization_id},
        ).one()
    other = world.edge(part, "HAS_PART", world.entity(EntityKind.ASSET))
    assert parts(world, snapshots, whole) == [part, other.target_id]
    # The edge is not in the backup, and the clock is where it was.
    with world.session() as session:
        session.execute(text("DELETE FROM entity_edges WHERE id = :id"), {"id": other.id})
        session.execute(
            text("UPDATE graph_clocks SET revision = :r, last_recorded = :t WHERE organization_id = :o"),
            {"r": clock.revision, "t": clock.last_recorded, "o": world.organization_id},
        )
    assert parts(world, snapshots, whole) == [part]


def test_the_least_used_goes_when_memory_runs_short(worlds: Callable[[str], World]) -> None:
    first, second, third = (worlds(slug) for slug in ("first", "second", "third"))
    wholes = {}
    for world in (first, second, third):
        whole, *some = world.entities(EntityKind.ASSET, 20)
        wholes[world.organization_id] = whole
        for part in some:
            world.edge(whole, "HAS_PART", part)
    one = snapshot_of(first, Snapshots()).nbytes
    snapshots = Snapshots(bytes_max=int(one * 2.5))
    for world in (first, second, first, third):
        assert len(parts(world, snapshots, wholes[world.organization_id])) == 19
    assert snapshots.organization_ids == [first.organization_id, third.organization_id]
    assert snapshots.nbytes <= one * 2.5
    assert len(parts(second, snapshots, wholes[second.organization_id])) == 19


def test_a_graph_larger_than_all_memory_is_walked_in_the_database(world: World) -> None:
    snapshots = Snapshots(bytes_max=10)
    whole, part = world.entities(EntityKind.ASSET, 2)
    world.edge(whole, "HAS_PART", part)
    assert parts(world, snapshots, whole) == [part]
    assert parts(world, snapshots, whole) == [part]
    assert snapshots.organization_ids == []


def test_a_large_graph_is_read_beside_its_readers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "INLINE_EDGES_MAX", 2)
    opened, may_go_on = threading.Event(), threading.Event()

    @contextmanager
    def opener(organization_id: int) -> Iterator[Session]:
        assert organization_id == world.organization_id
        opened.set()
        assert may_go_on.wait(patient(30))
        with world.session() as session:
            yield session

    snapshots = Snapshots(opener=opener)
    whole, *some = world.entities(EntityKind.ASSET, 5)
    for part in some:
        world.edge(whole, "HAS_PART", part)
    assert parts(world, snapshots, whole) == some
    assert opened.wait(patient(30))
    with world.session(snapshots) as session:
        assert isinstance(engine_of(world, session), SqlWalk)
    may_go_on.set()
    while not snapshots.organization_ids:
        threading.Event().wait(0.01)
    assert len(snapshot_of(world, snapshots).tables[0]) == len(some)


def test_an_entity_without_edges_made_since_is_found(world: World) -> None:
    snapshots = Snapshots()
    whole, part = world.entities(EntityKind.ASSET, 2)
    world.edge(whole, "HAS_PART", part)
    assert parts(world, snapshots, whole) == [part]
    late = world.entity(EntityKind.ASSET)
    assert parts(world, snapshots, late) == []
    with world.session(snapshots) as session:
        assert below(session, organization_id=world.organization_id, entity_ids=[late]) == [late]


def test_readers_beside_a_writer_see_what_was_committed(world: World) -> None:
    snapshots = Snapshots()
    whole, *some = world.entities(EntityKind.ASSET, 40)
    committed = 0
    faults: list[tuple[int, int]] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            least = committed
            seen = parts(world, snapshots, whole)
            if seen != some[: len(seen)] or len(seen) < least:
                faults.append((least, len(seen)))

    readers = [threading.Thread(target=read) for _ in range(6)]
    for reader in readers:
        reader.start()
    try:
        for part in some:
            world.edge(whole, "HAS_PART", part)
            committed += 1
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert faults == []
    assert parts(world, snapshots, whole) == some


@pytest.mark.parametrize("count", [0, 1, 7, 70])
def test_a_snapshot_finds_ids_drawn_together(world: World, count: int) -> None:
    world.entities(EntityKind.ASSET, 100)
    nodes = snapshot_of(world, Snapshots()).nodes
    ids = nodes.ids(range(len(nodes)))  # type: ignore[arg-type]
    wanted = [*ids[:count], UUID(int=5), UUID(int=2**128 - 1)]
    assert nodes.find(wanted).tolist() == [*range(count), -1, -1]
