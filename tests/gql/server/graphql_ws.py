"""A client of graphql-transport-ws for tests: every frame is the test's own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from testing.api import Api
from testing.waits import patient

PROTOCOL = Subprotocol("graphql-transport-ws")
ROLE = "{ viewer { role } }"
LIVE = "subscription { telemetry { cursor } }"


@asynccontextmanager
async def socket(
    api: Api, *, token: str | None = None, init: bool = True, protocols: tuple[str, ...] | None = (PROTOCOL,)
) -> AsyncIterator[ClientConnection]:
    """Open a socket. init: send connection_init, and take its answer."""
    offered = None if protocols is None else [Subprotocol(name) for name in protocols]
    async with connect(api.websocket_url, subprotocols=offered) as opened:
        if init:
            payload = None if token is None else {"Authorization": f"Bearer {token}"}
            await send(opened, {"type": "connection_init", "payload": payload})
            assert await receive(opened) == {"type": "connection_ack"}
        yield opened


async def send(opened: ClientConnection, message: Any) -> None:
    """Send a message, or a frame as it is."""
    await opened.send(message if isinstance(message, str | bytes) else json.dumps(message))


async def receive(opened: ClientConnection) -> Any:
    """Return the next message."""
    frame = await asyncio.wait_for(opened.recv(), timeout=patient(30))
    assert isinstance(frame, str), "frames are text"
    return json.loads(frame)


async def closed_with(opened: ClientConnection) -> int:
    """Return the code with which the server closes."""
    return (await closed_as(opened))[0]


async def closed_as(opened: ClientConnection) -> tuple[int, str]:
    """Return the code and the reason with which the server closes."""
    try:
        while True:
            await asyncio.wait_for(opened.recv(), timeout=patient(30))
    except ConnectionClosed as closed:
        return (0, "") if closed.rcvd is None else (closed.rcvd.code, closed.rcvd.reason)


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    """Run a scenario, within a time."""
    asyncio.run(asyncio.wait_for(scenario(), timeout=patient(120)))


def subscribe(identity: str, query: str, **payload: Any) -> dict[str, Any]:
    """Return a subscribe message."""
    return {"id": identity, "type": "subscribe", "payload": {"query": query, **payload}}
