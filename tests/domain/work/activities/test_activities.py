"""Activities: created from templates, assigned to persons, moved through their states."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.plant.persons.operations import person_create
from domain.work.activities.checklist import checklist_check
from domain.work.activities.lifecycle import ActivityState
from domain.work.activities.model import StepKind
from domain.work.activities.operations import activity_create, activity_update
from domain.work.activities.progress import activity_assign, activity_item_complete, activity_transition
from domain.work.activities.queries import activity_details_get
from domain.work.activities.steps import NOTE_MAX_CHARS, activity_history_get
from domain.work.activity_templates.making import TARGETS_MAX, activity_create_from_template
from domain.work.activity_templates.operations import (
    DUE_IN_MAX,
    activity_template_create,
    activity_template_delete,
    activity_template_update,
)
from domain.work.activity_templates.queries import activity_templates_page
from graph.change import GraphChange
from graph.edges.operations import edge_create
from graph.edges.queries import edges_of
from graph.entities.model import Entity, EntityDraft, EntityPatch
from graph.errors import ArgusError, BadInputError, ConflictError, LimitExceededError, NotFoundError
from graph.kinds import EntityKind
from graph.paging import PageRequest
from testing.world import World, new_id


def template(world: World, **given: Any) -> UUID:
    with world.changing() as (session, change):
        return activity_template_create(session, change=change, **{"name": "Look after it", **given}).id


def make(world: World, template_id: UUID, *targets: UUID) -> Entity:
    with world.changing() as (session, change):
        return activity_create_from_template(session, change=change, template_id=template_id, target_ids=targets)


def person(world: World, place: UUID | None, **attributes: Any) -> UUID:
    with world.changing() as (session, change):
        made = person_create(session, change=change, draft=EntityDraft(name="Somebody", attributes=attributes))
        if place is not None:
            edge_create(session, change=change, source_id=made.id, target_id=place, relationship="LOCATED_IN")
    return made.id


def connect(world: World, source: UUID, relationship: str, target: UUID) -> None:
    with world.changing() as (session, change):
        edge_create(session, change=change, source_id=source, target_id=target, relationship=relationship)


def assignee(world: World, activity_id: UUID) -> list[UUID]:
    with world.session() as session:
        edges = edges_of(
            session,
            organization_id=world.organization_id,
            entity_ids=[activity_id],
            relationships=["ASSIGNED_TO"],
        )
    return [edge.target_id for edge in edges.get(activity_id, [])]  # type: ignore[call-overload]


def move(world: World, activity_id: UUID, *states: ActivityState) -> Entity:
    for state in states:
        with world.changing() as (session, change):
            moved = activity_transition(session, change=change, activity_id=activity_id, to=state)
    return moved


def refused(world: World, work: Any, **arguments: Any) -> ArgusError:
    with pytest.raises(ArgusError) as caught, world.changing() as (session, change):
        work(session, change=change, **arguments)
    return caught.value


def test_an_activity_has_what_its_template_says(world: World) -> None:
    asset = world.entity(EntityKind.ASSET)
    chosen = template(
        world,
        description="Listen to it.",
        type="Inspection",
        default_priority="high",
        checklist=[{"text": "Bearings"}, {"id": "oil", "text": "Oil", "litres": 2}],
        due_in=timedelta(days=2),
    )
    made = make(world, chosen, asset)
    assert (made.name, made.type, made.status) == ("Look after it", "Inspection", "open")
    assert made.attributes == {"description": "Listen to it."}
    with world.session() as session:
        scope: dict[str, Any] = {"organization_id": world.organization_id}
        details = activity_details_get(session, **scope, ids=[made.id])[made.id]
        edges = edges_of(session, **scope, entity_ids=[made.id])[made.id]
        [step] = activity_history_get(session, **scope, ids=[made.id])[made.id]
    assert (details.priority, details.due_at) == ("high", made.created_at + timedelta(days=2))
    assert details.checklist == [
        {"id": "1", "text": "Bearings", "done": False},
        {"id": "oil", "text": "Oil", "litres": 2, "done": False},
    ]
    assert [(edge.relationship, edge.target_id) for edge in edges] == [("TARGETS", asset)]
    assert (step.kind, step.to_status, step.actor, step.recorded_at) == (
        StepKind.CREATED, "open", "test", made.created_at,
    )  # fmt: skip


def test_it_is_assigned_by_role_in_the_nearest_space(world: World) -> None:
    site, hall, room = world.entities(EntityKind.SPACE, 3)
    asset = world.entity(EntityKind.ASSET)
    connect(world, site, "CONTAINS", hall)
    connect(world, hall, "CONTAINS", room)
    connect(world, asset, "LOCATED_IN", room)
    person(world, room, role="cleaner")
    first, second = person(world, hall, role="fitter"), person(world, hall, roles=["fitter", "driver"])
    person(world, site, role="fitter")
    chosen = template(world, default_assigned_role="fitter")
    made = [make(world, chosen, asset) for _ in range(3)]
    assert [assignee(world, activity.id) for activity in made] == [[first], [second], [first]]
    assert [activity.status for activity in made] == ["assigned", "assigned", "assigned"]
    move(world, made[0].id, ActivityState.CANCELLED)
    move(world, made[2].id, ActivityState.CANCELLED)
    assert assignee(world, make(world, chosen, asset).id) == [first]


def test_without_a_holder_of_the_role_it_stays_open(world: World) -> None:
    room = world.entity(EntityKind.SPACE)
    person(world, None, role="fitter")
    person(world, room, role="cleaner")
    made = make(world, template(world, default_assigned_role="fitter"), room)
    assert (made.status, assignee(world, made.id)) == ("open", [])


def test_it_passes_through_its_states_and_records_who_changed_them(world: World) -> None:
    asset, worker = world.entity(EntityKind.ASSET), person(world, None)
    made = make(world, template(world), asset)
    fault = refused(world, activity_transition, activity_id=made.id, to=ActivityState.ASSIGNED)
    assert (fault.code, fault.path) == ("CONFLICT", ("to",))
    with world.changing() as (session, change):
        activity_assign(session, change=change, activity_id=made.id, person_id=worker)
    states = (ActivityState.IN_PROGRESS, ActivityState.DONE, ActivityState.VERIFIED, ActivityState.OPEN)
    assert move(world, made.id, *states).status == "open"
    fault = refused(world, activity_transition, activity_id=made.id, to=ActivityState.DONE)
    assert fault.message == "An activity that is OPEN can become ASSIGNED, CANCELLED, not DONE."
    with world.session() as session:
        history = activity_history_get(session, organization_id=world.organization_id, ids=[made.id])[made.id]
    assert [(step.kind.value, step.from_status, step.to_status) for step in history] == [
        ("CREATED", None, "open"),
        ("ASSIGNED", None, None),
        ("MOVED", "open", "assigned"),
        ("MOVED", "assigned", "in_progress"),
        ("MOVED", "in_progress", "done"),
        ("MOVED", "done", "verified"),
        ("MOVED", "verified", "open"),
    ]
    assert history[1].person_id == worker


def test_an_update_of_the_status_is_a_move_like_any_other(world: World) -> None:
    made = make(world, template(world), world.entity(EntityKind.ASSET))
    fault = refused(world, activity_update, activity_id=made.id, patch=EntityPatch(status="verified"))
    assert (fault.code, fault.path) == ("CONFLICT", ("status",))
    with world.changing() as (session, change):
        moved = activity_update(session, change=change, activity_id=made.id, patch=EntityPatch(status="cancelled"))
    assert moved.status == "cancelled"


def status(world: World, activity_id: UUID, to: str) -> Entity:
    with world.changing() as (session, change):
        return activity_update(session, change=change, activity_id=activity_id, patch=EntityPatch(status=to))


def test_an_update_of_the_status_keeps_in_step_with_who_has_it(world: World) -> None:
    somebody = person(world, None)
    made = make(world, template(world), world.entity(EntityKind.ASSET))
    for before in ("open", "waiting for parts"):
        status(world, made.id, before)
        with pytest.raises(ConflictError, match="It has no assignee") as refused:
            status(world, made.id, "assigned")
        assert refused.value.path == ("status",)
    with world.changing() as (session, change):
        activity_assign(session, change=change, activity_id=made.id, person_id=somebody)
    assert assignee(world, made.id) == [somebody]
    assert status(world, made.id, "open").status == "open"
    assert assignee(world, made.id) == []
    with world.changing() as (session, change):
        activity_assign(session, change=change, activity_id=made.id, person_id=somebody)
    for item in ("in_progress", "done", "open", "assigned"):
        # Opened again, it stays with whom it was.
        assert status(world, made.id, item).status == item
        assert assignee(world, made.id) == [somebody]


def test_an_item_of_a_checklist_may_be_just_a_text(world: World) -> None:
    with world.changing() as (session, change):
        made = activity_template_create(session, change=change, name="Look", checklist=["Look", "Listen"])
    assert made.checklist == [
        {"id": "1", "text": "Look", "done": False},
        {"id": "2", "text": "Listen", "done": False},
    ]
    assert checklist_check(["Look", {"text": "Oil", "id": "o"}]) == [
        {"text": "Look", "done": False},
        {"text": "Oil", "id": "o", "done": False},
    ]
    for wrong, path, why in (
        ([""], ("checklist", "0"), "must not be empty"),
        (["Look", 7], ("checklist", "1"), "a text, or an object"),
        ([["Look"]], ("checklist", "0"), "a text, or an object"),
        ([{"done": True}], ("checklist", "0", "text"), "text"),
        ("Look", ("checklist",), "a list of items"),
    ):
        with pytest.raises(BadInputError, match=why) as refused:
            checklist_check(wrong)
        assert refused.value.path == path


def test_reassigning_ends_the_previous_assignment(world: World) -> None:
    first, second = person(world, None), person(world, None)
    made = make(world, template(world), world.entity(EntityKind.ASSET))

    def give(session: Any, change: GraphChange, to: UUID | None) -> Entity:
        return activity_assign(session, change=change, activity_id=made.id, person_id=to)

    for worker, expected in ((first, [first]), (second, [second]), (None, [])):
        with world.changing() as (session, change):
            give(session, change, worker)
        assert assignee(world, made.id) == expected
    missing = refused(world, activity_assign, activity_id=made.id, person_id=new_id())
    assert (missing.code, missing.path) == ("NOT_FOUND", ("personId",))
    move(world, made.id, ActivityState.CANCELLED)
    assert refused(world, activity_assign, activity_id=made.id, person_id=first).code == "CONFLICT"


def test_a_checklist_item_records_by_whom_and_when(world: World) -> None:
    made = make(world, template(world, checklist=[{"text": "a"}, {"text": "b"}]), world.entity(EntityKind.ASSET))
    with world.changing() as (session, change):
        activity_item_complete(session, change=change, activity_id=made.id, item_id="2", note="worn")
        at = change.recorded.isoformat().replace("+00:00", "Z")
    with world.session() as session:
        details = activity_details_get(session, organization_id=world.organization_id, ids=[made.id])[made.id]
    assert details.checklist == [
        {"id": "1", "text": "a", "done": False},
        {"id": "2", "text": "b", "done": True, "doneBy": "test", "doneAt": at, "note": "worn"},
    ]
    with world.changing() as (session, change):
        activity_item_complete(session, change=change, activity_id=made.id, item_id="2", done=False)
    with world.session() as session:
        details = activity_details_get(session, organization_id=world.organization_id, ids=[made.id])[made.id]
    assert details.checklist[1] == {"id": "2", "text": "b", "done": False}
    fault = refused(world, activity_item_complete, activity_id=made.id, item_id="3")
    assert (fault.code, fault.path) == ("NOT_FOUND", ("itemId",))
    fault = refused(world, activity_item_complete, activity_id=made.id, item_id="1", note="x" * (NOTE_MAX_CHARS + 1))
    assert (fault.code, fault.path) == ("BAD_USER_INPUT", ("note",))


def test_a_required_item_keeps_its_activity_from_being_done(world: World) -> None:
    checklist = [{"text": "a"}, {"id": "oil", "text": "Look at the oil", "required": True}]
    made = make(world, template(world, checklist=checklist), world.entity(EntityKind.ASSET))
    somebody = person(world, None)
    with world.changing() as (session, change):
        activity_assign(session, change=change, activity_id=made.id, person_id=somebody)
    move(world, made.id, ActivityState.IN_PROGRESS)
    fault = refused(world, activity_transition, activity_id=made.id, to=ActivityState.DONE)
    assert (fault.code, fault.path) == ("CONFLICT", ("to",))
    assert "'oil' (Look at the oil)" in fault.message
    assert "'1'" not in fault.message
    by_update: list[tuple[dict[str, Any], tuple[str, ...]]] = [
        ({"patch": EntityPatch(status="done")}, ("status",)),
        ({"patch": EntityPatch(status="done"), "checklist": [{"text": "b", "required": True}]}, ("status",)),
    ]
    for given, path in by_update:
        fault = refused(world, activity_update, activity_id=made.id, **given)
        assert (fault.code, fault.path) == ("CONFLICT", path)
    with world.changing() as (session, change):
        activity_item_complete(session, change=change, activity_id=made.id, item_id="oil")
    assert move(world, made.id, ActivityState.DONE).status == "done"
    # What is done stays so: neither a new checklist nor a new activity makes it untrue.
    fault = refused(
        world, activity_update, activity_id=made.id, patch=EntityPatch(), checklist=[{"text": "b", "required": True}]
    )
    assert (fault.code, fault.path) == ("CONFLICT", ("checklist",))
    for finished in ("done", "verified"):
        draft = EntityDraft(name="Done before it began", status=finished)
        fault = refused(world, activity_create, draft=draft, checklist=[{"text": "b", "required": True}])
        assert (fault.code, fault.path) == ("CONFLICT", ("status",))


def test_an_activity_with_required_items_can_be_cancelled(world: World) -> None:
    made = make(world, template(world, checklist=[{"text": "a", "required": True}]), world.entity(EntityKind.ASSET))
    assert move(world, made.id, ActivityState.CANCELLED).status == "cancelled"


def test_a_template_is_changed_and_deleted(world: World, other: World) -> None:
    chosen = template(world, due_in=timedelta(days=1))
    template(world, name="Another")
    assert type(refused(world, activity_template_create, name="Another")) is ConflictError
    with world.changing() as (session, change):
        after = activity_template_update(session, change=change, template_id=chosen, name="Mend it", description="Now.")
    assert (after.name, after.description, after.due_in) == ("Mend it", "Now.", timedelta(days=1))
    assert type(refused(other, activity_template_delete, template_id=chosen)) is NotFoundError
    with world.session() as session:
        page = activity_templates_page(session, organization_id=world.organization_id, page=PageRequest(1, None))
        second_page = activity_templates_page(
            session, organization_id=world.organization_id, page=PageRequest(1, page.keys[0])
        )
    assert ([item.name for item in page.items], page.has_next) == (["Another"], True)
    assert ([item.name for item in second_page.items], second_page.has_next) == (["Mend it"], False)
    with world.changing() as (session, change):
        activity_template_delete(session, change=change, template_id=chosen)
    asset = world.entity(EntityKind.ASSET)
    fault = refused(world, activity_create_from_template, template_id=chosen, target_ids=[asset])
    assert (fault.code, fault.path) == ("NOT_FOUND", ("templateId",))
    with world.session() as session:
        page = activity_templates_page(session, organization_id=world.organization_id, page=PageRequest(9, None))
        assert page.total is not None
        assert ([item.name for item in page.items], page.total()) == (["Another"], 1)


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"due_in": timedelta(0)}, ("dueIn",)),
        ({"due_in": DUE_IN_MAX + timedelta(seconds=1)}, ("dueIn",)),
        ({"checklist": [{"id": "1", "text": "a"}, {"id": "1", "text": "b"}]}, ("checklist", "1", "id")),
        ({"name": ""}, ("name",)),
        ({"default_priority": "x" * 101}, ("defaultPriority",)),
    ],
)
def test_a_template_that_cannot_be_is_refused(world: World, given: dict[str, Any], path: tuple[str, ...]) -> None:
    fault = refused(world, activity_template_create, **{"name": "One", **given})
    assert (type(fault), fault.path) == (BadInputError, path)


def test_targets_are_bounded_and_must_exist(world: World) -> None:
    chosen, asset = template(world), world.entity(EntityKind.ASSET)
    many = [new_id() for _ in range(TARGETS_MAX + 1)]
    for targets, error, path in (
        ([], BadInputError, ("targetIds",)),
        ([asset, asset], BadInputError, ("targetIds",)),
        (many, LimitExceededError, ("targetIds",)),
        ([asset, new_id()], NotFoundError, ("targetIds", "1")),
    ):
        fault = refused(world, activity_create_from_template, template_id=chosen, target_ids=targets)
        assert (type(fault), fault.path) == (error, path)
