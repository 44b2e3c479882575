"""Map Brick's words to ours: Brick 1.x, its 1.0 of 2016, and RealEstateCore's words for places."""

from __future__ import annotations

from typing import Final

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
}

# Types that say nothing of what a thing is.
NO_TYPES: Final = frozenset(
    """
    NamedIndividual Class Ontology Thing Resource Entity TimeseriesReference BACnetReference IFCReference
    ExternalReference Tag EntityProperty EntityPropertyValue Quantity Substance
    """.split()
)
