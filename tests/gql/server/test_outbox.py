"""Messages go out in order and together, and a client that takes nothing holds up those who send to it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import pytest
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState
from websockets.frames import Frame
from websockets.streams import StreamReader

from argus.api.serving import frame_head
from gql.server.outbox import TEXTS, Outbox


class Socket:
    """Notes each write; takes nothing while it is held up."""

    def __init__(self, *, takes_many: bool = True) -> None:
        self.scope: dict[str, Any] = {"extensions": {TEXTS: {}} if takes_many else {}}
        self.application_state = WebSocketState.CONNECTED
        self.writes: list[Sequence[bytes]] = []
        self.may_write = asyncio.Event()
        self.may_write.set()
        self.error: Exception | None = None

    async def send(self, message: Any) -> None:
        await self.may_write.wait()
        if self.error is not None:
            raise self.error
        self.writes.append(message["texts"])

    async def send_text(self, text: str) -> None:
        await self.send({"texts": [text.encode()]})


def outbox(socket: Socket) -> Outbox:
    return Outbox(cast("WebSocket", socket))


@pytest.mark.parametrize("takes_many", [True, False])
def test_what_is_put_together_is_written_at_once_and_in_order(takes_many: bool) -> None:
    async def scenario() -> None:
        socket = Socket(takes_many=takes_many)
        box = outbox(socket)
        for n in range(100):
            box.put(b"%d" % n)
        await box.send(b"last")
        texts = [text for write in socket.writes for text in write]
        assert texts == [*(b"%d" % n for n in range(100)), b"last"]
        assert len(socket.writes) == (1 if takes_many else 101)

    asyncio.run(scenario())


def test_senders_wait_for_a_client_that_takes_nothing() -> None:
    async def scenario() -> None:
        socket = Socket()
        box = outbox(socket)
        box.put(b"first")
        # Nothing holds it up yet.
        await box.room()
        socket.may_write.clear()
        await asyncio.sleep(0)
        box.put(b"second")
        waiting = [asyncio.ensure_future(box.room()), asyncio.ensure_future(box.send(b"third"))]
        await asyncio.sleep(0)
        assert not any(task.done() for task in waiting)
        # One that goes does not end the wait of the others.
        gone = asyncio.ensure_future(box.room())
        await asyncio.sleep(0)
        gone.cancel()
        socket.may_write.set()
        await asyncio.gather(*waiting)
        assert socket.writes == [[b"first"], [b"second", b"third"]]

    asyncio.run(scenario())


@pytest.mark.parametrize("error", [WebSocketDisconnect(1006), RuntimeError("after sending 'websocket.close'")])
def test_senders_notice_that_the_client_has_gone(error: Exception) -> None:
    async def scenario() -> None:
        socket = Socket()
        socket.error = error
        box = outbox(socket)
        with pytest.raises(WebSocketDisconnect):
            await box.send(b"x")
        with pytest.raises(WebSocketDisconnect):
            await box.room()
        box.put(b"y")
        await box.stop()
        assert socket.writes == []

    asyncio.run(scenario())


def test_nothing_is_sent_after_the_socket_is_closed() -> None:
    async def scenario() -> None:
        socket = Socket()
        socket.application_state = WebSocketState.DISCONNECTED
        await outbox(socket).send(b"x")
        assert socket.writes == []

    asyncio.run(scenario())


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65_535, 65_536, 1_000_000])
def test_a_frame_is_read_as_the_text_it_holds(length: int) -> None:
    text = b"x" * length
    reader = StreamReader()
    reader.feed_data(frame_head(length) + text)
    reader.feed_eof()
    parsing = Frame.parse(reader.read_exact, mask=False)
    with pytest.raises(StopIteration) as parsed:
        next(parsing)
    frame = parsed.value.value
    assert (frame.data, frame.opcode.name, frame.fin) == (text, "TEXT", True)
