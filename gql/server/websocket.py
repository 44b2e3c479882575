"""Serve graphql-transport-ws: operations over one WebSocket, each with its own context."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from domain.base.errors import RateLimitedError
from gql.access.auth import bearer_of
from gql.access.principal import Principal
from gql.access.revocation import ENDED
from gql.base.context import Context
from gql.base.services import Services
from gql.errors import UnauthenticatedError, known
from gql.server.answers import answer_encode, is_text, message_encode
from gql.server.documents import definitions_of, is_mutation_of
from gql.server.execution import INGEST, Executor, caller_of, is_ingest, is_subscription
from gql.server.flow import Flow, Unsent
from gql.server.http import RequestRefusedError, is_ingest_body, request_from_object
from gql.server.json_numbers import readings_json_loads
from gql.server.preparation import Prepared, Request, RequestError
from graph.errors import ArgusError

PROTOCOL = "graphql-transport-ws"
INIT_TIMEOUT_S = 10.0
OPERATIONS_MAX = 100
MESSAGE_MAX_BYTES = 1024 * 1024

_log = structlog.get_logger(__name__)


class _CloseError(Exception):
    """The client broke the protocol, or is not allowed to connect."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


@dataclass(frozen=True, slots=True)
class _Unreadable:
    """The payload of a message that JSON cannot encode, and why."""

    reason: str


class Connection:
    """One accepted socket."""

    def __init__(self, socket: WebSocket, executor: Executor, services: Services) -> None:
        self._socket = socket
        self._executor = executor
        self._services = services
        self._principal: Principal | None = None
        self._token: str | None = None
        self._is_ready = False
        self._introduced = asyncio.Event()
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._watched = contextlib.ExitStack()
        self._refusal: asyncio.Task[None] | None = None
        # Frames go out one at a time, and a slow client slows its own operations only.
        self._sending = asyncio.Lock()
        self._flow = Flow()
        self._unsent = Unsent()

    async def serve(self) -> None:
        """Speak the protocol until either side closes the socket."""
        if PROTOCOL not in self._socket.scope.get("subprotocols", []):
            await self._socket.close(4406, "Subprotocol not acceptable")
            return
        await self._socket.accept(subprotocol=PROTOCOL)
        watch = asyncio.create_task(self._expire())
        try:
            while True:
                await self._message(await self._receive())
        except _CloseError as close:
            await self._close(close.code, close.reason)
        except WebSocketDisconnect:
            pass
        finally:
            watch.cancel()
            self._watched.close()
            for task in list(self._operations.values()):
                task.cancel()
            await asyncio.gather(watch, *self._operations.values(), return_exceptions=True)

    async def _receive(self) -> dict[str, Any]:
        received = await self._socket.receive()
        if received["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(received.get("code", 1005))
        text = received.get("text")
        if text is None:
            raise _CloseError(4400, "Messages are text frames")
        if len(text) > MESSAGE_MAX_BYTES:
            raise _CloseError(4400, f"A message is at most {MESSAGE_MAX_BYTES} bytes")
        try:
            message = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            message = _message_error(text, str(error))
            if message is None:
                raise _CloseError(4400, "The message is no JSON") from None
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise _CloseError(4400, "A message is an object with a type")
        return message

    async def _message(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "connection_init":
                await self._init(message.get("payload"))
            case "ping":
                await self._send({"type": "pong"})
            case "pong":
                self._flow.pong()
            case "subscribe":
                self._subscribe(message)
            case "complete":
                task = self._operations.pop(str(message.get("id")), None)
                if task is not None:
                    task.cancel()
            case other:
                raise _CloseError(4400, f"Unknown message type {other[:40]}")

    async def _init(self, payload: object) -> None:
        if self._is_ready:
            raise _CloseError(4429, "Too many initialisation requests")
        if payload is not None and not isinstance(payload, dict):
            raise _CloseError(4400, "The payload of connection_init is an object")
        self._is_ready = True
        try:
            self._principal = await self._bearer(payload or {})
        except ArgusError as error:
            code = 4401 if isinstance(error, UnauthenticatedError) else 4403
            raise _CloseError(code, error.message) from None
        self._watched.enter_context(self._services.tokens.watching(self._principal, self._refuse))
        self._introduced.set()
        await self._send({"type": "connection_ack"})

    async def _bearer(self, payload: dict[str, Any]) -> Principal | None:
        header = payload.get("Authorization", payload.get("authorization"))
        token = payload.get("token")
        if header is None and isinstance(token, str):
            header = f"Bearer {token}"
        if header is None:
            header = self._socket.headers.get("authorization")
        self._token = bearer_of(str(header) if header is not None else None)
        return await self._services.gate.admit(self._socket, self._token)

    def _subscribe(self, message: dict[str, Any]) -> None:
        identity, payload = message.get("id"), message.get("payload")
        if not self._is_ready:
            raise _CloseError(4401, "Unauthorized")
        if not isinstance(identity, str) or not identity or not isinstance(payload, dict | _Unreadable):
            raise _CloseError(4400, "subscribe needs an id and a payload")
        if not is_text(identity):
            raise _CloseError(4400, "The id is not valid UTF-8: it holds half of a surrogate pair")
        if identity in self._operations:
            raise _CloseError(4409, f"Subscriber for {identity[:60]} already exists")
        if len(self._operations) >= OPERATIONS_MAX:
            raise _CloseError(4429, f"At most {OPERATIONS_MAX} operations at a time")
        self._operations[identity] = asyncio.create_task(self._operate(identity, payload))

    async def _operate(self, identity: str, payload: dict[str, Any] | _Unreadable) -> None:
        context = Context(self._services, self._principal, uuid.uuid4().hex, "graphql-ws")
        try:
            self._services.gate.operation(self._socket, self._principal)
            if self._principal is not None:
                await self._services.tokens.check(self._principal)
            if isinstance(payload, _Unreadable):
                raise RequestRefusedError(400, f"The message is no JSON: {payload.reason}.")
            request = request_from_object(payload)
            prepared = None if self._is_forwarded(request) else await self._executor.prepare(request, context)
            if prepared is None or (self._forwards and not is_subscription(prepared) and not is_ingest(prepared)):
                await self._unsent.room()
                await self._answer_send(identity, await self._forwarded(context, payload))
            else:
                await self._execute(identity, prepared, context)
            await self._send({"id": identity, "type": "complete"})
        except RequestError as refused:
            await self._send({"id": identity, "type": "error", "payload": refused.errors})
        except RequestRefusedError as refused:
            errors = [{"message": refused.message, "extensions": {"code": refused.code}}]
            await self._send({"id": identity, "type": "error", "payload": errors})
        except WebSocketDisconnect:
            pass
        except Exception as error:  # noqa: BLE001  (one operation's defect is not the socket's end)
            await self._failed(identity, context, error)
        finally:
            if self._operations.get(identity) is asyncio.current_task():
                del self._operations[identity]

    async def _room(self, sent_bytes: int) -> None:
        """Wait until the client has read enough of its updates; those that come meanwhile are merged into one."""
        if self._flow.sent(sent_bytes):
            await self._send({"type": "ping"})
        await self._flow.wait()

    async def _failed(self, identity: str, context: Context, error: Exception) -> None:
        located_errors = known(error)
        if located_errors is None:
            _log.error("graphql.defect", trace_id=context.trace_id, exc_info=error)
            message = "Something went wrong inside Argus."
            extensions: dict[str, Any] = {"code": "INTERNAL", "traceId": context.trace_id}
        else:
            message, extensions = located_errors.message, {"code": located_errors.code}
            if located_errors.path:
                extensions["argumentPath"] = list(located_errors.path)
            if isinstance(located_errors, RateLimitedError):
                extensions["retryAfterSeconds"] = located_errors.retry_after_s
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            await self._send(
                {"id": identity, "type": "error", "payload": [{"message": message, "extensions": extensions}]}
            )

    async def _execute(self, identity: str, prepared: Prepared, context: Context) -> None:
        if not is_subscription(prepared):
            await self._unsent.room()
            executed = await self._executor.execute(prepared, context)
            await self._answer_send(identity, answer_encode(executed, trace_id=context.trace_id))
            return
        async with contextlib.aclosing(self._executor.subscribe(prepared, context)) as answers:
            async for answer in answers:
                await self._send({"id": identity, "type": "next", "payload": orjson.Fragment(answer)})
                await self._room(len(answer))

    @property
    def _forwards(self) -> bool:
        return self._services.forward is not None and self._token is not None

    def _is_forwarded(self, request: Request) -> bool:
        """Tell, without parsing it, that a document is another process's: it has no subscription and is no ingest.

        One of several operations is decided about once it is known which.
        """
        definitions = definitions_of(request.query) if self._forwards else {"subscription"}
        if "subscription" in definitions:
            return False
        return "mutation" not in definitions or not is_mutation_of(request.query, INGEST)

    async def _forwarded(self, context: Context, payload: Mapping[str, Any]) -> bytes:
        forward, token = self._services.forward, self._token
        assert forward is not None  # noqa: S101  (see _forwards)
        assert token is not None  # noqa: S101
        # So many at a time, as if they were executed here.
        async with self._services.shares.slot(caller_of(context)):
            forwarded = await forward(token, orjson.dumps(payload))
        if forwarded.answer is None:
            raise RequestError([dict(error) for error in forwarded.errors])
        return forwarded.answer

    async def _answer_send(self, identity: str, answer: bytes) -> None:
        with self._unsent.holding(len(answer)):
            await self._send({"id": identity, "type": "next", "payload": orjson.Fragment(answer)})

    async def _send(self, message: dict[str, Any]) -> None:
        text = message_encode(message).decode()
        async with self._sending:
            if self._socket.application_state is WebSocketState.CONNECTED:
                try:
                    await self._socket.send_text(text)
                except RuntimeError as error:
                    # The server has closed the socket by itself, where the client gave no sign of life for too long.
                    raise WebSocketDisconnect(1006) from error

    async def _expire(self) -> None:
        """Close the socket of a client that sends no connection_init, or whose token expires."""
        try:
            async with asyncio.timeout(INIT_TIMEOUT_S):
                await self._introduced.wait()
        except TimeoutError:
            await self._close(4408, "Connection initialisation timeout")
            return
        if self._principal is not None and self._principal.expires_at is not None:
            await asyncio.sleep(max(self._principal.expires_at - time.time(), 0))
            await self._close(4403, "The token has expired")

    def _refuse(self) -> None:
        """Close the socket of a device whose token is no longer valid."""
        self._refusal = asyncio.ensure_future(self._close(4403, ENDED))

    async def _close(self, code: int, reason: str) -> None:
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            # A control frame's reason holds 123 bytes.
            await self._socket.close(code, reason.encode(errors="replace")[:123].decode(errors="ignore"))


def _message_error(text: str, reason: str) -> dict[str, Any] | None:
    """Return a subscribe message that is JSON but for its numbers, such as 1e400 or NaN; None where it is none.

    Of ingest, one such as 1e400 costs its metric. Else the client gets an error of that operation, as over HTTP, and
    the socket's other operations go on.
    """
    try:
        message = readings_json_loads(text)
        if message.get("type") == "subscribe" and is_ingest_body(message.get("payload")):
            return dict(message)
    except (ValueError, AttributeError):
        pass
    try:
        message = json.loads(text, parse_int=str)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict) or message.get("type") != "subscribe" or "payload" not in message:
        return None
    return {"type": "subscribe", "id": message.get("id"), "payload": _Unreadable(reason)}
