"""An organization's own relationships."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import text

from graph.edges.errors import CycleError
from graph.errors import ArgusError, BadInputError, ConflictError, NotFoundError
from graph.kinds import EntityKind
from graph.relationships.builtin import BUILT_IN
from graph.relationships.model import Exclusive
from graph.relationships.operations import (
    relationship_create,
    relationship_rename_inverse,
    relationship_retire,
)
from graph.relationships.queries import relationship_list
from testing.world import World

ASSET = EntityKind.ASSET


def add(world: World, name: str, inverse: str, *, hierarchy: bool = False, exclusive: Exclusive | None = None) -> None:
    with world.changing() as (session, change):
        relationship_create(
            session,
            change=change,
            name=name,
            inverse=inverse,
            source_kinds=[ASSET],
            target_kinds=[ASSET],
            hierarchy=hierarchy,
            exclusive=exclusive,
        )


def test_a_new_organization_has_the_built_in_ones(world: World) -> None:
    with world.session() as session:
        relationships = relationship_list(session, organization_id=world.organization_id)
    assert relationships == sorted(BUILT_IN, key=lambda relationship: relationship.name)


def test_a_custom_relationship_works_in_edges_and_rules(world: World) -> None:
    add(world, "BACKS_UP", "BACKED_UP_BY", exclusive=Exclusive.SOURCE)
    a, b, c = world.entities(ASSET, 3)
    world.edge(a, "BACKS_UP", b)
    world.edge(c, "BACKS_UP", b)
    with pytest.raises(ConflictError) as fault:
        world.edge(a, "BACKS_UP", c)
    assert fault.value.path == ("sourceId",)


def test_hierarchies_are_acyclic_together(world: World) -> None:
    add(world, "GROUPS", "GROUPED_IN", hierarchy=True)
    a, b, c = world.entities(ASSET, 3)
    world.edge(a, "HAS_PART", b)
    world.edge(b, "GROUPS", c)
    with pytest.raises(CycleError):
        world.edge(c, "HAS_PART", a)


@pytest.mark.parametrize(
    ("name", "inverse", "error", "path"),
    [
        ("FEEDS", "X", ConflictError, "name"),
        ("FED_BY", "X", ConflictError, "name"),
        ("X", "HAS_PART", ConflictError, "inverse"),
        ("X", "PART_OF", ConflictError, "inverse"),
        ("X", "X", BadInputError, "inverse"),
        ("lower", "X", BadInputError, "name"),
        ("X" * 64, "Y", BadInputError, "name"),
        ("X", "Y\n", BadInputError, "inverse"),
    ],
)
def test_names_are_free_and_well_formed(
    world: World, name: str, inverse: str, error: type[ArgusError], path: str
) -> None:
    with pytest.raises(error) as fault:
        add(world, name, inverse)
    assert fault.value.path == (path,)


def test_a_retired_relationship_accepts_no_new_edges(world: World) -> None:
    add(world, "BACKS_UP", "BACKED_UP_BY")
    a, b, c = world.entities(ASSET, 3)
    world.edge(a, "BACKS_UP", b)
    with world.changing() as (session, change):
        renamed = relationship_rename_inverse(session, change=change, name="BACKS_UP", inverse="RELIES_ON")
        retired = relationship_retire(session, change=change, name="BACKS_UP")
        assert (renamed.inverse, renamed.retired_at, retired.retired_at) == ("RELIES_ON", None, change.recorded)
    with pytest.raises(BadInputError) as fault:
        world.edge(a, "BACKS_UP", c)
    assert fault.value.path == ("relationship",)
    with world.session() as session:
        audit = session.execute(
            text("SELECT action FROM changes WHERE subject_type = 'relationship' ORDER BY recorded_at, id")
        ).scalars()
        assert list(audit) == ["created", "updated", "retired"]


def test_the_built_in_ones_and_others_stay_as_they_are(worlds: Callable[[str], World]) -> None:
    ours, theirs = worlds("ours"), worlds("theirs")
    add(theirs, "BACKS_UP", "BACKED_UP_BY")
    for name, error in (("FEEDS", ConflictError), ("BACKS_UP", NotFoundError)):
        with pytest.raises(error), ours.changing() as (session, change):
            relationship_retire(session, change=change, name=name)
        with pytest.raises(error), ours.changing() as (session, change):
            relationship_rename_inverse(session, change=change, name=name, inverse="OTHER")
