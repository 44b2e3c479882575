"""Rules, their versions by event time, and events. Times are UTC where they are datetimes, microseconds in `_us`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from domain.rules.conditions import Condition


class Severity(StrEnum):
    """Severity of an event, ascending."""

    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"
    CRITICAL = "CRITICAL"


class EventState(StrEnum):
    """State of an event: the first that applies of WITHDRAWN, DISMISSED, CLEARED, ACKNOWLEDGED, OPEN."""

    OPEN = "OPEN"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    CLEARED = "CLEARED"
    DISMISSED = "DISMISSED"
    WITHDRAWN = "WITHDRAWN"


class ClearedReason(StrEnum):
    """Why an event cleared: its condition, another version of its rule, or its entity left the scope or was deleted."""

    CONDITION = "CONDITION"
    RULE_CHANGED = "RULE_CHANGED"
    SCOPE_LEFT = "SCOPE_LEFT"
    ENTITY_DELETED = "ENTITY_DELETED"


class AnnotationKind(StrEnum):
    """Kind of an annotation."""

    ACKNOWLEDGED = "ACKNOWLEDGED"
    DISMISSED = "DISMISSED"
    COMMENT = "COMMENT"


SEVERITIES: Final = tuple(Severity)


@dataclass(frozen=True, slots=True)
class Scope:
    """The entities of a rule: one, those of a type, all below one, a profile's assets, a group; all None: every entity.

    group_id: of a static group.
    """

    entity_id: UUID | None = None
    kind: str | None = None
    type: str | None = None
    under_id: UUID | None = None
    profile_id: UUID | None = None
    group_id: UUID | None = None


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
    """A version of a rule, for readings from effective_from on until the next version. condition: as JSON."""

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
    """A rule. version: the newest by event time. owner_id: the profile that defines it, if any."""

    id: UUID
    name: str
    version: RuleVersion
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    owner_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFilter:
    """Conditions on rules by their newest version; None: no condition. search: a part of the name.

    include_deleted: also those that are deleted.
    """

    search: str | None = None
    severities: Collection[Severity] | None = None
    is_active: bool | None = None
    include_deleted: bool = False


@dataclass(frozen=True, slots=True)
class Annotation:
    """An annotation of an event by a person."""

    kind: AnnotationKind
    at: datetime
    actor: str
    note: str | None


@dataclass(frozen=True, slots=True)
class Event:
    """One event. Times are event times, but for detected_at and withdrawn_at. annotations: oldest first.

    suppressed_until: it opened while it was shelved or in maintenance, and nothing follows from it until then.
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
    annotations: Sequence[Annotation]
    suppressed_until: datetime | None

    def suppressed(self, now: datetime) -> bool:
        """Return whether the event has been shelved or in maintenance for all of its life, up to now."""
        if self.suppressed_until is None:
            return False
        return now < self.suppressed_until or (self.cleared_at is not None and self.cleared_at <= self.suppressed_until)

    @property
    def state(self) -> EventState:
        """The current state."""
        if self.withdrawn_at is not None:
            return EventState.WITHDRAWN
        if self.annotated_at(AnnotationKind.DISMISSED):
            return EventState.DISMISSED
        if self.cleared_at is not None:
            return EventState.CLEARED
        return EventState.ACKNOWLEDGED if self.annotated_at(AnnotationKind.ACKNOWLEDGED) else EventState.OPEN

    def annotated_at(self, kind: AnnotationKind) -> datetime | None:
        """Return when the event first got this annotation; None: never."""
        return next((annotation.at for annotation in self.annotations if annotation.kind is kind), None)


@dataclass(frozen=True, slots=True)
class Segment:
    """A version of a rule over [begins_us, ends_us), in which an entity is evaluated by it. reason: why it ends.

    since_us: since when the same condition has evaluated the entity without a break, by earlier versions too.
    """

    version: RuleVersion
    condition: Condition
    begins_us: int
    ends_us: int
    since_us: int
    reason: ClearedReason

    @property
    def continues(self) -> bool:
        """Whether it continues the previous segment: it has the same condition and follows at once."""
        return self.since_us < self.begins_us

    @property
    def key(self) -> str:
        """The key that states of this segment carry."""
        return f"{self.version.id.hex}:{self.begins_us}"


@dataclass(frozen=True, slots=True)
class Assignment:
    """A rule that evaluates an entity, over segments, ascending and disjoint. metrics: what they read."""

    rule_id: UUID
    segments: Sequence[Segment]
    metrics: frozenset[str]
