"""The attribute stage: which entities the points of stored batches touch, and where. Pure; nothing is stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import msgspec
import numpy as np

from domain.derivation.book import Book, Passage
from domain.derivation.derive import Column, columns_join
from domain.derivation.watch import ANY_PORT
from domain.derivation.windows import entity_slot
from domain.telemetry.entries import EntryError, NormEntry

_UUID_BYTES = 16


@dataclass(frozen=True, slots=True)
class AssetEntry:
    """Points at hand of entities of one organization and one partition, for the dirty windows left with them.

    group: with which batches they were stored; the same as the windows' `batch_id`. revision: the derivation
    revision by which they were attributed. columns: by input; their places are those among `entities` (16 bytes each).
    """

    organization_id: int
    group: int
    revision: int
    entities: list[bytes]
    columns: Mapping[str, Column]


class _Asset(msgspec.Struct, array_like=True, tag="asset1"):
    organization_id: int
    group: int
    revision: int
    entities: bytes
    # By input: places, times and values.
    columns: dict[str, tuple[bytes, bytes, bytes]]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Asset)


def entries_whole(entries: Sequence[NormEntry]) -> Iterator[list[NormEntry]]:
    """Yield the entries of each commit of the normalize stage that are all there.

    Of one that is torn the points are read back: its windows have no points at hand.
    """
    for (_, group), found in groupby(entries, key=lambda entry: (entry.organization_id, entry.group)):
        of_group = {entry.batch_id: entry for entry in found}
        if group and len(of_group) == next(iter(of_group.values())).group_size:
            yield list(of_group.values())


def entries_route(entries: Sequence[NormEntry], *, book: Book, partitions: int) -> dict[int, AssetEntry]:
    """Return what the points of one commit mean to the entities that derive, by the entities' partition. Hot path.

    entries: at least one. The book knows their devices. Only inputs of formulas are passed on; entities that are
    watched are named all the same.
    """
    taken: dict[int, _Taken] = {}
    for entry in entries:
        _take(entry, book, partitions, taken)
    first = entries[0]
    return {
        partition: AssetEntry(
            first.organization_id,
            first.group,
            book.revision,
            list(found.entities),
            {metric: _column(*columns) for metric, columns in found.columns.items()},
        )
        for partition, found in taken.items()
    }


def asset_encode(entry: AssetEntry) -> bytes:
    """Return the bytes of an entry."""
    columns = {
        metric: (
            column.of.astype("<i8").tobytes(),
            column.at.astype("<i8").tobytes(),
            column.values.astype("<f8").tobytes(),
        )
        for metric, column in entry.columns.items()
    }
    return _encoder.encode(
        _Asset(entry.organization_id, entry.group, entry.revision, b"".join(entry.entities), columns)
    )


def asset_decode(payload: bytes) -> AssetEntry:
    """Return the entry of these bytes. Raises EntryError."""
    try:
        asset = _decoder.decode(payload)
        columns = {
            metric: Column(np.frombuffer(of, "<i8"), np.frombuffer(at, "<i8"), np.frombuffer(values, "<f8"))
            for metric, (of, at, values) in asset.columns.items()
        }
    except (msgspec.MsgspecError, ValueError) as error:
        raise EntryError(str(error)) from None
    entities = [asset.entities[i : i + _UUID_BYTES] for i in range(0, len(asset.entities), _UUID_BYTES)]
    for column in columns.values():
        if not len(column.of) == len(column.at) == len(column.values):
            raise EntryError("The columns of the entry differ in length.")
        if len(column.of) and not 0 <= column.of.min() <= column.of.max() < len(entities):
            raise EntryError("The entry has points of entities it does not name.")
    return AssetEntry(asset.organization_id, asset.group, asset.revision, entities, columns)


def entries_gather(entries: Sequence[AssetEntry], *, places: Mapping[bytes, int]) -> dict[str, Column]:
    """Return the points of some entities in all of these entries, by input. places: those they shall have."""
    parts: dict[str, list[Column]] = {}
    for entry in entries:
        moved = np.array([places.get(entity, -1) for entity in entry.entities], dtype=np.int64)
        for metric, column in entry.columns.items():
            of = moved[column.of]
            chosen = of >= 0
            parts.setdefault(metric, []).append(Column(of[chosen], column.at[chosen], column.values[chosen]))
    return {metric: columns_join(of_metric).sorted() for metric, of_metric in parts.items()}


@dataclass(slots=True)
class _Taken:
    """Points for one partition: entities by their place, and by input places, times and values."""

    entities: dict[bytes, int] = field(default_factory=dict)
    columns: dict[str, tuple[list[int], list[int], list[float]]] = field(default_factory=dict)


def _take(entry: NormEntry, book: Book, partitions: int, taken: dict[int, _Taken]) -> None:
    devices, known = entry.devices, book.devices
    passages = [known.get(devices[i : i + _UUID_BYTES], ()) for i in range(0, len(devices), _UUID_BYTES)]
    _take_watched(entry, passages, partitions, taken)
    wanted = {name for found in passages for passage in found for name in passage.inputs}
    chosen = np.flatnonzero(np.isin(entry.metrics, [m for m, name in enumerate(entry.names) if name in wanted]))
    if not len(chosen):
        return
    ports, timestamps, names = entry.ports.tolist(), entry.timestamps.tolist(), entry.names
    rows = zip(
        entry.readings[chosen].tolist(), entry.metrics[chosen].tolist(), entry.values[chosen].tolist(), strict=True
    )
    for reading, metric, value in rows:
        at = timestamps[reading]
        for passage in passages[reading]:
            name = passage.inputs.get(names[metric])
            if name is None or passage.port != ports[reading] or not passage.begins_us <= at < passage.ends_us:
                continue
            found = taken.setdefault(entity_slot(passage.entity) % partitions, _Taken())
            of, times, values = found.columns.setdefault(name, ([], [], []))
            of.append(found.entities.setdefault(passage.entity, len(found.entities)))
            times.append(at)
            values.append(value)


def _take_watched(
    entry: NormEntry, passages: Sequence[Sequence[Passage]], partitions: int, taken: dict[int, _Taken]
) -> None:
    """Name the entities of which something is to be done although no formula reads these points."""
    ports, timestamps = entry.ports.tolist(), entry.timestamps.tolist()
    for reading, of_reading in enumerate(passages):
        for passage in of_reading:
            if (
                passage.is_watched
                and passage.port in (ports[reading], ANY_PORT)
                and passage.begins_us <= timestamps[reading] < passage.ends_us
            ):
                found = taken.setdefault(entity_slot(passage.entity) % partitions, _Taken())
                found.entities.setdefault(passage.entity, len(found.entities))


def _column(of: list[int], at: list[int], values: list[float]) -> Column:
    return Column(np.array(of, dtype=np.int64), np.array(at, dtype=np.int64), np.array(values, dtype=np.float64))
