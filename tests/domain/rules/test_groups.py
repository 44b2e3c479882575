"""Rules about the members of a group: each is evaluated as long as it is a member, also when that is told later."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.definitions.groups.model import GroupKind
from domain.nodes.filters.model import ListFilter
from domain.nodes.groups.members import group_members_add, group_members_remove
from domain.nodes.groups.operations import group_create, group_delete
from domain.rules.in_force import rules_in_force
from domain.rules.model import Scope
from domain.rules.operations import RuleDraft, rule_create, rule_delete, rule_update
from graph.errors import BadInputError, ConflictError, NotFoundError
from testing.deriving_plant import DerivingPlant
from testing.world import EPOCH, new_id
from tests.domain.rules.test_endings import HOT, at, kinds, read, ruled, stored_events
from tests.domain.rules.test_stage import over


def group_of(plant: DerivingPlant, where: ListFilter | None = None, name: str = "G") -> UUID:
    with plant.line.world.changing() as (session, change):
        kind = GroupKind.STATIC if where is None else GroupKind.DYNAMIC
        common: dict[str, Any] = {"now": change.recorded, "offline_after": timedelta(minutes=15)}
        return group_create(session, change=change, name=name, kind=kind, where=where, **common).id


def add(plant: DerivingPlant, group_id: UUID, ids: Sequence[UUID], begins: datetime | None) -> None:
    with plant.line.world.changing() as (session, change):
        group_members_add(session, change=change, group_id=group_id, entity_ids=ids, begins=begins)
    plant.drain()


def remove(plant: DerivingPlant, group_id: UUID, ids: Sequence[UUID], ends: datetime | None) -> None:
    with plant.line.world.changing() as (session, change):
        group_members_remove(session, change=change, group_id=group_id, entity_ids=ids, at=ends)
    plant.drain()


def test_a_member_is_evaluated_as_long_as_it_is_one(plant: DerivingPlant) -> None:
    member, other = plant.line.device(), plant.line.device()
    group_id = group_of(plant)
    rule_id = ruled(plant, HOT, group_id=group_id)
    for device in (member, other):
        read(plant, device, (0, 60), (40, 10), (50, 70))
    assert stored_events(plant) == []
    # It was a member from the twentieth minute on: the last reading before is evaluated there.
    add(plant, group_id, [member], at(20))
    assert stored_events(plant) == [(20, 40, "CONDITION"), (50, None, None)]
    with plant.line.world.session() as session:
        for minute, names in ((19, []), (20, ["x"])):
            rules = rules_in_force(session, organization_id=plant.organization_id, entity_id=member, at=at(minute))
            assert [item.rule.name for item in rules] == names
    remove(plant, group_id, [member], at(55))
    assert stored_events(plant) == [(20, 40, "CONDITION"), (50, 55, "SCOPE_LEFT")]
    # Late readings, of a time when it was a member and of one when it was none.
    read(plant, member, (30, 10), (60, 80), (61, 10))
    assert stored_events(plant) == [(20, 30, "CONDITION"), (50, 55, "SCOPE_LEFT")]
    # It had been a member since long before, and is one again.
    add(plant, group_id, [member], at(-5))
    assert stored_events(plant) == [(0, 30, "CONDITION"), (50, 61, "CONDITION")]
    remove(plant, group_id, [member], at(-5))
    assert stored_events(plant) == []
    assert kinds(plant).count("WITHDRAWN") == kinds(plant).count("OPENED") - kinds(plant).count("REOPENED")
    assert plant.windows() == []
    assert {row.rule_id for row in plant.line.rows("SELECT rule_id FROM events")} == {rule_id}


def test_what_no_rule_is_about_invalidates_nothing(plant: DerivingPlant) -> None:
    device = plant.line.device()
    group_id, other = group_of(plant), group_of(plant, name="other")
    ruled(plant, HOT, group_id=other)
    plant.drain()
    for change in (add, remove):
        with plant.line.world.changing() as (session, made):
            if change is add:
                group_members_add(session, change=made, group_id=group_id, entity_ids=[device], begins=EPOCH)
            else:
                group_members_remove(session, change=made, group_id=group_id, entity_ids=[device], at=EPOCH)
        assert plant.windows() == []


def test_only_the_time_that_differs_is_evaluated_again(plant: DerivingPlant) -> None:
    device = plant.line.device()
    group_id = group_of(plant)
    ruled(plant, HOT, group_id=group_id)
    add(plant, group_id, [device], at(0))
    with plant.line.world.changing() as (session, change):
        group_members_remove(session, change=change, group_id=group_id, entity_ids=[device], at=at(30))
    rows = plant.line.rows("SELECT entity_id, begins, reason FROM dirty_windows")
    assert [tuple(row) for row in rows] == [(device, at(30), "rule")]


def test_a_version_that_takes_the_place_of_another_leaves_no_event_of_it(plant: DerivingPlant) -> None:
    """The entities that only the replaced version was about were once not evaluated again."""
    first, second = plant.line.device(), plant.line.device()
    group_id = group_of(plant)
    add(plant, group_id, [first], EPOCH)
    rule_id = ruled(plant, HOT, group_id=group_id)
    for device in (first, second):
        read(plant, device, (0, 60))
    assert [row.entity_id for row in plant.line.rows("SELECT entity_id FROM events")] == [first]
    with plant.line.world.changing() as (session, change):
        draft = RuleDraft(name="x", condition=HOT, scope=Scope(entity_id=second), effective_from=EPOCH)
        rule_update(session, change=change, rule_id=rule_id, draft=draft)
    plant.drain()
    rows = plant.line.rows("SELECT entity_id FROM events WHERE withdrawn_at IS NULL")
    assert [row.entity_id for row in rows] == [second]


def test_a_rule_is_about_a_static_group_that_there_is(plant: DerivingPlant) -> None:
    dynamic = group_of(plant, ListFilter(types=["pump"]))
    with pytest.raises(BadInputError, match="'G' is DYNAMIC") as refused:
        ruled(plant, HOT, group_id=dynamic)
    assert refused.value.path == ("scope", "groupId")
    with pytest.raises(NotFoundError) as unknown:
        ruled(plant, HOT, group_id=new_id())
    assert unknown.value.path == ("scope", "groupId")
    with pytest.raises(BadInputError, match="groupId") as both:
        ruled(plant, HOT, group_id=group_of(plant, name="static"), under_id=new_id())
    assert both.value.path == ("scope",)


def test_a_group_that_a_rule_is_about_is_not_deleted(plant: DerivingPlant) -> None:
    group_id = group_of(plant)

    def delete() -> None:
        with plant.line.world.changing() as (session, change):
            group_delete(session, change=change, group_id=group_id)

    def write(rule_id: UUID, condition: dict[str, Any], scope: Scope, since: datetime | None) -> None:
        with plant.line.world.changing() as (session, change):
            draft = RuleDraft(name="x", condition=condition, scope=scope, effective_from=since)
            rule_update(session, change=change, rule_id=rule_id, draft=draft)

    rule_id = ruled(plant, HOT, group_id=group_id)
    with pytest.raises(ConflictError, match="The rule 'x' is about the group 'G'") as refused:
        delete()
    assert refused.value.path == ("id",)
    # Another version is about all, and a later one about the group again.
    write(rule_id, HOT, Scope(), None)
    future = datetime(2990, 1, 1, tzinfo=EPOCH.tzinfo)
    write(rule_id, over(70), Scope(group_id=group_id), future)
    with pytest.raises(ConflictError):
        delete()
    write(rule_id, over(70), Scope(), future)
    delete()
    with pytest.raises(NotFoundError):
        ruled(plant, HOT, group_id=group_id)


def test_a_group_is_deleted_after_the_rule_about_it(plant: DerivingPlant) -> None:
    """What the rule found while its members were members stays."""
    device = plant.line.device()
    group_id = group_of(plant)
    add(plant, group_id, [device], EPOCH)
    rule_id = ruled(plant, HOT, group_id=group_id)
    read(plant, device, (0, 60), (10, 20))
    with plant.line.world.changing() as (session, change):
        rule_delete(session, change=change, rule_id=rule_id)
    with plant.line.world.changing() as (session, change):
        group_delete(session, change=change, group_id=group_id)
    plant.drain()
    read(plant, device, (5, 70))
    assert stored_events(plant) == [(0, 10, "CONDITION")]
    with plant.line.world.changing() as (session, change), pytest.raises(NotFoundError):
        group_members_remove(session, change=change, group_id=group_id, entity_ids=[device], at=EPOCH)


def test_members_of_several_groups_by_rules_of_several_versions(plant: DerivingPlant) -> None:
    device = plant.line.device()
    one, two = group_of(plant, name="one"), group_of(plant, name="two")
    add(plant, one, [device], at(0))
    add(plant, two, [device], at(20))
    with plant.line.world.changing() as (session, change):
        draft = RuleDraft(name="x", condition=HOT, scope=Scope(group_id=one), effective_from=EPOCH)
        rule_id = rule_create(session, change=change, draft=draft).id
    read(plant, device, (0, 60))
    assert stored_events(plant) == [(0, None, None)]
    with plant.line.world.changing() as (session, change):
        draft = RuleDraft(name="x", condition=HOT, scope=Scope(group_id=two), effective_from=at(10))
        rule_update(session, change=change, rule_id=rule_id, draft=draft)
    plant.drain()
    assert [row[:2] for row in stored_events(plant)] == [(0, 10), (20, None)]
