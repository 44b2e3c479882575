"""Versions of edges: one belief about one edge each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from graph.edges.rules import Interval
from graph.ids import EdgeId, EdgeVersionId, EntityId
from graph.kinds import EntityKind


@dataclass(frozen=True, slots=True)
class EdgeVersion:
    """source RELATIONSHIP target, true from valid_from to valid_until, believed from recorded_at on.

    id names this version, edge_id the edge through all its versions: those have the same source, target,
    relationship and port. exclusive: it has its place (`graph.edges.rules.Place`) alone. valid_until None: open.
    retracted_at: since when this version is no longer believed, because it was corrected or retracted; None: it is
    believed. All times are UTC.
    """

    id: EdgeVersionId
    edge_id: EdgeId
    relationship: str
    source_id: EntityId
    source_kind: EntityKind
    target_id: EntityId
    target_kind: EntityKind
    port: int | None
    exclusive: bool
    metadata: Mapping[str, Any]
    valid_from: datetime
    valid_until: datetime | None
    recorded_at: datetime
    retracted_at: datetime | None = None

    @property
    def valid(self) -> Interval:
        """The half-open interval during which it was true."""
        return Interval(self.valid_from, self.valid_until)
