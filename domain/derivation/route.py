"""The attribute stage: which entities the points of stored batches touch, and where. Pure; nothing is stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import msgspec
import numpy as np

from domain.derivation.book import Book
from domain.derivation.derive import Column
from domain.derivation.windows import entity_slot
from domain.telemetry.entries import EntryError, NormEntry

_UUID_BYTES = 16


@dataclass(frozen=True, slots=True)
class AssetEntry:
    """Points at hand of entities of one organization and one partition, for the dirty windows left with them.

    group: with which batches they were stored; the same as the windows' `batch_id`. revision: the derivation
    revision by which they were attributed. columns: by entity (16 bytes) and input.
    """

    organization_id: int
    group: int
    revision: int
    columns: Mapping[bytes, Mapping[str, Column]]


class _Asset(msgspec.Struct, array_like=True, tag="asset1"):
    organization_id: int
    group: int
    revision: int
    entities: bytes
    metrics: list[str]
    # Per column: the entity's place, the metric's place, how many points.
    columns: bytes
    at: bytes
    values: bytes


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

    entries: at least one. The book knows their devices. Only inputs of formulas are passed on.
    """
    taken: dict[bytes, dict[str, tuple[list[int], list[float]]]] = {}
    for entry in entries:
        _take(entry, book, taken)
    routed: dict[int, dict[bytes, dict[str, Column]]] = {}
    for entity, of_entity in taken.items():
        columns = {metric: _column(at, values) for metric, (at, values) in of_entity.items()}
        routed.setdefault(entity_slot(entity) % partitions, {})[entity] = columns
    first = entries[0]
    return {
        partition: AssetEntry(first.organization_id, first.group, book.revision, columns)
        for partition, columns in routed.items()
    }


def asset_encode(entry: AssetEntry) -> bytes:
    """Return the bytes of an entry."""
    metrics: dict[str, int] = {}
    shape, at, values = [], [], []
    for place, of_entity in enumerate(entry.columns.values()):
        for metric, column in of_entity.items():
            shape.append((place, metrics.setdefault(metric, len(metrics)), len(column)))
            at.append(column.at)
            values.append(column.values)
    return _encoder.encode(
        _Asset(
            entry.organization_id,
            entry.group,
            entry.revision,
            b"".join(entry.columns),
            list(metrics),
            np.array(shape, dtype="<i4").tobytes(),
            np.concatenate(at).astype("<i8").tobytes(),
            np.concatenate(values).astype("<f8").tobytes(),
        )
    )


def asset_decode(payload: bytes) -> AssetEntry:
    """Return the entry of these bytes. Raises EntryError."""
    try:
        asset = _decoder.decode(payload)
        entities = [asset.entities[i : i + _UUID_BYTES] for i in range(0, len(asset.entities), _UUID_BYTES)]
        at, values = np.frombuffer(asset.at, "<i8"), np.frombuffer(asset.values, "<f8")
        columns: dict[bytes, dict[str, Column]] = {entity: {} for entity in entities}
        begins = 0
        for place, metric, length in np.frombuffer(asset.columns, "<i4").reshape(-1, 3).tolist():
            ends = begins + length
            columns[entities[place]][asset.metrics[metric]] = Column(at[begins:ends], values[begins:ends])
            begins = ends
    except (msgspec.MsgspecError, ValueError, IndexError) as error:
        raise EntryError(str(error)) from None
    return AssetEntry(asset.organization_id, asset.group, asset.revision, columns)


def columns_join(parts: Sequence[Mapping[str, Column]]) -> dict[str, Column] | None:
    """Return the points of several entries, by input; None where two stand at one timestamp.

    Which of two counts is not decided here: such points are read back.
    """
    joined: dict[str, Column] = {}
    for metric in {metric for part in parts for metric in part}:
        columns = [part[metric] for part in parts if metric in part]
        column = columns[0]
        if len(columns) > 1:
            column = _sorted(np.concatenate([c.at for c in columns]), np.concatenate([c.values for c in columns]))
        if bool((column.at[1:] == column.at[:-1]).any()):
            return None
        joined[metric] = column
    return joined


def _take(entry: NormEntry, book: Book, taken: dict[bytes, dict[str, tuple[list[int], list[float]]]]) -> None:
    devices, known = entry.devices, book.devices
    of = [devices[i : i + _UUID_BYTES] for i in range(0, len(devices), _UUID_BYTES)]
    passages = [known.get(device, ()) for device in of]
    wanted = {name for found in passages for passage in found for name in passage.inputs}
    chosen = np.flatnonzero(np.isin(entry.metrics, [m for m, name in enumerate(entry.names) if name in wanted]))
    if not len(chosen):
        return
    ports, timestamps = entry.ports.tolist(), entry.timestamps.tolist()
    rows = zip(
        entry.readings[chosen].tolist(), entry.metrics[chosen].tolist(), entry.values[chosen].tolist(), strict=True
    )
    for reading, metric, value in rows:
        at = timestamps[reading]
        for passage in passages[reading]:
            name = passage.inputs.get(entry.names[metric])
            if name is None or passage.port != ports[reading] or not passage.begins_us <= at < passage.ends_us:
                continue
            columns = taken.setdefault(passage.entity, {}).setdefault(name, ([], []))
            columns[0].append(at)
            columns[1].append(value)


def _column(at: list[int], values: list[float]) -> Column:
    return _sorted(np.array(at, dtype=np.int64), np.array(values, dtype=np.float64))


def _sorted(at: np.ndarray, values: np.ndarray) -> Column:
    if len(at) > 1 and bool((at[1:] < at[:-1]).any()):
        order = np.argsort(at, kind="stable")
        return Column(at[order], values[order])
    return Column(at, values)
