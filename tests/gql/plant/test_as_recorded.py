"""Recorded versions: of a type's schema, and of an entity's fields."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from testing.api import Api
from testing.installation import Client

COLD = {"metrics": {"t": {"unit": "Cel", "max": 10}}}
WARM = {"metrics": {"t": {"unit": "Cel", "max": 50}}}


@pytest.fixture
def client(api: Api) -> Client:
    name = f"recorded-{datetime.now(UTC):%H%M%S%f}"
    api.organization(name)
    return api.client(name)


def test_the_versions_of_a_types_schema(client: Client) -> None:
    create = "mutation C($i: EntityTypeInput!) { createEntityType(input: $i) { entityType { id } errors { message } } }"
    update = """mutation U($id: ID!, $i: EntityTypeInput!) {
        updateEntityType(id: $id, input: $i) { entityType { id } errors { message } } }"""
    versions = (
        "{ entityTypes(kind: DEVICE) { name telemetrySchema versions { effectiveFrom recordedAt telemetrySchema } } }"
    )
    pump = {"kind": "DEVICE", "name": "pump"}
    made = client.call(create, {"i": pump}).data["createEntityType"]
    assert made["errors"] == []
    [bare] = client.call(versions).data["entityTypes"]
    assert bare["versions"] == []
    for effective_from, schema in (("2026-02-01T00:00:00Z", WARM), ("2026-01-01T00:00:00Z", COLD)):
        changed = {**pump, "telemetrySchema": schema, "effectiveFrom": effective_from}
        assert (
            client.call(update, {"id": made["entityType"]["id"], "i": changed}).data["updateEntityType"]["errors"] == []
        )
    [entity_type] = client.call(versions).data["entityTypes"]
    assert entity_type["telemetrySchema"] == entity_type["versions"][1]["telemetrySchema"]
    first, second = entity_type["versions"]
    assert [first["effectiveFrom"], second["effectiveFrom"]] == ["2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"]
    assert first["telemetrySchema"]["metrics"]["t"]["max"] == 10
    assert second["telemetrySchema"]["metrics"]["t"]["max"] == 50
    assert first["recordedAt"] > second["recordedAt"]


def test_an_entitys_fields_as_they_were_recorded(client: Client) -> None:
    fields = "id createdAt updatedAt"
    made = client.call(
        f"""mutation {{ createSpace(input: {{name: "Hall", type: "Room", externalId: "h", attributes: {{a: 1}},
            location: {{type: "Point", coordinates: [8.5, 47.3]}}}}) {{ space {{ {fields} }} errors {{ message }} }} }}"""
    ).data["createSpace"]
    assert made["errors"] == []
    hall = made["space"]
    renamed = client.call(
        f'mutation U($id: ID!) {{ updateSpace(id: $id, input: {{name: "Lobby", location: null}}) {{ space {{ {fields} }} }} }}',
        {"id": hall["id"]},
    ).data["updateSpace"]["space"]
    gone = client.call(
        "mutation D($id: ID!) { deleteSpace(id: $id) { space { deletedAt } errors { message } } }", {"id": hall["id"]}
    ).data["deleteSpace"]["space"]

    def recorded(at: str) -> Any:
        query = """query R($id: ID!, $at: DateTime!) { node(id: $id) { ... on Space { asRecorded(at: $at) {
            name type status externalId attributes location recordedAt actor deletedAt } } } }"""
        reply = client.call(query, {"id": hall["id"], "at": at})
        assert reply.error_codes == []
        return reply.data["node"]["asRecorded"]

    assert recorded("2020-01-01T00:00:00Z") is None
    before = recorded(hall["createdAt"])
    actor = before.pop("actor")
    assert before == {
        "name": "Hall",
        "type": "Room",
        "status": "active",
        "externalId": "h",
        "attributes": {"a": 1},
        "location": {"type": "Point", "coordinates": [8.5, 47.3]},
        "recordedAt": hall["createdAt"],
        "deletedAt": None,
    }
    after = recorded(renamed["updatedAt"])
    assert after == {**before, "name": "Lobby", "location": None, "recordedAt": renamed["updatedAt"], "actor": actor}
    deleted = recorded(gone["deletedAt"])
    assert deleted == {**after, "recordedAt": gone["deletedAt"], "deletedAt": gone["deletedAt"]}
    future = client.call(
        'query R($id: ID!) { node(id: $id) { ... on Space { asRecorded(at: "2999-01-01T00:00:00Z") { name } } } }',
        {"id": hall["id"]},
    )
    assert future.error_codes == ["BAD_USER_INPUT"]
