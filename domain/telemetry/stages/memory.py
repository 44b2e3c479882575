"""What a stage's process remembers between transactions, so that it does not ask again: series and partitions."""

from __future__ import annotations

from dataclasses import dataclass, field

SERIES_MAX = 1_000_000

# (organization, device as 16 bytes, port)
DevicePort = tuple[int, bytes, int]


@dataclass(slots=True)
class StageMemory:
    """Series by device port and metric, and the months that have a partition, as committed.

    One per process and thread. What a transaction finds out is put into a `StageNotes` and only kept once that
    is committed: a series it made is gone if it rolls back.
    """

    series: dict[DevicePort, dict[str, int]] = field(default_factory=dict)
    months: set[int] = field(default_factory=set)
    count: int = 0

    def keep(self, notes: StageNotes) -> None:
        """Remember what a committed transaction found out."""
        if self.count > SERIES_MAX:
            self.forget()
        for key, names in notes.series.items():
            self.series.setdefault(key, {}).update(names)
            self.count += len(names)
        self.months |= notes.months

    def forget(self) -> None:
        """Remember nothing."""
        self.series.clear()
        self.months.clear()
        self.count = 0


@dataclass(slots=True)
class StageNotes:
    """What a transaction, or a savepoint within it, found out."""

    series: dict[DevicePort, dict[str, int]] = field(default_factory=dict)
    months: set[int] = field(default_factory=set)

    def add(self, other: StageNotes) -> None:
        """Take over what a savepoint found out that was not rolled back."""
        for key, names in other.series.items():
            self.series.setdefault(key, {}).update(names)
        self.months |= other.months
