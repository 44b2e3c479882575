"""Errors of a general function under the argument names of a special one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from graph.errors import ArgusError


@contextmanager
def path_renamed(**names: str) -> Iterator[None]:
    """Let an error of the block that names an argument bear the name the caller knows it by."""
    try:
        yield
    except ArgusError as fault:
        if fault.path and fault.path[0] in names:
            fault.path = (names[fault.path[0]], *fault.path[1:])
        raise
