"""Compress answers, by the header Accept-Encoding.

Levels that take about as long as encoding the answer as JSON did: half a megabyte takes one to three milliseconds, and
becomes a tenth of its size. That compressing tells nobody a secret: docs/explanation/decisions/0034.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Mapping
from typing import Final

import brotli
import zstandard

# About what one packet carries: less arrives no sooner for being smaller.
SIZE_MIN_BYTES: Final = 1_400
_ZSTD_LEVEL: Final = 3
_BROTLI_QUALITY: Final = 4
_GZIP_LEVEL: Final = 4
# That zlib writes gzip's header.
_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS
_CODINGS_MAX: Final = 20


def _zstd(body: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(body)


def _brotli(body: bytes) -> bytes:
    compressed: bytes = brotli.compress(body, mode=brotli.MODE_TEXT, quality=_BROTLI_QUALITY)
    return compressed


def _gzip(body: bytes) -> bytes:
    return zlib.compress(body, _GZIP_LEVEL, _GZIP_WINDOW)


# The best first, of those that a client likes equally well.
_COMPRESS: Final[Mapping[str, Callable[[bytes], bytes]]] = {"zstd": _zstd, "br": _brotli, "gzip": _gzip}


def coding_of(accept_encoding: str | None, among: Collection[str] = tuple(_COMPRESS)) -> str | None:
    """Return the content coding of an answer; None: it is sent as it is. among: those it can be sent in, best first."""
    qualities: dict[str, float] = {}
    for part in (accept_encoding or "").split(",")[:_CODINGS_MAX]:
        name, _, parameter = part.partition(";")
        key, _, value = parameter.partition("=")
        try:
            quality = float(value) if key.strip().lower() == "q" else 1.0
        except ValueError:
            quality = 0.0
        qualities[name.strip().lower().removeprefix("x-")] = quality
    # What a client takes without naming it, every client can read.
    qualities.setdefault("gzip", qualities.get("*", 0.0))
    best = max(among, key=lambda name: qualities.get(name, 0.0), default="")
    return best if qualities.get(best, 0.0) > 0 else None


def compress(body: bytes, coding: str) -> bytes:
    """Return a body in one of the content codings: zstd, br, gzip."""
    return _COMPRESS[coding](body)
