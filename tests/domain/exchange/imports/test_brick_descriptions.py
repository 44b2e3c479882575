"""What a Brick model says of a thing by itself: values with units, references, places on earth; and what is left."""

from __future__ import annotations

from typing import Any

import pytest

from graph.errors import BadInputError
from graph.kinds import EntityKind
from testing.world import World
from tests.domain.exchange.imports.test_brick_kinds import model_of
from tests.domain.exchange.imports.test_brick_relations import bring

XSD = "@prefix xsd: <http://www.w3.org/2001/XMLSchema#> . @prefix unit: <http://qudt.org/vocab/unit/> .\n"
REF = "@prefix ref: <https://brickschema.org/schema/Brick/ref#> . @prefix bacnet: <http://data.ashrae.org/bacnet#> .\n"
HOSTS = "https://brickschema.org/schema/Brick#hosts"


def attributes_of(turtle: str, name: str) -> dict[str, Any]:
    return dict(model_of(XSD + REF + turtle).entities[f"urn:x#{name}"].attributes)


def test_values_have_their_units() -> None:
    attributes = attributes_of(
        """
        :b a brick:Building ; brick:grossArea [ brick:value 1250.5 ; brick:hasUnit unit:M2 ] ;
            brick:yearBuilt [ brick:value 1998 ] ; brick:buildingPrimaryFunction [ brick:value "Office" ] .
        """,
        "b",
    )
    assert attributes == {
        "grossArea": 1250.5, "grossAreaUnit": "M2", "yearBuilt": 1998, "buildingPrimaryFunction": "Office",
    }  # fmt: skip


def test_of_several_values_each_has_its_unit() -> None:
    attributes = attributes_of(
        """
        :b a brick:Building ; :height 3 ;
            brick:grossArea [ brick:value 1 ; brick:hasUnit unit:M2 ], [ brick:value 2 ] ;
            brick:netArea [ brick:value 30 ; brick:hasUnit unit:M2 ], [ brick:value 320 ; brick:hasUnit unit:FT2 ] ;
            brick:rentableArea [ brick:value 10 ; brick:hasUnit unit:M2 ], [ brick:value 9 ; brick:hasUnit unit:M2 ] ;
            brick:volume 7, [ brick:value 8 ; brick:hasUnit unit:M3 ] ;
            brick:power [ brick:value 1, 2 ; brick:hasUnit unit:KiloW ] ; :height [ brick:value 4 ] ;
            :note [ :by "b" ], [ :by "a" ], [ brick:value 5 ] .
        """,
        "b",
    )
    assert attributes == {
        "grossArea": [{"value": 1, "unit": "M2"}, {"value": 2}],
        "netArea": [{"value": 30, "unit": "M2"}, {"value": 320, "unit": "FT2"}],
        "rentableArea": [9, 10], "rentableAreaUnit": "M2",
        "volume": [{"value": 7}, {"value": 8, "unit": "M3"}],
        "power": [1, 2], "powerUnit": "KiloW",
        "height": [3, 4],
        "note": [{"value": 5}, {"by": "a"}, {"by": "b"}],
    }  # fmt: skip


def test_of_several_references_each_has_what_is_said_of_it() -> None:
    turtle = """
        :a a brick:Sensor ; ref:hasExternalReference
            [ a ref:BACnetReference ; bacnet:object-identifier "analog-input,2" ; bacnet:object-name "BLDG-T2" ],
            [ a ref:BACnetReference ; bacnet:object-identifier "analog-input,1" ; bacnet:object-name "T1" ] .
        :b a brick:Sensor ; ref:hasExternalReference
            [ ref:hasTimeseriesId "s1" ; ref:storedAt "west" ], [ ref:hasTimeseriesId "s2" ; ref:storedAt "east" ] .
        :c a brick:Sensor ; ref:hasExternalReference
            [ ref:hasTimeseriesId "s1" ; bacnet:object-name "T1" ], [ ref:hasTimeseriesId "s2" ] .
        :d a brick:Sensor ; ref:hasExternalReference
            [ ref:hasTimeseriesId "s1" ; ref:storedAt "west" ], [ bacnet:object-name "T1" ] .
    """
    assert attributes_of(turtle, "a") == {
        "references": [
            {"object-identifier": "analog-input,1", "object-name": "T1"},
            {"object-identifier": "analog-input,2", "object-name": "BLDG-T2"},
        ]
    }
    both = {"timeseriesId": "s1", "timeseriesIds": ["s1", "s2"]}
    assert attributes_of(turtle, "b") == {
        **both,
        "timeseriesStore": "west",
        "references": [
            {"timeseriesId": "s1", "timeseriesStore": "west"},
            {"timeseriesId": "s2", "timeseriesStore": "east"},
        ],
    }
    assert attributes_of(turtle, "c") == {
        **both,
        "references": [{"object-name": "T1", "timeseriesId": "s1"}, {"timeseriesId": "s2"}],
    }
    assert attributes_of(turtle, "d") == {"timeseriesId": "s1", "timeseriesStore": "west", "object-name": "T1"}


def test_several_places_on_earth_stay_pairs() -> None:
    model = model_of(
        """
        :a a brick:Site ; brick:coordinates [ brick:latitude 1 ; brick:longitude 2 ],
            [ brick:latitude 3 ; brick:longitude 4 ] .
        """
    )
    assert model.entities["urn:x#a"].attributes == {
        "coordinates": [{"latitude": 1, "longitude": 2}, {"latitude": 3, "longitude": 4}]
    }
    assert model.entities["urn:x#a"].location is None
    assert ["no one latitude" in remark.message for remark in model.remarks] == [True]


def test_a_points_own_value_and_unit() -> None:
    turtle = ':s a brick:Setpoint ; brick:value "21.5"^^xsd:decimal ; brick:hasUnit unit:DEG_C .'
    assert attributes_of(turtle, "s") == {"value": 21.5, "unit": "DEG_C"}


def test_an_observation_with_a_uri_is_part_of_its_point() -> None:
    turtle = """
        @prefix rec: <https://w3id.org/rec#> .
        :s a brick:Air_Temperature_Sensor ; brick:lastKnownValue :r .
        :r a rec:TemperatureObservation ; brick:value "72.0"^^xsd:double ; brick:timestamp "2024-01-01T00:00:00Z" .
    """
    model = model_of(XSD + turtle)
    assert set(model.entities) == {"urn:x#s"}
    assert model.entities["urn:x#s"].attributes == {
        "lastKnownValue": 72.0,
        "lastKnownValueTimestamp": "2024-01-01T00:00:00Z",
    }
    assert model.not_understood == {}


def test_an_entity_property_with_a_uri_is_an_attribute() -> None:
    turtle = ":p a brick:PV_Panel ; brick:efficiency :e . :e a brick:EfficiencyShape ; brick:value 17 ."
    assert attributes_of(turtle, "p") == {"efficiency": 17}


def test_references_of_all_forms() -> None:
    turtle = """
        :a a brick:Sensor ; brick:timeseries [ brick:hasTimeseriesId "id-a" ] .
        :b a brick:Sensor ; ref:hasExternalReference :rb . :rb a ref:TimeseriesReference ;
            ref:hasTimeseriesId "id-b" ; ref:storedAt :store .
        :c a brick:Sensor ; ref:hasExternalReference [ bacnet:object-identifier "analog-value,1" ] ;
            ref:hasExternalReference [ ref:hasTimeseriesId "id-2" ], [ ref:hasTimeseriesId "id-1" ] .
    """
    assert attributes_of(turtle, "a") == {"timeseriesId": "id-a"}
    assert attributes_of(turtle, "b") == {"timeseriesId": "id-b", "timeseriesStore": "urn:x#store"}
    assert attributes_of(turtle, "c") == {
        "object-identifier": "analog-value,1",
        "timeseriesId": "id-1",
        "timeseriesIds": ["id-1", "id-2"],
    }
    model = model_of(XSD + REF + turtle)
    assert set(model.entities) == {"urn:x#a", "urn:x#b", "urn:x#c"}
    assert [remark.subject for remark in model.remarks] == ["urn:x#c"]


def test_nothing_that_is_said_twice_is_lost() -> None:
    turtle = """
        :a a brick:AHU, brick:Equipment ; :serial "1", "2" ; brick:hasTag brick:Air ; brick:hasQuantity brick:Power ;
            rdfs:label "Lüftung"@de, "Air handler"@en .
    """
    assert attributes_of(turtle, "a") == {
        "serial": ["1", "2"], "tags": ["Air"], "quantity": "Power", "types": ["AHU", "Equipment"],
        "labels": ["Air handler", "Lüftung"],
    }  # fmt: skip
    assert model_of(turtle).entities["urn:x#a"].name == "Air handler"


def test_where_a_site_is(world: World) -> None:
    turtle = """
        :plain a brick:Site ; brick:latitude 47.25 ; brick:longitude 8.5 .
        :nested a brick:Site ; brick:latitude [ brick:value "47.25"^^xsd:float ] ; brick:longitude [ brick:value 8.5 ] .
        :both a brick:Site ; brick:coordinates [ brick:latitude 47.25 ; brick:longitude 8.5 ] .
    """
    model = model_of(XSD + turtle)
    assert [record.location for record in model.entities.values()] == [
        {"type": "Point", "coordinates": [8.5, 47.25]}
    ] * 3
    assert all(record.attributes == {"latitude": 47.25, "longitude": 8.5} for record in model.entities.values())
    assert (model.remarks, model.not_understood) == ([], {})
    outcome = bring(world, XSD + turtle)
    assert (outcome.created, outcome.refused) == (3, [])
    assert bring(world, XSD + turtle).unchanged == 3


def test_what_is_no_place_on_earth_is_reported() -> None:
    turtle = """
        :a a brick:Site ; brick:latitude 95 ; brick:longitude 8.5 . :b a brick:Site ; brick:latitude 47.25 .
        :c a brick:Site ; brick:latitude "north" ; brick:longitude 8.5 .
        :d a brick:Site ; brick:latitude 47.25, 48 ; brick:longitude 8.5 .
    """
    model = model_of(turtle)
    assert [record.location for record in model.entities.values()] == [None] * 4
    assert [remark.subject.removeprefix("urn:x#") for remark in model.remarks] == ["a", "b", "c", "d"]
    assert model.entities["urn:x#a"].attributes == {"latitude": 95, "longitude": 8.5}


def test_predicates_that_are_not_understood_are_counted() -> None:
    model = model_of(
        """
        :plc a brick:Controller ; brick:hosts :t, :u ; owl:sameAs :other .
        :t a brick:Temperature_Sensor ; brick:isHostedBy :plc . :u a brick:Temperature_Sensor .
        :note rdfs:label "of nothing" ; :says "this" .
        brick:Gizmo a owl:Class ; rdfs:label "Gizmo" . :hosts a owl:ObjectProperty ; rdfs:label "hosts" .
        """
    )
    assert model.not_understood == {
        "http://www.w3.org/2000/01/rdf-schema#label": 1,
        "http://www.w3.org/2002/07/owl#sameAs": 1,
        HOSTS: 2,
        "https://brickschema.org/schema/Brick#isHostedBy": 1,
        "urn:x#says": 1,
    }
    assert set(model.entities) == {"urn:x#plc", "urn:x#t", "urn:x#u"}


def test_things_without_a_uri_are_counted() -> None:
    model = model_of(
        """
        :ahu a brick:AHU ; brick:hasPoint [ a brick:Temperature_Sensor ; :serial 1 ], [ :serial 2 ] .
        [] a brick:Fan ; brick:isPartOf :ahu .
        """
    )
    assert set(model.entities) == {"urn:x#ahu"}
    assert [remark.message.partition(" cannot")[0] for remark in model.remarks] == ["3 things without a URI"]


def test_a_circle_of_nodes_ends() -> None:
    model = model_of(":a a brick:AHU ; :p _:x . _:x :q _:y ; :n 1 . _:y :q _:x ; :n 2 .")
    assert model.entities["urn:x#a"].attributes["p"]["n"] == 1
    assert model.entities["urn:x#a"].kind is EntityKind.ASSET


def test_literals_that_are_not_of_their_type_are_text(capfd: pytest.CaptureFixture[str]) -> None:
    model = model_of(
        XSD + ':a a brick:AHU ; :n "abc"^^xsd:float ; :b "yes"^^xsd:boolean, true ; :h 1e400 ; :t "12"^^:mine .'
    )
    assert model.entities["urn:x#a"].attributes == {"n": "abc", "b": [True, "yes"], "h": "1e400", "t": "12"}
    assert [remark.message for remark in model.remarks] == [
        "b 'yes' is not of type boolean; taken as text",
        "n 'abc' is not of type float; taken as text",
    ]
    assert capfd.readouterr() == ("", "")


def test_a_value_in_a_node_that_is_not_of_its_type_is_reported() -> None:
    model = model_of(XSD + ':a a brick:AHU ; :area [ brick:value "wide"^^xsd:float ] .')
    assert [remark.message for remark in model.remarks] == ["value 'wide' is not of type float; taken as text"]


@pytest.mark.parametrize("end", ["", "; brick:feeds", "; brick:feeds :b", '; :n "', "; :n [", "; :n (1 "])
def test_a_file_cut_short_is_refused(end: str) -> None:
    with pytest.raises(BadInputError, match=r"is not Turtle: .*line"):
        model_of(f":a a brick:AHU {end}")


def test_an_error_of_the_parser_is_reported_as_it_is() -> None:
    with pytest.raises(BadInputError, match="is not Turtle: Invalid unicode code point: 00200000"):
        model_of(r"<urn:\U00200000> a brick:AHU .")


def test_a_file_nested_too_deep_is_refused() -> None:
    with pytest.raises(BadInputError, match="nested too deep"):
        model_of(":a :b " + "[ :c " * 3000 + "1" + "]" * 3000 + " .")


def test_relative_uris_are_the_same_wherever_the_file_lies() -> None:
    model = model_of("@prefix me: <#> . <ahu> a brick:AHU ; brick:feeds me:room . me:room a brick:Room .")
    assert set(model.entities) == {"file:///ahu", "file:///#room"}


def test_a_class_in_quotation_marks_is_counted() -> None:
    assert model_of(':a a "AHU" .').not_understood == {"http://www.w3.org/1999/02/22-rdf-syntax-ns#type": 1}
