"""A thread pool shared fairly among callers: round robin by caller, with a bound for each."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar
from functools import partial
from typing import Any, Final, TypeVar

T = TypeVar("T")

# On whose behalf something is done; None: on behalf of Argus itself.
CALLER: Final[ContextVar[str | None]] = ContextVar("caller", default=None)


class FairThreads:
    """A thread pool shared fairly among callers.

    threads: in all. per_caller_max: of one caller at a time; what Argus does on its own behalf may have all of them.
    """

    def __init__(self, threads: int, *, per_caller_max: int, name: str) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._lock = threading.Lock()
        self._free = threads
        self._per_caller_max = max(per_caller_max, 1)
        self._running: Counter[str | None] = Counter()
        # By caller, whose turn it is first.
        self._waiting: OrderedDict[str | None, deque[tuple[Future[Any], Callable[[], Any]]]] = OrderedDict()
        self._is_open = True

    def submit(self, job: Callable[[], T]) -> Future[T]:
        """Submit a job for the caller of this context. Thread-safe."""
        caller = CALLER.get()
        future: Future[T] = Future()
        with self._lock:
            if not self._is_open:
                raise RuntimeError("The threads have been told to stop.")
            self._waiting.setdefault(caller, deque()).append((future, job))
            self._begin()
        return future

    def shutdown(self, *, wait: bool) -> None:
        """Let running work finish, accept no more, and cancel waiting work."""
        with self._lock:
            self._is_open = False
            dropped = [future for queue in self._waiting.values() for future, _ in queue]
            self._waiting.clear()
        for future in dropped:
            future.cancel()
        self._threads.shutdown(wait=wait)

    def _begin(self) -> None:
        """Start the calls that may run; the lock is held."""
        while self._free and (caller := self._next()) is not _NOBODY:
            queue = self._waiting[caller]
            future, job = queue.popleft()
            # The others have their turn first.
            self._waiting.move_to_end(caller)
            if not queue:
                del self._waiting[caller]
            self._free -= 1
            self._running[caller] += 1
            self._threads.submit(partial(self._do, caller, future, job))

    def _next(self) -> Any:
        for caller in self._waiting:
            if caller is None or self._running[caller] < self._per_caller_max:
                return caller
        return _NOBODY

    def _do(self, caller: str | None, future: Future[T], job: Callable[[], T]) -> None:
        try:
            if future.set_running_or_notify_cancel():
                try:
                    done = job()
                except BaseException as error:  # noqa: BLE001  (it is the future's)
                    future.set_exception(error)
                else:
                    future.set_result(done)
        finally:
            with self._lock:
                self._free += 1
                self._running[caller] -= 1
                if not self._running[caller]:
                    del self._running[caller]
                if self._is_open:
                    self._begin()


_NOBODY: Final = object()
