"""Access scopes: what a confined transaction sees and may write, compared with the walk that anybody may make."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from domain.telemetry.feed.reads import WatchRequest, watches_load
from graph.change import change_record
from graph.changes import ChangeFilter, changes_get, changes_page
from graph.edges.errors import OverlapError
from graph.edges.operations import edge_end
from graph.errors import ConflictError
from graph.ids import EntityId
from graph.instants import moment_resolve
from graph.kinds import EntityKind
from graph.paging import PageRequest
from graph.tables import entities, entity_edges
from graph.tenancy import scope_bound
from graph.walk.queries import below
from graph.walk.scopes import CHARS_MAX, ScopedIds, Scopes, scope_bind, scope_find
from graph.walk.snapshot.cache import Snapshots
from testing.world import World, day, new_id

ASSET, DEVICE, SPACE, ACTIVITY = EntityKind.ASSET, EntityKind.DEVICE, EntityKind.SPACE, EntityKind.ACTIVITY
# From which kinds to which, by relationship: those that are followed down, and one that is not.
RELATIONSHIPS = {
    "CONTAINS": (SPACE, SPACE),
    "HAS_PART": (ASSET, ASSET),
    "LOCATED_IN": (ASSET, SPACE),
    "MONITORED_BY": (ASSET, DEVICE),
    "TARGETS": (ACTIVITY, ASSET),
    "FEEDS": (ASSET, ASSET),
}
NUMBER = 4


@contextmanager
def confined(world: World, *under: UUID, snapshots: Snapshots | None = None) -> Iterator[Session]:
    """A transaction that is confined to what lies below some entities."""
    with world.session(snapshots) as session:
        scope_bind(session, organization_id=world.organization_id, under=under)
        assert scope_bound(session) is not None
        yield session


def seen(session: Session) -> set[UUID]:
    return set(session.scalars(select(entities.c.id)))


edges_drawn = st.lists(
    st.tuples(
        st.sampled_from(sorted(RELATIONSHIPS)),
        st.integers(0, NUMBER - 1),
        st.integers(0, NUMBER - 1),
        # Whether it ended long ago, holds, or begins one day.
        st.sampled_from([(0, 10), (0, None), (50_000, None)]),
    ),
    max_size=14,
    unique_by=lambda drawn: drawn[:3],
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    drawn=edges_drawn, roots=st.lists(st.integers(0, 4 * NUMBER - 1), max_size=3, unique=True), in_memory=st.booleans()
)
def test_a_confined_transaction_sees_what_is_below_its_roots_and_the_edges_within(
    world: World,
    drawn: list[tuple[str, int, int, tuple[int, int | None]]],
    roots: list[int],
    in_memory: bool,
) -> None:
    by_kind = {kind: world.entities(kind, NUMBER) for kind in (SPACE, ASSET, DEVICE, ACTIVITY)}
    everything = [entity_id for ids in by_kind.values() for entity_id in ids]
    believed: set[tuple[UUID, UUID]] = set()
    for relationship, source, target, (begins, ends) in drawn:
        source_kind, target_kind = RELATIONSHIPS[relationship]
        if source_kind is target_kind and source >= target:
            # No circles.
            continue
        ends_at = by_kind[source_kind][source], by_kind[target_kind][target]
        world.edge(
            ends_at[0], relationship, ends_at[1],
            valid_from=day(begins), valid_until=None if ends is None else day(ends),
        )  # fmt: skip
        believed.add(ends_at)
    under = [everything[place] for place in roots]
    with world.session() as session:
        expected = (
            set(below(session, organization_id=world.organization_id, entity_ids=under)) if under else set[EntityId]()
        )
    with confined(world, *under, snapshots=Snapshots() if in_memory else None) as session:
        assert seen(session) == expected
        edges = session.execute(select(entity_edges.c.source_id, entity_edges.c.target_id))
        within = {(source, target) for source, target in believed if {source, target} <= expected}
        assert {(row.source_id, row.target_id) for row in edges} == within
        # Walks stay within, in memory or not.
        for root in under:
            walked = below(session, organization_id=world.organization_id, entity_ids=[root])
            assert set(walked) <= expected


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.one_of(
            # A device is linked to an asset, or an asset put into a hall, from a day until a day.
            st.tuples(st.sampled_from(["MONITORED_BY", "LOCATED_IN"]), st.integers(0, 1), st.integers(0, 1),
                      st.sampled_from([0, 10]), st.sampled_from([20, 30, None])),
            # Somebody looks on a day.
            st.sampled_from([5, 15, 25, 35]),
        ),
        min_size=4, max_size=16,
    ),
    memory=st.sampled_from([CHARS_MAX, 200]),
)  # fmt: skip
def test_what_is_remembered_of_a_scope_is_what_a_walk_finds(
    world: World, steps: list[tuple[str, int, int, int, int | None] | int], memory: int
) -> None:
    halls, assets, devices = (world.entities(kind, 2) for kind in (SPACE, ASSET, DEVICE))
    # Two processes, which remember apart.
    processes = [Scopes(chars_max=memory), Scopes(chars_max=memory)]
    looks = 0
    for step in steps:
        if not isinstance(step, int):
            relationship, source, target, begins, ends = step
            targets = devices if relationship == "MONITORED_BY" else halls
            with suppress(ConflictError, OverlapError):
                world.edge(
                    assets[source], relationship, targets[target],
                    valid_from=day(begins), valid_until=None if ends is None else day(ends),
                )  # fmt: skip
            continue
        looks += 1
        # The second process looks every other time.
        for scopes in processes[: 1 + looks % 2]:
            for hall in halls:
                with world.session() as session:
                    common: dict[str, Any] = {"organization_id": world.organization_id}
                    moment = replace(moment_resolve(session, as_of=None, known_at=None, **common), as_of=day(step))
                    remembered = scopes.get(session, under=(hall,), moment=moment, **common)
                    walked = scope_find(session, under=(hall,), moment=moment, **common)
                    assert ids_of(remembered.ids) == ids_of(walked.ids)
                    assert ids_of(remembered.sources) == ids_of(walked.sources)


def ids_of(literal: str) -> set[str]:
    return set(filter(None, literal.strip("{}").split(",")))


def test_the_confinement_ends_with_the_transaction(world: World) -> None:
    site, other = world.entities(SPACE, 2)
    with world.api.connect() as connection:
        with Session(connection) as session, session.begin():
            session.execute(
                text("SELECT set_config('argus.organization_id', :o, true)"), {"o": str(world.organization_id)}
            )
            scope_bind(session, organization_id=world.organization_id, under=[site])
            assert seen(session) == {site}
        with Session(connection) as session, session.begin():
            session.execute(
                text("SELECT set_config('argus.organization_id', :o, true)"), {"o": str(world.organization_id)}
            )
            assert seen(session) == {site, other}


def test_a_link_that_is_corrected_moves_what_is_below_it(world: World) -> None:
    site, other = world.entities(SPACE, 2)
    pump = world.entity(ASSET)
    edge = world.edge(pump, "LOCATED_IN", site)
    with confined(world, site) as session:
        assert seen(session) == {site, pump}
    with world.changing() as (session, change):
        edge_end(session, change=change, edge_id=edge.id, at=day(100))
    world.edge(pump, "LOCATED_IN", other, valid_from=day(100))
    with confined(world, site) as session:
        assert seen(session) == {site}
    with confined(world, other) as session:
        assert seen(session) == {other, pump}


def test_a_watch_is_no_newer_than_the_scope_it_was_read_in(world: World) -> None:
    """Else a change that came between the two would be taken for seen, and nothing of it would be sent."""
    site = world.entity(SPACE)
    pump = world.entity(ASSET)
    with confined(world, site) as session:
        world.edge(pump, "LOCATED_IN", site)
        request = WatchRequest(entity_ids=None, under_id=None, metrics=None)
        [watch] = watches_load(session, organization_id=world.organization_id, requests=[request])
    with confined(world, site) as session:
        [later] = watches_load(session, organization_id=world.organization_id, requests=[request])
    assert pump not in watch.entity_ids
    assert pump in later.entity_ids
    assert watch.revision < later.revision


def test_the_trail_names_no_event_of_elsewhere(world: World) -> None:
    """An activity may be of several targets; what suggests closing it may be an event at one that is not seen."""
    work = world.entity(ACTIVITY)
    state = {"name": "look", "closingSuggestion": {"action": "CLOSE", "eventId": str(new_id())}}
    with world.changing() as (session, change):
        change_record(
            session, change=change, action="updated", subject_type="entity", subject_id=work, before=state, after=state
        )
    with world.session() as session:
        [entry] = changes_page(
            session, organization_id=world.organization_id, where=ChangeFilter(), page=PageRequest(5)
        ).items
        assert (entry.before, entry.after) == (state, state)
    with confined(world, work) as session:
        [entry] = changes_page(
            session, organization_id=world.organization_id, where=ChangeFilter(), page=PageRequest(5)
        ).items
        assert (entry.before, entry.after) == ({"name": "look"}, {"name": "look"})
        assert changes_get(session, organization_id=world.organization_id, ids=[entry.id]) == {entry.id: entry}


def test_what_is_created_is_seen_and_has_to_lie_below(world: World) -> None:
    site = world.entity(SPACE)
    row = {"organization_id": world.organization_id, "kind": "ASSET", "name": "x", "status": "active"}
    with confined(world, site) as session:
        ids = ScopedIds(session, new_id)
        inside, outside = ids(), ids()
        for entity_id in (inside, outside):
            session.execute(entities.insert().values(**row, id=entity_id, created_at=func.now(), updated_at=func.now()))
        assert seen(session) == {site, inside, outside}
        assert ids.outside(organization_id=world.organization_id) == {inside, outside}
        session.execute(
            entity_edges.insert().values(
                organization_id=world.organization_id, id=ids(), edge_id=ids(), relationship="LOCATED_IN",
                source_id=inside, source_kind="ASSET", target_id=site, target_kind="SPACE",
                valid=func.tstzrange(day(0), None), recorded=func.tstzrange(day(0), None), metadata={}, exclusive=False,
            )
        )  # fmt: skip
        assert ids.outside(organization_id=world.organization_id) == {outside}


@pytest.mark.parametrize(
    "statement",
    [
        """INSERT INTO entities (organization_id, id, kind, name, status, created_at, updated_at)
            VALUES (:o, gen_random_uuid(), 'ASSET', 'x', 'active', now(), now())""",
        "UPDATE events SET value = 0",
        "DELETE FROM entities",
        "SELECT * FROM raw_batches",
        "SELECT * FROM replays",
        """INSERT INTO rules (organization_id, id, name, created_at, updated_at)
            VALUES (:o, gen_random_uuid(), 'x', now(), now())""",
        "SELECT * FROM session_ends",
        "SELECT set_config('role', 'argus_pipeline', true)",
    ],
)
def test_what_the_database_refuses_a_confined_transaction(world: World, statement: str) -> None:
    site = world.entity(SPACE)
    with pytest.raises(DBAPIError) as refused, confined(world, site) as session:
        session.execute(text(statement), {"o": world.organization_id} if ":o" in statement else {})
    assert getattr(refused.value.orig, "sqlstate", None) == "42501"  # insufficient_privilege


def test_an_edge_cannot_lead_out_of_the_scope(world: World) -> None:
    site, other = world.entities(SPACE, 2)
    pump = world.entity(ASSET)
    world.edge(pump, "LOCATED_IN", site)
    values = {"o": world.organization_id, "source": pump, "target": other, "at": day(1)}
    with pytest.raises(DBAPIError) as refused, confined(world, site) as session:
        session.execute(
            text(
                "INSERT INTO entity_edges (organization_id, id, edge_id, relationship, source_id, source_kind, target_id,"
                " target_kind, valid, recorded, metadata, exclusive) VALUES (:o, gen_random_uuid(), gen_random_uuid(),"
                " 'LOCATED_IN', :source, 'ASSET', :target, 'SPACE', tstzrange(:at, NULL), tstzrange(:at, NULL), '{}',"
                " false)"
            ),
            values,
        )
    assert getattr(refused.value.orig, "sqlstate", None) == "42501"
