"""The local stack of `argus up`: PostgreSQL, Valkey, the API and the workers, on one data directory."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from argus.supervisor.child import Child
from migrations.run import migrate
from runtime.embedded import postgres, process, valkey
from runtime.embedded.account import Account, account_for, admit
from runtime.embedded.home import Home
from runtime.settings.load import settings_embedded
from runtime.settings.model import Settings

_LOOK_S = 0.1
# A process that keeps ending while it starts will not start.
_RESTARTS_MAX = 5
_STOP_TIMEOUT_S = 15.0
# What runs beside the rest leaves it the processors.
_TASK_NICE = 10
# An API whose supervisor was killed ends by itself, and holds the port until then.
_LEFT_BEHIND_S = 6.0
_SAME_USER = Account(uid=None, searches=False)


class PortTakenError(Exception):
    """The port is in use."""


@dataclass(slots=True)
class LocalStack:
    """All processes of one data directory.

    say: prints one line of progress for the operator. start_timeout_s: for how long a start may take in all; None: as
    long as something goes on.
    """

    home: Home
    host: str
    port: int
    say: Callable[[str], None]
    start_timeout_s: float | None = None
    children: list[Child] = field(default_factory=list)
    _patience: process.Patience = field(default_factory=process.Patience)
    _lock: int = -1
    _stopping: bool = False

    @staticmethod
    def open(
        directory: Path, *, host: str, port: int, say: Callable[[str], None], start_timeout_s: float | None = None
    ) -> LocalStack:
        """Take a data directory, made where it is missing, for this process alone.

        Raises HomeError where it cannot be used or is in use, PortTakenError where the port is.
        """
        _port_wait(host, port, patience_s=_LEFT_BEHIND_S if directory.exists() else 0.0)
        home = Home.open(directory, ports=(postgres.free_port(), postgres.free_port()))
        stack = LocalStack(home, host, port, say, start_timeout_s)
        stack._lock = home.lock()
        return stack

    def servers_start(self) -> Settings:
        """Start PostgreSQL and Valkey, migrate, and return the settings that lead to them.

        Raises AccountError, ServerError; StartEndedError where it was asked to stop meanwhile.
        """
        account = account_for(self.home.directory / "postgres", postgres.programs(), valkey.program())
        admit(account, self.home.directory)
        database, bus = self._database(account), self._bus(account)
        database.end_orphan()
        bus.end_orphan()
        postgres.prepare(database)
        self._patience = self._patience_begin()
        # Ports are looked at right before they are used: others take what is free meanwhile.
        self.home = self.home.with_ports(postgres=_port_keep(database.port), valkey=bus.port)
        database = self._database(account)
        self._begin(
            Child("PostgreSQL", lambda: postgres.start(database, settings={}, patience=self._patience), postgres.stop)
        )
        self._stopping_check()
        self.home = self.home.with_ports(postgres=database.port, valkey=_port_keep(bus.port))
        bus = self._bus(account)
        self._begin(Child("Valkey", lambda: valkey.start(bus, patience=self._patience), valkey.stop))
        self._stopping_check()
        settings = settings_embedded(self.home, os.environ)
        postgres.database_ensure(database, owner_password=settings.role_passwords["argus_owner"])
        passwords = {role: word for role, word in settings.role_passwords.items() if role != "argus_owner"}
        migrate(settings.database_url("owner"), passwords)
        self._stopping_check()
        return settings

    def process_start(self, name: str, arguments: Sequence[str], *, log: str) -> None:
        """Start a process of Argus itself and keep it running. Its output goes to `logs/{log}.log`."""
        command = [sys.executable, "-m", "argus", *arguments, "--home", str(self.home.directory)]

        def begin() -> subprocess.Popen[bytes]:
            return process.start(
                command,
                account=_SAME_USER,
                log=self.home.logs / f"{log}.log",
                directory=Path.cwd(),
                death_signal=signal.SIGTERM,
                environment=os.environ,
            )

        self._begin(
            Child(name, begin, lambda child: process.stop(child, how=signal.SIGTERM, timeout_s=_STOP_TIMEOUT_S))
        )

    def task_start(self, name: str, module: str, *, log: str) -> None:
        """Start a module beside the rest: one that ends by itself and is not started again."""

        def begin() -> subprocess.Popen[bytes]:
            return process.start(
                ["nice", "-n", str(_TASK_NICE), sys.executable, "-m", module],
                account=_SAME_USER,
                log=self.home.logs / f"{log}.log",
                directory=Path.cwd(),
                death_signal=signal.SIGTERM,
                environment=os.environ,
            )

        self._begin(
            Child(
                name,
                begin,
                lambda child: process.stop(child, how=signal.SIGTERM, timeout_s=_STOP_TIMEOUT_S),
                ended=lambda status: self.say(
                    f"{name}: {'done' if status == 0 else f'failed; see {self.home.logs / log}.log'}"
                ),
            )
        )

    def wait_ready(self) -> None:
        """Wait until the API is ready. From then on whatever ends has time to restart.

        Raises ServerError.
        """
        address = f"http://{_reached(self.host)}:{self.port}/readyz"
        wait = process.Wait(name="the API", log=self.home.logs / "api.log", patience=self._patience)
        while not self._stopping:
            answer, starting = "", self.children
            try:
                with urllib.request.urlopen(address, timeout=10):
                    break
            except urllib.error.HTTPError as refused:
                # It runs, and tells what it lacks: that it is busy meanwhile is no progress.
                with refused:
                    answer, starting = refused.read().decode(errors="replace"), []
            except OSError:
                pass
            self._watch()
            for child in self.children:
                if child.restarts > _RESTARTS_MAX:
                    msg = f"{child.name} ended {child.restarts} times while starting; see {self.home.logs}."
                    raise process.ServerError(msg)
            wait.look([child.process.pid for child in starting if child.process is not None], answer)
            time.sleep(_LOOK_S)
        self._patience = process.Patience(say=self.say, is_over=lambda: self._stopping)
        self.home.address_write(f"http://{_reached(self.host)}:{self.port}/graphql")

    def keep(self) -> None:
        """Keep everything running until asked to stop (SIGINT, SIGTERM)."""
        while not self._stopping:
            self._watch()
            time.sleep(_LOOK_S)

    def stop(self) -> None:
        """Stop everything, the last started first."""
        for child in reversed(self.children):
            child.stop()
        self.children.clear()
        if self._lock >= 0:
            self.home.address_remove()
            os.close(self._lock)
            self._lock = -1

    def signals_take(self) -> None:
        """Let SIGINT and SIGTERM end `keep`, and every wait of the start.

        A second one ends this process at once, and its children with it.
        """

        def ask(_number: int, _frame: FrameType | None) -> None:
            if self._stopping:
                os._exit(130)
            self._stopping = True

        signal.signal(signal.SIGINT, ask)
        signal.signal(signal.SIGTERM, ask)

    @property
    def stopping(self) -> bool:
        """Whether a stop was requested."""
        return self._stopping

    def _stopping_check(self) -> None:
        if self._stopping:
            raise process.StartEndedError("Asked to stop.")

    def _patience_begin(self) -> process.Patience:
        timeout_s = self.start_timeout_s
        return process.Patience(
            deadline_s=None if timeout_s is None else time.monotonic() + timeout_s,
            say=self.say,
            is_over=lambda: self._stopping,
        )

    def _begin(self, child: Child) -> None:
        # Into the list first: what fails half-way is stopped like the rest.
        self.children.append(child)
        child.start()

    def _watch(self) -> None:
        for child in self.children:
            if not self._stopping:
                child.watch(self.say)

    def _database(self, account: Account) -> postgres.PostgresServer:
        directory, log = self.home.directory / "postgres", self.home.logs / "postgres.log"
        return postgres.PostgresServer(directory, log, account, self.home.postgres_port, self.home.postgres_password)

    def _bus(self, account: Account) -> valkey.ValkeyServer:
        directory, log = self.home.directory / "valkey", self.home.logs / "valkey.log"
        return valkey.ValkeyServer(directory, log, account, self.home.valkey_port, self.home.valkey_password)


def _reached(host: str) -> str:
    """Return how to reach, from this machine, what listens on a host's address: as written in a URL."""
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104  (none is bound)
    return f"[{reached}]" if ":" in reached else reached


def port_check(host: str, port: int) -> None:
    """Raise PortTakenError where `host:port` cannot be listened on."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            msg = f"Port {port} on {host} cannot be used ({error.strerror}). Choose another with --port."
            raise PortTakenError(msg) from None


def _port_wait(host: str, port: int, *, patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    while True:
        try:
            port_check(host, port)
        except PortTakenError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(_LOOK_S)
        else:
            return


def _port_keep(port: int) -> int:
    try:
        port_check("127.0.0.1", port)
    except PortTakenError:
        return postgres.free_port()
    return port
