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

# A class is a point's, or a place's, if a word of its name is one of these.
POINT_WORDS: Final = frozenset(
    """
    Sensor Setpoint Command Status Alarm Point Parameter Mode Limit Ratio Schedule Timeseries Override Occupancy Request
    Deadband Load Level Discharge Supply Return
    """.split()
)
# ... or a point's, if it ends with what can be measured,
QUANTITY_WORDS: Final = frozenset(
    """
    Temperature Humidity Pressure Flow Enthalpy Speed Position Demand Energy Power Voltage Current Frequency
    Concentration
    """.split()
)
# ... unless its last word makes it a thing: a supply fan is no supply.
THING_WORDS: Final = frozenset(
    """
    Fan Pump Boiler Chiller Loop System AHU VAV Unit Damper Valve Coil Filter Motor Meter Tower Exchanger Station Panel
    Equipment Box Economizer Humidifier Heater Tank Switch Gateway Controller Thermostat
    """.split()
)
PLACE_WORDS: Final = frozenset(
    """
    Building Floor Room Space Zone Site Storey Wing Region Campus Location Roof Basement Lobby Hallway Corridor Stair
    Office Laboratory Area Outside Plaza Level Outdoors Lot Garage Kitchen Restroom Elevator
    """.split()
)
# Types that say nothing of what a thing is.
NO_TYPES: Final = frozenset({"NamedIndividual", "Class", "Ontology", "Thing", "TimeseriesReference"})
