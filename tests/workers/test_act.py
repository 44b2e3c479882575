"""The act stage: rung by the bus, by itself after a second, and never twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from domain.activity_templates.operations import activity_template_create
from domain.telemetry.leases import Lease
from domain.telemetry.streams import ACT, EVENTS, stream_name
from graph.kinds import EntityKind
from runtime.ids import new_id
from tests.domain.acting.conftest import TABLES, Alarms
from tests.graph.world import world_create
from workers.process import ProcessState
from workers.stages.act import ActStage


@pytest.fixture
def alarms(engine: Callable[[str], Engine]) -> Alarms:
    with Session(engine("owner")) as session, session.begin():
        session.execute(text(TABLES))
    world = world_create(owner=engine("owner"), api=engine("api"), slug="plant")
    return Alarms(world, engine("owner"), engine("pipeline"))


@pytest.fixture
def rule(alarms: Alarms) -> UUID:
    with alarms.world.changing() as (session, change):
        # Ids of the stage are of this time; so is the template's, that names and ids sort alike.
        made = activity_template_create(session, change=change, name="Cool it")
    return alarms.rule(createActivityFromTemplateId=str(made.id))


def ring(state: ProcessState) -> None:
    state.bus.publish(stream_name(EVENTS, 0), [new_id().bytes])


def test_an_entry_rings_and_what_is_done_is_not_done_again(state: ProcessState, alarms: Alarms, rule: UUID) -> None:
    stages = [ActStage(state, Lease(ACT, partition, 1)) for partition in (0, 1)]
    assert [stage.turn() for stage in stages] == [False, False]
    alarms.opened(rule, alarms.world.entity(EntityKind.ASSET), datetime.now(UTC))
    assert (stages[0].turn(), alarms.waiting()) == (False, 1)
    ring(state)
    assert (stages[0].turn(), alarms.waiting(), len(alarms.activities())) == (True, 0, 1)
    ring(state)
    assert [stage.turn() for stage in stages] == [True, False]
    assert (len(alarms.activities()), stages[0].tally.items, stages[0].tally.errors) == (1, 1, 0)


def test_without_a_ring_it_looks_by_itself(
    state: ProcessState, alarms: Alarms, rule: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.stages.act.LOOK_EVERY_S", 0.0)
    stage = ActStage(state, Lease(ACT, 0, 1))
    assert not stage.turn()
    for _ in range(3):
        alarms.opened(rule, alarms.world.entity(EntityKind.ASSET), datetime.now(UTC))
    monkeypatch.setattr("workers.stages.act.CHANGES_AT_ONCE", 2)
    assert (stage.turn(), alarms.waiting(), len(alarms.activities())) == (True, 0, 3)


def test_an_organization_that_cannot_be_acted_for_rests(state: ProcessState, alarms: Alarms, rule: UUID) -> None:
    stage = ActStage(state, Lease(ACT, 0, 1))
    alarms.version(rule, datetime(2026, 1, 1, tzinfo=UTC), createActivityFromTemplateId="no id")
    alarms.opened(rule, alarms.world.entity(EntityKind.ASSET), datetime.now(UTC))
    assert (stage.turn(), alarms.waiting(), stage.tally.errors) == (False, 1, 1)
    ring(state)
    assert (stage.turn(), stage.tally.errors) == (True, 1)
