"""Tell what a class of a Brick model is: a point, a place or equipment, by its name and by the file's own hierarchy."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from graph.kinds import EntityKind

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]+|[a-z]+")

# The roots of Brick's and RealEstateCore's hierarchies.
ROOTS: Final = {
    **dict.fromkeys(("Equipment", "System", "Loop", "Collection", "Asset", "BuildingElement"), EntityKind.ASSET),
    **dict.fromkeys(("Location", "Space", "Architecture", "Zone", "Region", "Site"), EntityKind.SPACE),
    **dict.fromkeys(("Point", "Sensor", "Setpoint", "Command", "Status", "Alarm", "Parameter"), EntityKind.DEVICE),
}
# Classes that say less than others do, however long their names.
GENERAL: Final = frozenset(
    """
    Equipment System Collection Asset Building_Element Location Space Architecture Region Point Terminal_Unit Furniture
    Common_Space Vertical_Space Heating_Ventilation_Air_Conditioning_System
    """.split()
)
# A class is a point where any word of its name is one of these,
POINT_WORDS: Final = frozenset(
    """
    Sensor Setpoint Command Status Alarm Point Parameter Mode Limit Ratio Schedule Timeseries Override Occupancy Request
    Deadband Band Counter Load Level Discharge Supply Return
    """.split()
)
# or its last word is something that can be measured,
QUANTITY_WORDS: Final = frozenset(
    """
    Temperature Humidity Pressure Flow Enthalpy Speed Position Demand Energy Power Voltage Current Frequency
    Concentration
    """.split()
)
# unless its last word makes it equipment: a Supply_Fan is not a supply;
EQUIPMENT_WORDS: Final = frozenset(
    """
    Fan Pump Boiler Chiller Loop System Unit Damper Valve Coil Filter Motor Meter Tower Exchanger Station Panel
    Equipment Box Economizer Humidifier Heater Tank Switch Gateway Controller Thermostat Elevator Escalator
    AHU VAV RVAV CAV DDAHU DOAS FCU MAU PAU RTU CRAC CRAH HVAC HX VFD AED NVR
    Handler Beam Diffuser Plenum Radiator Convector Compressor Condenser Cooler Burner Furnace Deck Wheel Hood
    Louver Duct Pipe Actuator Drive Inverter Battery Transformer Switchgear Breaker Relay Array Collector Generator
    Turbine Port Hub Rack Server Router Hardware Interface Camera Intercom Phone Touchpanel Reader Detector Lighting
    Luminaire Lamp Light Driver Dimmer Blind Window Door Wall Slab Facade Partition Furniture Table Chair Desk Bed Cart
    Stand Sofa Cabinet Bookcase Mat Interceptor Hose Kit Extinguisher Sprinkler Fountain Dishwasher Conditioning
    Conditioner Distribution Storage Device Reheat Selector Group Collection
    """.split()
)
# or makes it a place. Without a point's word, any of these makes it a place.
PLACE_WORDS: Final = frozenset(
    """
    Building Floor Room Space Zone Site Storey Wing Region Campus Location Roof Rooftop Basement Lobby Hallway Corridor
    Stair Staircase Stairwell Office Laboratory Area Outside Plaza Level Outdoors Lot Garage Kitchen Restroom
    Bathroom Bedroom Breakroom Classroom Toilet Hygiene Sauna Shower Atrium Auditorium Cafeteria Cinema Concession
    Entrance Gatehouse Hospital Library Dock Lounge Majlis Morgue Pantry Reception School Shaft Shelter Mall Stadium
    Studio Theater Booth Tunnel Wardrobe Workshop Workspace Apartment Balcony Structure Riser Premises
    Kitchenette Cubicle
    """.split()
)
# Classes whose name misleads.
NAMES: Final = {
    **dict.fromkeys(
        """
        Cold_Box Hot_Box Environment_Box Hospitality_Box Freezer Water_Tank Storage Waste_Storage IDF MDF
        Hazardous_Materials_Storage Distribution_Frame Media_Hot_Desk Field_Of_Play Shelter_Gas_Lock Cabinet
        """.split(),
        EntityKind.SPACE,
    ),
    **dict.fromkeys(
        """
        Fire_Alarm Fire_Alarm_Manual_Call_Point Point_Collection Wireless_Access_Point Motor_Control_Center Main_Riser
        Bus_Riser Stage_Riser Connection_Point Inlet_Connection_Point Outlet_Connection_Point
        Safety_Shower Building_Element Variable_Air_Volume_Box_With_Reheat
        """.split(),
        EntityKind.ASSET,
    ),
}


def class_kind(name: str) -> EntityKind | None:
    """Return what a Brick class is by its name, whose last word weighs most; None where the name does not say."""
    words = _WORD.findall(name.replace("_", " "))
    last = words[-1] if words else ""
    if known := NAMES.get("_".join(words)):
        return known
    if last in EQUIPMENT_WORDS:
        return EntityKind.ASSET
    if last in PLACE_WORDS:
        return EntityKind.SPACE
    if last in QUANTITY_WORDS or set(words) & POINT_WORDS:
        return EntityKind.DEVICE
    if set(words) & PLACE_WORDS:
        return EntityKind.SPACE
    return None


def is_general(name: str) -> bool:
    """Return whether a class is one of those near a root, such as HVAC_Equipment."""
    words = _WORD.findall(name.replace("_", " "))
    return "_".join(words) in GENERAL or words[-1:] == ["Equipment"]


class ClassHierarchy:
    """The classes of one file. supers: pairs of a class and one above it, by local name, as the file declares them."""

    def __init__(self, supers: Iterable[tuple[str, str]]) -> None:
        self._supers: dict[str, set[str]] = defaultdict(set)
        for name, above in supers:
            if name != above:
                self._supers[name].add(above)
        self._known: dict[str, EntityKind | None] = {}

    def kind(self, name: str) -> EntityKind | None:
        """Return what a class is: by the nearest root the file puts it under, else by a name; None: not known."""
        if name not in self._known:
            self._known[name] = self._kind(name)
        return self._known[name]

    def above(self, name: str) -> set[str]:
        """Return the classes the file puts it under."""
        return {other for level in self._levels(name)[1:] for other in level}

    def _kind(self, name: str) -> EntityKind | None:
        levels = self._levels(name)
        roots = (ROOTS.get(other) for level in levels for other in level)
        names = (class_kind(other) for level in [*levels[1:], [name]] for other in level)
        return next((kind for kinds in (roots, names) for kind in kinds if kind is not None), None)

    def _levels(self, name: str) -> list[list[str]]:
        """Return the class, those directly above it, those above these; each class once."""
        levels, seen = [[name]], {name}
        while following := sorted({above for other in levels[-1] for above in self._supers.get(other, ())} - seen):
            levels.append(following)
            seen.update(following)
        return levels
