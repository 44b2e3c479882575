"""What one WebSocket is to be sent: messages in order, as many in one write as there are.

A subscription puts its update here and goes on; whatever else is put in the same turn of the event loop goes out with
it. A client that does not take what it is sent slows those who send to it, and nobody else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

# Of a server that takes `texts`, whole messages in bytes, in one message of ASGI.
TEXTS: Final = "argus.websocket.texts"


class Outbox:
    """The messages of one socket that are not written yet."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._takes_many = TEXTS in socket.scope.get("extensions", {})
        self._waiting: list[bytes] = []
        self._writing: asyncio.Task[None] | None = None
        # The client does not take what is being written.
        self._is_blocked = False
        self._has_gone = False

    def put(self, text: bytes) -> None:
        """Have a message written, with what else waits by then. See `room`."""
        if self._has_gone:
            return
        self._waiting.append(text)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())

    async def room(self) -> None:
        """Wait while the client does not take what is being written. Raises WebSocketDisconnect where it has gone."""
        if self._has_gone:
            raise WebSocketDisconnect(1006)
        if self._is_blocked and self._writing is not None:
            await asyncio.shield(self._writing)

    async def send(self, text: bytes) -> None:
        """Return once a message is written, or the socket is closed. Raises WebSocketDisconnect."""
        self.put(text)
        if self._writing is not None:
            await asyncio.shield(self._writing)
        if self._has_gone:
            raise WebSocketDisconnect(1006)

    async def stop(self) -> None:
        """Write nothing more."""
        self._has_gone = True
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)

    async def _write(self) -> None:
        try:
            while self._waiting and self._socket.application_state is WebSocketState.CONNECTED:
                texts, self._waiting = self._waiting, []
                self._is_blocked = True
                await self._texts_send(texts)
        except (WebSocketDisconnect, RuntimeError):
            # RuntimeError: the server has closed the socket by itself, where the client gave no sign of life.
            self._has_gone = True
        finally:
            self._waiting.clear()
            self._is_blocked, self._writing = False, None

    async def _texts_send(self, texts: Sequence[bytes]) -> None:
        if self._takes_many:
            await self._socket.send({"type": "websocket.send", "texts": texts})
            return
        for text in texts:
            await self._socket.send_text(text.decode())
