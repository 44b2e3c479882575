"""Supervise a child process: restart it when it ends, with growing pauses while it keeps ending."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from runtime.embedded.process import Running

FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 30.0
# A child that lived this long is well again: its next end is met with the first pause.
WELL_AFTER_S = 30.0


@dataclass(slots=True)
class Child:
    """One supervised process.

    begin: starts it. end: stops it. ended: called with the status of one that is not started again; None: it is.
    """

    name: str
    begin: Callable[[], Running]
    end: Callable[[Running], None]
    ended: Callable[[int], None] | None = None
    process: Running | None = None
    restarts: int = 0
    _pause_s: float = FIRST_PAUSE_S
    _began: float = 0.0
    _again_at: float | None = field(default=None)

    def start(self) -> None:
        """Start it now."""
        self._began = time.monotonic()
        self._again_at = None
        self.process = self.begin()

    def watch(self, say: Callable[[str], None]) -> None:
        """Detect its end and restart it when its pause is over. Call it often."""
        now = time.monotonic()
        if self._again_at is not None:
            if now >= self._again_at:
                self._restart(say)
            return
        if self.process is None or self.process.poll() is None:
            return
        if self.ended is not None:
            status, self.process = self.process.returncode, None
            self.ended(status)
            return
        if now - self._began > WELL_AFTER_S:
            self._pause_s = FIRST_PAUSE_S
        say(f"{self.name} ended with status {self.process.returncode}; starting it again in {self._pause_s:g} s")
        self._wait(now)

    def _restart(self, say: Callable[[str], None]) -> None:
        self.restarts += 1
        try:
            self.start()
        except Exception as error:  # noqa: BLE001  (whatever kept it from starting, it is tried again)
            say(f"{self.name} could not be started ({error}); trying again in {self._pause_s:g} s")
            self._wait(time.monotonic())
        else:
            say(f"{self.name} is running again")

    def _wait(self, now: float) -> None:
        self._again_at = now + self._pause_s
        self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)

    def stop(self) -> None:
        """Stop it, in order."""
        self._again_at = None
        if self.process is not None:
            self.end(self.process)
            self.process = None
