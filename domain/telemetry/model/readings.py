"""Readings on their way in: as a client sent them, as they were accepted, as the raw log has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
from numpy.typing import NDArray

from graph.errors import LimitExceededError

# Of one call.
READINGS_MAX = 1_000
# What stands for "no port" in a column of ports.
NO_PORT = -1
PORT_MAX = 65_535
MESSAGE_ID_CHARS_MAX = 200


def readings_count_check(count: int) -> None:
    """Raise LimitExceededError where a call holds more readings than it may."""
    if count > READINGS_MAX:
        msg = f"The call holds {count} readings; at most {READINGS_MAX} are taken at once."
        raise LimitExceededError(msg, path=("readings",))


class ReadingDraft(msgspec.Struct, rename="camel"):
    """A reading as a client sent it; nothing of it is checked but what the transport's types refuse.

    timestamp: anything; None says the time of receipt. metrics: anything.
    """

    metrics: Any = None
    device_id: str | None = None
    external_id: str | None = None
    port: Any = None
    timestamp: Any = None
    message_id: Any = None


@dataclass(frozen=True, slots=True)
class KnownDevice:
    """A device that may send. partition: where in the streams its readings go."""

    id: UUID
    partition: int


@dataclass(frozen=True, slots=True)
class Devices:
    """The devices a call names: by their id as it was written, and by external id."""

    by_id: Mapping[str, KnownDevice]
    by_external_id: Mapping[str, KnownDevice]


@dataclass(frozen=True, slots=True)
class UserError:
    """An error that the caller can fix. path: of the argument at fault, outermost first."""

    code: str
    message: str
    path: tuple[str, ...]


@dataclass(slots=True)
class AcceptedReadings:
    """Accepted readings of one organization, one partition: one list per column, in the order of the call.

    devices: 16 bytes each. ports: NO_PORT for none. timestamps: microseconds since the Unix epoch.
    keys: 16 bytes each (metrics.py). metrics: canonical JSON.
    """

    devices: list[bytes]
    ports: list[int]
    timestamps: list[int]
    keys: list[bytes]
    metrics: list[bytes]

    @classmethod
    def empty(cls) -> AcceptedReadings:
        """Return columns of no readings."""
        return cls([], [], [], [], [])

    def extend(self, other: AcceptedReadings) -> None:
        """Append the readings of another."""
        self.devices += other.devices
        self.ports += other.ports
        self.timestamps += other.timestamps
        self.keys += other.keys
        self.metrics += other.metrics

    def take(self, places: Sequence[int]) -> AcceptedReadings:
        """Return the readings at these places, in this order."""
        columns: tuple[list[Any], ...] = (self.devices, self.ports, self.timestamps, self.keys, self.metrics)
        return AcceptedReadings(*([column[place] for place in places] for column in columns))

    def __len__(self) -> int:
        return len(self.devices)


@dataclass(frozen=True, slots=True)
class RawBatch:
    """One batch as the raw log holds it: one column per field, readings ascending by raw id.

    received_us: microseconds since the Unix epoch, of all its readings. devices, keys: 16 bytes for each
    reading, one after the other. ports: int32, NO_PORT for none. timestamps: int64 microseconds.
    metrics: a JSON array of the readings' canonical metrics. traces: the ids of the calls that brought them.
    """

    organization_id: int
    id: int
    partition: int
    received_us: int
    raw_ids: NDArray[np.int64]
    devices: bytes
    ports: NDArray[np.int32]
    timestamps: NDArray[np.int64]
    keys: bytes
    metrics: bytes
    traces: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.raw_ids)


def metrics_join(metrics: Sequence[bytes]) -> bytes:
    """Return one JSON array of several JSON texts."""
    return b"[" + b",".join(metrics) + b"]"
