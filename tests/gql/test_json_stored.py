"""Stored JSON that the API would not accept: every JSON field of the schema still answers."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

import pytest
from graphql import GraphQLObjectType, get_named_type
from sqlalchemy import text
from websockets.sync.client import connect

from gql.schema import core_schema
from runtime.clock import utc_now
from runtime.database import engine_create, transaction
from runtime.ids import new_id
from testing.api import Api
from testing.installation import Client

# Where each type that shows JSON is read: the fields above it. Their JSON is found in the schema.
PLACES: dict[str, tuple[str, ...]] = {
    "Asset": ("assets", "nodes"),
    "Device": ("devices", "nodes"),
    "Space": ("spaces", "nodes"),
    "Person": ("persons", "nodes"),
    "Activity": ("activities", "nodes"),
    "ActivityTemplate": ("activityTemplates", "nodes"),
    "AssetProfile": ("assetProfiles", "nodes"),
    "AssetProfileVersion": ("assetProfiles", "nodes", "versions"),
    "Change": ("changes", "nodes"),
    "DeadLetter": ("deadLetters", "nodes"),
    "Edge": ("assets", "nodes", "edges", "nodes"),
    "EntityRecord": ("assets", "nodes", "asRecorded"),
    "EntityType": ("entityTypes",),
    "EntityTypeVersion": ("entityTypes", "versions"),
    "EventCorrection": ("events", "nodes", "corrections"),
    "FeatureFlag": ("featureFlags",),
    "Group": ("groups", "nodes"),
    "Notification": ("notifications", "nodes"),
    "RawReading": ("devices", "nodes", "rawReadings", "nodes"),
    "Replay": ("replays", "nodes"),
    "Rule": ("rules", "nodes"),
    "RuleVersion": ("rules", "nodes", "versions"),
}
# Beyond a double, in a number and in a text of digits; beyond 64 bits; below the doubles; more digits than they have.
ODD = '{"beyond": 1e400, "deep": [{"below": -1e400}], "big": 1e21, "wide": 18446744073709551616, "tiny": 1e-400}'
SAID = {"beyond": None, "deep": [{"below": None}], "big": 1e21, "wide": 1.8446744073709552e19, "tiny": 0.0}
# Fields whose content is of a form that the domain reads; there is no room for anything odd.
TYPED = {
    "Rule.condition", "Rule.scope", "Rule.action", "Rule.escalation", "Rule.damping",
    "RuleVersion.condition", "RuleVersion.scope", "RuleVersion.action", "RuleVersion.escalation", "RuleVersion.damping",
    "AssetProfile.rules", "AssetProfileVersion.rules", "FeatureFlag.allowed", "FeatureFlag.default", "FeatureFlag.value",
    "Group.filter",
}  # fmt: skip
POISON = (
    "UPDATE entities SET attributes = CAST(:odd AS jsonb)",
    "UPDATE entity_types SET attributes = CAST(:odd AS jsonb)",
    "UPDATE telemetry_schemas SET schema = CAST(:odd AS jsonb)",
    "UPDATE entity_edges SET metadata = CAST(:odd AS jsonb)",
    "UPDATE activities SET checklist = jsonb_build_array(CAST(:odd AS jsonb))",
    "UPDATE activity_templates SET checklist = jsonb_build_array(CAST(:odd AS jsonb))",
    """UPDATE asset_profile_versions SET content = content || jsonb_build_object(
        'defaultAttributes', CAST(:odd AS jsonb), 'defaultHealthThresholds', CAST(:odd AS jsonb),
        'formulas', CAST(:odd AS jsonb), 'health', CAST(:odd AS jsonb))""",
    """UPDATE changes SET before = CAST(:odd AS jsonb),
        after = coalesce(after, '{}') || CAST(:odd AS jsonb) || jsonb_build_object('attributes', CAST(:odd AS jsonb))""",
    "UPDATE replays SET changes = CAST(:odd AS jsonb)",
)  # fmt: skip


def json_fields(scalar: str = "JSON") -> dict[str, list[str]]:
    """Return the names of the fields that show JSON, by the object type they are of."""
    fields: dict[str, list[str]] = defaultdict(list)
    for name, of in core_schema().type_map.items():
        if isinstance(of, GraphQLObjectType):
            for field, definition in of.fields.items():
                if get_named_type(definition.type).name == scalar:
                    fields[name].append(field)
    return dict(fields)


_MAKE = """mutation($type: ActivityTemplateInput!, $profile: AssetProfileInput!, $rule: RuleInput!, $kind: EntityTypeInput!,
    $replay: ReplayInput!) {
  createActivityTemplate(input: $type) { activityTemplate { id } errors { message path } }
  createAssetProfile(input: $profile) { assetProfile { id } errors { message path } }
  createGroup(input: {name: "assets", kind: DYNAMIC, filter: {kinds: [ASSET]}}) { group { id } errors { message path } }
  createRule(input: $rule) { rule { id } errors { message path } }
  createEntityType(input: $kind) { entityType { id } errors { message path } }
  createAsset(input: {name: "pump", type: "pump"}) { asset { id } errors { message path } }
  createDevice(input: {name: "meter"}) { device { id } errors { message path } }
  createSpace(input: {name: "hall"}) { space { id } errors { message path } }
  createPerson(input: {name: "Ada"}) { person { id } errors { message path } }
  createActivity(input: {name: "look", checklist: ["look"]}) { activity { id } errors { message path } }
  replayTelemetry(input: $replay) { replay { id } errors { message path } }
}"""
_INPUT: dict[str, Any] = {
    "type": {"name": "repair", "checklist": ["look"]},
    "profile": {"name": "pumps", "defaultAttributes": {"a": 1}},
    "rule": {"name": "hot", "condition": {"threshold": {"metric": "t", "operator": "GT", "value": 80}}},
    "kind": {"kind": "ASSET", "name": "pump", "attributes": {"a": 1}, "telemetrySchema": {"metrics": {}}},
    "replay": {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"},
}


@pytest.fixture(scope="module")
def client(api: Api) -> Client:
    """A client of an organization in whose database every kind of JSON is odd."""
    organization_id = api.organization("odd")
    client = api.client("odd")
    made = client.call(_MAKE, _INPUT).data
    assert all(payload["errors"] == [] for payload in made.values()), made
    link = client.call(
        'mutation($a: ID!, $s: ID!) { createEdge(input: {sourceId: $a, targetId: $s, relationship: "LOCATED_IN"}) '
        "{ errors { message } } }",
        {"a": made["createAsset"]["asset"]["id"], "s": made["createSpace"]["space"]["id"]},
    ).data
    assert link == {"createEdge": {"errors": []}}
    engine = engine_create(api.settings.database_url("owner"), pool_size=1)
    with transaction(engine) as session:
        values = {
            "o": organization_id, "id": new_id(), "rule": made["createRule"]["rule"]["id"], "odd": ODD,
            "entity": made["createAsset"]["asset"]["id"], "device": made["createDevice"]["device"]["id"],
            "profile": made["createAssetProfile"]["assetProfile"]["id"],
        }  # fmt: skip
        for statement in (
            """INSERT INTO events (organization_id, id, rule_id, entity_id, key, version_id, began_at, opened_at,
                severity, flaps, detected_at) SELECT :o, :id, :rule, :entity, '', id, now(), now(), 'LOW', 0, now()
                FROM rule_versions WHERE rule_id = :rule""",
            """INSERT INTO event_corrections (organization_id, event_id, before, after)
                VALUES (:o, :id, CAST(:odd AS jsonb), CAST(:odd AS jsonb))""",
            """INSERT INTO notifications (organization_id, id, event_id, url, payload, due_at, created_at)
                VALUES (:o, :id, :id, 'https://example.com', CAST(:odd AS jsonb), now(), now())""",
            # Of the type json, which keeps what was written: half a surrogate pair, too.
            """INSERT INTO dead_letters (organization_id, id, raw_id, device_id, stage, code, message, payload,
                received_at, attempts, failed_at) VALUES (:o, :id, 1, :device, 'normalize', 'X', 'x',
                CAST(left(:odd, -1) || ', "half": "\\ud800"}' AS json), now(), 1, now())""",
            "UPDATE assets SET profile_id = :profile",
            "SELECT ensure_partition('telemetry_raw', now()), ensure_partition('raw_batches', now())",
            """INSERT INTO raw_batches (organization_id, id, partition, transport, received_at, first_raw_id, last_raw_id,
                readings, bytes) VALUES (:o, 1, 0, 'http', now(), 1, 1, 1, 1)""",
            """INSERT INTO telemetry_raw (organization_id, id, batch_id, device_id, timestamp, received_at, key, metrics)
                VALUES (:o, 1, 1, :device, now(), now(), :id, CAST(:odd AS json))""",
        ):
            session.execute(text(statement), values)
        for statement in POISON:
            assert session.execute(text(statement), {"odd": ODD}).rowcount >= 1, statement  # type: ignore[attr-defined]
    engine.dispose()
    return client


def document(name: str, fields: list[str]) -> str:
    """Return the query that shows the fields."""
    inner = " ".join(fields)
    if name == "Activity":
        inner = f"... on Activity {{ {inner} }}"
    for place in reversed(PLACES[name][1:]):
        arguments = f'(at: "{utc_now().isoformat()}")' if place == "asRecorded" else ""
        inner = f"{place}{arguments} {{ {inner} }}"
    return f"{{ {PLACES[name][0]} {{ {inner} }} }}"


def at(data: Any, path: list[str | int]) -> Any:
    for step in path:
        data = data[step]
    return data


def test_every_json_field_is_tested_here() -> None:
    # What a preview would give comes in with the question, see test_json_doors.py; what an entity was, is read from the
    # trail, which here holds nothing of one. A rule in force shows the condition of its version.
    assert set(json_fields()) == {*PLACES, "AssetProfileEffect", "EntityRecord", "RuleInForce"}


@pytest.mark.parametrize("name", PLACES)
def test_an_unencodable_value_is_null_and_the_answer_goes_through(client: Client, name: str) -> None:
    fields = json_fields()[name]
    reply = client.call(document(name, fields))
    assert reply.status == 200
    rows = [reply.body["data"]]
    for place in PLACES[name]:
        rows = [item for row in rows for item in (row[place] if isinstance(row[place], list) else [row[place]])]
    assert rows
    odd = [field for field in fields if f"{name}.{field}" not in TYPED]
    errors = reply.body.get("errors", [])
    for error in errors:
        assert at(reply.body["data"], error["path"]) is None
        assert error["extensions"]["code"] == "INTERNAL"
        assert "cannot be encoded as JSON" in error["message"]
    for field in odd:
        assert any(field in error["path"] for error in errors), field
        for row in rows:
            shown = row[field][0] if isinstance(row[field], list) else row[field]
            for member, said in SAID.items():
                assert shown[member] == said, (field, member)
    if name == "DeadLetter":
        assert rows[0]["payload"]["half"] is None


def test_a_socket_says_the_same(api: Api, client: Client) -> None:
    with connect(api.websocket_url, subprotocols=["graphql-transport-ws"]) as socket:  # type: ignore[list-item]
        socket.send(json.dumps({"type": "connection_init", "payload": {"token": client.token}}))
        assert json.loads(socket.recv())["type"] == "connection_ack"
        query = "{ assets { nodes { name attributes } } }"
        socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": {"query": query}}))
        message = json.loads(socket.recv())
    assert message["type"] == "next"
    [asset] = message["payload"]["data"]["assets"]["nodes"]
    assert asset["attributes"] == SAID
    paths = [error["path"] for error in message["payload"]["errors"]]
    assert sorted(paths, key=len) == [
        ["assets", "nodes", 0, "attributes", "beyond"],
        ["assets", "nodes", 0, "attributes", "deep", 0, "below"],
    ]


def test_odd_values_can_be_repaired(client: Client) -> None:
    [asset] = client.call("{ assets { nodes { id } } }").data["assets"]["nodes"]
    mended = client.call(
        "mutation($id: ID!) { updateAsset(id: $id, input: {replaceAttributes: {a: 1}}) { asset { attributes } "
        "errors { message } } }",
        {"id": asset["id"]},
    ).data["updateAsset"]
    assert mended == {"asset": {"attributes": {"a": 1}}, "errors": []}
