"""Groups: names, filters that lead to other groups, what is refused, and what stays in the audit trail."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unicodedata import normalize
from unittest.mock import patch
from uuid import UUID

import pytest

from domain.definitions.groups.model import Group, GroupKind
from domain.definitions.groups.queries import groups_get, groups_page
from domain.nodes.filters.model import DEPTH_MAX, AttributeCondition, AttributeOperator, ListFilter
from domain.nodes.groups import operations
from domain.nodes.groups.members import group_members_count
from domain.nodes.groups.operations import group_create, group_delete, group_update
from domain.nodes.lists import entity_list
from domain.nodes.operations import entity_delete
from graph.changes import ChangeFilter, changes_page
from graph.errors import ArgusError, NotFoundError
from graph.kinds import EntityKind
from graph.paging import PageRequest
from testing.faults import fault_of
from testing.world import World, day, new_id

COMMON: dict[str, Any] = {"now": day(0), "offline_after": timedelta(minutes=15)}
ASSETS = ListFilter(kinds=[EntityKind.ASSET])


def create(world: World, name: str = "G", where: ListFilter | None = None, **more: Any) -> Group:
    kind = GroupKind.STATIC if where is None else GroupKind.DYNAMIC
    with world.changing() as (session, change):
        return group_create(session, change=change, **{"name": name, "kind": kind, "where": where, **COMMON, **more})


def update(world: World, group_id: UUID, **more: Any) -> Group:
    with world.changing() as (session, change):
        given = {"name": "G", "kind": GroupKind.STATIC, **COMMON, **more}
        return group_update(session, change=change, group_id=group_id, **given)


def delete(world: World, group_id: UUID) -> Group:
    with world.changing() as (session, change):
        return group_delete(session, change=change, group_id=group_id)


def listed(world: World, where: ListFilter) -> list[UUID]:
    with world.session() as session:
        page = PageRequest(50)
        read = entity_list(session, organization_id=world.organization_id, where=where, page=page, **COMMON)
        return [item.id for item in read.items]


def test_a_name_is_composed_and_unique_while_the_group_is_there(world: World) -> None:
    decomposed = normalize("NFD", "Küche")
    made = create(world, decomposed, description="what is hot")
    assert (made.name, made.description, made.kind) == ("Küche", "what is hot", GroupKind.STATIC)
    assert fault_of(lambda: create(world, "Küche")) == ("CONFLICT", ("name",))
    other = create(world, "Keller")
    assert fault_of(lambda: update(world, other.id, name=decomposed)) == ("CONFLICT", ("name",))
    # Its own name is no other's.
    assert update(world, made.id, name=decomposed).name == "Küche"
    delete(world, made.id)
    assert create(world, "Küche").id != made.id
    with world.session() as session:
        page = groups_page(session, organization_id=world.organization_id, page=PageRequest(50))
        gone = groups_get(session, organization_id=world.organization_id, ids=[made.id])[made.id]
    assert [item.name for item in page.items] == ["Keller", "Küche"]
    assert gone.deleted_at is not None


@pytest.mark.parametrize(
    ("given", "code", "path"),
    [
        ({"name": ""}, "BAD_USER_INPUT", ("name",)),
        ({"name": "x" * 201}, "BAD_USER_INPUT", ("name",)),
        ({"name": "a\0"}, "BAD_USER_INPUT", ("name",)),
        ({"description": "x" * 10_001}, "BAD_USER_INPUT", ("description",)),
        ({"where": ListFilter()}, "BAD_USER_INPUT", ("filter",)),
        ({"where": ListFilter(is_deleted=True)}, "BAD_USER_INPUT", ("filter", "deleted")),
        ({"where": ListFilter(under_id=new_id())}, "NOT_FOUND", ("filter", "underId")),
        ({"where": ListFilter(every=[ListFilter(group_id=new_id())])}, "NOT_FOUND", ("filter", "and", "0", "groupId")),
        ({"where": ListFilter(created_from=day(1), created_to=day(1))}, "BAD_USER_INPUT", ("filter", "createdTo")),
        ({"where": ListFilter(attributes=[AttributeCondition(path="", operator=AttributeOperator.EQ, value=1)])},
         "BAD_USER_INPUT", ("filter", "attributes", "0", "path")),
        ({"where": ListFilter(ids=[new_id() for _ in range(2_000)])}, "LIMIT_EXCEEDED", ("filter",)),
        ({"kind": GroupKind.DYNAMIC}, "BAD_USER_INPUT", ("filter",)),
        ({"kind": GroupKind.STATIC, "where": ASSETS}, "BAD_USER_INPUT", ("filter",)),
    ],
)  # fmt: skip
def test_what_is_refused(world: World, given: dict[str, Any], code: str, path: tuple[str, ...]) -> None:
    assert fault_of(lambda: create(world, **given)) == (code, path)
    with world.session() as session:
        assert groups_page(session, organization_id=world.organization_id, page=PageRequest(50)).items == []


def test_an_update_changes_what_it_names(world: World) -> None:
    static, dynamic = create(world, description="d"), create(world, "D", ASSETS)
    assert update(world, static.id).description == "d"
    assert update(world, static.id, description=None).description is None
    assert update(world, dynamic.id, name="D").filter == {"kinds": ["ASSET"]}
    spaces = ListFilter(kinds=[EntityKind.SPACE])
    assert update(world, dynamic.id, name="D", where=spaces).filter == {"kinds": ["SPACE"]}
    assert fault_of(lambda: update(world, dynamic.id, name="D", where=None)) == ("BAD_USER_INPUT", ("filter",))
    assert fault_of(lambda: update(world, static.id, where=ASSETS)) == ("BAD_USER_INPUT", ("filter",))
    assert fault_of(lambda: update(world, static.id, kind=GroupKind.DYNAMIC)) == ("BAD_USER_INPUT", ("kind",))
    assert fault_of(lambda: update(world, new_id())) == ("NOT_FOUND", ("id",))
    delete(world, static.id)
    assert fault_of(lambda: update(world, static.id)) == ("NOT_FOUND", ("id",))


def test_the_audit_trail_has_each_change_and_none_where_nothing_changed(world: World) -> None:
    made = create(world, "D", ASSETS)
    update(world, made.id, name="D")
    update(world, made.id, name="E")
    delete(world, made.id)
    with world.session() as session:
        where = ChangeFilter(subject_ids=[made.id])
        trail = changes_page(session, organization_id=world.organization_id, where=where, page=PageRequest(50)).items
    state = {"name": "D", "description": None, "kind": "DYNAMIC", "filter": {"kinds": ["ASSET"]}}
    assert [(change.action, change.before, change.after) for change in reversed(trail)] == [
        ("created", None, state),
        ("updated", state, {**state, "name": "E"}),
        ("deleted", {**state, "name": "E"}, None),
    ]


def test_filters_lead_to_other_groups_but_never_back(world: World) -> None:
    asset, device = world.entity(EntityKind.ASSET), world.entity(EntityKind.DEVICE)
    first = create(world, "1", ASSETS)
    second = create(world, "2", ListFilter(none_of=ListFilter(group_id=first.id)))
    third = create(world, "3", ListFilter(any_of=[ListFilter(group_id=first.id), ListFilter(group_id=second.id)]))
    assert listed(world, ListFilter(group_id=first.id)) == [asset]
    assert listed(world, ListFilter(group_id=second.id)) == [device]
    assert set(listed(world, ListFilter(group_id=third.id))) == {asset, device}
    back = ListFilter(every=[ASSETS, ListFilter(group_id=third.id)])
    assert fault_of(lambda: update(world, first.id, name="1", where=back)) == ("CYCLE", ("filter",))
    itself = ListFilter(group_id=first.id)
    assert fault_of(lambda: update(world, first.id, name="1", where=itself)) == ("CYCLE", ("filter",))
    assert listed(world, ListFilter(group_id=first.id)) == [asset]
    assert fault_of(lambda: delete(world, first.id)) == ("CONFLICT", ("id",))
    delete(world, third.id)
    delete(world, second.id)
    delete(world, first.id)
    assert fault_of(lambda: listed(world, itself)) == ("NOT_FOUND", ("filter", "groupId"))


def test_groups_of_groups_are_bounded(world: World) -> None:
    inner = create(world, "0", ASSETS)
    for n in range(DEPTH_MAX - 1):
        inner = create(world, f"{n + 1}", ListFilter(group_id=inner.id))
    assert listed(world, ListFilter(group_id=inner.id)) == []
    deep = ListFilter(every=[ListFilter(group_id=inner.id)])
    assert fault_of(lambda: listed(world, deep)) == ("LIMIT_EXCEEDED", ("filter", "and", "0", "groupId"))
    many = ListFilter(any_of=[ListFilter(group_id=inner.id)] * 11)
    assert fault_of(lambda: listed(world, many))[0] == "LIMIT_EXCEEDED"


def test_a_filter_that_names_what_is_gone_says_so(world: World) -> None:
    hall = world.entity(EntityKind.SPACE)
    made = create(world, "hall", ListFilter(under_id=hall))
    assert listed(world, ListFilter(group_id=made.id)) == [hall]
    with world.changing() as (session, change):
        entity_delete(session, change=change, entity_id=hall)
    with pytest.raises(NotFoundError) as gone:
        listed(world, ListFilter(group_id=made.id))
    assert gone.value.message.startswith("The filter of the group 'hall' cannot be used: The entity ")
    assert gone.value.path == ("filter", "groupId")
    with world.session() as session:
        counts = group_members_count(session, organization_id=world.organization_id, ids=[made.id], **COMMON)
    assert counts == {made.id: 0}
    # It can be given another filter, and be deleted.
    assert update(world, made.id, name="hall", where=ASSETS).filter == {"kinds": ["ASSET"]}
    delete(world, made.id)


def test_an_organization_has_so_many_groups(world: World) -> None:
    with patch.object(operations, "GROUPS_MAX", 1):
        made = create(world, "1")
        assert fault_of(lambda: create(world, "2")) == ("LIMIT_EXCEEDED", ("name",))
        delete(world, made.id)
        create(world, "2")


def test_a_fault_in_the_filter_of_a_group_names_the_group(world: World) -> None:
    inner = create(world, "inner", ListFilter(any_of=[ASSETS] * 60))
    outer = create(world, "outer", ListFilter(group_id=inner.id))
    twice = ListFilter(every=[ListFilter(group_id=outer.id), ListFilter(group_id=inner.id)])
    with pytest.raises(ArgusError) as refused:
        listed(world, twice)
    assert refused.value.message.startswith(("The filter of the group 'inner'", "The filter of the group 'outer'"))
    assert (refused.value.code, refused.value.path[:2]) == ("LIMIT_EXCEEDED", ("filter", "and"))
