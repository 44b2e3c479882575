"""Processes below one that a test started: found, stopped for a while, and let go on."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def descendants(root: int) -> dict[int, str]:
    """Return the names and command lines of the processes below one, by their numbers."""
    parents: dict[int, int] = {}
    lines: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text()
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            lines[int(entry.name)] = f"[{(entry / 'comm').read_text().strip()}] {command}"
        except OSError:
            continue
        parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    commands = {}
    for pid in parents:
        above = pid
        while above in parents and above != root:
            above = parents[above]
        if above == root and pid != root:
            commands[pid] = lines[pid]
    return commands


@contextmanager
def frozen(root: int) -> Iterator[None]:
    """Stop a process and all below it (SIGSTOP) until the block ends: there, connected, and silent."""
    # The first one first, so that it starts none meanwhile.
    os.kill(root, signal.SIGSTOP)
    stopped = [root, *descendants(root)]
    try:
        for pid in stopped[1:]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in reversed(stopped):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
