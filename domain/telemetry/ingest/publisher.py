"""Send committed batches to the bus, beside the commits: ingest goes on while the bus is slow or away."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from domain.base.bus import Bus
from domain.base.streams import LENGTH_MAX, RAW, stream_name
from domain.telemetry.feed.entries import raw_encode
from domain.telemetry.model.readings import RawBatch

_log = logging.getLogger(__name__)

WAITING_MAX = 256
PAUSE_S = 1.0


@dataclass(slots=True)
class PublisherCounts:
    """Batches since the start: sent, and left to the sweeper."""

    sent: int = 0
    left: int = 0


class RawPublisher:
    """One thread that publishes batches in the order they come. What fails is left to the sweeper.

    bus: must not be used by any other thread at the same time, unless it may. monotonic_s: a clock that never
    goes back.
    """

    def __init__(self, *, bus: Bus, monotonic_s: Callable[[], float]) -> None:
        self.counts = PublisherCounts()
        self._bus = bus
        self._monotonic_s = monotonic_s
        self._paused_until_s: dict[int, float] = {}
        self._trouble: str | None = None
        self._queue: queue.Queue[Sequence[RawBatch] | None] = queue.Queue(WAITING_MAX)
        self._thread = threading.Thread(target=self._run, name="raw-publisher", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """Publish waiting batches and end."""
        self._queue.put(None)
        self._thread.join(timeout=5)

    def put(self, batches: Sequence[RawBatch]) -> None:
        """Hand over committed batches; never waits."""
        try:
            self._queue.put_nowait(batches)
        except queue.Full:
            self.counts.left += len(batches)

    def _run(self) -> None:
        while (batches := self._queue.get()) is not None:
            by_partition: dict[int, list[RawBatch]] = {}
            for batch in batches:
                by_partition.setdefault(batch.partition, []).append(batch)
            for partition, of_partition in by_partition.items():
                self._send(partition, of_partition)

    def _send(self, partition: int, batches: Sequence[RawBatch]) -> None:
        now_s = self._monotonic_s()
        if self._paused_until_s.get(partition, now_s) > now_s:
            self.counts.left += len(batches)
            return
        try:
            length = self._bus.publish(stream_name(RAW, partition), [raw_encode(batch) for batch in batches])
        except Exception as error:  # noqa: BLE001  (the thread outlives whatever the bus does)
            self._failed(partition, batches, error)
            return
        if self._trouble is not None:
            _log.warning("The bus takes batches again.")
            self._trouble = None
        self.counts.sent += len(batches)
        if length > LENGTH_MAX:
            # The stages are far behind, and the bus holds its entries in memory.
            self._paused_until_s[partition] = now_s + PAUSE_S

    def _failed(self, partition: int, batches: Sequence[RawBatch], error: Exception) -> None:
        trouble = repr(error)
        if trouble != self._trouble:
            self._trouble = trouble
            _log.warning(
                "The bus takes no batches; they are left to the sweeper: %s",
                error,
                exc_info=None if isinstance(error, ConnectionError) else error,
            )
        self._paused_until_s[partition] = self._monotonic_s() + PAUSE_S
        self.counts.left += len(batches)
