"""Links between devices and what they measure."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from domain.plant.devices.links import device_link, device_unlink
from domain.plant.devices.queries import linked_assets_count
from graph.edges.model import EdgeVersion
from graph.edges.queries import edges_of
from graph.kinds import EntityKind
from testing.faults import fault_of
from testing.world import World, day, edge_get, new_id

ASSET, DEVICE, SPACE = EntityKind.ASSET, EntityKind.DEVICE, EntityKind.SPACE


def link(world: World, device_id: UUID, asset_id: UUID, **arguments: Any) -> EdgeVersion:
    with world.changing() as (session, change):
        return device_link(
            session, change=change, device_id=device_id, asset_id=asset_id, **{"valid_from": day(0), **arguments}
        )


def unlink(world: World, device_id: UUID, asset_id: UUID, **arguments: Any) -> list[EdgeVersion]:
    with world.changing() as (session, change):
        return device_unlink(session, change=change, device_id=device_id, asset_id=asset_id, **arguments)


def newest(world: World, edge: EdgeVersion) -> EdgeVersion:
    with world.session() as session:
        return edge_get(session, organization_id=world.organization_id, edge_id=edge.edge_id)


def test_a_link_leads_from_the_asset_to_the_device(world: World) -> None:
    probe, asset = world.entity(DEVICE), world.entity(ASSET)
    mapping = {"metrics_mapping": {"t1": "supply", "t2": "return"}}
    made = link(world, probe, asset, port=2, metadata=mapping, valid_until=day(9))
    assert (made.source_id, made.relationship, made.target_id, made.port) == (asset, "MONITORED_BY", probe, 2)
    assert (made.valid_from, made.valid_until, made.metadata) == (day(0), day(9), mapping)
    moved = link(world, probe, asset, relationship="CONTROLLED_BY")
    assert (moved.relationship, moved.port) == ("CONTROLLED_BY", None)
    with world.session() as session:
        edges = edges_of(session, organization_id=world.organization_id, entity_ids=[asset], as_of=day(1))
        assert edges[asset] == [made, moved]


@pytest.mark.parametrize(
    ("arguments", "code", "path"),
    [
        ({"relationship": "FEEDS"}, "BAD_USER_INPUT", ("relationship",)),
        ({"relationship": "monitored_by"}, "BAD_USER_INPUT", ("relationship",)),
        ({"device_id": new_id()}, "NOT_FOUND", ("deviceId",)),
        ({"asset_id": new_id()}, "NOT_FOUND", ("assetId",)),
        ({"port": -1}, "BAD_USER_INPUT", ("port",)),
        ({"port": 1}, "CONFLICT", ("port",)),
        ({"port": 2, "exclusive": True}, "CONFLICT", ("exclusive",)),
        ({"relationship": "CONTROLLED_BY", "exclusive": False}, "BAD_USER_INPUT", ("exclusive",)),
        ({"valid_until": day(0)}, "BAD_USER_INPUT", ("validUntil",)),
        ({"valid_from": day(0).replace(tzinfo=None)}, "BAD_USER_INPUT", ("validFrom",)),
        ({"metadata": {"metrics_mapping": ["t"]}}, "BAD_USER_INPUT", ("metadata", "metrics_mapping")),
        ({"metadata": {"metrics_mapping": {"t": 1}}}, "BAD_USER_INPUT", ("metadata", "metrics_mapping", "t")),
        ({"metadata": {"metrics_mapping": {"t": ""}}}, "BAD_USER_INPUT", ("metadata", "metrics_mapping", "t")),
        ({"metadata": {"metrics_mapping": {"": "t"}}}, "BAD_USER_INPUT", ("metadata", "metrics_mapping")),
        ({"metadata": {"metrics_mapping": {"a": "t", "b": "t"}}}, "BAD_USER_INPUT", ("metadata", "metrics_mapping", "b")),
        ({"metadata": {"metrics_mapping": {str(n): str(n) for n in range(1_001)}}}, "LIMIT_EXCEEDED",
         ("metadata", "metrics_mapping")),
        ({"metadata": {"metricsMapping": {"t": "x"}}}, "BAD_USER_INPUT", ("metadata", "metricsMapping")),
        ({"metadata": {"metrics_maping": {"t": "x"}}}, "BAD_USER_INPUT", ("metadata", "metrics_maping")),
        ({"metadata": {"metrics_mapping": {"t": "x"}, "note": ""}}, "BAD_USER_INPUT", ("metadata", "note")),
    ],
)  # fmt: skip
def test_refusals(world: World, arguments: dict[str, Any], code: str, path: tuple[str, ...]) -> None:
    probe, asset = world.entity(DEVICE), world.entity(ASSET)
    taken = link(world, probe, world.entity(ASSET), port=1, exclusive=True)
    shared = link(world, probe, world.entity(ASSET), port=2)
    assert fault_of(lambda: link(world, **{"device_id": probe, "asset_id": asset, **arguments})) == (code, path)
    with world.session() as session:
        edges = edges_of(session, organization_id=world.organization_id, entity_ids=[probe], as_of=day(1))
        assert edges[probe] == [taken, shared]


def test_kinds_are_named_as_the_caller_named_them(world: World) -> None:
    probe, asset, room = world.entity(DEVICE), world.entity(ASSET), world.entity(SPACE)
    assert link(world, probe, room).source_id == room
    assert fault_of(lambda: link(world, probe, probe)) == ("KIND_NOT_ALLOWED", ("assetId",))
    assert fault_of(lambda: link(world, asset, asset)) == ("KIND_NOT_ALLOWED", ("deviceId",))


def test_unlinking_ends_exactly_the_links_of_that_port(world: World) -> None:
    probe, asset, elsewhere = world.entity(DEVICE), *world.entities(ASSET, 2)
    without, first, moves, second, next_door = (
        link(world, probe, asset),
        link(world, probe, asset, port=1),
        link(world, probe, asset, port=1, relationship="CONTROLLED_BY"),
        link(world, probe, asset, port=2),
        link(world, probe, elsewhere, port=3),
    )
    ended = unlink(world, probe, asset, port=1, at=day(5))
    assert {edge.edge_id for edge in ended} == {first.edge_id, moves.edge_id}
    assert {edge.valid_until for edge in ended} == {day(5)}
    assert [newest(world, item) for item in (without, second, next_door)] == [without, second, next_door]
    [portless] = unlink(world, probe, asset)
    assert portless.edge_id == without.edge_id
    assert portless.valid_until == portless.recorded_at
    assert newest(world, second) == second


def test_invalid_unlinks(world: World, other: World) -> None:
    probe, asset = world.entity(DEVICE), world.entity(ASSET)
    made = link(world, probe, asset, port=1, valid_until=day(9))
    cases: list[tuple[dict[str, Any], str, tuple[str, ...]]] = [
        ({}, "NOT_FOUND", ("deviceId",)),
        ({"port": 2, "at": day(5)}, "NOT_FOUND", ("port",)),
        ({"port": 1, "at": day(9)}, "NOT_FOUND", ("port",)),
        ({"port": 1, "at": day(-1)}, "NOT_FOUND", ("port",)),
        ({"port": 1, "at": day(0)}, "BAD_USER_INPUT", ("at",)),
        ({"port": 1, "at": day(5).replace(tzinfo=None)}, "BAD_USER_INPUT", ("at",)),
    ]
    for arguments, code, path in cases:
        assert fault_of(lambda arguments=arguments: unlink(world, probe, asset, **arguments)) == (code, path)  # type: ignore[misc]
    assert fault_of(lambda: unlink(world, new_id(), asset, port=1)) == ("NOT_FOUND", ("deviceId",))
    assert fault_of(lambda: unlink(world, probe, new_id(), port=1)) == ("NOT_FOUND", ("assetId",))
    assert fault_of(lambda: unlink(other, probe, asset, port=1, at=day(5))) == ("NOT_FOUND", ("deviceId",))
    assert fault_of(lambda: link(other, probe, asset)) == ("NOT_FOUND", ("assetId",))
    own = other.entity(ASSET)
    assert fault_of(lambda: link(other, probe, own)) == ("NOT_FOUND", ("deviceId",))
    assert newest(world, made) == made


def test_linked_assets_are_counted_once_and_as_of_the_time(world: World, other: World, statements: Any) -> None:
    probe, idle = world.entities(DEVICE, 2)
    first, second = world.entities(ASSET, 2)
    link(world, probe, first, port=1)
    link(world, probe, first, port=2)
    link(world, probe, second, port=3, valid_from=day(3), valid_until=day(6), relationship="CONTROLLED_BY")
    link(world, probe, world.entity(SPACE))
    with world.session() as session:
        for instant, expected in ((None, 1), (day(-1), 0), (day(0), 1), (day(3), 2), (day(6), 1)):
            asset_counts = linked_assets_count(
                session, organization_id=world.organization_id, ids=[probe, idle], as_of=instant
            )
            assert asset_counts == {probe: expected, idle: 0}
        many = [probe, *(new_id() for _ in range(99))]
        counts = []
        for ids in (many[:1], many):
            with statements(world.api) as seen:
                linked_assets_count(session, organization_id=world.organization_id, ids=ids)
            counts.append(len(seen))
        assert counts == [2, 2]
    with other.session() as session:
        asset_counts = linked_assets_count(session, organization_id=other.organization_id, ids=[probe], as_of=day(3))
        assert asset_counts == {probe: 0}
