"""Attributes by their recorded versions."""

from __future__ import annotations

from typing import Any

from graph.entities.model import EntityDraft, EntityPatch
from graph.entities.operations import entity_create, entity_update
from graph.entities.versions import attribute_values, attribute_versions
from graph.kinds import EntityKind
from testing.world import World, new_id


def test_each_version_once_and_the_last_of_each_transaction(world: World) -> None:
    recorded = []
    with world.changing() as (session, change):
        draft = EntityDraft(name="Pump", attributes={"k": 1})
        pump = entity_create(session, change=change, kind=EntityKind.ASSET, draft=draft)
        recorded.append(change.recorded)

    def changed(*all_attributes: dict[str, Any], name: str = "Pump") -> None:
        with world.changing() as (session, change):
            nonlocal pump
            for attributes in all_attributes:
                patch = EntityPatch(attributes=attributes, name=name)
                pump = entity_update(session, change=change, before=pump, patch=patch)
            recorded.append(change.recorded)

    changed({"k": 2}, {"k": 3})
    changed({"k": 3}, name="Pump 2")
    changed({"k": 1}, {"k": 3}, name="Pump 2")
    changed({}, name="Pump 2")
    with world.session() as session:
        versions = attribute_versions(session, organization_id=world.organization_id, entity_ids=[pump.id, new_id()])
        ids = [pump.id, new_id()]
        of_one = attribute_values(session, organization_id=world.organization_id, entity_ids=ids, name="k")
        of_none = attribute_values(session, organization_id=world.organization_id, entity_ids=ids, name="other")
    assert versions == {pump.id: [(recorded[0], {"k": 1}), (recorded[1], {"k": 3}), (recorded[4], {})]}
    assert of_one == {pump.id: [(recorded[0], 1), (recorded[1], 3), (recorded[4], None)]}
    assert of_none == {pump.id: [(recorded[0], None)]}
