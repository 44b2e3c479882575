"""Devices that never sent anything, on a running installation: an event from their creation on, until they do."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from testing.installation import Client, Installation
from testing.waits import wait_until

EVENTS = "{ events(first: 50) { nodes { state clearedReason beganAt entity { id name } } } }"


def events(client: Client) -> dict[str, Any]:
    nodes = client.call(EVENTS).data["events"]["nodes"]
    return {node["entity"]["name"]: node for node in nodes}


def create(client: Client, name: str) -> str:
    text = """mutation D($n: String!) { createDevice(input: {name: $n, externalId: $n, type: "Meter"}) {
      device { id } errors { message } } }"""
    identity: str = client.call(text, {"n": name}).data["createDevice"]["device"]["id"]
    return identity


def test_a_device_that_never_sent_is_silent_until_it_does(installation: Installation) -> None:
    client = installation.organization("Never heard")
    create(client, "before")
    rule = """mutation R($e: Boolean!, $n: String!) { createRule(input: {name: $n, scope: {kind: DEVICE, type: "Meter"},
      effectiveFrom: "2026-01-01T00:00:00Z", condition: {noData: {metric: "t", after: "PT2S", everHeard: $e}}}) {
      rule { condition } errors { message } } }"""
    made = client.call(rule, {"e": False, "n": "silent"}).data["createRule"]
    assert made == {
        "rule": {"condition": {"noData": {"metric": "t", "after": "PT2S", "everHeard": False}}}, "errors": []
    }  # fmt: skip
    wait_until(lambda: set(events(client)) == {"before"})
    # One that comes later, each stage in a process of its own.
    identity = create(client, "after")
    wait_until(lambda: {"before", "after"} == set(events(client)))
    assert {event["state"] for event in events(client).values()} == {"OPEN"}
    assert events(client)["after"]["entity"]["id"] == identity
    reading = "mutation I($r: [ReadingInput!]!) { ingestTelemetry(readings: $r) { accepted } }"
    now = datetime.now(UTC).isoformat()
    client.call(reading, {"r": [{"externalId": "after", "timestamp": now, "metrics": {"t": 1}}]})
    # It was heard just now; two seconds later it is silent again.
    wait_until(lambda: _states(client, "after") == {"CLEARED", "OPEN"})
    assert events(client)["before"]["state"] == "OPEN"


def _states(client: Client, name: str) -> set[str]:
    nodes = client.call(EVENTS).data["events"]["nodes"]
    return {node["state"] for node in nodes if node["entity"]["name"] == name}
