"""Brick models of real buildings, and an invalid file."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from domain.exchange.imports.brick import brick_read
from domain.exchange.imports.brick_classes import class_kind
from graph.errors import BadInputError
from graph.kinds import EntityKind
from testing.installation import SHARED_DATA

needs_data = pytest.mark.skipif(not SHARED_DATA.exists(), reason=f"there is no data at {SHARED_DATA}")
HHWS = "https://hhws.example.org#"


@needs_data
def test_building_53() -> None:
    model = brick_read((SHARED_DATA / "hhw" / "models" / "building_53_condensing_x.ttl").read_text())
    assert Counter(record.kind for record in model.entities.values()) == {
        EntityKind.ASSET: 9,
        EntityKind.DEVICE: 9,
        EntityKind.SPACE: 1,
    }
    assert Counter(edge.relationship for edge in model.edges) == {
        "MONITORED_BY": 9,
        "HAS_PART": 7,
        "FEEDS": 3,
        "LOCATED_IN": 2,
    }
    assert model.remarks == []
    power = model.entities[f"{HHWS}building53.hws.secondary_loop.hw"]
    assert (power.kind, power.type) == (EntityKind.DEVICE, "Thermal_Power_Sensor")
    assert power.attributes == {"unit": "W", "timeseriesId": "hw", "timeseriesStore": "53hhw_system_data.csv"}
    assert model.entities[f"{HHWS}building53.boiler1"].attributes["hasManufacturer"] == "Aerco"


@needs_data
@pytest.mark.parametrize("building", ["53_condensing_x", "55_condensing_bf"])
def test_a_plants_series_are_those_others_found(building: str) -> None:
    model = brick_read((SHARED_DATA / "hhw" / "models" / f"building_{building}.ttl").read_text())
    expected = json.loads((SHARED_DATA / "EXPECTED.json").read_text())["hhw"][building[:2]]
    timeseries_ids = [
        entity.attributes["timeseriesId"] for entity in model.entities.values() if "timeseriesId" in entity.attributes
    ]
    assert sorted(timeseries_ids) == expected["model_series"]
    assert model.remarks == []


@needs_data
def test_references_to_missing_floors_are_dangling() -> None:
    model = brick_read((SHARED_DATA / "brick" / "soda_brick.ttl").read_text())
    assert model.relations["hasPoint"] == 926
    assert model.relations["feeds"] == 484
    assert [remark.subject.rpartition("#")[2] for remark in model.remarks] == ["floor_8", "floor_o"]
    assert Counter(edge.relationship for edge in model.edges)["CONTAINS"] == 491


@needs_data
def test_a_file_that_does_not_parse_names_the_line() -> None:
    with pytest.raises(BadInputError, match="line 6074") as caught:
        brick_read((SHARED_DATA / "brick" / "broken_ebu3b_brick.ttl").read_text())
    assert "ref:" in caught.value.message


PREFIXES = """
@prefix brick: <https://brickschema.org/schema/Brick#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix x: <urn:x#> .
"""


def test_inverses_and_repetitions_are_one_edge() -> None:
    model = brick_read(
        PREFIXES
        + """
        x:ahu a brick:AHU ; brick:feeds x:room ; brick:hasPoint x:t ; rdfs:label "Air handler" .
        x:room a brick:Room ; brick:isFedBy x:ahu .
        x:t a brick:Air_Temperature_Sensor ; brick:isPointOf x:ahu .
        """
    )
    assert [(edge.source.label, edge.relationship, edge.target.label) for edge in model.edges] == [
        ("urn:x#ahu", "FEEDS", "urn:x#room"),
        ("urn:x#ahu", "MONITORED_BY", "urn:x#t"),
    ]
    assert model.entities["urn:x#ahu"].name == "Air handler"
    assert model.entities["urn:x#room"].name == "room"


def test_a_part_of_itself_is_reported_and_left_out() -> None:
    model = brick_read(PREFIXES + "x:loop a brick:Hot_Water_Loop ; brick:hasPart x:loop .")
    assert model.edges == []
    assert [(remark.subject, "itself" in remark.message) for remark in model.remarks] == [("urn:x#loop", True)]


def test_untyped_subjects_are_unknown_and_mere_references_are_dangling() -> None:
    model = brick_read(PREFIXES + "x:a brick:feeds x:vav . x:vav a brick:VAV ; brick:feeds x:nowhere .")
    assert (model.entities["urn:x#a"].kind, model.entities["urn:x#a"].type) == (EntityKind.ASSET, "Unknown")
    assert "urn:x#nowhere" not in model.entities
    assert [remark.subject for remark in model.remarks] == ["urn:x#nowhere"]
    model = brick_read(PREFIXES + "x:a a brick:AHU ; brick:hasPoint x:gone, x:t . x:t brick:isPointOf x:a .")
    assert {name: record.kind for name, record in model.entities.items()} == {
        "urn:x#a": EntityKind.ASSET, "urn:x#t": EntityKind.DEVICE,
    }  # fmt: skip
    assert [remark.subject for remark in model.remarks] == ["urn:x#gone"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Supply_Fan", EntityKind.ASSET),
        ("Supply_Air_Flow_Sensor", EntityKind.DEVICE),
        ("HVAC_Zone", EntityKind.SPACE),
        ("Zone_Air_Temperature_Setpoint", EntityKind.DEVICE),
        ("Low_Return_Air_Temperature_Alarm", EntityKind.DEVICE),
        ("Hot_Water_System", EntityKind.ASSET),
        ("Conference_Room", EntityKind.SPACE),
        ("Condensing_Natural_Gas_Boiler", EntityKind.ASSET),
        ("Weather_Station", EntityKind.ASSET),
        ("Building", EntityKind.SPACE),
        ("Outside_Air_Humidity", EntityKind.DEVICE),
        ("Energy_Demand", EntityKind.DEVICE),
        ("Outside", EntityKind.SPACE),
    ],
)
def test_classes_by_their_words(name: str, kind: EntityKind) -> None:
    assert class_kind(name) is kind
