"""GraphQL over HTTP (the GraphQL-over-HTTP draft): negotiation, bodies, statuses."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

import orjson
import structlog
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from domain.base.errors import RateLimitedError
from domain.base.quotas import whole_seconds
from gql.access.auth import challenge
from gql.access.cookies import COOKIE
from gql.access.trace import trace_id_of
from gql.base.context import Context
from gql.base.services import Services
from gql.errors import DEFECT_MESSAGE, transport_error
from gql.server.answers import answer_encode
from gql.server.bodies import BODY_MAX_BYTES, BODY_UNKNOWN_MAX_BYTES, OFF_LOOP_BYTES, body_read
from gql.server.execution import Executor, is_mutation, is_subscription
from gql.server.failures import INVALID, STATUS
from gql.server.http_execution import Executed, HttpExecution, while_connected
from gql.server.json_numbers import readings_json_loads
from gql.server.json_sizes import json_size_check
from gql.server.negotiation import EVENT_STREAM, GRAPHQL_JSON, JSON, MULTIPART, Accepted, negotiate
from gql.server.preparation import Request, RequestError
from gql.server.requests import RequestRefusedError, is_ingest_body, request_from_object, request_from_query
from gql.server.streams import StreamResponse, failing, one
from graph.errors import ArgusError

# The watchdog looks at a database that is away twice a second.
RETRY_AFTER_S = "2"
# Nobody is there to be answered.
_GONE = 499
# Objects and arrays of a body: areas of spaces have one for each corner.
_CONTAINERS_MAX = 200_000
_SUBSCRIPTION_MESSAGE = (
    "A subscription is answered over a WebSocket (graphql-transport-ws) on this address, or over HTTP as "
    f"{EVENT_STREAM} or {MULTIPART}, where Accept allows one of them."
)
_log = structlog.get_logger(__name__)


class GraphQLOverHttp:
    """Answers GET and POST on the GraphQL address."""

    def __init__(self, executor: Executor, services: Services) -> None:
        self._executor = executor
        self._services = services
        self._execution = HttpExecution(executor, services)

    async def answer(self, http: HttpRequest) -> Response:
        """Answer one request."""
        trace_id = trace_id_of(http)
        accepted = negotiate(", ".join(http.headers.getlist("accept")))
        if accepted is None:
            message = f"Accept must allow {GRAPHQL_JSON} or {JSON}; {EVENT_STREAM} or {MULTIPART} for subscriptions."
            return _response(406, transport_error("BAD_USER_INPUT", message), JSON, trace_id)
        try:
            return await self._answer(http, accepted, trace_id)
        except Exception as error:  # noqa: BLE001  (an answer is JSON whatever happened)
            response = _failure(error, accepted.json or JSON, trace_id)
        if response.status_code == STATUS["UNAUTHENTICATED"]:
            is_session = "authorization" not in http.headers and COOKIE in http.headers.get("cookie", "")
            response.headers["WWW-Authenticate"] = challenge(has_token=is_session or "authorization" in http.headers)
            if is_session:
                # It is over; without it, the same request is one without a token.
                self._services.cookies.session_clear(response)
        return response

    async def _answer(self, http: HttpRequest, accepted: Accepted, trace_id: str) -> Response:
        gate = self._services.gate
        token = self._services.cookies.credentials(http)
        bearer = await gate.admit(http, token)
        if bearer is not None:
            gate.operation(http, bearer)
        request = await _request_of(http, BODY_UNKNOWN_MAX_BYTES if bearer is None else BODY_MAX_BYTES)
        context = Context(self._services, bearer, trace_id, "graphql")
        try:
            prepared = await self._executor.prepare(request, context)
        except RequestError as refused:
            if accepted.json is None and accepted.stream is not None and refused.status == INVALID:
                # A client of streams alone reads no errors elsewhere.
                return StreamResponse(accepted.stream, failing(refused), context)
            raise
        gate.charge_cost(http, bearer, prepared.cost)
        if http.method == "GET" and is_mutation(prepared):
            raise RequestRefusedError(405, "A mutation must be sent with POST.", allow="POST")
        if is_subscription(prepared):
            if accepted.stream is None:
                raise RequestRefusedError(406, _SUBSCRIPTION_MESSAGE)
            return StreamResponse(accepted.stream, self._executor.subscribe(prepared, context), context)
        run = partial(self._execution.run, prepared, context, token)
        if accepted.json is None and accepted.stream is not None:
            return StreamResponse(accepted.stream, one(run, trace_id=trace_id), context)
        response = _executed_response(await while_connected(http, run()), accepted.json or JSON, trace_id)
        await self._execution.compress(http, response, context)
        return response


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


async def _request_of(http: HttpRequest, most: int) -> Request:
    if http.method == "GET":
        return request_from_query(http.query_params)
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


def _strict(status: int, media_type: str) -> int:
    # Older clients expect 200 with application/json for what never executed.
    return status if media_type == GRAPHQL_JSON else 200


def _failure(error: Exception, media_type: str, trace_id: str) -> Response:
    """Answer a request that was not executed, or was ended early."""
    if isinstance(error, ClientDisconnect):
        return Response(status_code=_GONE)
    if isinstance(error, RequestRefusedError):
        body = transport_error(error.code, error.message)
        return _response(error.status, body, media_type, trace_id, error.headers)
    if isinstance(error, RequestError):
        status = _strict(error.status, media_type) if error.status == INVALID else error.status
        return _response(status, {"errors": error.errors}, media_type, trace_id)
    if isinstance(error, ArgusError):
        headers = retry_after(error.code)
        if isinstance(error, RateLimitedError):
            headers["Retry-After"] = str(whole_seconds(error.retry_after_s))
        code = "BAD_USER_INPUT" if error.code == "UNSUPPORTED" else error.code
        body = transport_error(code, error.message)
        return _response(STATUS.get(error.code, 400), body, media_type, trace_id, headers)
    _log.error("graphql.defect", trace_id=trace_id, exc_info=error)
    return _response(500, transport_error("INTERNAL", DEFECT_MESSAGE, traceId=trace_id), media_type, trace_id)


def _executed_response(executed: Executed, media_type: str, trace_id: str) -> Response:
    if isinstance(executed, bytes):
        return _response(200, executed, media_type, trace_id)
    status, headers = 200 if "data" in executed else _strict(INVALID, media_type), {}
    if _is_unavailable(executed):
        # Whatever the media type: whoever looks at the status alone is to try again.
        status, headers = STATUS["UNAVAILABLE"], retry_after("UNAVAILABLE")
    return _response(status, executed, media_type, trace_id, headers)


def _response(
    status: int, body: Executed, media_type: str, trace_id: str, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(
        body if isinstance(body, bytes) else answer_encode(body, trace_id=trace_id),
        status_code=status,
        media_type=f"{media_type}; charset=utf-8",
        headers={"X-Trace-Id": trace_id, "Cache-Control": "no-store", **(headers or {})},
    )
