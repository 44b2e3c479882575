"""The bus protocol of the pipeline: append-only streams, read by consumer groups. Adapters live in `runtime/bus/`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

# (id, payload). Ids rise within a stream; they are opaque but for their order.
BusEntry = tuple[str, bytes]


class Bus(Protocol):
    """Streams with consumer groups. Every call is bounded in time.

    All raise ConnectionError (built in) where the bus is away, does not answer in time, or answers with an error.
    An entry read by a group stays *pending* with its consumer until it is acknowledged.
    """

    def publish(self, stream: str, payloads: Sequence[bytes]) -> int:
        """Append entries in order; return how many entries the stream then holds."""
        ...

    def group_ensure(self, stream: str, group: str) -> None:
        """Make the group where it is missing; it begins at the oldest entry kept."""
        ...

    def group_read(self, stream: str, group: str, *, consumer: str, count: int, block_ms: int) -> Sequence[BusEntry]:
        """Return the next entries that no consumer of the group has read; wait up to `block_ms` for the first."""
        ...

    def group_claim(self, stream: str, group: str, *, consumer: str, idle_ms: int, count: int) -> Sequence[BusEntry]:
        """Take over entries pending with any consumer for at least `idle_ms`, oldest first."""
        ...

    def group_ack(self, stream: str, group: str, ids: Sequence[str]) -> None:
        """Mark entries as done."""
        ...

    def oldest_waiting_ms(self, stream: str, group: str) -> int | None:
        """Return when the oldest entry not yet acknowledged was appended, in ms since the epoch; None: none waits."""
        ...

    def now_ms(self) -> int:
        """Return the bus's own time in milliseconds since the Unix epoch."""
        ...

    def length(self, stream: str) -> int:
        """Return how many entries the stream holds."""
        ...

    def trim(self, stream: str, groups: Sequence[str], *, retention_ms: int) -> int:
        """Remove entries that every group has acknowledged and that are older than `retention_ms`. Return how many."""
        ...

    def remove(self, stream: str, *, holding: bytes) -> int:
        """Remove entries whose payload holds these bytes, read by anybody or not. Return how many. Reads them all."""
        ...

    def last_ids(self, streams: Sequence[str]) -> Sequence[str]:
        """Return the id of each stream's newest entry, '0-0' where there is none."""
        ...

    def last_entry(self, stream: str) -> BusEntry | None:
        """Return a stream's newest entry."""
        ...

    def read_after(
        self, positions: Mapping[str, str], *, count: int, block_ms: int
    ) -> Mapping[str, Sequence[BusEntry]]:
        """Return entries after the given ids, by stream, without a group; wait up to `block_ms` for the first."""
        ...
