"""The watchdog frees threads that wait for a frozen database, and the database is used again once it answers."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from runtime.database import engine_create, transaction
from runtime.embedded import postgres
from runtime.watchdog import DISK_FULL, SILENT, DatabaseWatchdog
from testing.processes import frozen
from testing.servers import FAST, TestDatabase, TestServers, servers_open
from testing.waits import patient

pytestmark = pytest.mark.slow


@pytest.fixture
def own_servers() -> Iterator[TestServers]:
    """Servers that the test may freeze."""
    with servers_open("argus-watchdog-") as started:
        yield started


def test_a_frozen_database_is_noticed_and_its_callers_are_freed(own_servers: TestServers) -> None:
    database = own_servers.database_create()
    engine = engine_create(database.url("api"), pool_size=2)
    watchdog = DatabaseWatchdog(database.url("api"), engines=[engine], every_s=0.2, answer_within_s=1.0)
    watchdog.start()
    try:
        assert watchdog.ask() is None
        # A slow statement is not a silent database.
        with transaction(engine) as session:
            assert session.execute(text("SELECT pg_sleep(2.5) IS NOT NULL")).scalar_one() is True
        assert not watchdog.is_silent
        waiting = threading.Event()

        def call() -> None:
            with transaction(engine) as session:
                session.execute(text("SELECT 1"))
                waiting.set()
                is_frozen.wait()
                session.execute(text("SELECT 2"))

        is_frozen = threading.Event()
        with ThreadPoolExecutor(1) as threads:
            called = threads.submit(call)
            waiting.wait()
            with frozen(own_servers.database_process.pid):
                is_frozen.set()
                # Without the watchdog this waits for as long as the server is frozen.
                with pytest.raises(OperationalError):
                    called.result(timeout=patient(60))
                assert watchdog.is_silent
                assert watchdog.ask() == SILENT
        while watchdog.ask() is not None:
            pass
        with transaction(engine) as session:
            assert session.execute(text("SELECT 3")).scalar_one() == 3
    finally:
        watchdog.stop()
        engine.dispose()


def test_a_server_that_refuses_is_not_silent(own_servers: TestServers) -> None:
    database = own_servers.database_create()
    watchdog = DatabaseWatchdog(database.url("api"), engines=[], every_s=0.2, answer_within_s=1.0)
    watchdog.start()
    try:
        assert watchdog.ask() is None
        own_servers.database_process.send_signal(signal.SIGKILL)
        own_servers.database_process.wait()
        # A backend may answer once more before it notices that its postmaster is gone.
        while (reason := watchdog.ask()) is None:
            pass
        assert "refuse" in reason
        assert not watchdog.is_silent
        own_servers.database_process = postgres.start(own_servers.database_server, settings=FAST)
        assert watchdog.ask() is None
    finally:
        watchdog.stop()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (psycopg.OperationalError("FATAL:  could not write init file: No space left on device"), DISK_FULL),
        (OSError(24, "Too many open files"), "cannot be asked"),
    ],
)
def test_failures_of_the_probe_are_reported_and_end_nothing(
    database: TestDatabase, monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise error

    watchdog = DatabaseWatchdog(database.url("api"), engines=[], every_s=0.2, answer_within_s=5.0)
    with monkeypatch.context() as patched:
        patched.setattr(psycopg, "connect", refused)
        watchdog.start()
        assert reason in (watchdog.ask() or "")
    try:
        assert watchdog.ask() is None
    finally:
        watchdog.stop()
