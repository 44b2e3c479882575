"""Stays: when something that moves was in the area of a space."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Stay:
    """Something was in the area of a space over [entered, left), event time in UTC.

    space_id: None where no space bears the external id that the formula names. metric: the derived metric that says so.
    entered None: earlier than was read back. left None: it has not left, as far as is known. is_lost: it stopped
    sending inside; left is then when its last fix no longer counted.
    """

    entity_id: UUID
    space_id: UUID | None
    metric: str
    entered: datetime | None
    left: datetime | None
    is_lost: bool
