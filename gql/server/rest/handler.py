"""The REST routes: each executes its document as GraphQL does, so that permissions, limits and errors are the same."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any, Final

import orjson
import structlog
from graphql import GraphQLInputType, GraphQLSchema
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.routing import Route as HttpRoute

from domain.base.errors import RateLimitedError
from domain.base.quotas import whole_seconds
from gql.access.auth import bearer_of, challenge
from gql.access.trace import trace_id_of
from gql.base.context import Context
from gql.base.services import Services
from gql.errors import DEFECT_MESSAGE, UnauthenticatedError
from gql.server.bodies import BODY_MAX_BYTES, OFF_LOOP_BYTES, body_read
from gql.server.execution import Executor
from gql.server.failures import INVALID
from gql.server.http_execution import HttpExecution, while_connected
from gql.server.json_sizes import json_size_check
from gql.server.preparation import Request, RequestError
from gql.server.rest.answers import PRECONDITION, RESULT, answer_of, errors_of_graphql, refusal
from gql.server.rest.documents import definitions, texts
from gql.server.rest.openapi import openapi
from gql.server.rest.routes import BASE, ROUTES, Route
from gql.server.rest.variables import INPUT, of_body, of_query, variable_types
from graph.errors import ArgusError, BadInputError

OPENAPI_PATH: Final = "/openapi.json"
_RETRY_AFTER_S: Final = "2"
_GONE: Final = 499
_JSON_TYPES: Final = {
    "POST": ("application/json",),
    "PUT": ("application/json",),
    "PATCH": ("application/json", "application/merge-patch+json"),
}
_CONTAINERS_MAX: Final = 200_000
_STRONG_TAG: Final = re.compile(r'"[^",]+"')

_log = structlog.get_logger(__name__)


class RestOverHttp:
    """Answers the REST routes."""

    def __init__(self, executor: Executor, services: Services, schema: GraphQLSchema) -> None:
        self._executor = executor
        self._services = services
        self._execution = HttpExecution(executor, services)
        operations, _ = definitions()
        self._types = {name: variable_types(schema, operation) for name, operation in operations.items()}
        self._description = orjson.dumps(openapi(schema))

    @property
    def routes(self) -> list[BaseRoute]:
        """The routes of an application, in the order in which they are to be looked at."""
        by_path: dict[str, dict[str, Route]] = {}
        for route in ROUTES:
            by_path.setdefault(route.path, {})[route.method] = route
        return [
            HttpRoute(OPENAPI_PATH, self._describe, methods=["GET"]),
            *(
                HttpRoute(f"{BASE}/{path}", self._answering(methods), methods=list(methods))
                for path, methods in by_path.items()
            ),
        ]

    async def _describe(self, _http: HttpRequest) -> Response:
        return Response(self._description, media_type="application/json", headers={"Cache-Control": "no-cache"})

    def _answering(self, methods: Mapping[str, Route]) -> Callable[[HttpRequest], Awaitable[Response]]:
        async def answer(http: HttpRequest) -> Response:
            return await self._answer(http, methods["GET" if http.method == "HEAD" else http.method])

        return answer

    async def _answer(self, http: HttpRequest, route: Route) -> Response:
        trace_id = trace_id_of(http)
        try:
            response = await self._answered(http, route, trace_id)
        except ClientDisconnect:
            return Response(status_code=_GONE)
        except RequestError as error:
            response = refusal(errors_of_graphql(error.errors), error.status if error.status != INVALID else None)
        except ArgusError as error:
            response = _refused(error)
        except Exception:  # noqa: BLE001  (masked, logged, traceable)
            _log.exception("rest.defect", trace_id=trace_id)
            response = refusal([{"code": "INTERNAL", "message": DEFECT_MESSAGE, "path": [], "traceId": trace_id}])
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            response.headers["WWW-Authenticate"] = challenge(has_token="authorization" in http.headers)
        if response.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
            response.headers.setdefault("Retry-After", _RETRY_AFTER_S)
        response.headers["X-Trace-Id"] = trace_id
        return response

    async def _answered(self, http: HttpRequest, route: Route, trace_id: str) -> Response:
        gate = self._services.gate
        token = bearer_of(http.headers.get("authorization"))
        bearer = await gate.admit(http, token)
        if bearer is None:
            raise UnauthenticatedError("Send a token or an API key: Authorization: Bearer ...")
        gate.operation(http, bearer)
        context = Context(self._services, bearer, trace_id, "http")
        run = partial(self._executed, http, context, token)
        variables = await self._variables(http, route, run)
        executed = await run(route.operation, variables)
        response = answer_of(
            route,
            executed,
            root_path=http.scope.get("root_path", ""),
            path=http.url.path,
            query=http.query_params,
            none_match=http.headers.get("if-none-match"),
        )
        await self._execution.compress(http, response, context)
        return response

    async def _executed(
        self, http: HttpRequest, context: Context, token: str | None, operation: str, variables: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return what an operation answers."""
        request = Request(texts()[operation], None, variables, None)
        prepared = await self._executor.preparer.prepare(request, context)
        executed = await while_connected(http, self._execution.run(prepared, context, token))
        answer: dict[str, Any] = orjson.loads(executed) if isinstance(executed, bytes) else executed
        return answer

    async def _variables(
        self, http: HttpRequest, route: Route, run: Callable[[str, Mapping[str, Any]], Awaitable[dict[str, Any]]]
    ) -> dict[str, Any]:
        """Return the variables of a route's operation. run: executes another operation."""
        types = self._types[route.operation]
        of_path = dict(http.path_params)
        others = {name: declared for name, declared in types.items() if name not in of_path}
        if not route.has_body:
            return {**of_query(http.query_params, others), **of_path, **_condition(http, None)}
        of_query(http.query_params, {})
        body = of_body(await _body(http, route, is_needed=INPUT in others), others)
        if INPUT in body:
            body[INPUT] = {**body[INPUT], **_condition(http, types[INPUT])}
            if route.reader is not None and any(name not in body[INPUT] for name in route.completed):
                before = (await run(route.reader, of_path)).get("data") or {}
                stored = before.get(RESULT) or {}
                body[INPUT] = {**{name: stored[name] for name in route.completed if name in stored}, **body[INPUT]}
        else:
            _condition(http, None)
        return {**body, **of_path}


async def _body(http: HttpRequest, route: Route, *, is_needed: bool) -> Any:
    """Return the body, parsed. is_needed: whether there must be one. Raises BadInputError, LimitExceededError."""
    raw = await body_read(http, most=BODY_MAX_BYTES)
    if not raw and not is_needed:
        return {}
    content_type = http.headers.get("content-type", "").partition(";")[0].strip().lower()
    known = _JSON_TYPES[route.method]
    if content_type not in known:
        raise BadInputError(f"The body must be {' or '.join(known)}.", code="UNSUPPORTED")
    try:
        return _parsed(raw) if len(raw) <= OFF_LOOP_BYTES else await asyncio.to_thread(_parsed, raw)
    except orjson.JSONDecodeError as error:
        raise BadInputError(f"The body is no JSON: {error}.", path=("body",)) from None


def _parsed(raw: bytes) -> Any:
    json_size_check(raw, containers_max=_CONTAINERS_MAX)
    return orjson.loads(raw)


def _condition(http: HttpRequest, input_type: GraphQLInputType | None) -> dict[str, Any]:
    """Return the member of the input for the header If-Match. Raises BadInputError where the route takes none."""
    tags = http.headers.get("if-match")
    if tags is None or tags.strip() == "*":
        return {}
    declared: Any = getattr(input_type, "of_type", input_type)
    if PRECONDITION not in getattr(declared, "fields", {}):
        raise BadInputError("If-Match is not supported here; what has an ETag and is changed by PATCH takes it.")
    tag = tags.strip()
    if _STRONG_TAG.fullmatch(tag) is None:
        raise BadInputError("If-Match must be one strong entity tag, as ETag had it.")
    return {PRECONDITION: tag[1:-1]}


def _refused(error: ArgusError) -> Response:
    code = "BAD_USER_INPUT" if error.code == "UNSUPPORTED" else error.code
    status = 415 if error.code == "UNSUPPORTED" else 413 if error.code == "LIMIT_EXCEEDED" else None
    response = refusal([{"code": code, "message": error.message, "path": list(error.path)}], status)
    if isinstance(error, RateLimitedError):
        response.headers["Retry-After"] = str(whole_seconds(error.retry_after_s))
    return response
