"""Dead letters: readings, or single metrics of readings, that a stage could not process, with the reason."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class DeadLetterState(StrEnum):
    """State of a dead letter. OPEN: as it failed. RESOLVED: a later attempt succeeded.

    DISCARDED: somebody gave it up.
    """

    OPEN = "OPEN"
    RESOLVED = "RESOLVED"
    DISCARDED = "DISCARDED"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One dead letter. metric None: it is about the whole reading. All times are UTC.

    payload: what could not be processed. received_at: of the reading. attempts: how often it has failed.
    """

    id: UUID
    raw_id: int
    device_id: UUID
    stage: str
    metric: str | None
    code: str
    message: str
    payload: Any
    received_at: datetime
    attempts: int
    failed_at: datetime
    resolved_at: datetime | None
    discarded_at: datetime | None
    discarded_by: str | None

    @property
    def state(self) -> DeadLetterState:
        """The current state."""
        if self.discarded_at is not None:
            return DeadLetterState.DISCARDED
        return DeadLetterState.OPEN if self.resolved_at is None else DeadLetterState.RESOLVED


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterFilter:
    """A filter of dead letters; None: no condition; an empty collection: none. [begins, ends): of the time of receipt.

    states None: open ones.
    """

    ids: Collection[UUID] | None = None
    stages: Collection[str] | None = None
    codes: Collection[str] | None = None
    device_id: UUID | None = None
    begins: datetime | None = None
    ends: datetime | None = None
    states: Collection[DeadLetterState] | None = None


@dataclass(frozen=True, slots=True)
class DeadLetterGroup:
    """Dead letters of one stage and code together. first, last: the earliest and the latest time of receipt."""

    stage: str
    code: str
    count: int
    devices: int
    first: datetime
    last: datetime
    message: str
