"""Log throttling: the same failure is told at once, then with pauses that grow, with how often it was not told."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Final

FIRST_S: Final = 30.0
LAST_S: Final = 3_600.0
_KEYS_MAX: Final = 10_000


@dataclass(slots=True)
class _Told:
    next_s: float
    pause_s: float
    muted: int = 0


@dataclass(slots=True)
class Throttle:
    """Tells which failures to log. One that has not come for twice its pause is new again."""

    clock: Callable[[], float] = time.monotonic
    _told: dict[Hashable, _Told] = field(default_factory=dict)

    def admits(self, *key: Hashable) -> int | None:
        """Return how often this failure was muted since it was last told, if it is to be told now; None: mute it."""
        now_s = self.clock()
        told = self._told.get(key)
        if told is not None and now_s < told.next_s:
            told.muted += 1
            return None
        muted, pause_s = 0, FIRST_S
        if told is not None and now_s < told.next_s + told.pause_s:
            muted, pause_s = told.muted, min(told.pause_s * 2, LAST_S)
        if len(self._told) >= _KEYS_MAX:
            self._told.clear()
        self._told[key] = _Told(now_s + pause_s, pause_s, muted=0)
        return muted
