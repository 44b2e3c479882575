"""Devices with a rule of their own, one reading a call, over several partitions and workers: all open, all clear.

DEVICE_RULES_DEVICES=100 DEVICE_RULES_ROUNDS=10 python -m pytest tests/e2e/own/test_device_rules.py
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from testing.installation import Client, Installation
from testing.waits import Deadline

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3_600)]

DEVICES = int(os.environ.get("DEVICE_RULES_DEVICES", "24"))
ROUNDS = int(os.environ.get("DEVICE_RULES_ROUNDS", "1"))
PATIENCE_S = 120
LENGTH = timedelta(minutes=6)
EVENTS = """query E($states: [EventState!], $after: String) { events(filter: {states: $states}, first: 100, after: $after) {
  nodes { entity { id } rule { name } openedAt clearedAt } pageInfo { hasNextPage endCursor } } }"""


def devices_make(client: Client) -> list[str]:
    """Make devices, each with a rule about what it sends and one about its silence, which never comes."""
    made = []
    rule = "mutation R($i: RuleInput!) { createRule(input: $i) { errors { message } } }"
    for n in range(DEVICES):
        device = client.call(
            "mutation D($i: CreateDeviceInput!) { createDevice(input: $i) { device { id } errors { message } } }",
            {"i": {"name": f"meter {n}", "externalId": f"m{n}"}},
        ).data["createDevice"]["device"]["id"]
        common = {"scope": {"entityId": device}, "effectiveFrom": "2020-01-01T00:00:00Z"}
        for name, condition in (
            ("high", {"threshold": {"metric": "v", "operator": "GT", "value": 80}}),
            ("silent", {"noData": {"metric": "v", "after": "P1D"}}),
        ):
            given = {"name": f"{name} {n}", "condition": condition, **common}
            assert client.call(rule, {"i": given}).data["createRule"]["errors"] == []
        made.append(device)
    return made


def send(client: Client, values: Sequence[float], since: datetime) -> None:
    """Send each device's values, a minute apart, each in a call of its own."""
    ingest = "mutation I($r: [ReadingInput!]!) { ingestTelemetry(readings: $r) { accepted errors { message } } }"
    for minute, value in enumerate(values):
        at = (since + timedelta(minutes=minute)).isoformat()
        for n in range(DEVICES):
            reading = {"externalId": f"m{n}", "timestamp": at, "metrics": {"v": value}}
            assert client.call(ingest, {"r": [reading]}).data["ingestTelemetry"]["accepted"] == 1


def events(client: Client, *states: str) -> list[dict[str, Any]]:
    """Return all events in these states."""
    nodes: list[dict[str, Any]] = []
    after = None
    while True:
        page = client.call(EVENTS, {"states": list(states), "after": after}).data["events"]
        nodes += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return nodes
        after = page["pageInfo"]["endCursor"]


def opened(client: Client, wanted: Sequence[str]) -> None:
    """Wait until just these devices have an open event of their rule, and none of silence."""
    deadline = Deadline(PATIENCE_S)
    while True:
        open_events = events(client, "OPEN")
        assert [event for event in open_events if event["rule"]["name"].startswith("silent")] == []
        if sorted(event["entity"]["id"] for event in open_events) == sorted(wanted):
            return
        deadline.pause(f"{len(open_events)} of {len(wanted)} are open")


@pytest.mark.parametrize(("partitions", "workers"), [(2, 3), (4, 5)])
def test_every_device_opens_and_clears(tmp_path_factory: pytest.TempPathFactory, partitions: int, workers: int) -> None:
    home = tmp_path_factory.mktemp("devices") / "home"
    installation = Installation(home, settings={"ARGUS_PARTITIONS": str(partitions), "ARGUS_WORKERS": str(workers)})
    installation.start("--no-demo")
    try:
        client = installation.organization("Evaluated")
        devices = devices_make(client)
        first = datetime.now(UTC).replace(microsecond=0) - LENGTH * (ROUNDS + 1)
        for n in range(ROUNDS):
            began = first + LENGTH * n
            send(client, (10, 10, 90), began)
            opened(client, devices)
            send(client, (90, 10), began + timedelta(minutes=3))
            opened(client, [])
        cleared = events(client, "CLEARED", "WITHDRAWN", "DISMISSED")
        spans = {(event["entity"]["id"], event["openedAt"], event["clearedAt"]) for event in cleared}
        assert len(cleared) == len(spans) == DEVICES * ROUNDS
        assert {
            (device, timestamp(first + LENGTH * n, 2), timestamp(first + LENGTH * n, 4))
            for device in devices
            for n in range(ROUNDS)
        } == spans
    finally:
        assert installation.stop() == 0


def timestamp(began: datetime, minute: int) -> str:
    """Return an instant as answers have it."""
    return (began + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:%SZ")
