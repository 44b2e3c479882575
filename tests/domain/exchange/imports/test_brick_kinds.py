"""What a thing of a Brick model is: its class decides, then the statements about it; what is stray is reported."""

from __future__ import annotations

import pytest

from domain.exchange.imports.brick import Model, brick_read
from domain.exchange.imports.brick_classes import ClassHierarchy
from graph.kinds import EntityKind

PREFIXES = """
@prefix brick: <https://brickschema.org/schema/Brick#> .
@prefix bf: <https://brickschema.org/schema/1.0.1/BrickFrame#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix : <urn:x#> .
"""
DEVICE, ASSET, SPACE = EntityKind.DEVICE, EntityKind.ASSET, EntityKind.SPACE


def model_of(turtle: str) -> Model:
    return brick_read(PREFIXES + turtle)


def kinds_of(model: Model) -> dict[str, EntityKind]:
    return {name.removeprefix("urn:x#"): record.kind for name, record in model.entities.items()}


def edges_of(model: Model) -> set[tuple[str, str, str]]:
    return {
        (edge.source.label.removeprefix("urn:x#"), edge.relationship, edge.target.label.removeprefix("urn:x#"))
        for edge in model.edges
    }


def test_a_room_stays_a_room_though_its_point_says_it_has_it() -> None:
    model = model_of(
        """
        :room a brick:Room ; bf:hasPoint :t .
        :t a brick:Zone_Temperature_Sensor ; bf:hasPoint :room .
        :ahu a brick:AHU ; bf:feeds :room .
        """
    )
    assert kinds_of(model) == {"room": SPACE, "t": DEVICE, "ahu": ASSET}
    assert edges_of(model) == {("room", "MONITORED_BY", "t"), ("ahu", "FEEDS", "room")}
    [remark] = model.remarks
    assert (remark.subject, remark.code) == ("urn:x#room", None)
    assert remark.message == "is a place by its class Room, so that it is not a point of t; left out"


def test_a_meter_that_is_said_to_be_a_point_keeps_its_points() -> None:
    model = model_of(
        """
        :panel a brick:Electrical_Panel ; brick:hasPoint :meter .
        :meter a brick:Electrical_Meter ; brick:hasPoint :kw, :kwh .
        :kw a brick:Electric_Power_Sensor . :kwh a brick:Energy_Sensor ; brick:isPointOf :meter .
        """
    )
    assert kinds_of(model) == {"panel": ASSET, "meter": ASSET, "kw": DEVICE, "kwh": DEVICE}
    assert edges_of(model) == {("meter", "MONITORED_BY", "kw"), ("meter", "MONITORED_BY", "kwh")}
    assert [(remark.subject, "not a point of panel" in remark.message) for remark in model.remarks] == [
        ("urn:x#meter", True)
    ]


@pytest.mark.parametrize("name", ["Building_Electrical_Meter", "Thermal_Power_Meter", "Water_Meter", "Power_Meter"])
def test_a_meter_without_points_is_equipment(name: str) -> None:
    assert kinds_of(model_of(f":m a brick:{name} .")) == {"m": ASSET}


def test_a_thing_of_an_unknown_class_is_what_is_said_of_it() -> None:
    model = model_of(
        """
        :ahu a brick:AHU ; brick:hasPoint :blob, :gizmo, :stage .
        :blob a :Blob .
        :gizmo a :Gizmo ; brick:hasPoint :x . :x a :Blob .
        :stage a :Stage ; brick:feeds :zone . :zone a brick:HVAC_Zone .
        """
    )
    assert kinds_of(model) == {
        "ahu": ASSET, "blob": DEVICE, "gizmo": ASSET, "x": DEVICE, "stage": ASSET, "zone": SPACE,
    }  # fmt: skip
    assert ("gizmo", "MONITORED_BY", "x") in edges_of(model)
    assert sorted(remark.subject for remark in model.remarks) == ["urn:x#gizmo", "urn:x#stage"]


@pytest.mark.parametrize(
    ("statement", "edge", "reason"),
    [
        (":g brick:isFedBy :vav2", ("vav2", "FEEDS", "g"), "is fed"),
        (":g brick:feeds :vav2", ("g", "FEEDS", "vav2"), "feeds something"),
        (":g brick:isLocationOf :f", ("f", "LOCATED_IN", "g"), "is where something else is"),
        (":s brick:hasLocation :g", ("s", "LOCATED_IN", "g"), "is where something else is"),
        (":g brick:hasPart :c1", ("g", "HAS_PART", "c1"), "has parts"),
        (":s brick:isPartOf :g", ("g", "MONITORED_BY", "s"), "has parts"),
        (":g brick:hasPart :x", ("g", "HAS_PART", "x"), "has parts"),
        (":g brick:hasPoint :s", ("g", "MONITORED_BY", "s"), "has points"),
        (":g brick:meters :f", ("f", "METERED_BY", "g"), "meters something"),
        (":g brick:isMeteredBy :m", ("g", "METERED_BY", "m"), "is metered"),
        (":g brick:hasSubMeter :m", ("g", "HAS_SUBMETER", "m"), "has submeters"),
        (":g brick:isSubMeterOf :m", ("m", "HAS_SUBMETER", "g"), "is a submeter"),
        (":g brick:adjacentTo :room", ("g", "ADJACENT_TO", "room"), "lies beside something"),
    ],
)
def test_what_only_equipment_does_makes_a_thing_of_an_unknown_class_no_point(
    statement: str, edge: tuple[str, str, str], reason: str
) -> None:
    model = model_of(
        f"""
        :vav1 a brick:VAV . :vav2 a brick:VAV . :f a brick:Supply_Fan . :c1 a brick:Cooling_Coil . :x a :Blob .
        :m a brick:Meter . :room a brick:Room . :s a brick:Temperature_Sensor .
        :g a :Gizmo ; brick:isPointOf :vav1 . {statement} .
        """
    )
    assert kinds_of(model)["g"] is ASSET
    assert edges_of(model) == {edge}
    [remark] = model.remarks
    assert remark.subject == "urn:x#g"
    assert remark.message == f"is equipment because it {reason}, so that it is not a point of vav1; left out"


@pytest.mark.parametrize(
    "statement",
    [
        ":g brick:hasLocation :room", ":g brick:isPartOf :vav1", ":g brick:controls :vav1", ":plc brick:controls :g",
        ":g brick:feeds :s", ":g brick:isFedBy :s", ":s brick:hasPoint :g", ":s brick:isLocationOf :g",
    ],
)  # fmt: skip
def test_a_point_of_an_unknown_class_stays_one(statement: str) -> None:
    """What a point may do, and what means nothing whatever it is, make it nothing else."""
    model = model_of(
        f"""
        :vav1 a brick:VAV . :plc a brick:Controller . :room a brick:Room . :s a brick:Temperature_Sensor .
        :g a :Gizmo ; brick:isPointOf :vav1 . {statement} .
        """
    )
    assert kinds_of(model)["g"] is DEVICE
    assert ("vav1", "MONITORED_BY", "g") in edges_of(model)


def test_a_point_that_has_points_makes_none() -> None:
    model = model_of(":t a brick:Temperature_Sensor ; brick:hasPoint :thing . :thing a :Gizmo .")
    assert kinds_of(model) == {"t": DEVICE, "thing": ASSET}
    assert [remark.subject for remark in model.remarks] == ["urn:x#t"]


def test_the_files_own_classes_count() -> None:
    model = model_of(
        """
        :Firing_Rate a owl:Class ; rdfs:subClassOf brick:Point .
        :Cold_Aisle a owl:Class ; rdfs:subClassOf :Aisle . :Aisle a owl:Class ; rdfs:subClassOf brick:Location .
        :Flow_Temperature a owl:Class ; rdfs:subClassOf brick:Heat_Exchanger .
        :rate a :Firing_Rate . :aisle a :Cold_Aisle . :exchanger a :Flow_Temperature .
        :boiler a brick:Boiler ; brick:hasPoint :rate, :aisle, :exchanger .
        """
    )
    assert kinds_of(model) == {"rate": DEVICE, "aisle": SPACE, "exchanger": ASSET, "boiler": ASSET}
    assert edges_of(model) == {("boiler", "MONITORED_BY", "rate")}
    assert len(model.remarks) == 2


def test_of_several_classes_a_place_or_equipment_wins_over_a_point() -> None:
    model = model_of(
        """
        :a a brick:Point, brick:Room, owl:NamedIndividual . :b a brick:VAV, brick:Damper_Position_Command .
        :c a brick:Sensor, brick:Point, brick:Air_Temperature_Sensor .
        """
    )
    assert kinds_of(model) == {"a": SPACE, "b": ASSET, "c": DEVICE}
    assert {name.removeprefix("urn:x#"): record.type for name, record in model.entities.items()} == {
        "a": "Room", "b": "VAV", "c": "Air_Temperature_Sensor",
    }  # fmt: skip
    assert [remark.message for remark in sorted(model.remarks, key=lambda remark: remark.subject)] == [
        "has classes of several kinds, Point (a point) and Room (a place); taken as a place",
        "has classes of several kinds, Damper_Position_Command (a point) and VAV (equipment); taken as equipment",
    ]


def test_the_type_is_the_class_below_by_the_files_word() -> None:
    model = model_of(":Pu a owl:Class ; rdfs:subClassOf brick:Water_Pump . :p a brick:Water_Pump, :Pu .")
    assert [record.type for record in model.entities.values()] == ["Pu"]


@pytest.mark.parametrize(
    ("classes", "type_"),
    [
        ("brick:AHU, brick:Equipment", "AHU"), ("brick:Room, brick:Location, brick:Space", "Room"),
        ("brick:VAV, brick:HVAC_Equipment, brick:Terminal_Unit", "VAV"), ("brick:Alarm, brick:Point", "Alarm"),
        ("brick:Pump, brick:Water_Pump", "Water_Pump"), ("brick:Equipment", "Equipment"),
    ],
)  # fmt: skip
def test_the_type_is_the_class_that_says_most(classes: str, type_: str) -> None:
    assert [record.type for record in model_of(f":x a {classes} .").entities.values()] == [type_]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Supply_Air_Plenum", ASSET), ("Wireless_Access_Point", ASSET), ("Fire_Alarm", ASSET), ("CRAC", ASSET),
        ("Computer_Room_Air_Handler", ASSET), ("Elevator", ASSET), ("Elevator_Shaft", SPACE), ("Cold_Box", SPACE),
        ("Variable_Air_Volume_Box", ASSET), ("HVACZone", SPACE), ("Cafeteria", SPACE), ("OfficeChair", ASSET),
        ("Start_Stop_Counter", DEVICE), ("Differential_Pressure_Proportional_Band", DEVICE), ("Point", DEVICE),
        ("Equipment", ASSET), ("Location", SPACE), ("Unknown", None), ("Gizmo", None),
    ],
)  # fmt: skip
def test_classes_are_known_by_name(name: str, kind: EntityKind | None) -> None:
    assert ClassHierarchy([]).kind(name) is kind


def test_classes_in_a_circle_are_known_by_name() -> None:
    assert ClassHierarchy([("A_Pump", "B"), ("B", "A_Pump")]).kind("A_Pump") is ASSET
