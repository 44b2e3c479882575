"""Details of each kind of entity: stored, changed, refused, in the trail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from domain.nodes.operations import entity_delete, entity_restore
from domain.plant.assets.operations import asset_create, asset_update
from domain.plant.devices.model import DeviceDetails
from domain.plant.devices.operations import device_create, device_update
from domain.plant.devices.queries import device_details_get
from domain.plant.persons.model import PersonDetails
from domain.plant.persons.operations import person_create, person_update
from domain.plant.persons.queries import person_details_get
from domain.plant.spaces.operations import space_create, space_update
from domain.work.activities.model import ActivityDetails
from domain.work.activities.operations import activity_create, activity_update
from domain.work.activities.queries import activity_details_get
from graph.changes import ChangeFilter, changes_page
from graph.edges.queries import edges_of
from graph.entities.model import Entity, EntityDraft, EntityPatch
from graph.entities.queries import entities_get
from graph.kinds import EntityKind
from graph.paging import PageRequest
from testing.faults import fault_of
from testing.world import World, new_id

Operation = Callable[..., Entity]
CREATE: dict[str, Operation] = {
    "device": device_create,
    "asset": asset_create,
    "space": space_create,
    "person": person_create,
    "activity": activity_create,
}
UPDATE: dict[str, Operation] = {
    "device": device_update,
    "asset": asset_update,
    "space": space_update,
    "person": person_update,
    "activity": activity_update,
}
DETAILS: dict[str, Callable[..., Any]] = {
    "device": device_details_get,
    "person": person_details_get,
    "activity": activity_details_get,
}
DUE = datetime(2026, 5, 1, 8, tzinfo=UTC)


def create(world: World, kind: str, **details: Any) -> Entity:
    with world.changing() as (session, change):
        return CREATE[kind](session, change=change, draft=EntityDraft(name="One", external_id="1"), **details)


def update(world: World, kind: str, entity_id: UUID, patch: EntityPatch | None = None, **details: Any) -> Entity:
    with world.changing() as (session, change):
        named = {f"{kind}_id": entity_id}
        return UPDATE[kind](session, change=change, patch=patch or EntityPatch(), **named, **details)


def details_of(world: World, kind: str, entity_id: UUID) -> Any:
    with world.session() as session:
        return DETAILS[kind](session, organization_id=world.organization_id, ids=[entity_id])[entity_id]


def states(world: World, entity_id: UUID) -> list[tuple[str, dict[str, Any]]]:
    with world.session() as session:
        where = ChangeFilter(subject_ids=[entity_id])
        page = changes_page(session, organization_id=world.organization_id, where=where, page=PageRequest(50))
        return [(change.action, dict(change.after or {})) for change in page.items]


@pytest.mark.parametrize("kind", CREATE)
def test_each_kind_is_made_as_such(world: World, kind: str) -> None:
    made = create(world, kind)
    assert made.kind is EntityKind[kind.upper()]
    renamed = update(world, kind, made.id, EntityPatch(name="Two"))
    assert renamed.name == "Two"
    with world.session() as session:
        assert entities_get(session, organization_id=world.organization_id, ids=[made.id]) == {made.id: renamed}
        table = "activities" if kind == "activity" else f"{kind}s"
        assert session.scalars(text(f"SELECT id FROM {table}")).all() == [made.id]  # noqa: S608
    for wrong in set(UPDATE) - {kind}:
        refused = fault_of(lambda wrong=wrong: update(world, wrong, made.id, EntityPatch(name="x")))  # type: ignore[misc]
        assert refused == ("NOT_FOUND", ("id",))


@pytest.mark.parametrize("kind", CREATE)
def test_nothing_is_changed_from_another_organization(world: World, other: World, kind: str) -> None:
    made = create(world, kind)
    assert fault_of(lambda: update(other, kind, made.id, EntityPatch(name="theirs"))) == ("NOT_FOUND", ("id",))
    with other.session() as session:
        for organization_id in (world.organization_id, other.organization_id):
            for read in DETAILS.values():
                assert read(session, organization_id=organization_id, ids=[made.id]) == {}
    assert len(states(world, made.id)) == 1
    assert states(other, made.id) == []


GIVEN: list[tuple[str, dict[str, Any], Any]] = [
    ("device", {}, DeviceDetails(None)),
    ("device", {"firmware_version": "1.2.3"}, DeviceDetails("1.2.3")),
    ("person", {}, PersonDetails(None)),
    ("person", {"email": "ada@example.org"}, PersonDetails("ada@example.org")),
    ("activity", {}, ActivityDetails("general", "medium", None, [])),
    (
        "activity",
        {"category": "repair", "priority": "high", "due_at": DUE, "checklist": [{"text": "Look"}]},
        ActivityDetails("repair", "high", DUE, [{"text": "Look", "done": False}]),
    ),
]


@pytest.mark.parametrize(("kind", "given", "expected"), GIVEN)
def test_details_are_stored(world: World, kind: str, given: dict[str, Any], expected: Any) -> None:
    made = create(world, kind, **given)
    assert details_of(world, kind, made.id) == expected
    assert made.status == ("open" if kind == "activity" else "active")


CHANGED: list[tuple[str, dict[str, Any], dict[str, Any], Any]] = [
    ("device", {"firmware_version": "1"}, {"firmware_version": "2"}, DeviceDetails("2")),
    ("device", {"firmware_version": "1"}, {"firmware_version": None}, DeviceDetails(None)),
    ("person", {"email": "a@b"}, {"email": None}, PersonDetails(None)),
    ("activity", {"due_at": DUE}, {"due_at": None}, ActivityDetails("general", "medium", None, [])),
    ("activity", {"due_at": DUE}, {"category": "repair"}, ActivityDetails("repair", "medium", DUE, [])),
    (
        "activity",
        {"checklist": [{"text": "a"}]},
        {"checklist": [{"text": "b", "done": True, "by": "Ada"}]},
        ActivityDetails("general", "medium", None, [{"text": "b", "done": True, "by": "Ada"}]),
    ),
]


@pytest.mark.parametrize(("kind", "given", "change", "expected"), CHANGED)
def test_details_change_and_the_rest_stays(
    world: World, kind: str, given: dict[str, Any], change: dict[str, Any], expected: Any
) -> None:
    made = create(world, kind, **given)
    renamed = update(world, kind, made.id, EntityPatch(name="Two"))
    assert details_of(world, kind, made.id) != expected
    changed = update(world, kind, made.id, **change)
    assert details_of(world, kind, made.id) == expected
    assert changed.name == "Two"
    assert changed.updated_at > renamed.updated_at
    assert update(world, kind, made.id, **change) == changed
    assert [action for action, _ in states(world, made.id)] == ["updated", "updated", "created"]


def test_details_are_in_the_trail(world: World) -> None:
    device = create(world, "device", firmware_version="1")
    update(world, "device", device.id, firmware_version="2")
    with world.changing() as (session, change):
        entity_delete(session, change=change, entity_id=device.id)
    with world.changing() as (session, change):
        entity_restore(session, change=change, entity_id=device.id)
    states_of_device = [(action, after["firmwareVersion"]) for action, after in states(world, device.id)]
    assert states_of_device == [("restored", "2"), ("deleted", "2"), ("updated", "2"), ("created", "1")]
    activity = create(world, "activity", due_at=DUE)
    [(_, after)] = states(world, activity.id)
    assert (after["dueAt"], after["category"], after["checklist"]) == ("2026-05-01T08:00:00+00:00", "general", [])


BAD: list[tuple[str, dict[str, Any], str, tuple[str, ...]]] = [
    ("device", {"firmware_version": "x" * 201}, "BAD_USER_INPUT", ("firmwareVersion",)),
    ("device", {"firmware_version": "1\0"}, "BAD_USER_INPUT", ("firmwareVersion",)),
    ("person", {"email": "ada"}, "BAD_USER_INPUT", ("email",)),
    ("person", {"email": "a b@c"}, "BAD_USER_INPUT", ("email",)),
    ("person", {"email": "a@b@c"}, "BAD_USER_INPUT", ("email",)),
    ("person", {"email": "a@" + "b" * 253}, "BAD_USER_INPUT", ("email",)),
    ("activity", {"category": ""}, "BAD_USER_INPUT", ("category",)),
    ("activity", {"priority": "x" * 101}, "BAD_USER_INPUT", ("priority",)),
    ("activity", {"due_at": DUE.replace(tzinfo=None)}, "BAD_USER_INPUT", ("dueAt",)),
    ("activity", {"checklist": {"text": "a"}}, "BAD_USER_INPUT", ("checklist",)),
    ("activity", {"checklist": [7]}, "BAD_USER_INPUT", ("checklist", "0")),
    ("activity", {"checklist": [{"text": "a"}, {"done": True}]}, "BAD_USER_INPUT", ("checklist", "1", "text")),
    ("activity", {"checklist": [{"text": "a", "done": 1}]}, "BAD_USER_INPUT", ("checklist", "0", "done")),
    ("activity", {"checklist": [{"text": "a", "x": "\0"}]}, "BAD_USER_INPUT", ("checklist", "0", "x")),
    ("activity", {"checklist": [{"text": "a"}] * 501}, "LIMIT_EXCEEDED", ("checklist",)),
    ("activity", {"checklist": [{"text": "x" * 1_000}] * 100}, "LIMIT_EXCEEDED", ("checklist",)),
]


@pytest.mark.parametrize(("kind", "details", "code", "path"), BAD)
def test_bad_details_leave_nothing_behind(
    world: World, kind: str, details: dict[str, Any], code: str, path: tuple[str, ...]
) -> None:
    assert fault_of(lambda: create(world, kind, **details)) == (code, path)
    with world.session() as session:
        assert session.scalar(text("SELECT count(*) FROM entities")) == 0
    made = create(world, kind)
    before = details_of(world, kind, made.id)
    assert fault_of(lambda: update(world, kind, made.id, **details)) == (code, path)
    assert details_of(world, kind, made.id) == before
    assert len(states(world, made.id)) == 1


@pytest.mark.parametrize(("kind", "relationship"), [("asset", "HAS_PART"), ("space", "CONTAINS")])
def test_a_parent_is_above_from_the_first_moment(world: World, other: World, kind: str, relationship: str) -> None:
    parent = create(world, kind)
    with world.changing() as (session, change):
        child = CREATE[kind](session, change=change, draft=EntityDraft(name="child"), parent_id=parent.id)
        [edge] = edges_of(session, organization_id=world.organization_id, entity_ids=[child.id])[child.id]
    assert (edge.source_id, edge.relationship, edge.target_id) == (parent.id, relationship, child.id)
    assert edge.valid_from == child.created_at
    stranger = create(world, "device")
    deleted = create(other, kind)
    with world.changing() as (session, change):
        entity_delete(session, change=change, entity_id=child.id)
    for parent_id in (new_id(), stranger.id, deleted.id, child.id):

        def attempt(parent_id: UUID = parent_id) -> Entity:
            with world.changing() as (session, change):
                return CREATE[kind](session, change=change, draft=EntityDraft(name="lost"), parent_id=parent_id)

        assert fault_of(attempt) == ("NOT_FOUND", ("parentId",))
    with world.session() as session:
        assert session.scalar(text("SELECT count(*) FROM entities WHERE name = 'lost'")) == 0


def test_details_cost_one_statement_however_many(world: World, statements: Any) -> None:
    with world.changing() as (session, change):
        for kind in DETAILS:
            for number in range(30):
                CREATE[kind](session, change=change, draft=EntityDraft(name=str(number)))
    with world.session() as session:
        ids = list(session.scalars(text("SELECT id FROM entities")))
        assert len(ids) == 90
        for read in DETAILS.values():
            with statements(world.api) as seen:
                assert len(read(session, organization_id=world.organization_id, ids=ids)) == 30
            assert len(seen) == 1
