"""Rename the argument path of errors that a general function raises."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from graph.errors import ArgusError


@contextmanager
def path_renamed(**names: str) -> Iterator[None]:
    """Rename an argument in the path of an error that the block raises."""
    try:
        yield
    except ArgusError as fault:
        if fault.path and fault.path[0] in names:
            fault.path = (names[fault.path[0]], *fault.path[1:])
        raise
