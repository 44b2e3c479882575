"""Decide which process answers a request: by its head, or else by its body."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import Final
from urllib.parse import unquote

import httptools
import orjson

from domain.plant.devices.tokens import TOKEN_PREFIX
from gql.access.cookies import COOKIE
from gql.server.execution import INGEST
from gql.server.json_numbers import readings_json_loads
from gql.server.json_sizes import json_size_check
from gql.server.negotiation import negotiate
from gql.server.requests import is_ingest_body
from graph.errors import LimitExceededError

# A larger body is not waited for by the process that listens. A thousand readings take a tenth to half of it.
BODY_EXAMINED_MAX_BYTES: Final = 1024 * 1024
_OWN: Final = frozenset({"/healthz", "/readyz", "/metrics", "/api/v1/telemetry/ingest"})
_THINGSBOARD: Final = re.compile(r"/api/v1/[^/]+/telemetry")
_GRAPHQL: Final = "/graphql"
_COOKIE: Final = COOKIE.encode()
_DEVICE: Final = re.compile(rb"bearer +" + TOKEN_PREFIX.encode(), re.IGNORECASE)

Headers = Sequence[tuple[bytes, bytes]]


class Destination(Enum):
    """The process that answers a request. LIVE: the one that has the live data. BY_BODY: its body decides."""

    HERE = auto()
    ELSEWHERE = auto()
    LIVE = auto()
    BY_BODY = auto()


def listener_by_head(method: bytes, url: bytes, headers: Headers) -> Destination:
    """Return the process that answers a request that the process that listens has received."""
    path = _path(url)
    if path is None or _is_own(path):
        # Without a path it is refused wherever it is.
        return Destination.HERE
    named = dict(reversed(headers))
    has_token = b"authorization" in named or _COOKIE in named.get(b"cookie", b"")
    if path != _GRAPHQL or not has_token:
        # Nobody ingests or subscribes without a token.
        return Destination.ELSEWHERE
    if b"upgrade" in named:
        return Destination.HERE if _is_device(headers) else Destination.ELSEWHERE
    if _prefers_stream(headers):
        return Destination.LIVE
    return _by_body_or_length(method, named, headers)


def _by_body_or_length(method: bytes, named: Mapping[bytes, bytes], headers: Headers) -> Destination:
    if method != b"POST" or named.get(b"content-encoding", b"identity").strip().lower() != b"identity":
        return Destination.ELSEWHERE
    length = named.get(b"content-length", b"0")
    large = Destination.HERE if _is_device(headers) else Destination.ELSEWHERE
    is_small = length.isdigit() and len(length) <= len(str(BODY_EXAMINED_MAX_BYTES)) + 1
    return Destination.BY_BODY if is_small and int(length) <= BODY_EXAMINED_MAX_BYTES else large


def reader_by_head(_method: bytes, url: bytes, _headers: Headers) -> Destination:
    """Return the process that answers a request that a reader has received: what is open by its head stays."""
    path = _path(url)
    return Destination.ELSEWHERE if path is None or _is_own(path) else Destination.HERE


def listener_by_body(body: bytes) -> Destination:
    """Return the process that answers a GraphQL request: ingest alone is answered by the process that listens.

    What is not understood is left to a reader, which says what is wrong with it.
    """
    # Nearly all others end here.
    if INGEST.encode() not in body:
        return Destination.ELSEWHERE
    try:
        json_size_check(body)
        request = readings_json_loads(body)
    except (LimitExceededError, orjson.JSONDecodeError):
        return Destination.ELSEWHERE
    return Destination.HERE if is_ingest_body(request) else Destination.ELSEWHERE


def _prefers_stream(headers: Headers) -> bool:
    """Return whether the answer is wanted as a stream, which only a subscription's needs to be."""
    accept = b", ".join(value for name, value in headers if name == b"accept")
    accepted = negotiate(accept.decode("latin-1"))
    return accepted is not None and accepted.is_stream_preferred


def _is_device(headers: Headers) -> bool:
    """Return whether the token is a device's: the first, if there are several, for that is the one that counts."""
    authorization = next((value for name, value in headers if name == b"authorization"), b"")
    return _DEVICE.match(authorization) is not None


def _path(url: bytes) -> str | None:
    try:
        return unquote((httptools.parse_url(url).path or b"").decode("ascii"))
    except (httptools.HttpParserInvalidURLError, UnicodeDecodeError):
        return None


def _is_own(path: str) -> bool:
    return path in _OWN or _THINGSBOARD.fullmatch(path) is not None
