"""Replacing a device."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event, text

from graph.edges.bulk import EdgeDraft, edges_create
from graph.edges.errors import KindNotAllowedError, OverlapError
from graph.edges.model import EdgeVersion
from graph.edges.operations import edges_end_of_entity
from graph.edges.replace import Replacement, edges_replace_target
from graph.errors import BadInputError, ConflictError, NotFoundError
from graph.ids import EntityId
from graph.kinds import EntityKind
from graph.relationships.builtin import LINKS
from testing.world import World, day, edge_get, new_id

ASSET, DEVICE, SPACE = EntityKind.ASSET, EntityKind.DEVICE, EntityKind.SPACE


def replace(world: World, old: EntityId, new: EntityId, at: float) -> Replacement:
    with world.changing() as (session, change):
        return edges_replace_target(
            session, change=change, target_id=old, replacement_id=new, relationships=LINKS, at=day(at)
        )


def test_links_are_split_moved_or_left(world: World) -> None:
    old, new = world.entities(DEVICE, 2)
    asset = world.entity(ASSET)
    past = world.edge(asset, "MONITORED_BY", old, valid_until=day(2))
    split = world.edge(asset, "MONITORED_BY", old, port=3, valid_until=day(9), metadata={"metrics_mapping": {"t": "x"}})
    begins = world.edge(asset, "CONTROLLED_BY", old, valid_from=day(5))
    later = world.edge(asset, "MONITORED_BY", old, port=4, valid_from=day(6))
    placed = world.edge(old, "LOCATED_IN", world.entity(SPACE))
    done = replace(world, old, new, 5)

    def essence(edge: EdgeVersion) -> tuple[object, ...]:
        return edge.relationship, edge.target_id, edge.port, edge.metadata, edge.valid_from, edge.valid_until

    assert {essence(edge)[:3] + essence(edge)[4:] for edge in done.created} == {
        ("MONITORED_BY", new, 3, day(5), day(9)),
        ("CONTROLLED_BY", new, None, day(5), None),
        ("MONITORED_BY", new, 4, day(6), None),
    }
    [mapped] = [edge for edge in done.created if edge.port == 3]
    assert mapped.metadata == split.metadata
    assert {(edge.edge_id, edge.valid_until, edge.retracted_at is None) for edge in done.cut} == {
        (split.edge_id, day(5), True),
        (begins.edge_id, None, False),
        (later.edge_id, None, False),
    }
    with world.session() as session:
        for link in (past, placed):
            assert edge_get(session, organization_id=world.organization_id, edge_id=link.edge_id) == link


def test_one_overlap_refuses_all_of_it(world: World) -> None:
    old, new = world.entities(DEVICE, 2)
    first, second = world.entities(ASSET, 2)
    world.edge(first, "MONITORED_BY", old, port=1)
    world.edge(second, "MONITORED_BY", old, port=2)
    world.edge(second, "MONITORED_BY", new, port=2, valid_from=day(20))
    with pytest.raises(OverlapError) as fault:
        replace(world, old, new, 5)
    assert fault.value.path == ("replacementId",)
    taken = world.entity(DEVICE)
    world.edge(first, "MONITORED_BY", taken, port=2, exclusive=True)
    with pytest.raises(ConflictError) as conflict:
        replace(world, old, taken, 5)
    assert conflict.value.path == ("replacementId",)
    with world.session() as session:
        assert session.execute(text("SELECT count(*) FROM entity_edges WHERE upper_inf(recorded)")).scalar() == 4
        assert session.execute(text("SELECT count(*) FROM entity_edges")).scalar() == 4


def test_only_a_device_of_ones_own_replaces_a_device(world: World) -> None:
    old, asset = world.entity(DEVICE), world.entity(ASSET)
    world.edge(asset, "MONITORED_BY", old)
    for new, error in (
        (old, BadInputError),
        (EntityId(new_id()), NotFoundError),
        (world.entity(SPACE), KindNotAllowedError),
    ):
        with pytest.raises(error) as fault:
            replace(world, old, new, 5)
        assert fault.value.path == ("replacementId",)


def test_a_device_that_many_share_is_replaced_and_deleted_in_as_few_statements_as_any(world: World) -> None:
    counts = []
    for sharing in (2, 300):
        old, new = world.entities(DEVICE, 2)
        drafts = [
            EdgeDraft(source_id=asset, target_id=old, relationship="MONITORED_BY", valid_from=day(0))
            for asset in world.entities(ASSET, sharing)
        ]
        with world.changing() as (session, change):
            edges_create(session, change=change, drafts=drafts)
        statements: list[str] = []
        with world.changing() as (session, change):
            listen: Any = lambda *call, seen=statements: seen.append(call[2])  # noqa: E731
            event.listen(session.connection().engine, "before_cursor_execute", listen)
            done = edges_replace_target(
                session, change=change, target_id=old, replacement_id=new, relationships=LINKS, at=day(5)
            )
            ended = edges_end_of_entity(session, change=change, entity_id=new, at=day(9))
            event.remove(session.connection().engine, "before_cursor_execute", listen)
        assert (len(done.cut), len(done.created), len(ended)) == (sharing, sharing, sharing)
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 17
