"""Relations of a Brick model beyond points, parts and flows: meters, controllers, neighbours, sites."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from domain.exchange.imports.apply import records_apply
from domain.exchange.imports.outcome import Outcome
from graph.kinds import EntityKind
from testing.world import EPOCH, World
from tests.domain.exchange.imports.brick_models import metered, office
from tests.domain.exchange.imports.test_brick_kinds import edges_of, kinds_of, model_of

METERS = """
:site a brick:Site ; brick:hasPart :building .
:building a brick:Building ; brick:isMeteredBy :main ; brick:hasSite :site .
:floor a brick:Floor ; brick:isPartOf :building .
:ahu a brick:AHU ; brick:hasLocation :floor ; brick:isMeteredBy :sub2 ; brick:hasSite :site .
:main a brick:Building_Electrical_Meter ; brick:hasSubMeter :sub1, :sub2 ; brick:meters :building .
:sub1 a brick:Electrical_Meter ; brick:isSubMeterOf :main ; brick:meters :floor ; brick:hasPoint :kw1 .
:sub2 a brick:Electrical_Meter ; brick:hasPoint :kw2 .
:kw1 a brick:Electric_Power_Sensor . :kw2 a brick:Electric_Power_Sensor .
"""


def bring(world: World, turtle: str) -> Outcome:
    def run(work: Callable[..., Any]) -> Any:
        with world.changing() as (session, change):
            return work(session, change)

    return records_apply(model_of(turtle).records(), run=run, valid_from=EPOCH)


def test_meters_are_related_to_what_they_meter_and_to_their_submeters() -> None:
    model = model_of(METERS)
    assert edges_of(model) == {
        ("building", "METERED_BY", "main"), ("floor", "METERED_BY", "sub1"), ("ahu", "METERED_BY", "sub2"),
        ("main", "HAS_SUBMETER", "sub1"), ("main", "HAS_SUBMETER", "sub2"),
        ("sub1", "MONITORED_BY", "kw1"), ("sub2", "MONITORED_BY", "kw2"),
        ("site", "CONTAINS", "building"), ("building", "CONTAINS", "floor"),
        ("ahu", "LOCATED_IN", "floor"), ("ahu", "LOCATED_IN", "site"),
    }  # fmt: skip
    assert model.remarks == []
    assert [(record.name, record.hierarchy) for record in model.relationships] == [
        ("METERED_BY", False),
        ("HAS_SUBMETER", True),
    ]


def test_controllers_and_points_that_control() -> None:
    model = model_of(
        """
        :plc a brick:Controller ; brick:controls :vav, :command .
        :command a brick:Damper_Position_Command ; brick:controls :damper .
        :vav a brick:VAV ; brick:isControlledBy :plc . :damper a brick:Damper .
        """
    )
    assert edges_of(model) == {
        ("vav", "HAS_CONTROLLER", "plc"),
        ("command", "HAS_CONTROLLER", "plc"),
        ("damper", "CONTROLLED_BY", "command"),
    }
    assert [record.name for record in model.relationships] == ["HAS_CONTROLLER"]


def test_neighbours_are_one_edge_whoever_says_it() -> None:
    model = model_of(":b a brick:Room ; brick:adjacentTo :a . :a a brick:Room ; brick:adjacentTo :b .")
    assert edges_of(model) == {("a", "ADJACENT_TO", "b")}


def test_what_meters_is_equipment_though_its_class_does_not_say_so() -> None:
    model = model_of(":panel a brick:Panel ; brick:hasPoint :z . :z a :Zaehler ; brick:meters :panel .")
    assert kinds_of(model)["z"] is EntityKind.ASSET
    assert edges_of(model) == {("panel", "METERED_BY", "z")}
    assert len(model.remarks) == 1


def test_relationships_are_defined_with_the_edges_and_once(world: World) -> None:
    outcome = bring(world, METERS)
    assert outcome.refused == []
    assert (outcome.created, outcome.edges_created, outcome.definitions_created) == (9, 11, 2)
    again = bring(world, METERS)
    assert (again.written, again.unchanged, again.edges_unchanged, again.definitions_unchanged) == (0, 9, 11, 2)


def test_a_circle_of_submeters_is_refused(world: World) -> None:
    outcome = bring(world, ":a a brick:Meter ; brick:hasSubMeter :b . :b a brick:Meter ; brick:hasSubMeter :a .")
    assert [remark.code for remark in outcome.refused] == ["CYCLE"]
    assert outcome.edges_created == 1


def test_a_second_asset_that_a_command_controls_is_refused_by_name(world: World) -> None:
    turtle = """
        :vav1 a brick:VAV . :vav2 a brick:VAV . :room a brick:Room .
        :command a brick:Damper_Position_Command ; brick:controls :vav1, :vav2, :room .
    """
    outcome = bring(world, turtle)
    assert (outcome.created, outcome.edges_created) == (4, 2)
    [remark] = outcome.refused
    assert (remark.subject, remark.code) == ("urn:x#vav2 CONTROLLED_BY urn:x#command", "CONFLICT")
    before, _, after = remark.message.partition(": edge ")
    assert before == "Device urn:x#command can have one CONTROLLED_BY among assets at a time"
    assert after.endswith("(urn:x#vav1 CONTROLLED_BY urn:x#command, from 2020-01-01T00:00:00+00:00 on).")


@pytest.mark.parametrize("turtle", [office(), metered()], ids=["office", "metered"])
def test_made_up_buildings_are_imported_once(world: World, turtle: str) -> None:
    model, outcome = model_of(turtle), bring(world, turtle)
    assert (outcome.created, outcome.edges_created, outcome.refused) == (len(model.entities), len(model.edges), [])
    again = bring(world, turtle)
    assert (again.written, again.unchanged, again.edges_unchanged) == (0, len(model.entities), len(model.edges))


def test_a_building_without_them_defines_nothing(world: World) -> None:
    assert bring(world, ":a a brick:AHU ; brick:feeds :r . :r a brick:Room .").definitions_created == 0
