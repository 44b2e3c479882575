"""Encode and decode bus entries: one batch each, in columns. The only module that knows the bytes.

RAW entries carry the readings, so that normalize does not read the raw log back; NORM entries carry the points,
so that the live feed does not read the history back. Numbers are little-endian.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import msgspec
import numpy as np
from numpy.typing import NDArray

from domain.base.packed import Points, instant_of
from domain.telemetry.feed.feed import FeedEntry, FeedGroup, InvalidatedRange
from domain.telemetry.model.readings import NO_PORT, RawBatch

_UUID_BYTES = 16


class EntryError(ValueError):
    """The bytes are no entry of this version."""


class _Raw(msgspec.Struct, array_like=True, tag="raw1"):
    organization_id: int
    id: int
    partition: int
    received_us: int
    raw_ids: bytes
    devices: bytes
    ports: bytes
    timestamps: bytes
    keys: bytes
    metrics: bytes
    # Last, and with a default: entries of before have none.
    traces: tuple[str, ...] = ()


class _Norm(msgspec.Struct, array_like=True, tag="norm2"):
    organization_id: int
    batch_id: int
    partition: int
    position: int
    revision: int
    received_us: int
    devices: bytes
    ports: bytes
    timestamps: bytes
    metrics: list[str]
    point_readings: bytes
    point_metrics: bytes
    types: bytes
    values: bytes
    texts: dict[int, str]
    group: int
    group_size: int
    invalidated: list[tuple[bytes, str, int, int]]


@dataclass(frozen=True, slots=True)
class NormEntry:
    """The points one batch stored, in columns; or those that one commit derived, of entities without ports.

    devices (16 bytes each), ports (int32, NO_PORT for none) and timestamps (int64 microseconds) stand per
    reading; readings, metrics, types and values per point: the reading's place, the name's place in `names`,
    the `MetricType`, the value (NaN at a text). texts: by the point's place. group: the first of the batches stored
    by the same commit, and group_size how many those are; 0: unknown. invalidated: (entity, metric, begins_us,
    ends_us) of points that were changed or taken away.
    """

    organization_id: int
    batch_id: int
    partition: int
    position: int
    revision: int
    received_us: int
    devices: bytes
    ports: NDArray[np.int32]
    timestamps: NDArray[np.int64]
    names: list[str]
    readings: NDArray[np.int32]
    metrics: NDArray[np.int32]
    types: NDArray[np.int8]
    values: NDArray[np.float64]
    texts: dict[int, str]
    group: int = 0
    group_size: int = 0
    invalidated: Sequence[tuple[bytes, str, int, int]] = ()


_raw_decoder = msgspec.msgpack.Decoder(_Raw)
_norm_decoder = msgspec.msgpack.Decoder(_Norm)
_encoder = msgspec.msgpack.Encoder()


def raw_encode(batch: RawBatch) -> bytes:
    """Return a batch's entry."""
    return _encoder.encode(
        _Raw(
            batch.organization_id,
            batch.id,
            batch.partition,
            batch.received_us,
            batch.raw_ids.astype("<i8").tobytes(),
            batch.devices,
            batch.ports.astype("<i4").tobytes(),
            batch.timestamps.astype("<i8").tobytes(),
            batch.keys,
            batch.metrics,
            batch.traces,
        )
    )


def raw_decode(payload: bytes) -> RawBatch:
    """Return the batch of an entry. Raises EntryError."""
    try:
        raw = _raw_decoder.decode(payload)
    except msgspec.MsgspecError as error:
        raise EntryError(str(error)) from None
    try:
        batch = RawBatch(
            raw.organization_id,
            raw.id,
            raw.partition,
            raw.received_us,
            np.frombuffer(raw.raw_ids, "<i8"),
            raw.devices,
            np.frombuffer(raw.ports, "<i4"),
            np.frombuffer(raw.timestamps, "<i8"),
            raw.keys,
            raw.metrics,
            raw.traces,
        )
    except ValueError as error:
        raise EntryError(str(error)) from None
    n = len(batch)
    wanted = (n, n, n * _UUID_BYTES, n * _UUID_BYTES)
    if (len(batch.ports), len(batch.timestamps), len(batch.devices), len(batch.keys)) != wanted:
        raise EntryError("The columns of the entry differ in length.")
    return batch


def norm_encode(entry: NormEntry) -> bytes:
    """Return the bytes of an entry."""
    return _encoder.encode(
        _Norm(
            entry.organization_id,
            entry.batch_id,
            entry.partition,
            entry.position,
            entry.revision,
            entry.received_us,
            entry.devices,
            entry.ports.astype("<i4").tobytes(),
            entry.timestamps.astype("<i8").tobytes(),
            entry.names,
            entry.readings.astype("<i4").tobytes(),
            entry.metrics.astype("<i4").tobytes(),
            entry.types.astype("i1").tobytes(),
            entry.values.astype("<f8").tobytes(),
            entry.texts,
            entry.group,
            entry.group_size,
            list(entry.invalidated),
        )
    )


def norm_decode(payload: bytes) -> NormEntry:
    """Return the entry of these bytes. Raises EntryError."""
    try:
        norm = _norm_decoder.decode(payload)
        return NormEntry(
            norm.organization_id,
            norm.batch_id,
            norm.partition,
            norm.position,
            norm.revision,
            norm.received_us,
            norm.devices,
            np.frombuffer(norm.ports, "<i4"),
            np.frombuffer(norm.timestamps, "<i8"),
            norm.metrics,
            np.frombuffer(norm.point_readings, "<i4"),
            np.frombuffer(norm.point_metrics, "<i4"),
            np.frombuffer(norm.types, "i1"),
            np.frombuffer(norm.values, "<f8"),
            norm.texts,
            norm.group,
            norm.group_size,
            norm.invalidated,
        )
    except (msgspec.MsgspecError, ValueError) as error:
        raise EntryError(str(error)) from None


def feed_entry(payload: bytes) -> FeedEntry:
    """Return the feed entry of a NORM entry; its points are grouped only when asked for."""
    entry = norm_decode(payload)
    return FeedEntry(
        entry.organization_id,
        entry.partition,
        entry.position,
        entry.revision,
        partial(norm_groups, entry),
        [
            InvalidatedRange(UUID(bytes=entity), metric, instant_of(begins_us), instant_of(ends_us))
            for entity, metric, begins_us, ends_us in entry.invalidated
        ],
    )


def norm_groups(entry: NormEntry, among: Container[UUID] | None = None) -> Sequence[FeedGroup]:
    """Return the points by series, each ascending in time: those of these devices, or all. Hot path."""
    devices, device = np.unique(np.frombuffer(entry.devices, "S16"), return_inverse=True)
    ids = [UUID(bytes=bytes(item).ljust(_UUID_BYTES, b"\0")) for item in devices]
    at, owner = entry.timestamps[entry.readings], device[entry.readings]
    ports = entry.ports[entry.readings]
    chosen = np.arange(len(owner))
    if among is not None:
        chosen = np.flatnonzero(np.array([entity_id in among for entity_id in ids], dtype=np.bool_)[owner])
    if not len(chosen):
        return []
    order = chosen[np.lexsort((at[chosen], entry.metrics[chosen], ports[chosen], owner[chosen]))]
    keys = np.stack((owner[order], ports[order], entry.metrics[order]))
    begins = np.flatnonzero(np.r_[True, (keys[:, 1:] != keys[:, :-1]).any(axis=0)])
    groups = []
    for index in np.split(order, begins[1:]):
        first = int(index[0])
        texts = None
        if entry.texts and any(int(i) in entry.texts for i in index):
            texts = np.array([entry.texts.get(int(i)) for i in index], dtype=object)
        port = int(ports[first])
        points = Points(at[index].astype(np.int64), entry.values[index], entry.types[index], texts)
        groups.append(
            FeedGroup(
                ids[owner[first]], None if port == NO_PORT else port, entry.names[entry.metrics[first]], None, points
            )
        )
    return groups
