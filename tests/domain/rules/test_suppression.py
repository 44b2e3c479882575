"""Which events open while they are shelved or in maintenance."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Engine

from domain.events.suppression import events_shelve, events_unshelve, maintenance_create
from domain.rules.operations import RuleDraft, rule_create
from domain.rules.suppression import suppressed_of
from domain.telemetry.packed import micros_of
from graph.kinds import EntityKind
from tests.domain.telemetry.line import NOW, Line
from tests.graph.world import new_id, world_create


def at(minute: int) -> datetime:
    return NOW - timedelta(hours=2) + timedelta(minutes=minute)


def test_a_shelf_is_of_a_rule_and_maintenance_of_what_is_below(engine: Callable[[str], Engine]) -> None:
    line = Line(world_create(owner=engine("owner"), api=engine("api"), slug="shelves"), engine)
    world = line.world
    hall, pump, other = (world.entity(kind) for kind in (EntityKind.SPACE, EntityKind.ASSET, EntityKind.ASSET))
    world.edge(pump, "LOCATED_IN", hall)
    condition = {"threshold": {"metric": "a", "operator": "GT", "value": 5}}
    with world.changing() as (session, change):
        rule = rule_create(session, change=change, draft=RuleDraft(name="hot", condition=condition)).id
        shelf = events_shelve(session, change=change, rule_id=rule, entity_id=None, begins=at(0), ends=at(10))
        maintenance_create(session, change=change, under_id=hall, begins=at(20), ends=at(30))
    asked = [
        (rule, other, 0), (rule, other, 10), (new_id(), other, 5), (rule, pump, 20), (rule, pump, 30), (rule, other, 25),
    ]  # fmt: skip
    with line.pipeline() as session:
        told = suppressed_of(
            session,
            organization_id=line.organization_id,
            opened=[(each, entity, micros_of(at(minute))) for each, entity, minute in asked],
        )
    assert told == [True, False, False, True, False, False]
    with world.changing() as (session, change):
        later = events_shelve(
            session, change=change, rule_id=rule, entity_id=other, ends=change.recorded + timedelta(days=9)
        )
        ended = events_unshelve(session, change=change, shelf_id=later.id)
        assert (ended.ends, shelf.ends) == (change.recorded, at(10))
