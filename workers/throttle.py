"""Throttle logs: the same failure is logged at once, then with growing pauses and the number of muted ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Final

FIRST_S: Final = 30.0
LAST_S: Final = 3_600.0
_KEYS_MAX: Final = 10_000


@dataclass(slots=True)
class _Pause:
    next_s: float
    pause_s: float
    muted: int = 0


@dataclass(slots=True)
class Throttle:
    """Decides which failures to log. One that has not come for twice its pause counts as new."""

    clock: Callable[[], float] = time.monotonic
    _pauses: dict[Hashable, _Pause] = field(default_factory=dict)

    def admits(self, *key: Hashable) -> int | None:
        """Return how often this failure was muted since its last log line, if it is to be logged now; None: mute it."""
        now_s = self.clock()
        pause = self._pauses.get(key)
        if pause is not None and now_s < pause.next_s:
            pause.muted += 1
            return None
        muted, pause_s = 0, FIRST_S
        if pause is not None and now_s < pause.next_s + pause.pause_s:
            muted, pause_s = pause.muted, min(pause.pause_s * 2, LAST_S)
        if len(self._pauses) >= _KEYS_MAX:
            self._pauses.clear()
        self._pauses[key] = _Pause(now_s + pause_s, pause_s, muted=0)
        return muted
