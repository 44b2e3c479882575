"""Answers of the REST routes: bodies, statuses and headers for what an operation answered."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, urlencode

from starlette.datastructures import QueryParams
from starlette.responses import Response

from gql.server.answers import message_encode
from gql.server.failures import CODE_STATUS, INVALID
from gql.server.rest.routes import BASE, Route
from gql.server.rest.variables import INPUT

RESULT: Final = "result"
LIST: Final = "list"
VALUE: Final = "value"
_NOT_FOUND: Final = {"code": "NOT_FOUND", "message": "There is nothing with this id here.", "path": ["id"]}
# An argument that holds others: paths of REST begin inside it.
_HOLDERS: Final = frozenset({INPUT, "filter"})
_PLACE: Final = re.compile(r"\A\$(?:input(?:\.|: ))?")
PRECONDITION: Final = "ifUpdatedAt"
PRECONDITION_FAILED: Final = 412


def answer_of(
    route: Route, executed: Mapping[str, Any], *, root_path: str, path: str, query: QueryParams, none_match: str | None
) -> Response:
    """Return the answer to a request whose operation was executed.

    root_path: what a proxy has before the path. none_match: the header If-None-Match.
    """
    if executed.get("errors"):
        return refusal(errors_of_graphql(executed["errors"]), route=route)
    data = executed["data"]
    has_result = RESULT in data
    body = data[RESULT] if has_result else data
    if route.method != "GET":
        return _changed(route, body, root_path=root_path)
    # None, or one of another kind, of which nothing was selected.
    if body in (None, {}) or (not has_result and {} in data.values()):
        return refusal([_NOT_FOUND])
    if isinstance(body, dict) and set(body) == {LIST}:
        body = body[LIST]
        if body is None:
            return refusal([_NOT_FOUND])
    response = _json(200, body)
    if isinstance(body, dict) and "pageInfo" in body:
        _link(response, body["pageInfo"], root_path + path, query)
    tag = etag_of(body)
    if tag is not None:
        response.headers["ETag"] = tag
        if none_match is not None and tag in {item.strip().removeprefix("W/") for item in none_match.split(",")}:
            return Response(status_code=304, headers={"ETag": tag})
    return response


def refusal(errors: Sequence[Mapping[str, Any]], status: int | None = None, *, route: Route | None = None) -> Response:
    """Return an answer that says why nothing was done.

    status: by default that of the first error's code. route: that it has; what is not found is its path's object, not
    what a parameter or the body names.
    """
    first = errors[0]
    if status is None and route is not None and first["code"] == "NOT_FOUND":
        is_named_by_path = not first["path"] or f"{{{first['path'][0]}}}" in route.path
        status = CODE_STATUS["NOT_FOUND"] if is_named_by_path else INVALID
    if status is None:
        is_precondition = first["code"] == "CONFLICT" and list(first["path"])[-1:] == [PRECONDITION]
        status = PRECONDITION_FAILED if is_precondition else CODE_STATUS.get(first["code"], INVALID)
        if is_precondition:
            errors = [{**first, "path": ["If-Match"]}]
    return _json(status, {"errors": errors})


def errors_of_graphql(errors: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return errors of a request that was not executed, as REST has them."""
    return [_error(error) for error in errors]


def etag_of(body: Any) -> str | None:
    """Return the entity tag of an object: when it was last changed; None where it does not say."""
    return f'"{body["updatedAt"]}"' if isinstance(body, dict) and "updatedAt" in body else None


def _changed(route: Route, payload: Mapping[str, Any], *, root_path: str) -> Response:
    if payload["errors"]:
        return refusal([{**error, "path": _inside(error["path"])} for error in payload["errors"]], route=route)
    if route.method == "DELETE" and set(payload[VALUE]) == {"id"}:
        return Response(status_code=204)
    if VALUE not in payload:
        return _json(200, {name: value for name, value in payload.items() if name != "errors"})
    value = payload[VALUE]
    response = _json(200 if route.created_at is None else 201, value)
    if route.created_at is not None:
        place = route.created_at.replace("{id}", quote(value["id"], safe=""))
        response.headers["Location"] = f"{root_path}{BASE}/{place}"
    tag = etag_of(value)
    if tag is not None:
        response.headers["ETag"] = tag
    return response


def _link(response: Response, page: Mapping[str, Any], path: str, query: QueryParams) -> None:
    """Say where the next page is (RFC 8288)."""
    if not page["hasNextPage"]:
        return
    parameters = [(name, value) for name, value in query.multi_items() if name != "after"]
    target = urlencode([*parameters, ("after", page["endCursor"])])
    response.headers["Link"] = f'<{path}?{target}>; rel="next"'


def _error(error: Mapping[str, Any]) -> dict[str, Any]:
    extensions = error.get("extensions", {})
    path = extensions.get("argumentPath") or []
    path = _inside([str(step).removeprefix("$") for step in path])
    # Something is missing in the body as a whole.
    path = ["body"] if path == [INPUT] else path
    shown = {
        "code": extensions.get("code", "BAD_USER_INPUT"),
        "message": _PLACE.sub("", error["message"]),
        "path": path,
    }
    if "traceId" in extensions:
        shown["traceId"] = extensions["traceId"]
    return shown


def _inside(path: Sequence[str]) -> list[str]:
    return list(path[1:]) if path and path[0] in _HOLDERS and len(path) > 1 else list(path)


def _json(status: int, body: Any) -> Response:
    # As GraphQL has it: what JSON cannot encode is null.
    content = message_encode(body)
    return Response(content, status, media_type="application/json", headers={"Cache-Control": "private, no-cache"})
