"""Read the body of a request, up to a bound; one whose Content-Length is larger is refused unread."""

from __future__ import annotations

import asyncio
import zlib
from contextlib import suppress
from typing import Final

from starlette.requests import Request

from graph.errors import BadInputError, LimitExceededError

BODY_MAX_BYTES: Final = 8 * 1024 * 1024
# Of a caller without a token.
BODY_UNKNOWN_MAX_BYTES: Final = 128 * 1024
# A larger body is parsed in a thread, so that the others' calls go on meanwhile.
OFF_LOOP_BYTES: Final = 64 * 1024
# So much of a body that is refused is read and thrown away, at most.
_DRAIN_MAX_BYTES: Final = 2 * BODY_MAX_BYTES
_DRAIN_MAX_S: Final = 5.0
_PACKED: Final = frozenset({"gzip", "x-gzip", "deflate"})


async def body_read(http: Request, *, most: int = BODY_MAX_BYTES, may_be_packed: bool = False) -> bytes:
    """Return the body, unpacked.

    Raises LimitExceededError above `most` bytes, packed or unpacked, BadInputError (code UNSUPPORTED) for an encoding
    that is not taken, starlette's ClientDisconnect where the client goes.
    """
    encoding = http.headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity" and not (may_be_packed and encoding in _PACKED):
        known = "gzip, deflate or none" if may_be_packed else "none"
        raise BadInputError(f"Content-Encoding is {known}.", code="UNSUPPORTED")
    length = http.headers.get("content-length", "")
    if length.isdecimal() and int(length) > most:
        await _drain(http)
        raise _too_large(most)
    # 32: whichever of gzip's and zlib's headers it has.
    unpack = None if encoding == "identity" else zlib.decompressobj(32 + zlib.MAX_WBITS)
    body = bytearray()
    async for chunk in http.stream():
        try:
            # Never more than is allowed is unpacked: a small body can be of any size.
            body += chunk if unpack is None else unpack.decompress(chunk, most + 1 - len(body))
        except zlib.error as error:
            raise BadInputError(f"The body is not {encoding}: {error}.", path=("body",)) from None
        if len(body) > most:
            body.clear()
            await _drain(http)
            raise _too_large(most)
    if unpack is not None and body and not unpack.eof:
        raise BadInputError(f"The body is not whole: its {encoding} ends too early.", path=("body",))
    return bytes(body)


async def _drain(http: Request) -> None:
    """Discard the rest of the client's body: a client that reads only afterwards would not see the answer."""
    drained = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(_DRAIN_MAX_S):
            while drained < _DRAIN_MAX_BYTES:
                message = await http.receive()
                drained += len(message.get("body", b""))
                if not message.get("more_body", False):
                    return


def _too_large(most: int) -> LimitExceededError:
    return LimitExceededError(f"The body is larger than {most} bytes.", path=("body",))
