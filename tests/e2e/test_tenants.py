"""Two organizations on one installation: nothing of one can be seen or changed from the other."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from testing.installation import Client, Installation
from testing.waits import patient, quiet_period

pytestmark = pytest.mark.slow

CREATED = "{ errors { code message path } %s { id } }"


@dataclass(frozen=True, slots=True)
class Tenant:
    """An organization with one of everything."""

    client: Client
    ids: dict[str, str]


def make(client: Client, field: str, argument: str, kind: str, value: dict[str, Any]) -> str:
    input_type = argument[0].upper() + argument[1:]
    payload = client.call(
        f"mutation M($input: {input_type}!) {{ {field}(input: $input) {CREATED % kind} }}", {"input": value}
    ).data[field]
    assert payload["errors"] == []
    identity: str = payload[kind]["id"]
    return identity


def tenant(installation: Installation, name: str) -> Tenant:
    client = installation.organization(name)
    ids = {
        kind: make(client, f"create{kind.title()}", f"create{kind.title()}Input", kind,
                   {"name": f"{name} {kind}", "externalId": f"shared-{kind}"})
        for kind in ("device", "asset", "space", "person")
    }  # fmt: skip
    ids["activity"] = make(client, "createActivity", "createActivityInput", "activity", {"name": f"{name} activity"})
    ids["template"] = make(
        client, "createActivityTemplate", "activityTemplateInput", "activityTemplate", {"name": f"{name} work"}
    )
    ids["type"] = make(client, "createEntityType", "entityTypeInput", "entityType", {"kind": "ASSET", "name": "Pump"})
    ids["profile"] = make(client, "createAssetProfile", "assetProfileInput", "assetProfile", {"name": "Pump"})
    ids["group"] = make(client, "createGroup", "groupInput", "group", {"name": f"{name} group"})
    watched = {"name": "hot", "condition": {"threshold": {"metric": "temperature", "operator": "GT", "value": 80}}}
    ids["rule"] = make(client, "createRule", "ruleInput", "rule", watched)
    until = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    suppression = client.call(
        """mutation M($asset: ID!, $space: ID!, $to: DateTime!) {
             shelveEvents(entityId: $asset, to: $to) { shelf { id } }
             createMaintenanceWindow(underId: $space, to: $to) { maintenanceWindow { id } } }""",
        {"asset": ids["asset"], "space": ids["space"], "to": until},
    ).data
    ids["shelf"] = suppression["shelveEvents"]["shelf"]["id"]
    ids["window"] = suppression["createMaintenanceWindow"]["maintenanceWindow"]["id"]
    linked = client.call(
        """mutation M($device: ID!, $asset: ID!) {
             linkDevice(input: {deviceId: $device, assetId: $asset, validFrom: "2020-01-01T00:00:00Z"}) {
               errors { code message path } edge { id edgeId } } }""",
        {"device": ids["device"], "asset": ids["asset"]},
    ).data["linkDevice"]
    assert linked["errors"] == []
    ids["edge"], ids["edgeId"] = linked["edge"]["id"], linked["edge"]["edgeId"]
    sent = client.call(
        """mutation M($device: ID!) { ingestTelemetry(readings: [
             {deviceId: $device, timestamp: "2026-01-01T00:00:00Z", metrics: {temperature: 21.5}}]) { accepted } }""",
        {"device": ids["device"]},
    ).data["ingestTelemetry"]
    assert sent == {"accepted": 1}
    return Tenant(client, ids)


@pytest.fixture(scope="module")
def tenants(installation: Installation) -> tuple[Tenant, Tenant]:
    return tenant(installation, "North"), tenant(installation, "South")


def test_lists_hold_only_the_own(tenants: tuple[Tenant, Tenant]) -> None:
    north, south = tenants
    lists = "{ " + " ".join(
        f"{name}(first: 500) {{ totalCount nodes {{ id }} }}"
        for name in ("entities", "devices", "assets", "spaces", "persons", "activities")
    ) + " entityTypes { id } viewer { organizationName } }"  # fmt: skip
    mine, theirs = north.client.call(lists).data, south.client.call(lists).data
    assert mine["viewer"]["organizationName"] == "North"
    for name, singular in (("devices", "device"), ("assets", "asset"), ("spaces", "space"),
                           ("persons", "person"), ("activities", "activity")):  # fmt: skip
        assert mine[name] == {"totalCount": 1, "nodes": [{"id": north.ids[singular]}]}
        assert theirs[name] == {"totalCount": 1, "nodes": [{"id": south.ids[singular]}]}
    assert mine["entities"]["totalCount"] == theirs["entities"]["totalCount"] == 5
    assert not {row["id"] for row in mine["entityTypes"]} & {row["id"] for row in theirs["entityTypes"]}


def test_foreign_ids_read_nothing(tenants: tuple[Tenant, Tenant]) -> None:
    north, south = tenants
    reads = (
        'traverse(input: {startIds: ["$asset"], steps: [{relationships: ["MONITORED_BY"]}]}) { nodeIds }',
        'path(fromId: "$asset", toId: "$device") { length }',
        'assets(filter: {underId: "$asset"}) { totalCount }',
        'edgeVersions(entityIds: ["$asset"], from: "2020-01-01T00:00:00Z") { totalCount }',
        'healthExplanation(assetId: "$asset") { score }',
        'events(filter: {underId: "$asset"}) { totalCount }',
        'inAreaOf(entityId: "$space") { totalCount }',
        'assets(filter: {groupId: "$group"}) { totalCount }',
    )
    for read in reads:
        text = read
        for name, identity in south.ids.items():
            text = text.replace(f'${name}"', f'{identity}"')
        assert north.client.call(f"{{ {text} }}").error_codes == ["NOT_FOUND"], read
        assert "errors" not in south.client.call(f"{{ {text} }}").body, read
    for identity in south.ids.values():
        reply = north.client.call(
            "query Q($id: ID!) { node(id: $id) { id } nodes(ids: [$id]) { id } }", {"id": identity}
        )
        assert reply.data == {"node": None, "nodes": [None]}
        reply = north.client.call("query Q($id: ID!) { entity(id: $id) { id } }", {"id": identity})
        assert reply.data == {"entity": None}
    own = north.client.call(
        "query Q($x: String!) { entity(kind: DEVICE, externalId: $x) { id } }", {"x": "shared-device"}
    ).data["entity"]
    assert own == {"id": north.ids["device"]}


def test_a_draft_is_not_tried_on_others(tenants: tuple[Tenant, Tenant]) -> None:
    north, south = tenants
    text = """mutation T($i: RuleInput!) {
      testRule(input: $i, from: "2020-01-01T00:00:00Z", to: "2026-01-02T00:00:00Z") { test { entities } errors { code path } } }"""
    warm = {"name": "warm", "condition": {"expression": "temperature > 1.0"}}
    for scope in (
        {"entityId": south.ids["asset"]},
        {"underId": south.ids["space"]},
        {"groupId": south.ids["group"]},
    ):
        refused = north.client.call(text, {"i": {**warm, "scope": scope}}).data["testRule"]
        assert refused == {"test": None, "errors": [{"code": "NOT_FOUND", "path": ["input", "scope", *scope]}]}


def test_events_of_other_organizations_are_not_sent(installation: Installation, tenants: tuple[Tenant, Tenant]) -> None:
    north, south = tenants
    sockets = {}
    for name, item in (("north", north), ("south", south)):
        socket = connect(installation.websocket_url, subprotocols=[Subprotocol("graphql-transport-ws")], legacy=True)
        init = {"type": "connection_init", "payload": {"Authorization": f"Bearer {item.client.token}"}}
        socket.send(json.dumps(init))
        assert json.loads(socket.recv())["type"] == "connection_ack"
        text = "subscription { events { state entity { id } } }"
        socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": {"query": text}}))
        sockets[name] = socket
    # It has begun by then: the protocol does not tell when.
    quiet_period(patient(0.5))
    # Each has a rule for above 80, whose devices have the same external ids.
    south.client.call(
        """mutation M($device: ID!) { ingestTelemetry(readings: [
             {deviceId: $device, metrics: {temperature: 95}}]) { accepted } }""",
        {"device": south.ids["device"]},
    )
    sent = json.loads(sockets["south"].recv(timeout=patient(60)))["payload"]["data"]["events"]
    assert sent["state"] == "OPEN"
    assert sent["entity"]["id"] in {south.ids["device"], south.ids["asset"]}
    with pytest.raises(TimeoutError):
        sockets["north"].recv(timeout=2)
    foreign = north.client.call(
        "query Q($id: ID!) { node(id: $id) { id } events { totalCount } }", {"id": sent["entity"]["id"]}
    )
    assert foreign.data == {"node": None, "events": {"totalCount": 0}}
    for socket in sockets.values():
        socket.close()


FOREIGN_MUTATIONS = {
    "updateDevice": ('(id: "$device", input: {name: "taken"})', "device { id }"),
    "deleteDevice": ('(id: "$device")', "device { id }"),
    "updateAsset": ('(id: "$asset", input: {name: "taken"})', "asset { id }"),
    "deleteAsset": ('(id: "$asset")', "asset { id }"),
    "updateSpace": ('(id: "$space", input: {name: "taken"})', "space { id }"),
    "deleteSpace": ('(id: "$space")', "space { id }"),
    "updatePerson": ('(id: "$person", input: {name: "taken"})', "person { id }"),
    "deletePerson": ('(id: "$person")', "person { id }"),
    "updateActivity": ('(id: "$activity", input: {name: "taken"})', "activity { id }"),
    "deleteActivity": ('(id: "$activity")', "activity { id }"),
    "transitionActivity": ('(id: "$activity", to: CANCELLED)', "activity { id }"),
    "assignActivity": ('(id: "$activity", personId: "$person")', "activity { id }"),
    "completeChecklistItem": ('(activityId: "$activity", itemId: "1")', "activity { id }"),
    "createActivityFromTemplate": ('(templateId: "$template", targetIds: ["$asset"])', "activity { id }"),
    "updateActivityTemplate": ('(id: "$template", input: {name: "taken"})', "activityTemplate { id }"),
    "retryNotification": ('(id: "$activity")', "notification { id }"),
    "deleteActivityTemplate": ('(id: "$template")', "activityTemplate { id }"),
    "restoreEntity": ('(id: "$device")', "entity { id }"),
    "updateEntityType": ('(id: "$type", input: {kind: ASSET, name: "taken"})', "entityType { id }"),
    "deleteEntityType": ('(id: "$type")', "entityType { id }"),
    "updateAssetProfile": ('(id: "$profile", input: {name: "taken"})', "assetProfile { id }"),
    "deleteAssetProfile": ('(id: "$profile")', "assetProfile { id }"),
    "createAssetFromProfile": ('(profileId: "$profile", input: {name: "taken"})', "asset { id }"),
    "setAssetProfile": ('(assetId: "$own_asset", profileId: "$profile")', "asset { id }"),
    "updateGroup": ('(id: "$group", input: {name: "taken"})', "group { id }"),
    "deleteGroup": ('(id: "$group")', "group { id }"),
    "addToGroup": ('(groupId: "$group", entityIds: ["$own_asset"])', "group { id }"),
    "removeFromGroup": ('(groupId: "$group", entityIds: ["$asset"])', "group { id }"),
    "updateRule": ('(id: "$rule", input: {name: "taken", condition: {expression: "t > 1.0"}})', "rule { id }"),
    "deleteRule": ('(id: "$rule")', "rule { id }"),
    "shelveEvents": ('(ruleId: "$rule", to: "2099-01-01T00:00:00Z")', "shelf { id }"),
    "unshelveEvents": ('(id: "$shelf")', "shelf { id }"),
    "createMaintenanceWindow": (
        '(underId: "$space", to: "2099-01-01T00:00:00Z")',
        "maintenanceWindow { id }",
    ),
    "endMaintenanceWindow": ('(id: "$window")', "maintenanceWindow { id }"),
    "endEdge": ('(id: "$edge", at: "2025-01-01T00:00:00Z")', "edge { id }"),
    "correctEdge": ('(id: "$edge", validUntil: null)', "edge { id }"),
    "createEdge": (
        '(input: {sourceId: "$own_asset", targetId: "$device", relationship: "MONITORED_BY"})',
        "edge { id }",
    ),
    "linkDevice": ('(input: {deviceId: "$device", assetId: "$own_asset"})', "edge { id }"),
    "unlinkDevice": ('(deviceId: "$device", assetId: "$asset")', "edge { id }"),
    "issueDeviceToken": ('(deviceId: "$device")', "token"),
    "revokeDeviceToken": ('(deviceId: "$device", tokenId: "$edge")', "tokenId"),
}


@pytest.mark.parametrize("mutation", FOREIGN_MUTATIONS)
def test_foreign_ids_change_nothing(tenants: tuple[Tenant, Tenant], mutation: str) -> None:
    north, south = tenants
    arguments, result = FOREIGN_MUTATIONS[mutation]
    arguments = arguments.replace("$own_asset", north.ids["asset"])
    for name in sorted(south.ids, key=len, reverse=True):
        arguments = arguments.replace(f"${name}", south.ids[name])
    snapshot = """{ entities(first: 500) { nodes { id name updatedAt deletedAt
        edges(first: 50) { nodes { id validUntil } } } } entityTypes { id name } }"""
    before = south.client.call(snapshot).data
    payload = north.client.call(f"mutation {{ {mutation}{arguments} {{ {result} errors {{ code path }} }} }}").data[
        mutation
    ]
    assert [error["code"] for error in payload["errors"]] == ["NOT_FOUND"]
    assert payload[result.split()[0]] is None
    assert south.client.call(snapshot).data == before


def test_places_and_names_of_other_organizations_are_not_found(tenants: tuple[Tenant, Tenant]) -> None:
    """These look into indexes that all organizations share."""
    north, south = tenants
    place = '{type: "Polygon", coordinates: [[[8, 47], [9, 47], [9, 48], [8, 47]]]}'
    south.client.call(
        f'mutation {{ updateSpace(id: "{south.ids["space"]}", input: {{name: "Southern hall", location: {place}}})'
        " { errors { code } } }"
    )
    text = f"""{{ near(longitude: 8.5, latitude: 47.4, radiusM: 100000) {{ totalCount }}
        around(longitude: 8.9, latitude: 47.2) {{ totalCount }} within(geometry: {place}) {{ totalCount }}
        entities(filter: {{search: "thern hal"}}) {{ totalCount }} }}"""
    for client, count in ((south.client, 1), (north.client, 0)):
        data = client.call(text).data
        assert {name: data[name]["totalCount"] for name in data} == dict.fromkeys(data, count)


def test_an_import_sees_its_own_organization_only(tenants: tuple[Tenant, Tenant]) -> None:
    north, south = tenants
    edge = {"record": "edge", "relationship": "MONITORED_BY", "target": {"id": south.ids["device"]}}
    made = north.client.call(
        "mutation I($r: [JSON!]!) { importGraph(records: $r) { created updated edgesCreated errors { code path } } }",
        {"r": [{**edge, "source": {"id": north.ids["asset"]}}, {**edge, "source": {"id": south.ids["asset"]}}]},
    ).data["importGraph"]
    assert (made["created"], made["updated"], made["edgesCreated"]) == (0, 0, 0)
    assert [error["code"] for error in made["errors"]] == ["NOT_FOUND", "NOT_FOUND"]


def test_readings_for_a_foreign_device_are_refused(tenants: tuple[Tenant, Tenant]) -> None:
    north, south = tenants
    counted = '{ ingestAccount(from: "2020-01-01T00:00:00Z") { received } }'
    before = south.client.call(counted).data["ingestAccount"]["received"]
    assert before >= 1
    sent = north.client.call(
        """mutation M($id: ID!) { ingestTelemetry(readings: [{deviceId: $id, metrics: {a: 1}}])
           { accepted rejected errors { code path } } }""",
        {"id": south.ids["device"]},
    ).data["ingestTelemetry"]
    assert sent == {
        "accepted": 0, "rejected": 1,
        "errors": [{"code": "UNKNOWN_DEVICE", "path": ["readings", "0", "deviceId"]}],
    }  # fmt: skip
    assert south.client.call(counted).data["ingestAccount"]["received"] == before
