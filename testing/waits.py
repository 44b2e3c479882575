"""Waiting for conditions, with one factor for slow machines.

Every time limit of the tests says how long a quiet machine may take at most, and is multiplied by ARGUS_TEST_PATIENCE
(1 unless set): `ARGUS_TEST_PATIENCE=4 make test` on a machine that is busy with other work is slow and not red. A test
waits for a condition, never for a time; where a stretch of time is the subject ("nothing happens meanwhile"), it says
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
    condition: Callable[[], T], *, timeout_s: float = TIMEOUT_S, told: Callable[[], object] | None = None
) -> T:
    """Return the first true result of a condition; fail when the limit, times the patience factor, is over.

    told: what the failure shows, besides the last result. The condition is tried at growing intervals, 0.1 s at most,
    and once more after the limit.
    """
    end_s = time.monotonic() + patient(timeout_s)
    pause_s = _FIRST_PAUSE_S
    while True:
        is_last = time.monotonic() >= end_s
        if result := condition():
            return result
        if is_last:
            raise AssertionError(_failure(timeout_s, result, told))
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, _PAUSE_MAX_S)


async def wait_until_async(
    condition: Callable[[], T], *, timeout_s: float = TIMEOUT_S, told: Callable[[], object] | None = None
) -> T:
    """Do as `wait_until` does, and let the event loop go on meanwhile."""
    end_s = time.monotonic() + patient(timeout_s)
    pause_s = _FIRST_PAUSE_S
    while True:
        is_last = time.monotonic() >= end_s
        if result := condition():
            return result
        if is_last:
            raise AssertionError(_failure(timeout_s, result, told))
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, _PAUSE_MAX_S)


async def within(awaitable: Awaitable[T], timeout_s: float = TIMEOUT_S) -> T:
    """Return what is awaited; TimeoutError when the limit, times the patience factor, is over."""
    return await asyncio.wait_for(awaitable, patient(timeout_s))


def quiet_period(seconds: float) -> None:
    """Let a time pass that is the subject of a test: nothing is to happen in it, or something is to take so long."""
    time.sleep(seconds)


async def quiet_period_async(seconds: float) -> None:
    """Let a time pass that is the subject of a test, and the event loop go on meanwhile."""
    await asyncio.sleep(seconds)


def _failure(timeout_s: float, result: object, told: Callable[[], object] | None) -> str:
    shown = result if told is None else told()
    return f"Still not so after {patient(timeout_s):.0f} s: {shown!r}"
