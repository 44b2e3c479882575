"""Events end with their subject: deletion, another type, leaving the scope, deletion of the rule."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from domain.plant.assets.operations import asset_update
from domain.plant.devices.operations import device_update
from domain.rules.model import Scope
from domain.rules.operations import RuleDraft, rule_create, rule_delete
from graph.entities.model import EntityPatch
from graph.kinds import EntityKind
from runtime.database import transaction
from testing.deriving_plant import DerivingPlant
from testing.line import NOW
from testing.world import EPOCH
from tests.domain.rules.test_stage import over

HOT = over(50)
SILENT = {"noData": {"metric": "t", "afterUs": 3_600_000_000}}


def at(minute: float) -> datetime:
    return NOW - timedelta(hours=10) + timedelta(minutes=minute)


def ruled(plant: DerivingPlant, condition: dict[str, Any], **scope: Any) -> UUID:
    with plant.line.world.changing() as (session, change):
        draft = RuleDraft(name="x", condition=condition, scope=Scope(**scope), effective_from=EPOCH)
        return rule_create(session, change=change, draft=draft).id


def read(plant: DerivingPlant, device: UUID, *readings: tuple[float, float]) -> None:
    rows = [{"device_id": device, "timestamp": at(n), "metrics": {"t": value}} for n, value in readings]
    plant.line.normalize(plant.line.send(*rows))
    plant.drain()


def delete(plant: DerivingPlant, entity_id: UUID, when: datetime | None) -> None:
    """Delete an entity, or bring it back, as if at that time; its edges stay."""
    with plant.line.world.changing() as (session, _):
        session.execute(
            text("UPDATE entities SET deleted_at = :at WHERE organization_id = :o AND id = :id"),
            {"at": when, "o": plant.organization_id, "id": entity_id},
        )
    plant.drain()


def stored_events(plant: DerivingPlant) -> list[tuple[float, float | None, str | None]]:
    rows = plant.line.rows(
        "SELECT opened_at, cleared_at, cleared_reason FROM events"
        " WHERE organization_id = :o AND withdrawn_at IS NULL ORDER BY opened_at",
        o=plant.organization_id,
    )
    return [
        (
            (row.opened_at - at(0)) / timedelta(minutes=1),
            None if row.cleared_at is None else (row.cleared_at - at(0)) / timedelta(minutes=1),
            row.cleared_reason,
        )
        for row in rows
    ]


def kinds(plant: DerivingPlant) -> list[str]:
    rows = plant.line.rows(
        "SELECT kind FROM event_changes WHERE organization_id = :o ORDER BY id", o=plant.organization_id
    )
    return [row.kind for row in rows]


@pytest.mark.parametrize("scoped", ["entity", "type", "all", "under"])
def test_the_events_of_a_deleted_device_end_with_it(plant: DerivingPlant, scoped: str) -> None:
    device = plant.line.device(type_name="probe")
    site = plant.line.world.entity(EntityKind.SPACE)
    plant.line.world.edge(device, "LOCATED_IN", site)
    scopes: dict[str, dict[str, Any]] = {
        "entity": {"entity_id": device},
        "type": {"kind": EntityKind.DEVICE, "type": "probe"},
        "all": {},
        "under": {"under_id": site},
    }
    scope = scopes[scoped]
    ruled(plant, HOT, **scope)
    ruled(plant, SILENT, **scope)
    read(plant, device, (0, 60), (10, 61))
    assert stored_events(plant) == [(0, None, None), (70, None, None)]
    delete(plant, device, at(200))
    assert stored_events(plant) == [(0, 200, "ENTITY_DELETED"), (70, 200, "ENTITY_DELETED")]
    assert kinds(plant) == ["OPENED", "OPENED", "CLEARED", "CLEARED"]
    assert plant.line.rows("SELECT FROM rule_timers") == []
    # It never was silent while it was there.
    delete(plant, device, at(60))
    assert stored_events(plant) == [(0, 60, "ENTITY_DELETED")]
    delete(plant, device, None)
    assert stored_events(plant) == [(0, None, None), (70, None, None)]
    assert plant.windows() == []


def test_the_events_of_a_deleted_asset_end_with_it_whatever_its_device_sends(plant: DerivingPlant) -> None:
    asset, device = plant.pump(), plant.line.device()
    plant.link(device, asset, valid_from=EPOCH)
    ruled(plant, HOT, entity_id=asset)
    read(plant, device, (0, 60))
    delete(plant, asset, at(5))
    read(plant, device, (10, 10), (20, 70))
    assert stored_events(plant) == [(0, 5, "ENTITY_DELETED")]


def test_descendants_of_a_deleted_space_leave_the_scope(plant: DerivingPlant) -> None:
    site, hall = plant.line.world.entities(EntityKind.SPACE, 2)
    device = plant.line.device()
    contains = plant.line.world.edge(site, "CONTAINS", hall)
    located = plant.line.world.edge(device, "LOCATED_IN", hall)
    ruled(plant, HOT, under_id=site)
    read(plant, device, (0, 60))
    for edge in (contains, located):
        plant.end(edge, at(30))
    delete(plant, hall, at(30))
    assert stored_events(plant) == [(0, 30, "SCOPE_LEFT")]
    # It comes back below the site: the last readings are evaluated there.
    plant.line.world.edge(device, "LOCATED_IN", site, valid_from=at(40))
    plant.drain()
    assert stored_events(plant) == [(0, 30, "SCOPE_LEFT"), (40, None, None)]


def test_an_entity_whose_type_changes_leaves_the_scope_of_rules_for_the_old_type(plant: DerivingPlant) -> None:
    device, asset = plant.line.device(type_name="probe"), plant.line.world.entity(EntityKind.ASSET, "oven")
    plant.link(device, asset, valid_from=EPOCH)
    ruled(plant, HOT, kind=EntityKind.DEVICE, type="probe")
    ruled(plant, HOT, kind=EntityKind.ASSET, type="oven")
    ruled(plant, SILENT, kind=EntityKind.DEVICE, type="tracker")
    read(plant, device, (0, 60))
    assert stored_events(plant) == [(0, None, None), (0, None, None)]
    with plant.line.world.changing() as (session, change):
        device_update(session, change=change, device_id=device, patch=EntityPatch(type="tracker"))
    plant.drain()
    assert stored_events(plant) == [(0, None, None), (60, None, None)]
    with plant.line.world.changing() as (session, change):
        asset_update(session, change=change, asset_id=asset, patch=EntityPatch(type="kiln"))
    plant.drain()
    # A type counts for all of event time: that there was no such event is stored, and nobody waits for its end.
    assert stored_events(plant) == [(60, None, None)]
    assert kinds(plant).count("WITHDRAWN") == 2


def test_the_open_events_of_a_deleted_rule_end_with_it(plant: DerivingPlant) -> None:
    device = plant.line.device()
    rule_id = ruled(plant, HOT, entity_id=device)
    read(plant, device, (0, 60))
    with plant.line.world.changing() as (session, change):
        rule_delete(session, change=change, rule_id=rule_id)
        deleted = change.recorded
    # The wall's clock is ahead of this plant's: by now, the rule has been deleted.
    with transaction(plant.line.engine("owner")) as session:
        session.execute(
            text("UPDATE rule_versions SET effective_from = :at WHERE effective_from = :now"),
            {"at": at(50), "now": deleted},
        )
    plant.drain()
    assert stored_events(plant) == [(0, 50, "RULE_CHANGED")]
