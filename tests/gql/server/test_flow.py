"""Flow control: how many answers a client may leave unread."""

from __future__ import annotations

import asyncio

import pytest

from gql.server import flow
from gql.server.flow import PING_EVERY_BYTES, UNREAD_MAX_BYTES, Flow, Unsent
from testing.api import Api
from testing.waits import patient, wait_until_async
from tests.gql.plant.test_entity_changed import PLACES, places_noted  # noqa: F401
from tests.gql.server.graphql_ws import receive, run, send, socket


def test_a_client_that_reads_is_never_waited_for_long() -> None:
    async def scenario() -> None:
        counted = Flow()
        for _ in range(1_000):
            if counted.sent(PING_EVERY_BYTES // 2):
                counted.pong()
            await asyncio.wait_for(counted.wait(), timeout=patient(30))

    asyncio.run(scenario())


def test_a_client_that_stops_reading_is_waited_for() -> None:
    async def scenario() -> None:
        counted, count, pings = Flow(), 0, 0
        counted.sent(PING_EVERY_BYTES + 1)
        counted.pong()
        waiting = None
        while waiting is None:
            count += 1
            pings += counted.sent(PING_EVERY_BYTES + 1)
            waiting = asyncio.ensure_future(counted.wait())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            if waiting.done():
                waiting = None
        assert count * (PING_EVERY_BYTES + 1) == pytest.approx(UNREAD_MAX_BYTES, abs=2 * PING_EVERY_BYTES)
        assert pings == count
        counted.pong()
        await asyncio.wait_for(waiting, timeout=patient(30))

    asyncio.run(scenario())


def test_a_client_without_pings_is_served() -> None:
    async def scenario() -> None:
        counted = Flow(patience_s=0.01)
        assert counted.sent(2 * UNREAD_MAX_BYTES)
        await asyncio.wait_for(counted.wait(), timeout=patient(30))
        assert not counted.sent(2 * UNREAD_MAX_BYTES)
        await asyncio.wait_for(counted.wait(), timeout=patient(30))

    asyncio.run(scenario())


def test_an_unsolicited_pong_is_ignored() -> None:
    counted = Flow()
    counted.pong()
    assert counted.sent(PING_EVERY_BYTES + 1)


def test_updates_are_followed_by_a_ping_and_wait_for_its_pong(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "PING_EVERY_BYTES", 1)
    monkeypatch.setattr(flow, "UNREAD_MAX_BYTES", 1)
    client = api.client("plant")
    made = client.call('mutation { createDevice(input: {name: "d"}) { device { id } } }').data["createDevice"]["device"]
    change = (
        "mutation C($id: ID!, $name: String!) { updateDevice(id: $id, input: {name: $name}) { errors { message } } }"
    )

    async def changed(name: str) -> None:
        await asyncio.to_thread(client.call, change, {"id": made["id"], "name": name})

    async def scenario() -> None:
        async with socket(api, token=api.token("plant", "viewer")) as opened:
            query = "subscription S($ids: [ID!]) { entityChanged(ids: $ids) { ... on Device { name } } }"
            payload = {"query": query, "variables": {"ids": [made["id"]]}}
            before = len(PLACES)
            await send(opened, {"id": "1", "type": "subscribe", "payload": payload})
            await wait_until_async(lambda: len(PLACES) > before)
            await changed("one")
            first = await receive(opened)
            assert first["payload"]["data"]["entityChanged"] == {"name": "one"}
            assert await receive(opened) == {"type": "ping"}
            # Nothing is sent before the pong; then what last was is, once.
            await changed("two")
            await changed("three")
            await send(opened, {"id": "2", "type": "subscribe", "payload": {"query": "{ viewer { role } }"}})
            assert [(await receive(opened))["id"] for _ in range(2)] == ["2", "2"]
            await send(opened, {"type": "pong"})
            second = await receive(opened)
            assert second["payload"]["data"]["entityChanged"] == {"name": "three"}

    run(scenario)


def test_execution_pauses_while_answers_are_unread() -> None:
    async def main() -> None:
        unsent = Unsent(100)
        await asyncio.wait_for(unsent.room(), 10)
        with unsent.holding(60):
            await asyncio.wait_for(unsent.room(), 10)
            with unsent.holding(60):
                waiting = asyncio.create_task(unsent.room())
                await asyncio.sleep(0)
                assert not waiting.done()
            await asyncio.wait_for(waiting, 10)
        with pytest.raises(KeyError), unsent.holding(1_000):
            raise KeyError
        await asyncio.wait_for(unsent.room(), 10)

    asyncio.run(main())
