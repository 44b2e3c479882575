"""Shelves and maintenance windows. Spans are [begins, ends), UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Shelf:
    """A shelf: suppresses events of a rule, at an entity, or both, that open in it, in event time."""

    id: UUID
    rule_id: UUID | None
    entity_id: UUID | None
    begins: datetime
    ends: datetime
    note: str | None
    created_at: datetime
    actor: str


@dataclass(frozen=True, slots=True)
class MaintenanceWindow:
    """A maintenance window: suppresses events that open in it, at an entity or below it; None: anywhere."""

    id: UUID
    under_id: UUID | None
    begins: datetime
    ends: datetime
    note: str | None
    created_at: datetime
    actor: str
