"""HTTP/1.1 where a request may belong to another process: the open connection goes there, with what was read of it.

It goes between two requests only. A client that sends the next request before it has the answer to the one before gets
that answer and a closed connection where the two belong to different processes.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import uvicorn

from argus.api.serving import NO_READER, NO_READER_MESSAGE, BoundedHttp


@dataclass(frozen=True, slots=True)
class Routing:
    """How requests are shared between processes.

    is_elsewhere: whether another process answers a request, by its address and headers.
    hand: hands an open file over, with the client's address, what was read, and whether it becomes a WebSocket; False:
    there is nobody to take it. It closes the file either way.
    """

    is_elsewhere: Callable[[bytes, Iterable[tuple[bytes, bytes]]], bool]
    hand: Callable[[int, str, bytes, bool], bool]


class RoutedHttp(BoundedHttp):
    """HTTP/1.1 with bounds, for the requests that belong here."""

    routing: ClassVar[Routing]

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        # What came of a request whose head is not whole; None: it began somewhere behind another one.
        self._raw: list[bytes] | None = None
        self._has_begun = False
        self._is_websocket = False
        self._adopted: bytes | None = None

    def adopt(self, data: bytes) -> None:
        """Say, before there is a connection, that it comes from another process, which has read so much of it."""
        self._adopted = data
        self._is_counted = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection."""
        super().connection_made(transport)
        if self._adopted is not None:
            self.loop.call_soon(self._begin)

    def data_received(self, data: bytes) -> None:
        """Pass on what came, unless it is for another process."""
        if self._adopted is not None:
            data, self._adopted = self._adopted + data, None
        if self._is_going:
            return
        if not self._has_begun:
            self._raw = [data]
        elif self._raw is not None:
            self._raw.append(data)
        super().data_received(data)
        if self._is_going:
            self._go()

    def on_message_begin(self) -> None:
        """Begin a request."""
        if self._is_going:
            return
        self._has_begun = True
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Take a part of the address."""
        if not self._is_going:
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        if not self._is_going:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Start what answers the request, if it is answered here."""
        if self._is_going:
            return
        if not self._is_refused and self.routing.is_elsewhere(self.url, self.headers):
            self._is_going = True
            self._is_websocket = bool(self.parser.should_upgrade()) and self._should_upgrade()
            return
        self._raw = None
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Pass on a part of the body."""
        if not self._is_going:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """End the request."""
        if not self._is_going:
            self._has_begun = False
            super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """Become a WebSocket, if it is one of this process."""
        if not self._is_going:
            super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP; what follows a request for another process is judged there."""
        if not self._is_going:
            super().send_400_response(msg)

    def _begin(self) -> None:
        if self._adopted is not None and not self.transport.is_closing():
            self.data_received(b"")

    def _go(self) -> None:
        self._limit(None, "")
        self.transport.pause_reading()
        is_idle = self.cycle is None or self.cycle.response_complete
        if self._raw is None or not is_idle or self.transport.get_write_buffer_size():
            if is_idle:
                self.transport.close()
            else:
                self.cycle.keep_alive = False
            return
        data = b"".join(self._raw)
        self._raw = None
        file = os.dup(self.transport.get_extra_info("socket").fileno())
        if self.routing.hand(file, self._address, data, self._is_websocket):
            # Counted on, for whoever has it now.
            self._is_counted = False
            self.transport.close()
        else:
            self._refuse(503, NO_READER_MESSAGE, NO_READER)


async def connection_adopt(server: uvicorn.Server, file: int, data: bytes) -> None:
    """Serve an open connection that another process has accepted. Raises OSError where it is broken."""
    loop = asyncio.get_running_loop()

    def protocol() -> RoutedHttp:
        kind: Any = server.config.http_protocol_class
        made: RoutedHttp = kind(
            config=server.config, server_state=server.server_state, app_state=server.lifespan.state, _loop=loop
        )
        made.adopt(data)
        return made

    connection = socket.socket(fileno=file)
    try:
        connection.setblocking(False)
        await loop.connect_accepted_socket(protocol, connection)
    except OSError:
        connection.close()
        raise
