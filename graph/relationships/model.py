"""Relationships, as data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from graph.kinds import EntityKind


class Exclusive(StrEnum):
    """Which end may have only one edge of the relationship at a time."""

    SOURCE = "SOURCE"
    TARGET = "TARGET"
    TARGET_PORT = "TARGET_PORT"


@dataclass(frozen=True, slots=True)
class Relationship:
    """A way in which two entities can be connected: source NAME target, target INVERSE source.

    hierarchy: its edges, together with those of all other hierarchies, never form a circle at any instant.
    exclusive: None means no limit but by an edge's own choice. exclusive_among: the limit counts edges from sources
    of these kinds only; None means of any. retired_at: from then on no new edge may bear it; those there are stay.
    """

    name: str
    inverse: str
    source_kinds: frozenset[EntityKind]
    target_kinds: frozenset[EntityKind]
    hierarchy: bool = False
    exclusive: Exclusive | None = None
    exclusive_among: frozenset[EntityKind] | None = None
    built_in: bool = False
    retired_at: datetime | None = None
