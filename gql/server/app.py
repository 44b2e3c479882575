"""The ASGI application: GraphQL over HTTP and WebSocket, the console, GraphiQL, and whether all is well."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

from gql.base.services import Services
from gql.errors import transport_error
from gql.schema import core_schema
from gql.server.attributes_http import AttributesOverHttp, rpc_absent, updates_absent
from gql.server.console import STAMP_HEADER, Console
from gql.server.execution import Executor
from gql.server.exposure import Exposure
from gql.server.graphiql import ASSETS, is_wanted, page
from gql.server.http import GraphQLOverHttp
from gql.server.ingest_http import IngestOverHttp
from gql.server.persisted import PersistedDocuments
from gql.server.rest.answers import refusal
from gql.server.rest.handler import RestOverHttp
from gql.server.rest.routes import BASE
from gql.server.session_http import SessionOverHttp
from gql.server.websocket import Connection

# For so long a browser need not ask again.
_PREFLIGHT_S: Final = 600
_REFUSALS: Final = {
    404: ("NOT_FOUND", "Nothing is at this address. GraphQL is at /graphql, ingest at /api/v1/telemetry/ingest."),
    405: ("BAD_USER_INPUT", "This address takes no {method}; the header Allow names what it takes."),
}


def create_app(services: Services, exposure: Exposure) -> Starlette:
    """Return the application. The caller starts and stops the services."""
    executor = Executor(
        core_schema(),
        deadline_s=services.deadline_s,
        anonymous_introspection=exposure.anonymous_introspection,
        documents=PersistedDocuments(exposure.trusted),
    )
    console = exposure.console
    over_http = GraphQLOverHttp(executor, services)
    ingest = IngestOverHttp(services)
    attributes = AttributesOverHttp(services)
    rest = RestOverHttp(executor, services, core_schema()).routes if exposure.rest else []

    async def graphql(request: Request) -> Response:
        if exposure.graphiql and request.method == "GET" and "query" not in request.query_params and is_wanted(request):
            response = page()
        else:
            response = await over_http.answer(request)
        if console is not None and (stamp := console.stamp) is not None:
            response.headers[STAMP_HEADER] = stamp
        return response

    async def socket(websocket: WebSocket) -> None:
        await Connection(websocket, executor, services).serve()

    async def healthz(_request: Request) -> Response:
        return _json({"status": "alive"}, 200)

    async def readyz(_request: Request) -> Response:
        unavailable = await services.ready()
        body: dict[str, object] = {"status": "not ready", "away": unavailable} if unavailable else {"status": "ready"}
        if busy := services.busy():
            body["busy"] = busy
        return _json(body, 503 if unavailable else 200)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        if services.is_live:
            await services.feed.start()
        try:
            yield
        finally:
            await services.tokens.stop()
            await services.events.stop()
            await services.feed.stop()
            executor.stop()
            ingest.stop()

    app = Starlette(
        routes=[
            Route("/graphql", graphql, methods=["GET", "POST"]),
            WebSocketRoute("/graphql", socket),
            Route("/api/v1/telemetry/ingest", ingest.answer, methods=["POST"]),
            *rest,
            Route("/api/v1/{token}/telemetry", ingest.answer_thingsboard, methods=["POST"]),
            Route("/api/v1/{token}/attributes", attributes.answer, methods=["GET", "POST"]),
            Route("/api/v1/{token}/attributes/updates", updates_absent),
            Route("/api/v1/{token}/rpc", rpc_absent, methods=["GET", "POST"]),
            Route("/api/v1/{token}/rpc/{id}", rpc_absent, methods=["POST"]),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            *SessionOverHttp(services, exposure.sign_in).routes,
            *_pages(exposure),
        ],
        lifespan=lifespan,
        exception_handlers={HTTPException: _refusing(console)},
        middleware=_cors(exposure.cors_origins),
    )
    app.state.executor = executor
    app.state.services = services
    return app


def _pages(exposure: Exposure) -> list[BaseRoute]:
    """Return what is there for people's browsers: the console, GraphiQL, both or neither."""
    console = exposure.console

    async def root(request: Request) -> Response:
        return RedirectResponse("graphql") if console is None else await console.index(request)

    routes: list[BaseRoute] = [Route("/", root)] if exposure.graphiql or console is not None else []
    if exposure.graphiql:
        routes.append(Mount("/static", StaticFiles(directory=ASSETS)))
    return routes


def _refusing(console: Console | None) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Return what answers a request that no route takes: a path may still be that of a file of the console."""

    async def answer(request: Request, error: Exception) -> Response:
        is_unknown = getattr(error, "status_code", None) == HTTPStatus.NOT_FOUND
        if console is not None and is_unknown and request.method in {"GET", "HEAD"}:
            file = await console.asset(request)
            if file is not None:
                return file
        return await _refuse(request, error)

    return answer


def _cors(origins: Sequence[str]) -> list[Middleware]:
    """Return what lets web pages of these origins call; without any, browsers refuse them all."""
    if not origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            # Whatever a client has for itself; tokens are sent by the page alone, never by the browser.
            allow_headers=["*"],
            allow_credentials=False,
            expose_headers=["ETag", "Link", "Location", "Retry-After", "WWW-Authenticate", "X-Trace-Id"],
            max_age=_PREFLIGHT_S,
        )
    ]


async def _refuse(request: Request, error: Exception) -> Response:
    """Refuse a path that leads nowhere, or a method that it does not have."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    allowed = dict(getattr(error, "headers", None) or {})
    code, message = _REFUSALS.get(status, ("BAD_USER_INPUT", HTTPStatus(status).phrase))
    message = message.format(method=request.method)
    if request.url.path.startswith(f"{BASE}/"):
        response = refusal([{"code": code, "message": message, "path": []}], status)
    else:
        response = _json(transport_error(code, message), status)
    response.headers.update(allowed)
    return response


def _json(body: object, status: int) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json", headers={"Cache-Control": "no-store"})
