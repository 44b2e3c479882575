"""Answer an operation in parts over HTTP: server-sent events (graphql-sse), or multipart/mixed.

The parts are those that a WebSocket would be sent, from the same `Executor.subscribe`. The next one is taken only when
the client has taken the one before, as far as the buffers of its connection go; what comes meanwhile is merged.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gql.access.revocation import ENDED
from gql.base.context import Context
from gql.errors import UnauthenticatedError, argus_error
from gql.server.answers import answer_encode, message_encode
from gql.server.failures import errors_of
from gql.server.negotiation import EVENT_STREAM, MULTIPART, Stream

# In the scope of a request whose answer is a stream.
STREAM: Final = "argus.stream"
HEARTBEAT_S: Final = 12.0
# As often as Apollo's own router: some of its clients give up after a while without.
APOLLO_HEARTBEAT_S: Final = 5.0
_BOUNDARY: Final = "graphql"
_INCREMENTAL_BOUNDARY: Final = "-"

Answers = AsyncGenerator[bytes]


@dataclass(frozen=True, slots=True)
class Framing:
    """The bytes of a stream. heartbeat: sent where nothing else was for `heartbeat_s`; None: there is none.

    part: of an answer, a JSON object in bytes. failed: of errors, after which the stream ends.
    """

    media_type: str
    begin: bytes
    part: Callable[[bytes], bytes]
    failed: Callable[[Sequence[Mapping[str, Any]]], bytes]
    end: bytes
    heartbeat: bytes | None
    heartbeat_s: float


def _event(answer: bytes) -> bytes:
    # JSON has no line breaks of its own.
    return b"event: next\ndata: " + answer + b"\n\n"


def _boundary(name: str) -> bytes:
    return b"\r\n--" + name.encode()


def _body_part(boundary: str, body: bytes) -> bytes:
    # The boundary after it says that it is whole: clients wait for that.
    return b"\r\nContent-Type: application/json\r\n\r\n" + body + _boundary(boundary)


def _has_next(answer: bytes, *, has_next: bool) -> bytes:
    return answer[:-1] + (b',"hasNext":true}' if has_next else b',"hasNext":false}')


FRAMINGS: Final[Mapping[Stream, Framing]] = {
    Stream.EVENTS: Framing(
        media_type=f"{EVENT_STREAM}; charset=utf-8",
        begin=b":\n\n",
        part=_event,
        failed=lambda errors: _event(message_encode({"errors": errors})),
        # An event without data is none.
        end=b"event: complete\ndata:\n\n",
        heartbeat=b":\n\n",
        heartbeat_s=HEARTBEAT_S,
    ),
    Stream.SUBSCRIPTION: Framing(
        media_type=f'{MULTIPART};boundary="{_BOUNDARY}";subscriptionSpec=1.0',
        begin=_boundary(_BOUNDARY),
        part=lambda answer: _body_part(_BOUNDARY, b'{"payload":' + answer + b"}"),
        failed=lambda errors: _body_part(_BOUNDARY, message_encode({"payload": None, "errors": errors})),
        end=b"--\r\n",
        heartbeat=_body_part(_BOUNDARY, b"{}"),
        heartbeat_s=APOLLO_HEARTBEAT_S,
    ),
    Stream.INCREMENTAL: Framing(
        media_type=f'{MULTIPART};boundary="{_INCREMENTAL_BOUNDARY}"',
        begin=_boundary(_INCREMENTAL_BOUNDARY),
        part=lambda answer: _body_part(_INCREMENTAL_BOUNDARY, _has_next(answer, has_next=True)),
        failed=lambda errors: _body_part(_INCREMENTAL_BOUNDARY, message_encode({"errors": errors, "hasNext": True})),
        end=_body_part(_INCREMENTAL_BOUNDARY, b'{"hasNext":false}') + b"--\r\n",
        # A part of incremental delivery is never empty.
        heartbeat=None,
        heartbeat_s=HEARTBEAT_S,
    ),
}


class StreamResponse(Response):
    """Sends answers as they come: until they end, the token is no longer valid, or the client goes."""

    def __init__(self, form: Stream, answers: Answers, context: Context) -> None:
        framing = FRAMINGS[form]
        super().__init__(
            media_type=framing.media_type,
            headers={
                "X-Trace-Id": context.trace_id,
                "Cache-Control": "no-store",
                # nginx would collect it otherwise.
                "X-Accel-Buffering": "no",
            },
        )
        # Its end is not known.
        del self.headers["content-length"]
        self._framing, self._answers, self._context = framing, answers, context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream."""
        scope[STREAM] = True
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})

        async def write(data: bytes, *, is_last: bool = False) -> None:
            await send({"type": "http.response.body", "body": data, "more_body": not is_last})

        gone = asyncio.ensure_future(disconnected(receive))
        ended = asyncio.get_running_loop().create_future()
        async with contextlib.aclosing(self._answers), contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(_cancelled, gone)
            stack.enter_context(self._token_watching(ended))
            await write(self._framing.begin)
            last = await self._parts(write, gone, ended)
            if last is not None:
                await write(last + self._framing.end, is_last=True)

    async def _parts(
        self, write: Callable[[bytes], Any], gone: asyncio.Future[None], ended: asyncio.Future[None]
    ) -> bytes | None:
        """Write parts; return what is to be written before the end. None: the client has gone."""
        framing = self._framing
        coming = asyncio.ensure_future(anext(self._answers))
        try:
            while True:
                timeout_s = None if framing.heartbeat is None else framing.heartbeat_s
                await asyncio.wait((coming, gone, ended), timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
                if gone.done():
                    return None
                if ended.done():
                    return framing.failed([argus_error(UnauthenticatedError(f"{ENDED}."))])
                if not coming.done():
                    await write(framing.heartbeat or b"")
                    continue
                try:
                    answer = coming.result()
                except StopAsyncIteration:
                    return b""
                except Exception as error:  # noqa: BLE001  (the status is sent already)
                    return framing.failed(errors_of(error, trace_id=self._context.trace_id))
                await write(framing.part(answer))
                coming = asyncio.ensure_future(anext(self._answers))
        finally:
            await _cancelled(coming)

    @contextlib.contextmanager
    def _token_watching(self, ended: asyncio.Future[None]) -> Iterator[None]:
        """Have `ended` done once the token is revoked or has expired, until the block ends."""
        principal = self._context.bearer

        def end() -> None:
            if not ended.done():
                ended.set_result(None)

        timer: asyncio.TimerHandle | None = None
        if principal is not None and principal.expires_at is not None:
            timer = asyncio.get_running_loop().call_later(max(principal.expires_at - time.time(), 0), end)
        try:
            with self._context.services.tokens.watching(principal, end):
                yield
        finally:
            if timer is not None:
                timer.cancel()


async def one(make: Callable[[], Awaitable[dict[str, Any] | bytes]], *, trace_id: str) -> Answers:
    """Yield one answer: of an operation that is no subscription."""
    executed = await make()
    yield executed if isinstance(executed, bytes) else answer_encode(executed, trace_id=trace_id)


async def failing(error: Exception) -> Answers:
    """Yield nothing, and raise: for an operation that is refused within its stream."""
    raise error
    yield b""


async def disconnected(receive: Receive) -> None:
    """Return when the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _cancelled(task: asyncio.Future[Any]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
