"""Replays: reprocess the readings of a time span."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class ReplayState(StrEnum):
    """State of a replay. The last three are final."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    FINISHED = "FINISHED"
    CANCELLED = "CANCELLED"
    FAILED = "FAILED"

    @property
    def is_over(self) -> bool:
        """Whether the state is final."""
        return self not in (ReplayState.QUEUED, ReplayState.RUNNING)


@dataclass(frozen=True, slots=True)
class Replay:
    """One replay. [begins, ends): the readings' own time. device_ids None: all. All times are UTC.

    total: readings, as counted when it began. done: those looked at. changes: what was other than it should be, and
    was put right, or with dry_run would be: see `domain/pipeline/normalize/diff.py`. message: why it failed.
    side_effects: whether what follows from the changes may act on the world beyond (activities, notifications).
    """

    id: UUID
    begins: datetime
    ends: datetime
    device_ids: Sequence[UUID] | None
    dry_run: bool
    side_effects: bool
    actor: str
    state: ReplayState
    total: int
    done: int
    changes: Mapping[str, Any]
    message: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
