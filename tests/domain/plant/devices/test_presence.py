"""Presence of devices, and lists filtered by it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, insert
from sqlalchemy.orm import Session

from domain.nodes.filters.model import ListFilter
from domain.nodes.lists import entity_list
from domain.plant.devices.model import Connectivity
from domain.plant.devices.operations import device_create
from domain.plant.devices.queries import connectivity_of, device_presence_get
from domain.plant.devices.tables import device_presence
from graph.entities.model import EntityDraft
from graph.ids import EntityId
from graph.kinds import EntityKind
from graph.paging import PageRequest
from graph.tenancy import organization_set
from testing.world import World, day

NOW = day(10)
AFTER = timedelta(minutes=15)
TICK = timedelta(microseconds=1)
SEEN: dict[str, datetime | None] = {
    "ahead": NOW + timedelta(minutes=1),
    "edge": NOW - AFTER,
    "fresh": NOW - TICK,
    "late": NOW - AFTER - TICK,
    "never": None,
}


@pytest.fixture
def devices(world: World, engine: Callable[[str], Engine]) -> dict[str, EntityId]:
    with world.changing() as (session, change):
        made = {name: device_create(session, change=change, draft=EntityDraft(name=name)).id for name in SEEN}
    rows = [
        {"organization_id": world.organization_id, "device_id": made[name], "last_seen_at": seen}
        for name, seen in SEEN.items()
        if seen is not None
    ]
    with Session(engine("pipeline")) as session, session.begin():
        organization_set(session, organization_id=world.organization_id)
        session.execute(insert(device_presence), rows)
    world.entity(EntityKind.ASSET)
    return made


def listed(world: World, where: ListFilter) -> list[str]:
    with world.session() as session:
        page = entity_list(
            session,
            organization_id=world.organization_id,
            where=where,
            page=PageRequest(50),
            now=NOW,
            offline_after=AFTER,
        )
        assert page.total is not None
        assert page.total() == len(page.items)
        return [entity.name for entity in page.items]


@pytest.mark.parametrize(
    ("connectivity", "names"),
    [
        (Connectivity.ONLINE, ["ahead", "edge", "fresh"]),
        (Connectivity.OFFLINE, ["late"]),
        (Connectivity.NEVER_SEEN, ["never"]),
    ],
)
def test_the_list_and_the_field_agree(
    world: World, devices: dict[str, EntityId], connectivity: Connectivity, names: list[str]
) -> None:
    assert listed(world, ListFilter(connectivity=connectivity)) == names
    assert listed(world, ListFilter(connectivity=connectivity, kinds=[EntityKind.DEVICE])) == names
    assert listed(world, ListFilter(connectivity=connectivity, kinds=[EntityKind.ASSET])) == []
    by_field = [n for n, seen in SEEN.items() if connectivity_of(seen, now=NOW, offline_after=AFTER) is connectivity]
    assert by_field == names


def test_presence_is_read_for_many_at_once(world: World, other: World, devices: dict[str, EntityId]) -> None:
    with world.session() as session:
        presence = device_presence_get(session, organization_id=world.organization_id, ids=list(devices.values()))
    assert presence == {devices[name]: seen for name, seen in SEEN.items() if seen is not None}
    with other.session() as session:
        for organization_id in (world.organization_id, other.organization_id):
            ids = list(devices.values())
            assert device_presence_get(session, organization_id=organization_id, ids=ids) == {}
    assert listed(other, ListFilter(connectivity=Connectivity.ONLINE)) == []
