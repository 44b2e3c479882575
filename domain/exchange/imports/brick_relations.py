"""Map Brick's relations to edges, with the relationships of an organization's own that some of them need."""

from __future__ import annotations

from functools import cache
from typing import Final

from domain.exchange.imports.records import RelationshipRecord
from graph.kinds import EntityKind

# Relations by local name: (canonical relation, whether the sentence is turned round).
RELATIONS: Final[dict[str, tuple[str, bool]]] = {
    "hasPoint": ("hasPoint", False),
    "isPointOf": ("hasPoint", True),
    "hasPart": ("hasPart", False),
    "isPartOf": ("hasPart", True),
    "contains": ("hasPart", False),
    "feeds": ("feeds", False),
    "isFedBy": ("feeds", True),
    "isLocationOf": ("isLocationOf", False),
    "hasLocation": ("isLocationOf", True),
    "isLocatedIn": ("isLocationOf", True),
    "locatedIn": ("isLocationOf", True),
    "isSiteOf": ("isLocationOf", False),
    "hasSite": ("isLocationOf", True),
    "meters": ("meters", False),
    "isMeteredBy": ("meters", True),
    "hasSubMeter": ("hasSubMeter", False),
    "isSubMeterOf": ("hasSubMeter", True),
    "controls": ("controls", False),
    "isControlledBy": ("controls", True),
    "adjacentTo": ("adjacentTo", False),
    "isAdjacentTo": ("adjacentTo", False),
}
# Relations that mean the same turned round: an edge runs from the first of the two URIs.
SYMMETRIC: Final = frozenset({"adjacentTo"})
# (relation, whether as its subject): what makes something whose class does not say what it is no point, in words.
NOT_OF_POINTS: Final[dict[tuple[str, bool], str]] = {
    ("hasPoint", True): "has points",
    ("hasPart", True): "has parts",
    ("feeds", True): "feeds something",
    ("feeds", False): "is fed",
    ("isLocationOf", True): "is where something else is",
    ("meters", True): "meters something",
    ("meters", False): "is metered",
    ("hasSubMeter", True): "has submeters",
    ("hasSubMeter", False): "is a submeter",
    ("adjacentTo", True): "lies beside something",
    ("adjacentTo", False): "lies beside something",
}

_D, _A, _S = EntityKind.DEVICE, EntityKind.ASSET, EntityKind.SPACE

METERED_BY: Final = "METERED_BY"
HAS_SUBMETER: Final = "HAS_SUBMETER"
HAS_CONTROLLER: Final = "HAS_CONTROLLER"
ADJACENT_TO: Final = "ADJACENT_TO"

# What is not built in. A main meter counts what its submeters count, and they are no parts of it: a hierarchy, so that
# rollups can sum them, but not HAS_PART. A point that controls something is a link, CONTROLLED_BY; a controller is not.
OWN_RELATIONSHIPS: Final = (
    RelationshipRecord(
        name=METERED_BY, inverse="METERS", source_kinds=frozenset({_A, _S}), target_kinds=frozenset({_A, _D})
    ),
    RelationshipRecord(
        name=HAS_SUBMETER,
        inverse="SUBMETER_OF",
        source_kinds=frozenset({_A}),
        target_kinds=frozenset({_A}),
        hierarchy=True,
    ),
    RelationshipRecord(
        name=HAS_CONTROLLER,
        inverse="CONTROLLER_OF",
        source_kinds=frozenset({_A, _S, _D}),
        target_kinds=frozenset({_A, _D}),
    ),
    RelationshipRecord(
        name=ADJACENT_TO, inverse="ADJOINED_BY", source_kinds=frozenset({_A, _S}), target_kinds=frozenset({_A, _S})
    ),
)

# (relation, kind of its subject, kind of its object): (relationship, whether the edge runs the other way).
EDGES: Final[dict[tuple[str, EntityKind, EntityKind], tuple[str, bool]]] = {
    ("hasPoint", _A, _D): ("MONITORED_BY", False),
    ("hasPoint", _S, _D): ("MONITORED_BY", False),
    ("hasPart", _A, _D): ("MONITORED_BY", False),
    ("hasPart", _S, _D): ("MONITORED_BY", False),
    ("hasPart", _A, _A): ("HAS_PART", False),
    ("hasPart", _S, _S): ("CONTAINS", False),
    ("hasPart", _S, _A): ("LOCATED_IN", True),
    ("feeds", _A, _A): ("FEEDS", False),
    ("feeds", _A, _S): ("FEEDS", False),
    ("isLocationOf", _S, _S): ("CONTAINS", False),
    ("isLocationOf", _S, _A): ("LOCATED_IN", True),
    ("isLocationOf", _S, _D): ("LOCATED_IN", True),
    ("isLocationOf", _A, _A): ("LOCATED_IN", True),
    ("isLocationOf", _A, _D): ("LOCATED_IN", True),
    ("meters", _A, _A): (METERED_BY, True),
    ("meters", _A, _S): (METERED_BY, True),
    ("meters", _D, _A): (METERED_BY, True),
    ("meters", _D, _S): (METERED_BY, True),
    ("hasSubMeter", _A, _A): (HAS_SUBMETER, False),
    ("controls", _D, _A): ("CONTROLLED_BY", True),
    ("controls", _D, _S): ("CONTROLLED_BY", True),
    ("controls", _D, _D): (HAS_CONTROLLER, True),
    ("controls", _A, _A): (HAS_CONTROLLER, True),
    ("controls", _A, _S): (HAS_CONTROLLER, True),
    ("controls", _A, _D): (HAS_CONTROLLER, True),
    ("adjacentTo", _A, _A): (ADJACENT_TO, False),
    ("adjacentTo", _A, _S): (ADJACENT_TO, False),
    ("adjacentTo", _S, _A): (ADJACENT_TO, False),
    ("adjacentTo", _S, _S): (ADJACENT_TO, False),
}


@cache
def no_point_reason(relation: str, *, is_subject: bool, other: EntityKind | None) -> str | None:
    """Return why an end of a statement is no point; None where it may be one, or the statement means nothing.

    other: what the other end is by its class; None where that does not say.
    """
    for known_relation, *ends in EDGES:
        kind, other_kind = ends if is_subject else reversed(ends)
        if known_relation == relation and kind is not _D and other in {None, other_kind}:
            return NOT_OF_POINTS.get((relation, is_subject))
    return None
