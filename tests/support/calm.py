"""Whether an instance did what it did without an error, and has nothing left to do."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psycopg

from runtime.embedded.home import Home
from runtime.embedded.postgres import DATABASE, SUPERUSER
from tests.support.plant import Plant

SETTLE_S: Final = 90.0
# What waits, by name: what counts it. What waits for a time of its own, such as the end of a shelf, is left out.
WAITING: Final = {
    "batches": "SELECT count(*) FROM raw_batches WHERE normalized_at IS NULL",
    "windows": "SELECT count(*) FROM dirty_windows",
    "buckets": "SELECT count(*) FROM dirty_buckets",
    "changes": "SELECT count(*) FROM event_changes WHERE acted_at IS NULL AND coalesce(due_at, '-infinity') <= now()",
    "suppression": "SELECT count(*) FROM quiet_dirt",
    "notifications": "SELECT count(*) FROM notifications WHERE state = 'PENDING'",
    "failed items": "SELECT count(*) FROM failed_items WHERE resolved_at IS NULL",
}
_ERRORS: Final = "SELECT coalesce(sum(errors), 0) FROM stage_leases"
_LEVELS: Final = re.compile(
    r"\[(error|critical)\s*\]|^\S+ \S+ .*\b(ERROR|FATAL|PANIC):|Traceback \(most recent call last\)"
)
# A client that ends while it is connected, a server that is told to stop, and jobs that a busy machine ran too late.
_HARMLESS: Final = re.compile(
    r"terminating connection due to administrator command|the database system is (starting up|shutting down)|job_expired"
)


@dataclass(slots=True)
class Watch:
    """What an instance has logged and counted since the watch began."""

    plant: Plant
    _offsets: dict[Path, int] = field(default_factory=dict)
    _errors: int = 0

    def begin(self) -> None:
        """Count from here on."""
        self._offsets = {path: path.stat().st_size for path in self._logs()}
        self._errors = self._counted() if self.plant.process is not None else 0

    def check(self, *, expected: Sequence[str] = (), may_wait: Sequence[str] = ()) -> None:
        """Wait until nothing waits, then assert that nothing went wrong.

        expected: patterns of lines that the test provokes; with any, errors may be counted too. may_wait: names of
        WAITING that the test leaves. An instance that the test has stopped is asked for its logs alone.
        """
        if self.plant.process is not None and self.plant.process.poll() is None:
            self._settle(may_wait)
            errors = self._counted() - self._errors
            assert expected or errors == 0, f"{errors} errors of stages were counted.\n" + "\n".join(self.lines(()))
        lines = list(self.lines(expected))
        assert lines == [], "\n".join(lines[:20])

    def lines(self, expected: Sequence[str]) -> Iterator[str]:
        """Yield the lines of errors since the watch began, but for those expected."""
        for path in self._logs():
            with path.open("rb") as log:
                log.seek(self._offsets.get(path, 0))
                for line in log.read().decode(errors="replace").splitlines():
                    if _is_error(line) and not any(re.search(pattern, line) for pattern in expected):
                        yield f"{path.name}: {line[:1000]}"

    def _settle(self, may_wait: Sequence[str]) -> None:
        deadline_s = time.monotonic() + SETTLE_S
        while True:
            waiting = {
                name: count for name, sql in WAITING.items() if name not in may_wait and (count := self._count(sql))
            }
            if not waiting:
                return
            assert time.monotonic() < deadline_s, f"This still waits: {waiting}"
            time.sleep(0.2)

    def _counted(self) -> int:
        return self._count(_ERRORS)

    def _count(self, sql: str) -> int:
        home = Home.read(self.plant.home)
        dsn = f"host=127.0.0.1 port={home.postgres_port} user={SUPERUSER} password={home.postgres_password} dbname={DATABASE}"
        with psycopg.connect(dsn) as connection:
            row = connection.execute(sql.encode()).fetchone()
        assert row is not None
        return int(row[0])

    def _logs(self) -> list[Path]:
        own = self.plant.home.parent / f"{self.plant.home.name}.log"
        return sorted([*(self.plant.home / "logs").glob("*.log"), *([own] if own.exists() else [])])


def _is_error(line: str) -> bool:
    if _HARMLESS.search(line):
        return False
    if line.startswith("{"):
        try:
            return json.loads(line).get("level") in {"error", "critical"}
        except ValueError:
            return True
    return _LEVELS.search(line) is not None
