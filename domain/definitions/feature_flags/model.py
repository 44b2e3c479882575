"""Feature flags: settings that an organization may change at run time. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from domain.definitions.feature_flags.names import DERIVE_SHADOW
from domain.definitions.processors.versions import VERSIONS


@dataclass(frozen=True, slots=True)
class FlagKind:
    """A flag that the code knows. allowed: its values, JSON; default: the value of one that was never set."""

    name: str
    description: str
    allowed: tuple[Any, ...]
    default: Any

    def allows(self, value: Any) -> bool:
        """Return whether the flag can have a value; `true` is not 1."""
        return any(type(value) is type(item) and value == item for item in self.allowed)


@dataclass(frozen=True, slots=True)
class FeatureFlag:
    """A flag of an organization. updated_at (UTC), updated_by: None where it was never set."""

    kind: FlagKind
    value: Any
    updated_at: datetime | None
    updated_by: str | None


KNOWN: Final[tuple[FlagKind, ...]] = (
    FlagKind(
        DERIVE_SHADOW,
        "The version of the stage derive that runs in shadow: how it differs from the one in force is written down, "
        "and nothing else. null: none.",
        (None, *VERSIONS),
        None,
    ),
)
