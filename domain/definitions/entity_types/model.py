"""Entity types: finer than kinds, and data; with their telemetry schemas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from graph.kinds import EntityKind


@dataclass(frozen=True, slots=True)
class EntityType:
    """A type of entity. telemetry_schema: the one in force at the time asked for, {} where there is none.

    All times are UTC.
    """

    id: UUID
    kind: EntityKind
    name: str
    description: str | None
    telemetry_schema: Mapping[str, Any]
    attributes: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class SchemaVersion:
    """A version of a type's telemetry schema: in force from effective_from (event time) until that of the next.

    recorded_at: when it was written, or written again, for that time (system time).
    """

    effective_from: datetime
    recorded_at: datetime
    telemetry_schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SchemaReach:
    """The reach of a schema version: readings of entities of this kind and type, by their timestamps.

    From `begins` to before `ends`, where the next version is in force; None: for ever.
    """

    kind: EntityKind
    type_name: str
    begins: datetime
    ends: datetime | None
