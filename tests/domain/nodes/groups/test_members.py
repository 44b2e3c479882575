"""Members of groups: when they are members equals plain sets of hours, however they were added and removed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from domain.definitions.groups.model import GroupKind
from domain.definitions.groups.queries import memberships_read
from domain.nodes.filters.model import ListFilter
from domain.nodes.groups import members
from domain.nodes.groups.members import (
    group_members_add,
    group_members_count,
    group_members_pages,
    group_members_remove,
)
from domain.nodes.groups.operations import group_create
from domain.nodes.lists import entity_list
from domain.nodes.operations import entity_delete
from domain.plant.assets.operations import asset_create
from graph.changes import ChangeFilter, changes_page
from graph.entities.model import EntityDraft
from graph.errors import ArgusError, BadInputError, LimitExceededError, NotFoundError
from graph.kinds import EntityKind
from graph.paging import Page, PageRequest
from graph.walk.spans import END_US
from testing.world import EPOCH, World, day, new_id

Statements = Callable[[Engine], AbstractContextManager[list[str]]]
COMMON: dict[str, Any] = {"now": day(0), "offline_after": timedelta(minutes=15)}
HOUR_US = 3_600_000_000
HOURS = 12


def hour(n: int) -> datetime:
    return EPOCH + timedelta(hours=n)


def group(world: World, name: str = "G", where: ListFilter | None = None) -> UUID:
    kind = GroupKind.STATIC if where is None else GroupKind.DYNAMIC
    with world.changing() as (session, change):
        return group_create(session, change=change, name=name, kind=kind, where=where, **COMMON).id


def add(world: World, group_id: UUID, ids: Sequence[UUID], begins: datetime | None = EPOCH) -> None:
    with world.changing() as (session, change):
        group_members_add(session, change=change, group_id=group_id, entity_ids=ids, begins=begins)


def remove(world: World, group_id: UUID, ids: Sequence[UUID], at: datetime | None) -> None:
    with world.changing() as (session, change):
        group_members_remove(session, change=change, group_id=group_id, entity_ids=ids, at=at)


def pages(world: World, ids: Sequence[UUID], first: int = 50, **more: Any) -> dict[UUID, Page[Any] | ArgusError]:
    with world.session() as session:
        page = PageRequest(first, **more.pop("page", {}))
        return group_members_pages(
            session, organization_id=world.organization_id, ids=ids, page=page, **{**COMMON, **more}
        )


def page(world: World, group_id: UUID, first: int = 50, **more: Any) -> Page[Any]:
    result = pages(world, [group_id], first, **more)[group_id]
    if isinstance(result, ArgusError):
        raise result
    return result


def listed(world: World, group_id: UUID, as_of: datetime | None = None) -> set[UUID]:
    with world.session() as session:
        read = entity_list(
            session, organization_id=world.organization_id, where=ListFilter(group_id=group_id), page=PageRequest(50),
            as_of=as_of, **COMMON,
        )  # fmt: skip
        return {item.id for item in read.items}


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(st.booleans(), st.integers(0, HOURS - 1), st.sets(st.integers(0, 2), min_size=1)), max_size=10
    )
)
def test_members_are_those_of_a_plain_set(world: World, steps: list[tuple[bool, int, set[int]]]) -> None:
    entities = world.entities(EntityKind.ASSET, 3)
    group_id = group(world, name=str(new_id()))
    plain: list[set[int]] = [set(), set(), set()]
    for is_added, begins, chosen in steps:
        # As if time ended with the last hour.
        later = set(range(begins, HOURS))
        ids = [entities[n] for n in chosen]
        if is_added:
            add(world, group_id, ids, hour(begins))
            for n in chosen:
                plain[n] |= later
        elif all(plain[n] & later for n in chosen):
            remove(world, group_id, ids, hour(begins))
            for n in chosen:
                plain[n] -= later
        else:
            with pytest.raises(NotFoundError):
                remove(world, group_id, ids, hour(begins))
    with world.session() as session:
        spans = memberships_read(
            session, organization_id=world.organization_id, group_ids=[group_id], entity_ids=entities
        )
    begin_us = int(EPOCH.timestamp()) * 1_000_000
    for n, entity_id in enumerate(entities):
        read: set[int] = set()
        for first, last in spans.get(entity_id, {}).get(group_id, []):
            ends = HOURS if last == END_US else (last - begin_us) // HOUR_US
            read |= set(range((first - begin_us) // HOUR_US, ends))
        assert read == plain[n]
    for n in range(HOURS):
        expected = {entity_id for entity_id, hours in zip(entities, plain, strict=True) if n in hours}
        assert listed(world, group_id, hour(n)) == expected
        assert {item.id for item in page(world, group_id, as_of=hour(n)).items} == expected
    with world.session() as session:
        counts = group_members_count(session, organization_id=world.organization_id, ids=[group_id], **COMMON)
    assert counts == {group_id: sum(HOURS - 1 in hours for hours in plain)}


def test_pages_of_members(world: World) -> None:
    names = ["b", "a", "c", "a"]
    with world.changing() as (session, change):
        ids = [asset_create(session, change=change, draft=EntityDraft(name=name)).id for name in names]
    group_id = group(world)
    add(world, group_id, ids)
    expected = sorted(zip(names, ids, strict=True))
    first = page(world, group_id, 3)
    assert [(item.name, item.id) for item in first.items] == expected[:3]
    assert (first.has_next, first.has_previous) == (True, False)
    second = page(world, group_id, 3, page={"after": first.keys[-1]})
    assert [(item.name, item.id) for item in second.items] == expected[3:]
    assert (second.has_next, second.has_previous) == (False, True)
    back = page(world, group_id, 3, page={"last": 2})
    assert [(item.name, item.id) for item in back.items] == expected[2:]
    assert (back.has_next, back.has_previous) == (False, True)
    with pytest.raises(BadInputError):
        page(world, group_id, page={"after": ("rules", "x", str(ids[0]))})


def test_static_groups_cost_the_same_number_of_statements_for_one_and_for_many(
    world: World, statements: Statements
) -> None:
    ids = [group(world, f"G{n}") for n in range(10)]
    asset = world.entity(EntityKind.ASSET)
    for group_id in ids:
        add(world, group_id, [asset])
    seen = []
    for some in (ids[:1], ids):
        with world.session() as session, statements(world.api) as executed:
            counts = group_members_count(session, organization_id=world.organization_id, ids=some, **COMMON)
            result = group_members_pages(
                session, organization_id=world.organization_id, ids=some, page=PageRequest(5), **COMMON
            )
            totals = [of_one.total() for of_one in result.values() if isinstance(of_one, Page) and of_one.total]
        assert (set(counts.values()), totals) == ({1}, [1] * len(some))
        seen.append(len(executed))
    assert seen[0] == seen[1]


def test_deleted_entities_are_no_members_and_restored_ones_are(world: World) -> None:
    gone, there = world.entities(EntityKind.ASSET, 2)
    group_id = group(world)
    add(world, group_id, [gone, there])
    with world.changing() as (session, change):
        entity_delete(session, change=change, entity_id=gone)
    assert listed(world, group_id) == {there}
    assert [item.id for item in page(world, group_id).items] == [there]
    with world.session() as session:
        counts = group_members_count(session, organization_id=world.organization_id, ids=[group_id], **COMMON)
    assert counts == {group_id: 1}
    with pytest.raises(NotFoundError, match="is deleted") as refused:
        add(world, group_id, [there, gone])
    assert refused.value.path == ("entityIds", "1")


def test_what_is_refused_changes_nothing(world: World) -> None:
    asset, other = world.entities(EntityKind.ASSET, 2)
    static, dynamic = group(world), group(world, "D", ListFilter(kinds=[EntityKind.ASSET]))
    unknown = new_id()
    with pytest.raises(NotFoundError) as no_entity:
        add(world, static, [asset, unknown])
    assert no_entity.value.path == ("entityIds", "1")
    assert listed(world, static) == set()
    add(world, static, [asset])
    with pytest.raises(NotFoundError, match="no member of the group 'G'") as no_member:
        remove(world, static, [asset, other], EPOCH)
    assert no_member.value.path == ("entityIds", "1")
    assert listed(world, static) == {asset}
    for call in (add, remove):
        with pytest.raises(BadInputError, match="'D' is DYNAMIC") as refused:
            call(world, dynamic, [asset], EPOCH)
        assert refused.value.path == ("groupId",)
    with pytest.raises(NotFoundError) as no_group:
        add(world, new_id(), [asset])
    assert no_group.value.path == ("groupId",)
    with pytest.raises(BadInputError) as past:
        page(world, dynamic, as_of=EPOCH)
    assert past.value.path == ("asOf",)
    with pytest.raises(BadInputError) as past_list:
        listed(world, dynamic, EPOCH)
    assert past_list.value.path == ("filter", "groupId")


def test_bounds(world: World) -> None:
    asset, other = world.entities(EntityKind.ASSET, 2)
    group_id = group(world)
    with pytest.raises(LimitExceededError) as too_many:
        add(world, group_id, [asset] * (members.ENTITIES_MAX + 1))
    assert too_many.value.path == ("entityIds",)
    with patch.object(members, "MEMBERS_MAX", 1), pytest.raises(LimitExceededError, match="1 members"):
        add(world, group_id, [asset, other])
    with patch.object(members, "SPANS_MAX", 2):
        for n in (0, 2):
            add(world, group_id, [asset], hour(n))
            remove(world, group_id, [asset], hour(n + 1))
        with pytest.raises(LimitExceededError) as too_often:
            add(world, group_id, [asset], hour(4))
    assert too_often.value.path == ("entityIds", "0")


def test_the_audit_trail_says_who_is_a_member_when(world: World) -> None:
    asset = world.entity(EntityKind.ASSET)
    group_id = group(world)
    add(world, group_id, [asset], hour(0))
    remove(world, group_id, [asset], hour(2))
    # No change, no entry.
    add(world, group_id, [asset], hour(3))
    add(world, group_id, [asset], hour(4))
    remove(world, group_id, [asset], hour(0))
    with world.session() as session:
        where = ChangeFilter(subject_ids=[group_id])
        trail = changes_page(session, organization_id=world.organization_id, where=where, page=PageRequest(50)).items
    own = [change for change in reversed(trail) if change.action != "created"]

    def span(first: int, last: int | None) -> dict[str, str | None]:
        texts = [None if n is None else hour(n).isoformat().replace("+00:00", "Z") for n in (first, last)]
        return {"from": texts[0], "until": texts[1]}

    states: list[list[dict[str, str | None]]] = [
        [], [span(0, None)], [span(0, 2)], [span(0, 2), span(3, None)], [],
    ]  # fmt: skip
    actions = ["member_added", "member_removed", "member_added", "member_removed"]
    assert [(change.action, change.before, change.after) for change in own] == [
        (action, *({"group": "G", "entityId": str(asset), "valid": state} for state in states[n : n + 2]))
        for n, action in enumerate(actions)
    ]


def test_now_is_when_the_change_is_recorded(world: World) -> None:
    asset = world.entity(EntityKind.ASSET)
    group_id = group(world)
    add(world, group_id, [asset], None)
    assert listed(world, group_id) == {asset}
    assert listed(world, group_id, EPOCH) == set()
    remove(world, group_id, [asset], None)
    assert listed(world, group_id) == set()
    assert listed(world, group_id, datetime.now(UTC) + timedelta(days=1)) == set()
