"""Open what is imported: a file, or standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

# Names standard input.
STDIN: Final = "-"


@contextmanager
def file_opened(path: Path) -> Iterator[BinaryIO]:
    """Yield a file, or standard input, which stays open. Raises OSError."""
    if str(path) == STDIN:
        yield sys.stdin.buffer
        return
    with path.open("rb") as file:
        yield file


def unreadable(path: Path, error: OSError) -> str:
    """Return what to tell of a file that cannot be read."""
    name = "Standard input" if str(path) == STDIN else str(path)
    return f"{name} cannot be read: {error.strerror or error}."
