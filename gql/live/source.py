"""Read normalized batches and derived commits from the bus for the live feed, without a consumer group."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

import structlog

from domain.base.bus import Bus
from domain.base.streams import BUCKETS_PARTITION, DERIVED, DERIVED_PARTITION, NORM, stream_name
from domain.telemetry.feed.feed import FeedEntry

READ_MAX = 256
BLOCK_MS = 500

_log = structlog.get_logger(__name__)


class BusFeedSource:
    """The tail of all partitions of what was normalized and of what was derived.

    partitions: of the streams; the feed has twice as many, and one
    of what is computed by buckets. decode: turns a payload into an entry; the points
    themselves only where somebody watches.
    """

    def __init__(self, *, bus: Bus, partitions: int, decode: Callable[[bytes], FeedEntry]) -> None:
        self._streams = {partition: stream_name(NORM, partition) for partition in range(partitions)}
        derived = (*range(partitions), BUCKETS_PARTITION)
        self._streams |= {DERIVED_PARTITION + n: stream_name(DERIVED, n) for n in derived}
        self.partitions = tuple(self._streams)
        self._bus = bus
        self._decode = decode
        self._ids: dict[str, str] = {}

    async def tail(self) -> Mapping[int, int]:
        """Go to the end of every partition. Raises ConnectionError while the bus is away."""
        return await asyncio.to_thread(self._tail)

    async def read(self) -> Sequence[FeedEntry]:
        """Return what has come since; nothing after half a second without any. Raises ConnectionError."""
        return await asyncio.to_thread(self._read)

    def _tail(self) -> Mapping[int, int]:
        positions: dict[int, int] = {}
        for partition, stream in self._streams.items():
            last = self._bus.last_entry(stream)
            self._ids[stream] = "0-0" if last is None else last[0]
            if last is not None:
                positions[partition] = self._decode(last[1]).position
        return positions

    def _read(self) -> Sequence[FeedEntry]:
        result = self._bus.read_after(self._ids, count=READ_MAX, block_ms=BLOCK_MS)
        entries: list[FeedEntry] = []
        for stream, of_stream in result.items():
            for entry_id, payload in of_stream:
                self._ids[stream] = entry_id
                try:
                    entries.append(self._decode(payload))
                except ValueError as error:
                    # Its position stays open, so that the database fills it.
                    _log.warning("feed_entry_unreadable", stream=stream, entry=entry_id, error=repr(error))
        return entries
