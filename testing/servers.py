"""PostgreSQL and Valkey for tests: real ones, in a temporary directory, on free ports of the loopback."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from migrations.run import ROLES, migrate
from runtime.embedded import postgres, valkey
from runtime.embedded.account import account_for, admit
from runtime.large_objects import large_objects_close
from testing.planner import NONE, planner_set

PASSWORD = "tests-only"
TEMPLATE = "argus_template"

# Tests lose nothing that matters when the machine does; the servers of `argus up` never run like this.
FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    # Whoever connects proves a password that is no secret.
    "scram_iterations": "1",
}
# A file system in memory that any account may enter, and how much of it has to be free.
MEMORY = Path("/dev/shm")  # noqa: S108
MEMORY_FREE_MIN_BYTES = 2 << 30


@dataclass(slots=True)
class TestDatabase:
    """One database, cloned from the migrated template: empty, and the test's own."""

    __test__ = False

    server: postgres.PostgresServer
    name: str

    def url(self, role: str) -> str:
        """Return the SQLAlchemy address for owner, api, ingest or pipeline."""
        return f"postgresql+psycopg://argus_{role}:{PASSWORD}@127.0.0.1:{self.server.port}/{self.name}"


@dataclass(slots=True)
class TestServers:
    """The servers of one test process."""

    __test__ = False

    directory: Path
    database_server: postgres.PostgresServer
    bus_server: valkey.ValkeyServer
    database_process: subprocess.Popen[bytes]
    bus_process: subprocess.Popen[bytes]
    planner: str = NONE
    numbers: itertools.count[int] = field(default_factory=itertools.count)
    # Connecting costs as much as a statement that creates a database.
    _connection: psycopg.Connection | None = None

    def database_create(self, template: str = TEMPLATE, *, planner: str | None = None) -> TestDatabase:
        """Clone a database from a template. planner: a mode of `testing/planner.py`, else that of all."""
        name = f"argus_test_{next(self.numbers)}"
        self._admin(f'CREATE DATABASE "{name}" OWNER {postgres.OWNER} TEMPLATE "{template}" STRATEGY file_copy')
        planner_set(self.database_server.dsn(), name, self.planner if planner is None else planner)
        return TestDatabase(self.database_server, name)

    def database_drop(self, database: TestDatabase) -> None:
        """Drop a database, ending whoever is still connected."""
        self._admin(f'DROP DATABASE IF EXISTS "{database.name}" WITH (FORCE)')

    def _admin(self, statement: str) -> None:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(self.database_server.dsn(), autocommit=True)
        self._connection.execute(statement)

    def disconnect(self) -> None:
        """Close the connection that creates databases, if there is one."""
        if self._connection is not None:
            self._connection.close()

    def stop(self) -> None:
        """Stop both servers."""
        self.disconnect()
        valkey.stop(self.bus_process)
        postgres.stop(self.database_process)


@contextmanager
def servers_open(prefix: str, *, in_memory: bool = False) -> Iterator[TestServers]:
    """Run both servers in a temporary directory, which goes with them.

    in_memory: on a file system in memory, where the machine has room for it. Nothing a test asserts depends on the
    disk, and a database is cloned in a third of the time.
    """
    # Not below pytest's own temporary directory: its parents are closed to other accounts.
    directory = directory_make(prefix, in_memory=in_memory)
    try:
        started = servers_start(directory)
        try:
            yield started
        finally:
            started.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def directory_make(prefix: str, *, in_memory: bool) -> Path:
    """Make a temporary directory. in_memory: see `servers_open`; what killed test processes left there is removed."""
    if not in_memory or not os.access(MEMORY, os.W_OK | os.X_OK):
        return Path(tempfile.mkdtemp(prefix=prefix))
    for stale in MEMORY.glob("argus-memory-*-*"):
        if not Path(f"/proc/{stale.name.split('-')[2]}").exists():
            shutil.rmtree(stale, ignore_errors=True)
    if shutil.disk_usage(MEMORY).free < MEMORY_FREE_MIN_BYTES:
        return Path(tempfile.mkdtemp(prefix=prefix))
    return Path(tempfile.mkdtemp(prefix=f"argus-memory-{os.getpid()}-", dir=MEMORY))


def servers_start(directory: Path) -> TestServers:
    """Start both servers below `directory` and make the template."""
    account = account_for(directory / "postgres", postgres.programs(), valkey.program())
    admit(account, directory)
    database_server = postgres.PostgresServer(
        directory / "postgres", directory / "postgres.log", account, postgres.free_port(), PASSWORD
    )
    postgres.prepare(database_server)
    bus_server = valkey.ValkeyServer(
        directory / "valkey", directory / "valkey.log", account, postgres.free_port(), PASSWORD
    )
    with ExitStack() as undo:
        database_process = postgres.start(database_server, settings=FAST)
        undo.callback(postgres.stop, database_process)
        bus_process = valkey.start(bus_server)
        undo.callback(valkey.stop, bus_process)
        servers = TestServers(directory, database_server, bus_server, database_process, bus_process)
        undo.callback(servers.disconnect)
        _template_make(servers)
        undo.pop_all()
    return servers


def _template_make(servers: TestServers) -> None:
    database_server = servers.database_server
    postgres.database_ensure(database_server, owner_password=PASSWORD)
    template = TestDatabase(database_server, TEMPLATE)
    servers._admin(f'CREATE DATABASE "{TEMPLATE}" OWNER {postgres.OWNER} TEMPLATE template0')
    with psycopg.connect(database_server.dsn(database=TEMPLATE), autocommit=True) as connection:
        large_objects_close(connection)
    left = migrate(template.url("owner"), dict.fromkeys(ROLES, PASSWORD)).left
    if left:
        raise RuntimeError(f"the template is not migrated: {left} left")
