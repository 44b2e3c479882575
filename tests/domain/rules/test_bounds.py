"""Bounds of rules, versions, steps and annotations; actions that are possible."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from domain.rules.events.operations import ANNOTATIONS_MAX, NOTE_MAX_CHARS, event_annotate
from domain.rules.model import AnnotationKind, Rule, Severity, Step
from domain.rules.operations import STEPS_MAX, RuleDraft, rule_create, rule_update
from domain.work.activity_templates.operations import activity_template_create, activity_template_delete
from domain.work.notifications.address import URL_MAX_CHARS
from graph.errors import BadInputError, LimitExceededError, NotFoundError
from graph.kinds import EntityKind
from testing.world import World, day, new_id
from tests.domain.pipeline.act.conftest import Alarms

HOT = {"threshold": {"metric": "t", "operator": "GT", "value": 80}}


def create(world: World, **more: Any) -> Rule:
    with world.changing() as (session, change):
        return rule_create(session, change=change, draft=RuleDraft(name="hot", condition=HOT, **more))


def edit(world: World, rule: Rule, **more: Any) -> Rule:
    with world.changing() as (session, change):
        draft = RuleDraft(name="hot", condition=HOT, **more)
        return rule_update(session, change=change, rule_id=rule.id, draft=draft)


def test_rules_of_an_organization(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("domain.rules.operations.RULES_MAX", 1)
    create(world)
    with pytest.raises(LimitExceededError):
        create(world)


def test_versions_of_a_rule(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("domain.rules.operations.VERSIONS_MAX", 2)
    rule = create(world, effective_from=day(1))
    edit(world, rule, effective_from=day(2))
    with pytest.raises(LimitExceededError) as refused:
        edit(world, rule, effective_from=day(3))
    assert refused.value.path == ("effectiveFrom",)


def test_steps_of_escalation(world: World) -> None:
    steps = [Step(n + 1, Severity.CRITICAL) for n in range(STEPS_MAX + 1)]
    with pytest.raises(LimitExceededError) as refused:
        create(world, severity=Severity.LOW, escalation=steps)
    assert refused.value.path == ("escalation",)


def test_an_action_is_one_that_can_be_done(world: World, other: World) -> None:
    with world.changing() as (session, change):
        template = activity_template_create(session, change=change, name="Cool it")
    with other.changing() as (session, change):
        foreign = activity_template_create(session, change=change, name="Cool it")
    url = "https://example.org/" + "x" * (URL_MAX_CHARS - 20)
    action = {"createActivityFromTemplateId": str(template.id), "webhookUrl": url}
    rule = create(world, action=action)
    assert rule.version.action == action
    for bad in (url + "x", "ftp://example.org/", "https://user@example.org/"):
        with pytest.raises(BadInputError) as refused:
            create(world, action={"webhookUrl": bad})
        assert refused.value.path == ("action", "webhookUrl")
    with world.changing() as (session, change):
        activity_template_delete(session, change=change, template_id=template.id)
    for gone in (foreign.id, template.id, new_id()):
        with pytest.raises(NotFoundError) as unknown:
            edit(world, rule, action={"createActivityFromTemplateId": str(gone)})
        assert unknown.value.path == ("action", "createActivityFromTemplateId")


@pytest.fixture
def event_id(alarms: Alarms) -> UUID:
    asset = alarms.world.entity(EntityKind.ASSET)
    return alarms.opened(alarms.rule(), asset, day(1))


def annotate(world: World, event_id: UUID, kind: AnnotationKind, note: str | None) -> int:
    with world.session() as session:
        marked = event_annotate(
            session,
            organization_id=world.organization_id,
            event_id=event_id,
            kind=kind,
            note=note,
            actor="ann",
            now=day(2),
            annotation_id=new_id(),
        )
        session.commit()
    return len(marked.annotations)


def test_annotations_of_an_event_and_their_notes(alarms: Alarms, event_id: UUID) -> None:
    world = alarms.world
    assert annotate(world, event_id, AnnotationKind.COMMENT, "x" * NOTE_MAX_CHARS) == 1
    for note in ("x" * (NOTE_MAX_CHARS + 1), "", None):
        with pytest.raises(BadInputError) as refused:
            annotate(world, event_id, AnnotationKind.COMMENT, note)
        assert refused.value.path == ("note",)
    with alarms.owner.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO event_annotations SELECT organization_id, gen_random_uuid(), event_id, kind,"
                " at + n * :step, actor, note FROM event_annotations, generate_series(1, :more) AS n"
            ),
            {"more": ANNOTATIONS_MAX - 2, "step": timedelta(seconds=1)},
        )
    assert annotate(world, event_id, AnnotationKind.ACKNOWLEDGED, None) == ANNOTATIONS_MAX
    with pytest.raises(LimitExceededError):
        annotate(world, event_id, AnnotationKind.DISMISSED, None)
    # Who has seen it already has: nothing is added.
    assert annotate(world, event_id, AnnotationKind.ACKNOWLEDGED, None) == ANNOTATIONS_MAX
