"""Actions of events: activities, once each; suggestions; notifications."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.nodes.operations import entity_delete, entity_restore
from domain.pipeline.act.operations import event_actions_apply
from domain.pipeline.act.outbox import organizations_waiting
from domain.work.activities.lifecycle import ActivityState
from domain.work.activities.progress import activity_assign, activity_transition
from domain.work.activities.queries import activities_of_events, activity_sources_get
from domain.work.activities.steps import activity_history_get
from domain.work.activity_templates.operations import activity_template_delete
from graph.errors import ConflictError
from graph.kinds import EntityKind
from graph.tenancy import organization_set
from testing.world import new_id
from tests.domain.pipeline.act.conftest import NOW, Alarms


def text_of(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


def finish(alarms: Alarms, activity_id: UUID, *states: ActivityState) -> None:
    person = alarms.world.entity(EntityKind.PERSON)
    with alarms.world.changing() as (session, change):
        activity_assign(session, change=change, activity_id=activity_id, person_id=person)
    for state in (ActivityState.IN_PROGRESS, ActivityState.DONE, *states):
        with alarms.world.changing() as (session, change):
            activity_transition(session, change=change, activity_id=activity_id, to=state)


def test_an_event_makes_one_activity_of_its_rule_and_target(alarms: Alarms, template: UUID, asset: UUID) -> None:
    rule = alarms.rule(createActivityFromTemplateId=str(template))
    first, second = alarms.opened(rule, asset, NOW), alarms.opened(rule, asset, NOW + timedelta(minutes=5))
    other = alarms.opened(rule, alarms.world.entity(EntityKind.ASSET), NOW)
    with Session(alarms.pipeline) as session:
        assert organizations_waiting(session, now=NOW) == {alarms.world.organization_id: False}
    done = alarms.act(NOW)
    assert (done.changes, done.created, done.reopened, done.refused) == (3, 2, 0, None)
    [(made, status, details), (made_of_other, _, _)] = alarms.activities()
    assert (status, details.priority, details.suggestion) == ("open", "high", None)
    scope = {"organization_id": alarms.world.organization_id}
    with alarms.world.session() as session:
        source = activity_sources_get(session, **scope, ids=[made])[made]
        assert activities_of_events(session, **scope, ids=[first, second, other]) == {
            first: [made], second: [made], other: [made_of_other],
        }  # fmt: skip
        actors = {step.actor for step in activity_history_get(session, **scope, ids=[made])[made]}
    assert (source.template_id, source.rule_id, source.event_id, source.target_id) == (template, rule, first, asset)
    assert actors == {"argus:act"}
    assert (alarms.act(NOW).changes, len(alarms.activities()), alarms.waiting()) == (0, 2, 0)


def test_a_crash_before_the_commit_changes_nothing_and_nothing_is_done_twice(
    alarms: Alarms, template: UUID, asset: UUID
) -> None:
    rule = alarms.rule(createActivityFromTemplateId=str(template), webhookUrl="https://example.org/")
    alarms.opened(rule, asset, NOW)
    with Session(alarms.pipeline) as session:
        organization_set(session, organization_id=alarms.world.organization_id)
        scope = {"organization_id": alarms.world.organization_id, "now": NOW, "new_id": new_id}
        assert event_actions_apply(session, **scope).created == 1  # type: ignore[arg-type]
        # Another process finds it taken, and does not wait.
        assert alarms.act(NOW).changes == 0
        session.rollback()
    assert (alarms.activities(), alarms.waiting()) == ([], 1)
    done = alarms.act(NOW)
    assert (done.created, done.notified, len(alarms.activities())) == (1, 1, 1)


def test_clearing_suggests_closing_and_reopening_withdraws_it(alarms: Alarms, template: UUID, asset: UUID) -> None:
    rule = alarms.rule(createActivityFromTemplateId=str(template))
    event = alarms.opened(rule, asset, NOW)
    alarms.act(NOW)
    alarms.cleared(event, NOW + timedelta(hours=1))
    assert alarms.act(NOW).suggested == 1
    [(made, status, details)] = alarms.activities()
    assert (status, details.suggestion) == (
        "open", {"action": "CLOSE", "eventId": str(event), "at": text_of(NOW + timedelta(hours=1))},
    )  # fmt: skip
    again = alarms.opened(rule, asset, NOW + timedelta(hours=2))
    alarms.act(NOW)
    assert [(activity[0], activity[2].suggestion) for activity in alarms.activities()] == [(made, None)]
    alarms.withdrawn(again, NOW + timedelta(hours=2))
    alarms.act(NOW)
    [(_, _, details)] = alarms.activities()
    assert details.suggestion == {"action": "CANCEL", "eventId": str(again), "at": text_of(NOW + timedelta(hours=2))}


def test_while_another_event_of_the_rule_is_open_nothing_is_suggested(
    alarms: Alarms, template: UUID, asset: UUID
) -> None:
    rule = alarms.rule(createActivityFromTemplateId=str(template))
    first, _second = alarms.opened(rule, asset, NOW), alarms.opened(rule, asset, NOW)
    alarms.cleared(first, NOW + timedelta(hours=1))
    assert alarms.act(NOW).suggested == 0


def test_an_unverified_done_activity_is_reopened(alarms: Alarms, template: UUID, asset: UUID) -> None:
    rule = alarms.rule(createActivityFromTemplateId=str(template))
    event = alarms.opened(rule, asset, NOW)
    alarms.act(NOW)
    [(made, _, _)] = alarms.activities()
    finish(alarms, made)
    alarms.changed(event, "REOPENED", NOW)
    assert alarms.act(NOW).reopened == 1
    assert [activity[:2] for activity in alarms.activities()] == [(made, "open")]
    finish(alarms, made, ActivityState.VERIFIED)
    alarms.changed(event, "REOPENED", NOW)
    assert alarms.act(NOW).created == 1
    assert [activity[1] for activity in alarms.activities()] == ["verified", "open"]
    with (
        pytest.raises(ConflictError, match="of the same rule and target is unfinished"),
        alarms.world.changing() as (
            session,
            change,
        ),
    ):
        activity_transition(session, change=change, activity_id=made, to=ActivityState.OPEN)


def test_a_deleted_activity_gives_up_its_place_for_good(alarms: Alarms, template: UUID, asset: UUID) -> None:
    rule = alarms.rule(createActivityFromTemplateId=str(template))
    alarms.opened(rule, asset, NOW)
    alarms.act(NOW)
    [(made, _, _)] = alarms.activities()
    with alarms.world.changing() as (session, change):
        entity_delete(session, change=change, entity_id=made)
    alarms.opened(rule, asset, NOW)
    assert alarms.act(NOW).created == 1
    with alarms.world.changing() as (session, change):
        entity_restore(session, change=change, entity_id=made)
    with alarms.world.session() as session:
        activity = session.execute(text("SELECT id, holds_place FROM activities ORDER BY id")).all()
    assert [tuple(row) for row in activity] == [(made, False), (alarms.activities()[1][0], True)]


def test_history_a_replay_and_what_is_suppressed_make_nothing(alarms: Alarms, template: UUID, asset: UUID) -> None:
    rule = alarms.rule(createActivityFromTemplateId=str(template), webhookUrl="https://example.org/")
    old = alarms.opened(rule, asset, NOW - timedelta(days=3))
    alarms.cleared(old, NOW - timedelta(days=2))
    alarms.opened(rule, asset, NOW, side_effects_disabled=True)
    suppressed = alarms.opened(rule, asset, NOW - timedelta(hours=2), suppressed_until=NOW)
    alarms.cleared(suppressed, NOW - timedelta(hours=1))
    done = alarms.act(NOW)
    assert (done.changes, done.created, done.notified, alarms.waiting()) == (5, 0, 0, 0)
    assert alarms.activities() == []
    recent = alarms.opened(rule, asset, NOW - timedelta(days=3))
    alarms.cleared(recent, NOW - timedelta(hours=23))
    done = alarms.act(NOW)
    assert (done.created, done.notified) == (1, 2)


def test_a_deleted_template_creates_nothing_and_delays_nothing(alarms: Alarms, template: UUID, asset: UUID) -> None:
    rule = alarms.rule(createActivityFromTemplateId=str(template))
    event = alarms.opened(rule, asset, NOW)
    with alarms.world.changing() as (session, change):
        activity_template_delete(session, change=change, template_id=template)
    done = alarms.act(NOW)
    assert done.refused == [f"{event}: There is no template of activities {template}."]
    assert (done.created, alarms.activities(), alarms.waiting()) == (0, [], 0)


def test_at_most_so_many_at_a_time_and_in_their_order(alarms: Alarms, template: UUID, asset: UUID) -> None:
    rule = alarms.rule(createActivityFromTemplateId=str(template))
    event = alarms.opened(rule, asset, NOW)
    alarms.cleared(event, NOW)
    assert (alarms.act(NOW, limit=1).changes, alarms.waiting()) == (1, 1)
    assert (alarms.act(NOW, limit=1).suggested, alarms.waiting()) == (1, 0)


def test_a_webhook_is_notified_of_each_change(alarms: Alarms, asset: UUID) -> None:
    rule = alarms.rule(webhookUrl="https://example.org/argus")
    event = alarms.opened(rule, asset, NOW)
    alarms.changed(event, "CORRECTED", NOW)
    alarms.cleared(event, NOW + timedelta(hours=1))
    assert alarms.act(NOW).notified == 2
    with alarms.world.session() as session:
        notifications = session.execute(text("SELECT url, payload FROM notifications ORDER BY sequence")).all()
    assert [row.payload["change"] for row in notifications] == ["OPENED", "CLEARED"]
    assert notifications[1].url == "https://example.org/argus"
    assert notifications[1].payload == {
        "sequence": 2,
        "change": "CLEARED",
        "at": text_of(NOW + timedelta(hours=1)),
        "event": {
            "id": str(event), "severity": "HIGH", "beganAt": text_of(NOW), "openedAt": text_of(NOW),
            "clearedAt": text_of(NOW + timedelta(hours=1)),
        },
        "rule": {"id": str(rule), "name": "Too warm"},
        "entity": {"id": str(asset)},
    }  # fmt: skip


def test_the_version_that_opened_the_event_decides_the_actions(alarms: Alarms, template: UUID, asset: UUID) -> None:
    rule = alarms.rule()
    alarms.version(rule, NOW, createActivityFromTemplateId=str(template))
    alarms.opened(rule, asset, NOW - timedelta(microseconds=1))
    assert alarms.act(NOW).created == 0
    alarms.opened(rule, asset, NOW)
    assert alarms.act(NOW).created == 1


def test_an_event_carried_over_uses_the_action_of_the_new_version(alarms: Alarms, asset: UUID) -> None:
    rule = alarms.rule(webhookUrl="https://a.example.com/x")
    event = alarms.opened(rule, asset, NOW)
    alarms.act(NOW)
    version = alarms.version(rule, NOW + timedelta(hours=1), webhookUrl="https://b.example.com/x")
    alarms.carried(event, version, "LOW")
    alarms.changed(event, "DEESCALATED", NOW + timedelta(hours=1))
    alarms.act(NOW + timedelta(hours=1))
    alarms.cleared(event, NOW + 2 * timedelta(hours=1))
    alarms.act(NOW + 2 * timedelta(hours=1))
    with alarms.world.session() as session:
        rows = session.execute(text("SELECT url, payload FROM notifications ORDER BY url, sequence")).all()
    # A receiver notified of the opening is notified of the end; a new one from the opening on.
    assert [(row.url[8], row.payload["change"], row.payload["event"]["severity"]) for row in rows] == [
        ("a", "OPENED", "HIGH"),
        ("a", "DEESCALATED", "LOW"),
        ("a", "CLEARED", "LOW"),
        ("b", "OPENED", "LOW"),
        ("b", "CLEARED", "LOW"),
    ]


def test_an_action_without_effect_delays_nothing(alarms: Alarms, template: UUID, asset: UUID) -> None:
    alarms.opened(alarms.rule(createActivityFromTemplateId="nonsense", webhookUrl=7), asset, NOW)
    alarms.opened(alarms.rule(createActivityFromTemplateId=str(template)), asset, NOW)
    done = alarms.act(NOW)
    assert (done.changes, done.created, done.notified, alarms.waiting()) == (2, 1, 0, 0)
