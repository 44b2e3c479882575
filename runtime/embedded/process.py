"""A server process: started, waited for, ended; found again after its supervisor was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from runtime.embedded.account import Account, preparation

_POLL_S = 0.02
_PROGRESS_EVERY_S = 0.5
_SAY_EVERY_S = 10.0


class ServerError(Exception):
    """A server could not be started; the message says why, with the end of its log."""


class StartEndedError(ServerError):
    """The operator has asked to stop while something was waited for."""


class Running(Protocol):
    """A process that was started, as `subprocess.Popen` has it."""

    pid: int
    returncode: int | Any

    def poll(self) -> int | None:
        """Return its exit status; None: it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended and return its exit status. Raises subprocess.TimeoutExpired."""

    def send_signal(self, number: int, /) -> None:
        """Send it a signal, where it still runs."""

    def kill(self) -> None:
        """End it at once."""


def start(
    command: Sequence[str],
    *,
    account: Account,
    log: Path,
    directory: Path,
    death_signal: signal.Signals,
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a process with its output appended to `log`. environment: none but the barest by default."""
    with open(log, "ab", opener=_private) as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=directory,
            env=environment or {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
            preexec_fn=preparation(account, death_signal=death_signal),  # noqa: PLW1509  (no threads yet)
        )


@dataclass(frozen=True, slots=True)
class Patience:
    """For how long to wait for a process that starts.

    stalled_s: without any progress: a longer log, or processor time used. deadline_s: by `time.monotonic()`, progress
    or not; None: without end. say: prints one line for the operator. is_over: tells that the operator has asked to
    stop.
    """

    stalled_s: float = 60.0
    deadline_s: float | None = None
    say: Callable[[str], None] = lambda _line: None
    is_over: Callable[[], bool] = lambda: False


def wait_until(
    ready: Callable[[], bool], *, process: subprocess.Popen[bytes], name: str, log: Path, patience: Patience
) -> None:
    """Wait until `ready()`; raise ServerError where the process ends or patience does."""
    wait = Wait(name=name, log=log, patience=patience)
    while not ready():
        if process.poll() is not None:
            msg = f"{name} ended with status {process.returncode} while starting:\n{tail(log)}"
            raise ServerError(msg)
        wait.look([process.pid])
        time.sleep(_POLL_S)


class Wait:
    """One wait for something that starts: gives up where it makes no progress, and says now and then what it does."""

    def __init__(self, *, name: str, log: Path, patience: Patience) -> None:
        self._name, self._log, self._patience = name, log, patience
        self._began_s = self._moved_s = self._said_s = time.monotonic()
        self._progress: tuple[int, int, str] | None = None

    def look(self, pids: Sequence[int], answer: str = "") -> None:
        """Look at the processes waited for, and those below them. Raises ServerError where patience or the wait ends.

        answer: what they say themselves of what they wait for.
        """
        if self._patience.is_over():
            raise StartEndedError("Asked to stop.")
        now_s = time.monotonic()
        if now_s - self._moved_s > _PROGRESS_EVERY_S or self._progress is None:
            progress = (size(self._log), sum(ticks_used(pid) for pid in pids), answer)
            if progress != self._progress:
                self._progress, self._moved_s = progress, now_s
        patience, waited_s = self._patience, now_s - self._began_s
        if patience.deadline_s is not None and now_s > patience.deadline_s:
            self._give_up(f"did not answer within {waited_s:.0f} s")
        if now_s - self._moved_s > patience.stalled_s:
            self._give_up(f"did not answer, and has made no progress for {patience.stalled_s:.0f} s")
        if now_s - self._said_s > _SAY_EVERY_S:
            self._said_s = now_s
            answered = answer or tail(self._log, 1) or "it says nothing"
            patience.say(f"Waiting for {self._name} ({waited_s:.0f} s): {answered}")

    def _give_up(self, reason: str) -> None:
        msg = f"{self._name} {reason}; the end of {self._log}:\n{tail(self._log)}"
        raise ServerError(msg)


def ticks_used(root: int) -> int:
    """Return how much processor time a process and those below it have used, in the kernel's ticks.

    0 where the system does not say (no /proc).
    """
    ticks: dict[int, tuple[int, int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        # After the name: state, parent, ...; user and system time are the 12th and 13th.
        ticks[int(path.parent.name)] = int(fields[1]), int(fields[11]) + int(fields[12])
    family, size = {root}, 0
    while len(family) > size:
        size = len(family)
        family |= {pid for pid, (parent, _) in ticks.items() if parent in family}
    return sum(ticks[pid][1] for pid in family if pid in ticks)


def stop(process: Running, *, how: signal.Signals, timeout_s: float) -> None:
    """Ask a process to end, and end it where it does not."""
    if process.poll() is None:
        process.send_signal(how)
        try:
            process.wait(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()


def orphan_stop(pid: int, *, how: signal.Signals, timeout_s: float) -> None:
    """End a process that an earlier supervisor left behind; the caller has made sure that it is ours."""
    deadline = time.monotonic() + timeout_s
    try:
        os.kill(pid, how)
        while time.monotonic() < deadline:
            os.kill(pid, 0)
            time.sleep(_POLL_S)
        os.kill(pid, signal.SIGKILL)
        while True:
            os.kill(pid, 0)
            time.sleep(_POLL_S)
    except ProcessLookupError:
        return


def command_line(pid: int) -> str:
    """Return the command line of a process, or the empty string where there is none."""
    done = subprocess.run(
        ["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False, timeout=10
    ) if not Path("/proc/self").exists() else None  # fmt: skip
    if done is not None:
        return done.stdout.strip()
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def tail(log: Path, lines: int = 15) -> str:
    """Return the last lines of a log."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""


def size(log: Path) -> int:
    """Return the length of a log in bytes; 0 where there is none yet."""
    try:
        return log.stat().st_size
    except OSError:
        return 0


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
