"""Forward queries and mutations that came over a WebSocket to a reader, as if they had come over HTTP.

The process that has the WebSockets has nothing else, so that whoever reads over one does not hold up the others' live
data and readings. It opens a separate connection to the process that listens, by a pair of sockets of which it sends
one end, and from there on the request goes the way of all others.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Final

import h11
import orjson

from gql.base.services import Forwarded
from graph.errors import UnavailableError

_MEDIA_TYPE: Final = "application/graphql-response+json"
_CHUNK_BYTES: Final = 256 * 1024
_ANSWERED: Final = 200
_ENDED: Final = "The process that answers this has ended; try again. Where it changes something, look whether it did."


class Forwarder:
    """Forwards operations.

    open: hands one end of a connection to the process that listens, with what was sent on it; False: it is gone. It
    closes the file either way.
    """

    def __init__(self) -> None:
        self.open: Callable[[int, bytes], bool] | None = None

    async def forward(self, token: str, request: bytes) -> Forwarded:
        """Return the answer to a request, {"query": ...} in JSON, by the bearer of a token.

        Raises UnavailableError where no process answers. Cancelled, it closes the connection, and the operation ends.
        """
        http = h11.Connection(h11.CLIENT)
        sent = _request(http, token, request)
        own, other = socket.socketpair()
        own.setblocking(False)
        if self.open is None or not self.open(other.detach(), sent):
            own.close()
            raise UnavailableError(_ENDED)
        reader, writer = await asyncio.open_connection(sock=own)
        try:
            status, headers, body = await _response(http, reader)
        except (OSError, h11.RemoteProtocolError):
            raise UnavailableError(_ENDED) from None
        finally:
            writer.close()
        if status == _ANSWERED:
            return Forwarded(body, [])
        answer = orjson.loads(body)
        if "data" in answer:
            return Forwarded(body, [])
        for error in answer["errors"]:
            # Over a WebSocket there is no other place for it.
            if "retry-after" in headers:
                error["extensions"].setdefault("retryAfterSeconds", float(headers["retry-after"]))
        return Forwarded(None, answer["errors"])


def _request(http: h11.Connection, token: str, request: bytes) -> bytes:
    headers = [
        ("Host", "argus"),
        ("Authorization", f"Bearer {token}"),
        ("Content-Type", "application/json"),
        ("Accept", _MEDIA_TYPE),
        ("Content-Length", str(len(request))),
        ("Connection", "close"),
    ]
    parts = (
        http.send(h11.Request(method="POST", target="/graphql", headers=headers)),
        http.send(h11.Data(data=request)),
        http.send(h11.EndOfMessage()),
    )
    return b"".join(part for part in parts if part)


async def _response(http: h11.Connection, reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    """Return the status, the headers and the body. Raises OSError, h11.RemoteProtocolError where it is not whole."""
    status, headers, body = 0, dict[str, str](), bytearray()
    while True:
        match http.next_event():
            case h11.Response() as response:
                status = response.status_code
                headers = {name.decode(): value.decode() for name, value in response.headers}
            case h11.Data(data=data):
                body += data
            case h11.EndOfMessage():
                return status, headers, bytes(body)
            case h11.ConnectionClosed():
                raise ConnectionResetError
            case h11.NEED_DATA:
                http.receive_data(await reader.read(_CHUNK_BYTES))
            case _:
                pass
