"""Readings of a batch, and their points and dead letters, in columns. Pure; hot path."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from domain.telemetry.model.readings import RawBatch


@dataclass(frozen=True, slots=True)
class Readings:
    """Readings of one organization in columns, of one or several batches.

    raw_ids, timestamps, received: int64, times in microseconds since the Unix epoch. ports: int32, NO_PORT for
    none. batches: int32, the place of the reading's batch among those given. devices, keys: 16 bytes each.
    metrics: as decoded from the raw log.
    """

    raw_ids: NDArray[np.int64]
    batches: NDArray[np.int32]
    devices: list[bytes]
    ports: NDArray[np.int32]
    timestamps: NDArray[np.int64]
    received: NDArray[np.int64]
    keys: list[bytes]
    metrics: list[Any]

    def take(self, index: NDArray[np.intp]) -> Readings:
        """Return the readings at these places."""
        return Readings(
            self.raw_ids[index],
            self.batches[index],
            [self.devices[i] for i in index],
            self.ports[index],
            self.timestamps[index],
            self.received[index],
            [self.keys[i] for i in index],
            [self.metrics[i] for i in index],
        )

    def __len__(self) -> int:
        return len(self.devices)


@dataclass(frozen=True, slots=True)
class DeadLetterDraft:
    """A dead letter: of a whole reading (metric None), or of one metric of it. reading: its place."""

    reading: int
    metric: str | None
    code: str
    message: str
    payload: Any


@dataclass(frozen=True, slots=True)
class Normalized:
    """Points in columns, ascending by reading, and dead letters of what could not become one.

    readings: int32, the reading's place. metrics: int32, the name's place in `names`. types: `MetricType`.
    values: NaN at a text. texts: by the point's place.
    """

    names: list[str]
    readings: NDArray[np.int32]
    metrics: NDArray[np.int32]
    types: NDArray[np.int8]
    values: NDArray[np.float64]
    texts: dict[int, str]
    dead_letters: list[DeadLetterDraft]


def readings_decode(batches: Sequence[RawBatch]) -> Readings:
    """Return the readings of batches, one after the other. Raises ValueError for JSON that is none."""
    sizes = [len(batch) for batch in batches]
    metrics: list[Any] = []
    for batch in batches:
        metrics += metrics_decode(batch.metrics)
    devices = b"".join(batch.devices for batch in batches)
    keys = b"".join(batch.keys for batch in batches)
    if len(metrics) != sum(sizes):
        raise ValueError("A batch holds another number of metrics than of readings.")
    return Readings(
        np.concatenate([batch.raw_ids for batch in batches]).astype(np.int64),
        np.repeat(np.arange(len(batches), dtype=np.int32), sizes),
        [devices[i : i + 16] for i in range(0, len(devices), 16)],
        np.concatenate([batch.ports for batch in batches]).astype(np.int32),
        np.concatenate([batch.timestamps for batch in batches]).astype(np.int64),
        np.repeat(np.array([batch.received_us for batch in batches], dtype=np.int64), sizes),
        [keys[i : i + 16] for i in range(0, len(keys), 16)],
        metrics,
    )


def metrics_decode(text: bytes | str) -> list[Any]:
    """Return metrics of readings, given as a JSON array of them."""
    try:
        return list(orjson.loads(text))
    except orjson.JSONDecodeError:
        # PostgreSQL takes half a surrogate pair for JSON, and deeper nesting; so does this.
        return list(json.loads(text))
