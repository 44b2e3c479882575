"""A request is answered here or forwarded whole, by its head or its body."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from argus.api import serving
from argus.api.readers import protocol
from argus.api.readers.protocol import RoutedHttp, Routing
from argus.api.readers.routing import BODY_EXAMINED_MAX_BYTES, listener_by_body, listener_by_head
from argus.api.serving import Admission, server_config
from testing.api import bounds
from testing.waits import Deadline, patient, quiet_period, wait_until

HANDED = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhanded"
INGEST = json.dumps({"query": "mutation { ingestTelemetry(readings: []) { accepted } }"}).encode()
UNTIL_GONE = b"until=gone"
READ = json.dumps({"query": "{ ingestTelemetry: devices { totalCount } }"}).encode()


async def app(listening: Listening, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the length of the body; /readyz is never answered, and ends, if asked to, with its client."""
    listening.begun.append(scope["path"])
    if scope["path"] == "/readyz":
        if scope["query_string"] != UNTIL_GONE:
            await asyncio.Event().wait()
        while (await receive())["type"] != "http.disconnect":
            pass
        listening.gone.append(scope["path"])
        return
    length, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        length, more = length + len(message["body"]), message["more_body"]
    body = f"here {length}".encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@dataclass
class Listening:
    """A server that forwards other requests to a process that answers `handed`."""

    port: int = 0
    handed: list[bytes] = field(default_factory=list)
    # The paths of requests that were begun here, and of those that were told that their client has gone.
    begun: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    routing: Routing = field(init=False)
    admission: Admission = field(init=False)

    def __post_init__(self) -> None:
        self.routing = Routing(by_head=listener_by_head, by_body=listener_by_body, hand=self._hand)
        self.admission = Admission(bounds(body_timeout_s=1))

    def _hand(self, file: int, address: str, data: bytes, _is_live: bool) -> bool:
        self.handed.append(data)
        self.admission.leave(address)
        connection = socket.socket(fileno=file)
        threading.Thread(target=self._answer, args=(connection,)).start()
        return True

    @staticmethod
    def _answer(connection: socket.socket) -> None:
        with connection:
            connection.setblocking(True)
            connection.sendall(HANDED)
            connection.shutdown(socket.SHUT_WR)
            with suppress(ConnectionResetError):
                while connection.recv(65_536):
                    pass

    def ask(self, *parts: bytes) -> bytes:
        """Send parts, with a pause between them; return all that comes back."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=patient(60)) as connection:
            for part in parts:
                connection.sendall(part)
                quiet_period(0.05)
            return b"".join(iter(lambda: connection.recv(65_536), b""))


@contextmanager
def served(listening: Listening) -> Iterator[Listening]:
    config = server_config(
        partial(app, listening),
        listening.admission.settings,
        host="127.0.0.1",
        port=0,
        admission=listening.admission,
        http=type("ListeningHttp", (RoutedHttp,), {"routing": listening.routing}),
        log_config=None,
        access_log=False,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started or not thread.is_alive())
    listening.port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield listening
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def listening() -> Iterator[Listening]:
    with served(Listening()) as running:
        yield running


def head(length: int | None, *, last: bool = True) -> bytes:
    lines = b"POST /graphql HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer a.b.c\r\n"
    lines += b"Transfer-Encoding: chunked\r\n" if length is None else b"Content-Length: %d\r\n" % length
    return lines + (b"Connection: close\r\n\r\n" if last else b"\r\n")


def chunked(body: bytes, size: int) -> bytes:
    parts = (body[begins : begins + size] for begins in range(0, len(body), size))
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def test_ingest_is_answered_here_however_it_comes(listening: Listening) -> None:
    here = b"here %d" % len(INGEST)
    assert listening.ask(head(len(INGEST)) + INGEST).endswith(here)
    assert listening.ask(head(len(INGEST)), INGEST[:10], INGEST[10:]).endswith(here)
    assert listening.ask(head(None) + chunked(INGEST, 7)).endswith(here)
    large = INGEST + b" " * (BODY_EXAMINED_MAX_BYTES - len(INGEST))
    assert listening.ask(head(len(large)) + large).endswith(b"here %d" % len(large))
    assert listening.handed == []
    assert listening.routing.examined_bytes == 0


def test_requests_other_than_ingest_are_forwarded_whole(listening: Listening) -> None:
    large = INGEST + b" " * BODY_EXAMINED_MAX_BYTES
    for sent in (
        head(len(READ)) + READ,
        head(None) + chunked(READ, 7),
        head(None) + chunked(large, 100_000),
        head(len(large)) + large,
        head(0),
    ):
        assert listening.ask(sent) == HANDED
        # What was not read of it is still to be read there.
        assert sent.startswith(listening.handed[-1])
    assert listening.handed[0] == head(len(READ)) + READ
    assert listening.routing.examined_bytes == 0


def test_requests_one_behind_the_other(listening: Listening) -> None:
    first = head(len(INGEST), last=False) + INGEST
    assert listening.ask(first + first + head(len(INGEST)) + INGEST).count(b"here") == 3
    # One for another process is not answered on this connection.
    answer = listening.ask(first + head(len(READ)) + READ)
    assert (answer.count(b"here"), answer.count(b"HTTP/1.1")) == (1, 1)
    assert listening.handed == []
    # What follows it goes with it.
    read = head(len(READ), last=False) + READ
    assert listening.ask(read + first) == HANDED
    assert listening.handed == [read + first]


def test_a_body_that_does_not_come_is_answered(listening: Listening) -> None:
    answer = listening.ask(head(100) + b"{")
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert listening.admission.refused["body too slow"] == 1
    # The one before it was answered, and its answer was not disturbed.
    answer = listening.ask(head(len(INGEST), last=False) + INGEST, head(100) + b"{")
    assert answer.count(b"here") == 1
    assert answer.count(b"HTTP/1.1 408 ") == 1
    assert listening.routing.examined_bytes == 0


def test_a_client_that_goes_is_forgotten(listening: Listening) -> None:
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", listening.port), timeout=patient(60)) as connection:
            connection.sendall(head(1000) + b"{" * 500)
    deadline = Deadline()
    while listening.admission.connections or listening.routing.examined_bytes:
        deadline.pause()


def test_an_upgrade_that_is_not_spoken_is_ignored(listening: Listening) -> None:
    """As clients offer HTTP/2 with their first request: its body is no other protocol's."""
    offers = (
        b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n",
        b"Connection: upgrade\r\nUpgrade: TLS/1.0\r\n",
    )
    for offer in offers:
        lines = head(len(INGEST), last=False).replace(b"Host: a\r\n", b"Host: a\r\n" + offer)
        # A request behind it is answered as well.
        answer = listening.ask(lines + INGEST + head(len(INGEST)) + INGEST)
        assert answer.count(b"here %d" % len(INGEST)) == 2, answer
        for cut in (20, 60, len(lines) - 1, len(lines), len(lines) + 5):
            sent = lines + INGEST
            answer = listening.ask(sent[:cut], sent[cut:] + head(len(INGEST)) + INGEST)
            assert answer.startswith(b"HTTP/1.1 200 ")
            assert b"here %d" % len(INGEST) in answer
        reading = head(len(READ)).replace(b"Host: a\r\n", b"Host: a\r\n" + offer)
        assert listening.ask(reading + READ) == HANDED
        # Whoever has it now sees what the client sent.
        assert listening.handed[-1] == reading + READ


def test_slow_clients_make_room_for_others(listening: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "EXAMINED_MAX_BYTES", 5_000)
    slow = [socket.create_connection(("127.0.0.1", listening.port), timeout=60) for _ in range(4)]
    try:
        for connection in slow:
            connection.sendall(head(2_000) + b" " * 1_500)
        wait_until(lambda: listening.handed)
        padded = INGEST + b" " * 3_000
        assert listening.ask(head(len(padded)) + padded).endswith(b"here %d" % len(padded))
        assert listening.routing.examined_bytes <= 5_000
        assert all(sent.startswith(head(2_000)) for sent in listening.handed)
    finally:
        for connection in slow:
            connection.close()
    wait_until(lambda: not listening.routing.examined and not listening.routing.examined_bytes)


def test_a_client_that_expects_100_continue(listening: Listening) -> None:
    lines = head(len(INGEST)).replace(b"Host: a", b"Host: a\r\nExpect: 100-continue")
    with socket.create_connection(("127.0.0.1", listening.port), timeout=patient(60)) as connection:
        connection.sendall(lines)
        assert connection.recv(65_536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(INGEST)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert answer.count(b"HTTP/1.1") == 1
    assert answer.endswith(b"here %d" % len(INGEST))


def test_no_file_stays_open(listening: Listening) -> None:
    def connections() -> int:
        """Of the server; other files may come and go meanwhile."""
        count = 0
        for entry in Path("/proc/self/fd").iterdir():
            with suppress(OSError), socket.socket(fileno=os.dup(int(entry.name))) as file:
                count += file.getsockname()[1] == listening.port and not file.getsockopt(
                    socket.SOL_SOCKET, socket.SO_ACCEPTCONN
                )
        return count

    with socket.create_connection(("127.0.0.1", listening.port), timeout=patient(60)):
        wait_until(lambda: connections() == 1)
    for _ in range(20):
        listening.ask(head(len(READ)) + READ)
        listening.ask(head(len(INGEST)) + INGEST)
    wait_until(lambda: connections() == 0)


def test_running_requests_are_informed_of_the_end_of_the_process() -> None:
    with served(Listening()) as running:
        connection = socket.create_connection(("127.0.0.1", running.port), timeout=patient(60))
        connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_until(lambda: running.admission.connections)
    with connection:
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    lines, _, body = answer.partition(b"\r\n\r\n")
    assert lines.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after" in lines
    assert json.loads(body)["errors"][0]["extensions"]["code"] == "UNAVAILABLE"


def test_a_client_that_goes_while_its_requests_wait_for_each_other_is_no_error(
    listening: Listening, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "HALF_CLOSED_S", 0.2)
    first = b"GET /readyz?" + UNTIL_GONE + b" HTTP/1.1\r\nHost: a\r\n\r\n"
    with socket.create_connection(("127.0.0.1", listening.port), timeout=patient(60)) as connection:
        connection.sendall(first + (head(len(INGEST), last=False) + INGEST) * 4)
        wait_until(lambda: listening.begun)
    # It is the one that runs that is told, not the one that came last; the others are never begun.
    wait_until(lambda: listening.gone, timeout_s=10)
    wait_until(lambda: not listening.admission.connections)
    assert (listening.begun, listening.gone) == (["/readyz"], ["/readyz"])
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def half_closed(listening: Listening, sent: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", listening.port), timeout=patient(60)) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def test_a_client_that_closes_its_side_is_answered(listening: Listening) -> None:
    ingest = head(len(INGEST), last=False) + INGEST
    assert half_closed(listening, ingest).endswith(b"here %d" % len(INGEST))
    assert half_closed(listening, ingest * 3).count(b"here %d" % len(INGEST)) == 3
    # What is not whole has no answer.
    for part in (b"", b"GET /heal", head(len(INGEST), last=False) + INGEST[:-1]):
        assert half_closed(listening, part) == b""
    # What was asked before it has, as what was asked before a request of another process.
    assert half_closed(listening, ingest + ingest[:-1]).count(b"here") == 1
    assert half_closed(listening, ingest + head(len(READ)) + READ).count(b"here") == 1
    wait_until(lambda: not listening.admission.connections)
