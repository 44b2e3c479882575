"""A first start creates a live demo plant, and every sample query of GraphiQL returns something of it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from graphql import OperationDefinitionNode, OperationType, parse
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from gql.server.sample_queries import Sample, samples
from testing.installation import Client, Installation
from testing.waits import Deadline, patient

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    installation = Installation(tmp_path_factory.mktemp("demo") / "home")
    installation.start()
    try:
        yield installation
    finally:
        installation.stop()


@pytest.fixture(scope="module")
def client(demo: Installation) -> Client:
    return demo.client("demo")


def test_the_plant_is_there(client: Client) -> None:
    counts = client.call(
        '{ a: spaces(filter: {types: ["Building"]}) { totalCount } assets { totalCount } devices { totalCount }'
        " persons { totalCount } activities { totalCount } }"
    ).data
    assert counts["a"]["totalCount"] == 2
    assert counts["assets"]["totalCount"] >= 30
    assert counts["devices"]["totalCount"] >= 60
    assert counts["persons"]["totalCount"] > 0
    assert counts["activities"]["totalCount"] > 0


def test_data_moves(client: Client) -> None:
    query = '{ entity(kind: ASSET, externalId: "boiler-b1") { latest(metrics: ["supply_temperature"]) { timestamp } } }'
    seen: set[str] = set()
    deadline = Deadline()
    while len(seen) < 3:
        seen |= {point["timestamp"] for point in client.call(query).data["entity"]["latest"]}
        deadline.pause(seconds=0.5)
    assert len(seen) >= 3


def variables_of(sample: Sample) -> dict[str, str]:
    """Return the times that GraphiQL gives a sample."""
    now = datetime.now(UTC)
    return {name: (now + timedelta(minutes=minutes)).isoformat() for name, minutes in sample.minutes.items()}


def of_kind(*kinds: OperationType) -> list[Any]:
    """Return the samples whose operations are of these kinds."""
    chosen = []
    for sample in samples():
        [operation] = parse(sample.query).definitions
        assert isinstance(operation, OperationDefinitionNode)
        if operation.operation in kinds:
            chosen.append(pytest.param(sample, id=sample.title))
    return chosen


@pytest.mark.parametrize("sample", of_kind(OperationType.QUERY, OperationType.MUTATION))
def test_every_sample_answers_what_it_promises(client: Client, sample: Sample) -> None:
    data = client.call(sample.query, variables_of(sample)).data
    assert all(value is not None for value in data.values())
    refused = [
        error["code"]
        for payload in data.values()
        for error in (payload.get("errors", ()) if isinstance(payload, dict) else ())
    ]
    assert refused == REFUSED.get(sample.title, [])
    for path in NOT_EMPTY.get(sample.title, ()):
        assert value_at(data, path), path


# What samples show being refused.
REFUSED = {"Send a reading": ["UNKNOWN_DEVICE"], "Try an import": ["NOT_FOUND"]}
# Where samples must find something: an empty list shows nobody anything.
NOT_EMPTY = {
    "Plant": ["entity.children.nodes.0.children.nodes", "entity.children.nodes.0.occupants.nodes"],
    "Latest values": ["assets.nodes.0.latest", "assets.nodes.0.devices.nodes"],
    "List, page by page": ["assets.nodes", "assets.pageInfo.hasNextPage"],
    "Search": ["entities.nodes"],
    "Curves for a chart": ["entity.telemetry.1.values"],
    "Tiles": ["entity.children.nodes.0.latest"],
    "On a map": ["near.nodes", "spaces.nodes.0.location"],
    "What there is to choose from": ["relationships", "entityTypes"],
    "What a fan serves": ["entity.related.nodes", "entity.edges.nodes"],
    "As of then": ["entity.now.nodes", "entity.then.nodes"],
    "History over a device swap": ["entity.telemetry.0.values", "entity.edgeHistory.nodes"],
    "As it was recorded": ["entity.now.name"],
    "Who changed what": ["changes.nodes"],
    "Changes since a time": ["changes.nodes"],
    "Try a rule": ["testRule.test.entities"],
    "Work that is open": ["activities.nodes.0.related.nodes"],
    "How it went": ["ingestAccount.received"],
    "A device": ["entity.latest", "entity.assets.nodes"],
    "How much is sent": ["usage.groups.0.device.name"],
    "Everything, with its edges": ["entities.pageInfo.hasNextPage"],
    "Curves of many at once": ["assets.nodes.0.telemetry"],
}


def value_at(data: Any, path: str) -> Any:
    """Return the value at a path into an answer."""
    for name in path.split("."):
        data = data[int(name) if name.isdecimal() else name]
    return data


@pytest.mark.parametrize("sample", of_kind(OperationType.SUBSCRIPTION))
def test_every_sample_of_a_subscription_is_sent_updates(demo: Installation, client: Client, sample: Sample) -> None:
    payload = {"Authorization": f"Bearer {client.token}"}
    with connect(demo.websocket_url, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:
        socket.send(json.dumps({"type": "connection_init", "payload": payload}))
        assert json.loads(socket.recv(timeout=patient(20)))["type"] == "connection_ack"
        variables = variables_of(sample)
        subscribed = {"id": "1", "type": "subscribe", "payload": {"query": sample.query, "variables": variables}}
        socket.send(json.dumps(subscribed))
        deadline = Deadline(30)
        while True:
            # Updates of telemetry come by themselves.
            for mutation in CAUSES.get(sample.title, ()):
                client.call(mutation)
            with contextlib.suppress(TimeoutError):
                message = json.loads(socket.recv(timeout=0.5))
                assert message["type"] == "next", message
                assert "errors" not in message["payload"]
                return
            deadline.pause(sample.title)


CAUSES = {
    "Links, and where things are": [
        """mutation @transaction { store: createSpace(input: {name: "Store"}) { space { id } errors { code } }
          shelf: createSpace(input: {name: "Shelf", parentId: "@store"}) { errors { code } } }"""
    ],
    "Changes of entities": ['mutation { createSpace(input: {name: "Store"}) { errors { code } } }'],
    "Events": [
        """mutation { createRule(input: {name: "Always", severity: LOW, scope: {kind: ASSET, type: "Boiler"},
          condition: {threshold: {metric: "supply_temperature", operator: GT, value: 0}}}) { errors { code } } }"""
    ],
}


def test_a_second_start_leaves_the_demo_unchanged(demo: Installation, client: Client) -> None:
    before = client.call("{ entities { totalCount } changes { totalCount } }").data
    assert demo.stop() == 0
    demo.start()
    assert client.call("{ entities { totalCount } changes { totalCount } }").data == before
