"""Read a stream as a consumer of a stage's group: new entries, and pending ones of lost consumers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from domain.base.bus import Bus, BusEntry
from domain.base.streams import SOURCES, stream_name

# What others read and never acknowledged is taken over after so long; all of it when a run begins.
CLAIM_EVERY_S: Final = 5.0
CLAIM_IDLE_MS: Final = 5_000


class StageReader:
    """The entries of one stage and partition. Raises ConnectionError where the bus is away."""

    def __init__(self, bus: Bus, *, stage: str, partition: int, consumer: str) -> None:
        self.stream = stream_name(SOURCES[stage], partition)
        self.last_id = "0-0"
        self._bus = bus
        self._stage = stage
        self._consumer = consumer
        self._claim_at_s = 0.0
        self._claim_idle_ms = 0

    def next(self, *, count: int) -> Sequence[BusEntry]:
        """Return the next entries; none where there are none, at once."""
        if time.monotonic() >= self._claim_at_s:
            claimed = self._bus.group_claim(
                self.stream, self._stage, consumer=self._consumer, idle_ms=self._claim_idle_ms, count=count
            )
            if len(claimed) < count:
                self._claim_at_s, self._claim_idle_ms = time.monotonic() + CLAIM_EVERY_S, CLAIM_IDLE_MS
            if claimed:
                return claimed
        entries = self._bus.group_read(self.stream, self._stage, consumer=self._consumer, count=count, block_ms=0)
        if entries:
            self.last_id = entries[-1][0]
        return entries

    def done(self, entries: Sequence[BusEntry]) -> None:
        """Acknowledge entries."""
        if entries:
            self._bus.group_ack(self.stream, self._stage, [entry_id for entry_id, _ in entries])

    def again(self) -> None:
        """Claim pending entries again, also this process's own."""
        self._claim_at_s, self._claim_idle_ms = 0.0, 0
