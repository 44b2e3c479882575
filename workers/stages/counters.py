"""Counters of a stage's run since they were last stored."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from domain.base.leases import StageCounts


@dataclass(slots=True)
class StageCounters:
    """Counters of one stage. items: readings or entities. delays: seconds from receipt to commit, summed."""

    items: int = 0
    errors: int = 0
    busy_s: float = 0.0
    delay_s: float = 0.0
    delays: int = 0

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Count the block's time as worked."""
        began_s = time.perf_counter()
        try:
            yield
        finally:
            self.busy_s += time.perf_counter() - began_s

    def delayed(self, delay_s: float) -> None:
        """Count a commit and its delay since receipt."""
        self.delay_s += max(delay_s, 0.0)
        self.delays += 1

    def take(self) -> StageCounts:
        """Return the counts and reset them."""
        counts = StageCounts(self.items, self.errors, self.busy_s, self.delay_s, self.delays)
        self.items = self.errors = self.delays = 0
        self.busy_s = self.delay_s = 0.0
        return counts
