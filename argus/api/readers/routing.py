"""Which process answers a request, by its head alone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote

import httptools

from domain.plant.devices.tokens import TOKEN_PREFIX

_OWN: Final = frozenset({"/healthz", "/readyz", "/metrics", "/api/v1/telemetry/ingest"})
_THINGSBOARD: Final = re.compile(r"/api/v1/[^/]+/telemetry")
_GRAPHQL: Final = "/graphql"
_DEVICE: Final = re.compile(rb"bearer +" + TOKEN_PREFIX.encode(), re.IGNORECASE)


def is_ingest(url: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether the process that listens answers a request: readings of devices, health and numbers."""
    try:
        path = unquote((httptools.parse_url(url).path or b"").decode("ascii"))
    except (httptools.HttpParserInvalidURLError, UnicodeDecodeError):
        # It is refused wherever it is.
        return True
    if path in _OWN or _THINGSBOARD.fullmatch(path):
        return True
    return path == _GRAPHQL and any(name == b"authorization" and _DEVICE.match(value) for name, value in headers)
