"""Names that an organization uses."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from domain.configuration.entity_types.operations import entity_type_create
from domain.nodes.names import NameKind, names_used
from graph.kinds import EntityKind
from testing.world import World

SCHEMA = {
    "metrics": {"t": {"rename": "temperature"}, "humidity": {}},
    "derived": {"dew": {"formula": "temperature - humidity"}},
}


def used(world: World, kind: NameKind) -> set[str]:
    with world.session() as session:
        names = names_used(session, organization_id=world.organization_id, kind=kind)
    assert len(names) == len(set(names))
    return set(names)


def test_names_are_those_in_use_or_to_come_of_one_organization(world: World, other: World, engine: Any) -> None:
    asset, device = world.entity(EntityKind.ASSET, "Pump"), world.entity(EntityKind.DEVICE)
    world.edge(asset, "MONITORED_BY", device, metadata={"metrics_mapping": {"raw": "pressure"}})
    with world.changing() as (session, change):
        entity_type_create(session, change=change, kind=EntityKind.ASSET, name="Boiler", telemetry_schema=SCHEMA)
    with engine("owner").begin() as connection:
        connection.execute(
            text("INSERT INTO series (organization_id, entity_id, metric) VALUES (:o, :e, 'raw')"),
            {"o": world.organization_id, "e": device},
        )
    assert used(world, NameKind.METRIC) == {"raw", "pressure", "temperature", "humidity", "dew"}
    assert used(world, NameKind.STATUS) == {"active"}
    assert {"Boiler"} <= used(world, NameKind.TYPE)
    assert [used(other, kind) for kind in NameKind] == [set(), set(), set()]
