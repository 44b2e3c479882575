"""A server process: started, waited for, ended; found again after its supervisor was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from runtime.embedded.account import Account, preparation

_POLL_S = 0.02


class ServerError(Exception):
    """A server could not be started; the message says why, with the end of its log."""


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


def wait_until(
    ready: Callable[[], bool], *, process: subprocess.Popen[bytes], name: str, log: Path, timeout_s: float
) -> None:
    """Wait until `ready()`; raise ServerError where the process ends or the time is up."""
    deadline = time.monotonic() + timeout_s
    while not ready():
        if process.poll() is not None:
            msg = f"{name} ended with status {process.returncode} while starting:\n{tail(log)}"
            raise ServerError(msg)
        if time.monotonic() > deadline:
            msg = f"{name} did not answer within {timeout_s:.0f} s:\n{tail(log)}"
            raise ServerError(msg)
        time.sleep(_POLL_S)


def stop(process: subprocess.Popen[bytes], *, how: signal.Signals, timeout_s: float) -> None:
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


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
