"""Activity templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class ActivityTemplate:
    """A template. type: of the activities. checklist: items {text, ...}. due_in: after creation. Times UTC."""

    id: UUID
    name: str
    description: str | None
    type: str | None
    default_priority: str | None
    default_assigned_role: str | None
    checklist: Sequence[Mapping[str, Any]]
    due_in: timedelta | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
