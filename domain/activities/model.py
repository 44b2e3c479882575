"""What an activity has beside what every entity has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from domain.activities.tables import activities
from domain.noun import Noun
from graph.kinds import EntityKind

STATUS_DEFAULT: Final = "open"
CATEGORY_DEFAULT: Final = "general"
PRIORITY_DEFAULT: Final = "medium"

ACTIVITY: Final = Noun(
    EntityKind.ACTIVITY,
    activities,
    {"category": "category", "priority": "priority", "due_at": "dueAt", "checklist": "checklist"},
    status_default=STATUS_DEFAULT,
)


@dataclass(frozen=True, slots=True)
class ActivityDetails:
    """The details of one activity. due_at: UTC. checklist: items with `text` and `done`, see checklist.py."""

    category: str
    priority: str
    due_at: datetime | None
    checklist: Sequence[Mapping[str, Any]]
