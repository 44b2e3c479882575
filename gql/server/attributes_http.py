"""Answer the calls by which ThingsBoard's devices report attributes and read those that are shared with them.

https://thingsboard.io/docs/reference/http-api/#attributes-api
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.orm import Session
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from domain.plant.devices.attributes import (
    CLIENT,
    SHARED,
    DeviceAttributes,
    device_attributes_get,
    device_attributes_report,
)
from gql.access.principal import Principal
from gql.access.trace import trace_id_of
from gql.base.context import Context
from gql.base.services import Services
from gql.errors import ForbiddenError, UnauthenticatedError
from gql.server.bodies import body_read
from gql.server.ingest_http import ANSWER_WITHIN_S, http_guarded, http_refusal, http_response
from graph.change import GraphChange
from graph.errors import BadInputError, NotFoundError
from graph.json_bounds import JSON_MAX_BYTES


class AttributesOverHttp:
    """Answers GET and POST of attributes, with a device's token in the address."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def answer(self, http: Request) -> Response:
        """Answer one call."""
        trace_id = trace_id_of(http)
        return await http_guarded(
            partial(self._answered, http, trace_id), trace_id=trace_id, has_token=True, defect="attributes.defect"
        )

    async def _answered(self, http: Request, trace_id: str) -> Response:
        principal, device_id = await self._device(http)
        raw = await body_read(http, most=JSON_MAX_BYTES) if http.method == "POST" else b""
        context = Context(self._services, principal, trace_id, "http")
        answer: Mapping[str, Any] = {}
        async with asyncio.timeout(ANSWER_WITHIN_S):
            if http.method == "POST":
                await context.change(partial(_report, device_id=device_id, reported=_parsed(raw)))
            else:
                attributes = await context.read(device_attributes_get, device_id=device_id)
                answer = _chosen(http.query_params, attributes)
        return http_response(200, answer, trace_id)

    async def _device(self, http: Request) -> tuple[Principal, UUID]:
        gate = self._services.gate
        bearer = await gate.admit(http, http.path_params["token"])
        if bearer is None:
            raise UnauthenticatedError("The address needs a device's token.")
        if bearer.device_id is None:
            raise ForbiddenError(f"Attributes are a device's to report; this token has {bearer.role}.")
        gate.operation(http, bearer)
        return bearer, bearer.device_id


async def updates_absent(http: Request) -> Response:
    """Answer a device that would wait for the next change of its attributes: there is no long polling."""
    message = (
        "Updates of attributes by long polling are not supported. GET /api/v1/{token}/attributes?sharedKeys=... answers"
        " what holds now."
    )
    return http_refusal(NotFoundError(message), trace_id_of(http))


async def rpc_absent(http: Request) -> Response:
    """Answer a device that would wait for a command, or send one."""
    return http_refusal(NotFoundError("Remote procedure calls (rpc) are not supported."), trace_id_of(http))


def _report(session: Session, change: GraphChange, *, device_id: UUID, reported: Any) -> None:
    device_attributes_report(session, change=change, device_id=device_id, reported=reported)


def _parsed(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise BadInputError(f"The body is no JSON: {error}.", path=("body",)) from None


def _chosen(query: QueryParams, attributes: DeviceAttributes) -> dict[str, dict[str, Any]]:
    """Return the attributes whose names a call has; of both scopes all where it names none."""
    wanted = {CLIENT: query.get("clientKeys"), SHARED: query.get("sharedKeys")}
    is_all = not any(wanted.values())
    scopes = {CLIENT: attributes.client, SHARED: attributes.shared}
    return {
        scope: {name: value for name, value in scopes[scope].items() if is_all or name in (names or "").split(",")}
        for scope, names in wanted.items()
    }
