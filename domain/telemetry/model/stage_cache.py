"""The cache of a stage's process: series, partitions and schemas, as committed."""

from __future__ import annotations

from dataclasses import dataclass, field

from domain.telemetry.model.schemas import SchemaVersions

SERIES_MAX = 1_000_000

# (organization, device as 16 bytes, port)
DevicePort = tuple[int, bytes, int]


@dataclass(slots=True)
class OrganizationSchemas:
    """The telemetry schemas of an organization's devices at one revision; None: the device has none.

    has_any: whether any of them has one. units_checked_until: by series, until which event time, in microseconds, its
    unit holds.
    """

    revision: int
    by_device: dict[bytes, SchemaVersions | None] = field(default_factory=dict)
    has_any: bool = False
    units_checked_until: dict[int, float] = field(default_factory=dict)


@dataclass(slots=True)
class StageCache:
    """Series by device port and metric, the months that have a partition, and schemas, as committed.

    One per process and thread. What a transaction finds out is put into a `PendingCacheUpdates` and only kept once that
    is committed: a series it made is gone if it rolls back.
    """

    series: dict[DevicePort, dict[str, int]] = field(default_factory=dict)
    months: set[int] = field(default_factory=set)
    schemas: dict[int, OrganizationSchemas] = field(default_factory=dict)
    count: int = 0

    def keep(self, notes: PendingCacheUpdates) -> None:
        """Apply the cache updates of a committed transaction."""
        if self.count > SERIES_MAX:
            self.forget()
        for key, names in notes.series.items():
            self.series.setdefault(key, {}).update(names)
            self.count += len(names)
        self.months |= notes.months
        for organization_id, (revision, units_checked_until) in notes.units_checked_until.items():
            known = self.schemas.get(organization_id)
            if known is not None and known.revision == revision:
                known.units_checked_until |= units_checked_until

    def forget(self) -> None:
        """Empty the cache."""
        self.series.clear()
        self.months.clear()
        self.schemas.clear()
        self.count = 0


@dataclass(slots=True)
class PendingCacheUpdates:
    """Cache updates of a transaction or savepoint, applied once it is committed.

    units_to_check: series whose unit is to be checked. units_checked_until: by organization, the revision and what
    `OrganizationSchemas.units_checked_until` is to remember. began_us: when the transaction began by the database's
    clock, in microseconds since the Unix epoch; None until it is first read.
    """

    series: dict[DevicePort, dict[str, int]] = field(default_factory=dict)
    months: set[int] = field(default_factory=set)
    units_to_check: set[int] = field(default_factory=set)
    units_checked_until: dict[int, tuple[int, dict[int, float]]] = field(default_factory=dict)
    began_us: int | None = None

    def add(self, other: PendingCacheUpdates) -> None:
        """Add the updates of a savepoint that was not rolled back."""
        for key, names in other.series.items():
            self.series.setdefault(key, {}).update(names)
        self.months |= other.months
        self.units_to_check |= other.units_to_check
