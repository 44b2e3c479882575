"""Resolving ids to nodes."""

from __future__ import annotations

from typing import Any

import pytest

from domain.configuration.entity_types.operations import entity_type_create
from domain.nodes.queries import Node, nodes_get
from graph.changes import Change
from graph.entities.model import Entity
from graph.errors import NotFoundError
from graph.kinds import EntityKind
from graph.tables import changes
from testing.world import World, new_id


def read(world: World, *ids: Any) -> dict[Any, Node]:
    with world.session() as session:
        return nodes_get(session, organization_id=world.organization_id, ids=ids)


def test_ids_of_all_types_are_resolved(world: World, other: World, statements: Any) -> None:
    first, second = world.entities(EntityKind.ASSET, 2)
    edge = world.edge(first, "HAS_PART", second)
    with world.changing() as (session, change):
        made = entity_type_create(session, change=change, kind=EntityKind.ASSET, name="Pump")
    with world.session() as session:
        change_id = session.scalars(changes.select().with_only_columns(changes.c.id)).first()
    nodes = read(world, first, edge.id, made.id, change_id, new_id())
    assert set(nodes) == {first, edge.id, made.id, change_id}
    assert isinstance(nodes[first], Entity)
    assert nodes[edge.id] == edge
    assert nodes[made.id] == made
    assert isinstance(nodes[change_id], Change)
    assert read(world) == {}
    assert read(other, first, edge.id, made.id, change_id) == {}
    with other.session() as session, pytest.raises(NotFoundError):
        nodes_get(session, organization_id=world.organization_id, ids=[first, edge.id])
    with world.session() as session:
        counts = []
        for node_ids in ([first, new_id()], [first, second, *(new_id() for _ in range(98))]):
            with statements(world.api) as seen:
                nodes_get(session, organization_id=world.organization_id, ids=node_ids)
            counts.append(len(seen))
        assert counts[0] == counts[1]
        with statements(world.api) as seen:
            nodes_get(session, organization_id=world.organization_id, ids=[first, second])
        assert len(seen) == 1
