"""Side effects of events that are shelved or in maintenance, and when they happen."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.pipeline.act.outbox import organizations_waiting
from domain.pipeline.act.suppressed import suppression_refresh
from domain.rules.shelving.operations import maintenance_window_create, shelf_create, shelf_end
from graph.kinds import EntityKind
from graph.tenancy import organization_set
from testing.world import day
from tests.domain.pipeline.act.conftest import Alarms

NOW = day(100)
HOUR = timedelta(hours=1)


@pytest.fixture
def asset(alarms: Alarms) -> UUID:
    return alarms.world.entity(EntityKind.ASSET)


@pytest.fixture
def rule(alarms: Alarms) -> UUID:
    return alarms.rule(webhookUrl="https://example.org/")


def maintain(alarms: Alarms, begins: datetime, ends: datetime) -> None:
    with alarms.world.changing() as (session, change):
        maintenance_window_create(session, change=change, under_id=None, begins=begins, ends=ends)


def shelve(alarms: Alarms, rule: UUID, begins: datetime, ends: datetime) -> UUID:
    with alarms.world.changing() as (session, change):
        return shelf_create(session, change=change, rule_id=rule, entity_id=None, begins=begins, ends=ends).id


def refresh(alarms: Alarms) -> None:
    with Session(alarms.pipeline) as session, session.begin():
        organization_set(session, organization_id=alarms.world.organization_id)
        while suppression_refresh(session, organization_id=alarms.world.organization_id).is_pending:
            pass


def is_waiting(alarms: Alarms, now: datetime) -> bool:
    with Session(alarms.pipeline) as session:
        return organizations_waiting(session, now=now) != {}


def notified(alarms: Alarms) -> list[str]:
    with alarms.world.session() as session:
        rows: list[Any] = list(
            session.execute(text("SELECT payload FROM notifications ORDER BY created_at, sequence")).scalars()
        )
    return [payload["change"] for payload in rows]


def test_an_event_open_when_maintenance_ends_is_acted_on_once(alarms: Alarms, rule: UUID, asset: UUID) -> None:
    maintain(alarms, NOW - HOUR, NOW + HOUR)
    alarms.opened(rule, asset, NOW)
    refresh(alarms)
    assert is_waiting(alarms, NOW)
    for now, expected in ((NOW, []), (NOW + HOUR / 2, []), (NOW + HOUR, ["OPENED"]), (NOW + 2 * HOUR, ["OPENED"])):
        alarms.act(now)
        assert notified(alarms) == expected
        assert not is_waiting(alarms, now)
    assert alarms.waiting() == 0


def test_no_notification_for_an_event_within_maintenance(alarms: Alarms, rule: UUID, asset: UUID) -> None:
    maintain(alarms, NOW - HOUR, NOW + HOUR)
    event = alarms.opened(rule, asset, NOW)
    refresh(alarms)
    alarms.act(NOW)
    assert alarms.waiting() > 0
    alarms.cleared(event, NOW + HOUR / 2)
    alarms.act(NOW + HOUR / 2)
    assert (notified(alarms), alarms.waiting()) == ([], 0)


def test_a_window_moved_elsewhere_has_its_actions_applied_after_all(alarms: Alarms, rule: UUID, asset: UUID) -> None:
    maintain(alarms, NOW - 3 * HOUR, NOW - HOUR)
    event = alarms.opened(rule, asset, NOW - 2 * HOUR)
    alarms.cleared(event, NOW - 2 * HOUR + HOUR / 2)
    refresh(alarms)
    alarms.act(NOW)
    assert (notified(alarms), alarms.waiting()) == ([], 0)
    with Session(alarms.owner) as session, session.begin():
        session.execute(text("UPDATE maintenance_windows SET begins = :at"), {"at": NOW - 3 * HOUR / 2})
    refresh(alarms)
    alarms.act(NOW)
    # It is over by now, and that is notified too: the last notification has the current state.
    assert notified(alarms) == ["OPENED", "CLEARED"]
    # And the other way: the side effects so far stay, and the rest of the event is notified.
    with Session(alarms.owner) as session, session.begin():
        session.execute(text("UPDATE maintenance_windows SET begins = :at"), {"at": NOW - 3 * HOUR})
    refresh(alarms)
    alarms.withdrawn(event, NOW)
    alarms.act(NOW)
    assert notified(alarms) == ["OPENED", "CLEARED", "WITHDRAWN"]


def test_a_shelf_suppresses_open_events_until_it_ends(alarms: Alarms, rule: UUID, asset: UUID) -> None:
    event = alarms.opened(rule, asset, NOW - HOUR)
    other = alarms.opened(rule, alarms.world.entity(EntityKind.ASSET), NOW - HOUR)
    alarms.act(NOW - HOUR)
    shelf = shelve(alarms, rule, begins=NOW, ends=NOW + timedelta(days=30))
    refresh(alarms)
    for event_id in (event, other):
        with Session(alarms.owner) as session, session.begin():
            session.execute(text("UPDATE events SET severity = 'CRITICAL' WHERE id = :id"), {"id": event_id})
        alarms.changed(event_id, "ESCALATED", NOW + HOUR)
    alarms.act(NOW + HOUR)
    assert (notified(alarms), alarms.waiting()) == (["OPENED", "OPENED"], 2)
    # The end of an event is notified; that its severity rose no longer matters.
    alarms.cleared(other, NOW + HOUR)
    alarms.act(NOW + 2 * HOUR)
    assert (notified(alarms), alarms.waiting()) == (["OPENED", "OPENED", "CLEARED"], 1)
    with Session(alarms.owner) as session, session.begin():
        session.execute(text("UPDATE shelves SET ends = :at WHERE id = :id"), {"at": NOW + 3 * HOUR, "id": shelf})
    refresh(alarms)
    alarms.act(NOW + 3 * HOUR)
    assert sorted(notified(alarms)) == ["CLEARED", "ESCALATED", "OPENED", "OPENED"]
    assert alarms.waiting() == 0


def test_an_event_before_a_shelf_that_is_detected_within_it_waits(alarms: Alarms, rule: UUID, asset: UUID) -> None:
    with alarms.world.changing() as (session, change):
        now = change.recorded
        shelf = shelf_create(session, change=change, rule_id=rule, entity_id=None, ends=now + HOUR)
    event = alarms.opened(rule, asset, now - HOUR)
    refresh(alarms)
    alarms.act(now)
    assert (notified(alarms), alarms.waiting()) == ([], 1)
    with alarms.world.changing() as (session, change):
        ended = shelf_end(session, change=change, shelf_id=shelf.id).ends
    refresh(alarms)
    alarms.act(ended)
    alarms.cleared(event, ended)
    alarms.act(ended)
    assert (notified(alarms), alarms.waiting()) == (["OPENED", "CLEARED"], 0)
