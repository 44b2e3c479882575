"""Group commit: calls that come at the same time share one transaction; each is answered after its commit."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from domain.base.errors import RateLimitedError
from domain.base.packed import micros_of
from domain.base.transient import is_disk_full, is_transient, transient_reason
from domain.plant.organizations.model import OrganizationSuspendedError
from domain.telemetry.model.readings import AcceptedReadings, RawBatch
from domain.telemetry.store.raw_log import PARTITION_AHEAD, ReadingGroup, raw_append, raw_partition_ensure
from graph.errors import UnavailableError

_log = logging.getLogger(__name__)

# What one transaction takes at most, and what may wait for the next ones.
GROUP_READINGS_MAX = 5_000
WAITING_READINGS_MAX = 50_000
WAITING_BYTES_MAX = 128 * 1024 * 1024
RETRY_AFTER_S = 1.0
# That there was no room on the disk is taken to hold for so long: nobody may try while this process is not ready.
DISK_FULL_FOR = timedelta(seconds=30)
# While a group was shared, the next one waits so long for company.
LINGER_S = 0.002
# The SQLSTATE of readings of an organization that is suspended or gone (migrations/functions/organizations.sql).
ORGANIZATION_SUSPENDED: Final = "AR001"
_NEVER: Final = (datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class _Call:
    groups: Sequence[ReadingGroup]
    readings: int
    bytes: int
    done: Future[None] = field(default_factory=Future)


class GroupCommitter:
    """One thread that appends what callers hand in. One per process; any thread may submit.

    transaction: opens a transaction of the ingest role, committed when its block ends. publish: takes
    committed batches and never waits. now: the time, in UTC.
    """

    def __init__(
        self,
        *,
        transaction: Callable[[], AbstractContextManager[Session]],
        publish: Callable[[Sequence[RawBatch]], None],
        now: Callable[[], datetime],
    ) -> None:
        self._transaction = transaction
        self._publish = publish
        self._now = now
        self._condition = threading.Condition()
        self._calls: deque[_Call] = deque()
        self._readings = 0
        self._bytes = 0
        self._is_stopping = False
        self._disk_full_at: datetime | None = None
        # The raw log has its partitions from the one instant to the other.
        self._ensured = _NEVER
        self._thread = threading.Thread(target=self._run, name="group-commit", daemon=True)

    @property
    def is_disk_full(self) -> bool:
        """Whether the last readings could not be written for want of room on the database's disk, a moment ago."""
        return self._disk_full_at is not None and self._now() - self._disk_full_at < DISK_FULL_FOR

    def start(self) -> None:
        """Begin to commit."""
        self._thread.start()

    def stop(self) -> None:
        """Commit waiting calls, refuse new ones, and end."""
        with self._condition:
            self._is_stopping = True
            self._condition.notify()
        self._thread.join(timeout=30)

    def submit(self, groups: Sequence[ReadingGroup]) -> Future[None]:
        """Hand in one call's readings; the future is done when they are durable.

        The future raises OrganizationSuspendedError for an organization that is suspended or gone, UnavailableError
        where the database is away: nothing of the call was kept, unless the connection broke within the commit itself;
        repeated, its readings are then duplicates.
        Raises RateLimitedError where too much waits, UnavailableError after `stop`.
        """
        size = sum(len(metrics) for group in groups for metrics in group.readings.metrics)
        call = _Call(groups, sum(len(group.readings) for group in groups), size)
        # From now on it cannot be cancelled: the thread will set it.
        call.done.set_running_or_notify_cancel()
        if not call.readings:
            call.done.set_result(None)
            return call.done
        with self._condition:
            if self._is_stopping:
                raise UnavailableError("This server is stopping.")
            if self._readings + call.readings > WAITING_READINGS_MAX or self._bytes + size > WAITING_BYTES_MAX:
                msg = f"Too many readings wait to be written. Try again in {RETRY_AFTER_S:g} s."
                raise RateLimitedError(msg, retry_after_s=RETRY_AFTER_S)
            self._calls.append(call)
            self._readings += call.readings
            self._bytes += size
            self._condition.notify()
        return call.done

    def _run(self) -> None:
        was_shared = False
        while True:
            with self._condition:
                while not self._calls and not self._is_stopping:
                    self._condition.wait()
                if not self._calls:
                    return
            if was_shared:
                time.sleep(LINGER_S)
            calls = self._take()
            was_shared = len(calls) > 1
            self._commit(calls)

    def _take(self) -> list[_Call]:
        taken: list[_Call] = []
        readings = 0
        with self._condition:
            while self._calls and (not taken or readings + self._calls[0].readings <= GROUP_READINGS_MAX):
                call = self._calls.popleft()
                readings += call.readings
                self._readings -= call.readings
                self._bytes -= call.bytes
                taken.append(call)
        return taken

    def _commit(self, calls: Sequence[_Call]) -> None:
        try:
            batches = self._append(groups_merge([group for call in calls for group in call.groups]))
        except Exception as error:  # noqa: BLE001  (every caller gets the error; the thread lives on)
            self._failed(calls, error)
            return
        self._disk_full_at = None
        for call in calls:
            call.done.set_result(None)
        self._publish(batches)

    def _failed(self, calls: Sequence[_Call], error: Exception) -> None:
        # It may be another database by now: its partitions are read again.
        self._ensured = _NEVER
        if is_transient(error):
            what = transient_reason(error)
            if is_disk_full(error):
                self._disk_full_at = self._now()
            _log.warning("%s: %s", what, error)
            refused = UnavailableError(f"{what}. Nothing was kept; try again.")
            for call in calls:
                call.done.set_exception(refused)
        elif len(calls) > 1:
            # One call cannot be written: the others shall not suffer for it.
            for call in calls:
                self._commit([call])
        else:
            calls[0].done.set_exception(OrganizationSuspendedError() if _is_suspended(error) else error)

    def _append(self, groups: Sequence[ReadingGroup]) -> list[RawBatch]:
        now = self._now()
        if not self._ensured[0] <= now < self._ensured[1]:
            # In a separate transaction: whoever makes the same ones waits for no readings to be written.
            with self._transaction() as session:
                raw_partition_ensure(session, at=now)
            self._ensured = (now, now + PARTITION_AHEAD)
        with self._transaction() as session:
            return raw_append(session, groups=groups, received_us=micros_of(now))


def _is_suspended(error: Exception) -> bool:
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == ORGANIZATION_SUSPENDED


def groups_merge(groups: Sequence[ReadingGroup]) -> list[ReadingGroup]:
    """Put together what shares organization, partition and transport; the order of readings within stays."""
    merged: dict[tuple[int, int, str], ReadingGroup] = {}
    traces: dict[tuple[int, int, str], dict[str, None]] = {}
    for group in groups:
        key = (group.organization_id, group.partition, group.transport)
        if key not in merged:
            merged[key] = ReadingGroup(*key, AcceptedReadings.empty())
            traces[key] = {}
        merged[key].readings.extend(group.readings)
        traces[key].update(dict.fromkeys(group.traces))
    return [replace(group, traces=tuple(traces[key])) for key, group in merged.items()]
