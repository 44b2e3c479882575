"""Read a GraphQL request from what a client sent, by whatever transport."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from gql.server.documents import is_mutation_of
from gql.server.execution import INGEST
from gql.server.preparation import Request


class RequestRefusedError(Exception):
    """The request is no GraphQL request."""

    def __init__(self, status: int, message: str, code: str = "BAD_USER_INPUT", **headers: str) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.headers = status, message, code, headers


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


def request_from_query(parameters: Mapping[str, str]) -> Request:
    """Return the request that the parameters of an address describe. Raises RequestRefusedError."""
    body: dict[str, Any] = {name: parameters[name] for name in ("query", "operationName") if name in parameters}
    for name in ("variables", "extensions"):
        if parameters.get(name):
            try:
                body[name] = orjson.loads(parameters[name])
            except orjson.JSONDecodeError:
                raise RequestRefusedError(400, f"{name} must be a JSON object.") from None
    return request_from_object(body)


def request_to_json(request: Request) -> bytes:
    """Return a request as another process is sent it."""
    body = {"query": request.query, "operationName": request.operation_name, "variables": dict(request.variables)}
    return orjson.dumps(body)
