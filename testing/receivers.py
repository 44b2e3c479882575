"""Receivers of webhooks, on the loopback: real servers that answer, hang, trickle or lie."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from testing.waits import quiet_period


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came. at_s: when, monotonic."""

    path: str
    headers: dict[str, str]
    body: bytes
    at_s: float


Reply = Callable[[socket.socket, Received], None]


@dataclass
class Receiver:
    """A server that notes what it is sent. reply: what it does with a request; it ends with the server."""

    reply: Reply
    port: int = 0
    scheme: str = "http"
    seen: list[Received] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/hook"

    @property
    def destination(self) -> str:
        return f"127.0.0.1:{self.port}"


@contextlib.contextmanager
def receiver_open(reply: Reply, *, tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """Run a receiver on a free port."""
    receiver = Receiver(reply, scheme="http" if tls is None else "https")

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError):
                request = _request_read(self.request)
                if request is not None:
                    receiver.seen.append(request)
                    receiver.reply(self.request, request)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        request_queue_size = 512
        block_on_close = False

        def get_request(self) -> Any:
            connection, address = super().get_request()
            connection.settimeout(30)
            if tls is not None:
                connection = tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
            return connection, address

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Log nothing: callers disconnect."""

    server = Server(("127.0.0.1", 0), Handler)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.ended.set()
        server.shutdown()
        server.server_close()


def answers(status: int, body: bytes = b"", *, headers: str = "", length: int | None = None) -> Reply:
    """Answer at once. length: what Content-Length says, whatever is true."""
    content_length = len(body) if length is None else length
    raw = f"HTTP/1.1 {status} Word\r\nContent-Length: {content_length}\r\n{headers}\r\n".encode() + body
    return sends(raw)


def sends(raw: bytes) -> Reply:
    """Send bytes, whatever they mean."""

    def reply(connection: socket.socket, _request: Received) -> None:
        connection.sendall(raw)

    return reply


def hangs(ended: threading.Event) -> Reply:
    """Never answer."""

    def reply(_connection: socket.socket, _request: Received) -> None:
        ended.wait()

    return reply


def trickles(ended: threading.Event, raw: bytes, *, every_s: float) -> Reply:
    """Send a byte now and then."""

    def reply(connection: socket.socket, _request: Received) -> None:
        for byte in raw:
            connection.sendall(bytes([byte]))
            if ended.wait(every_s):
                return

    return reply


def waits(seconds: float, then: Reply) -> Reply:
    """Take its time, and then answer."""

    def reply(connection: socket.socket, request: Received) -> None:
        quiet_period(seconds)
        then(connection, request)

    return reply


def never_ends(ended: threading.Event, head: bytes, piece: bytes) -> Reply:
    """Send a head, and then the same piece for ever."""

    def reply(connection: socket.socket, _request: Received) -> None:
        connection.sendall(head)
        while not ended.is_set():
            connection.sendall(piece)

    return reply


def _request_read(connection: socket.socket) -> Received | None:
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65_536)
        if not more:
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    while len(body) < int(headers.get("Content-Length", "0")):
        body += connection.recv(65_536)
    return Received(first.split(" ")[1], headers, body, time.monotonic())
