"""Every field of an entity, an edge and a definition is exported and imported, or it is decided that it is not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

import pytest
from sqlalchemy import Table

from domain.configuration.profiles.operations import profile_create
from domain.definitions.entity_types.tables import telemetry_schemas
from domain.exchange.fields import DETAIL_FIELDS, IGNORED_FIELDS, OWN_FIELDS
from domain.exchange.imports.read import record_read
from domain.nodes.operations import KIND_SPECS
from domain.work.activities.tables import activities
from graph.errors import BadInputError
from graph.kinds import EntityKind
from graph.tables import entities, entity_edges, entity_types, relationships
from testing.world import World, new_id
from tests.domain.exchange.imports.test_records import bring, exported, ndjson

# By table: each column with the field of the record that bears it; None: an export does not have it.
COLUMNS: Final[Mapping[Table, Mapping[str, str | None]]] = {
    entities: {
        "organization_id": None, "id": "id", "kind": "kind", "type": "type", "name": "name",
        "external_id": "externalId", "status": "status", "attributes": "attributes", "geometry": "location",
        "bounds": None,  # of the geometry
        "created_at": None, "updated_at": None,  # when this installation recorded it
        "deleted_at": "deletedAt",
    },
    entity_edges: {
        "organization_id": None, "id": None, "edge_id": None, "relationship": "relationship",
        "source_id": "source", "source_kind": "source", "target_id": "target", "target_kind": "target",
        "port": "port", "metadata": "metadata", "valid": "validFrom",
        "recorded": None,  # earlier beliefs stay
        "place": None,  # of relationship, ends and port
        "exclusive": "exclusive",
    },
    entity_types: {
        "organization_id": None, "id": None, "kind": "kind", "name": "name", "description": "description",
        "attributes": "attributes", "created_at": None, "updated_at": None,
    },
    telemetry_schemas: {
        "organization_id": None, "entity_type_id": None, "schema": "telemetrySchema",
        "effective_from": None,  # the schema is in force from the import on
        "recorded_at": None,
    },
    relationships: {
        "organization_id": None, "name": "name", "inverse": "inverse", "source_kinds": "sourceKinds",
        "target_kinds": "targetKinds", "hierarchy": "hierarchy", "exclusive": "exclusive",
        "exclusive_among": None, "built_in": None,  # those of its own have none
        "created_at": None,
        "retired_at": None,  # else its edges could not be imported
    },
}  # fmt: skip
RECORDS: Final = {
    entities: "entity", entity_edges: "edge", entity_types: "entityType", telemetry_schemas: "entityType",
    relationships: "relationship",
}  # fmt: skip
# Columns of a kind's table that are no details: where an activity comes from.
BESIDES: Final = {activities: {"template_id", "rule_id", "event_id", "target_id", "holds_place"}}
VALUES: Final = {
    "profile": "Pumps", "firmwareVersion": "1", "email": "a@example.org", "category": "repair", "priority": "high",
    "dueAt": "2030-01-01T00:00:00Z", "checklist": [],
}  # fmt: skip


@pytest.mark.parametrize("table", COLUMNS, ids=lambda table: table.name)
def test_every_column_is_decided(table: Table) -> None:
    assert {column.name for column in table.columns} == set(COLUMNS[table])


@pytest.mark.parametrize("table", COLUMNS, ids=lambda table: table.name)
def test_every_exported_column_has_a_field_that_an_import_reads(table: Table) -> None:
    for field in COLUMNS[table].values():
        if field is not None:
            assert not is_unknown({"record": RECORDS[table], "kind": "ASSET", field: None}, field)
    assert is_unknown({"record": RECORDS[table], "kind": "ASSET", "colour": None}, "colour")


@pytest.mark.parametrize("kind", EntityKind)
def test_every_detail_of_a_kind_is_decided(kind: EntityKind) -> None:
    spec = KIND_SPECS[kind]
    assert set(DETAIL_FIELDS[kind]) == set(spec.columns)
    common = {"organization_id", "id", "kind"}
    assert {column.name for column in spec.table.columns} == common | set(spec.columns) | BESIDES.get(spec.table, set())


@pytest.mark.parametrize("kind", EntityKind)
def test_what_is_exported_of_a_kind_is_read_of_it_and_of_no_other(kind: EntityKind) -> None:
    for other in EntityKind:
        for field in OWN_FIELDS[other]:
            record = {"record": "entity", "kind": kind, "name": "x", field: VALUES[field]}
            if field in OWN_FIELDS[kind]:
                record_read(record)
            else:
                with pytest.raises(BadInputError, match="has no"):
                    record_read(record)


def test_what_an_export_never_has_is_ignored_with_a_remark(world: World) -> None:
    """Exports of before have ids of profiles and suggestions of events."""
    event = {"action": "CLOSE", "eventId": str(new_id()), "at": "2024-01-01T00:00:00Z"}
    old = [
        {"record": "entity", "kind": "ASSET", "externalId": "P", "name": "Pump", "profileId": str(new_id())},
        {"record": "entity", "kind": "ACTIVITY", "externalId": "T", "name": "Task", "closingSuggestion": event},
    ]
    assert {kind: set(fields) for kind, fields in IGNORED_FIELDS.items()} == {
        "ASSET": {"profileId"}, "ACTIVITY": {"closingSuggestion"},
    }  # fmt: skip
    for created in (2, 0):
        outcome = bring(world, ndjson(*old))
        assert (outcome.created, outcome.unchanged, outcome.refused) == (created, 2 - created, [])
        assert [(remark.line, remark.path) for remark in outcome.remarks] == [
            (1, ("profileId",)), (2, ("closingSuggestion",)),
        ]  # fmt: skip


def test_a_profile_goes_by_its_name(world: World) -> None:
    with world.changing() as (session, change):
        for name in ("Pumps", "Caf\u00e9"):
            profile_create(session, change=change, name=name)
    pump = {"record": "entity", "kind": "ASSET", "externalId": "P", "name": "Pump"}

    def profile_after(**given: object) -> tuple[list[object], int, str | None]:
        outcome = bring(world, ndjson({**pump, **given}))
        [record] = exported(world)
        return [(item.code, item.path) for item in outcome.remarks], outcome.written, record.get("profile")

    missing = [("NOT_FOUND", ("profile",))]
    assert profile_after(profile="Pumps") == ([], 1, "Pumps")
    assert profile_after() == ([], 0, "Pumps")
    assert profile_after(profile="Pumps") == ([], 0, "Pumps")
    assert profile_after(profile="Fans") == (missing, 0, "Pumps")
    assert profile_after(profile="Fans", name="Big pump") == (missing, 1, "Pumps")
    assert profile_after(profile="Cafe\u0301") == ([], 1, "Caf\u00e9")
    assert profile_after(profile=None) == ([], 1, None)
    for value in ("", 7, "a\x00b", "x" * 201):
        outcome = bring(world, ndjson({**pump, "profile": value}))
        assert [(item.code, item.path) for item in outcome.remarks] == [("BAD_USER_INPUT", ("profile",))]


def is_unknown(record: Mapping[str, object], field: str) -> bool:
    """Whether an import refuses a record because it has a field of that name."""
    try:
        record_read(json.loads(json.dumps(record)))
    except BadInputError as error:
        return error.path == (field,) and "has no" in error.message
    return False
