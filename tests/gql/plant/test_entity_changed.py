"""The subscription entityChanged, over a socket: each change of the organization's entities once, with the current state."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy.orm import Session
from websockets.asyncio.client import ClientConnection

import gql.live.watch
import gql.plant.entity_updates
from graph.trail import trail_end
from testing.api import Api
from testing.waits import wait_until_async
from tests.gql.server.graphql_ws import receive, run, send, socket, subscribe

FIELDS = "{ id name deletedAt __typename }"
# From where running subscriptions send changes.
PLACES: list[object] = []


@pytest.fixture(autouse=True)
def places_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is changed after a place was noted is sent."""

    def noted(session: Session, *, organization_id: int) -> Any:
        place = trail_end(session, organization_id=organization_id)
        PLACES.append(place)
        return place

    monkeypatch.setattr(gql.plant.entity_updates, "trail_end", noted)


def make(api: Api, organization: str, kind: str, name: str) -> str:
    made = (
        api.client(organization)
        .call(
            f"mutation M($n: String!) {{ create{kind}(input: {{name: $n}}) {{ {kind.lower()} {{ id }} }} }}",
            {"n": name},
        )
        .data[f"create{kind}"]
    )
    identity: str = made[kind.lower()]["id"]
    return identity


def call(api: Api, organization: str, text: str) -> None:
    api.client(organization).call("mutation { " + text + " { errors { code } } }")


@asynccontextmanager
async def subscribed(api: Api, organization: str, arguments: str = "") -> AsyncIterator[ClientConnection]:
    async with socket(api, token=api.token(organization, "viewer")) as opened:
        before = len(PLACES)
        await send(opened, subscribe("1", f"subscription {{ entityChanged{arguments} {FIELDS} }}"))
        await wait_until_async(lambda: len(PLACES) > before)
        yield opened


async def sent_change(opened: ClientConnection) -> Any:
    message = await receive(opened)
    assert message["type"] == "next", message
    return message["payload"]["data"]["entityChanged"]


async def nothing_more(opened: ClientConnection) -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(opened.recv(), timeout=0.7)


def test_each_change_is_sent_once_with_the_entity_as_it_then_is(api: Api) -> None:
    api.organization("changes")
    api.organization("elsewhere")

    async def scenario() -> None:
        async with subscribed(api, "changes") as opened:
            pump = await asyncio.to_thread(make, api, "changes", "Asset", "Pump")
            assert await sent_change(opened) == {"id": pump, "name": "Pump", "deletedAt": None, "__typename": "Asset"}
            await asyncio.to_thread(make, api, "elsewhere", "Asset", "Not ours")
            await asyncio.to_thread(call, api, "changes", f'updateAsset(id: "{pump}", input: {{name: "Pump 2"}})')
            assert (await sent_change(opened))["name"] == "Pump 2"
            await asyncio.to_thread(call, api, "changes", f'deleteAsset(id: "{pump}")')
            assert (await sent_change(opened))["deletedAt"] is not None
            await nothing_more(opened)

    run(scenario)


def test_ids_and_kinds_choose_and_an_edge_is_no_change_of_its_ends(api: Api) -> None:
    api.organization("choices")
    hall, pump = make(api, "choices", "Space", "Hall"), make(api, "choices", "Asset", "Pump")

    def edit() -> None:
        call(api, "choices", f'updateAsset(id: "{pump}", input: {{name: "Pump 2"}})')
        call(
            api, "choices",
            f'createEdge(input: {{sourceId: "{pump}", targetId: "{hall}", relationship: "LOCATED_IN"}})',
        )  # fmt: skip
        call(api, "choices", f'updateSpace(id: "{hall}", input: {{name: "Hall 2"}})')

    async def scenario() -> None:
        by_id, by_kind = f'(ids: ["{pump}"])', "(kinds: [SPACE])"
        async with subscribed(api, "choices", by_id) as of_pump, subscribed(api, "choices", by_kind) as of_spaces:
            await asyncio.to_thread(edit)
            assert (await sent_change(of_pump))["name"] == "Pump 2"
            assert (await sent_change(of_spaces))["name"] == "Hall 2"
            await nothing_more(of_pump)
            await nothing_more(of_spaces)

    run(scenario)


def test_many_changes_between_polls_are_one(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    api.organization("often")
    pump = make(api, "often", "Asset", "Pump")
    monkeypatch.setattr(gql.live.watch, "LOOK_S", 2.0)

    def edit() -> None:
        for number in range(20):
            call(api, "often", f'updateAsset(id: "{pump}", input: {{name: "Pump {number}"}})')

    async def scenario() -> None:
        async with subscribed(api, "often") as opened:
            await asyncio.to_thread(edit)
            names = [(await sent_change(opened))["name"]]
            while names[-1] != "Pump 19":
                names.append((await sent_change(opened))["name"])
            assert len(names) <= 3

    run(scenario)


def test_ids_and_subscribers_are_bounded(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gql.plant.entity_updates, "IDS_MAX", 1)
    identity = "0190a3c4-0000-7000-8000-000000000000"

    async def refused(arguments: str) -> Any:
        async with socket(api, token=api.token("plant", "viewer")) as opened:
            await send(opened, subscribe("1", f"subscription {{ entityChanged{arguments} {FIELDS} }}"))
            message = await receive(opened)
            payload = message["payload"]
            errors = payload["errors"] if isinstance(payload, dict) else payload
            return errors[0]["extensions"]["code"]

    async def scenario() -> None:
        assert await refused(f'(ids: ["{identity}", "{identity}"])') == "LIMIT_EXCEEDED"
        monkeypatch.setattr(gql.live.watch, "SUBSCRIBERS_MAX", 0)
        assert await refused("") == "LIMIT_EXCEEDED"

    run(scenario)


def test_details_are_read_again_for_each_change(api: Api) -> None:
    api.organization("details")
    ann = make(api, "details", "Person", "Ann")

    async def scenario() -> None:
        async with socket(api, token=api.token("details", "viewer")) as opened:
            before = len(PLACES)
            await send(opened, subscribe("1", "subscription { entityChanged { id ... on Person { email } } }"))
            await wait_until_async(lambda: len(PLACES) > before)
            for email in ("a@example.org", "b@example.org"):
                await asyncio.to_thread(call, api, "details", f'updatePerson(id: "{ann}", input: {{email: "{email}"}})')
                assert await sent_change(opened) == {"id": ann, "email": email}

    run(scenario)
