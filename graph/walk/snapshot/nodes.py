"""The entities of a snapshot: their ids, kinds and types as columns, an index into which stands for the entity.

Memory: 21 bytes a node.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import UUID

import numpy as np
import numpy.typing as npt

from graph.ids import EntityId
from graph.kinds import EntityKind

Indices = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

KINDS: Final = tuple(EntityKind)
_KIND_CODES: Final = {kind: code for code, kind in enumerate(KINDS)}
NO_TYPE: Final = -1
# So few are found faster one by one than in columns.
_FEW: Final = 8

# Sixteen bytes as two numbers, the first eight first: what orders them orders UUIDs as PostgreSQL does.
UUID_COLUMNS: Final = np.dtype([("high", ">u8"), ("low", ">u8")])


def uuid_pairs(raw: bytes) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """Return the halves of UUIDs laid end to end, as native numbers."""
    pairs = np.frombuffer(raw, dtype=UUID_COLUMNS)
    return pairs["high"].astype(np.uint64), pairs["low"].astype(np.uint64)


def uuids_of(high: npt.NDArray[np.uint64], low: npt.NDArray[np.uint64]) -> list[UUID]:
    """Return the UUIDs of these halves."""
    # Each is known to be well formed; the constructor's checks are most of its cost.
    uuids = []
    for left, right in zip(high.tolist(), low.tolist(), strict=True):
        identity: Any = UUID.__new__(UUID)
        object.__setattr__(identity, "int", left << 64 | right)
        object.__setattr__(identity, "is_safe", _UNKNOWN)
        uuids.append(identity)
    return uuids


_UNKNOWN: Final = UUID(int=0).is_safe


@dataclass(frozen=True, slots=True, eq=False)
class Nodes:
    """The entities of a snapshot, in columns.

    high, low: halves of the ids. The first `ordered` of them ascend; later ones are in order of arrival.
    kind: index into KINDS. type: index into `type_names`, or NO_TYPE.
    """

    high: npt.NDArray[np.uint64]
    low: npt.NDArray[np.uint64]
    kind: npt.NDArray[np.uint8]
    type: npt.NDArray[np.int32]
    ordered: int
    type_names: tuple[str, ...]
    _type_codes: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        """Index the names."""
        object.__setattr__(self, "_type_codes", {name: code for code, name in enumerate(self.type_names)})

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.high)

    @property
    def nbytes(self) -> int:
        """Bytes of memory they take."""
        return sum(column.nbytes for column in (self.high, self.low, self.kind, self.type))

    def find(self, entity_ids: Sequence[UUID]) -> Indices:
        """Return the index of each id, -1 where there is none."""
        if len(entity_ids) <= _FEW:
            return np.array([self._find(entity_id.int) for entity_id in entity_ids], dtype=np.int32)
        return self.find_pairs(*uuid_pairs(b"".join(entity_id.bytes for entity_id in entity_ids)))

    def find_pairs(self, high: npt.NDArray[np.uint64], low: npt.NDArray[np.uint64]) -> Indices:
        """Return the index of each id, given by its halves; -1 where there is none."""
        ordered_high, ordered_low = self.high[: self.ordered], self.low[: self.ordered]
        begins = np.searchsorted(ordered_high, high, "left")
        ends = np.searchsorted(ordered_high, high, "right")
        # Ids drawn together may share their first half: the second is searched among those that do, all at once.
        while np.any(wide := begins < ends):
            middles = (begins + ends) // 2
            less = np.zeros(len(wide), dtype=np.bool_)
            less[wide] = ordered_low[middles[wide]] < low[wide]
            begins = np.where(less, middles + 1, begins)
            ends = np.where(wide & ~less, middles, ends)
        firsts = begins.astype(np.int32)
        there = begins < self.ordered
        there[there] = (ordered_high[begins[there]] == high[there]) & (ordered_low[begins[there]] == low[there])
        firsts[~there] = -1
        for place in np.flatnonzero(firsts < 0).tolist() if self.ordered < len(self) else ():
            same = (self.high[self.ordered :] == high[place]) & (self.low[self.ordered :] == low[place])
            if same.any():
                firsts[place] = self.ordered + int(np.argmax(same))
        return firsts

    def _find(self, value: int) -> int:
        high, low = np.uint64(value >> 64), np.uint64(value & 0xFFFF_FFFF_FFFF_FFFF)
        ordered = self.high[: self.ordered]
        begin = int(ordered.searchsorted(high))
        if begin < self.ordered and ordered[begin] == high:
            if self.low[begin] != low:  # drawn together with others
                begin += int(self.low[begin : int(ordered.searchsorted(high, "right"))].searchsorted(low))
            if begin < self.ordered and self.low[begin] == low and ordered[begin] == high:
                return begin
        if self.ordered < len(self):
            same = (self.high[self.ordered :] == high) & (self.low[self.ordered :] == low)
            if same.any():
                return self.ordered + int(same.argmax())
        return -1

    def ids(self, indices: Indices) -> list[EntityId]:
        """Return the ids at these indices, in their order."""
        return [EntityId(uuid) for uuid in uuids_of(self.high[indices], self.low[indices])]

    def hexes(self, indices: Indices) -> list[str]:
        """Return the ids at these indices as 32 hexadecimal digits each."""
        pairs = np.empty(len(indices), dtype=UUID_COLUMNS)
        pairs["high"], pairs["low"] = self.high[indices], self.low[indices]
        digits = pairs.tobytes().hex()
        return [digits[at : at + 32] for at in range(0, len(digits), 32)]

    def sort(self, indices: Indices) -> Indices:
        """Return the indices in the order of their ids."""
        if self.ordered == len(self):
            return np.sort(indices)
        return indices[np.lexsort((self.low[indices], self.high[indices]))]

    def kinds_flags(self, kinds: Iterable[EntityKind]) -> Flags:
        """Return, for each kind code, whether it is among these."""
        flags = np.zeros(len(KINDS), dtype=np.bool_)
        flags[[_KIND_CODES[kind] for kind in kinds]] = True
        return flags

    def types_flags(self, types: Iterable[str]) -> Flags:
        """Return, for each type code and last for NO_TYPE, whether it is among these."""
        flags = np.zeros(len(self.type_names) + 1, dtype=np.bool_)
        flags[[code for name in types if (code := self._type_codes.get(name)) is not None]] = True
        return flags

    def extended(self, added: Sequence[tuple[UUID, EntityKind, str | None]]) -> Nodes:
        """Return these and those `added`, (id, kind, type) each, none of which is there."""
        if not added:
            return self
        added = sorted(added, key=lambda item: item[0].int)
        new = {name for *_, name in added if name is not None and name not in self._type_codes}
        type_names = (*self.type_names, *sorted(new))
        codes = {name: code for code, name in enumerate(type_names)}
        high, low = uuid_pairs(b"".join(item.bytes for item, *_ in added))
        follows = self.ordered == len(self) and (
            len(self) == 0 or (int(self.high[-1]), int(self.low[-1])) < (int(high[0]), int(low[0]))
        )
        return Nodes(
            np.concatenate([self.high, high]),
            np.concatenate([self.low, low]),
            np.concatenate([self.kind, np.array([_KIND_CODES[kind] for _, kind, _ in added], dtype=np.uint8)]),
            np.concatenate(
                [
                    self.type,
                    np.array([NO_TYPE if name is None else codes[name] for *_, name in added], dtype=np.int32),
                ]
            ),
            self.ordered + len(added) if follows else self.ordered,
            type_names,
        )

    def retyped(self, types: Sequence[tuple[UUID, str | None]]) -> Nodes:
        """Return these with the types of some changed; ids that are not there are passed over."""
        indices = self.find([type_name for type_name, _ in types])
        known = [(index, name) for index, (_, name) in zip(indices.tolist(), types, strict=True) if index >= 0]
        if not known:
            return self
        type_names = self.type_names
        type_names = (*type_names, *sorted({name for _, name in known if name is not None} - set(type_names)))
        codes = {name: code for code, name in enumerate(type_names)}
        column = self.type.copy()
        for index, name in known:
            column[index] = NO_TYPE if name is None else codes[name]
        return replace(self, type=column, type_names=type_names)
