"""Many event changes are applied as if one by one, in statements that do not grow with their number."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import event

from domain.work.activity_templates.operations import activity_template_create
from graph.entities.operations import entity_delete
from graph.kinds import EntityKind
from tests.domain.pipeline.act.conftest import NOW, TEMPLATE, Alarms

MINUTE = timedelta(minutes=1)


def statements(alarms: Alarms, entities: list[UUID], rule: UUID) -> tuple[int, int]:
    """Open an event of each, and clear it; return how many statements following them took."""
    sent: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    event.listen(alarms.pipeline, "before_cursor_execute", count)
    try:
        opened = [alarms.opened(rule, entity, NOW) for entity in entities]
        done = alarms.act(NOW)
        assert (done.created, done.refused) == (len(entities), None)
        to_open = len(sent)
        for event_id in opened:
            alarms.cleared(event_id, NOW + MINUTE)
        assert alarms.act(NOW).suggested == len(entities)
    finally:
        event.remove(alarms.pipeline, "before_cursor_execute", count)
    return to_open, len(sent) - to_open


def test_statements_do_not_grow_with_events(alarms: Alarms) -> None:
    # Whom each is given to is looked up one by one: without a role.
    with alarms.world.changing() as (session, change):
        of = {**TEMPLATE, "default_assigned_role": None, "type": None}
        template = activity_template_create(session, change=change, name="Cool it", **of).id
    rule = alarms.rule(createActivityFromTemplateId=str(template))
    few = statements(alarms, list(alarms.world.entities(EntityKind.ASSET, 2)), rule)
    many = statements(alarms, list(alarms.world.entities(EntityKind.ASSET, 20)), rule)
    assert many == few


@pytest.mark.parametrize("together", [False, True])
def test_changes_applied_together_keep_their_order(alarms: Alarms, template: UUID, asset: UUID, together: bool) -> None:
    """An event that comes, goes and comes again, beside others, leaves what applying each at once would leave."""
    rule = alarms.rule(createActivityFromTemplateId=str(template))
    other = alarms.world.entity(EntityKind.ASSET)

    def act() -> None:
        if not together:
            alarms.act(NOW + timedelta(hours=1))

    for minute, entity in enumerate((asset, other, asset)):
        opened = alarms.opened(rule, entity, NOW + 2 * minute * MINUTE)
        act()
        if minute < 2:
            alarms.cleared(opened, NOW + (2 * minute + 1) * MINUTE)
            act()
    alarms.act(NOW + timedelta(hours=1))
    suggestions = [
        None if activity.suggestion is None else activity.suggestion["action"] for _, _, activity in alarms.activities()
    ]
    assert suggestions == [None, "CLOSE"]


def test_an_activity_that_cannot_be_created_does_not_stop_the_others(alarms: Alarms, template: UUID) -> None:
    rule = alarms.rule(createActivityFromTemplateId=str(template))
    entities = alarms.world.entities(EntityKind.ASSET, 3)
    opened = [alarms.opened(rule, entity, NOW) for entity in entities]
    with alarms.world.changing() as (session, change):
        entity_delete(session, change=change, entity_id=entities[1])
    done = alarms.act(NOW)
    assert done.created == 2
    assert done.refused is not None
    assert [text.split(":")[0] for text in done.refused] == [str(opened[1])]
    assert (len(alarms.activities()), alarms.waiting()) == (2, 0)
