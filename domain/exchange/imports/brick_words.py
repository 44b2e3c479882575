"""Brick's words for attributes, and types that say nothing of what a thing is."""

from __future__ import annotations

from typing import Final

# The attributes that some predicates become, of which URIs are taken for names too.
ATTRIBUTES: Final = {
    "hasUnit": "unit",
    "hasQuantity": "quantity",
    "hasSubstance": "substance",
    "measures": "measures",
    "hasTag": "tags",
}
# Attributes that are lists though there be one item.
LISTS: Final = frozenset({"tags", "types", "labels", "timeseriesIds"})
# What leads to where a point's readings are stored or come from.
REFERENCES: Final = frozenset({"hasExternalReference", "hasTimeseriesReference", "timeseries"})
LATITUDES: Final = frozenset({"latitude", "lat"})
LONGITUDES: Final = frozenset({"longitude", "long", "lon", "lng"})

# Types that say nothing of what a thing is.
NO_TYPES: Final = frozenset(
    """
    NamedIndividual Thing Resource Entity TimeseriesReference BACnetReference IFCReference ExternalReference
    EntityPropertyValue
    """.split()
)
# ... and so do those that end like this: what is of them is the value of something else.
VALUE_TYPES: Final = ("Observation", "Shape")
# Types of what belongs to the vocabulary and is no thing of the building.
VOCABULARY_TYPES: Final = frozenset(
    {"Class", "Ontology", "Relationship", "Tag", "EntityProperty", "Quantity", "Substance"}
)
# What Brick says of its own words is of no building.
BRICK: Final = "https://brickschema.org/schema/Brick"
# Where the classes of vocabularies and shapes come from.
VOCABULARIES: Final = (
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "http://www.w3.org/2000/01/rdf-schema#",
    "http://www.w3.org/2002/07/owl#",
    "http://www.w3.org/2004/02/skos/core#",
    "http://www.w3.org/ns/shacl#",
    "http://qudt.org/",
)
