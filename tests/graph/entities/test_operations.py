"""Entities: created, changed, deleted, restored."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from graph.absent import ABSENT
from graph.changes import Change, ChangeFilter, changes_page, entities_as_recorded
from graph.entities.model import Entity, EntityDraft, EntityPatch
from graph.entities.operations import entity_create, entity_delete, entity_restore, entity_update
from graph.entities.queries import (
    entities_by_external_id,
    entities_get,
    entity_by_external_id,
    entity_get,
)
from graph.errors import ArgusError, ConflictError, NotFoundError
from graph.kinds import EntityKind
from graph.paging import PageRequest
from testing.world import World, day, edge_get, new_id

ASSET, DEVICE, SPACE = EntityKind.ASSET, EntityKind.DEVICE, EntityKind.SPACE
POINT = {"type": "Point", "coordinates": [8.5, 47.25]}


def create(world: World, kind: EntityKind = ASSET, **fields: Any) -> Entity:
    with world.changing() as (session, change):
        return entity_create(session, change=change, kind=kind, draft=EntityDraft(**{"name": "Pump", **fields}))


def update(world: World, entity_id: UUID, **fields: Any) -> Entity:
    with world.changing("because") as (session, change):
        before = entity_get(session, organization_id=world.organization_id, entity_id=entity_id)
        return entity_update(session, change=change, before=before, patch=EntityPatch(**fields))


def delete(world: World, entity_id: UUID, kind: EntityKind | None = None, at: datetime | None = None) -> Entity:
    with world.changing() as (session, change):
        return entity_delete(session, change=change, entity_id=entity_id, kind=kind, at=at)


def restore(world: World, entity_id: UUID, **given: Any) -> Entity:
    with world.changing() as (session, change):
        return entity_restore(session, change=change, entity_id=entity_id, **given)


def stored(world: World, entity_id: UUID) -> Entity:
    with world.session() as session:
        entities = entities_get(session, organization_id=world.organization_id, ids=[entity_id])
        return next(iter(entities.values()))


def trail(world: World, subject_id: UUID) -> list[Change]:
    with world.session() as session:
        where = ChangeFilter(subject_ids=[subject_id])
        page = changes_page(session, organization_id=world.organization_id, where=where, page=PageRequest(50))
        return list(page.items)


def rows(world: World) -> dict[str, int]:
    with world.session() as session:
        tables = ("entities", "entity_types", "entity_edges", "changes")
        return {name: session.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in tables}  # noqa: S608


def refused(call: Callable[[], object]) -> tuple[str, tuple[str, ...]]:
    with pytest.raises(ArgusError) as fault:
        call()
    return fault.value.code, fault.value.path


def test_an_entity_is_stored_as_it_was_given(world: World) -> None:
    with world.changing() as (session, change):
        draft = EntityDraft(
            name="Pümp",
            external_id="urn:p:1",
            type="Pump",
            status="spare",
            attributes={"kW": 1.5, "tags": ["a", None]},
            location=POINT,
        )
        made = entity_create(session, change=change, kind=ASSET, draft=draft)
    assert stored(world, made.id) == made
    assert made.id.version == 7
    assert (made.kind, made.name, made.external_id, made.type) == (ASSET, "Pümp", "urn:p:1", "Pump")
    assert (made.status, made.attributes, made.location) == ("spare", {"kW": 1.5, "tags": ["a", None]}, POINT)
    assert made.created_at == made.updated_at == change.recorded
    assert made.created_at.tzinfo is UTC
    assert made.deleted_at is None


def test_omitted_fields_have_defaults(world: World) -> None:
    made = stored(world, create(world).id)
    assert (made.status, made.attributes, made.location, made.type, made.external_id) == (
        "active",
        {},
        None,
        None,
        None,
    )


def test_an_unknown_type_is_registered_once(world: World) -> None:
    first, second = create(world, type="Pump"), create(world, type="Pump")
    create(world, DEVICE, type="Pump")
    assert first.type == second.type == "Pump"
    with world.session() as session:
        types = session.execute(text("SELECT kind, name, attributes FROM entity_types ORDER BY kind")).all()
    assert [tuple(row) for row in types] == [("ASSET", "Pump", {}), ("DEVICE", "Pump", {})]


BAD: list[tuple[dict[str, Any], str, tuple[str, ...]]] = [
    ({"name": ""}, "BAD_USER_INPUT", ("name",)),
    ({"name": " \t"}, "BAD_USER_INPUT", ("name",)),
    ({"name": "x" * 501}, "BAD_USER_INPUT", ("name",)),
    ({"name": "a\0b"}, "BAD_USER_INPUT", ("name",)),
    ({"external_id": ""}, "BAD_USER_INPUT", ("externalId",)),
    ({"external_id": "x" * 1_001}, "BAD_USER_INPUT", ("externalId",)),
    ({"status": ""}, "BAD_USER_INPUT", ("status",)),
    ({"type": "x" * 201}, "BAD_USER_INPUT", ("type",)),
    ({"attributes": {"note": "x" * 1_000_000}}, "LIMIT_EXCEEDED", ("attributes",)),
    ({"attributes": {"a": [float("inf")]}}, "BAD_USER_INPUT", ("attributes", "a", "0")),
    ({"attributes": ["a"]}, "BAD_USER_INPUT", ("attributes",)),
    ({"location": {"type": "Point", "coordinates": [1, 91]}}, "BAD_USER_INPUT", ("location", "coordinates", "1")),
    ({"external_id": "taken"}, "CONFLICT", ("externalId",)),
]


@pytest.mark.parametrize(("fields", "code", "path"), BAD)
def test_a_refused_change_leaves_nothing_behind(
    world: World, fields: dict[str, Any], code: str, path: tuple[str, ...]
) -> None:
    create(world, external_id="taken")
    entity = create(world, external_id="own", attributes={"a": 1})
    before = rows(world)
    assert refused(lambda: create(world, **{"type": "New type", **fields})) == (code, path)
    assert refused(lambda: update(world, entity.id, **{"type": "New type", **fields})) == (code, path)
    assert rows(world) == before
    assert stored(world, entity.id) == entity


def test_the_largest_values_are_taken(world: World) -> None:
    made = create(world, name="x" * 500, external_id="y" * 1_000)
    assert stored(world, made.id) == made


def test_an_external_id_is_of_its_kind_and_organization(world: World, worlds: Callable[[str], World]) -> None:
    first = create(world, external_id="1")
    second = create(world, DEVICE, external_id="1")
    third = create(worlds("other"), external_id="1")
    assert len({first.id, second.id, third.id}) == 3
    with world.session() as session:

        def by(external_id: str, kind: EntityKind = ASSET) -> Entity | None:
            return entity_by_external_id(
                session, organization_id=world.organization_id, kind=kind, external_id=external_id
            )

        assert (by("1"), by("1", DEVICE), by("1", SPACE), by("2"), by("\0"), by("\ud800")) == (
            first, second, None, None, None, None,
        )  # fmt: skip
        entity = entities_by_external_id(
            session, organization_id=world.organization_id, kind=ASSET, external_ids=["1", "2"]
        )
        assert entity == {"1": first}


def test_only_what_is_given_changes(world: World) -> None:
    made = create(world, external_id="1", type="Pump", attributes={"a": 1}, location=POINT)
    renamed = update(world, made.id, name="Fan")
    assert renamed.updated_at > made.updated_at
    assert stored(world, made.id) == renamed
    assert (renamed.name, renamed.external_id, renamed.type) == ("Fan", "1", "Pump")
    assert (renamed.attributes, renamed.location, renamed.created_at) == ({"a": 1}, POINT, made.created_at)
    emptied = update(world, made.id, external_id=None, type=None, attributes=None, location=None, name=ABSENT)
    assert stored(world, made.id) == emptied
    assert (emptied.name, emptied.external_id, emptied.type) == ("Fan", None, None)
    assert (emptied.attributes, emptied.location) == ({}, None)


def test_a_change_that_changes_nothing_writes_nothing(world: World) -> None:
    made = create(world, external_id="1", attributes={"a": 1}, location=POINT)
    before = rows(world)
    assert update(world, made.id, name="Pump", external_id="1", attributes={"a": 1}, location=POINT) == made
    assert rows(world) == before


def test_one_true_and_one_point_nothing_are_three_values(world: World) -> None:
    made = create(world, attributes={"a": 1})
    for value in (True, 1.0, 1, False, 0):
        changed = update(world, made.id, attributes={"a": value})
        assert repr(stored(world, made.id).attributes) == repr({"a": value})
        assert changed.attributes == {"a": value}
    assert [change.action for change in trail(world, made.id)] == ["updated"] * 5 + ["created"]


def test_a_change_of_what_was_changed_meanwhile_is_refused(world: World) -> None:
    made = create(world)
    changed = update(world, made.id, name="Fan", if_updated_at=made.updated_at)
    assert refused(lambda: update(world, made.id, name="Duct", if_updated_at=made.updated_at)) == (
        "CONFLICT",
        ("ifUpdatedAt",),
    )
    naive = made.updated_at.replace(tzinfo=None)
    assert refused(lambda: update(world, made.id, name="Duct", if_updated_at=naive)) == (
        "BAD_USER_INPUT",
        ("ifUpdatedAt",),
    )
    assert stored(world, made.id) == changed


def test_deletion_ends_edges_and_retracts_those_not_begun(world: World) -> None:
    made, part, later, gone = (create(world, name=name) for name in ("whole", "part", "later", "gone"))
    current = world.edge(made.id, "HAS_PART", part.id)
    future = world.edge(made.id, "HAS_PART", later.id, valid_from=day(1e6))
    past = world.edge(made.id, "HAS_PART", gone.id, valid_until=day(1))
    deleted = delete(world, made.id, ASSET)
    assert deleted.deleted_at == deleted.updated_at
    assert stored(world, made.id) == deleted
    with world.session() as session:
        newest = [
            edge_get(session, organization_id=world.organization_id, edge_id=e.edge_id) for e in (current, future, past)
        ]
    assert (newest[0].valid_until, newest[0].retracted_at) == (deleted.deleted_at, None)
    assert newest[1].retracted_at == deleted.deleted_at
    assert newest[2] == past
    assert refused(lambda: delete(world, made.id)) == ("NOT_FOUND", ("id",))
    assert refused(lambda: update(world, made.id, name="x")) == ("NOT_FOUND", ("id",))


def test_a_deletion_may_be_of_the_past_and_not_of_the_future(world: World) -> None:
    made, part, later, gone = (create(world, name=name) for name in ("whole", "part", "later", "gone"))
    open_edge = world.edge(made.id, "HAS_PART", part.id)
    begun_after = world.edge(made.id, "HAS_PART", later.id, valid_from=day(6))
    ended_before = world.edge(made.id, "HAS_PART", gone.id, valid_until=day(1))
    assert refused(lambda: delete(world, made.id, at=day(1e6))) == ("BAD_USER_INPUT", ("deletedAt",))
    assert refused(lambda: delete(world, made.id, at=datetime(2020, 1, 1))) == ("BAD_USER_INPUT", ("deletedAt",))  # noqa: DTZ001
    deleted = delete(world, made.id, at=day(5))
    assert (deleted.deleted_at, stored(world, made.id)) == (day(5), deleted)
    assert deleted.updated_at > day(5)
    with world.session() as session:
        newest = [
            edge_get(session, organization_id=world.organization_id, edge_id=edge.edge_id)
            for edge in (open_edge, begun_after, ended_before)
        ]
    assert (newest[0].valid_until, newest[0].retracted_at) == (day(5), None)
    assert newest[1].retracted_at == deleted.updated_at
    assert newest[2] == ended_before


def test_an_entity_of_another_kind_is_not_found(world: World) -> None:
    made = create(world)
    assert refused(lambda: delete(world, made.id, DEVICE)) == ("NOT_FOUND", ("id",))
    assert stored(world, made.id) == made


def test_a_deleted_entity_is_restored_without_its_edges(world: World) -> None:
    made, part = create(world, external_id="1", type="Pump", location=POINT), create(world)
    edge = world.edge(made.id, "HAS_PART", part.id)
    assert refused(lambda: restore(world, made.id)) == ("CONFLICT", ("id",))
    deleted = delete(world, made.id)
    restored = restore(world, made.id)
    assert stored(world, made.id) == restored
    assert restored.deleted_at is None
    assert (restored.external_id, restored.type, restored.location) == ("1", "Pump", POINT)
    with world.session() as session:
        newest = edge_get(session, organization_id=world.organization_id, edge_id=edge.edge_id)
        assert newest.valid_until == deleted.deleted_at
    assert [change.action for change in trail(world, made.id)] == ["restored", "deleted", "created"]


def test_an_external_id_taken_meanwhile_keeps_the_entity_deleted(world: World) -> None:
    first = create(world, external_id="1")
    deleted = delete(world, first.id)
    second = create(world, external_id="1")
    with pytest.raises(ConflictError, match=str(second.id)):
        restore(world, first.id)
    assert stored(world, first.id) == deleted
    with world.session() as session:
        entity = entity_by_external_id(session, organization_id=world.organization_id, kind=ASSET, external_id="1")
        assert entity == second


def test_a_deleted_entity_is_restored_under_another_external_id(world: World) -> None:
    first = create(world, external_id="1")
    delete(world, first.id)
    second = create(world, external_id="1")
    for taken in ("1", ""):
        code = "CONFLICT" if taken else "BAD_USER_INPUT"
        assert refused(lambda taken=taken: restore(world, first.id, external_id=taken)) == (code, ("externalId",))  # type: ignore[misc]
    restored = restore(world, first.id, external_id="1-old")
    assert stored(world, first.id) == restored
    assert (restored.external_id, restored.deleted_at) == ("1-old", None)
    assert trail(world, first.id)[0].after is not None
    assert trail(world, first.id)[0].after["externalId"] == "1-old"  # type: ignore[index]
    delete(world, second.id)
    assert restore(world, second.id, external_id=None).external_id is None


def test_every_change_is_in_the_trail_with_before_and_after(world: World) -> None:
    made = create(world, attributes={"a": 1}, location=POINT)
    renamed = update(world, made.id, name="Fan", location=None)
    deleted = delete(world, made.id)
    last, middle, first = trail(world, made.id)
    created_state = {
        "id": str(made.id),
        "kind": "ASSET",
        "type": None,
        "name": "Pump",
        "externalId": None,
        "status": "active",
        "attributes": {"a": 1},
        "location": POINT,
        "createdAt": made.created_at.isoformat(),
        "updatedAt": made.created_at.isoformat(),
        "deletedAt": None,
    }
    renamed_state = {**created_state, "name": "Fan", "location": None, "updatedAt": renamed.updated_at.isoformat()}
    at = deleted.updated_at.isoformat()
    assert (first.action, first.before, first.after, first.reason) == ("created", None, created_state, None)
    assert (middle.action, middle.before, middle.after, middle.reason) == (
        "updated", created_state, renamed_state, "because",
    )  # fmt: skip
    assert (last.action, last.before) == ("deleted", renamed_state)
    assert last.after == {**renamed_state, "updatedAt": at, "deletedAt": at}
    assert {change.actor for change in (first, middle, last)} == {"test"}
    assert [change.recorded_at for change in (first, middle, last)] == [
        made.created_at,
        renamed.updated_at,
        deleted.deleted_at,
    ]
    with world.session() as session:

        def as_recorded(instant: Any) -> Any:
            ids, of = [made.id, uuid4()], world.organization_id
            recorded = entities_as_recorded(session, organization_id=of, ids=ids, at=instant)
            assert set(recorded) <= {made.id}
            return recorded[made.id].after if recorded else None

        assert as_recorded(day(0)) is None
        assert as_recorded(made.created_at) == created_state
        assert as_recorded(renamed.updated_at) == renamed_state
        assert as_recorded(deleted.updated_at) == last.after


def test_another_organization_reaches_nothing(world: World, worlds: Callable[[str], World]) -> None:
    other = worlds("other")
    mine, gone = create(world, external_id="1"), create(world)
    delete(world, gone.id)
    before = rows(world)
    with other.session() as session:
        # Queried under either number: isolation is in the database, not only in the statement.
        for organization_id in (world.organization_id, other.organization_id):
            assert entities_get(session, organization_id=organization_id, ids=[mine.id, gone.id]) == {}
            entity = entity_by_external_id(session, organization_id=organization_id, kind=ASSET, external_id="1")
            assert entity is None
            with pytest.raises(NotFoundError):
                entity_get(session, organization_id=organization_id, entity_id=mine.id)
            page = changes_page(session, organization_id=organization_id, where=ChangeFilter(), page=PageRequest(9))
            assert page.items == []
            assert page.total is not None
            assert page.total() == 0
        of, at = other.organization_id, mine.created_at
        assert entities_as_recorded(session, organization_id=of, ids=[mine.id], at=at) == {}
        with pytest.raises(NotFoundError):
            entities_as_recorded(session, organization_id=world.organization_id, ids=[mine.id], at=at)
    for call in (
        lambda: update(other, mine.id, name="theirs"),
        lambda: delete(other, mine.id),
        lambda: restore(other, gone.id),
    ):
        assert refused(call) == ("NOT_FOUND", ("id",))
    assert rows(world) == before
    assert stored(world, mine.id) == mine
    assert refused(lambda: delete(world, new_id())) == ("NOT_FOUND", ("id",))


def test_of_two_at_once_one_gets_the_external_id(world: World) -> None:
    def attempt(_: int) -> str:
        try:
            create(world, external_id="1", type="Pump")
        except ConflictError as fault:
            return fault.code
        return "created"

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(attempt, range(8)))
    assert outcomes == ["CONFLICT"] * 7 + ["created"]
    assert rows(world) == {"entities": 1, "entity_types": 1, "entity_edges": 0, "changes": 2}
