"""A check at the end of each test: no instance logged an error or a secret, and none has work left to do.

`pytest_runtest_call` and `pytest_runtest_teardown` make a check of it the end of every test below a conftest that
imports them, for all instances that this process has started. A test that provokes errors says which:
`@pytest.mark.provokes("pattern of a line", ..., may_wait=("windows",), is_counted=True)`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

from runtime.embedded.home import Home, HomeError
from runtime.embedded.postgres import DATABASE, SUPERUSER
from testing.installation import STARTED, Installation
from testing.waits import Deadline

DRAIN_S: Final = 90.0
# Work that waits, by name: what counts it, where it came before %(before)s. What waits for an instant of its own, such
# as the end of a shelf, is left out.
WAITING: Final = {
    "batches": "raw_batches WHERE normalized_at IS NULL AND received_at < %(before)s",
    "windows": "dirty_windows WHERE created_at < %(before)s",
    "buckets": "dirty_buckets WHERE created_at < %(before)s",
    "changes": "event_changes WHERE processed_at IS NULL AND coalesce(due_at, '-infinity') <= now()"
    " AND recorded_at < %(before)s",
    "suppression": "suppression_invalidations",
    "notifications": "notifications WHERE state = 'PENDING' AND created_at < %(before)s",
    "replays": "replays WHERE state IN ('QUEUED', 'RUNNING')",
    "failed items": "failed_items WHERE resolved_at IS NULL",
}
_WAITING_SQL: Final = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM {of}" for name, of in WAITING.items())  # noqa: S608
# What went wrong and was counted, though it may have been mended since.
_COUNTED_SQL: Final = """SELECT 'errors of stages', coalesce(sum(errors), 0)::bigint FROM stage_leases
    UNION ALL
    SELECT 'differences from a recomputation', coalesce(sum(differences), 0)::bigint FROM convergence_checks"""

# By the name of the log: what is an error in it.
_PYTHON: Final = re.compile(
    r"^\S+ \[(error|critical)\s*\]|Traceback \(most recent call last\)|Fatal Python error|^Exception (ignored )?in"
)
_OF_LOG: Final = {
    "postgres.log": re.compile(r"^\S+ \S+ \S+ \[\d+\] .*\b(ERROR|FATAL|PANIC):"),
    "valkey.log": re.compile(r"^\d+:[A-Z] .* # "),
}
_OF_SUPERVISOR: Final = re.compile(r"ended with status|could not be (started|read)|could not read its data")
# A client that ends while it is connected; a server that starts, or is told to stop and ends what works in it; what
# Valkey says of its machine.
_HARMLESS: Final = re.compile(
    r"terminating (connection|[a-z ]*(process|worker|launcher)( \"[^\"]*\")?) due to administrator command"
    r"|FATAL:  connection to client lost"
    r"|the database system is (starting up|shutting down|not yet accepting connections|in recovery mode)"
    r"|# WARNING Memory overcommit|# User requested shutdown|# Valkey is now ready to exit"
)

# On a machine that is too slow just now, jobs that recur are late and the next ones do their work: how soon they did it
# is no matter of a test, and that it was done is looked at.
_TOO_SLOW: Final = re.compile(r"\bjob_expired\b.*\b(partition|sweep|retention|hourly|buckets|check)-")

# A device token, or a JSON Web Token.
_TOKEN: Final = re.compile(rb"argus_dev_[A-Za-z0-9_-]{8,}|\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{8,}")

# What a test provokes that kills: for `provokes`.
KILLED_PART: Final = r"ended with status -9; starting it again"
# A backend looks after its postmaster; which of them notices first that it is gone is chance.
KILLED_DATABASE: Final = r"postgres\.log: .*terminating connection due to unexpected postmaster exit"
# Its log of what it holds may end in the middle of a write.
KILLED_BUS: Final = r"valkey\.log: .* # (!!! |AOF loaded anyway)"


@dataclass(frozen=True, slots=True)
class Provoked:
    """What a test provokes: patterns of lines, names of WAITING that it leaves, whether errors are counted."""

    lines: tuple[str, ...] = ()
    may_wait: tuple[str, ...] = ()
    is_counted: bool = False

    @classmethod
    def of(cls, item: pytest.Item) -> Provoked:
        """Return what the markers of a test and of its module allow."""
        marks = list(item.iter_markers("provokes"))
        return cls(
            lines=tuple(line for mark in marks for line in mark.args),
            may_wait=tuple(name for mark in marks for name in mark.kwargs.get("may_wait", ())),
            is_counted=any(mark.kwargs.get("is_counted", False) for mark in marks),
        )


@dataclass(slots=True)
class Watch:
    """What an instance has logged and counted since the last look."""

    installation: Installation
    _offsets: dict[Path, int] = field(default_factory=dict)
    _counted: dict[str, int] = field(default_factory=dict)
    _leaks: set[str] = field(default_factory=set)

    def check(self, provoked: Provoked) -> None:
        """Wait until no work is pending, then assert that nothing went wrong. A stopped instance has its logs alone."""
        grown: dict[str, int] = {}
        if self.installation.process is not None:
            assert self.installation.process.poll() is None, f"{self.installation.home}: argus up has ended by itself"
            self._drain(provoked.may_wait)
            grown = self._grown()
        lines = [line for line in self.lines() if not any(re.search(pattern, line) for pattern in provoked.lines)]
        assert lines == [], "\n".join(lines[:20])
        leaks, self._leaks = sorted(self._leaks), set()
        assert leaks == [], f"{self.installation.home}: a log holds secrets: {leaks}"
        assert provoked.is_counted or grown == {}, f"This was counted: {grown}"

    def skip(self) -> None:
        """Skip what an already failed test left behind: it does not count for the next one."""
        for _ in self.lines():
            pass
        self._leaks.clear()
        if self.installation.process is not None and self.installation.process.poll() is None:
            try:
                self._grown()
            except psycopg.Error:
                return

    def lines(self) -> Iterator[str]:
        """Yield the lines of errors since the last look, with the name of their log."""
        for path in self._logs():
            with path.open("rb") as log:
                log.seek(self._offsets.get(path, 0))
                written = log.read()
            self._offsets[path] = self._offsets.get(path, 0) + len(written)
            name = "supervisor" if path.parent == self.installation.home.parent else path.name
            self._leaks.update(f"{name}: {secret}" for secret in self._secrets(name, written))
            for line in written.decode(errors="replace").splitlines():
                if is_error(name, line):
                    yield f"{name}: {line[:1000]}"

    def _secrets(self, name: str, written: bytes) -> Iterator[str]:
        """Yield the names of secrets of an installation and its callers that occur in a log."""
        try:
            home = Home.read(self.installation.home)
        except HomeError:
            # A test that damages it.
            home = None
        for name_of_secret in ("postgres_password", "valkey_password", "secret", "jwt_secret") if home else ():
            if getattr(home, name_of_secret).encode() in written:
                yield name_of_secret
        # `argus up` itself prints the token to begin with.
        if name != "supervisor" and _TOKEN.search(written):
            yield "token"

    def waiting(self, *, before: object = "infinity") -> Mapping[str, int]:
        """Return what waits, by name, of what came before an instant."""
        return {name: count for name, count in self._read(_WAITING_SQL, {"before": before}).items() if count}

    def _drain(self, may_wait: Sequence[str]) -> None:
        deadline = Deadline(DRAIN_S)
        before: object = "infinity"
        if self.installation.has_traffic:
            # Something always waits there: what is there now has to be done.
            [before] = self._read("SELECT clock_timestamp(), 0", {})
        while waits := self._waiting_now(before, may_wait):
            deadline.pause(f"{self.installation.home}: this still waits: {waits}")

    def _waiting_now(self, before: object, may_wait: Sequence[str]) -> Mapping[str, object]:
        """Return what waits and may not; a database that comes back only now is waited for too."""
        try:
            waits = self.waiting(before=before)
        except psycopg.OperationalError as error:
            return {"database": error}
        return {name: count for name, count in waits.items() if name not in may_wait}

    def _grown(self) -> dict[str, int]:
        before, self._counted = self._counted, self._read(_COUNTED_SQL, {})
        return {
            name: count - before.get(name, 0) for name, count in self._counted.items() if count > before.get(name, 0)
        }

    def _read(self, sql: str, parameters: Mapping[str, object]) -> dict[Any, int]:
        home = Home.read(self.installation.home)
        dsn = (
            f"host=127.0.0.1 port={home.postgres_port} user={SUPERUSER} password={home.postgres_password}"
            f" dbname={DATABASE}"
        )
        with psycopg.connect(dsn) as connection:
            return dict(connection.execute(sql.encode(), parameters).fetchall())

    def _logs(self) -> list[Path]:
        own = self.installation.home.parent / f"{self.installation.home.name}.log"
        return sorted([*(self.installation.home / "logs").glob("*.log"), *([own] if own.exists() else [])])


def is_error(name: str, line: str) -> bool:
    """Return whether a line of a log, by its name or `supervisor`, says that something went wrong."""
    if _HARMLESS.search(line) or _TOO_SLOW.search(line):
        return False
    if line.startswith("{"):
        try:
            return json.loads(line).get("level") in {"error", "critical"}
        except ValueError:
            return True
    if name == "supervisor" and _OF_SUPERVISOR.search(line):
        return True
    return _OF_LOG.get(name, _PYTHON).search(line) is not None


_watches: Final[dict[Path, Watch]] = {}


def watches() -> Iterator[Watch]:
    """Yield the watch of each instance that was started, from its start on."""
    for home, installation in STARTED.items():
        yield _watches.setdefault(home, Watch(installation))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """After a test, before what it used is taken down: nothing went wrong in any instance, nothing is left to do."""
    try:
        done = yield
    except BaseException:
        for watch in watches():
            watch.skip()
        raise
    for watch in watches():
        watch.check(Provoked.of(item))
    return done


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """After all of a test: no instance that was stopped by then logged an error on its way."""
    done = yield
    for watch in [watch for watch in watches() if watch.installation.process is None]:
        watch.check(Provoked.of(item))
        del STARTED[watch.installation.home], _watches[watch.installation.home]
    return done
