"""The check at the end of every test finds what it is meant to find."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from runtime.embedded.home import Home
from runtime.embedded.postgres import DATABASE, SUPERUSER
from testing import clean_run
from testing.clean_run import Provoked, Watch, is_error
from testing.installation import Installation

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("name", "line", "bad"),
    [
        ("worker.log", "2026-11-30T02:16:23.907286Z [error    ] job_failed  reason=x [workers.failures]", True),
        ("worker.log", '{"event": "job_failed", "level": "error"}', True),
        ("worker.log", "2026-11-30T02:16:23.9Z [error    ] job_expired  [workers.expiry] job=replay-1", True),
        ("worker.log", "2026-11-30T02:16:23.9Z [error    ] job_expired  [workers.expiry] job=sweep-1", False),
        ("worker.log", '{"event": "partition_waits", "level": "warning"}', False),
        ("api.log", "Traceback (most recent call last):", True),
        ("api.log", "2026-11-30T02:16:23.907286Z [warning  ] feed_interrupted  error='FATAL: x'", False),
        ("api.log", "2026-11-30T02:16:23.907286Z [info     ] Started server process [1]  [uvicorn.error]", False),
        ("postgres.log", '2026-11-30 02:15:32.686 UTC [3177] ERROR:  relation "x" does not exist', True),
        ("postgres.log", "2026-11-30 02:15:32.686 UTC [3177] FATAL:  the database system is starting up", False),
        (
            "postgres.log",
            "2026-11-30 08:34:52.056 UTC [16814] FATAL:  terminating autovacuum process due to administrator command",
            False,
        ),
        (
            "postgres.log",
            "2026-11-30 08:34:52.056 UTC [16814] FATAL:  terminating connection due to administrator command",
            False,
        ),
        (
            "postgres.log",
            '2026-11-30 08:34:52.056 UTC [16814] FATAL:  terminating background worker "parallel worker" due to administrator command',
            False,
        ),
        ("postgres.log", "2026-11-30 02:15:32.686 UTC [3167] LOG:  database system is ready", False),
        ("valkey.log", "3185:M 30 Nov 2026 02:15:32.884 # Bad file format reading the append only file", True),
        ("valkey.log", "3185:M 30 Nov 2026 02:15:32.884 * Ready to accept connections tcp", False),
        ("supervisor", "The workers ended with status -11; starting it again in 0.25 s", True),
        ("supervisor", "Waiting for the API (11 s): it says nothing", False),
    ],
)
def test_a_line_is_an_error_or_none(name: str, line: str, bad: bool) -> None:
    assert is_error(name, line) is bad


@contextmanager
def row(installation: Installation, insert: str, delete: str) -> Iterator[None]:
    """A row in the database of an instance, for a while."""
    home = Home.read(installation.home)
    dsn = (
        f"host=127.0.0.1 port={home.postgres_port} user={SUPERUSER} password={home.postgres_password} dbname={DATABASE}"
    )
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(insert.encode())
        try:
            yield
        finally:
            connection.execute(delete.encode())


def test_an_error_in_a_log_is_found_once_unless_it_was_provoked(installation: Installation) -> None:
    watch = Watch(installation)
    watch.skip()
    log = installation.home / "logs" / "worker.log"
    for provoked, finds in ((Provoked(), True), (Provoked(lines=(r"worker\.log: .*as asked",)), False)):
        with log.open("a") as written:
            written.write("2026-11-30T02:16:23.907286Z [error    ] as asked\n")
        if finds:
            with pytest.raises(AssertionError, match="as asked"):
                watch.check(provoked)
        watch.check(provoked)
    # So that this test itself ends clean.
    next(watch for watch in clean_run.watches() if watch.installation is installation).skip()


def test_a_secret_in_a_log_is_found_once_and_not_shown(installation: Installation) -> None:
    watch = Watch(installation)
    watch.skip()
    token = f"argus_dev_{'x' * 40}"
    for secret, name in ((Home.read(installation.home).postgres_password, "postgres_password"), (token, "token")):
        with (installation.home / "logs" / "worker.log").open("a") as written:
            written.write(f"2026-11-30T02:16:23.907286Z [info     ] connected with {secret}\n")
        with pytest.raises(AssertionError, match=rf"worker\.log: {name}") as raised:
            watch.check(Provoked())
        assert secret not in str(raised.value)
        watch.check(Provoked())
    next(watch for watch in clean_run.watches() if watch.installation is installation).skip()


def test_pending_work_is_found_unless_allowed(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clean_run, "DRAIN_S", 0.5)
    installation.organization("Waits")
    watch = Watch(installation)
    watch.skip()
    insert = """INSERT INTO failed_items (organization_id, id, queue, item, holds, reason, tries, first_failed_at,
        last_failed_at, due_at) SELECT id, gen_random_uuid(), 'events', 'quiet', 'quiet', 'on request', 1, now(), now(), NULL
        FROM organizations WHERE name = 'Waits'"""
    with row(installation, insert, "DELETE FROM failed_items WHERE item = 'quiet'"):
        assert watch.waiting() == {"failed items": 1}
        with pytest.raises(AssertionError, match="failed items"):
            watch.check(Provoked())
        watch.check(Provoked(may_wait=("failed items",)))
    watch.check(Provoked())


def test_counted_failures_are_found_unless_provoked(installation: Installation) -> None:
    watch = Watch(installation)
    watch.skip()
    raise_by = "UPDATE stage_leases SET errors = errors {} 1 WHERE stage = 'derive' AND partition = 0"
    with row(installation, raise_by.format("+"), raise_by.format("-")):
        with pytest.raises(AssertionError, match="errors of stages"):
            watch.check(Provoked())
        # Each is reported once.
        watch.check(Provoked())
    watch.skip()
    with row(installation, raise_by.format("+"), raise_by.format("-")):
        watch.check(Provoked(is_counted=True))
