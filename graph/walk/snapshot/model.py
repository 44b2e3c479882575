"""An organization's believed graph in memory, as it stood at one revision. Never changed: a change makes another."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import numpy as np

from graph.kinds import EntityKind
from graph.walk.snapshot.edges import FOREVER, EdgeColumns, EdgeTable
from graph.walk.snapshot.nodes import Flags, Nodes, uuid_pairs

# PostgreSQL counts microseconds from here.
EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
# So many changed versions, or this share of all, are kept beside the sorted ones before all are sorted again.
RECENT_MIN: Final = 2_000
RECENT_SHARE: Final = 1 / 50


def micros_of(instant: datetime) -> int:
    """Return an instant in microseconds since EPOCH."""
    return (instant - EPOCH) // _MICROSECOND


@dataclass(frozen=True, slots=True)
class AddedEdge:
    """A version that was added, with the kinds and types of its ends."""

    id: UUID
    relationship: str
    source_id: UUID
    source_kind: EntityKind
    source_type: str | None
    target_id: UUID
    target_kind: EntityKind
    target_type: str | None
    valid_from: datetime
    valid_until: datetime | None


@dataclass(frozen=True, slots=True)
class ClosedEdge:
    """A version that was closed."""

    id: UUID
    source_id: UUID


@dataclass(frozen=True, slots=True)
class Delta:
    """The changes since a snapshot. hierarchies: the names of all hierarchies, by now."""

    revision: int
    recorded: datetime
    added: Sequence[AddedEdge] = ()
    closed: Sequence[ClosedEdge] = ()
    types: Sequence[tuple[UUID, str | None]] = ()
    hierarchies: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """revision, recorded: of the organization's clock, the last change it knows.

    relationships: names by code. hierarchies: those of them that are. tables: the sorted edges, and those that
    came since; an edge version is in one of them.
    """

    revision: int
    recorded: datetime
    nodes: Nodes
    relationships: tuple[str, ...]
    hierarchies: frozenset[str]
    tables: tuple[EdgeTable, ...]

    @property
    def nbytes(self) -> int:
        """Bytes of memory it takes."""
        return self.nodes.nbytes + sum(table.nbytes for table in self.tables)

    @property
    def edges(self) -> int:
        """How many edge versions it holds, those gone included."""
        return sum(len(table) for table in self.tables)

    def flags(self, names: Collection[str] | None) -> Flags | None:
        """Return, for each relationship's code, whether it is among these names; None: all are."""
        if names is None:
            return None
        return np.array([name in names for name in self.relationships] or [False], dtype=np.bool_)

    def applied(self, delta: Delta) -> Snapshot:
        """Return the snapshot with the changes applied."""
        nodes = self._nodes_after(delta)
        relationships = self.relationships
        relationships = (*relationships, *sorted({edge.relationship for edge in delta.added} - set(relationships)))
        base, recent = (table.widened(len(nodes)) for table in self.tables)
        if delta.closed:
            sources = self.nodes.find([edge.source_id for edge in delta.closed]).tolist()
            slots: tuple[list[int], list[int]] = ([], [])
            for source, edge in zip(sources, delta.closed, strict=True):
                for table, table_slots in zip((base, recent), slots, strict=True):
                    # One that came and went between two looks was never here.
                    slot = None if source < 0 else table.slot_of(source, edge.id)
                    if slot is not None:
                        table_slots.append(slot)
            base, recent = base.without(slots[0]), recent.without(slots[1])
        if delta.added or recent.removed is not None:
            columns = recent.believed().joined(_columns(delta.added, nodes, relationships))
            recent = EdgeTable.of(columns, nodes=len(nodes))
        after = Snapshot(delta.revision, delta.recorded, nodes, relationships, delta.hierarchies, (base, recent))
        removed = 0 if base.removed is None else int(base.removed.sum())
        return after.compacted() if len(recent) + removed > max(RECENT_MIN, len(base) * RECENT_SHARE) else after

    def compacted(self) -> Snapshot:
        """Return the same graph with all edges in one sorted table and all nodes in the order of their ids."""
        columns = self.tables[0].believed()
        for table in self.tables[1:]:
            columns = columns.joined(table.believed())
        nodes = self.nodes
        if nodes.ordered < len(nodes):
            order = np.lexsort((nodes.low, nodes.high))
            place = np.empty(len(order), dtype=np.int32)
            place[order] = np.arange(len(order), dtype=np.int32)
            columns = replace(columns, source=place[columns.source], target=place[columns.target])
            nodes = replace(
                nodes,
                high=nodes.high[order],
                low=nodes.low[order],
                kind=nodes.kind[order],
                type=nodes.type[order],
                ordered=len(order),
            )
        return replace(self, nodes=nodes, tables=tables_of(columns, nodes=len(nodes)))

    def _nodes_after(self, delta: Delta) -> Nodes:
        ends: dict[UUID, tuple[EntityKind, str | None]] = {}
        for edge in delta.added:
            ends[edge.source_id] = edge.source_kind, edge.source_type
            ends[edge.target_id] = edge.target_kind, edge.target_type
        nodes = self.nodes
        if ends:
            there = nodes.find(list(ends)).tolist()
            new = [(end, *ends[end]) for end, index in zip(ends, there, strict=True) if index < 0]
            nodes = nodes.extended(new)
        return nodes.retyped(delta.types) if delta.types else nodes


def tables_of(columns: EdgeColumns, *, nodes: int) -> tuple[EdgeTable, ...]:
    """Return the tables of a snapshot in which nothing is recent."""
    return EdgeTable.of(columns, nodes=nodes), EdgeTable.of(columns.taken(np.zeros(0, dtype=np.int64)), nodes=nodes)


def _columns(added: Sequence[AddedEdge], nodes: Nodes, relationships: tuple[str, ...]) -> EdgeColumns:
    codes = {name: code for code, name in enumerate(relationships)}
    high, low = uuid_pairs(b"".join(edge.id.bytes for edge in added))
    return EdgeColumns(
        nodes.find([edge.source_id for edge in added]),
        nodes.find([edge.target_id for edge in added]),
        np.array([micros_of(edge.valid_from) for edge in added], dtype=np.int64),
        np.array(
            [FOREVER if edge.valid_until is None else micros_of(edge.valid_until) for edge in added], dtype=np.int64
        ),
        np.array([codes[edge.relationship] for edge in added], dtype=np.uint16),
        high,
        low,
    )
