"""A first start creates a live demo plant, and every sample query of GraphiQL returns something of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from graphql import OperationDefinitionNode, OperationType, parse

from gql.server.sample_queries import SAMPLES
from testing.installation import Client, Installation
from testing.waits import Deadline

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


@pytest.mark.parametrize(("title", "text"), SAMPLES, ids=[title for title, _ in SAMPLES])
def test_every_sample_query_answers(client: Client, title: str, text: str) -> None:
    [operation] = (
        definition for definition in parse(text).definitions if isinstance(definition, OperationDefinitionNode)
    )
    if operation.operation is OperationType.SUBSCRIPTION:
        pytest.skip("subscriptions are tested in test_subscription.py, over a WebSocket")
    data = client.call(text).data
    assert all(value is not None for value in data.values()), title


def test_a_second_start_leaves_the_demo_unchanged(demo: Installation, client: Client) -> None:
    before = client.call("{ entities { totalCount } changes { totalCount } }").data
    assert demo.stop() == 0
    demo.start()
    assert client.call("{ entities { totalCount } changes { totalCount } }").data == before
