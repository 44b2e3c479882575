"""Failed items of queues: what failed, why, and when it is tried again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

# A failed item is set aside at this try; the pauses before grow by the factor.
TRIES_MAX: Final = 5
PAUSE_FIRST_S: Final = 1.0
PAUSE_FACTOR: Final = 4.0


class FailedQueue(StrEnum):
    """The queues whose items are isolated."""

    EVENT_CHANGES = "EVENT_CHANGES"
    SUPPRESSION = "SUPPRESSION"
    DERIVATION = "DERIVATION"
    TIMERS = "TIMERS"
    ROLLUPS = "ROLLUPS"
    HEALTH = "HEALTH"
    HOURLY_AGGREGATES = "HOURLY_AGGREGATES"
    BATCHES = "BATCHES"
    RETENTION = "RETENTION"


class FailedItemState(StrEnum):
    """RETRYING: retried automatically. SET_ASIDE: retried when somebody asks for it. RESOLVED: it was done."""

    RETRYING = "RETRYING"
    SET_ASIDE = "SET_ASIDE"
    RESOLVED = "RESOLVED"


@dataclass(frozen=True, slots=True)
class FailedItem:
    """One failed item. Times UTC. organization_id None: of the installation.

    item: its key within the queue. holds: the key of what else waits until it is done. tries: since somebody last asked
    for a retry. due_at: when it is tried again; None: it is set aside.
    """

    organization_id: int | None
    id: UUID
    queue: FailedQueue
    item: str
    holds: str
    reason: str
    tries: int
    first_failed_at: datetime
    last_failed_at: datetime
    due_at: datetime | None
    resolved_at: datetime | None

    @property
    def state(self) -> FailedItemState:
        """The current state."""
        if self.resolved_at is not None:
            return FailedItemState.RESOLVED
        return FailedItemState.SET_ASIDE if self.due_at is None else FailedItemState.RETRYING
