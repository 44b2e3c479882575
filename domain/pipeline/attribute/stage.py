"""The attribute stage: route the points of stored batches to the entities that depend on them.

Pure; nothing is stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import msgspec
import numpy as np

from domain.base.packed import Column
from domain.derivation.dependencies.consumers import ANY_PORT
from domain.derivation.dependencies.index import Dependency, DependencyIndex
from domain.derivation.formulas.derive import columns_join
from domain.derivation.invalidation.windows import entity_slot
from domain.telemetry.feed.entries import EntryError, NormEntry
from domain.telemetry.model.readings import NO_PORT

_UUID_BYTES = 16

# An entity (16 bytes), and the port of a device's own readings; NO_PORT of those without one and of linked ones.
Place = tuple[bytes, int]


@dataclass(frozen=True, slots=True)
class AssetEntry:
    """Points of entities of one organization and one partition, for the dirty windows of the same commit.

    group: with which batches they were stored; the same as the windows' `batch_id`. revision: the derivation
    revision by which they were attributed. columns: by input, texts as NaN; their places are those among `places`.
    whole: the entities of which all points are here that the commit stored and their formulas and rules read, by every
    port. Of an entity that is not among them an entry says only that it changed.
    """

    organization_id: int
    group: int
    revision: int
    places: Sequence[Place]
    whole: frozenset[bytes]
    columns: Mapping[str, Column]

    @property
    def entities(self) -> list[bytes]:
        """The changed entities, once each."""
        return list(dict.fromkeys(entity for entity, _ in self.places))


class _Asset(msgspec.Struct, array_like=True, tag="asset2"):
    organization_id: int
    group: int
    revision: int
    # Of each place.
    entities: bytes
    ports: bytes
    whole: list[bytes]
    # By input: places, times and values.
    columns: dict[str, tuple[bytes, bytes, bytes]]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Asset)


def entries_whole(entries: Sequence[NormEntry]) -> Iterator[list[NormEntry]]:
    """Yield the entries of each commit of the normalize stage that are all there.

    Of one that is torn the points are read back: its windows have no points at hand.
    """
    for (_, group), group_entries in groupby(entries, key=lambda entry: (entry.organization_id, entry.group)):
        of_group = {entry.batch_id: entry for entry in group_entries}
        if group and len(of_group) == next(iter(of_group.values())).group_size:
            yield list(of_group.values())


def entries_route(entries: Sequence[NormEntry], *, index: DependencyIndex, partitions: int) -> dict[int, AssetEntry]:
    """Route the points of one commit to the entities that depend on them, by the entities' partition. Hot path.

    entries: at least one; their devices are in the index. Only what formulas and rules read is passed on; whatever else
    changed is named all the same.
    """
    taken: dict[int, _Taken] = {}
    for entry in entries:
        _take(entry, index, partitions, taken)
    first = entries[0]
    return {
        partition: AssetEntry(
            first.organization_id,
            first.group,
            index.revision,
            list(taken_rows.places),
            frozenset(taken_rows.whole),
            {metric: _column(*columns) for metric, columns in taken_rows.columns.items()},
        )
        for partition, taken_rows in taken.items()
    }


def asset_encode(entry: AssetEntry) -> bytes:
    """Return the bytes of an entry."""
    columns = {
        metric: (
            column.owner.astype("<i8").tobytes(),
            column.at.astype("<i8").tobytes(),
            column.values.astype("<f8").tobytes(),
        )
        for metric, column in entry.columns.items()
    }
    entities = b"".join(entity for entity, _ in entry.places)
    ports = np.array([port for _, port in entry.places], dtype="<i4").tobytes()
    whole = sorted(entry.whole)
    return _encoder.encode(_Asset(entry.organization_id, entry.group, entry.revision, entities, ports, whole, columns))


def asset_decode(payload: bytes) -> AssetEntry:
    """Return the entry of these bytes. Raises EntryError."""
    try:
        asset = _decoder.decode(payload)
        columns = {
            metric: Column(np.frombuffer(owner, "<i8"), np.frombuffer(at, "<i8"), np.frombuffer(values, "<f8"))
            for metric, (owner, at, values) in asset.columns.items()
        }
        ports = np.frombuffer(asset.ports, "<i4").tolist()
    except (msgspec.MsgspecError, ValueError) as error:
        raise EntryError(str(error)) from None
    entities = [asset.entities[i : i + _UUID_BYTES] for i in range(0, len(asset.entities), _UUID_BYTES)]
    if len(entities) != len(ports):
        raise EntryError("The entry's entities and ports differ in number.")
    for column in columns.values():
        if not len(column.owner) == len(column.at) == len(column.values):
            raise EntryError("The columns of the entry differ in length.")
        if len(column.owner) and not 0 <= column.owner.min() <= column.owner.max() < len(entities):
            raise EntryError("The entry has points of entities it does not name.")
    places = list(zip(entities, ports, strict=True))
    return AssetEntry(asset.organization_id, asset.group, asset.revision, places, frozenset(asset.whole), columns)


def entries_gather(entries: Sequence[AssetEntry], *, places: Mapping[Place, int]) -> dict[str, Column]:
    """Return the points of some places in all of these entries, by input. places: the numbers they shall have."""
    parts: dict[str, list[Column]] = {}
    for entry in entries:
        moved = np.array([places.get(place, -1) for place in entry.places], dtype=np.int64)
        for metric, column in entry.columns.items():
            owner = moved[column.owner]
            chosen = owner >= 0
            parts.setdefault(metric, []).append(Column(owner[chosen], column.at[chosen], column.values[chosen]))
    return {metric: columns_join(of_metric).sorted() for metric, of_metric in parts.items()}


_Columns = dict[str, tuple[list[int], list[int], list[float]]]


@dataclass(slots=True)
class _Taken:
    """Points for one partition: the numbers of its places, and by input places, times and values."""

    places: dict[Place, int] = field(default_factory=dict)
    whole: set[bytes] = field(default_factory=set)
    columns: _Columns = field(default_factory=dict)


def _take(entry: NormEntry, index: DependencyIndex, partitions: int, taken: dict[int, _Taken]) -> None:
    devices = entry.devices
    dependencies_by_reading = [
        index.dependencies_of(devices[i : i + _UUID_BYTES]) for i in range(0, len(devices), _UUID_BYTES)
    ]
    routes = _routes(entry, dependencies_by_reading, partitions, taken)
    wanted = {
        name for dependencies in dependencies_by_reading for dependency in dependencies for name in dependency.inputs
    }
    chosen = np.flatnonzero(np.isin(entry.metrics, [m for m, name in enumerate(entry.names) if name in wanted]))
    if not len(chosen):
        return
    timestamps, names = entry.timestamps.tolist(), entry.names
    rows = zip(
        entry.readings[chosen].tolist(), entry.metrics[chosen].tolist(), entry.values[chosen].tolist(), strict=True
    )
    for reading, metric, value in rows:
        for inputs, columns, n in routes[reading]:
            name = inputs.get(names[metric])
            if name is None:
                continue
            column = columns.get(name)
            if column is None:
                column = columns[name] = ([], [], [])
            column[0].append(n)
            column[1].append(timestamps[reading])
            column[2].append(value)


# What the device's metrics are as inputs, the columns they go to, and the number of their place.
_Route = tuple[Mapping[str, str], _Columns, int]


def _routes(
    entry: NormEntry, dependencies_by_reading: Sequence[Sequence[Dependency]], partitions: int, taken: dict[int, _Taken]
) -> list[list[_Route]]:
    """Name all that changed; return, by reading, where its points go.

    Also where nothing reads these points: what is done of it waits for no other entry.
    """
    known: dict[tuple[int, int], _Route] = {}
    result: list[list[_Route]] = []
    for port, at, of_reading in zip(
        entry.ports.tolist(), entry.timestamps.tolist(), dependencies_by_reading, strict=True
    ):
        routes: list[_Route] = []
        result.append(routes)
        for dependency in of_reading:
            if dependency.port not in (port, ANY_PORT) or not dependency.begins_us <= at < dependency.ends_us:
                continue
            route = known.get((id(dependency), port))
            if route is None:
                route = known[id(dependency), port] = _route(dependency, port, taken, partitions)
            routes.append(route)
    return result


def _route(dependency: Dependency, port: int, taken: dict[int, _Taken], partitions: int) -> _Route:
    to = taken.setdefault(entity_slot(dependency.entity) % partitions, _Taken())
    if dependency.is_whole:
        to.whole.add(dependency.entity)
    # A device is read by its ports, what is linked to one as a whole.
    place = (dependency.entity, port if dependency.port == ANY_PORT else NO_PORT)
    return dependency.inputs, to.columns, to.places.setdefault(place, len(to.places))


def _column(owner: list[int], at: list[int], values: list[float]) -> Column:
    return Column(np.array(owner, dtype=np.int64), np.array(at, dtype=np.int64), np.array(values, dtype=np.float64))
