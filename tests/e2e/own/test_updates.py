"""Subscriptions with a cursor, cut off and continued a hundred times while workers and the API are killed."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from testing.clean_run import KILLED_PART
from testing.installation import Client, Installation
from testing.waits import Deadline, patient

RESUMES: Final = 100
EVENTS: Final = 40
DOCUMENT: Final = {
    "entityUpdates": "subscription S($after: String) { entityUpdates(after: $after) { what cursor entity { id } } }",
    "edgeUpdates": "subscription S($after: String) { edgeUpdates(after: $after) { what cursor edge { edgeId } } }",
    "eventUpdates": "subscription S($after: String) { eventUpdates(after: $after) { what cursor event { id } } }",
}


class Follower:
    """A client that keeps the cursor of the last update it was sent, and goes on from it."""

    def __init__(self, installation: Installation, client: Client, field: str, begin: str | None = None) -> None:
        self.installation, self.client, self.field = installation, client, field
        self.cursor = begin
        self.updates: list[tuple[str, str]] = []
        self.cursors: list[str] = []

    @contextmanager
    def _subscribed(self) -> Iterator[ClientConnection]:
        with connect(self.installation.websocket_url, subprotocols=[Subprotocol("graphql-transport-ws")]) as opened:
            token = {"Authorization": f"Bearer {self.client.token}"}
            opened.send(json.dumps({"type": "connection_init", "payload": token}))
            assert json.loads(opened.recv(timeout=patient(30)))["type"] == "connection_ack"
            payload = {"query": DOCUMENT[self.field], "variables": {"after": self.cursor}}
            opened.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
            yield opened

    def read(self, *, count: int, within_s: float) -> int:
        """Take at most so many updates, and go away in the middle; return how many came."""
        taken = 0
        try:
            with self._subscribed() as opened:
                while taken < count:
                    message = json.loads(opened.recv(timeout=within_s))
                    if message["type"] == "ping":
                        opened.send(json.dumps({"type": "pong"}))
                        continue
                    assert message["type"] == "next", message
                    [sent] = message["payload"]["data"].values()
                    [subject] = [value for name, value in sent.items() if name not in {"what", "cursor"}]
                    self.updates.append((sent["what"], next(iter(subject.values()))))
                    self.cursor = sent["cursor"]
                    self.cursors.append(sent["cursor"])
                    taken += 1
        except (TimeoutError, ConnectionClosed, ConnectionError, InvalidHandshake, OSError):
            # The socket is cut, or the API is down just now: it goes on behind its cursor later.
            pass
        return taken


def beginning(installation: Installation, client: Client, field: str, change: Any) -> str:
    """Return a cursor from before what follows: that of an update which `change` makes."""
    follower = Follower(installation, client, field)
    deadline = Deadline(60)
    with follower._subscribed() as opened:
        while True:
            change()
            try:
                message = json.loads(opened.recv(timeout=1))
            except TimeoutError:
                deadline.pause("No update came.")
                continue
            if message["type"] == "next":
                [sent] = message["payload"]["data"].values()
                cursor: str = sent["cursor"]
                return cursor


def made(client: Client, mutation: str) -> dict[str, Any]:
    [payload] = client.call("mutation { " + mutation + " }").data.values()
    assert not payload.get("errors"), payload
    result: dict[str, Any] = payload
    return result


class Plant:
    """What is followed: a space that is renamed, assets that are put into it, a meter whose events open and clear."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.hall = made(client, 'createSpace(input: {name: "Hall"}) { space { id } }')["space"]["id"]
        meter = made(client, 'createDevice(input: {name: "Meter", externalId: "m"}) { device { id } }')["device"]["id"]
        given = {
            "name": "high",
            "condition": {"threshold": {"metric": "v", "operator": "GT", "value": 80}},
            "scope": {"entityId": meter},
            "effectiveFrom": "2020-01-01T00:00:00Z",
        }
        rule = client.call("mutation R($i: RuleInput!) { createRule(input: $i) { errors { message } } }", {"i": given})
        assert rule.data["createRule"]["errors"] == []
        self.first = datetime.now(UTC).replace(microsecond=0) - timedelta(days=7)
        self.sent = 0
        self.names = iter(range(10**6))

    def rename(self) -> None:
        """Change an entity."""
        name = f"Hall {next(self.names)}"
        made(self.client, f'updateSpace(id: "{self.hall}", input: {{name: "{name}"}}) {{ errors {{ code }} }}')

    def locate(self) -> None:
        """Make an edge."""
        name = f"Asset {next(self.names)}"
        asset = made(self.client, f'createAsset(input: {{name: "{name}"}}) {{ asset {{ id }} }}')["asset"]["id"]
        edge = f'{{sourceId: "{asset}", targetId: "{self.hall}", relationship: "LOCATED_IN"}}'
        made(self.client, f"createEdge(input: {edge}) {{ errors {{ code }} }}")

    def read(self) -> None:
        """Send a reading. An hour apart, so that none damps another: each opens or clears an event."""
        reading = {
            "externalId": "m",
            "timestamp": (self.first + timedelta(hours=self.sent)).isoformat(),
            "metrics": {"v": 90 if self.sent % 2 == 0 else 10},
        }
        ingest = "mutation I($r: [ReadingInput!]!) { ingestTelemetry(readings: $r) { accepted } }"
        assert self.client.call(ingest, {"r": [reading]}).data["ingestTelemetry"]["accepted"] == 1
        self.sent += 1

    def wait(self) -> None:
        """Wait until every reading has opened or cleared its event."""
        counted = "{ all: events { totalCount } cleared: events(filter: {states: [CLEARED]}) { totalCount } }"
        deadline = Deadline(120)
        while True:
            counts = [part["totalCount"] for part in self.client.call(counted).data.values()]
            if counts == [(self.sent + 1) // 2, self.sent // 2]:
                return
            deadline.pause(f"Of {self.sent} readings: {counts}")


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.provokes(KILLED_PART)
def test_resumed_subscriptions_miss_and_repeat_nothing(own_installation: Installation) -> None:
    client = own_installation.organization("Follows")
    plant = Plant(client)
    begin = {"entityUpdates": plant.rename, "edgeUpdates": plant.locate, "eventUpdates": plant.read}
    cursors = {field: beginning(own_installation, client, field, change) for field, change in begin.items()}
    cut = {field: Follower(own_installation, client, field, cursor) for field, cursor in cursors.items()}
    for resume in range(RESUMES):
        if resume < EVENTS:
            plant.read()
        plant.rename()
        if resume % 2 == 0:
            plant.locate()
        if resume % 10 == 5:
            victims = own_installation.children("argus worker" if resume % 20 == 5 else "[argus-live]")
            assert victims
            os.kill(victims[resume % len(victims)], signal.SIGKILL)
        for follower in cut.values():
            follower.read(count=1 + resume % 3, within_s=0.1)
    own_installation.wait_ready()
    plant.wait()
    for follower in cut.values():
        read_to_the_end(follower)
        assert len(follower.cursors) == len(set(follower.cursors))
    # Clients that were never cut off, from the same places on.
    whole = {field: Follower(own_installation, client, field, cursor) for field, cursor in cursors.items()}
    for follower in whole.values():
        read_to_the_end(follower)
    for field in ("entityUpdates", "edgeUpdates"):
        assert cut[field].updates == whole[field].updates
    # What different transactions wrote at one time has no order of its own.
    assert sorted(cut["eventUpdates"].updates) == sorted(whole["eventUpdates"].updates)
    # The last of the changes that gave the first cursor is before it; of several, the others follow.
    assert len(cut["entityUpdates"].updates) >= RESUMES
    assert len(cut["edgeUpdates"].updates) >= RESUMES // 2
    kinds = [what for what, _ in cut["eventUpdates"].updates]
    assert plant.sent - 1 <= kinds.count("OPENED") + kinds.count("CLEARED") < plant.sent + 1


def read_to_the_end(follower: Follower) -> None:
    """Read until nothing comes for a while."""
    deadline = Deadline(120)
    while follower.read(count=10_000, within_s=1.5):
        deadline.pause("Updates still come.")
