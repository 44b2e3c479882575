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


def _link(name: str, inverse: str) -> Relationship:
    # A space may share a device's port with an asset: a room's thermometer is also the air handler's.
    return Relationship(
        name,
        inverse,
        _ASSET | _SPACE,
        _DEVICE,
        exclusive=Exclusive.TARGET_PORT,
        exclusive_among=_ASSET,
        built_in=True,
    )


BUILT_IN: Final = (
    Relationship(CONTAINS, "CONTAINED_IN", _SPACE, _SPACE, hierarchy=True, built_in=True),
    Relationship(LOCATED_IN, "LOCATION_OF", _DEVICE | _ASSET | _PERSON, _SPACE | _ASSET, built_in=True),
    Relationship(HAS_PART, "PART_OF", _ASSET, _ASSET, hierarchy=True, built_in=True),
    _link(MONITORED_BY, "MONITORS"),
    _link(CONTROLLED_BY, "CONTROLS"),
    Relationship(FEEDS, "FED_BY", _ASSET, _ASSET | _SPACE, built_in=True),
    Relationship(ASSIGNED_TO, "HAS_ASSIGNMENT", _ACTIVITY, _PERSON, built_in=True),
    Relationship(TARGETS, "TARGETED_BY", _ACTIVITY, frozenset(EntityKind), built_in=True),
)
