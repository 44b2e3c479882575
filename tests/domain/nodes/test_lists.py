"""Lists of every entity kind."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from domain.nodes.filters.model import ListFilter
from domain.nodes.lists import entity_list
from domain.nodes.operations import entity_delete
from domain.nodes.orders import ListOrder
from domain.plant.assets.operations import asset_create
from domain.plant.devices.operations import device_create
from domain.plant.persons.operations import person_create
from domain.plant.spaces.operations import space_create
from domain.work.activities.operations import activity_create
from graph.entities.model import Entity, EntityDraft
from graph.kinds import EntityKind
from graph.paging import Page, PageRequest
from testing.faults import fault_of
from testing.world import EPOCH, World, day, new_id

AFTER = timedelta(minutes=15)


def listed(world: World, where: ListFilter, first: int = 50, order: ListOrder = ListOrder.NAME_ASC) -> list[str]:
    names: list[str] = []
    page: Page[Entity] | None = None
    while page is None or page.has_next:
        request = PageRequest(first, None if page is None else page.keys[-1])
        with world.session() as session:
            page = entity_list(
                session,
                organization_id=world.organization_id,
                where=where,
                page=request,
                now=EPOCH,
                offline_after=AFTER,
                order=order,
            )
            names += [item.name for item in page.items]
    return names


def test_all_kinds_are_made_and_listed(world: World, other: World) -> None:
    with world.changing() as (session, change):
        space_create(session, change=change, draft=EntityDraft(name="Hall", type="Room"))
        asset = asset_create(session, change=change, draft=EntityDraft(name="Air handler", external_id="ahu_1"))
        device_create(session, change=change, draft=EntityDraft(name="Probe"), firmware_version="1.2")
        person_create(session, change=change, draft=EntityDraft(name="Ada"), email="ada@example.org")
        activity_create(session, change=change, draft=EntityDraft(name="Clean"))
    for first in (1, 2, 50):
        assert listed(world, ListFilter(), first) == ["Ada", "Air handler", "Clean", "Hall", "Probe"]
        assert listed(world, ListFilter(), first, ListOrder.NAME_DESC) == [
            "Probe",
            "Hall",
            "Clean",
            "Air handler",
            "Ada",
        ]
    assert listed(world, ListFilter(kinds=[EntityKind.SPACE])) == ["Hall"]
    assert listed(world, ListFilter(types=["Room"])) == ["Hall"]
    assert listed(world, ListFilter(statuses=["open"])) == ["Clean"]
    assert listed(world, ListFilter(search="HU_")) == ["Air handler"]
    assert listed(world, ListFilter(under_id=asset.id)) == ["Air handler"]
    assert listed(world, ListFilter(kinds=[])) == []
    assert listed(other, ListFilter()) == []
    with world.changing() as (session, change):
        entity_delete(session, change=change, entity_id=asset.id)
    assert listed(world, ListFilter()) == ["Ada", "Clean", "Hall", "Probe"]


def test_below_is_as_of_the_given_time(world: World, other: World) -> None:
    hall, annex = world.entity(EntityKind.SPACE), world.entity(EntityKind.SPACE)
    asset = world.entity(EntityKind.ASSET)
    world.edge(asset, "LOCATED_IN", hall, valid_until=day(5))
    world.edge(asset, "LOCATED_IN", annex, valid_from=day(5))

    def below(
        reader: World, under_id: UUID, as_of: datetime | None, kinds: list[EntityKind] | None = None
    ) -> set[UUID]:
        with reader.session() as session:
            page = entity_list(
                session,
                organization_id=reader.organization_id,
                where=ListFilter(under_id=under_id, kinds=kinds),
                page=PageRequest(50),
                now=EPOCH,
                offline_after=AFTER,
                as_of=as_of,
            )
            assert page.total is not None
            assert page.total() == len(page.items)
            return {entity.id for entity in page.items}

    assert below(world, hall, day(4)) == {hall, asset}
    assert below(world, hall, day(5)) == {hall}
    assert below(world, annex, None) == {annex, asset}
    assert below(world, annex, None, [EntityKind.ASSET]) == {asset}
    assert fault_of(lambda: below(other, annex, None)) == ("NOT_FOUND", ("filter", "underId"))
    assert fault_of(lambda: below(world, new_id(), None)) == ("NOT_FOUND", ("filter", "underId"))
