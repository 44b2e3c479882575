"""Count the objects, arrays and values of a JSON text before it is parsed: parsing holds the interpreter.

The content of strings does not count; a line break counts as a value. Linear, by numpy, a chunk at a time.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from graph.errors import LimitExceededError

# What a call of ingest may hold: a thousand readings of a thousand metrics each, and their objects.
CONTAINERS_MAX: Final = 50_000
VALUES_MAX: Final = 1_100_000
_CHUNK_BYTES: Final = 256 * 1024
_QUOTE: Final = ord('"')


def json_size_check(raw: bytes, *, containers_max: int = CONTAINERS_MAX, values_max: int = VALUES_MAX) -> None:
    """Raise LimitExceededError where a JSON text holds more objects and arrays, or more values, than it may.

    Also for JSON Lines.
    """
    # Nearly always enough: the content of texts is counted too.
    containers, values = _counts(raw)
    if containers <= containers_max and values <= values_max:
        return
    containers, values = _counts_outside_texts(raw, containers_max, values_max)
    if containers > containers_max:
        message = f"The body holds more than {containers_max} objects and arrays; send less in one call."
        raise LimitExceededError(message, path=("body",))
    if values > values_max:
        message = f"The body holds more than {values_max} values; send less in one call."
        raise LimitExceededError(message, path=("body",))


def _counts(raw: bytes) -> tuple[int, int]:
    """Return how many objects and arrays, and how many values, a text has at most."""
    containers = raw.count(b"{") + raw.count(b"[")
    return containers, containers + raw.count(b",") + raw.count(b"\n")


def _counts_outside_texts(raw: bytes, containers_max: int, values_max: int) -> tuple[int, int]:
    """Return the same without the content of texts; no further than to where there is too much."""
    if b"\\" in raw:
        # A quote ends a text unless an odd number of backslashes precedes it.
        raw = raw.replace(b"\\\\", b"__").replace(b'\\"', b"__")
    containers = values = quotes = 0
    for begins in range(0, len(raw), _CHUNK_BYTES):
        chunk = np.frombuffer(raw, np.uint8, min(_CHUNK_BYTES, len(raw) - begins), begins)
        is_quote = chunk == _QUOTE
        is_outside = (np.cumsum(is_quote) + quotes) % 2 == 0
        opens = int(np.count_nonzero(((chunk == ord("{")) | (chunk == ord("["))) & is_outside))
        containers += opens
        values += opens + int(np.count_nonzero(((chunk == ord(",")) | (chunk == ord("\n"))) & is_outside))
        if containers > containers_max or values > values_max:
            break
        quotes += int(np.count_nonzero(is_quote))
    return containers, values
