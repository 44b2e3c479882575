"""The relationships every organization has from its first day."""

from __future__ import annotations

from typing import Final

from graph.kinds import EntityKind
from graph.relationships.model import Exclusive, Relationship

CONTAINS: Final = "CONTAINS"
LOCATED_IN: Final = "LOCATED_IN"
HAS_PART: Final = "HAS_PART"
MONITORED_BY: Final = "MONITORED_BY"
CONTROLLED_BY: Final = "CONTROLLED_BY"
FEEDS: Final = "FEEDS"
ASSIGNED_TO: Final = "ASSIGNED_TO"
TARGETS: Final = "TARGETS"

# The relationships that make a link: what a device measures or moves.
LINKS: Final = (MONITORED_BY, CONTROLLED_BY)

_DEVICE = frozenset({EntityKind.DEVICE})
_ASSET = frozenset({EntityKind.ASSET})
_SPACE = frozenset({EntityKind.SPACE})
_PERSON = frozenset({EntityKind.PERSON})
_ACTIVITY = frozenset({EntityKind.ACTIVITY})


BUILT_IN: Final = (
    Relationship(CONTAINS, "CONTAINED_IN", _SPACE, _SPACE, hierarchy=True, built_in=True),
    Relationship(LOCATED_IN, "LOCATION_OF", _DEVICE | _ASSET | _PERSON, _SPACE | _ASSET, built_in=True),
    Relationship(HAS_PART, "PART_OF", _ASSET, _ASSET, hierarchy=True, built_in=True),
    # Shared sensors are normal: a weather station, the temperature in a header. A link may be exclusive by choice.
    Relationship(MONITORED_BY, "MONITORS", _ASSET | _SPACE, _DEVICE, built_in=True),
    # What two assets' controls would move at once is a mistake; a room's actuator is also its air handler's.
    Relationship(
        CONTROLLED_BY,
        "CONTROLS",
        _ASSET | _SPACE,
        _DEVICE,
        exclusive=Exclusive.TARGET_PORT,
        exclusive_among=_ASSET,
        built_in=True,
    ),
    Relationship(FEEDS, "FED_BY", _ASSET, _ASSET | _SPACE, built_in=True),
    Relationship(ASSIGNED_TO, "HAS_ASSIGNMENT", _ACTIVITY, _PERSON, built_in=True),
    Relationship(TARGETS, "TARGETED_BY", _ACTIVITY, frozenset(EntityKind), built_in=True),
)
