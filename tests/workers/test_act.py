"""The act stage: woken by the bus, by itself after a second, and never twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from domain.base.leases import Lease
from domain.base.streams import ACT, EVENTS, stream_name
from domain.pipeline.act.outbox import outbox_lock
from domain.rules.shelving.operations import maintenance_window_create, maintenance_window_end
from domain.work.activity_templates.operations import activity_template_create
from graph.kinds import EntityKind
from runtime.ids import new_id
from testing.poison import DEADLOCK, failures, pauses_end, poisoned, retry
from testing.world import world_create
from tests.domain.pipeline.act.conftest import TEMPLATE, Alarms
from workers.process import ProcessState
from workers.stages import act
from workers.stages.act import ActStage


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(act, "GATHER_S", 0.0)


@pytest.fixture
def alarms(engine: Callable[[str], Engine]) -> Alarms:
    world = world_create(owner=engine("owner"), api=engine("api"), slug="plant")
    return Alarms(world, engine("owner"), engine("pipeline"))


@pytest.fixture
def rule(alarms: Alarms) -> UUID:
    with alarms.world.changing() as (session, change):
        # Ids of the stage are of this time; so is the template's, that names and ids sort alike.
        made = activity_template_create(session, change=change, name="Cool it", **TEMPLATE)
    return alarms.rule(createActivityFromTemplateId=str(made.id))


def other_waiting(alarms: Alarms) -> int:
    with Session(alarms.owner) as session:
        statement = "SELECT count(*) FROM event_changes WHERE processed_at IS NULL AND organization_id = :id"
        counted: int = session.execute(text(statement), {"id": alarms.world.organization_id}).scalar_one()
        return counted


def wake(state: ProcessState) -> None:
    state.bus.publish(stream_name(EVENTS, 0), [new_id().bytes])


def test_an_entry_wakes_the_stage_and_nothing_is_applied_twice(state: ProcessState, alarms: Alarms, rule: UUID) -> None:
    stages = [ActStage(state, Lease(ACT, partition, 1)) for partition in (0, 1)]
    assert [stage.poll() for stage in stages] == [False, False]
    alarms.opened(rule, alarms.world.entity(EntityKind.ASSET), datetime.now(UTC))
    assert (stages[0].poll(), alarms.waiting()) == (False, 1)
    wake(state)
    assert (stages[0].poll(), alarms.waiting(), len(alarms.activities())) == (True, 0, 1)
    wake(state)
    assert [stage.poll() for stage in stages] == [True, False]
    assert (len(alarms.activities()), stages[0].counters.items, stages[0].counters.errors) == (1, 1, 0)


def test_wakeups_in_quick_succession_are_combined(
    state: ProcessState, alarms: Alarms, rule: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = ActStage(state, Lease(ACT, 0, 1))
    alarms.opened(rule, alarms.world.entity(EntityKind.ASSET), datetime.now(UTC))
    monkeypatch.setattr(act, "GATHER_S", 3600.0)
    assert stage.poll()
    alarms.opened(rule, alarms.world.entity(EntityKind.ASSET), datetime.now(UTC))
    wake(state)
    assert (stage.poll(), alarms.waiting()) == (False, 1)


def test_a_stage_that_finds_the_outbox_locked_polls_again(state: ProcessState, alarms: Alarms, rule: UUID) -> None:
    stage = ActStage(state, Lease(ACT, 0, 1))
    alarms.opened(rule, alarms.world.entity(EntityKind.ASSET), datetime.now(UTC))
    with Session(alarms.pipeline) as session:
        assert outbox_lock(session, organization_id=alarms.world.organization_id)
        assert (stage.poll(), alarms.waiting()) == (False, 1)
    assert (stage.poll(), alarms.waiting()) == (True, 0)


def test_without_a_wakeup_it_polls(
    state: ProcessState, alarms: Alarms, rule: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.stages.act.LOOK_EVERY_S", 0.0)
    stage = ActStage(state, Lease(ACT, 0, 1))
    assert not stage.poll()
    for _ in range(3):
        alarms.opened(rule, alarms.world.entity(EntityKind.ASSET), datetime.now(UTC))
    monkeypatch.setattr("workers.stages.act.CHANGES_AT_ONCE", 2)
    # However busy the machine is.
    monkeypatch.setattr("workers.stages.act.POLL_S", 60.0)
    assert (stage.poll(), alarms.waiting(), len(alarms.activities())) == (True, 0, 3)


def test_maintenance_is_checked_before_changes_are_applied_and_at_its_end(
    state: ProcessState, alarms: Alarms, rule: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.stages.act.LOOK_EVERY_S", 0.0)
    stage = ActStage(state, Lease(ACT, 0, 1))
    with alarms.world.changing() as (session, change):
        now = change.recorded
        window = maintenance_window_create(
            session, change=change, under_id=None, begins=now, ends=now + timedelta(days=1)
        )
    for _ in range(2):
        alarms.opened(rule, alarms.world.entity(EntityKind.ASSET), now)
    while stage.poll():
        pass
    # Two that wait already, and each once more, as it was found to be suppressed.
    assert (alarms.activities(), alarms.waiting()) == ([], 4)
    with alarms.world.changing() as (session, change):
        maintenance_window_end(session, change=change, window_id=window.id)
    while stage.poll():
        pass
    assert (len(alarms.activities()), alarms.waiting()) == (2, 0)
    with Session(alarms.owner) as session:
        assert session.execute(text("SELECT count(*) FROM suppression_invalidations")).scalar_one() == 0


def test_many_changes_leave_room_for_the_other_stages(
    state: ProcessState, alarms: Alarms, rule: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = ActStage(state, Lease(ACT, 0, 1))
    for _ in range(3):
        alarms.opened(rule, alarms.world.entity(EntityKind.ASSET), datetime.now(UTC))
    monkeypatch.setattr("workers.stages.act.CHANGES_AT_ONCE", 1)
    monkeypatch.setattr("workers.stages.act.POLL_S", 0.0)
    other = replace(alarms, world=world_create(owner=alarms.owner, api=alarms.world.api, slug="other"))
    other.opened(other.rule(webhookUrl="https://example.org/"), other.world.entity(EntityKind.ASSET), datetime.now(UTC))
    # The rest is left to the next poll, which needs no wakeup; the organizations take turns.
    for of_all, of_other in ((3, 1), (2, 0), (1, 0), (0, 0)):
        assert (stage.poll(), alarms.waiting(), other_waiting(other)) == (True, of_all, of_other)


@pytest.fixture
def looking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.stages.act.LOOK_EVERY_S", 0.0)


def polls(stage: ActStage) -> None:
    while stage.poll():
        pass


@pytest.mark.usefixtures("looking")
def test_a_change_that_cannot_be_read_holds_back_its_rule_and_target_alone(
    state: ProcessState, alarms: Alarms, rule: UUID
) -> None:
    stage = ActStage(state, Lease(ACT, 0, 1))
    targets = alarms.world.entities(EntityKind.ASSET, 2)
    opened = [alarms.opened(rule, target, datetime.now(UTC)) for target in targets]
    with Session(alarms.owner) as session, session.begin():
        session.execute(text("ALTER TABLE event_changes DROP CONSTRAINT ck_event_changes_kind"))
    alarms.changed(opened[0], "OF ANOTHER RELEASE", datetime.now(UTC))
    for event_id in opened:
        alarms.cleared(event_id, datetime.now(UTC))
    other = replace(alarms, world=world_create(owner=alarms.owner, api=alarms.world.api, slug="other"))
    other.opened(other.rule(webhookUrl="https://example.org/"), other.world.entity(EntityKind.ASSET), datetime.now(UTC))
    polls(stage)
    # The bad one and the clearing behind it wait; what came before, the other target and the other organization do not.
    assert (other_waiting(alarms), other_waiting(other)) == (2, 0)
    suggestions = {source: details.suggestion is not None for source, _, details in alarms.activities()}
    # An activity that is made after its event has cleared is suggested to be closed with that.
    assert list(suggestions.values()) == [True, True]
    [failed] = failures(alarms.owner)
    assert (failed.queue, failed.tries, failed.is_due) == ("EVENT_CHANGES", 1, True)
    assert failed.holds == f"{rule}/{targets[0]}"
    assert failed.reason.startswith("ValueError: 'OF ANOTHER RELEASE' is not a valid ChangeKind (")
    for tries in range(2, 6):
        pauses_end(alarms.owner)
        polls(stage)
        [failed] = failures(alarms.owner)
        assert (failed.tries, failed.is_due) == (tries, tries < 5)
    pauses_end(alarms.owner)
    polls(stage)
    assert failures(alarms.owner) == [failed]
    # Repaired, and retried: it is applied in its order.
    with Session(alarms.owner) as session, session.begin():
        session.execute(text("UPDATE event_changes SET kind = 'CORRECTED' WHERE kind LIKE 'OF %'"))
    retry(alarms.owner)
    polls(stage)
    assert other_waiting(alarms) == 0
    assert [failure.is_resolved for failure in failures(alarms.owner)] == [True]
    assert all(details.suggestion is not None for _, _, details in alarms.activities())


@pytest.mark.usefixtures("looking")
def test_a_statement_that_fails_for_one_target_stops_no_other(state: ProcessState, alarms: Alarms, rule: UUID) -> None:
    stage = ActStage(state, Lease(ACT, 0, 1))
    targets = alarms.world.entities(EntityKind.ASSET, 5)
    with poisoned(alarms.owner, "activities", f"NEW.target_id = '{targets[2]}'"):
        for target in targets:
            alarms.opened(rule, target, datetime.now(UTC))
        polls(stage)
        assert (len(alarms.activities()), alarms.waiting()) == (4, 1)
    assert [failure.reason.split(" (")[0] for failure in failures(alarms.owner)] == ["DivisionByZero: poison"]
    pauses_end(alarms.owner)
    polls(stage)
    assert (len(alarms.activities()), alarms.waiting()) == (5, 0)
    assert [failure.is_resolved for failure in failures(alarms.owner)] == [True]


@pytest.mark.usefixtures("looking")
def test_transient_failures_are_retried_and_never_set_aside(state: ProcessState, alarms: Alarms, rule: UUID) -> None:
    stage = ActStage(state, Lease(ACT, 0, 1))
    alarms.opened(rule, alarms.world.entity(EntityKind.ASSET), datetime.now(UTC))
    with poisoned(alarms.owner, "activities", "true", code=DEADLOCK):
        for _ in range(7):
            with pytest.raises(OperationalError):
                stage.poll()
    assert (failures(alarms.owner), alarms.waiting()) == ([], 1)
    polls(stage)
    assert (len(alarms.activities()), alarms.waiting()) == (1, 0)


@pytest.mark.usefixtures("looking")
def test_an_event_that_cannot_be_looked_at_again_holds_back_only_its_own_changes(
    state: ProcessState, alarms: Alarms, rule: UUID
) -> None:
    stage = ActStage(state, Lease(ACT, 0, 1))
    with alarms.world.changing() as (session, change):
        now = change.recorded
        window = maintenance_window_create(
            session, change=change, under_id=None, begins=now, ends=now + timedelta(days=1)
        )
    opened = [alarms.opened(rule, target, now) for target in alarms.world.entities(EntityKind.ASSET, 3)]
    polls(stage)
    with alarms.world.changing() as (session, change):
        maintenance_window_end(session, change=change, window_id=window.id)
    with poisoned(
        alarms.owner, "events", f"NEW.id = '{opened[1]}' AND NEW.suppressed_until IS DISTINCT FROM OLD.suppressed_until"
    ):
        polls(stage)
        # Its suppression is not known: nothing follows from it yet. The others do.
        assert len(alarms.activities()) == 2
        [failed] = failures(alarms.owner)
        assert (failed.queue, failed.item, failed.tries) == ("SUPPRESSION", str(opened[1]), 1)
        assert other_waiting(alarms) > 0
    pauses_end(alarms.owner)
    polls(stage)
    assert (len(alarms.activities()), alarms.waiting()) == (3, 0)
    assert [failure.is_resolved for failure in failures(alarms.owner)] == [True]


@pytest.mark.usefixtures("looking")
def test_the_same_failure_is_logged_once_without_its_traceback(state: ProcessState, alarms: Alarms, rule: UUID) -> None:
    stage = ActStage(state, Lease(ACT, 0, 1))
    with poisoned(alarms.owner, "activities", "true"), capture_logs() as logs:
        for target in alarms.world.entities(EntityKind.ASSET, 4):
            alarms.opened(rule, target, datetime.now(UTC))
        for _ in range(3):
            polls(stage)
            pauses_end(alarms.owner)
    reported = [line for line in logs if line["log_level"] != "debug"]
    assert [line["event"] for line in reported] == ["event_actions_failed", "item_failed"]
    assert all("exc_info" not in line and "poison" in line["reason"] for line in reported)
    assert [failure.tries for failure in failures(alarms.owner)] == [3, 3, 3, 3]
