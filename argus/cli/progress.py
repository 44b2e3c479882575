"""How far a command is, on a terminal only."""

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


def progress_tell(done: int, total: int | None = None) -> None:
    """Say how far it is. total None: nobody knows."""
    if sys.stderr.isatty():
        of = "" if total is None else f" of {total}"
        print(f"\r{done}{of}", end="", file=sys.stderr, flush=True)


def trouble_tell(line: str) -> None:
    """Say what keeps it waiting, on a line of its own."""
    progress_end()
    print(f"argus: {line}", file=sys.stderr, flush=True)


@contextmanager
def terminable() -> Iterator[None]:
    """Within the block, SIGTERM ends what is done as Ctrl-C does: with an account of it. In the main thread alone."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def progress_end() -> None:
    """Leave the line."""
    if sys.stderr.isatty():
        print(file=sys.stderr)
