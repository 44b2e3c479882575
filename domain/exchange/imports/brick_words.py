"""Map Brick's words to ours: Brick 1.x, its 1.0 of 2016, and RealEstateCore's words for places."""

from __future__ import annotations

from typing import Final

# Types that say nothing of what a thing is.
NO_TYPES: Final = frozenset(
    """
    NamedIndividual Class Ontology Thing Resource Entity TimeseriesReference BACnetReference IFCReference
    ExternalReference Tag EntityProperty EntityPropertyValue Quantity Substance
    """.split()
)
