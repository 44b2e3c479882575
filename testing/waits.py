"""Waiting for conditions, with one factor for slow machines.

Every time limit of the tests says how long a quiet machine may take at most, and is multiplied by ARGUS_TEST_PATIENCE
(1 unless set): `ARGUS_TEST_PATIENCE=4 make test` on a machine that is busy with other work is slow and not red. A test
waits for a condition, never for a time; where a span of time is the subject ("nothing happens meanwhile"), it says
so with `quiet_period`.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

T = TypeVar("T")

VARIABLE: Final = "ARGUS_TEST_PATIENCE"
PATIENCE: Final = float(os.environ.get(VARIABLE, "1"))
TIMEOUT_S: Final = 60.0
_FIRST_PAUSE_S: Final = 0.005
_PAUSE_MAX_S: Final = 0.1


def patient(seconds: float) -> float:
    """Return a time limit, multiplied by the patience factor: for timeouts of sockets, futures and processes."""
    return seconds * PATIENCE


def wait_until(
    condition: Callable[[], T], *, timeout_s: float = TIMEOUT_S, details: Callable[[], object] | None = None
) -> T:
    """Return the first true result of a condition; fail when the limit, times the patience factor, is over.

    details: shown by the failure, besides the last result. The condition is tried at growing intervals, 0.1 s at most,
    and once more after the limit.
    """
    end_s = time.monotonic() + patient(timeout_s)
    pause_s = _FIRST_PAUSE_S
    while True:
        is_last = time.monotonic() >= end_s
        if result := condition():
            return result
        if is_last:
            raise AssertionError(_failure(timeout_s, result, details))
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, _PAUSE_MAX_S)


async def wait_until_async(
    condition: Callable[[], T], *, timeout_s: float = TIMEOUT_S, details: Callable[[], object] | None = None
) -> T:
    """Do as `wait_until` does, and let the event loop go on meanwhile."""
    end_s = time.monotonic() + patient(timeout_s)
    pause_s = _FIRST_PAUSE_S
    while True:
        is_last = time.monotonic() >= end_s
        if result := condition():
            return result
        if is_last:
            raise AssertionError(_failure(timeout_s, result, details))
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, _PAUSE_MAX_S)


class Deadline:
    """The time limit of a loop that does more than look, times the patience factor."""

    def __init__(self, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._pause_s = _FIRST_PAUSE_S
        self._end_s = time.monotonic() + patient(timeout_s)

    @property
    def left_s(self) -> float:
        """How long it is to the limit; 0 when it is over."""
        return max(self._end_s - time.monotonic(), 0.0)

    @property
    def is_over(self) -> bool:
        """Whether the limit is over."""
        return time.monotonic() >= self._end_s

    def check(self, shown: object = None) -> None:
        """Fail when the limit is over. shown: what the failure shows."""
        assert not self.is_over, f"Still not so after {patient(self._timeout_s):.0f} s: {shown!r}"

    def pause(self, shown: object = None, *, seconds: float | None = None) -> None:
        """Fail when the limit is over; else wait for the next look: at first briefly, then 0.1 s, or as given."""
        self.check(shown)
        time.sleep(self._pause_s if seconds is None else seconds)
        self._pause_s = min(2 * self._pause_s, _PAUSE_MAX_S)


async def within(awaitable: Awaitable[T], timeout_s: float = TIMEOUT_S) -> T:
    """Return what is awaited; TimeoutError when the limit, times the patience factor, is over."""
    return await asyncio.wait_for(awaitable, patient(timeout_s))


def quiet_period(seconds: float) -> None:
    """Let a time pass that is the subject of a test: nothing is to happen in it, or something is to take so long."""
    time.sleep(seconds)


async def quiet_period_async(seconds: float) -> None:
    """Let a time pass that is the subject of a test, and the event loop go on meanwhile."""
    await asyncio.sleep(seconds)


def _failure(timeout_s: float, result: object, details: Callable[[], object] | None) -> str:
    shown = result if details is None else details()
    return f"Still not so after {patient(timeout_s):.0f} s: {shown!r}"
