"""Changes of all entities of a filter: how many statements they take."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine

from domain.base.bulk import BulkResult
from domain.nodes.bulk import BulkPatch, entities_patch, entities_remove
from domain.nodes.filters.model import ListFilter
from domain.plant.assets.operations import asset_create
from graph.entities.model import EntityDraft
from graph.kinds import EntityKind
from testing.world import World, day

Statements = Callable[[Engine], AbstractContextManager[list[str]]]


def test_the_number_of_statements_does_not_grow_with_the_entities(world: World, statements: Statements) -> None:
    with world.changing() as (session, change):
        house = asset_create(session, change=change, draft=EntityDraft(name="house"))
        for n in range(33):
            draft = EntityDraft(name=f"{n}", type="Few" if n < 3 else "Many")
            asset_create(session, change=change, draft=draft, parent_id=house.id)
    common: dict[str, Any] = {"now": day(0), "offline_after": timedelta(minutes=1)}
    patch = BulkPatch(status="s", attributes={"a": 1}, parent_id=None, location=None)

    def patched(type_name: str) -> tuple[BulkResult, int]:
        with world.changing() as (session, change), statements(world.api) as seen:
            where = ListFilter(kinds=[EntityKind.ASSET], types=[type_name])
            result = entities_patch(session, change=change, where=where, patch=patch, **common)
        return result, len(seen)

    def removed(type_name: str) -> tuple[BulkResult, int]:
        with world.changing() as (session, change), statements(world.api) as seen:
            result = entities_remove(session, change=change, where=ListFilter(types=[type_name]), **common)
        return result, len(seen)

    for work in (patched, removed):
        (few, few_seen), (many, many_seen) = work("Few"), work("Many")
        assert (few, many) == (BulkResult(3, 3, []), BulkResult(30, 30, []))
        assert few_seen == many_seen
    assert patched("Few")[0] == BulkResult(0, 0, [])
