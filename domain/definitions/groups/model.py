"""Groups of entities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class GroupKind(StrEnum):
    """How a group gets its members: by a filter, or by hand."""

    DYNAMIC = "DYNAMIC"
    STATIC = "STATIC"


@dataclass(frozen=True, slots=True)
class Group:
    """A group. filter: of a dynamic one, as JSON in the contract's names. Times UTC."""

    id: UUID
    name: str
    description: str | None
    kind: GroupKind
    filter: Mapping[str, Any] | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
