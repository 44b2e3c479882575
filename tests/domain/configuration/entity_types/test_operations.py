"""Entity types and their telemetry schemas."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from domain.configuration.entity_types.operations import entity_type_create, entity_type_delete, entity_type_update
from domain.definitions.entity_types.model import EntityType, SchemaReach
from domain.definitions.entity_types.queries import (
    entity_type_by_name,
    entity_type_get,
    entity_type_list,
    entity_types_get,
    schema_reach,
)
from domain.nodes.operations import entity_delete
from domain.plant.assets.operations import asset_create
from graph.changes import Change, ChangeFilter, changes_page
from graph.entities.model import EntityDraft
from graph.entities.queries import entities_get
from graph.errors import ConflictError, NotFoundError
from graph.kinds import EntityKind
from graph.paging import PageRequest
from testing.faults import fault_of
from testing.world import World, day, new_id

ASSET = EntityKind.ASSET
COLD: dict[str, Any] = {"metrics": {"t": {"type": "NUMBER", "unit": "Cel"}}}
WARM: dict[str, Any] = {"metrics": {"t": {"type": "NUMBER", "unit": "K"}}, "unknown": "drop"}


def create(world: World, name: str = "Pump", **arguments: Any) -> EntityType:
    with world.changing() as (session, change):
        return entity_type_create(session, change=change, kind=ASSET, name=name, **arguments)


def update(world: World, entity_type_id: UUID, **arguments: Any) -> EntityType:
    with world.changing() as (session, change):
        return entity_type_update(session, change=change, entity_type_id=entity_type_id, **arguments)


def trail(world: World, subject_id: UUID) -> list[Change]:
    with world.session() as session:
        page = changes_page(
            session,
            organization_id=world.organization_id,
            where=ChangeFilter(subject_ids=[subject_id]),
            page=PageRequest(50),
        )
        return list(page.items)


def names(world: World, kind: EntityKind | None = None) -> list[str]:
    with world.session() as session:
        return [
            entity_type.name
            for entity_type in entity_type_list(session, organization_id=world.organization_id, kind=kind)
        ]


def test_a_type_is_created_and_read(world: World, other: World) -> None:
    made = create(world, description="Moves water.", attributes={"poles": 2}, telemetry_schema=COLD)
    assert (made.kind, made.name, made.description) == (ASSET, "Pump", "Moves water.")
    assert (made.attributes, made.telemetry_schema) == ({"poles": 2}, COLD)
    create(world, "Fan")
    with world.changing() as (session, change):
        entity_type_create(session, change=change, kind=EntityKind.DEVICE, name="Pump")
    assert names(world) == ["Fan", "Pump", "Pump"]
    assert names(world, ASSET) == ["Fan", "Pump"]
    assert names(other) == []
    with world.session() as session:
        of: dict[str, Any] = {"organization_id": world.organization_id}
        assert entity_type_get(session, **of, entity_type_id=made.id) == made
        assert entity_type_by_name(session, **of, kind=ASSET, name="Pump") == made
        assert entity_type_by_name(session, **of, kind=ASSET, name="pump\0") is None
    with other.session() as session:
        for organization_id in (world.organization_id, other.organization_id):
            assert entity_types_get(session, organization_id=other.organization_id, ids=[made.id]) == {}
            with pytest.raises(NotFoundError):
                entity_type_get(session, organization_id=organization_id, entity_type_id=made.id)


def test_a_schema_holds_from_its_time_on(world: World) -> None:
    made = create(world, telemetry_schema=COLD, effective_from=day(1))
    update(world, made.id, telemetry_schema=WARM, effective_from=day(5))
    at = {day(0): {}, day(1): COLD, day(4.999): COLD, day(5): WARM, day(1000): WARM}
    with world.session() as session:
        for instant, schema in at.items():
            of: dict[str, Any] = {"organization_id": world.organization_id, "entity_type_id": made.id}
            assert entity_type_get(session, **of, as_of=instant).telemetry_schema == schema
    # The same instant again: the new one takes its place, the trail has the old one.
    update(world, made.id, telemetry_schema=COLD, effective_from=day(5))
    newest = trail(world, made.id)[0]
    assert newest.before is not None
    assert newest.after is not None
    assert (newest.before["telemetrySchema"], newest.after["telemetrySchema"]) == (WARM, COLD)
    assert newest.after["effectiveFrom"] == "2020-01-06T00:00:00+00:00"
    with world.session() as session:
        assert entity_type_get(session, organization_id=world.organization_id, entity_type_id=made.id).name == "Pump"


def test_without_a_time_a_schema_holds_from_the_change_on(world: World) -> None:
    made = create(world)
    with world.changing() as (session, change):
        changed = entity_type_update(session, change=change, entity_type_id=made.id, telemetry_schema=COLD)
        assert changed.telemetry_schema == COLD
        of: dict[str, Any] = {"organization_id": world.organization_id, "entity_type_id": made.id}
        assert entity_type_get(session, **of, as_of=change.recorded).telemetry_schema == COLD
        assert entity_type_get(session, **of, as_of=made.created_at).telemetry_schema == {}


def test_a_new_name_goes_to_the_entities(world: World) -> None:
    made = create(world)
    with world.changing() as (session, change):
        asset = asset_create(session, change=change, draft=EntityDraft(name="P1", type="Pump"))
    assert update(world, made.id, name="Water pump", description="new").attributes == {}
    with world.session() as session:
        entities = entities_get(session, organization_id=world.organization_id, ids=[asset.id])
        assert entities[asset.id].type == "Water pump"
    create(world, "Fan")
    assert fault_of(lambda: update(world, made.id, name="Fan")) == ("CONFLICT", ("name",))
    assert fault_of(lambda: update(world, made.id, kind=EntityKind.SPACE)) == ("CONFLICT", ("kind",))
    assert names(world) == ["Fan", "Water pump"]


def test_a_type_in_use_is_not_deleted(world: World) -> None:
    made = create(world, telemetry_schema=COLD)
    with world.changing() as (session, change):
        assets = [
            asset_create(session, change=change, draft=EntityDraft(name=str(number), type="Pump"))
            for number in range(2)
        ]
    with world.changing() as (session, change):
        entity_delete(session, change=change, entity_id=assets[0].id)
    with pytest.raises(ConflictError, match=r"2 entities are of the type 'Pump' \(1 of them deleted\)"):
        delete(world, made.id)
    assert names(world) == ["Pump"]
    unused = create(world, "Fan", telemetry_schema=COLD)
    assert delete(world, unused.id) == unused
    assert names(world) == ["Pump"]
    assert [change.action for change in trail(world, unused.id)] == ["deleted", "created"]
    assert fault_of(lambda: delete(world, unused.id)) == ("NOT_FOUND", ("id",))


def delete(world: World, entity_type_id: UUID) -> EntityType:
    with world.changing() as (session, change):
        return entity_type_delete(session, change=change, entity_type_id=entity_type_id)


def test_a_refused_change_changes_nothing(world: World, other: World) -> None:
    made = create(world)
    cases: list[tuple[dict[str, Any], str, tuple[str, ...]]] = [
        ({"name": ""}, "BAD_USER_INPUT", ("name",)),
        ({"name": "x" * 201}, "BAD_USER_INPUT", ("name",)),
        ({"name": "Fan", "description": "a\0b"}, "BAD_USER_INPUT", ("description",)),
        ({"name": "Fan", "attributes": {"a": ["x" * 70_000]}}, "LIMIT_EXCEEDED", ("attributes",)),
        ({"name": "Fan", "telemetry_schema": {"metric": {}}}, "BAD_USER_INPUT", ("telemetrySchema", "metric")),
        ({"name": "Fan", "effective_from": day(1)}, "BAD_USER_INPUT", ("effectiveFrom",)),
        (
            {"name": "Fan", "telemetry_schema": {}, "effective_from": day(1).replace(tzinfo=None)},
            "BAD_USER_INPUT",
            ("effectiveFrom",),
        ),
        ({"name": "Pump"}, "CONFLICT", ("name",)),
    ]
    for arguments, code, path in cases:
        assert fault_of(lambda arguments=arguments: create(world, **arguments)) == (code, path)  # type: ignore[misc]
    for call in (lambda: update(other, made.id, name="Mine"), lambda: delete(other, made.id)):
        assert fault_of(call) == ("NOT_FOUND", ("id",))
    assert fault_of(lambda: update(world, new_id(), name="Fan")) == ("NOT_FOUND", ("id",))
    assert names(world) == ["Pump"]
    assert len(trail(world, made.id)) == 1


def test_types_cost_the_same_statements_however_many(world: World, statements: Any) -> None:
    ids = [create(world, f"Type {number}").id for number in range(20)]
    with world.session() as session:
        counts = []
        for type_ids in (ids[:1], ids):
            with statements(world.api) as seen:
                assert set(entity_types_get(session, organization_id=world.organization_id, ids=type_ids)) == set(
                    type_ids
                )
            counts.append(len(seen))
        assert counts == [2, 2]


def test_a_schema_reaches_to_the_next_one(world: World) -> None:
    pump = create(world, telemetry_schema=COLD, effective_from=day(10))
    update(world, pump.id, telemetry_schema=WARM, effective_from=day(20))
    with world.session() as session:

        def ends(begins: float) -> Any:
            return schema_reach(
                session, organization_id=world.organization_id, entity_type_id=pump.id, begins=day(begins)
            )

        assert [ends(begins) for begins in (5, 10, 20)] == [
            SchemaReach(ASSET, "Pump", day(5), day(10)),
            SchemaReach(ASSET, "Pump", day(10), day(20)),
            SchemaReach(ASSET, "Pump", day(20), None),
        ]
        with pytest.raises(NotFoundError):
            schema_reach(session, organization_id=world.organization_id, entity_type_id=new_id(), begins=day(1))
