"""Execute an operation for a request of HTTP, in whatever form it came: here or where reads are answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, Final

from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from gql.base.context import Context
from gql.base.services import Services
from gql.server.bodies import OFF_LOOP_BYTES
from gql.server.compression import SIZE_MIN_BYTES, coding_of, compress
from gql.server.execution import Executor, caller_of
from gql.server.forwarding import forwarded, is_forwardable, is_forwarded
from gql.server.preparation import Prepared
from gql.server.streams import disconnected

# Without a token, compressing so much counts once more.
_COMPRESSED_PER_REQUEST_BYTES: Final = 128 * 1024
# An answer to encode, or one that is encoded already.
Executed = dict[str, Any] | bytes


class HttpExecution:
    """Executes operations that came by HTTP, and compresses their answers."""

    def __init__(self, executor: Executor, services: Services) -> None:
        self._executor = executor
        self._services = services

    async def run(self, prepared: Prepared, context: Context, token: str | None) -> Executed:
        """Execute a query or a mutation, here or where reads are answered."""
        if is_forwardable(context, token) and is_forwarded(prepared):
            return await forwarded(context, token, prepared.request)
        return await self._executor.execute(prepared, context)

    async def compress(self, http: HttpRequest, response: Response, context: Context) -> None:
        """Compress a long answer as its client accepts it, who pays for it as for all that is done."""
        if len(response.body) < SIZE_MIN_BYTES:
            return
        response.headers["Vary"] = "Accept-Encoding"
        coding = coding_of(", ".join(http.headers.getlist("accept-encoding")))
        if coding is None:
            return
        body = bytes(response.body)
        began_s = time.perf_counter()
        in_loop = len(body) <= OFF_LOOP_BYTES
        response.body = compress(body, coding) if in_loop else await asyncio.to_thread(compress, body, coding)
        response.headers["Content-Encoding"] = coding
        response.headers["Content-Length"] = str(len(response.body))
        if context.bearer is None:
            gate = self._services.gate
            gate.charge(gate.address(http), len(body) / _COMPRESSED_PER_REQUEST_BYTES)
        else:
            self._services.shares.charge(caller_of(context), time.perf_counter() - began_s)


async def while_connected(http: HttpRequest, executing: Coroutine[Any, Any, Executed]) -> Executed:
    """Execute as long as the client is there. Raises ClientDisconnect where it goes."""
    task = asyncio.ensure_future(executing)
    gone = asyncio.ensure_future(disconnected(http.receive))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientDisconnect
        return task.result()
    finally:
        gone.cancel()
        task.cancel()
        await asyncio.gather(gone, task, return_exceptions=True)
