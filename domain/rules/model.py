"""Rules, their versions by event time, and events. Times are UTC where they are datetimes, microseconds in `_us`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from domain.rules.conditions import Condition


class Severity(StrEnum):
    """How bad an event is, ascending."""

    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"
    CRITICAL = "CRITICAL"


class EventState(StrEnum):
    """Where an event stands: computed, the first that applies of WITHDRAWN, DISMISSED, CLEARED, ACKNOWLEDGED, OPEN."""

    OPEN = "OPEN"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    CLEARED = "CLEARED"
    DISMISSED = "DISMISSED"
    WITHDRAWN = "WITHDRAWN"


class ClearedReason(StrEnum):
    """Why an event is over: its condition, another version of its rule, or its entity left the scope or was deleted."""

    CONDITION = "CONDITION"
    RULE_CHANGED = "RULE_CHANGED"
    SCOPE_LEFT = "SCOPE_LEFT"
    ENTITY_DELETED = "ENTITY_DELETED"


class MarkKind(StrEnum):
    """What a person says of an event."""

    ACKNOWLEDGED = "ACKNOWLEDGED"
    DISMISSED = "DISMISSED"
    COMMENT = "COMMENT"


SEVERITIES: Final = tuple(Severity)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a rule judges: one entity, those of a type, all below one, the assets of a profile; all None: everything."""

    entity_id: UUID | None = None
    kind: str | None = None
    type: str | None = None
    under_id: UUID | None = None
    profile_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """From after_us of being open on, an event has this severity."""

    after_us: int
    severity: Severity


@dataclass(frozen=True, slots=True)
class Damping:
    """An event that would be more than max_events within per_us is merged into the one before."""

    max_events: int = 12
    per_us: int = 3_600_000_000


@dataclass(frozen=True, slots=True)
class RuleVersion:
    """What a rule means for readings from effective_from on, until the next version. condition: as JSON."""

    id: UUID
    rule_id: UUID
    effective_from: datetime
    condition: Mapping[str, Any]
    severity: Severity
    scope: Scope
    action: Mapping[str, Any]
    escalation: Sequence[Step]
    damping: Damping
    is_active: bool


@dataclass(frozen=True, slots=True)
class RecordedRuleVersion:
    """A version of a rule with its system time. actor: who wrote it."""

    version: RuleVersion
    recorded_at: datetime
    actor: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as it was last written. version: the newest by event time. owner_id: the profile that says it, if any."""

    id: UUID
    name: str
    version: RuleVersion
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    owner_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """What a person said of an event, and when."""

    kind: MarkKind
    at: datetime
    actor: str
    note: str | None


@dataclass(frozen=True, slots=True)
class Event:
    """One event. Times are event times, but for detected_at and withdrawn_at. marks: oldest first.

    quiet_until: it opened while it was shelved or in maintenance, and nothing follows from it until then.
    """

    id: UUID
    rule_id: UUID
    entity_id: UUID
    key: str
    began_at: datetime
    opened_at: datetime
    cleared_at: datetime | None
    cleared_reason: str | None
    severity: Severity
    value: float | None
    flaps: int
    detected_at: datetime
    withdrawn_at: datetime | None
    marks: Sequence[Mark]
    quiet_until: datetime | None

    def suppressed(self, now: datetime) -> bool:
        """Tell whether it has been shelved or in maintenance for all of its life, up to now."""
        if self.quiet_until is None:
            return False
        return now < self.quiet_until or (self.cleared_at is not None and self.cleared_at <= self.quiet_until)

    @property
    def state(self) -> EventState:
        """Where it stands."""
        if self.withdrawn_at is not None:
            return EventState.WITHDRAWN
        if self.marked(MarkKind.DISMISSED):
            return EventState.DISMISSED
        if self.cleared_at is not None:
            return EventState.CLEARED
        return EventState.ACKNOWLEDGED if self.marked(MarkKind.ACKNOWLEDGED) else EventState.OPEN

    def marked(self, kind: MarkKind) -> datetime | None:
        """Return when it was first marked so; None: it never was."""
        return next((mark.at for mark in self.marks if mark.kind is kind), None)


@dataclass(frozen=True, slots=True)
class Segment:
    """A version of a rule over [begins_us, ends_us), in which an entity is judged by it. reason: why it ends.

    since_us: since when the same condition has judged the entity without a break, by earlier versions too.
    """

    version: RuleVersion
    condition: Condition
    begins_us: int
    ends_us: int
    since_us: int
    reason: ClearedReason

    @property
    def continues(self) -> bool:
        """Whether what was found by the segment before it goes on: it has the same condition and follows at once."""
        return self.since_us < self.begins_us

    @property
    def key(self) -> str:
        """What a state must bear to be of this segment."""
        return f"{self.version.id.hex}:{self.begins_us}"


@dataclass(frozen=True, slots=True)
class Assignment:
    """A rule that judges an entity, over segments, ascending and apart. metrics: what they read."""

    rule_id: UUID
    segments: Sequence[Segment]
    metrics: frozenset[str]
