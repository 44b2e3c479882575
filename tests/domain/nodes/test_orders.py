"""Orders of lists by when devices were last heard, and by health: who has neither comes last, in both directions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import Engine

from domain.nodes.filters import health
from domain.nodes.filters.model import ListFilter
from domain.nodes.lists import entity_list
from domain.nodes.orders import ListOrder
from graph.entities.model import Entity
from graph.kinds import EntityKind
from graph.paging import CursorKey, Page, PageRequest
from testing.faults import fault_of
from testing.line import Line
from testing.world import World
from tests.domain.derivation.health.test_series import LATER, Plant, minute
from tests.domain.nodes.filters.population import NOW, OFFLINE_AFTER, Population

LAST_SEEN = (ListOrder.LAST_SEEN_ASC, ListOrder.LAST_SEEN_DESC)
HEALTH = (ListOrder.HEALTH_ASC, ListOrder.HEALTH_DESC)


def page_of(world: World, order: ListOrder, page: PageRequest, where: ListFilter, now: datetime) -> Page[Entity]:
    with world.session() as session:
        return entity_list(
            session,
            organization_id=world.organization_id,
            where=where,
            page=page,
            now=now,
            offline_after=OFFLINE_AFTER,
            order=order,
        )


def forward(world: World, order: ListOrder, size: int, where: ListFilter, now: datetime) -> Iterator[Entity]:
    after: CursorKey | None = None
    while True:
        page = page_of(world, order, PageRequest(size, after), where, now)
        assert page.has_previous == (after is not None)
        yield from page.items
        if not page.has_next:
            return
        after = page.keys[-1]


def backward(world: World, order: ListOrder, size: int, where: ListFilter, now: datetime) -> Iterator[Entity]:
    before: CursorKey | None = None
    while True:
        page = page_of(world, order, PageRequest(1, last=size, before=before), where, now)
        yield from reversed(page.items)
        if not page.has_previous:
            return
        before = page.keys[0]


@pytest.mark.parametrize("order", LAST_SEEN)
@pytest.mark.parametrize("size", [1, 7, 500])
def test_by_when_a_device_was_last_heard(
    world: World, engine: Callable[[str], Engine], order: ListOrder, size: int
) -> None:
    population = Population(world, engine("owner"), number=25)
    is_descending = order is ListOrder.LAST_SEEN_DESC
    never = datetime(1, 1, 2, tzinfo=UTC) if is_descending else datetime(9999, 1, 1, tzinfo=UTC)
    for where in (ListFilter(), ListFilter(kinds=[EntityKind.DEVICE], has_open_events=False)):
        listed = set(population.listed(where))
        expected = sorted(
            (item for item in population.items if item.id in listed),
            key=lambda item: (item.seen or never, item.id),
            reverse=is_descending,
        )
        ids = [item.id for item in expected]
        assert [item.id for item in forward(world, order, size, where, NOW)] == ids
        assert [item.id for item in backward(world, order, size, where, NOW)] == ids[::-1]


@pytest.fixture
def plant(worlds: Callable[[str], World], engine: Callable[[str], Engine]) -> Plant:
    made = Plant(Line(worlds("orders"), engine))
    made.send((0, 85))
    return made


@pytest.mark.parametrize("order", HEALTH)
@pytest.mark.parametrize("size", [1, 2, 50])
def test_by_health(plant: Plant, order: ListOrder, size: int) -> None:
    world, now = plant.line.world, minute(1)
    others = world.entities(EntityKind.ASSET, 2)
    scored = [plant.pump, plant.house]
    assert [plant.score(asset, now) for asset in scored] == [80.0, 94.0]
    unscored: list[UUID] = sorted([plant.device, *others])
    ids = [*scored, *unscored] if order is ListOrder.HEALTH_ASC else [*scored[::-1], *unscored[::-1]]
    assert [item.id for item in forward(world, order, size, ListFilter(), now)] == ids
    assert [item.id for item in backward(world, order, size, ListFilter(), now)] == ids[::-1]
    where = ListFilter(kinds=[EntityKind.ASSET], health_below=90)
    assert [item.id for item in forward(world, order, size, where, now)] == [plant.pump]
    # Without any score the ids decide.
    later = [item.id for item in forward(world, order, size, ListFilter(), LATER)]
    assert later == sorted([*scored, *unscored], reverse=order is ListOrder.HEALTH_DESC)


@pytest.mark.parametrize("order", [*LAST_SEEN, *HEALTH])
def test_a_cursor_of_another_order_or_value_is_refused(world: World, order: ListOrder) -> None:
    identity = "0190a3c4-0000-7000-8000-000000000000"
    for key in (("NAME_ASC", "a", identity), (order.value, "nan", identity), (order.value, "x", identity)):
        assert fault_of(lambda: page_of(world, order, PageRequest(5, key), ListFilter(), NOW)) == (  # noqa: B023
            "BAD_USER_INPUT",
            ("after",),
        )


def test_health_orders_so_many_assets_at_most(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "ASSETS_MAX", 1)
    order, page = ListOrder.HEALTH_ASC, PageRequest(5)
    world = plant.line.world
    assert fault_of(lambda: page_of(world, order, page, ListFilter(), NOW)) == ("LIMIT_EXCEEDED", ("orderBy",))
    narrowed = page_of(world, order, page, ListFilter(ids=[plant.pump]), minute(1))
    assert [item.id for item in narrowed.items] == [plant.pump]
