"""The subscriptions entityUpdates and edgeUpdates, over a socket: each change once, in order, continued behind a cursor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection

from testing.api import Api
from testing.waits import wait_until_async
from tests.gql.plant.test_entity_changed import PLACES, call, make, nothing_more, places_noted  # noqa: F401
from tests.gql.server.graphql_ws import receive, run, send, socket, subscribe

ENTITIES = "entityUpdates{0} {{ what cursor entity {{ id name deletedAt }} }}"
EDGES = "edgeUpdates{0} {{ what cursor edge {{ edgeId relationship validUntil retractedAt source {{ id }} }} }}"


@asynccontextmanager
async def following(api: Api, organization: str, field: str, *, begins: bool = True) -> AsyncIterator[ClientConnection]:
    """Subscribe. begins: at the end of the trail, which is waited for."""
    async with socket(api, token=api.token(organization, "viewer")) as opened:
        before = len(PLACES)
        await send(opened, subscribe("1", f"subscription {{ {field} }}"))
        if begins:
            await wait_until_async(lambda: len(PLACES) > before)
        yield opened


async def update(opened: ClientConnection) -> Any:
    message = await receive(opened)
    assert message["type"] == "next", message
    [sent] = message["payload"]["data"].values()
    return sent


async def error(opened: ClientConnection) -> Any:
    payload = (await receive(opened))["payload"]
    return (payload["errors"] if isinstance(payload, dict) else payload)[0]


def edge(api: Api, organization: str, text: str) -> str:
    made: str = (
        api.client(organization)
        .call("mutation { " + text + " { edge { edgeId } } }")
        .data.popitem()[1]["edge"]["edgeId"]
    )
    return made


def test_every_change_is_an_update_and_a_cursor_continues_behind_it(api: Api) -> None:
    api.organization("trail")

    def edit() -> str:
        pump = make(api, "trail", "Asset", "Pump")
        call(api, "trail", f'updateAsset(id: "{pump}", input: {{name: "Pump 2"}})')
        call(api, "trail", f'deleteAsset(id: "{pump}")')
        return pump

    async def scenario() -> None:
        async with following(api, "trail", ENTITIES.format("")) as opened:
            pump = await asyncio.to_thread(edit)
            sent = [await update(opened) for _ in range(3)]
            await nothing_more(opened)
        assert [item["what"] for item in sent] == ["created", "updated", "deleted"]
        assert {item["entity"]["id"] for item in sent} == {pump}
        for number in range(3):
            after = f'(after: "{sent[number]["cursor"]}")'
            async with following(api, "trail", ENTITIES.format(after), begins=False) as opened:
                rest = [await update(opened) for _ in range(2 - number)]
                assert [(item["what"], item["cursor"]) for item in rest] == [
                    (item["what"], item["cursor"]) for item in sent[number + 1 :]
                ]
                await nothing_more(opened)

    run(scenario)


def test_below_an_entity_is_as_of_now_and_of_the_deleted_as_of_then(api: Api) -> None:
    api.organization("below")
    hall, store = make(api, "below", "Space", "Hall"), make(api, "below", "Space", "Store")
    pump, fan = make(api, "below", "Asset", "Pump"), make(api, "below", "Asset", "Fan")

    def edit() -> None:
        for asset in (pump, fan):
            call(
                api, "below",
                f'createEdge(input: {{sourceId: "{asset}", targetId: "{hall if asset == pump else store}",'
                ' relationship: "LOCATED_IN"})',
            )  # fmt: skip
        for asset in (fan, pump):
            call(api, "below", f'updateAsset(id: "{asset}", input: {{name: "Renamed"}})')
        for asset in (fan, pump):
            call(api, "below", f'deleteAsset(id: "{asset}")')

    async def scenario() -> None:
        under = f'(underId: "{hall}")'
        async with (
            following(api, "below", ENTITIES.format(under)) as entities,
            following(api, "below", EDGES.format(under)) as edges,
        ):
            await asyncio.to_thread(edit)
            sent = [await update(entities) for _ in range(2)]
            assert [(item["what"], item["entity"]["id"]) for item in sent] == [("updated", pump), ("deleted", pump)]
            await nothing_more(entities)
            ends = [await update(edges) for _ in range(2)]
            assert [(item["what"], item["edge"]["source"]["id"]) for item in ends] == [
                ("created", pump),
                ("ended", pump),
            ]
            await nothing_more(edges)

    run(scenario)


def test_corrections_and_retractions_of_edges_are_updates(api: Api) -> None:
    api.organization("edges")
    hall, pump = make(api, "edges", "Space", "Hall"), make(api, "edges", "Asset", "Pump")
    located = f'createEdge(input: {{sourceId: "{pump}", targetId: "{hall}", relationship: "LOCATED_IN", validFrom: '

    def edit() -> str:
        made = edge(api, "edges", located + '"2026-01-01T00:00:00Z"})')
        edge(api, "edges", f'correctEdge(id: "{made}", validFrom: "2026-01-02T00:00:00Z", reason: "read wrong")')
        call(api, "edges", f'correctEdge(id: "{made}", retract: true, reason: "never was")')
        return made

    async def scenario() -> None:
        relationship, other = '(relationships: ["LOCATED_IN"])', '(relationships: ["FEEDS"])'
        of_pump = f'(entityIds: ["{pump}"])'
        async with (
            following(api, "edges", EDGES.format(relationship)) as by_relationship,
            following(api, "edges", EDGES.format(of_pump)) as by_end,
            following(api, "edges", EDGES.format(other)) as none,
        ):
            made = await asyncio.to_thread(edit)
            for opened in (by_relationship, by_end):
                sent = [await update(opened) for _ in range(3)]
                assert [item["what"] for item in sent] == ["created", "corrected", "retracted"]
                assert {item["edge"]["edgeId"] for item in sent} == {made}
                assert sent[-1]["edge"]["retractedAt"] is not None
                await nothing_more(opened)
            await nothing_more(none)

    run(scenario)


@pytest.mark.parametrize("field", [ENTITIES, EDGES, "eventUpdates{0} {{ what }}"])
def test_a_foreign_cursor_is_refused(api: Api, field: str) -> None:
    async def scenario() -> None:
        for cursor in ("", "x", "WzFd", "A" * 5_000):
            async with following(api, "plant", field.format(f'(after: "{cursor}")'), begins=False) as opened:
                refused = await error(opened)
                assert refused["extensions"]["code"] == "BAD_USER_INPUT"
                assert refused["extensions"]["argumentPath"] == ["after"]

    run(scenario)


def test_unknown_ids_are_not_found(api: Api) -> None:
    identity = "0190a3c4-0000-7000-8000-000000000000"

    async def scenario() -> None:
        for field in (
            ENTITIES.format(f'(underId: "{identity}")'),
            ENTITIES.format(f'(ids: ["{identity}"])'),
            EDGES.format(f'(underId: "{identity}")'),
            EDGES.format(f'(entityIds: ["{identity}"])'),
        ):
            async with following(api, "plant", field, begins=False) as opened:
                assert (await error(opened))["extensions"]["code"] == "NOT_FOUND"

    run(scenario)
