"""What fails in a worker process: told once, written down with its item, and left alone for a while."""

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
from domain.base.transient import is_blameless, is_lacking
from domain.definitions.processors.versions import UnknownVersionError
from domain.plant.organizations.queries import organization_exists
from runtime.database import transaction
from workers.process import ProcessState

_log = structlog.get_logger(__name__)

REST_FIRST_S: Final = 1.0
REST_LAST_S: Final = 300.0


def is_transient(error: BaseException) -> bool:
    """Tell whether an error is no fault of what is worked on: database or bus away, another took the lease.

    So is a database of another release, which lacks a table or a right.
    """
    return isinstance(error, (RedisError, FencedError)) or is_blameless(error)


def failure_log(state: ProcessState, event: str, error: BaseException, **about: Any) -> None:
    """Log a failure without its traceback, the same one with growing pauses."""
    failure_tell(state, _log.warning, event, reason_of(error), **about)


def organization_is_known(state: ProcessState, organization_id: int) -> bool:
    """Tell whether an organization exists: the bus may remember another database."""
    with transaction(state.engine) as session:
        return organization_exists(session, organization_id=organization_id)


def level_of(error: BaseException) -> Callable[..., Any]:
    """Return how to log what ends a job or makes a lane wait: as a warning where it passes by itself."""
    log: Callable[..., Any] = _log.warning if is_transient(error) and not is_lacking(error) else _log.error
    return log


@contextmanager
def job_guarded(state: ProcessState, job: str) -> Iterator[None]:
    """Log what ends a job that is enqueued again anyway: one line, with growing pauses, not a traceback each time."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  (whatever it is, the next job goes on)
        failure_tell(state, level_of(error), "job_failed", reason_of(error), job=job)


def failure_tell(state: ProcessState, log: Callable[..., Any], event: str, reason: str, **about: Any) -> None:
    """Log a failure by its reason, the same one of the same organization with growing pauses."""
    muted = state.throttle.admits(event, about.get("organization"), about.get("queue"), reason)
    if muted is not None:
        log(event, reason=reason, muted=muted, **about)


def failed_item_log(state: ProcessState, failed: FailedItem) -> None:
    """Log an item that has failed: a warning while it is tried again by itself, an error once it is set aside."""
    is_aside = failed.state is FailedItemState.SET_ASIDE
    log, event = (_log.error, "item_set_aside") if is_aside else (_log.warning, "item_failed")
    failure_tell(
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
    """What has failed in a queue and is not done yet, as last read; read again after `refresh_s`."""

    state: ProcessState
    queue: FailedQueue
    refresh_s: float = 0.5
    _open: Mapping[tuple[int | None, str], bool] = field(default_factory=dict)
    _read_at_s: float = float("-inf")

    def open(self, *, is_fresh: bool = False) -> Mapping[tuple[int | None, str], bool]:
        """Return, by organization and item, whether it is left alone now. is_fresh: read it now."""
        if is_fresh or time.monotonic() - self._read_at_s > self.refresh_s:
            with transaction(self.state.engine) as session:
                self._open = failed_items_open(session, queue=self.queue)
            self._read_at_s = time.monotonic()
        return self._open

    def fail(
        self, organization_id: int | None, item: str, error: BaseException, *, holds: str | None = None
    ) -> FailedItem:
        """Write down that an item failed, in a transaction of its own, and log it. holds None: itself alone."""
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
        """Write down that items were done, where any of them had failed."""
        done = [item for item in items if (organization_id, item) in self._open]
        if done:
            with transaction(self.state.engine, organization_id) as session:
                items_resolved(session, organization_id=organization_id, queue=self.queue, items=done)
            gone = {(organization_id, item) for item in done}
            self._open = {key: is_held for key, is_held in self._open.items() if key not in gone}


@dataclass(slots=True)
class Rests:
    """Pauses of what failed as a whole, by key: they grow while it fails and end when it succeeds."""

    clock: Callable[[], float] = time.monotonic
    _until: dict[Hashable, tuple[float, float]] = field(default_factory=dict)

    def begin(self, *key: Hashable) -> None:
        """Let it rest, longer than the last time."""
        _, pause_s = self._until.get(key, (0.0, REST_FIRST_S / 2))
        pause_s = min(pause_s * 2, REST_LAST_S)
        self._until[key] = self.clock() + pause_s, pause_s

    def end(self, *key: Hashable) -> None:
        """Forget its pauses, for it succeeded."""
        self._until.pop(key, None)

    def rests(self, *key: Hashable) -> bool:
        """Tell whether it rests just now."""
        return self._until.get(key, (0.0, 0.0))[0] > self.clock()
