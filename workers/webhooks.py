"""Call a webhook: one POST to a checked address, within bounds of time and size. Asynchronous."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache
from typing import Final

import httptools

from domain.work.notifications.address import Allowed, Destination, address_refused, destination_of
from domain.work.notifications.claims import Outcome
from graph.errors import BadInputError

# For all of a call: looking up the name, connecting, and the answer in whole.
TOTAL_S: Final = 10.0
# Of an answer nothing but its status is used; what is longer is left unread.
ANSWER_MAX_BYTES: Final = 65_536
# Of a host's addresses so many are tried, the next where one cannot be connected to.
_ADDRESSES_MAX: Final = 4
_OK: Final = range(200, 300)
_REDIRECTS: Final = range(300, 400)
_INTERIM: Final = range(100, 200)
_SWITCHING: Final = 101
# Answers by which a server says that it cannot just now, not that it does not want this.
_OVERLOADED: Final = frozenset({408, 425, 429, *range(500, 600)})

# Returns the addresses of a host. Raises OSError.
Lookup = Callable[[str, int], Awaitable[Sequence[str]]]


class _AnswerError(Exception):
    """What came back is no answer, or not all of one."""


class _Answer:
    """What the parser found of the answer: its status, and whether it is complete."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.is_whole = False
        # Neither of a known length nor in chunks: it ends where the connection does.
        self.is_until_end = True
        self.parser = httptools.HttpResponseParser(self)

    def on_message_begin(self) -> None:
        if self.status is None:
            self.is_until_end = True

    def on_header(self, name: bytes, _value: bytes) -> None:
        if self.status is None and name.lower() in {b"content-length", b"transfer-encoding"}:
            self.is_until_end = False

    def on_headers_complete(self) -> None:
        status = self.parser.get_status_code()
        if self.status is None and (status not in _INTERIM or status == _SWITCHING):
            self.status = status

    def on_message_complete(self) -> None:
        # Of an interim answer (100 Continue) this is said too.
        if self.status is not None:
            self.is_whole = True

    def feed(self, data: bytes) -> None:
        """Parse more bytes. Raises _AnswerError for what is no HTTP; what follows the answer is ignored."""
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.is_whole = True
        except httptools.HttpParserError as fault:
            if not self.is_whole:
                msg = f"it is no HTTP ({fault})"
                raise _AnswerError(msg) from fault

    def end(self) -> None:
        """End the input. Raises _AnswerError where the answer is incomplete."""
        if self.status is None:
            raise _AnswerError("the connection was closed before it")
        if not self.is_until_end:
            raise _AnswerError(f"it is {self.status}, and shorter than it says")
        self.is_whole = True


async def webhook_call(
    url: str, *, body: bytes, headers: Mapping[str, str], allowed: Allowed, lookup: Lookup
) -> Outcome:
    """Send a POST and return what came of it. Redirects are not followed.

    The host's name is looked up once; where any of its addresses is refused nothing is sent.
    """
    limit = asyncio.timeout(TOTAL_S)
    try:
        async with limit:
            return await _called(url, body=body, headers=headers, allowed=allowed, lookup=lookup)
    except TimeoutError as fault:
        # The operating system has time limits of its own.
        message = f"There was no whole answer within {TOTAL_S:g} s." if limit.expired() else f"No answer: {fault!r}"
        return Outcome(message, is_transient=True)
    except _AnswerError as fault:
        return Outcome(f"No answer: {fault}.", is_transient=True)
    except OSError as fault:
        return Outcome(f"No answer: {type(fault).__name__}: {fault}", is_transient=True)


async def _called(url: str, *, body: bytes, headers: Mapping[str, str], allowed: Allowed, lookup: Lookup) -> Outcome:
    try:
        there = destination_of(url)
        addresses = await lookup(there.host, there.port)
    except BadInputError as fault:
        return Outcome(f"There is no such place: {fault}")
    except (socket.gaierror, UnicodeError) as fault:
        # UnicodeError: of a label too long for a name of the DNS.
        return Outcome(f"There is no such place: {fault}", is_transient=True)
    for address in addresses:
        refused = address_refused(address, host=there.host, allowed=allowed)
        if refused is not None:
            return Outcome(refused)
    status = await _exchanged(there, addresses[:_ADDRESSES_MAX], _request(there, body, headers))
    if status in _REDIRECTS:
        return Outcome(f"The answer is {status}; redirects are not followed.")
    return Outcome() if status in _OK else Outcome(f"The answer is {status}.", is_transient=status in _OVERLOADED)


async def _exchanged(there: Destination, addresses: Sequence[str], request: bytes) -> int:
    """Return the status of the answer to a request. Raises OSError, _AnswerError."""
    reader, writer = await _connected(there, addresses)
    try:
        writer.write(request)
        answer, read_bytes = _Answer(), 0
        # By what has come, not by the body: a head and the extensions of chunks have no end by themselves either.
        while not answer.is_whole and read_bytes < ANSWER_MAX_BYTES:
            data = await reader.read(ANSWER_MAX_BYTES)
            read_bytes += len(data)
            if data:
                answer.feed(data)
            else:
                answer.end()
        if answer.status is None:
            raise _AnswerError(f"its head takes more than {ANSWER_MAX_BYTES} bytes")
        return answer.status
    finally:
        # Nothing is said at parting: who trickles would be waited for.
        writer.transport.abort()


async def _connected(there: Destination, addresses: Sequence[str]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to the first address that can be. They are known already, not whatever the name may mean by then."""
    tls = _tls() if there.scheme == "https" else None
    fault: OSError = OSError("the host has no address")
    for address in addresses:
        try:
            return await asyncio.open_connection(
                address,
                there.port,
                limit=ANSWER_MAX_BYTES,
                ssl=tls,
                # The certificate must be the host's.
                server_hostname=None if tls is None else there.host,
                ssl_handshake_timeout=None if tls is None else TOTAL_S,
            )
        except ssl.SSLError:
            raise
        except OSError as refused:
            fault = refused
    raise fault


def _request(there: Destination, body: bytes, headers: Mapping[str, str]) -> bytes:
    host = f"[{there.host}]" if ":" in there.host else there.host
    is_usual = (there.scheme, there.port) in {("http", 80), ("https", 443)}
    lines = {
        "Host": host if is_usual else f"{host}:{there.port}",
        "Content-Length": str(len(body)),
        "Accept-Encoding": "identity",
        "Connection": "close",
        **headers,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"POST {there.target} HTTP/1.1\r\n{head}\r\n".encode("ascii") + body


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
