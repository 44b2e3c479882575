"""Failures of a worker process: log them throttled, record failed items, and cool down."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from redis import RedisError

from domain.base.failed_items.model import FailedItem, FailedItemState, FailedQueue
from domain.base.failed_items.operations import item_failed, items_resolved
from domain.base.failed_items.queries import failed_items_open
from domain.base.failed_items.reasons import reason_of
from domain.base.leases import FencedError
from domain.base.transient import is_lacking
from domain.base.transient import is_retryable as is_database_retryable
from domain.definitions.processors.versions import UnknownVersionError
from domain.plant.organizations.queries import organization_exists
from runtime.database import transaction
from workers.process import ProcessState

_log = structlog.get_logger(__name__)

COOLDOWN_FIRST_S: Final = 1.0
COOLDOWN_LAST_S: Final = 300.0


def is_retryable(error: BaseException) -> bool:
    """Return whether an error is worth a retry: database or bus unavailable, or another took the lease.

    So is a database of another release, which lacks a table or a right.
    """
    return isinstance(error, (RedisError, FencedError)) or is_database_retryable(error)


def failure_log(state: ProcessState, event: str, error: BaseException, **about: Any) -> None:
    """Log a failure without its traceback, throttled."""
    failure_log_throttled(state, _log.warning, event, reason_of(error), **about)


def organization_is_known(state: ProcessState, organization_id: int) -> bool:
    """Return whether an organization exists: the bus may remember another database."""
    with transaction(state.engine) as session:
        return organization_exists(session, organization_id=organization_id)


def log_level_of(error: BaseException) -> Callable[..., Any]:
    """Return the log method for an error that ends a job or delays a task: a warning if transient, else an error."""
    log: Callable[..., Any] = _log.warning if is_retryable(error) and not is_lacking(error) else _log.error
    return log


@contextmanager
def job_guarded(state: ProcessState, job: str) -> Iterator[None]:
    """Log the error that ends a recurring job: one throttled line, no traceback."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  (whatever it is, the next job goes on)
        failure_log_throttled(state, log_level_of(error), "job_failed", reason_of(error), job=job)


def failure_log_throttled(state: ProcessState, log: Callable[..., Any], event: str, reason: str, **about: Any) -> None:
    """Log a failure by its reason, throttled by reason and organization."""
    muted = state.throttle.admits(event, about.get("organization"), about.get("queue"), reason)
    if muted is not None:
        log(event, reason=reason, muted=muted, **about)


def failed_item_log(state: ProcessState, failed: FailedItem) -> None:
    """Log a failed item: a warning while it is retried, an error once it is set aside."""
    is_aside = failed.state is FailedItemState.SET_ASIDE
    log, event = (_log.error, "item_set_aside") if is_aside else (_log.warning, "item_failed")
    failure_log_throttled(
        state,
        log,
        event,
        failed.reason,
        organization=failed.organization_id,
        queue=failed.queue.value,
        item=failed.item,
        tries=failed.tries,
    )


@dataclass(slots=True)
class FailedView:
    """A cached view of a queue's unresolved failed items; read again after `refresh_s`."""

    state: ProcessState
    queue: FailedQueue
    refresh_s: float = 0.5
    _open: Mapping[tuple[int | None, str], bool] = field(default_factory=dict)
    _read_at_s: float = float("-inf")

    def open(self, *, is_fresh: bool = False) -> Mapping[tuple[int | None, str], bool]:
        """Return, by organization and item, whether it is paused now. is_fresh: read it now."""
        if is_fresh or time.monotonic() - self._read_at_s > self.refresh_s:
            with transaction(self.state.engine) as session:
                self._open = failed_items_open(session, queue=self.queue)
            self._read_at_s = time.monotonic()
        return self._open

    def fail(
        self, organization_id: int | None, item: str, error: BaseException, *, holds: str | None = None
    ) -> FailedItem:
        """Record that an item failed, in a separate transaction, and log it. holds None: itself alone."""
        with transaction(self.state.engine, organization_id) as session:
            failed = item_failed(
                session,
                organization_id=organization_id,
                queue=self.queue,
                item=item,
                holds=item if holds is None else holds,
                error=error,
                # A worker of the next release will do it.
                is_patient=isinstance(error, UnknownVersionError),
            )
        failed_item_log(self.state, failed)
        self._open = {**self._open, (organization_id, item): True}
        return failed

    def succeed(self, organization_id: int | None, items: Collection[str]) -> None:
        """Resolve items that succeeded, where any of them had failed."""
        done = [item for item in items if (organization_id, item) in self._open]
        if done:
            with transaction(self.state.engine, organization_id) as session:
                items_resolved(session, organization_id=organization_id, queue=self.queue, items=done)
            resolved = {(organization_id, item) for item in done}
            self._open = {key: is_isolated for key, is_isolated in self._open.items() if key not in resolved}


@dataclass(slots=True)
class Cooldowns:
    """Cooldowns by key: exponential while it fails, ended by success."""

    clock: Callable[[], float] = time.monotonic
    _until: dict[Hashable, tuple[float, float]] = field(default_factory=dict)

    def begin(self, *key: Hashable) -> None:
        """Begin a cooldown, longer than the last one."""
        _, pause_s = self._until.get(key, (0.0, COOLDOWN_FIRST_S / 2))
        pause_s = min(pause_s * 2, COOLDOWN_LAST_S)
        self._until[key] = self.clock() + pause_s, pause_s

    def end(self, *key: Hashable) -> None:
        """End the cooldown after a success."""
        self._until.pop(key, None)

    def is_active(self, *key: Hashable) -> bool:
        """Return whether a cooldown is active."""
        return self._until.get(key, (0.0, 0.0))[0] > self.clock()
