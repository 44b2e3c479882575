"""Import records: an entity, an edge, a type or a relationship each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from graph.absent import ABSENT, Absent
from graph.kinds import EntityKind
from graph.relationships.model import Exclusive


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityRecord:
    """An entity. It is found by its external id, without one by its id; where neither is there it is made.

    details: what its kind has besides, by column, checked. profile: the name of an asset's. ignored: fields of the file
    that mean nothing here. deleted_at: when it was deleted; it is deleted once the file
    is read, so that the edges it had are there. given: which fields the file says; the others stay. line: its line in
    the file.
    """

    kind: EntityKind
    name: str
    external_id: str | None = None
    id: UUID | None = None
    type: str | None = None
    status: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    location: Mapping[str, Any] | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    profile: str | Absent | None = ABSENT
    ignored: tuple[str, ...] = ()
    deleted_at: datetime | None = None
    given: frozenset[str] = frozenset({"name", "type", "attributes"})
    line: int | None = None

    @property
    def label(self) -> str:
        """The name of the record in messages."""
        return self.external_id or str(self.id or self.name)


@dataclass(frozen=True, slots=True)
class Ref:
    """An end of an edge: by external id, of a kind where one is given, or by id."""

    external_id: str | None = None
    kind: EntityKind | None = None
    id: UUID | None = None

    @property
    def label(self) -> str:
        """The name of the record in messages."""
        return self.external_id or str(self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeRecord:
    """An edge between two ends. exclusive None: nothing is said; valid_from None: that of the import as a whole."""

    source: Ref
    relationship: str
    target: Ref
    port: int | None = None
    exclusive: bool | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    line: int | None = None

    @property
    def label(self) -> str:
        """The name of the record in messages."""
        return f"{self.source.label} {self.relationship} {self.target.label}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeRecord:
    """A type of entity. telemetry_schema None: none is given."""

    kind: EntityKind
    name: str
    description: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    telemetry_schema: Mapping[str, Any] | None = None
    line: int | None = None

    @property
    def label(self) -> str:
        """The name of the record in messages."""
        return self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationshipRecord:
    """A relationship of the organization's own."""

    name: str
    inverse: str
    source_kinds: frozenset[EntityKind]
    target_kinds: frozenset[EntityKind]
    hierarchy: bool = False
    exclusive: Exclusive | None = None
    line: int | None = None

    @property
    def label(self) -> str:
        """The name of the record in messages."""
        return self.name


Record = EntityRecord | EdgeRecord | TypeRecord | RelationshipRecord


@dataclass(frozen=True, slots=True)
class Remark:
    """A remark on something in the file that is not imported, or not as it is.

    subject: what it is about. code: as errors bear it; None: nothing is wrong, it is only a remark. line: where.
    path: the field at fault.
    """

    subject: str
    message: str
    code: str | None = None
    line: int | None = None
    path: tuple[str, ...] = ()
