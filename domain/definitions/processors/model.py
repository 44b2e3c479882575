"""Processor versions of a stage, and the promotions that put them in force. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from domain.base.streams import DERIVE
from domain.definitions.processors.versions import VERSIONS, Version

# So many changes of one stage's version an organization may keep.
PROMOTIONS_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Promotion:
    """A version that is in force from effective_from (event time, UTC) until the next promotion."""

    version: int
    effective_from: datetime
    recorded_at: datetime
    actor: str


@dataclass(frozen=True, slots=True)
class Processor:
    """A stage of an organization. versions: those the code knows.

    promotions: ascending; before the first: version 1.
    """

    stage: str
    versions: Sequence[Version]
    promotions: Sequence[Promotion]

    def in_force(self, at: datetime) -> int:
        """Return the version in force at an instant of event time."""
        versions = [promotion.version for promotion in self.promotions if promotion.effective_from <= at]
        return versions[-1] if versions else self.versions[0].number


# The stages that have versions.
STAGES: Final = {DERIVE: VERSIONS}
