"""A rule, from the device's reading to the event at the subscriber and to the activity; and right after corrections."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from testing.installation import Client, Installation
from testing.waits import Deadline, patient, quiet_period

pytestmark = pytest.mark.slow

PATIENCE_S = 60
SUBSCRIPTION = """subscription { events { id state beganAt openedAt clearedAt value entity { id } rule { name } } }"""
EVENTS = """query E($ids: [ID!]) { events(filter: {entityIds: $ids}) { nodes {
  id state severity beganAt openedAt clearedAt clearedReason value acknowledgedAt
  activities { id status } corrections { recordedAt } } } }"""


def site(client: Client) -> dict[str, str]:
    """Two pumps in a hall, a probe at each."""
    made = client.call(
        """mutation {
           hall: createSpace(input: {name: "hall"}) { space { id } }
           d: createDevice(input: {name: "d", externalId: "d"}) { device { id } }
           e: createDevice(input: {name: "e", externalId: "e"}) { device { id } }
           a: createAsset(input: {name: "a"}) { asset { id } }
           b: createAsset(input: {name: "b"}) { asset { id } } }"""
    ).data
    ids = {name: next(iter(payload.values()))["id"] for name, payload in made.items()}
    for device, asset in (("d", "a"), ("e", "b")):
        link(client, ids[device], ids[asset], "2020-01-01T00:00:00Z")
    for asset in "ab":
        client.call(
            """mutation L($s: ID!, $t: ID!) { createEdge(input: {sourceId: $s, targetId: $t, relationship: "LOCATED_IN",
               validFrom: "2020-01-01T00:00:00Z"}) { errors { message } } }""",
            {"s": ids[asset], "t": ids["hall"]},
        )
    return ids


def link(client: Client, device: str, asset: str, since: str) -> None:
    done = client.call(
        """mutation L($d: ID!, $a: ID!, $s: DateTime!) { linkDevice(input: {deviceId: $d, assetId: $a, validFrom: $s})
           { errors { message } } }""",
        {"d": device, "a": asset, "s": since},
    ).data["linkDevice"]
    assert done["errors"] == []


def send(client: Client, device: str, *readings: tuple[int, float]) -> None:
    rows = [
        {"externalId": device, "timestamp": f"2026-01-01T00:{minute:02}:00Z", "metrics": {"temperature": value}}
        for minute, value in readings
    ]
    payload = client.call(
        "mutation I($r: [ReadingInput!]!) { ingestTelemetry(readings: $r) { accepted errors { message } } }",
        {"r": rows},
    ).data["ingestTelemetry"]
    assert payload == {"accepted": len(rows), "errors": []}


def at(minute: int) -> str:
    return f"2026-01-01T00:{minute:02}:00Z"


def events(client: Client, entity_id: str, fits: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
    """Wait until the events of an entity, those withdrawn too, are as expected; by when they opened."""
    deadline = Deadline(PATIENCE_S)
    while True:
        nodes: list[dict[str, Any]] = client.call(EVENTS, {"ids": [entity_id]}).data["events"]["nodes"]
        nodes.sort(key=lambda event: event["openedAt"])
        if fits(nodes):
            return nodes
        deadline.pause(nodes)


def spans(nodes: list[dict[str, Any]]) -> list[tuple[str, str, str | None]]:
    return [(e["beganAt"], e["openedAt"], e["clearedAt"]) for e in nodes if e["state"] != "WITHDRAWN"]


def subscribe(installation: Installation, client: Client) -> Any:
    socket = connect(installation.websocket_url, subprotocols=[Subprotocol("graphql-transport-ws")], legacy=True)
    socket.send(json.dumps({"type": "connection_init", "payload": {"Authorization": f"Bearer {client.token}"}}))
    assert json.loads(socket.recv())["type"] == "connection_ack"
    socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": {"query": SUBSCRIPTION}}))
    # It has begun by then: the protocol does not tell when.
    quiet_period(patient(0.5))
    return socket


def until_sent(socket: Any, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Wait for an event that fits."""
    while True:
        event: dict[str, Any] = json.loads(socket.recv(timeout=patient(PATIENCE_S)))["payload"]["data"]["events"]
        if fits(event):
            return event


def test_an_event_from_reading_to_activity_and_its_corrections(installation: Installation) -> None:
    client = installation.organization("Rules")
    ids = site(client)
    template = client.call(
        """mutation { createActivityTemplate(input: {name: "Look at it", checklist: [{text: "Look"}, {text: "Mend"}], dueIn: "PT2H"})
           { activityTemplate { id } errors { message } } }"""
    ).data["createActivityTemplate"]
    made = client.call(
        """mutation R($hall: ID!, $template: ID!) { createRule(input: {name: "hot", severity: HIGH,
             scope: {underId: $hall}, effectiveFrom: "2025-12-01T00:00:00Z",
             action: {createActivityFromTemplateId: $template},
             condition: {threshold: {metric: "temperature", operator: GT, value: 80, for: "PT2M", clearValue: 75}}})
           { rule { id } errors { code message path } } }""",
        {"hall": ids["hall"], "template": template["activityTemplate"]["id"]},
    ).data["createRule"]
    assert made["errors"] == []
    socket = subscribe(installation, client)

    send(client, "d", (0, 70), (1, 81), (2, 82))
    send(client, "d", (3, 83))
    # What it is measured by lies below the hall too, and is evaluated by itself.
    event = until_sent(socket, lambda event: event["state"] == "OPEN" and event["entity"]["id"] == ids["a"])
    assert (event["beganAt"], event["openedAt"], event["value"]) == (at(1), at(3), 83)
    assert (event["entity"]["id"], event["rule"]["name"]) == (ids["a"], "hot")
    [event] = events(client, ids["a"], lambda nodes: bool(nodes and nodes[0]["activities"]))
    assert (event["severity"], event["state"]) == ("HIGH", "OPEN")
    [activity] = event["activities"]
    client.call(
        'mutation A($id: ID!) { acknowledgeEvent(id: $id, note: "seen") { event { state } errors { message } } }',
        {"id": event["id"]},
    )
    send(client, "d", (4, 76), (5, 74))
    until_sent(socket, lambda event: event["clearedAt"] == at(5) and event["entity"]["id"] == ids["a"])
    [cleared] = events(client, ids["a"], lambda nodes: nodes[0]["clearedAt"] == at(5))
    assert (cleared["id"], cleared["state"]) == (event["id"], "CLEARED")
    assert cleared["acknowledgedAt"] is not None

    # Late: it had been too hot for longer. The event is the same, its marks and its activity too.
    send(client, "e", (0, 10))
    client.call(
        'mutation I { ingestTelemetry(readings: [{externalId: "d", timestamp: "2025-12-31T23:58:00Z",'
        ' metrics: {temperature: 90}}, {externalId: "d", timestamp: "2026-01-01T00:00:00Z",'
        " metrics: {temperature: 91}}]) { accepted } }"
    )
    [moved] = events(client, ids["a"], lambda nodes: spans(nodes) == [("2025-12-31T23:58:00Z", at(0), at(5))])
    assert (moved["id"], moved["acknowledgedAt"]) == (event["id"], cleared["acknowledgedAt"])
    assert [activity["id"] for activity in moved["activities"]] == [activity["id"]]
    assert len(moved["corrections"]) >= 1

    # The probe had been at the other pump all the time: there the event was, and here none.
    edges = client.call(
        'query E($a: ID!, $b: ID!) { a: entity(id: $a) { edges(relationships: ["MONITORED_BY"]) { nodes { id } } }'
        ' b: entity(id: $b) { edges(relationships: ["MONITORED_BY"]) { nodes { id } } } }',
        {"a": ids["a"], "b": ids["b"]},
    ).data
    for asset in "ab":
        client.call(
            "mutation C($id: ID!) { correctEdge(id: $id, retract: true) { errors { message } } }",
            {"id": edges[asset]["edges"]["nodes"][0]["id"]},
        )
    link(client, ids["d"], ids["b"], "2020-01-01T00:00:00Z")
    link(client, ids["e"], ids["a"], "2020-01-01T00:00:00Z")
    [withdrawn] = events(client, ids["a"], lambda nodes: [e["state"] for e in nodes] == ["WITHDRAWN"])
    assert withdrawn["id"] == event["id"]
    events(client, ids["b"], lambda nodes: spans(nodes) == [("2025-12-31T23:58:00Z", at(0), at(5))])
    socket.close()


def test_a_rule_that_changes_and_one_that_waits_for_silence(installation: Installation) -> None:
    client = installation.organization("Rules that change")
    ids = site(client)
    create = """mutation R($i: RuleInput!) { createRule(input: $i) { rule { id } errors { code message path } } }"""
    warm = {
        "name": "warm",
        "scope": {"entityId": ids["a"]},
        "effectiveFrom": "2025-12-01T00:00:00Z",
        "condition": {"expression": "temperature > 50.0"},
    }
    rule = client.call(create, {"i": warm}).data["createRule"]
    assert rule["errors"] == []
    silent = {**warm, "name": "silent", "condition": {"noData": {"metric": "temperature", "after": "PT10M"}}}
    assert client.call(create, {"i": silent}).data["createRule"]["errors"] == []
    send(client, "d", (0, 60), (5, 61), (30, 62))

    def of_both(nodes: list[dict[str, Any]]) -> bool:
        # The last silence has gone on ever since.
        return spans(nodes) == [(at(0), at(0), None), (at(5), at(15), at(30)), (at(30), at(40), None)]

    events(client, ids["a"], of_both)
    changed = {**warm, "effectiveFrom": at(20), "condition": {"expression": "temperature > 70.0"}}
    updated = client.call(
        "mutation U($id: ID!, $i: RuleInput!) { updateRule(id: $id, input: $i) { errors { message } } }",
        {"id": rule["rule"]["id"], "i": changed},
    ).data["updateRule"]
    assert updated["errors"] == []
    nodes = events(client, ids["a"], lambda nodes: (at(0), at(0), at(20)) in spans(nodes))
    assert [e["clearedReason"] for e in nodes if e["openedAt"] == at(0)] == ["RULE_CHANGED"]
    never = {
        **warm,
        "name": "never",
        "condition": {"threshold": {"metric": "t", "operator": "GT", "value": 1, "clearValue": 2}},
    }
    [refused] = client.call(create, {"i": never}).data["createRule"]["errors"]
    assert refused["path"][-1] == "clearValue"
    # A draft of it, tested over the same time, gives the same for the readings before.
    backtest = client.call(
        """mutation T($i: RuleInput!) { testRule(input: $i, from: "2025-12-31T00:00:00Z", to: "2026-01-01T00:29:00Z") {
           test { entities points truncated events { entityId beganAt openedAt clearedAt value } }
           errors { code path } } }""",
        {"i": silent},
    ).data["testRule"]
    [gap] = backtest["test"].pop("events")
    assert backtest == {"test": {"entities": 1, "points": 2, "truncated": False}, "errors": []}
    assert (gap["entityId"], gap["beganAt"], gap["openedAt"], gap["clearedAt"]) == (ids["a"], at(5), at(15), None)
