"""A replay as an operator orders it: a dry run first, then for good; progress is sent until it is over."""

from __future__ import annotations

import json
from typing import Any

import pytest
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from testing.installation import Client, Installation
from testing.waits import patient

pytestmark = pytest.mark.slow

ORDER = """mutation R($dry: Boolean!) { replayTelemetry(input: {from: "2026-01-01T00:00:00Z", to: "2026-01-02T00:00:00Z",
  dryRun: $dry}) { replay { id state } errors { code message path } } }"""
PROGRESS = "subscription P($id: ID!) { replayProgress(id: $id) { state total done changes finishedAt } }"
PATIENCE_S = 60


def replayed(installation: Installation, client: Client, *, dry: bool) -> list[dict[str, Any]]:
    """Order a replay; return the progress that is sent."""
    ordered = client.call(ORDER, {"dry": dry}).data["replayTelemetry"]
    assert ordered["errors"] == []
    assert ordered["replay"]["state"] == "QUEUED"
    reports: list[dict[str, Any]] = []
    with connect(installation.websocket_url, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:
        socket.send(json.dumps({"type": "connection_init", "payload": {"Authorization": f"Bearer {client.token}"}}))
        assert json.loads(socket.recv())["type"] == "connection_ack"
        payload = {"query": PROGRESS, "variables": {"id": ordered["replay"]["id"]}}
        socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))
        while (message := json.loads(socket.recv(timeout=patient(PATIENCE_S))))["type"] == "next":
            reports.append(message["payload"]["data"]["replayProgress"])
        assert message["type"] == "complete"
    return reports


def values(client: Client) -> list[Any]:
    [series] = client.call(
        """{ entity(kind: DEVICE, externalId: "p") { telemetry(metrics: ["t"], from: "2026-01-01T00:00:00Z",
             to: "2026-01-02T00:00:00Z") { unit values } } }"""
    ).data["entity"]["telemetry"]
    values_: list[Any] = series["values"]
    return values_


def test_a_dry_run_reports_and_a_replay_applies(installation: Installation) -> None:
    client = installation.organization("Replays")
    client.call('mutation { createDevice(input: {name: "p", externalId: "p", type: "probe"}) { errors { message } } }')
    readings = [
        {"externalId": "p", "timestamp": f"2026-01-01T00:{m:02}:00Z", "metrics": {"t": 32 + m}} for m in range(50)
    ]
    ingested = client.call(
        "mutation I($r: [ReadingInput!]!) { ingestTelemetry(readings: $r) { accepted } }", {"r": readings}
    ).data["ingestTelemetry"]
    assert ingested == {"accepted": 50}
    installation.wait_processed(client)
    [type_id] = [t["id"] for t in client.call("{ entityTypes(kind: DEVICE) { id } }").data["entityTypes"]]
    client.call(
        """mutation E($id: ID!, $schema: JSON!) { updateEntityType(id: $id, input: {kind: DEVICE, name: "probe",
             telemetrySchema: $schema, effectiveFrom: "2026-01-01T00:00:00Z"}) { errors { message path } } }""",
        {"id": type_id, "schema": {"metrics": {"t": {"unit": "Cel", "sentUnit": "[degF]", "max": 20}}}},
    )
    reports = replayed(installation, client, dry=True)[-1]
    # 32..68 degrees Fahrenheit are 0..20 degrees Celsius; what is above is refused.
    assert (reports["state"], reports["total"], reports["done"]) == ("FINISHED", 50, 50)
    assert {k: reports["changes"][k] for k in ("changed", "removed", "added", "letters")} == {
        "changed": 37, "removed": 13, "added": 0, "letters": 13,
    }  # fmt: skip
    assert values(client) == [float(32 + m) for m in range(50)]
    done = replayed(installation, client, dry=False)[-1]
    assert done["changes"] == reports["changes"]
    assert values(client) == pytest.approx([m / 1.8 for m in range(37)])
    assert replayed(installation, client, dry=False)[-1]["changes"]["points"] == 0
    listed = client.call("{ replays { totalCount nodes { state dryRun orderedBy } } }").data["replays"]
    assert (listed["totalCount"], [node["dryRun"] for node in listed["nodes"]]) == (3, [False, False, True])
