"""Trace ids: find one call in the logs of everything that follows from it."""

from __future__ import annotations

import random
import re
from typing import Final

from starlette.requests import HTTPConnection

# W3C Trace Context, level 1: version, trace id, parent id, flags. A trace id of zeros is none.
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")


def trace_id_of(http: HTTPConnection) -> str:
    """Return the trace id of the caller's `traceparent` header, or a new one: 32 hexadecimal digits."""
    match = _TRACEPARENT.fullmatch(http.headers.get("traceparent", ""))
    return trace_id_new() if match is None else match[1]


def trace_id_new() -> str:
    """Return a new trace id. It is no secret, so the system is not asked for randomness: that takes longer."""
    return f"{random.getrandbits(128) or 1:032x}"
