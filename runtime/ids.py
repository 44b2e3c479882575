"""Identifiers, drawn at the edges only."""

from __future__ import annotations

import secrets
import threading
import time
from uuid import UUID

_lock = threading.Lock()
_last = 0
_COUNTER_BITS = 12


def new_id() -> UUID:
    """Return a UUIDv7 (RFC 9562): milliseconds, a counter that never goes back in this process, 62 random bits."""
    global _last  # noqa: PLW0603  (the counter is the process's own)
    with _lock:
        _last = max(_last + 1, time.time_ns() // 1_000_000 << _COUNTER_BITS)
        milliseconds, counter = divmod(_last, 1 << _COUNTER_BITS)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | counter << 64 | 0b10 << 62 | secrets.randbits(62))
