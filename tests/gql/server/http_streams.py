"""A client of streams over HTTP for tests: server-sent events and multipart/mixed, byte by byte."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from testing.waits import patient

EVENT_STREAM = "text/event-stream"
APOLLO = "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json"
MULTIPART = "multipart/mixed"


@contextmanager
def opened(
    port: int,
    query: str,
    *,
    accept: str,
    token: str | None = None,
    method: str = "POST",
    headers: dict[str, str] | None = None,
    **request: Any,
) -> Iterator[http.client.HTTPResponse]:
    """Send a request and give its answer, whose body is still to come."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=patient(30))
    sent = {"Accept": accept, "Content-Type": "application/json", **(headers or {})}
    if token is not None:
        sent["Authorization"] = f"Bearer {token}"
    try:
        if method == "GET":
            parameters = {name: json.dumps(value) for name, value in request.items()}
            connection.request("GET", f"/graphql?{urlencode({'query': query, **parameters})}", headers=sent)
        else:
            connection.request("POST", "/graphql", json.dumps({"query": query, **request}), sent)
        response = connection.getresponse()
        yield response
    finally:
        connection.close()
        response.close()


def events(response: http.client.HTTPResponse) -> Iterator[tuple[str, Any]]:
    """Yield server-sent events: name and data, JSON or None; of a comment the name is empty."""
    name, data = "", None
    while line := response.readline():
        match line.rstrip(b"\n").decode().partition(":"):
            case ("", "", _):
                if name:
                    yield name, None if data in {None, ""} else json.loads(data or "")
                name, data = "", None
            case ("", _, _):
                yield "", None
            case ("event", _, value):
                name = value.strip()
            case ("data", _, value):
                data = (data or "") + value.strip()
            case other:
                raise AssertionError(other)


def parts(response: http.client.HTTPResponse, boundary: str) -> Iterator[Any]:
    """Yield the parts of an answer: each as soon as the boundary after it has come."""
    delimiter = f"--{boundary}".encode()
    assert _line(response) == b""
    assert _line(response) == delimiter
    while True:
        assert _line(response) == b"Content-Type: application/json"
        assert _line(response) == b""
        yield json.loads(_line(response))
        end = _line(response)
        if end == delimiter + b"--":
            assert response.readline() == b""
            return
        assert end == delimiter


def _line(response: http.client.HTTPResponse) -> bytes:
    line = response.readline()
    assert line.endswith(b"\r\n") or line.startswith(b"--"), line
    return line.removesuffix(b"\r\n")
