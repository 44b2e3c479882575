"""Which actions a rule may have."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from domain.rules.actions import action_check
from domain.work.activity_templates.operations import activity_template_create, activity_template_delete
from domain.work.notifications.address import ALLOWED_KEY, Allowed
from graph.errors import ArgusError, BadInputError, NotFoundError
from testing.world import World, new_id


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
        *(
            ({"webhookUrl": f"http://{host}/"}, "webhookUrl")
            for host in (
                *("127.0.0.1", "localhost", "a.localhost", "[::1]", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"),
                *("169.254.169.254", "0.0.0.0", "224.0.0.1", "240.0.0.1", "[fe80::1%25eth0]", "100.64.0.1"),  # noqa: S104
            )
        ),
        ({"createActivityFromTemplateId": None}, "createActivityFromTemplateId"),
        ({"sendMail": "to@example.org"}, "sendMail"),
    ],
)
def test_actions_without_effect_are_refused(world: World, action: dict[str, Any], member: str) -> None:
    fault = refused(world, **action)
    assert (type(fault), fault.path) == (BadInputError, ("action", member))


def test_an_address_that_is_allowed_on_this_installation_may_be_saved(world: World) -> None:
    action = {"webhookUrl": "http://127.0.0.1:9000/"}
    refused(world, **action)
    with world.session() as session:
        session.info[ALLOWED_KEY] = Allowed.parse(["127.0.0.0/8"])
        action_check(session, organization_id=world.organization_id, action=action)


@pytest.mark.parametrize("host", ["10.1.2.3", "hook.example", "localhost.example", "fd00::1", "8.8.8.8"])
def test_allowed_addresses_are_checked_at_each_call(world: World, host: str) -> None:
    shown = f"[{host}]" if ":" in host else host
    with world.session() as session:
        action_check(session, organization_id=world.organization_id, action={"webhookUrl": f"http://{shown}/"})
