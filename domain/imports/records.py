"""What an import file says, before anything is written: entities and edges by external id, and what is odd."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graph.kinds import EntityKind


@dataclass(frozen=True, slots=True)
class EntityRecord:
    """An entity a file describes. type None: of no type."""

    external_id: str
    kind: EntityKind
    name: str
    type: str | None
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EdgeRecord:
    """An edge a file describes, between external ids."""

    source: str
    relationship: str
    target: str


@dataclass(frozen=True, slots=True)
class Remark:
    """Something the file says that is not taken over, or not as it stands. subject: what it is about."""

    subject: str
    message: str


@dataclass(slots=True)
class Model:
    """All a file says. relations: how often each canonical relation is stated, before mapping."""

    entities: dict[str, EntityRecord] = field(default_factory=dict)
    edges: list[EdgeRecord] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    relations: dict[str, int] = field(default_factory=dict)
