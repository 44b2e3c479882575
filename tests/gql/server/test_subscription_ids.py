"""Subscriptions with unknown ids: all refuse alike, before anything is sent."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from testing.api import Api
from tests.gql.server.graphql_ws import receive, run, send, socket

SUBSCRIPTIONS = {
    "telemetry.entityIds": "subscription S($ids: [ID!]) { telemetry(entityIds: $ids) { cursor } }",
    "entityChanged.ids": "subscription S($ids: [ID!]) { entityChanged(ids: $ids) { id } }",
    "events.filter.entityIds": "subscription S($ids: [ID!]) { events(filter: {entityIds: $ids}) { id } }",
    "events.filter.ruleIds": "subscription S($ids: [ID!]) { events(filter: {ruleIds: $ids}) { id } }",
}
ONE = {
    "telemetry.underId": "subscription S($id: ID!) { telemetry(underId: $id) { cursor } }",
    "events.filter.underId": "subscription S($id: ID!) { events(filter: {underId: $id}) { id } }",
    "replayProgress.id": "subscription S($id: ID!) { replayProgress(id: $id) { id } }",
}


def refusal(api: Api, query: str, **variables: Any) -> dict[str, Any]:
    """Return the error that a subscription ends with."""
    answers: list[Any] = []

    async def scenario() -> None:
        async with socket(api, token=api.token("plant", "viewer")) as opened:
            payload = {"query": query, "variables": variables}
            await send(opened, {"id": "1", "type": "subscribe", "payload": payload})
            answers.append(await receive(opened))
            # It ends alone.
            await send(opened, {"id": "2", "type": "subscribe", "payload": {"query": "{ viewer { role } }"}})
            answers.append(await receive(opened))

    run(scenario)
    refused, next_one = answers
    assert (refused["id"], refused["type"]) == ("1", "error"), refused
    assert (next_one["id"], next_one["type"]) == ("2", "next"), next_one
    [error] = refused["payload"]
    return dict(error)


def device(api: Api, organization: str = "plant") -> str:
    made = api.client(organization).call('mutation { createDevice(input: {name: "d"}) { device { id } } }').data
    return str(made["createDevice"]["device"]["id"])


def known(api: Api, argument: str) -> str:
    if argument != "events.filter.ruleIds":
        return device(api)
    created = api.client("plant").call(
        'mutation { createRule(input: {name: "r", condition: {threshold: {metric: "t", operator: GT, value: 1}}})'
        " { rule { id } errors { message } } }"
    )
    return str(created.data["createRule"]["rule"]["id"])


def strange(api: Api) -> list[str]:
    """Return unknown ids: of nothing, of another organization, malformed."""
    name = f"other-{uuid4().hex[:8]}"
    api.organization(name)
    return [str(UUID(int=5)), device(api, name), "nonsense"]


@pytest.mark.parametrize("argument", SUBSCRIPTIONS)
def test_a_list_with_an_unknown_id_is_refused_and_the_id_named(api: Api, argument: str) -> None:
    mine, path = known(api, argument), argument.split(".")[1:]
    for unknown in strange(api):
        for ids, place in (([unknown], "0"), ([mine, unknown], "1"), ([mine, unknown, mine, str(uuid4())], "1")):
            error = refusal(api, SUBSCRIPTIONS[argument], ids=ids)
            assert error["extensions"] == {"code": "NOT_FOUND", "argumentPath": [*path, place]}
            assert error["message"] == f"There is nothing with the id {unknown!r}."


@pytest.mark.parametrize("argument", ONE)
def test_an_unknown_id_is_refused_and_named(api: Api, argument: str) -> None:
    for unknown in strange(api):
        error = refusal(api, ONE[argument], id=unknown)
        assert error["extensions"] == {"code": "NOT_FOUND", "argumentPath": argument.split(".")[1:]}
        assert error["message"] == f"There is nothing with the id {unknown!r}."


@pytest.mark.parametrize("argument", SUBSCRIPTIONS)
def test_known_ids_are_subscribed_to(api: Api, argument: str) -> None:
    async def scenario() -> None:
        async with socket(api, token=api.token("plant", "viewer")) as opened:
            payload = {"query": SUBSCRIPTIONS[argument], "variables": {"ids": [known(api, argument)]}}
            await send(opened, {"id": "1", "type": "subscribe", "payload": payload})
            await send(opened, {"id": "2", "type": "subscribe", "payload": {"query": "{ viewer { role } }"}})
            assert (await receive(opened))["id"] == "2"

    run(scenario)
