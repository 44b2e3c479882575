"""The believed edges of a snapshot: compressed adjacency with validity, walked a whole frontier at a time.

Memory: 47 bytes an edge version, and 8 a node.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

import numpy as np
import numpy.typing as npt

from graph.walk.snapshot.nodes import Flags, Indices

Micros = npt.NDArray[np.int64]
Slots = npt.NDArray[np.int64]

# An open end of validity; no instant a reader can name comes after it.
FOREVER: Final = np.iinfo(np.int64).max
# A walk that looks at more than one edge in so many has all of them tested at once.
_PART: Final = 8


@dataclass(frozen=True, slots=True, eq=False)
class EdgeColumns:
    """Edge versions in any order. source, target: indices of nodes. high, low: halves of the version's id.

    valid_from, valid_until: microseconds since PostgreSQL's epoch, half-open; FOREVER: open.
    relationship: index into the snapshot's names.
    """

    source: Indices
    target: Indices
    valid_from: Micros
    valid_until: Micros
    relationship: npt.NDArray[np.uint16]
    high: npt.NDArray[np.uint64]
    low: npt.NDArray[np.uint64]

    def taken(self, which: npt.NDArray[np.generic]) -> EdgeColumns:
        """Return the versions at these places, or those flagged."""
        return EdgeColumns(
            self.source[which],
            self.target[which],
            self.valid_from[which],
            self.valid_until[which],
            self.relationship[which],
            self.high[which],
            self.low[which],
        )

    def joined(self, other: EdgeColumns) -> EdgeColumns:
        """Return these and those."""
        return EdgeColumns(
            np.concatenate([self.source, other.source]),
            np.concatenate([self.target, other.target]),
            np.concatenate([self.valid_from, other.valid_from]),
            np.concatenate([self.valid_until, other.valid_until]),
            np.concatenate([self.relationship, other.relationship]),
            np.concatenate([self.high, other.high]),
            np.concatenate([self.low, other.low]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class EdgeTable:
    """Edges sorted by source; slot: a place in `columns`.

    out_offsets[n] to out_offsets[n + 1]: the slots of the edges from node n. in_offsets: likewise the places in
    in_slots, which hold the slots of the edges to node n. present: the codes of relationships there are. removed:
    versions no longer believed; None: none.
    """

    columns: EdgeColumns
    out_offsets: npt.NDArray[np.int32]
    in_offsets: npt.NDArray[np.int32]
    in_slots: npt.NDArray[np.int32]
    present: npt.NDArray[np.uint16]
    removed: Flags | None = None

    @staticmethod
    def of(columns: EdgeColumns, *, nodes: int) -> EdgeTable:
        """Sort edges between the nodes 0 to `nodes` - 1."""
        if len(columns.source) and np.any(columns.source[1:] < columns.source[:-1]):
            columns = columns.taken(np.argsort(columns.source, kind="stable"))
        in_slots = np.argsort(columns.target, kind="stable").astype(np.int32)
        return EdgeTable(
            columns,
            _offsets(columns.source, nodes),
            _offsets(columns.target, nodes),
            in_slots,
            np.unique(columns.relationship),
        )

    def __len__(self) -> int:
        """Return how many versions it holds, those removed included."""
        return len(self.in_slots)

    @property
    def nbytes(self) -> int:
        """Bytes of memory it takes."""
        arrays = [getattr(self.columns, name) for name in EdgeColumns.__slots__]
        arrays += [self.out_offsets, self.in_offsets, self.in_slots]
        return sum(int(array.nbytes) for array in arrays) + (0 if self.removed is None else self.removed.nbytes)

    def widened(self, nodes: int) -> EdgeTable:
        """Return the table for more nodes, to which none of its edges leads."""
        more = nodes + 1 - len(self.out_offsets)
        if more <= 0:
            return self
        return replace(
            self,
            out_offsets=np.append(self.out_offsets, np.repeat(self.out_offsets[-1:], more)),
            in_offsets=np.append(self.in_offsets, np.repeat(self.in_offsets[-1:], more)),
        )

    def slot_of(self, source: int, version: UUID) -> int | None:
        """Return where a version is, given its source's index; None where it is not."""
        begin, end = int(self.out_offsets[source]), int(self.out_offsets[source + 1])
        high, low = version.int >> 64, version.int & 0xFFFF_FFFF_FFFF_FFFF
        same = (self.columns.high[begin:end] == np.uint64(high)) & (self.columns.low[begin:end] == np.uint64(low))
        return begin + int(np.argmax(same)) if bool(same.any()) else None

    def without(self, slots: list[int]) -> EdgeTable:
        """Return the table with these versions removed."""
        if not slots:
            return self
        removed = np.zeros(len(self), dtype=np.bool_) if self.removed is None else self.removed.copy()
        removed[slots] = True
        return replace(self, removed=removed)

    def believed(self) -> EdgeColumns:
        """Return the versions that are not removed."""
        return self.columns if self.removed is None else self.columns.taken(~self.removed)

    def hop(
        self, frontier: Indices, *, outward: bool, edge_filter: EdgeFilter, with_origins: bool
    ) -> tuple[Slots, Slots | None]:
        """Return the slots of the edges that lead on from these nodes, those that the filter lets through.

        with_origins: return beside each slot the place of its node in `frontier`.
        """
        offsets = self.out_offsets if outward else self.in_offsets
        origins: Slots | None = None
        if len(frontier) == 1:
            places = np.arange(offsets[frontier[0]], offsets[frontier[0] + 1], dtype=np.int64)
            if with_origins:
                origins = np.zeros(len(places), dtype=np.int64)
        else:
            begins = offsets[frontier]
            counts = offsets[frontier + 1] - begins
            ends = counts.cumsum(dtype=np.int64)
            places = np.arange(ends[-1] if len(ends) else 0, dtype=np.int64)
            if not len(places):  # leaves, where most walks end
                return places, places if with_origins else None
            places += (begins - (ends - counts)).repeat(counts)
            if with_origins:
                origins = np.arange(len(frontier)).repeat(counts)
        # take, and places instead of flags: measurably faster than indexing with the same.
        slots = places if outward else self.in_slots.take(places).astype(np.int64)
        matching = np.flatnonzero(edge_filter.keeps(slots))
        return slots.take(matching), None if origins is None else origins.take(matching)

    def ends(self, slots: Slots, *, outward: bool) -> Indices:
        """Return the nodes these edges lead to."""
        return (self.columns.target if outward else self.columns.source).take(slots)


@dataclass(slots=True)
class EdgeFilter:
    """Which of a table's edges one walk follows: those that hold at an instant and bear one of some relationships.

    allowed: by relationship; None: all. A walk that has looked at a part of all edges has all of them tested at once,
    in their order in memory, and looks the rest up.
    """

    table: EdgeTable
    as_of: int
    allowed: Flags | None
    _looked_at: int = 0
    _flags: Flags | None = None

    def keeps(self, slots: Slots) -> Flags:
        """Return a flag for each slot."""
        if self._flags is None:
            self._looked_at += len(slots)
            if self._looked_at * _PART < len(self.table):
                return self._flags_of(slots)
            self._flags = self._flags_of(None)
        return self._flags.take(slots)

    def _flags_of(self, slots: Slots | None) -> Flags:
        def of(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
            return column if slots is None else column.take(slots)

        columns, removed, allowed = self.table.columns, self.table.removed, self.allowed
        keep: Flags = of(columns.valid_from) <= self.as_of
        keep &= of(columns.valid_until) > self.as_of
        if allowed is not None and not allowed[self.table.present].all():
            keep &= allowed.take(of(columns.relationship))
        if removed is not None:
            keep &= ~of(removed)
        return keep


def _offsets(nodes_of_edges: Indices, nodes: int) -> npt.NDArray[np.int32]:
    offsets = np.zeros(nodes + 1, dtype=np.int32)
    np.cumsum(np.bincount(nodes_of_edges, minlength=nodes), out=offsets[1:])
    return offsets
