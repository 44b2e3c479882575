"""The name of a process, as `ps` and `top` show it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def process_name_set(name: str) -> None:
    """Name this process, where the system allows it. name: of 15 bytes at most; the rest is cut off."""
    with suppress(OSError):
        Path("/proc/self/comm").write_text(name)
