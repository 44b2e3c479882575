"""Which actions a rule may have."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from domain.acting.actions import action_check
from domain.activity_templates.operations import activity_template_create, activity_template_delete
from graph.errors import ArgusError, BadInputError, NotFoundError
from tests.graph.world import World, new_id


@pytest.fixture
def template(world: World) -> UUID:
    with world.changing() as (session, change):
        return activity_template_create(session, change=change, name="Cool it").id


def refused(world: World, **action: Any) -> ArgusError:
    with world.session() as session, pytest.raises(ArgusError) as caught:
        action_check(session, organization_id=world.organization_id, action=action)
    return caught.value


def test_a_template_that_is_there_and_a_webhook_are_allowed(world: World, template: UUID) -> None:
    with world.session() as session:
        for action in ({}, {"createActivityFromTemplateId": str(template), "webhookUrl": "https://example.org/a"}):
            action_check(session, organization_id=world.organization_id, action=action)


def test_a_template_that_is_not_there_is_refused(world: World, other: World, template: UUID) -> None:
    foreign = refused(other, createActivityFromTemplateId=str(template))
    nonsense = refused(world, createActivityFromTemplateId="nonsense")
    unknown = refused(world, createActivityFromTemplateId=str(new_id()))
    with world.changing() as (session, change):
        activity_template_delete(session, change=change, template_id=template)
    deleted = refused(world, createActivityFromTemplateId=str(template))
    faults = (foreign, nonsense, unknown, deleted)
    assert [type(fault) for fault in faults] == [NotFoundError] * 4
    assert {fault.path for fault in faults} == {("action", "createActivityFromTemplateId")}


@pytest.mark.parametrize(
    ("action", "member"),
    [
        ({"webhookUrl": "ftp://example.org"}, "webhookUrl"),
        ({"webhookUrl": 7}, "webhookUrl"),
        ({"createActivityFromTemplateId": None}, "createActivityFromTemplateId"),
        ({"sendMail": "to@example.org"}, "sendMail"),
    ],
)
def test_what_could_do_nothing_is_refused(world: World, action: dict[str, Any], member: str) -> None:
    fault = refused(world, **action)
    assert (type(fault), fault.path) == (BadInputError, ("action", member))
