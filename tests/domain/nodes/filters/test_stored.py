"""Filters of dynamic groups: stored and read again, they select what the oracle of the filter itself does."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from sqlalchemy import Engine

from domain.definitions.groups.model import GroupKind
from domain.nodes.filters.model import ListFilter, selects
from domain.nodes.filters.stored import filter_json, filter_read
from domain.nodes.groups.operations import group_create, group_update
from testing.world import World
from tests.domain.nodes.filters.population import NOW, OFFLINE_AFTER, Population, fits
from tests.domain.nodes.filters.test_conditions import filters, parts_of


def test_the_members_of_a_dynamic_group_are_what_fits_its_filter(world: World, engine: Callable[[str], Engine]) -> None:
    population = Population(world, engine("owner"))
    common: dict[str, Any] = {"now": NOW, "offline_after": OFFLINE_AFTER}
    with world.changing() as (session, change):
        made = group_create(
            session, change=change, name="G", kind=GroupKind.DYNAMIC, where=ListFilter(types=["T1"]), **common
        )

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(where=filters(population))
    def check(where: ListFilter) -> None:
        if not selects(where) or sum(len(part.latest or ()) for part in parts_of(where)) > 10:
            return
        if any("\0" in name for part in parts_of(where) for name in part.external_ids or ()):
            return
        with world.changing() as (session, change):
            group_update(
                session, change=change, group_id=made.id, name="G", kind=GroupKind.DYNAMIC, where=where, **common
            )
        expected = {item.id for item in population.items if not item.deleted and fits(population, where, item)}
        assert set(population.listed(ListFilter(group_id=made.id))) == expected
        # Beside another condition, and excluded.
        inside = ListFilter(statuses=["active"], every=[ListFilter(group_id=made.id)])
        active = {item.id for item in population.items if item.status == "active"}
        assert set(population.listed(inside)) == expected & active
        outside = ListFilter(none_of=ListFilter(group_id=made.id))
        there = {item.id for item in population.items if not item.deleted}
        assert set(population.listed(outside)) == there - expected

    check()


def test_what_is_stored_is_read_as_it_was(world: World, engine: Callable[[str], Engine]) -> None:
    population = Population(world, engine("owner"))

    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
    @given(where=filters(population))
    def check(where: ListFilter) -> None:
        stored = json.loads(json.dumps(filter_json(where)))
        read = filter_read(stored)
        assert filter_json(read) == stored
        assert [replace(part, ids=None, every=None, any_of=None, none_of=None) for part in parts_of(read)] == [
            replace(part, ids=None, every=None, any_of=None, none_of=None) for part in parts_of(where)
        ]
        assert [None if part.ids is None else set(part.ids) for part in parts_of(read)] == [
            None if part.ids is None else set(part.ids) for part in parts_of(where)
        ]

    check()
