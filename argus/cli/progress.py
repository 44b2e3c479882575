"""Print the progress of a command, on a terminal only."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

# The exit status of what Ctrl-C ended, and what is said of it.
INTERRUPTED: Final = 130
INTERRUPTED_MESSAGE: Final = "Interrupted: what is counted here is done and stays. Run it again to do the rest."


def counted(count: int, things: str) -> str:
    """Return a number of things.

    >>> counted(1, "row"), counted(2, "rows")
    ('1 row', '2 rows')
    """
    return f"{count} {things.removesuffix('s') if count == 1 else things}"


def progress_print(done: int, total: int | None = None) -> None:
    """Print the progress. total None: unknown."""
    if sys.stderr.isatty():
        total_text = "" if total is None else f" of {total}"
        print(f"\r{done}{total_text}", end="", file=sys.stderr, flush=True)


def problem_print(line: str) -> None:
    """Print what the command waits for, on a separate line."""
    progress_end()
    print(f"argus: {line}", file=sys.stderr, flush=True)


@contextmanager
def terminable() -> Iterator[None]:
    """Within the block, SIGTERM ends the command as Ctrl-C does, with a summary. Only in the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def progress_end() -> None:
    """End the progress line."""
    if sys.stderr.isatty():
        print(file=sys.stderr)
