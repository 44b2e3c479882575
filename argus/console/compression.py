"""Compress what was built once, as far as it goes, so that serving it costs nothing."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Final

import brotli

COMPRESSIBLE: Final = frozenset(
    {".html", ".js", ".mjs", ".css", ".json", ".svg", ".txt", ".wasm", ".map", ".webmanifest", ".xml", ".ico"}
)
# Of a smaller file nothing is won.
SIZE_MIN_BYTES: Final = 512
_QUALITY: Final = 11
_LEVEL: Final = 9


def files_compress(directory: Path) -> int:
    """Write `.br` and `.gz` beside each file that gets smaller by it; return how many files did."""
    count = 0
    for file in sorted(directory.rglob("*")):
        if file.suffix.lower() not in COMPRESSIBLE or not file.is_file():
            continue
        content = file.read_bytes()
        if len(content) < SIZE_MIN_BYTES:
            continue
        # Without a time, so that the same sources give the same files.
        forms = {
            ".br": brotli.compress(content, quality=_QUALITY),
            ".gz": gzip.compress(content, _LEVEL, mtime=0),
        }
        smaller = {suffix: form for suffix, form in forms.items() if len(form) < len(content)}
        for suffix, form in smaller.items():
            file.with_name(file.name + suffix).write_bytes(form)
        count += bool(smaller)
    return count
