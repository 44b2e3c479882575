"""Retention: drop what is no longer kept. A job every hour; what is in use is dropped an hour later.

It takes nothing but the state of the world, and may run twice at once. A job is short, for it keeps a worker from the
stages: what is left is the next job's.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime

import structlog

from domain.base.failed_items.model import FailedQueue
from domain.telemetry.store.retention import (
    RAW_TABLES,
    ROWS_TABLES,
    OldPartition,
    RetentionPolicy,
    history_close,
    partition_drop,
    partitions_outdated,
    rows_forget,
    rows_retained_from,
)
from runtime.database import transaction
from workers.failures import FailedView, failure_log, is_retryable, job_guarded
from workers.jobs import RETENTION, RETENTION_ROWS, job_enqueue
from workers.process import ProcessState, state_get

_log = structlog.get_logger(__name__)

RUN_S = 2.0
# So many jobs drop partitions within an hour; what is still in use then waits for the next.
PARTS_MAX = 50
# Between pages and after a lock, so that others get their turn.
_PAUSE_S = 0.05


def retain(tick: int, part: int) -> None:
    """Drop partitions that are no longer kept. An RQ job.

    tick: the hour it is for. part: which job of that hour it is.
    """
    state = state_get()
    with job_guarded(state, "retention"):
        _retain(state, tick, part)


def _retain(state: ProcessState, tick: int, part: int) -> None:
    retention = _policy(state)
    now = datetime.now(UTC)
    deadline_s = time.monotonic() + RUN_S
    with transaction(state.engine) as session:
        outdated = partitions_outdated(session, retention=retention, now=now)
    failed = FailedView(state, FailedQueue.RETENTION)
    dropped: set[str] = set()
    is_left = False
    for partition in outdated:
        if partition.name in dropped or failed.open().get((None, partition.name), False):
            continue
        if partition.is_unfinished:
            _log.warning("partition_unfinished", partition=partition.name)
            continue
        if state.stopping.is_set() or time.monotonic() > deadline_s:
            is_left = True
            break
        names = _drop(state, failed, partition)
        if names is None:
            continue
        dropped.update(names)
        if partition.name in names:
            _log.info("partition_dropped", partition=partition.name, bytes=partition.bytes)
        else:
            # In use. Those who waited behind the lock go first, before it is tried again.
            is_left = True
            state.stopping.wait(_PAUSE_S)
    if not is_left:
        with transaction(state.engine) as session:
            is_left = not history_close(session, retention=retention, now=now)
    if is_left and part < PARTS_MAX:
        job_enqueue(state, RETENTION, tick, part + 1, arguments=(tick, part + 1))
        return
    # It reads the whole tables: once a day is enough, when a day of the raw log has gone.
    if tick % 24 == 0 or any(item.name in dropped and item.table in RAW_TABLES for item in outdated):
        job_enqueue(state, RETENTION_ROWS, tick, part + 1, arguments=(tick, part + 1, ROWS_TABLES[0], 0))


def forget(tick: int, part: int, table: str, first_page: int) -> None:
    """Delete rows that are no longer kept, from a page of a table on. An RQ job."""
    state = state_get()
    failed = FailedView(state, FailedQueue.RETENTION)
    try:
        if not failed.open().get((None, table), False):
            if not _forget(state, tick, part, table, first_page):
                return
            failed.succeed(None, [table])
    except Exception as error:  # noqa: BLE001  (whatever it is, the other tables go on)
        if is_retryable(error):
            failure_log(state, "rows_not_forgotten", error, table=table)
            return
        failed.fail(None, table, error)
    following = ROWS_TABLES[ROWS_TABLES.index(table) + 1 :]
    if following:
        job_enqueue(state, RETENTION_ROWS, tick, part + 1, arguments=(tick, part + 1, following[0], 0))


def _forget(state: ProcessState, tick: int, part: int, table: str, first_page: int) -> bool:
    """Delete rows of a table; return False where another job goes on with it."""
    deadline_s = time.monotonic() + RUN_S
    page: int | None = first_page
    deleted = 0
    with transaction(state.engine) as session:
        before = rows_retained_from(session, table=table, retention=_policy(state), now=datetime.now(UTC))
    if before is None:
        page = None
    while page is not None and before is not None:
        if state.stopping.is_set() or time.monotonic() > deadline_s:
            job_enqueue(state, RETENTION_ROWS, tick, part + 1, arguments=(tick, part + 1, table, page))
            break
        with transaction(state.engine) as session:
            count, page = rows_forget(session, table=table, before=before, first_page=page)
        deleted += count
        if page is not None:
            state.stopping.wait(_PAUSE_S)
    if deleted:
        _log.info("rows_forgotten", table=table, rows=deleted)
    return page is None


def _drop(state: ProcessState, failed: FailedView, partition: OldPartition) -> Sequence[str] | None:
    """Drop a partition; return the names of those that went. None: it failed, and the others go on."""
    try:
        with transaction(state.engine) as session:
            names = partition_drop(session, partition)
    except Exception as error:
        if is_retryable(error):
            raise
        failed.fail(None, partition.name, error)
        return None
    failed.succeed(None, [partition.name, *names])
    return names


def _policy(state: ProcessState) -> RetentionPolicy:
    context = state.context
    return RetentionPolicy(
        context.retention_raw,
        context.retention_points,
        context.retention_changes,
        context.retention_notifications,
        context.retention_history,
    )
