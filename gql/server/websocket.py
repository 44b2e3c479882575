"""Serve graphql-transport-ws: operations over one WebSocket, each with its own context.

What the protocol does not allow closes the socket, with the code that it states. What is wrong with one operation is an
`error` for its id, and the others go on.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect

from domain.base.errors import RateLimitedError
from gql.access.auth import bearer_of
from gql.access.principal import Principal
from gql.access.revocation import ENDED
from gql.access.trace import trace_id_new
from gql.base.context import Context
from gql.base.services import Services
from gql.errors import UnauthenticatedError, argus_error
from gql.server.answers import answer_encode, is_text, message_encode
from gql.server.bodies import BODY_UNKNOWN_MAX_BYTES
from gql.server.execution import Executor, is_subscription
from gql.server.failures import errors_of
from gql.server.flow import Flow, Unsent
from gql.server.forwarding import forwarded, is_forwardable, is_forwarded, is_forwarded_unparsed
from gql.server.json_numbers import readings_json_loads
from gql.server.outbox import Outbox
from gql.server.preparation import Prepared, Request
from gql.server.requests import RequestRefusedError, is_ingest_body, request_from_object
from graph.errors import ArgusError, LimitExceededError, UnavailableError

PROTOCOL = "graphql-transport-ws"
INIT_TIMEOUT_S = 10.0
OPERATIONS_MAX = 100
# Operations that have ended, but whose last message the client has not taken, count here: a client that reads nothing
# cannot have any number of them.
TASKS_MAX = 2 * OPERATIONS_MAX
MESSAGE_MAX_BYTES = 1024 * 1024
_PING = b'{"type":"ping"}'
_UNAUTHORIZED, _FORBIDDEN, _TRY_AGAIN_LATER = 4401, 4403, 1013


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
        self._is_initialised = False
        self._introduced = asyncio.Event()
        self._expiry: asyncio.Task[None] | None = None
        # By id, from `subscribe` until its last message is about to be sent: from then on the id may be used again.
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._watched = contextlib.ExitStack()
        self._refusal: asyncio.Task[None] | None = None
        self._outbox = Outbox(socket)
        self._flow = Flow()
        self._unsent = Unsent()

    async def serve(self) -> None:
        """Speak the protocol until either side closes the socket."""
        if PROTOCOL not in self._socket.scope.get("subprotocols", []):
            # Refused within the protocol of WebSockets: a refused handshake has no code that the client is told.
            await self._socket.accept()
            await self._close(4406, "Subprotocol not acceptable")
            return
        await self._socket.accept(subprotocol=PROTOCOL)
        watch = asyncio.create_task(self._await_init())
        try:
            while True:
                await self._message(await self._receive())
        except _CloseError as close:
            await self._close(close.code, close.reason)
        except WebSocketDisconnect:
            pass
        finally:
            self._watched.close()
            running = [task for task in (watch, self._expiry, *self._tasks) if task is not None]
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            await self._outbox.stop()

    async def _receive(self) -> dict[str, Any]:
        received = await self._socket.receive()
        if received["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(received.get("code", 1005))
        text = received.get("text")
        if text is None:
            raise _CloseError(4400, "Messages are text frames")
        most = BODY_UNKNOWN_MAX_BYTES if self._principal is None else MESSAGE_MAX_BYTES
        if len(text) > most:
            raise _CloseError(4400, f"A message is at most {most} bytes")
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
                await self._init(_payload_of(message))
            case "ping":
                await self._pong(message)
            case "pong":
                _payload_of(message)
                self._flow.pong()
            case "subscribe":
                await self._subscribe(message)
            case "complete":
                task = self._operations.pop(_id_of(message), None)
                if task is not None:
                    task.cancel()
            case other:
                raise _CloseError(4400, f"Unknown message type {other[:40]}")

    async def _pong(self, ping: dict[str, Any]) -> None:
        """Answer a ping with its payload. Pings count as operations: who sends too many waits for the pong."""
        payload = _payload_of(ping)
        is_counted = False
        while not is_counted:
            try:
                self._services.gate.operation(self._socket, self._principal)
                is_counted = True
            except RateLimitedError as limited:
                await asyncio.sleep(limited.retry_after_s)
        await self._send({"type": "pong"} if payload is None else {"type": "pong", "payload": payload})

    async def _init(self, payload: dict[str, Any] | None) -> None:
        if self._is_initialised:
            raise _CloseError(4429, "Too many initialisation requests")
        self._is_initialised = True
        # What is awaited from the client has come; how long the token takes is not up to it.
        self._introduced.set()
        try:
            self._principal = await self._bearer(payload or {})
        except UnauthenticatedError as error:
            raise _CloseError(_UNAUTHORIZED, error.message) from None
        except (RateLimitedError, UnavailableError) as error:
            raise _CloseError(_TRY_AGAIN_LATER, error.message) from None
        except ArgusError as error:
            raise _CloseError(_FORBIDDEN, error.message) from None
        self._watched.enter_context(self._services.tokens.watching(self._principal, self._refuse))
        self._expiry = asyncio.create_task(self._expire())
        await self._send({"type": "connection_ack"})

    async def _bearer(self, payload: dict[str, Any]) -> Principal | None:
        header = payload.get("Authorization", payload.get("authorization"))
        token = payload.get("token")
        if header is None and isinstance(token, str):
            header = f"Bearer {token}"
        if header is None:
            self._token = self._services.cookies.credentials(self._socket)
        else:
            self._token = bearer_of(str(header))
        return await self._services.gate.admit(self._socket, self._token)

    async def _subscribe(self, message: dict[str, Any]) -> None:
        identity = _id_of(message)
        if not self._is_initialised:
            raise _CloseError(_UNAUTHORIZED, "Unauthorized")
        request = _request_of(message)
        if identity in self._operations:
            raise _CloseError(4409, f"Subscriber for {identity[:60]} already exists")
        if len(self._operations) >= OPERATIONS_MAX or len(self._tasks) >= TASKS_MAX:
            # Sent from here: a client that does not read its errors is not read from.
            await self._send({"id": identity, "type": "error", "payload": [self._excess()]})
            return
        task = asyncio.create_task(self._operate(identity, request))
        self._operations[identity] = task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _excess(self) -> dict[str, Any]:
        """Return the error of an operation beyond the limit. It counts like all others."""
        message = f"At most {OPERATIONS_MAX} operations run at a time on one socket; complete one, and try again."
        try:
            self._services.gate.operation(self._socket, self._principal)
        except RateLimitedError as limited:
            return argus_error(limited)
        return {"message": message, "extensions": {"code": LimitExceededError.code}}

    async def _operate(self, identity: str, request: Request | _Unreadable) -> None:
        context = Context(self._services, self._principal, trace_id_new(), "graphql-ws")
        last: dict[str, Any] = {"id": identity, "type": "complete"}
        try:
            # Until the client has taken the answers before, errors among them, nothing more is done for it.
            await self._unsent.room()
            self._services.gate.operation(self._socket, self._principal)
            if self._principal is not None:
                await self._services.tokens.check(self._principal)
            if isinstance(request, _Unreadable):
                raise RequestRefusedError(400, f"The message is no JSON: {request.reason}.")
            request = self._executor.resolve(request, context)
            forwards = is_forwardable(context, self._token)
            prepared = None
            if not (forwards and is_forwarded_unparsed(request)):
                prepared = await self._executor.prepare(request, context)
                self._services.gate.charge_cost(self._socket, self._principal, prepared.cost)
            if prepared is None or (forwards and is_forwarded(prepared)):
                await self._forward(identity, request, context)
            else:
                await self._execute(identity, prepared, context)
        except WebSocketDisconnect:
            return
        except Exception as error:  # noqa: BLE001  (one operation's defect is not the socket's end)
            last |= {"type": "error", "payload": errors_of(error, trace_id=context.trace_id)}
        if self._operations.get(identity) is not asyncio.current_task():
            # The client has completed it.
            return
        # The client may use the id again as soon as it has read this, which may be before it is known to be sent.
        del self._operations[identity]
        text = message_encode(last)
        with contextlib.suppress(WebSocketDisconnect), self._unsent.holding(len(text)):
            await self._outbox.send(text)

    async def _execute(self, identity: str, prepared: Prepared, context: Context) -> None:
        if not is_subscription(prepared):
            await self._unsent.room()
            executed = await self._executor.execute(prepared, context)
            await self._answer_send(identity, answer_encode(executed, trace_id=context.trace_id))
            return
        begin = _next_begin(identity)
        async with contextlib.aclosing(self._executor.subscribe(prepared, context)) as answers:
            async for answer in answers:
                self._outbox.put(b"%b%b}" % (begin, answer))
                if self._flow.sent(len(answer)):
                    self._outbox.put(_PING)
                # Updates that come while the client has not read enough are merged into one.
                await self._outbox.room()
                await self._flow.wait()

    async def _forward(self, identity: str, request: Request, context: Context) -> None:
        await self._unsent.room()
        answer = await forwarded(context, self._token, request)
        self._executor.remember(request, context)
        await self._answer_send(identity, answer)

    async def _answer_send(self, identity: str, answer: bytes) -> None:
        with self._unsent.holding(len(answer)):
            await self._outbox.send(b"%b%b}" % (_next_begin(identity), answer))

    async def _send(self, message: dict[str, Any]) -> None:
        await self._outbox.send(message_encode(message))

    async def _await_init(self) -> None:
        """Close the socket of a client that sends no connection_init."""
        try:
            async with asyncio.timeout(INIT_TIMEOUT_S):
                await self._introduced.wait()
        except TimeoutError:
            await self._close(4408, "Connection initialisation timeout")

    async def _expire(self) -> None:
        """Close the socket when its token expires."""
        if self._principal is not None and self._principal.expires_at is not None:
            await asyncio.sleep(max(self._principal.expires_at - time.time(), 0))
            await self._close(_FORBIDDEN, "The token has expired")

    def _refuse(self) -> None:
        """Close the socket of a device whose token is no longer valid."""
        self._refusal = asyncio.ensure_future(self._close(_FORBIDDEN, ENDED))

    async def _close(self, code: int, reason: str) -> None:
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            # A control frame's reason holds 123 bytes.
            await self._socket.close(code, reason.encode(errors="replace")[:123].decode(errors="ignore"))


def _next_begin(identity: str) -> bytes:
    """Return a message with an answer, up to the answer; a brace ends it."""
    return b'{"id":%b,"type":"next","payload":' % orjson.dumps(identity)


def _payload_of(message: dict[str, Any]) -> dict[str, Any] | None:
    """Return the payload of a message that may have one."""
    payload = message.get("payload")
    if payload is None or isinstance(payload, dict):
        return payload
    raise _CloseError(4400, f"The payload of {message['type']} is an object")


def _id_of(message: dict[str, Any]) -> str:
    identity = message.get("id")
    if not isinstance(identity, str) or not identity:
        raise _CloseError(4400, f"{message['type']} needs an id")
    if not is_text(identity):
        raise _CloseError(4400, "The id is not valid UTF-8: it holds half of a surrogate pair")
    return identity


def _request_of(message: dict[str, Any]) -> Request | _Unreadable:
    payload = message.get("payload")
    if isinstance(payload, _Unreadable):
        return payload
    if not isinstance(payload, dict):
        raise _CloseError(4400, "subscribe needs a payload")
    try:
        return request_from_object(payload)
    except RequestRefusedError as refused:
        raise _CloseError(4400, f"Invalid subscribe: {refused.message}") from None


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
