"""The self-check of an installation: what stands is compared with what a recomputation gives."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID


class Of(StrEnum):
    """What is compared: derived points, events of rules, stored states of rules, points of rollups and of health."""

    DERIVED = "derived"
    EVENTS = "events"
    STATES = "states"
    ROLLUPS = "rollups"
    HEALTH = "health"


# So much of the present is left out: work on it may not have been done yet.
SETTLED_AFTER_US: Final = 5 * 60_000_000
# And so much of what lies before is recomputed.
SPAN_US: Final = 2 * 3_600_000_000


@dataclass(frozen=True, slots=True)
class CheckedSpan:
    """The span of event time that is recomputed: [begins_us, ends_us), microseconds since the Unix epoch."""

    begins_us: int
    ends_us: int


@dataclass(frozen=True, slots=True)
class Difference:
    """Where what stands is not what a recomputation gives.

    subject: the metric; of events and states, the rule, and after a colon the port. stored, computed: as text, None
    for nothing. since_us: from when on all has to be derived anew to put it right.
    """

    of: Of
    entity_id: UUID
    subject: str
    at_us: int
    stored: str | None
    computed: str | None
    since_us: int


@dataclass(slots=True)
class Report:
    """What a check found out. checks: entities compared, by kind; skipped: those on which work is still to be done."""

    checks: Counter[Of] = field(default_factory=Counter)
    skipped: Counter[Of] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class FoundDifference:
    """A difference as it was written down. repaired_at: when it was marked to be derived anew, and not found since."""

    organization: str
    of: Of
    entity_id: UUID
    subject: str
    at: datetime
    stored: str | None
    computed: str | None
    since: datetime
    found_at: datetime
    seen_at: datetime
    repaired_at: datetime | None
