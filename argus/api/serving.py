"""Serve HTTP by uvicorn, with bounds on what a client may hold before its request is answered.

Of a request's head: its bytes, its headers and the time it takes to come. Of its body: the time. Of an answer: the time
until the client has taken it. Of connections: how many, in all and from one address.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import socket
import time
from collections import Counter
from contextlib import suppress
from http import HTTPStatus
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any, ClassVar, Final

import httptools
import orjson
import structlog
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request
from websockets.protocol import State

from gql.server.outbox import TEXTS
from gql.server.streams import STREAM
from runtime.settings.model import ApiSettings

HEAD_MAX_BYTES: Final = 64 * 1024
HEADERS_MAX: Final = 200
# Requests that wait on one connection for the answers before theirs.
PIPELINE_MAX: Final = 16
WEBSOCKET_MESSAGE_MAX_BYTES: Final = 1024 * 1024
# Of a subscription's updates that were handed to the system and not yet sent.
UNSENT_MAX_BYTES: Final = 64 * 1024
# Of Linux; elsewhere the number has another meaning or none, and nothing is lost but this bound.
_NOTSENT_LOWAT: Final = getattr(socket, "TCP_NOTSENT_LOWAT", 25)
# A client that takes nothing of its answer for so long is not waited for.
WRITE_TIMEOUT_S: Final = 60.0
# A client that has sent all may close its side and wait for the answer. One that has gone altogether looks the same,
# until something is written, so that what it asked for is not worked on for longer than this.
HALF_CLOSED_S: Final = 10.0
# For so long a client that goes on sending may take the last answer.
LINGER_S: Final = 5.0
# Request Header Fields Too Large.
_OF_SIZE: Final = {431}
_RETRY_AFTER_S: Final = 5
_LOG_EVERY_S: Final = 60.0
# Of open files, for all that is no client's connection.
_FILES_OWN: Final = 256
# The address of a connection that has none.
UNKNOWN: Final = "unknown"
# Headers, and options of the header Connection.
_OF_UPGRADE: Final = frozenset({b"upgrade", b"http2-settings"})
_HEAD_SLOW: Final = "head too slow"
_BODY_SLOW: Final = "body too slow"
_NO_HTTP: Final = "no HTTP"
WEBSOCKET_PATH: Final = "/graphql"
NO_READER: Final = "no reader"
NO_READER_MESSAGE: Final = "The processes that answer this are starting, or busy; try again."
_CODES: Final = {
    400: "BAD_USER_INPUT",
    429: "RATE_LIMITED",
    408: "DEADLINE_EXCEEDED",
    431: "LIMIT_EXCEEDED",
    503: "RATE_LIMITED",
}

_log = structlog.get_logger(__name__)


class Admission:
    """Counts the connections of one server, and logs those it refused: once, and again at most every minute.

    refused: how many were, by reason.
    """

    def __init__(self, settings: ApiSettings) -> None:
        self.settings = settings
        self.refused: Counter[str] = Counter()
        self._open: Counter[str] = Counter()
        self._exempt = settings.trusted_proxies
        self._logged_s: dict[str, float] = {}

    @property
    def connections(self) -> int:
        """How many are open."""
        return self._open.total()

    def enter(self, address: str) -> str | None:
        """Count a connection; return why it is refused, None where it is not. It is counted either way."""
        self._open[address] += 1
        if self._open.total() > self.settings.connections_max:
            return "connections"
        is_proxy = any(_within(address, network) for network in self._exempt)
        if self._open[address] > self.settings.connections_address_max and not is_proxy:
            return "connections of one address"
        return None

    def leave(self, address: str) -> None:
        """Count a connection no more."""
        self._open[address] -= 1
        if not self._open[address]:
            del self._open[address]

    def refuse(self, reason: str, address: str) -> None:
        """Note a refusal."""
        self.refused[reason] += 1
        now_s = time.monotonic()
        if now_s - self._logged_s.get(reason, float("-inf")) >= _LOG_EVERY_S:
            self._logged_s[reason] = now_s
            _log.warning("connection_refused", reason=reason, address=address, refused=self.refused[reason])


class BoundedHttp(HttpToolsProtocol):
    """HTTP/1.1 with bounds."""

    admission: ClassVar[Admission]

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._head_bytes = 0
        self._in_head = True
        self._is_refused = False
        self._is_upgraded = False
        # The head asks for a protocol that is not spoken here, and is parsed again without that.
        self._is_upgrade_ignored = False
        # What is executed: with pipelining, not what was received last.
        self._running: RequestResponseCycle | None = None
        # On its way to another process.
        self._is_going = False
        # Whether `admission` counts it.
        self._is_counted = False
        # The client sends no more.
        self._is_half_closed = False
        self._timer: asyncio.TimerHandle | None = None
        self._half_closed_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._address = UNKNOWN

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, unless there are too many."""
        super().connection_made(transport)
        unsent_limit(transport)
        self._address = UNKNOWN if self.client is None else self.client[0]
        if not self._is_counted:
            self._is_counted = True
            reason = self.admission.enter(self._address)
            if reason is not None:
                self._refuse(503, f"Too many {reason} are open; try again.", reason)
                return
        self._limit(self.admission.settings.head_timeout_s, "head")

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._limit(None, "")
        for timer in (self._write_timer, self._half_closed_timer):
            if timer is not None:
                timer.cancel()
        if self._is_counted:
            self.admission.leave(self._address)
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()
        self.pipeline.clear()
        super().connection_lost(exc)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Return whether the connection is kept open for a client that sends no more: it waits for an answer."""
        running = self._running
        is_waiting = running is not None and not running.response_complete and not running.more_body
        # Of a stream there is no end to wait for.
        if not is_waiting or self._is_streaming or self._is_refused or self.transport.is_closing():
            return False
        self._is_half_closed = True
        self._half_closed_timer = self.loop.call_later(HALF_CLOSED_S, self._half_closed_end)
        return True

    def _half_closed_end(self) -> None:
        """End what nobody may be waiting for any more, unless it is being answered."""
        if self._running is None or not self._running.response_started or self._is_streaming:
            self.transport.abort()

    def on_response_complete(self) -> None:
        """Begin the next request; after the last of a client that sends no more, close."""
        super().on_response_complete()
        running = self._running
        if self._is_half_closed and (running is None or running.response_complete or running.more_body):
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        """Parse received bytes, a part at a time, so that no head is longer than it may be."""
        begins = 0
        while begins < len(data) and not (self._is_refused or self._is_upgraded or self._is_going):
            room = HEAD_MAX_BYTES - self._head_bytes if self._in_head else HEAD_MAX_BYTES
            if room <= 0:
                self._refuse(431, f"The headers are larger than {HEAD_MAX_BYTES} bytes.", "headers")
                return
            part = data[begins : begins + room] if begins or len(data) > room else data
            begins += len(part)
            if self._in_head:
                self._head_bytes += len(part)
                if self._timer is None:
                    self._limit(self.admission.settings.head_timeout_s, "head")
            self._parse(part)
            if self.transport.is_closing():
                return

    def _parse(self, data: bytes) -> None:
        """Feed the parser, as uvicorn does; but for an upgrade that is not spoken here, which costs it the body."""
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self._is_upgrade_ignored:
                head = self._head_without_upgrade()
                self._is_upgrade_ignored = False
                self.parser = httptools.HttpRequestParser(self)
                self._parse(head + data[upgrade.args[0] :])
            elif self._should_upgrade():
                self.handle_websocket_upgrade()
        except httptools.HttpParserError:
            message = "Invalid HTTP request received."
            self.logger.warning(message)
            self.send_400_response(message)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, in JSON as everything else, and close."""
        if self._may_answer(_NO_HTTP):
            self.transport.write(_answer(400, _CODES[400], msg))
        self.transport.close()

    def _head_without_upgrade(self) -> bytes:
        lines = [self.parser.get_method() + b" " + self.url + b" HTTP/" + self.parser.get_http_version().encode()]
        for name, value in self.headers:
            if name == b"connection":
                options = [option.strip() for option in value.split(b",")]
                value = b", ".join(option for option in options if option.lower() not in _OF_UPGRADE)  # noqa: PLW2901
            if name not in _OF_UPGRADE and (value or name != b"connection"):
                lines.append(name + b": " + value)
        return b"\r\n".join(lines) + b"\r\n\r\n"

    def _ignores_upgrade(self) -> bool:
        """Tell, at the end of a head, whether it is to be parsed again without what it asks for besides HTTP/1.1."""
        is_other = bool(self.parser.should_upgrade()) and not self._should_upgrade()
        self._is_upgrade_ignored = is_other and self.parser.get_method() != b"CONNECT"
        return self._is_upgrade_ignored

    def on_message_begin(self) -> None:
        """Begin a request, unless too many wait before it: a client that reads no answer may have any number."""
        if len(self.pipeline) >= PIPELINE_MAX and not self._is_refused:
            self._refuse(429, f"More than {PIPELINE_MAX} requests wait for an answer.", "pipelined requests")
        super().on_message_begin()
        if self._timer is None:
            self._limit(self.admission.settings.head_timeout_s, "head")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, unless there are too many."""
        super().on_header(name, value)
        if len(self.headers) > HEADERS_MAX and not self._is_refused:
            self._refuse(431, f"There are more than {HEADERS_MAX} headers.", "headers")

    def on_headers_complete(self) -> None:
        """Start what answers the request."""
        if self._ignores_upgrade():
            return
        self._head_end()
        if self._is_refused:
            return
        if self.parser.should_upgrade() and self._should_upgrade() and self._has_body():
            # What follows would be neither a body nor a WebSocket's, and nobody would ever end the connection.
            self._refuse(400, "A request that becomes a WebSocket has no body.", "upgrade with a body")
            return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Pass on a part of the body."""
        if not self._is_refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """End the request; the next has a keep-alive time to begin, which uvicorn keeps."""
        if self._is_upgrade_ignored:
            return
        self._limit(None, "")
        self._in_head, self._head_bytes = True, 0
        if not self._is_refused:
            super().on_message_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over; it is counted until it ends."""
        self._limit(None, "")
        self._is_upgraded = True
        if self._is_refused:
            return
        super().handle_websocket_upgrade()

    @property
    def _is_streaming(self) -> bool:
        running = self._running
        return running is not None and STREAM in running.scope and not running.response_complete

    def shutdown(self) -> None:
        """Close with the server: at once in the middle of a stream, which has no end; else after the answer."""
        super().shutdown()
        if self._is_streaming:
            # Cut, not completed: its client connects again.
            self.transport.close()

    def pause_writing(self) -> None:
        """Wait for the client to take what was sent, but not for ever."""
        super().pause_writing()
        self._write_timer = self.loop.call_later(WRITE_TIMEOUT_S, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on sending."""
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None
        super().resume_writing()

    def _head_end(self) -> None:
        """Bound what comes by the body's limits from now on."""
        self._in_head, self._head_bytes = False, 0
        self._limit(self.admission.settings.body_timeout_s, "body")

    def _has_body(self) -> bool:
        return any(
            name == b"transfer-encoding" or (name == b"content-length" and value.strip() != b"0")
            for name, value in self.headers
        )

    def _limit(self, seconds: float | None, part: str) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else self.loop.call_later(seconds, self._late, part)

    def _late(self, part: str) -> None:
        self._timer = None
        reason = _BODY_SLOW if part == "body" else _HEAD_SLOW
        self._refuse(408, f"The {part} of the request did not come in time.", reason)

    def _refuse(self, status: int, message: str, reason: str) -> None:
        """Answer in place of the application, where nothing was answered yet, and close."""
        if self._is_refused or self.transport.is_closing():
            return
        self._is_refused = True
        self._limit(None, "")
        self.admission.refuse(reason, self._address)
        if self._may_answer(reason):
            code = "UNAVAILABLE" if reason == NO_READER else _CODES[status]
            self.transport.write(_answer(status, code, message))
            if status in _OF_SIZE and self.transport.can_write_eof():
                # What the client is still sending is read and dropped: unread, it would take the answer away with it.
                self.transport.write_eof()
                self.loop.call_later(LINGER_S, self.transport.close)
                return
        self.transport.close()

    def _may_answer(self, reason: str) -> bool:
        """Return whether a refusal would be an answer to its own request: another may wait for one, or have had it."""
        cycle = self.cycle
        if reason == _BODY_SLOW:
            return cycle is not None and not cycle.response_started
        return cycle is None or bool(cycle.response_complete)


def unsent_limit(transport: asyncio.BaseTransport) -> None:
    """Let little wait in the system's buffer of a connection."""
    connected = transport.get_extra_info("socket")
    if connected is not None and connected.family in {socket.AF_INET, socket.AF_INET6}:
        with suppress(OSError):
            connected.setsockopt(socket.IPPROTO_TCP, _NOTSENT_LOWAT, UNSENT_MAX_BYTES)


class _WithoutAddresses(logging.Filter):
    """Takes what clients wrote into the addresses of WebSockets out of uvicorn's log: it may be a token."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record through."""
        if isinstance(record.msg, str) and '"WebSocket %s"' in record.msg and isinstance(record.args, tuple):
            record.args = tuple(map(_without_query, record.args))
        return True


def _without_query(argument: object) -> object:
    if not isinstance(argument, str) or not argument.startswith("/"):
        return argument
    path = argument.partition("?")[0]
    return path if path == WEBSOCKET_PATH else "(no address of ours)"


def _of_text(text: bytes) -> dict[str, str]:
    return {"type": "websocket.send", "text": text.decode()}


def frame_head(length: int) -> bytes:
    """Return the head of the frame that holds a whole text of a server (RFC 6455)."""
    if length < 126:  # noqa: PLR2004
        return bytes((0x81, length))
    if length < 1 << 16:
        return b"\x81\x7e" + length.to_bytes(2)
    return b"\x81\x7f" + length.to_bytes(8)


class CountedWebSocket(WebSocketsSansIOProtocol):
    """A WebSocket that counts as a connection as long as it lasts."""

    admission: ClassVar[Admission]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Let little wait in the system's buffer: what waits there grows old, what waits in the feed is renewed."""
        super().connection_made(transport)
        unsent_limit(transport)

    def handle_connect(self, event: Request) -> None:
        """Begin, and let the application know that it may send many messages at once."""
        super().handle_connect(event)
        if hasattr(self, "scope"):
            self.scope["extensions"][TEXTS] = {}

    async def send(self, message: Any) -> None:
        """Send a message, or many texts in one write: they are bytes already."""
        texts = message.get("texts")
        if texts is None or self.conn.extensions or self.conn.state is not State.OPEN:
            others: list[Any] = [message] if texts is None else [_of_text(text) for text in texts]
            for other in others:
                await super().send(other)
            return
        await self.writable.wait()
        if self.disconnected or self.conn.state is not State.OPEN:
            raise ClientDisconnected
        self.transport.write(b"".join([part for text in texts for part in (frame_head(len(text)), text)]))

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        address = self.transport.get_extra_info("peername")
        self.admission.leave(address[0] if address else UNKNOWN)
        super().connection_lost(exc)


def server_config(
    app: ASGIApp,
    settings: ApiSettings,
    *,
    host: str,
    port: int,
    admission: Admission | None = None,
    http: type[BoundedHttp] = BoundedHttp,
    **others: Any,
) -> uvicorn.Config:
    """Return how to serve an application. others: further arguments of uvicorn's."""
    admission = Admission(settings) if admission is None else admission
    logger = logging.getLogger("uvicorn.error")
    if not any(isinstance(log_filter, _WithoutAddresses) for log_filter in logger.filters):
        logger.addFilter(_WithoutAddresses())
    return uvicorn.Config(
        _EndedWithAnswer(app),
        host=host,
        port=port,
        http=type("Http", (http,), {"admission": admission}),
        ws=type("WebSocket", (CountedWebSocket,), {"admission": admission}),
        ws_max_size=WEBSOCKET_MESSAGE_MAX_BYTES,
        ws_per_message_deflate=settings.websocket_compression,
        timeout_keep_alive=settings.keep_alive_s,
        timeout_graceful_shutdown=5,
        # Addresses behind a proxy are determined by `gql/access/gate.py`, which knows the trusted ones.
        proxy_headers=False,
        server_header=False,
        **others,
    )


class _EndedWithAnswer:
    """Answers requests that are ended with the process: 503, where nothing was answered yet."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a connection on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_begun = False

        async def sending(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except asyncio.CancelledError:
            if has_begun:
                raise
            body = _error_body("UNAVAILABLE", "The server is stopping; try again. A change may have been made.")
            headers = [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(body)).encode()),
                (b"retry-after", str(_RETRY_AFTER_S).encode()),
                (b"connection", b"close"),
            ]
            await send({"type": "http.response.start", "status": 503, "headers": headers})
            await send({"type": "http.response.body", "body": body})


def files_raise(connections_max: int) -> int:
    """Let this process open as many files as it may have connections; return how many connections that allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections_max + _FILES_OWN
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return connections_max
    _log.warning("connections_bounded_by_open_files", connections_max=soft - _FILES_OWN, open_files=soft)
    return max(soft - _FILES_OWN, 1)


def unavailable() -> bytes:
    """Return the response to a request that no process can take."""
    return _answer(503, "UNAVAILABLE", NO_READER_MESSAGE)


def _answer(status: int, code: str, message: str) -> bytes:
    body = _error_body(code, message)
    head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: application/json\r\n"
    head += f"Content-Length: {len(body)}\r\n"
    if status == 503:  # noqa: PLR2004  (Service Unavailable)
        head += f"Retry-After: {_RETRY_AFTER_S}\r\n"
    return f"{head}Connection: close\r\n\r\n".encode() + body


def _error_body(code: str, message: str) -> bytes:
    return orjson.dumps({"errors": [{"message": message, "extensions": {"code": code}}]})


def _within(address: str, network: IPv4Network | IPv6Network) -> bool:
    with suppress(ValueError):
        return ip_address(address) in network
    return False
