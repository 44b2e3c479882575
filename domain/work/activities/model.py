"""Details of activities, besides those of every entity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from domain.plant.entity_kind import EntityKindSpec
from domain.work.activities.tables import activities
from graph.kinds import EntityKind

STATUS_DEFAULT: Final = "open"
CATEGORY_DEFAULT: Final = "general"
PRIORITY_DEFAULT: Final = "medium"

ACTIVITY: Final = EntityKindSpec(
    EntityKind.ACTIVITY,
    activities,
    {
        "category": "category",
        "priority": "priority",
        "due_at": "dueAt",
        "checklist": "checklist",
        "suggestion": "closingSuggestion",
    },
    status_default=STATUS_DEFAULT,
)


@dataclass(frozen=True, slots=True)
class ActivityDetails:
    """The details of one activity. due_at: UTC. checklist: items with `text` and `done`, see checklist.py.

    suggestion: {action, eventId, at}: what its event has come to suggests to close it, or to cancel it.
    """

    category: str
    priority: str
    due_at: datetime | None
    checklist: Sequence[Mapping[str, Any]]
    suggestion: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of an automatic activity: a rule's event of one entity."""

    rule_id: UUID
    event_id: UUID
    target_id: UUID


@dataclass(frozen=True, slots=True)
class ActivitySource:
    """The source of an activity: template, rule, event; None: it has none."""

    template_id: UUID | None
    rule_id: UUID | None
    event_id: UUID | None
    target_id: UUID | None


class StepKind(StrEnum):
    """Kind of a step in an activity's history."""

    CREATED = "CREATED"
    MOVED = "MOVED"
    ASSIGNED = "ASSIGNED"
    ITEM = "ITEM"
    EVENT = "EVENT"
    SUGGESTED = "SUGGESTED"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an activity's history: who did what and when. recorded_at: UTC.

    from_status, to_status: of a MOVED one. person_id: of an ASSIGNED one, None: to nobody. item_id: of an ITEM one.
    event_id: of one that an event made.
    """

    id: UUID
    activity_id: UUID
    recorded_at: datetime
    actor: str
    kind: StepKind
    from_status: str | None
    to_status: str | None
    person_id: UUID | None
    item_id: str | None
    event_id: UUID | None
    note: str | None
