"""A derived metric, from the device's reading to the subscriber, and right again after a correction of the past."""

from __future__ import annotations

import json
from typing import Any

import pytest
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from testing.installation import Client, Installation
from testing.waits import Deadline, patient

pytestmark = pytest.mark.slow

SUBSCRIPTION = """subscription S($ids: [ID!], $after: String) { telemetry(entityIds: $ids, after: $after) {
  cursor series { entity { id } metric unit timestamps values } invalidated { entity { id } metric from to } } }"""
READ = """query R($id: ID!) { entity(id: $id) { telemetry(metrics: ["power"], from: "2026-01-01T00:00:00Z",
  to: "2026-01-02T00:00:00Z") { unit values } latest(metrics: ["power"]) { value receivedAt unit } } }"""
PATIENCE_S = 60


def site(client: Client) -> dict[str, str]:
    made = client.call(
        """mutation { createEntityType(input: {kind: ASSET, name: "pump", effectiveFrom: "2020-01-01T00:00:00Z",
             telemetrySchema: {derived: {power: {sum: {volts: 10, offset_w: 1}, maxAge: "PT5M", unit: "W"}}}})
             { errors { message path } }
           d: createDevice(input: {name: "d", externalId: "d"}) { device { id } }
           e: createDevice(input: {name: "e", externalId: "e"}) { device { id } }
           a: createAsset(input: {name: "a", type: "pump"}) { asset { id } }
           b: createAsset(input: {name: "b", type: "pump"}) { asset { id } } }"""
    ).data
    assert made["createEntityType"]["errors"] == []
    ids = {name: made[name]["asset" if name in "ab" else "device"]["id"] for name in "deab"}
    for device, asset in (("d", "a"), ("e", "b")):
        client.call(
            """mutation L($d: ID!, $a: ID!) { linkDevice(input: {deviceId: $d, assetId: $a,
               validFrom: "2020-01-01T00:00:00Z"}) { errors { message } } }""",
            {"d": ids[device], "a": ids[asset]},
        )
    return ids


def send(client: Client, *readings: tuple[str, int, float]) -> None:
    rows = [
        {"externalId": d, "timestamp": f"2026-01-01T00:{m:02}:00Z", "metrics": {"volts": v, "offset_w": 1}}
        for d, m, v in readings
    ]
    payload = client.call(
        "mutation I($r: [ReadingInput!]!) { ingestTelemetry(readings: $r) { accepted errors { message } } }",
        {"r": rows},
    ).data["ingestTelemetry"]
    assert payload == {"accepted": len(rows), "errors": []}


def values(client: Client, entity_id: str, expected: list[float]) -> dict[str, Any]:
    """Wait until an entity's derived points are as expected; return what it was read as."""
    deadline = Deadline(PATIENCE_S)
    while True:
        entity: dict[str, Any] = client.call(READ, {"id": entity_id}).data["entity"]
        [series] = entity["telemetry"]
        if series["values"] == expected:
            return entity
        deadline.pause(entity)


class Socket:
    """One subscription over graphql-transport-ws."""

    def __init__(self, installation: Installation, client: Client, **variables: Any) -> None:
        self.socket = connect(
            installation.websocket_url, subprotocols=[Subprotocol("graphql-transport-ws")], legacy=True
        )
        self.send({"type": "connection_init", "payload": {"Authorization": f"Bearer {client.token}"}})
        assert json.loads(self.socket.recv())["type"] == "connection_ack"
        payload = {"query": SUBSCRIPTION, "variables": variables}
        self.send({"type": "subscribe", "id": "1", "payload": payload})
        self.updates: list[dict[str, Any]] = []

    def send(self, message: dict[str, Any]) -> None:
        self.socket.send(json.dumps(message))

    def until_points(self, wanted: list[float]) -> None:
        """Collect updates until these derived values have come, each once."""
        seen: list[float] = []
        while len(seen) < len(wanted):
            update = json.loads(self.socket.recv(timeout=patient(PATIENCE_S)))["payload"]["data"]["telemetry"]
            self.updates.append(update)
            seen += [v for s in update["series"] if s["metric"] == "power" for v in s["values"]]
            assert {s["unit"] for s in update["series"] if s["metric"] == "power"} <= {"W"}
        assert seen == wanted

    def until_invalidated(self) -> dict[str, Any]:
        """Collect updates until one invalidates derived points; return it."""
        while True:
            update = json.loads(self.socket.recv(timeout=patient(PATIENCE_S)))["payload"]["data"]["telemetry"]
            self.updates.append(update)
            for taken in update["invalidated"]:
                if taken["metric"] == "power":
                    payload: dict[str, Any] = taken
                    return payload


def test_a_derived_metric_from_reading_to_subscriber_and_back(installation: Installation) -> None:
    client = installation.organization("Derived")
    ids = site(client)
    socket = Socket(installation, client, ids=[ids["a"]])
    send(client, ("d", 0, 1), ("d", 1, 2), ("e", 0, 5))
    socket.until_points([11, 21])
    send(client, ("d", 2, 3))
    socket.until_points([31])
    cursor = socket.updates[-1]["cursor"]
    read = values(client, ids["a"], [11, 21, 31])
    assert read["latest"] == [{"value": 31, "receivedAt": None, "unit": "W"}]
    assert read["telemetry"][0]["unit"] == "W"
    values(client, ids["b"], [51])

    # The devices had been mixed up since the beginning of the minute.
    edges = client.call(
        """query E($a: ID!, $b: ID!) { a: entity(id: $a) { edges { nodes { id } } } b: entity(id: $b) {
           edges { nodes { id } } } }""",
        {"a": ids["a"], "b": ids["b"]},
    ).data
    for asset in "ab":
        client.call(
            'mutation C($id: ID!) { correctEdge(id: $id, validUntil: "2026-01-01T00:01:00Z") { errors { message } } }',
            {"id": edges[asset]["edges"]["nodes"][0]["id"]},
        )
    for device, asset in (("d", "b"), ("e", "a")):
        client.call(
            """mutation L($d: ID!, $a: ID!) { linkDevice(input: {deviceId: $d, assetId: $a,
               validFrom: "2026-01-01T00:01:00Z"}) { errors { message } } }""",
            {"d": ids[device], "a": ids[asset]},
        )
    taken = socket.until_invalidated()
    assert (taken["entity"]["id"], taken["from"]) == (ids["a"], "2026-01-01T00:01:00Z")
    values(client, ids["a"], [11])
    values(client, ids["b"], [51, 21, 31])
    # Late data of the other device, which belongs to this asset since then.
    send(client, ("e", 2, 7))
    values(client, ids["a"], [11, 71])
    socket.socket.close()

    # Who was away hears of what was taken back, too.
    again = Socket(installation, client, ids=[ids["a"]], after=cursor)
    assert again.until_invalidated()["entity"]["id"] == ids["a"]
    again.until_points([71])
    again.socket.close()
