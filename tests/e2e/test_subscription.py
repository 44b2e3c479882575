"""Clients of subscriptions see each reading they subscribed to once, from the ingest of another process.

The clients: graphql-ws over a WebSocket, graphql-sse over server-sent events, and Apollo's over multipart/mixed.
"""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from testing.clients import CLIENTS, node_needed
from testing.installation import Client, Installation
from testing.waits import Deadline, patient

pytestmark = [pytest.mark.slow, node_needed("graphql-ws", "graphql-sse", "@apollo/client")]

SUBSCRIPTION = """subscription S($ids: [ID!], $underId: ID, $metrics: [String!], $after: String) {
  telemetry(entityIds: $ids, underId: $underId, metrics: $metrics, after: $after) {
    cursor dropped series { entity { id } metric port timestamps values } } }"""
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
READINGS = 300


class Subscriber:
    """One node process that subscribes and hands over what it sees."""

    def __init__(
        self, installation: Installation, client: Client, variables: dict[str, Any], program: str = "subscribe.mjs"
    ) -> None:
        assert client.token is not None
        is_websocket = program == "subscribe.mjs"
        url = installation.websocket_url if is_websocket else installation.url
        self.process = subprocess.Popen(
            ["node", program, url, client.token, SUBSCRIPTION, json.dumps(variables)],
            cwd=CLIENTS,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.lines: queue.Queue[dict[str, Any]] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        if is_websocket:
            assert self.lines.get(timeout=patient(20)) == {"connected": True}

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(json.loads(line))

    def points(self, wanted: int) -> tuple[Counter[tuple[str, str, float, float]], str]:
        """Collect points (entity, metric, timestamp, value) until there are `wanted`, then listen a little longer."""
        seen: Counter[tuple[str, str, float, float]] = Counter()
        cursor = ""
        deadline = Deadline(30)
        while True:
            patience = deadline.left_s if seen.total() < wanted else 1.0
            try:
                update = self.lines.get(timeout=max(patience, 0.01))
            except queue.Empty:
                return seen, cursor
            assert "errors" not in update, update
            assert "data" in update, update
            telemetry = update["data"]["telemetry"]
            assert telemetry["dropped"] == 0
            cursor = telemetry["cursor"]
            for series in telemetry["series"]:
                for timestamp, value in zip(series["timestamps"], series["values"], strict=True):
                    if timestamp < BEGIN.timestamp() * 1000:
                        continue
                    seen[series["entity"]["id"], series["metric"], timestamp, value] += 1

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture(params=["subscribe.mjs", "sse.mjs", "apollo.mjs"])
def program(request: pytest.FixtureRequest) -> str:
    """The program of a client."""
    name: str = request.param
    return name


@pytest.fixture
def site(installation: Installation, program: str) -> tuple[Client, dict[str, str]]:
    """A plant of the client's own."""
    client = installation.organization(f"Subscriptions {program.removesuffix('.mjs')}")
    ids = {}
    for kind, name in (("device", "probe"), ("device", "other"), ("asset", "pump"), ("space", "hall")):
        field = f"create{kind.title()}"
        ids[name] = client.call(
            f'mutation {{ {field}(input: {{name: "{name}", externalId: "{name}"}}) {{ {kind} {{ id }} }} }}'
        ).data[field][kind]["id"]
    client.call(
        """mutation L($device: ID!, $asset: ID!, $space: ID!) {
          linkDevice(input: {deviceId: $device, assetId: $asset, validFrom: "2020-01-01T00:00:00Z",
                             metadata: {metrics_mapping: {t: "temperature"}}}) { errors { code message } }
          createEdge(input: {sourceId: $asset, targetId: $space, relationship: "LOCATED_IN",
                             validFrom: "2020-01-01T00:00:00Z"}) { errors { code message } } }""",
        {"device": ids["probe"], "asset": ids["pump"], "space": ids["hall"]},
    )
    return client, ids


@pytest.fixture
def subscribers() -> Iterator[list[Subscriber]]:
    opened: list[Subscriber] = []
    yield opened
    for subscriber in opened:
        subscriber.close()


def awake(client: Client, subscribers: list[Subscriber]) -> None:
    """Send readings from before BEGIN until each subscriber has seen one: only then it is known to be subscribed."""
    number = 0
    deadline = Deadline(30)
    while any(subscriber.lines.empty() for subscriber in subscribers):
        number -= 10
        send(client, number, 10)
        deadline.pause()


def send(client: Client, first: int, count: int) -> None:
    for begin in range(first, first + count, 10):
        readings = [
            {
                "externalId": external_id,
                "timestamp": (BEGIN + timedelta(seconds=number)).isoformat(),
                "metrics": {"t": number, "u": -number},
            }
            for number in range(begin, begin + 10)
            for external_id in ("probe", "other")
        ]
        payload = client.call(
            "mutation I($r: [ReadingInput!]!) { ingestTelemetry(readings: $r) { accepted } }", {"r": readings}
        ).data["ingestTelemetry"]
        assert payload == {"accepted": 20}


def expected(entity: str, metric: str, numbers: range, sign: int = 1) -> Counter[tuple[str, str, float, float]]:
    at = BEGIN.timestamp() * 1000
    return Counter({(entity, metric, at + number * 1000, float(sign * number)): 1 for number in numbers})


def test_each_reading_once_at_device_asset_and_below_a_space(
    installation: Installation, site: tuple[Client, dict[str, str]], subscribers: list[Subscriber], program: str
) -> None:
    client, ids = site
    filters: list[dict[str, Any]] = [
        {"ids": [ids["probe"]], "metrics": ["t"]},
        {"ids": [ids["pump"]]},
        {"underId": ids["hall"], "metrics": ["t", "temperature"]},
    ]
    subscribers.extend(Subscriber(installation, client, variables, program) for variables in filters)
    awake(client, subscribers)
    send(client, 0, READINGS)
    numbers = range(READINGS)
    at_device, cursor = subscribers[0].points(READINGS)
    at_asset, _ = subscribers[1].points(READINGS)
    below, _ = subscribers[2].points(2 * READINGS)
    assert at_device == expected(ids["probe"], "t", numbers)
    # The link's mapping renames t and selects it alone.
    assert at_asset == expected(ids["pump"], "temperature", numbers)
    assert below == expected(ids["probe"], "t", numbers) + expected(ids["pump"], "temperature", numbers)

    # A client that was away goes on from its cursor: without a gap, without a repeat.
    subscribers[0].close()
    send(client, READINGS, 50)
    again = Subscriber(installation, client, {"ids": [ids["probe"]], "metrics": ["t"], "after": cursor}, program)
    subscribers.append(again)
    send(client, READINGS + 50, 50)
    resumed, _ = again.points(100)
    assert resumed == expected(ids["probe"], "t", range(READINGS, READINGS + 100))


def test_apollo_sends_a_document_once_and_then_its_hash(installation: Installation) -> None:
    client = installation.organization("Persisted")
    assert client.token is not None
    arguments = [
        "node",
        "apollo.mjs",
        installation.url,
        client.token,
        "query Persisted { viewer { role } }",
        "{}",
        "persisted",
    ]
    sent = []
    for _ in range(3):
        done = subprocess.run(arguments, cwd=CLIENTS, capture_output=True, text=True, timeout=patient(60), check=True)
        answer, requests = map(json.loads, done.stdout.splitlines())
        assert answer == {"data": {"viewer": {"role": "admin"}}}
        sent.append(requests["sent"])
    # Without its document first; with it, where it is not known.
    assert sent == [[False, True], [False], [False]]
