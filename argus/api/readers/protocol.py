"""HTTP/1.1 where a request may belong to another process: the open connection goes there, with what was read of it.

It goes between two requests only. A client that sends the next request before it has the answer to the one before gets
that answer and a closed connection where the two belong to different processes.

A reader returns a connection as soon as it has answered, so that the process that listens sees each request first: a
reader that is busy would not even notice that the next one is ingest.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

import uvicorn

from argus.api.readers.routing import BODY_EXAMINED_MAX_BYTES, Destination, Headers
from argus.api.serving import LINGER_S, NO_READER, NO_READER_MESSAGE, BoundedHttp

# All bodies together that are being examined in one process.
EXAMINED_MAX_BYTES: Final = 64 * 1024 * 1024
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
# A client that is slow to take an answer is asked so often whether it has.
_UNSENT_RETRY_S: Final = 0.02


@dataclass(slots=True)
class Routing:
    """How requests are shared between processes.

    by_head: who answers a request, by its method, its address and its headers.
    by_body: the same by its body, where the head leaves it open; never BY_BODY.
    hand: hands an open file over, with the client's address, what was read, and whether the process that has the live
    data is to take it; False: there is nobody to take it. It closes the file either way.
    is_returning: whether a connection is handed over, too, once a request has been answered.
    examined: the connections whose body is waited for, the longest waiting first; examined_bytes: of their bodies.
    """

    by_head: Callable[[bytes, bytes, Headers], Destination]
    hand: Callable[[int, str, bytes, bool], bool]
    by_body: Callable[[bytes], Destination] = lambda _body: Destination.HERE
    is_returning: bool = False
    examined: dict[RoutedHttp, None] = field(default_factory=dict)
    examined_bytes: int = 0


class RoutedHttp(BoundedHttp):
    """HTTP/1.1 with bounds, for the requests that belong here."""

    routing: ClassVar[Routing]

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        # What came of a request whose head is not whole; None: it began somewhere behind another one.
        self._raw: list[bytes] | None = None
        self._has_begun = False
        self._is_live = False
        self._is_parsing = False
        self._adopted: bytes | None = None
        # The body of a request whose head does not tell who answers it.
        self._examined: bytearray | None = None

    def adopt(self, data: bytes) -> None:
        """Note, before `connection_made`, that another process has accepted it and read `data` of it."""
        self._adopted = data
        self._is_counted = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection."""
        super().connection_made(transport)
        if self._adopted is not None:
            self.loop.call_soon(self._begin)

    def data_received(self, data: bytes) -> None:
        """Parse received bytes, unless they are for another process."""
        if self._adopted is not None:
            data, self._adopted = self._adopted + data, None
        if self._is_going:
            return
        if not self._has_begun:
            self._raw = [data]
        elif self._raw is not None:
            self._raw.append(data)
        self._is_parsing = True
        try:
            super().data_received(data)
        finally:
            self._is_parsing = False
        if self._is_going:
            self._go()

    def eof_received(self) -> bool:  # type: ignore[override]
        """Return whether the connection is kept open for a client that sends no more."""
        if self._adopted:
            # The request came from the process before; it is parsed first.
            self._begin()
        return super().eof_received()

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
        """Start what answers the request, if it is answered here and its head says so."""
        if self._is_going or self._ignores_upgrade():
            return
        if not self._is_refused:
            destination = self.routing.by_head(self.parser.get_method(), self.url, self.headers)
            if destination in {Destination.ELSEWHERE, Destination.LIVE}:
                self._is_going = True
                is_websocket = bool(self.parser.should_upgrade()) and self._should_upgrade()
                self._is_live = is_websocket or destination is Destination.LIVE
                return
            if destination is Destination.BY_BODY:
                self._examine()
                return
        self._raw = None
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        if self._is_going:
            return
        if self._examined is None:
            super().on_body(body)
            return
        self._examined += body
        self.routing.examined_bytes += len(body)
        if len(self._examined) > BODY_EXAMINED_MAX_BYTES:
            self._examined_end()
            self._is_going = True
        while self.routing.examined_bytes > EXAMINED_MAX_BYTES:
            # Whoever is slow to send makes room for the others.
            slowest = next(iter(self.routing.examined))
            slowest.examined_give_up()

    def on_message_complete(self) -> None:
        """End the request."""
        if self._is_going or self._is_upgrade_ignored:
            return
        if self._examined is not None and not self._is_refused:
            body = self._examined_end()
            if self.routing.by_body(body) is Destination.ELSEWHERE:
                self._is_going = True
                return
            self._raw = None
            super().on_headers_complete()
            super().on_body(body)
        self._has_begun = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Begin the next request, here or where connections are returned to."""
        super().on_response_complete()
        if self.routing.is_returning:
            self._return()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._examined_end()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        """Become a WebSocket, if it is one of this process."""
        if not self._is_going:
            super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP; what follows a request for another process is checked there."""
        if not self._is_going:
            super().send_400_response(msg)

    def _begin(self) -> None:
        if self._adopted is None or self.transport.is_closing():
            return
        if self._adopted:
            self.data_received(b"")
            return
        # It was answered elsewhere; the next request may be long in coming.
        self._adopted = None
        self._limit(None, "")
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def _examine(self) -> None:
        """Wait for the body, to decide by it."""
        self._head_end()
        self._examined = bytearray()
        self.routing.examined[self] = None
        if self.expect_100_continue and self._is_idle():
            # Otherwise the client would not send it.
            self.expect_100_continue = False
            self.transport.write(_CONTINUE)

    def _examined_end(self) -> bytes:
        examined, self._examined = self._examined, None
        if examined is None:
            return b""
        self.routing.examined_bytes -= len(examined)
        self.routing.examined.pop(self, None)
        return bytes(examined)

    def examined_give_up(self) -> None:
        """Hand the request over undecided, with what has come of it."""
        self._examined_end()
        self._is_going = True
        # Called from within its own parser, it goes when that has ended.
        if not self._is_parsing:
            self._go()

    def _is_idle(self) -> bool:
        return self.cycle is None or bool(self.cycle.response_complete)

    def _may_answer(self, reason: str) -> bool:
        # The request whose body is examined has no cycle of its own yet: the one there is belongs to the one before.
        return self._is_idle() if self._examined is not None else super()._may_answer(reason)

    def _go(self) -> None:
        self._limit(None, "")
        if self.transport.is_closing():
            return
        if self._raw is None or not self._is_idle() or self.transport.get_write_buffer_size():
            # What the client goes on sending is read and dropped: unread, it would take the answer away with it.
            if not self._is_idle():
                self.cycle.keep_alive = False
            elif self.transport.can_write_eof():
                self.transport.write_eof()
                self.loop.call_later(LINGER_S, self.transport.close)
            else:
                self.transport.close()
            return
        self.transport.pause_reading()
        data = b"".join(self._raw)
        self._raw = None
        if not self._hand(data):
            self._refuse(503, NO_READER_MESSAGE, NO_READER)

    def _return(self) -> None:
        """Hand over an idle connection, once the client has taken the answer."""
        if self.transport.is_closing() or self._has_begun or self._is_going or self._is_refused or not self._is_idle():
            return
        if self.transport.get_write_buffer_size():
            self.loop.call_later(_UNSENT_RETRY_S, self._return)
            return
        self._is_going = True
        self.transport.pause_reading()
        self._unset_keepalive_if_required()
        if not self._hand(b""):
            self.transport.close()

    def _hand(self, data: bytes) -> bool:
        file = os.dup(self.transport.get_extra_info("socket").fileno())
        if not self.routing.hand(file, self._address, data, self._is_live):
            return False
        # Counted on, for whoever has it now.
        self._is_counted = False
        self.transport.close()
        return True


async def connection_adopt(server: uvicorn.Server, file: int, data: bytes) -> None:
    """Serve an open connection that another process has accepted. Raises OSError where it is broken.

    data: what was read of a request; empty: nothing, the one before was answered.
    """
    loop = asyncio.get_running_loop()

    def protocol() -> RoutedHttp:
        kind: Any = server.config.http_protocol_class
        protocol: RoutedHttp = kind(
            config=server.config, server_state=server.server_state, app_state=server.lifespan.state, _loop=loop
        )
        protocol.adopt(data)
        return protocol

    connection = socket.socket(fileno=file)
    try:
        if server.should_exit and not data:
            raise ConnectionAbortedError
        connection.setblocking(False)
        await loop.connect_accepted_socket(protocol, connection)
    except OSError:
        connection.close()
        raise
