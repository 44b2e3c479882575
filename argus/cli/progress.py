"""How far a command is, on a terminal only."""

from __future__ import annotations

import sys
from typing import Final

# The exit status of what Ctrl-C ended, and what is said of it.
INTERRUPTED: Final = 130
INTERRUPTED_MESSAGE: Final = "Interrupted: what is counted here is done and stays. Run it again to do the rest."


def progress_tell(done: int, total: int | None = None) -> None:
    """Say how far it is. total None: nobody knows."""
    if sys.stderr.isatty():
        of = "" if total is None else f" of {total}"
        print(f"\r{done}{of}", end="", file=sys.stderr, flush=True)


def progress_end() -> None:
    """Leave the line."""
    if sys.stderr.isatty():
        print(file=sys.stderr)
