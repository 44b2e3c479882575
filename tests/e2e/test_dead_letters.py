"""Dead letters as an operator meets them: seen, tried again by the pipeline itself, given up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from testing.installation import Client, Installation
from testing.waits import Deadline

pytestmark = pytest.mark.slow

LIST = """query L($states: [DeadLetterState!]) { deadLetters(filter: {states: $states}) { totalCount
  nodes { id stage code message payload metric state attempts receivedAt discardedBy device { name } } } }"""


def dead_letters(client: Client, *states: str) -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = client.call(LIST, {"states": list(states) or None}).data["deadLetters"]["nodes"]
    return nodes


def until(what: Callable[[], bool]) -> None:
    deadline = Deadline()
    while not what():
        deadline.pause()


def test_seen_tried_again_and_given_up(installation: Installation) -> None:
    client = installation.organization("Letters")
    client.call('mutation { createDevice(input: {name: "meter", externalId: "meter"}) { device { id } } }')
    sent = client.call(
        """mutation { ingestTelemetry(readings: [
          {externalId: "meter", timestamp: "2026-01-01T00:00:00Z", metrics: {good: 1, bad: [1]}},
          {externalId: "meter", timestamp: "2026-01-01T00:01:00Z", metrics: {good: 2}}]) { accepted } }"""
    ).data["ingestTelemetry"]
    assert sent == {"accepted": 2}
    until(lambda: len(dead_letters(client)) == 1)
    [letter] = dead_letters(client)
    assert (letter["metric"], letter["state"], letter["attempts"], letter["device"]) == (
        "bad",
        "OPEN",
        1,
        {"name": "meter"},
    )
    node = client.call("query N($id: ID!) { node(id: $id) { __typename id } }", {"id": letter["id"]}).data["node"]
    assert node == {"__typename": "DeadLetter", "id": letter["id"]}
    query = '{ ingestAccount(from: "2020-01-01T00:00:00Z") { received stored duplicate dead pending } }'
    before = client.call(query).data
    retry = "mutation R($ids: [ID!]) { retryDeadLetters(filter: {ids: $ids}) { count remaining errors { code path } } }"
    done = client.call(retry, {"ids": [letter["id"]]}).data["retryDeadLetters"]
    assert done == {"count": 1, "remaining": 0, "errors": []}
    until(lambda: dead_letters(client)[0]["attempts"] == 2)
    until(lambda: client.call(query).data == before)
    series = 'query { entity(kind: DEVICE, externalId: "meter") { telemetry(from: "2026-01-01T00:00:00Z") { metric values } } }'
    assert client.call(series).data["entity"]["telemetry"] == [{"metric": "good", "values": [1.0, 2.0]}]
    groups = client.call("{ deadLetterGroups { stage code count devices message } }").data["deadLetterGroups"]
    assert [(group["stage"], group["code"], group["count"]) for group in groups] == [
        (letter["stage"], letter["code"], 1)
    ]
    viewer = installation.client("letters", "viewer")
    assert viewer.call(retry, {"ids": [letter["id"]]}).error_codes == ["FORBIDDEN"]
    discard = "mutation D { discardDeadLetters(filter: {codes: [%s]}) { count remaining errors { code path } } }"
    done = client.call(discard % f'"{letter["code"]}"').data["discardDeadLetters"]
    assert done == {"count": 1, "remaining": 0, "errors": []}
    assert dead_letters(client) == []
    [gone] = dead_letters(client, "DISCARDED")
    assert (gone["id"], bool(gone["discardedBy"])) == (letter["id"], True)
    [error] = client.call("mutation { discardDeadLetters(filter: {}) { errors { code path } } }").data[
        "discardDeadLetters"
    ]["errors"]
    assert error == {"code": "BAD_USER_INPUT", "path": ["filter"]}
