"""The self-check of an installation: stored results are compared with a recomputation."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID


class CheckKind(StrEnum):
    """Kinds of checks: derived points, events of rules, stored states of rules, points of rollups and of health."""

    DERIVED = "derived"
    EVENTS = "events"
    STATES = "states"
    ROLLUPS = "rollups"
    HEALTH = "health"


# So much of the present is left out: work on it may not have been done yet.
CHECK_DELAY_US: Final = 5 * 60_000_000
# And so much of what lies before is recomputed.
SPAN_US: Final = 2 * 3_600_000_000


@dataclass(frozen=True, slots=True)
class CheckedSpan:
    """The span of event time that is recomputed: [begins_us, ends_us), microseconds since the Unix epoch."""

    begins_us: int
    ends_us: int


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference between a stored result and a recomputation.

    subject: the metric; of events and states, the rule, and after a colon the port. stored, computed: as text, None
    for nothing. since_us: from when on all has to be recomputed to put it right.
    """

    kind: CheckKind
    entity_id: UUID
    subject: str
    at_us: int
    stored: str | None
    computed: str | None
    since_us: int


@dataclass(slots=True)
class Report:
    """The report of a check. checks: entities compared, by kind; skipped: those with pending invalidations."""

    checks: Counter[CheckKind] = field(default_factory=Counter)
    skipped: Counter[CheckKind] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class FoundDifference:
    """A stored difference. repaired_at: when its recomputation was ordered; it was not found since."""

    organization: str
    kind: CheckKind
    entity_id: UUID
    subject: str
    at: datetime
    stored: str | None
    computed: str | None
    since: datetime
    found_at: datetime
    seen_at: datetime
    repaired_at: datetime | None
