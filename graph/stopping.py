"""Cooperative cancellation of operations that are over their deadline or whose caller has gone.

The core reads no clock. The caller of an operation decides when it is to stop; what runs on its behalf asks, in every
loop whose length the caller decides, by `stop_check()`, and registers how to interrupt what it may be blocked in.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from graph.errors import ArgusError

# An interrupt that comes between two statements interrupts nothing, and so is repeated until the work has ended.
_REPEAT_S: Final = 0.25
_REPEATS_MAX: Final = 40


class Stop:
    """The cancellation token of one operation. Thread-safe.

    work: units of work counted by `stop_check`, so that a test can assert how much was done.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._interrupts: dict[int, Callable[[], None]] = {}
        self._next = 0
        self._ended = threading.Condition(self._lock)
        self.reason: ArgusError | None = None
        self.work = 0

    def stop(self, reason: ArgusError) -> None:
        """Have all work of the operation end with this error; returns at once. Only the first reason counts."""
        with self._lock:
            if self.reason is not None:
                return
            self.reason = reason
            is_blocked = bool(self._interrupts)
        if is_blocked:
            threading.Thread(target=self._interrupt, name="stop", daemon=True).start()

    def check(self, units: int = 1) -> None:
        """Count work, and raise the reason where the operation is to stop."""
        self.work += units
        if self.reason is not None:
            raise self.reason

    @contextmanager
    def interruptible(self, interrupt: Callable[[], None]) -> Iterator[None]:
        """Within the block, `interrupt` is called, from another thread, when the operation is to stop.

        It is never called after the block has ended. Raises the reason where the operation is to stop already.
        """
        with self._lock:
            if self.reason is not None:
                raise self.reason
            self._next += 1
            key = self._next
            self._interrupts[key] = interrupt
        try:
            yield
        finally:
            with self._lock:
                del self._interrupts[key]
                self._ended.notify_all()

    def _interrupt(self) -> None:
        for _ in range(_REPEATS_MAX):
            with self._lock:
                if not self._interrupts:
                    return
                # Under the lock: what is interrupted cannot have gone on to other work meanwhile.
                for interrupt in self._interrupts.values():
                    interrupt()
                self._ended.wait(_REPEAT_S)


_current: ContextVar[Stop | None] = ContextVar("stop", default=None)


@contextmanager
def stop_bound(stop: Stop | None) -> Iterator[None]:
    """Within the block, `stop_check` asks this token."""
    token = _current.set(stop)
    try:
        yield
    finally:
        _current.reset(token)


def stop_check(units: int = 1) -> None:
    """Count work for the operation that runs in this context; raise ArgusError where it is to stop. Cheap."""
    stop = _current.get()
    if stop is not None:
        stop.check(units)
