"""Read a GraphQL request from what a client sent, by whatever transport."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import orjson

from gql.server.documents import is_mutation_of
from gql.server.execution import INGEST
from gql.server.preparation import Request

_TEXTS: Final = ("query", "operationName", "documentId")
_SHA256: Final = re.compile(r"[0-9a-fA-F]{64}")
_SHA256_PREFIX: Final = "sha256:"
_ID_MAX_CHARS: Final = 200


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
    query, document_id = body.get("query"), _document_id_of(body)
    if query is None and document_id is not None:
        query = ""
    if not isinstance(query, str):
        raise RequestRefusedError(400, "query must be a string.")
    operation_name = body.get("operationName")
    if operation_name is not None and not isinstance(operation_name, str):
        raise RequestRefusedError(400, "operationName must be a string.")
    for name in ("variables", "extensions"):
        if body.get(name) is not None and not isinstance(body[name], dict):
            raise RequestRefusedError(400, f"{name} must be an object.")
    return Request(query, operation_name or None, body.get("variables") or {}, document_id)


def request_from_query(parameters: Mapping[str, str]) -> Request:
    """Return the request that the parameters of an address describe. Raises RequestRefusedError."""
    body: dict[str, Any] = {name: parameters[name] for name in _TEXTS if name in parameters}
    for name in ("variables", "extensions"):
        if parameters.get(name):
            try:
                body[name] = orjson.loads(parameters[name])
            except orjson.JSONDecodeError:
                raise RequestRefusedError(400, f"{name} must be a JSON object.") from None
    return request_from_object(body)


def _document_id_of(body: Mapping[str, Any]) -> str | None:
    """Return the id of a document: of the appendix on persisted documents of GraphQL over HTTP, or Apollo's hash."""
    extensions = body.get("extensions")
    persisted = extensions.get("persistedQuery") if isinstance(extensions, dict) else None
    if persisted is not None:
        if not isinstance(persisted, dict) or persisted.get("version") != 1:
            raise RequestRefusedError(400, "extensions.persistedQuery must have version 1.")
        sha256 = persisted.get("sha256Hash")
        if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
            raise RequestRefusedError(400, "extensions.persistedQuery.sha256Hash must be 64 hexadecimal digits.")
        return sha256.lower()
    document_id = body.get("documentId")
    if document_id is None:
        return None
    if not isinstance(document_id, str) or not 0 < len(document_id) <= _ID_MAX_CHARS:
        raise RequestRefusedError(400, f"documentId must be a string of 1 to {_ID_MAX_CHARS} characters.")
    return document_id.removeprefix(_SHA256_PREFIX)


def request_to_json(request: Request) -> bytes:
    """Return a request as another process is sent it."""
    body = {"query": request.query, "operationName": request.operation_name, "variables": dict(request.variables)}
    return orjson.dumps(body)
