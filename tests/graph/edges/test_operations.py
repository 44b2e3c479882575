"""Edges: created, ended, corrected, retracted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from graph.edges.errors import CycleError, KindNotAllowedError, OverlapError
from graph.edges.model import EdgeVersion
from graph.edges.operations import edge_correct, edge_create, edge_end, edge_retract, edges_end_of_entity
from graph.edges.queries import edge_believed, edges_of
from graph.errors import ArgusError, BadInputError, ConflictError, LimitExceededError, NotFoundError
from graph.kinds import EntityKind
from testing.world import World, day, edge_get, new_id

ASSET, DEVICE, SPACE = EntityKind.ASSET, EntityKind.DEVICE, EntityKind.SPACE


def link(world: World) -> EdgeVersion:
    return world.edge(world.entity(ASSET), "MONITORED_BY", world.entity(DEVICE), port=1)


def rows(world: World) -> int:
    with world.session() as session:
        return int(session.execute(text("SELECT count(*) FROM entity_edges")).scalar_one())


def test_an_edge_is_read_where_it_is_valid(world: World) -> None:
    edge = world.edge(world.entity(SPACE), "CONTAINS", world.entity(SPACE), valid_until=day(10))
    with world.session() as session:
        for instant, expected in ((day(-1), []), (day(0), [edge]), (day(9), [edge]), (day(10), [])):
            edges = edges_of(
                session,
                organization_id=world.organization_id,
                entity_ids=[edge.source_id, edge.target_id],
                as_of=instant,
            )
            assert edges == {edge.source_id: expected, edge.target_id: expected}


def test_a_new_edge_is_valid_from_its_change_on_and_seen_at_once(world: World) -> None:
    source, target = world.entities(SPACE, 2)
    with world.changing() as (session, change):
        edge = edge_create(session, change=change, source_id=source, target_id=target, relationship="CONTAINS")
        assert (edge.valid_from, edge.recorded_at) == (change.recorded, change.recorded)
        edges = edges_of(session, organization_id=world.organization_id, entity_ids=[source])
        assert edges == {source: [edge]}


def test_ending_closes_the_belief_and_keeps_it(world: World) -> None:
    edge = link(world)
    with world.changing("moved") as (session, change):
        ended = edge_end(session, change=change, edge_id=edge.id, at=day(5))
    assert (ended.valid_from, ended.valid_until) == (day(0), day(5))
    assert ended.edge_id == edge.edge_id
    assert ended.id != edge.id
    with world.session() as session:
        old = edge_get(session, organization_id=world.organization_id, edge_id=edge.id)
        assert old.retracted_at == ended.recorded_at
        assert old.valid_until is None
        # The old version's id names the edge still.
        assert edge_believed(session, organization_id=world.organization_id, edge_id=edge.id) == ended
        audit = session.execute(text("SELECT action, before, after, reason FROM changes ORDER BY recorded_at")).all()
    assert [row.action for row in audit] == ["created", "ended"]
    assert audit[1].before["validUntil"] is None
    assert audit[1].after["validUntil"] == "2020-01-06T00:00:00+00:00"
    assert audit[1].reason == "moved"


@pytest.mark.parametrize("at", [-1, 0, 10, 11])
def test_ending_only_shortens(world: World, at: int) -> None:
    edge = world.edge(world.entity(SPACE), "CONTAINS", world.entity(SPACE), valid_until=day(10))
    with pytest.raises(BadInputError) as fault, world.changing() as (session, change):
        edge_end(session, change=change, edge_id=edge.edge_id, at=day(at))
    assert fault.value.path == ("at",)
    assert rows(world) == 1


def test_correcting_leaves_what_is_absent_and_opens_with_null(world: World) -> None:
    edge = link(world)
    with world.changing() as (session, change):
        first = edge_correct(session, change=change, edge_id=edge.edge_id, valid_until=day(7))
    with world.changing() as (session, change):
        second = edge_correct(session, change=change, edge_id=edge.edge_id, valid_from=day(2))
    with world.changing() as (session, change):
        third = edge_correct(session, change=change, edge_id=edge.edge_id, valid_until=None)
        assert edge_correct(session, change=change, edge_id=edge.edge_id, valid_until=None) == third
    validities = [(edge.valid_from, edge.valid_until) for edge in (first, second, third)]
    assert validities == [(day(0), day(7)), (day(2), day(7)), (day(2), None)]
    assert rows(world) == 4


def test_an_edge_created_and_corrected_in_one_change_is_written_once(world: World) -> None:
    source, target = world.entities(SPACE, 2)
    with world.changing() as (session, change):
        edge = edge_create(session, change=change, source_id=source, target_id=target, relationship="CONTAINS")
        corrected = edge_correct(session, change=change, edge_id=edge.id, valid_from=day(3))
    assert corrected.id == edge.id
    assert rows(world) == 1
    with world.changing() as (session, change):
        edge_correct(session, change=change, edge_id=edge.id, valid_from=day(4))
        edge_retract(session, change=change, edge_id=edge.edge_id)
    with world.session() as session:
        last = edge_get(session, organization_id=world.organization_id, edge_id=edge.edge_id)
    assert (last.valid_from, last.retracted_at) == (day(3), change.recorded)
    assert rows(world) == 1


def test_a_version_of_an_earlier_change_cannot_be_deleted(world: World) -> None:
    link(world)
    with world.changing() as (session, _):
        session.execute(text("DELETE FROM entity_edges"))
    assert rows(world) == 1


def test_a_retracted_edge_cannot_be_corrected(world: World) -> None:
    edge = link(world)
    with world.changing() as (session, change):
        retracted = edge_retract(session, change=change, edge_id=edge.id)
    assert retracted.retracted_at == change.recorded
    for operation in (edge_retract, edge_end, edge_correct):
        with pytest.raises(ConflictError), world.changing() as (session, change):
            operation(session, change=change, edge_id=edge.id)


def test_the_same_fact_is_believed_once_at_a_time(world: World) -> None:
    source, target = world.entities(SPACE, 2)
    first = world.edge(source, "CONTAINS", target, valid_until=day(10))
    with pytest.raises(OverlapError) as fault:
        world.edge(source, "CONTAINS", target, valid_from=day(9))
    assert fault.value.path == ("validFrom",)
    assert str(first.edge_id) in fault.value.message
    second = world.edge(source, "CONTAINS", target, valid_from=day(10))
    with pytest.raises(OverlapError), world.changing() as (session, change):
        edge_correct(session, change=change, edge_id=second.edge_id, valid_from=day(9))
    assert rows(world) == 2


def test_a_port_that_controls_is_exclusive_among_assets_and_free_for_spaces(world: World) -> None:
    device = world.entity(DEVICE)
    first = world.edge(world.entity(ASSET), "CONTROLLED_BY", device, port=1)
    assert first.exclusive
    with pytest.raises(ConflictError) as fault:
        world.edge(world.entity(ASSET), "CONTROLLED_BY", device, port=1)
    assert fault.value.path == ("port",)
    assert str(first.edge_id) in fault.value.message
    world.edge(world.entity(SPACE), "CONTROLLED_BY", device, port=1)
    world.edge(world.entity(ASSET), "CONTROLLED_BY", device, port=2)
    world.edge(world.entity(ASSET), "CONTROLLED_BY", device)
    with pytest.raises(ConflictError) as fault:
        world.edge(world.entity(ASSET), "CONTROLLED_BY", device)
    assert fault.value.path == ("targetId",)


def test_a_sensor_is_shared_unless_a_link_is_exclusive(world: World) -> None:
    weather = world.entity(DEVICE)
    links = [world.edge(world.entity(ASSET), "MONITORED_BY", weather, port=1) for _ in range(3)]
    assert not any(link.exclusive for link in links)
    with pytest.raises(ConflictError) as fault:
        world.edge(world.entity(ASSET), "MONITORED_BY", weather, port=1, exclusive=True, valid_from=day(4))
    assert fault.value.path == ("exclusive",)
    assert "is shared" in fault.value.message
    with world.changing() as (session, change):
        for link in links:
            edge_end(session, change=change, edge_id=link.edge_id, at=day(4))
    alone = world.edge(world.entity(ASSET), "MONITORED_BY", weather, port=1, exclusive=True, valid_from=day(4))
    with pytest.raises(ConflictError) as fault:
        world.edge(world.entity(ASSET), "MONITORED_BY", weather, port=1, valid_from=day(3))
    assert fault.value.path == ("port",)
    assert str(alone.edge_id) in fault.value.message
    world.edge(world.entity(SPACE), "MONITORED_BY", weather, port=1, valid_from=day(4))
    world.edge(world.entity(ASSET), "MONITORED_BY", weather, port=2, valid_from=day(4))


def test_whether_a_link_is_exclusive_can_be_corrected(world: World) -> None:
    meter = world.entity(DEVICE)
    first = world.edge(world.entity(ASSET), "MONITORED_BY", meter)
    with world.changing() as (session, change):
        alone = edge_correct(session, change=change, edge_id=first.edge_id, exclusive=True)
    assert alone.exclusive
    assert (alone.valid, alone.edge_id) == (first.valid, first.edge_id)
    with world.changing() as (session, change):
        assert edge_correct(session, change=change, edge_id=first.edge_id, exclusive=True) == alone
        ended = edge_end(session, change=change, edge_id=first.edge_id, at=day(9))
        assert ended.exclusive
    with pytest.raises(ConflictError):
        world.edge(world.entity(ASSET), "MONITORED_BY", meter)
    with world.changing() as (session, change):
        edge_correct(session, change=change, edge_id=first.edge_id, exclusive=False)
    second = world.edge(world.entity(ASSET), "MONITORED_BY", meter)
    for link in (first, second):
        with pytest.raises(ConflictError) as fault, world.changing() as (session, change):
            edge_correct(session, change=change, edge_id=link.edge_id, exclusive=True)
        assert fault.value.path == ("exclusive",)
    # What is in the way of a correction is reported at what was corrected.
    alone_later = world.edge(world.entity(ASSET), "MONITORED_BY", meter, port=7, exclusive=True, valid_from=day(5))
    ended = world.edge(world.entity(ASSET), "MONITORED_BY", meter, port=7, valid_until=day(5))
    with pytest.raises(ConflictError) as fault, world.changing() as (session, change):
        edge_correct(session, change=change, edge_id=ended.edge_id, valid_until=None)
    assert fault.value.path == ("validUntil",)
    assert "an exclusive edge" in fault.value.message
    with pytest.raises(ConflictError) as fault, world.changing() as (session, change):
        edge_correct(session, change=change, edge_id=alone_later.edge_id, valid_from=day(4))
    assert fault.value.path == ("validFrom",)
    valve = world.edge(world.entity(ASSET), "CONTROLLED_BY", meter)
    with pytest.raises(BadInputError) as refused, world.changing() as (session, change):
        edge_correct(session, change=change, edge_id=valve.edge_id, exclusive=False)
    assert refused.value.path == ("exclusive",)


def test_hierarchies_are_acyclic_at_every_instant(world: World) -> None:
    a, b, c = world.entities(ASSET, 3)
    world.edge(a, "HAS_PART", b, valid_until=day(10))
    world.edge(b, "HAS_PART", c, valid_from=day(5))
    with pytest.raises(CycleError) as fault:
        world.edge(c, "HAS_PART", a, valid_from=day(9), valid_until=day(20))
    assert fault.value.path == ("targetId",)
    # c below a only during [5, 10): outside it c may be above.
    after = world.edge(c, "HAS_PART", a, valid_from=day(10))
    with pytest.raises(CycleError), world.changing() as (session, change):
        edge_correct(session, change=change, edge_id=after.edge_id, valid_from=day(8))
    world.edge(a, "FEEDS", b)
    world.edge(b, "FEEDS", a)


def test_arguments_are_checked_one_by_one(world: World) -> None:
    asset, device, space = world.entity(ASSET), world.entity(DEVICE), world.entity(SPACE)
    cases: list[tuple[tuple[UUID, str, UUID], dict[str, Any], type[ArgusError], str]] = [
        ((asset, "CONTAINS", space), {}, KindNotAllowedError, "sourceId"),
        ((space, "CONTAINS", asset), {}, KindNotAllowedError, "targetId"),
        ((new_id(), "CONTAINS", space), {}, NotFoundError, "sourceId"),
        ((space, "CONTAINS", new_id()), {}, NotFoundError, "targetId"),
        ((space, "NEXT_TO", space), {}, BadInputError, "relationship"),
        ((space, "\0", space), {}, BadInputError, "relationship"),
        ((space, "CONTAINS", space), {}, CycleError, "targetId"),
        ((asset, "FEEDS", asset), {}, BadInputError, "targetId"),
        ((asset, "MONITORED_BY", device), {"port": -1}, BadInputError, "port"),
        ((asset, "MONITORED_BY", device), {"port": 2**31}, BadInputError, "port"),
        ((asset, "FEEDS", space), {"port": 1}, BadInputError, "port"),
        ((asset, "FEEDS", space), {"valid_until": day(0)}, BadInputError, "validUntil"),
        ((asset, "FEEDS", space), {"valid_from": day(0).replace(tzinfo=None)}, BadInputError, "validFrom"),
        ((asset, "FEEDS", space), {"metadata": {"a": "x" * 70_000}}, LimitExceededError, "metadata"),
        ((asset, "FEEDS", space), {"metadata": {"a": float("nan")}}, BadInputError, "metadata"),
        ((asset, "FEEDS", space), {"metadata": {"a": "\0"}}, BadInputError, "metadata"),
    ]
    for ends, arguments, error, path in cases:
        with pytest.raises(error) as fault:
            world.edge(*ends, **arguments)
        assert fault.value.path[0] == path
    assert rows(world) == 0


def test_an_edge_does_not_outlast_its_ends(world: World) -> None:
    a, *others = world.entities(ASSET, 4)
    past = world.edge(a, "FEEDS", others[0], valid_until=day(3))
    begun = world.edge(others[1], "FEEDS", a)
    future = world.edge(a, "FEEDS", others[2], valid_from=day(9))
    with world.changing() as (session, change):
        world.delete(session, a, day(5))
        results = edges_end_of_entity(session, change=change, entity_id=a, at=day(5))
    ended, retracted = results
    assert (ended.edge_id, ended.valid_until, ended.retracted_at) == (begun.edge_id, day(5), None)
    assert (retracted.edge_id, retracted.retracted_at) == (future.edge_id, change.recorded)
    with world.session() as session:
        assert edge_believed(session, organization_id=world.organization_id, edge_id=past.id) == past
    with pytest.raises(ConflictError) as fault:
        world.edge(a, "FEEDS", others[2])
    assert fault.value.path == ("sourceId",)
    world.edge(a, "FEEDS", others[2], valid_until=day(5))


def test_another_organizations_entities_and_edges_are_not_found(worlds: Callable[[str], World]) -> None:
    ours, theirs = worlds("ours"), worlds("theirs")
    edge = link(theirs)
    with pytest.raises(NotFoundError) as fault:
        ours.edge(ours.entity(ASSET), "MONITORED_BY", edge.target_id)
    assert fault.value.path == ("targetId",)
    for operation in (edge_retract, edge_end, edge_correct):
        for edge_id in (edge.id, edge.edge_id):
            with pytest.raises(NotFoundError), ours.changing() as (session, change):
                operation(session, change=change, edge_id=edge_id)
    with ours.session() as session:
        edges = edges_of(session, organization_id=ours.organization_id, entity_ids=[edge.source_id])
        assert edges == {edge.source_id: []}


def test_correcting_and_correcting_back_is_the_identity(world: World) -> None:
    edge = world.edge(world.entity(SPACE), "CONTAINS", world.entity(SPACE), valid_until=day(9))
    instants: list[datetime] = [edge.recorded_at]
    for valid_from, valid_until in ((day(3), None), (day(0), day(9))):
        with world.changing() as (session, change):
            edge_correct(session, change=change, edge_id=edge.edge_id, valid_from=valid_from, valid_until=valid_until)
        instants.append(change.recorded)

    def holds(known_at: datetime | None) -> list[bool]:
        with world.session() as session:
            return [
                bool(
                    edges_of(
                        session,
                        organization_id=world.organization_id,
                        entity_ids=[edge.source_id],
                        as_of=day(number),
                        known_at=known_at,
                    )[edge.source_id]
                )
                for number in (-1, 0, 3, 8, 9, 20)
            ]

    first, between, last = map(holds, instants)
    assert first == last == holds(None) == [False, True, True, True, False, False]
    assert between == [False, False, True, True, True, True]
