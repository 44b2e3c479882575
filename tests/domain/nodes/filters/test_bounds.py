"""What a filter may have, and what it may not say: errors with the path of the place at fault."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from domain.nodes.filters.model import (
    ATTRIBUTES_MAX,
    DEPTH_MAX,
    IDS_MAX,
    PARTS_MAX,
    AttributeCondition,
    AttributeOperator,
    LatestCondition,
    ListFilter,
    filter_check,
    kinds_possible,
)
from domain.nodes.lists import entity_list
from graph.kinds import EntityKind
from graph.paging import PageRequest
from testing.faults import fault_of
from testing.world import EPOCH, World, day, new_id
from tests.domain.nodes.filters.population import Population


def attribute(path: str = "a", operator: AttributeOperator = AttributeOperator.EQ, value: Any = 1) -> ListFilter:
    return ListFilter(attributes=[AttributeCondition(path=path, operator=operator, value=value)])


def nested(depth: int) -> ListFilter:
    return ListFilter() if not depth else ListFilter(none_of=nested(depth - 1))


@pytest.mark.parametrize(
    ("where", "code", "path"),
    [
        (nested(DEPTH_MAX + 1), "LIMIT_EXCEEDED", ("filter", *["not"] * (DEPTH_MAX + 1))),
        (ListFilter(any_of=[ListFilter()] * PARTS_MAX), "LIMIT_EXCEEDED", ("filter", "or", "0")),
        (ListFilter(ids=[new_id()] * (IDS_MAX + 1)), "LIMIT_EXCEEDED", ("filter", "ids")),
        (ListFilter(every=[ListFilter(external_ids=["x"] * (IDS_MAX + 1))]), "LIMIT_EXCEEDED",
         ("filter", "and", "0", "externalIds")),
        (ListFilter(attributes=[AttributeCondition(path="a", operator=AttributeOperator.EXISTS, value=True)] * (ATTRIBUTES_MAX + 1)), "LIMIT_EXCEEDED", ("filter",)),
        (ListFilter(latest=[LatestCondition(metric="t", gt=1)] * 11), "LIMIT_EXCEEDED", ("filter",)),
        (ListFilter(any_of=[ListFilter(is_deleted=True)]), "BAD_USER_INPUT", ("filter", "or", "0", "deleted")),
        (ListFilter(created_from=day(2), created_to=day(2)), "BAD_USER_INPUT", ("filter", "createdTo")),
        (ListFilter(none_of=ListFilter(updated_from=day(2), updated_to=day(1))), "BAD_USER_INPUT",
         ("filter", "not", "updatedTo")),
        (ListFilter(health_below=50, health_above=50), "BAD_USER_INPUT", ("filter", "healthBelow")),
    ],
)  # fmt: skip
def test_a_filter_is_bounded_and_does_not_contradict_itself(
    where: ListFilter, code: str, path: tuple[str, ...]
) -> None:
    assert fault_of(lambda: filter_check(where)) == (code, path)


def test_as_much_as_is_allowed_is_allowed() -> None:
    filter_check(nested(DEPTH_MAX))
    filter_check(ListFilter(any_of=[ListFilter()] * (PARTS_MAX - 1)))
    filter_check(ListFilter(health_below=50, health_above=49, created_from=day(1), created_to=day(2)))


@pytest.mark.parametrize(
    ("where", "code", "path"),
    [
        (attribute(""), "BAD_USER_INPUT", ("attributes", "0", "path")),
        (attribute("a..b"), "BAD_USER_INPUT", ("attributes", "0", "path")),
        (attribute("a\0"), "BAD_USER_INPUT", ("attributes", "0", "path")),
        (attribute(".".join("a" * 33)), "LIMIT_EXCEEDED", ("attributes", "0", "path")),
        (attribute(value={"a": "\0"}), "BAD_USER_INPUT", ("attributes", "0", "eq", "a")),
        (attribute(operator=AttributeOperator.IN, value=[1] * 101), "LIMIT_EXCEEDED", ("attributes", "0", "in")),
        (attribute(operator=AttributeOperator.CONTAINS, value="x" * 501), "BAD_USER_INPUT",
         ("attributes", "0", "contains")),
        (ListFilter(latest=[LatestCondition(metric="t")]), "BAD_USER_INPUT", ("latest", "0")),
        (ListFilter(latest=[LatestCondition(metric="", gt=1)]), "BAD_USER_INPUT", ("latest", "0", "metric")),
        (ListFilter(latest=[LatestCondition(metric="t", gt=1, older_than=timedelta(1))]), "BAD_USER_INPUT",
         ("latest", "0", "olderThan")),
        (ListFilter(under_id=new_id()), "NOT_FOUND", ("underId",)),
        (ListFilter(profile_id=new_id()), "NOT_FOUND", ("profileId",)),
        (ListFilter(search="a\0b"), "BAD_USER_INPUT", ("search",)),
    ],
)  # fmt: skip
def test_the_path_of_an_error_leads_to_the_condition(
    world: World, where: ListFilter, code: str, path: tuple[str, ...]
) -> None:
    def listed(filter_: ListFilter) -> None:
        with world.session() as session:
            entity_list(
                session,
                organization_id=world.organization_id,
                where=filter_,
                page=PageRequest(5),
                now=EPOCH,
                offline_after=timedelta(minutes=1),
            )

    assert fault_of(lambda: listed(where)) == (code, ("filter", *path))
    inside = ListFilter(any_of=[ListFilter(), ListFilter(none_of=where)])
    assert fault_of(lambda: listed(inside)) == (code, ("filter", "or", "1", "not", *path))


def test_kinds_outside_which_nothing_fits() -> None:
    assert kinds_possible(ListFilter()) == frozenset(EntityKind)
    assert kinds_possible(ListFilter(is_linked=False, kinds=[EntityKind.ASSET, EntityKind.SPACE])) == {EntityKind.ASSET}
    either = [ListFilter(health_below=3), ListFilter(kinds=[EntityKind.PERSON])]
    assert kinds_possible(ListFilter(any_of=either)) == {EntityKind.ASSET, EntityKind.PERSON}
    assert kinds_possible(ListFilter(every=either)) == frozenset()
    assert kinds_possible(ListFilter(none_of=either[0])) == frozenset(EntityKind)


def test_filters_inside_each_other_find_nothing_of_another_organization(
    world: World, other: World, engine: Callable[[str], Engine]
) -> None:
    population = Population(world, engine("owner"), number=20)
    stranger = Population.__new__(Population)
    stranger.world, stranger.o = other, other.organization_id
    ids = [item.id for item in population.items]
    for where in (
        ListFilter(ids=ids),
        ListFilter(any_of=[ListFilter(ids=ids), ListFilter()]),
        ListFilter(none_of=ListFilter(has_open_events=True)),
        ListFilter(is_linked=True),
        ListFilter(latest=[LatestCondition(metric="t", older_than=timedelta(0))]),
        attribute(operator=AttributeOperator.NE),
    ):
        assert population.listed(where)
        assert stranger.listed(where) == []
