"""Jobs that last until a test lets them end, and leave files that tell how far they came. For pools of workers."""

from __future__ import annotations

from pathlib import Path

from testing.waits import Deadline
from workers.process import state_get


def runs_on(directory: str) -> None:
    """Run until the file `let_go` is there, whoever says to stop."""
    begun = Path(directory, "begun")
    begun.write_text(str(len(begun.read_text()) + 1) if begun.exists() else "1")
    deadline = Deadline()
    while not Path(directory, "let_go").exists():
        deadline.pause()
    Path(directory, "ended").touch()


def stops_on_request(directory: str) -> None:
    """Run until the process is to stop."""
    Path(directory, "begun").touch()
    state_get().stopping.wait()
    Path(directory, "ended").touch()
