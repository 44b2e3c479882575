"""A shadow: a stage's version that runs beside the one in force, its progress and its differences. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

# So many differences of one stage are stored for an organization.
DIFFERENCES_MAX: Final = 100_000


@dataclass(frozen=True, slots=True)
class Shadow:
    """The progress of a stage's shadow since it began (UTC).

    compared: points compared, counted each time. different: how many differ now, as far as they are stored. omitted:
    differences beyond the maximum that is stored; where there are any, the list is not complete.
    errors: entities that the version in shadow failed on, each time it did. last_error: the message.
    """

    stage: str
    version: int
    since: datetime
    compared: int
    different: int
    omitted: int
    errors: int
    last_error: str | None


@dataclass(frozen=True, slots=True)
class ShadowDifference:
    """A point on which a version in shadow differs from the one in force; a value of None: no point."""

    entity_id: UUID
    metric: str
    timestamp: datetime
    version: int
    value: float | None
    shadow_version: int
    shadow_value: float | None


@dataclass(frozen=True, slots=True)
class ShadowFilter:
    """A filter of differences; None: any. [begins, ends): of the points' own time."""

    entity_id: UUID | None = None
    metric: str | None = None
    begins: datetime | None = None
    ends: datetime | None = None
