"""GraphQL over HTTP (the GraphQL-over-HTTP draft): negotiation, bodies, statuses."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import orjson
import structlog
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from domain.base.errors import RateLimitedError
from domain.base.quotas import whole_seconds
from gql.access.auth import bearer_of
from gql.access.gate import COST_OF_A_REQUEST
from gql.access.trace import trace_id_of
from gql.base.context import Context
from gql.base.services import Services
from gql.errors import DEFECT_MESSAGE, transport_error
from gql.server.answers import answer_encode
from gql.server.bodies import BODY_MAX_BYTES, BODY_UNKNOWN_MAX_BYTES, OFF_LOOP_BYTES, body_read
from gql.server.documents import is_mutation_of
from gql.server.execution import INGEST, Executor, is_mutation, is_subscription
from gql.server.json_numbers import readings_json_loads
from gql.server.json_sizes import json_size_check
from gql.server.preparation import Prepared, Request, RequestError
from graph.errors import ArgusError

GRAPHQL_JSON = "application/graphql-response+json"
JSON = "application/json"
# The watchdog looks at a database that is away twice a second.
RETRY_AFTER_S = "2"
_STATUS = {
    "UNAUTHENTICATED": 401,
    "FORBIDDEN": 403,
    "LIMIT_EXCEEDED": 413,
    "UNSUPPORTED": 415,
    "RATE_LIMITED": 429,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
# Nobody is there to be answered.
_GONE = 499
# Objects and arrays of a body: areas of spaces have one for each corner.
_CONTAINERS_MAX = 200_000

_log = structlog.get_logger(__name__)


class RequestRefusedError(Exception):
    """The request is no GraphQL request."""

    def __init__(self, status: int, message: str, code: str = "BAD_USER_INPUT", **headers: str) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.headers = status, message, code, headers


class GraphQLOverHttp:
    """Answers GET and POST on the GraphQL address."""

    def __init__(self, executor: Executor, services: Services) -> None:
        self._executor = executor
        self._services = services

    async def answer(self, http: HttpRequest) -> Response:
        """Answer one request."""
        trace_id = trace_id_of(http)
        media_type = negotiate(http.headers.get("accept"))
        if media_type is None:
            body = transport_error("BAD_USER_INPUT", f"Accept must allow {GRAPHQL_JSON} or {JSON}.")
            return _response(406, body, JSON, trace_id)
        try:
            answer = await self._answer(http, trace_id)
        except Exception as error:  # noqa: BLE001  (an answer is JSON whatever happened)
            return _failure(error, media_type, trace_id)
        status, headers = 200 if "data" in answer else _strict(400, media_type), {}
        if _is_unavailable(answer):
            # Whatever the media type: whoever looks at the status alone is to try again.
            status, headers = _STATUS["UNAVAILABLE"], retry_after("UNAVAILABLE")
        return _response(status, answer, media_type, trace_id, headers)

    async def _answer(self, http: HttpRequest, trace_id: str) -> dict[str, Any]:
        gate = self._services.gate
        bearer = await gate.admit(http, bearer_of(http.headers.get("authorization")))
        if bearer is not None:
            gate.operation(http, bearer)
        request = await _request_of(http, BODY_UNKNOWN_MAX_BYTES if bearer is None else BODY_MAX_BYTES)
        context = Context(self._services, bearer, trace_id, "graphql")
        prepared = await self._executor.prepare(request, context)
        if bearer is None:
            gate.charge(gate.address(http), prepared.cost / COST_OF_A_REQUEST)
        if is_subscription(prepared):
            raise RequestRefusedError(400, "A subscription needs a WebSocket (graphql-transport-ws) on this address.")
        if http.method == "GET" and is_mutation(prepared):
            raise RequestRefusedError(405, "A mutation must be sent with POST.", allow="POST")
        return await self._execute(http, prepared, context)

    async def _execute(self, http: HttpRequest, prepared: Prepared, context: Context) -> dict[str, Any]:
        """Execute as long as the client is there. Raises ClientDisconnect where it goes."""
        executing = asyncio.ensure_future(self._executor.execute(prepared, context))
        disconnected = asyncio.ensure_future(_disconnected(http))
        try:
            await asyncio.wait({executing, disconnected}, return_when=asyncio.FIRST_COMPLETED)
            if not executing.done():
                raise ClientDisconnect
            return executing.result()
        finally:
            disconnected.cancel()
            executing.cancel()
            await asyncio.gather(disconnected, executing, return_exceptions=True)


def retry_after(code: str) -> dict[str, str]:
    """Return the Retry-After header, for transient errors."""
    return {"Retry-After": RETRY_AFTER_S} if code == "UNAVAILABLE" else {}


def _is_unavailable(answer: Mapping[str, Any]) -> bool:
    """Return whether nothing was answered because a part is unavailable."""
    errors, data = answer.get("errors"), answer.get("data")
    if not errors or any(error.get("extensions", {}).get("code") != "UNAVAILABLE" for error in errors):
        return False
    # Root fields that may be null are in the answer, each with its error.
    failed_fields = {error["path"][0] for error in errors if error.get("path")}
    return data is None or all(value is None and name in failed_fields for name, value in data.items())


async def _disconnected(http: HttpRequest) -> None:
    """Return when the client has gone."""
    while (await http.receive())["type"] != "http.disconnect":
        pass


def negotiate(accept: str | None) -> str | None:
    """Return the media type of the answer: the one the client prefers; None: it accepts none."""
    if not accept:
        return JSON
    best: tuple[float, str] | None = None
    for part in accept.split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        quality = 1.0
        charset = "utf-8"
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip().lower() == "q":
                try:
                    quality = float(value)
                except ValueError:
                    quality = 0.0
            elif key.strip().lower() == "charset":
                charset = value.strip().strip('"').lower()
        media_type = {
            GRAPHQL_JSON: GRAPHQL_JSON, JSON: JSON, "*/*": JSON, "application/*": GRAPHQL_JSON,
        }.get(name.lower())  # fmt: skip
        if (
            media_type is not None
            and charset in {"utf-8", "utf8"}
            and quality > 0
            and (best is None or quality > best[0])
        ):
            best = (quality, media_type)
    return None if best is None else best[1]


async def _request_of(http: HttpRequest, most: int) -> Request:
    if http.method == "GET":
        return _request_from_query(http.query_params)
    content_type = http.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != JSON:
        raise RequestRefusedError(415, f"The body must be {JSON}.")
    raw = await body_read(http, most=most)
    try:
        body = _parsed(raw) if len(raw) <= OFF_LOOP_BYTES else await asyncio.to_thread(_parsed, raw)
    except orjson.JSONDecodeError as error:
        raise RequestRefusedError(400, f"The body is no JSON: {error}.") from None
    if not isinstance(body, dict):
        raise RequestRefusedError(400, "The body must be a JSON object with a query; batches are not supported.")
    return request_from_object(body)


def _parsed(raw: bytes) -> Any:
    json_size_check(raw, containers_max=_CONTAINERS_MAX)
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        body = readings_json_loads(raw)
        if not is_ingest_body(body):
            raise
        return body


def is_ingest_body(body: Any) -> bool:
    """Return whether a GraphQL request does nothing but ingest, of which a number beyond a double costs one metric."""
    query = body.get("query") if isinstance(body, dict) else None
    return isinstance(query, str) and is_mutation_of(query, INGEST)


def request_from_object(body: Mapping[str, Any]) -> Request:
    """Return the request a JSON object describes. Raises RequestRefusedError."""
    query = body.get("query")
    if not isinstance(query, str):
        raise RequestRefusedError(400, "query must be a string.")
    operation_name = body.get("operationName")
    if operation_name is not None and not isinstance(operation_name, str):
        raise RequestRefusedError(400, "operationName must be a string.")
    for name in ("variables", "extensions"):
        if body.get(name) is not None and not isinstance(body[name], dict):
            raise RequestRefusedError(400, f"{name} must be an object.")
    return Request(query, operation_name or None, body.get("variables") or {})


def _request_from_query(parameters: Mapping[str, str]) -> Request:
    body: dict[str, Any] = {name: parameters[name] for name in ("query", "operationName") if name in parameters}
    for name in ("variables", "extensions"):
        if parameters.get(name):
            try:
                body[name] = orjson.loads(parameters[name])
            except orjson.JSONDecodeError:
                raise RequestRefusedError(400, f"{name} must be a JSON object.") from None
    return request_from_object(body)


def _strict(status: int, media_type: str) -> int:
    return status if media_type == GRAPHQL_JSON or status in {401, 403} else 200


def _failure(error: Exception, media_type: str, trace_id: str) -> Response:
    """Answer a request that was not executed, or was ended early."""
    if isinstance(error, ClientDisconnect):
        return Response(status_code=_GONE)
    if isinstance(error, RequestRefusedError):
        body = transport_error(error.code, error.message)
        return _response(error.status, body, media_type, trace_id, error.headers)
    if isinstance(error, RequestError):
        # Older clients expect 200 with application/json for what never executed.
        status = error.status if media_type == GRAPHQL_JSON or error.status != 400 else 200  # noqa: PLR2004
        return _response(_strict(status, media_type), {"errors": error.errors}, media_type, trace_id)
    if isinstance(error, ArgusError):
        headers = retry_after(error.code)
        if isinstance(error, RateLimitedError):
            headers["Retry-After"] = str(whole_seconds(error.retry_after_s))
        code = "BAD_USER_INPUT" if error.code == "UNSUPPORTED" else error.code
        body = transport_error(code, error.message)
        return _response(_STATUS.get(error.code, 400), body, media_type, trace_id, headers)
    _log.error("graphql.defect", trace_id=trace_id, exc_info=error)
    return _response(500, transport_error("INTERNAL", DEFECT_MESSAGE, traceId=trace_id), media_type, trace_id)


def _response(
    status: int, body: Mapping[str, Any], media_type: str, trace_id: str, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(
        answer_encode(body, trace_id=trace_id),
        status_code=status,
        media_type=f"{media_type}; charset=utf-8",
        headers={"X-Trace-Id": trace_id, "Cache-Control": "no-store", **(headers or {})},
    )
