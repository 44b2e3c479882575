"""What the readings of batches mean as points and as dead letters. Pure; hot path."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from domain.telemetry.packed import MetricType, instant_of
from domain.telemetry.readings import RawBatch
from domain.telemetry.schemas import METRIC_MISSING, NOTHING_KEPT, MetricSchema, SchemaVersions, schema_apply

TEXT_CHARS_MAX = 10_000
BEFORE_RETENTION: Final = "BEFORE_RETENTION"
# So many names of metrics are shown where one is missing.
_SHOWN_MAX = 20
_NUMBER, _BOOLEAN, _TEXT = int(MetricType.NUMBER), int(MetricType.BOOLEAN), int(MetricType.TEXT)
_NAN = math.nan


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
class Letter:
    """A dead letter: of a whole reading (metric None), or of one metric of it. reading: its place."""

    reading: int
    metric: str | None
    code: str
    message: str
    payload: Any


@dataclass(frozen=True, slots=True)
class Normalized:
    """Points in columns, ascending by reading, and what could not become one.

    readings: int32, the reading's place. metrics: int32, the name's place in `names`. types: `MetricType`.
    values: NaN at a text. texts: by the point's place.
    """

    names: list[str]
    readings: NDArray[np.int32]
    metrics: NDArray[np.int32]
    types: NDArray[np.int8]
    values: NDArray[np.float64]
    texts: dict[int, str]
    letters: list[Letter]


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


def readings_normalize(
    readings: Readings, *, future_tolerance: timedelta, schemas: Mapping[bytes, SchemaVersions], kept_us: int = 0
) -> Normalized:
    """Return the points of readings, and the dead letters of what is none.

    schemas: by device, of those whose type has any; the one in force at a reading's timestamp is applied to it.
    A reading more than `future_tolerance` after its own receipt, before 1970, or before `kept_us`, from when on points
    are kept, is dead as a whole; so is one without any metric, or of which its schema keeps none. What depends on other
    readings (repeats, conflicts) is not judged here.
    """
    late = readings.timestamps > readings.received + int(future_tolerance / timedelta(microseconds=1))
    refused = np.flatnonzero(late | (readings.timestamps < max(0, kept_us)))
    letters = [
        _late(i, readings.metrics[i], future_tolerance)
        if late[i]
        else _early(i, readings.metrics[i], None if readings.timestamps[i] < 0 else kept_us)
        for i in refused.tolist()
    ]
    skip = set(refused.tolist())
    index: dict[str, int] = {}
    of: list[int] = []
    names: list[int] = []
    types: list[int] = []
    values: list[float] = []
    texts: dict[int, str] = {}
    for i, metrics in enumerate(readings.metrics):
        if i in skip:
            continue
        if not isinstance(metrics, dict) or not metrics:
            letters.append(Letter(i, None, "NO_METRICS", "The reading has no metric with a value.", metrics))
            continue
        if schemas and (versions := schemas.get(readings.devices[i])) is not None:
            schema = versions.at(int(readings.timestamps[i]))
            if schema is not None and not schema.is_plain:
                metrics = _under_schema(i, metrics, schema, letters)  # noqa: PLW2901
        for name, value in metrics.items():
            kind = type(value)
            if kind is float or kind is int:
                types.append(_NUMBER)
                values.append(value)
            elif kind is bool:
                types.append(_BOOLEAN)
                values.append(value)
            elif kind is str and len(value) <= TEXT_CHARS_MAX and "\0" not in value:
                texts[len(types)] = value
                types.append(_TEXT)
                values.append(_NAN)
            else:
                letters.append(_unsupported(i, name, value))
                continue
            names.append(index.setdefault(name, len(index)))
            of.append(i)
    return Normalized(
        list(index),
        np.array(of, dtype=np.int32),
        np.array(names, dtype=np.int32),
        np.array(types, dtype=np.int8),
        np.array(values, dtype=np.float64),
        texts,
        letters,
    )


def _under_schema(i: int, sent: dict[str, Any], schema: MetricSchema, letters: list[Letter]) -> dict[str, Any]:
    """Return what a schema makes of a reading's metrics; what it refuses becomes a dead letter."""
    letters_before = len(letters)
    odd = [name for name, value in sent.items() if type(value) is not float and not _is_point(value)]
    letters += [_unsupported(i, name, sent[name]) for name in odd]
    good = {name: value for name, value in sent.items() if name not in odd} if odd else sent
    kept, faults = schema_apply(schema, good, sent=sent)
    for fault in faults:
        shown = list(sent)[:_SHOWN_MAX] if fault.code == METRIC_MISSING else sent[fault.metric]
        letters.append(Letter(i, fault.metric, fault.code, fault.message, shown))
    if not kept and len(letters) == letters_before:
        message = "The telemetry schema of the device's type drops every metric of the reading."
        letters.append(Letter(i, None, NOTHING_KEPT, message, sent))
    return kept


def _is_point(value: Any) -> bool:
    kind = type(value)
    if kind is str:
        return len(value) <= TEXT_CHARS_MAX and "\0" not in value
    return kind is float or kind is int or kind is bool


def _late(i: int, metrics: Any, tolerance: timedelta) -> Letter:
    msg = f"The timestamp lies more than {tolerance} after the receipt."
    return Letter(i, None, "FUTURE_TIMESTAMP", msg, metrics)


def _early(i: int, metrics: Any, kept_us: int | None) -> Letter:
    if kept_us is not None:
        msg = f"The timestamp lies before {instant_of(kept_us).isoformat()}, from when on points are kept."
        return Letter(i, None, BEFORE_RETENTION, msg, metrics)
    return Letter(i, None, "BEFORE_EPOCH", "The timestamp lies before 1970-01-01T00:00:00Z.", metrics)


def _unsupported(i: int, name: str, value: Any) -> Letter:
    if isinstance(value, str):
        if len(value) > TEXT_CHARS_MAX:
            msg = f"The text has {len(value)} characters; a point holds at most {TEXT_CHARS_MAX}."
            return Letter(i, name, "VALUE_TOO_LONG", msg, value[:TEXT_CHARS_MAX])
        return Letter(i, name, "UNSUPPORTED_VALUE", "The text holds the character NUL.", value)
    msg = "A metric is a number, a boolean or a text."
    return Letter(i, name, "UNSUPPORTED_VALUE", msg, value)
