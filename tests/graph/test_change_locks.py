"""Locks between changes, derivations and readers of `knownAt`."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from graph.change import graph_change_begin, graph_hold, input_revision
from graph.instants import moment_resolve
from testing.world import EPOCH, World, new_id


def change_begin(session: Session, world: World, *, bears_on_derived: bool) -> None:
    """Begin a change; one that would have to wait raises."""
    session.execute(text("SET LOCAL lock_timeout = '50ms'"))
    graph_change_begin(
        session, organization_id=world.organization_id, actor="ada", new_id=new_id, bears_on_derived=bears_on_derived
    )


def test_a_change_waits_for_derivation_only_if_it_affects_it(world: World) -> None:
    with world.session() as deriving, Session(world.api) as changing:
        revision = graph_hold(deriving, organization_id=world.organization_id)
        with pytest.raises(OperationalError, match="lock timeout"), changing.begin():
            change_begin(changing, world, bears_on_derived=True)
        with changing.begin():
            change_begin(changing, world, bears_on_derived=False)
        assert graph_hold(deriving, organization_id=world.organization_id) == revision + 1


def test_derivation_waits_only_for_changes_that_affect_it(world: World) -> None:
    with Session(world.api) as changing, world.session() as deriving:
        deriving.execute(text("SET LOCAL lock_timeout = '50ms'"))
        with changing.begin():
            change_begin(changing, world, bears_on_derived=False)
            graph_hold(deriving, organization_id=world.organization_id)
    with Session(world.api) as changing, changing.begin(), world.session() as deriving:
        change_begin(changing, world, bears_on_derived=True)
        deriving.execute(text("SET LOCAL lock_timeout = '50ms'"))
        with pytest.raises(OperationalError, match="lock timeout"):
            graph_hold(deriving, organization_id=world.organization_id)


@pytest.mark.parametrize("bears_on_derived", [False, True])
@pytest.mark.parametrize("other_bears", [False, True])
def test_changes_come_one_after_the_other(world: World, bears_on_derived: bool, other_bears: bool) -> None:
    with Session(world.api) as one, one.begin(), Session(world.api) as other:
        change_begin(one, world, bears_on_derived=bears_on_derived)
        with pytest.raises(OperationalError, match="lock timeout"), other.begin():
            change_begin(other, world, bears_on_derived=other_bears)


@pytest.mark.parametrize("bears_on_derived", [False, True])
def test_a_known_at_query_waits_for_the_change_in_progress(world: World, bears_on_derived: bool) -> None:
    with Session(world.api) as changing, changing.begin(), world.session() as reading:
        change_begin(changing, world, bears_on_derived=bears_on_derived)
        reading.execute(text("SET LOCAL lock_timeout = '50ms'"))
        moment_resolve(reading, organization_id=world.organization_id, as_of=None, known_at=None)
        with pytest.raises(OperationalError, match="lock timeout"):
            moment_resolve(reading, organization_id=world.organization_id, as_of=None, known_at=EPOCH)


def test_changes_that_affect_derivation_are_counted_separately(world: World) -> None:
    def known() -> tuple[int, int]:
        with world.session() as session:
            revision = graph_hold(session, organization_id=world.organization_id)
            return revision, input_revision(session, organization_id=world.organization_id)

    revision, bearing = known()
    for bears in (False, True, False):
        with Session(world.api) as session, session.begin():
            change_begin(session, world, bears_on_derived=bears)
    assert known() == (revision + 3, bearing + 1)
