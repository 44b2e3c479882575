"""Templates of activities, and activities made from them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import strawberry
from strawberry import UNSET

from domain.work.activity_templates.making import activity_create_from_template
from domain.work.activity_templates.model import ActivityTemplate as TemplateRow
from domain.work.activity_templates.operations import (
    activity_template_create,
    activity_template_delete,
    activity_template_update,
)
from domain.work.activity_templates.queries import activity_templates_page
from gql.access.principal import ADMINS, OPERATORS, VIEWERS
from gql.base.connections import Connection, page_read, paged
from gql.base.context import Info
from gql.base.converters import converts
from gql.base.entities import Node
from gql.base.ids import uuid_named
from gql.base.mutations import absent, payload_of
from gql.base.roots import mutation, mutations, queries, query
from gql.base.scalars import JSON, DateTime, Duration
from gql.errors import UserError
from gql.work.activities import ActivityPayload, activity_payload
from graph.entities.model import Entity as EntityRow
from graph.paging import PageRequest


@strawberry.type
class ActivityTemplate(Node):
    """A template from which activities are created, by hand or by a rule.

    Attributes:
        name: Name of the template, and of the activities created from it.
        description: What is to be done; activities bear it as the attribute `description`. Null: not said.
        type: Name of the type of the activities; null: none.
        default_priority: Priority of the activities; null: medium.
        default_assigned_role: Role of the person to whom an activity is given: `role`, or among `roles`, of the
            person's attributes. Null: to nobody.
        checklist: Items of the checklist, a list of {id, text, ...}.
        due_in: Time after its creation at which an activity is due; null: at no given time.
        deleted_at: When it was deleted: nothing is created from it since. Null: it is in use.
    """

    name: str
    description: str | None
    type: str | None
    default_priority: str | None
    default_assigned_role: str | None
    checklist: JSON
    due_in: Duration | None
    created_at: DateTime
    updated_at: DateTime
    deleted_at: DateTime | None


ActivityTemplateConnection = Connection[ActivityTemplate]


@strawberry.input
class ActivityTemplateInput:
    """A template of activities. On update a field left out keeps its value, and null clears it.

    Attributes:
        name: Name of the template, 1 to 200 characters. CONFLICT where it is taken.
        description: What is to be done, at most 10,000 characters.
        type: Name of the type of the activities.
        default_priority: Priority of the activities, 1 to 100 characters. Default: medium.
        default_assigned_role: Role of the person to whom an activity is given, 1 to 100 characters: `role`, or among
            `roles`, of the person's attributes. Default: to nobody.
        checklist: List of at most 500 items, texts or objects {id, text, ...}. An item without an id is given its
            place.
        due_in: Time after its creation at which an activity is due, at most ten years; without months and years.
    """

    name: str
    description: str | None = UNSET
    type: str | None = UNSET
    default_priority: str | None = UNSET
    default_assigned_role: str | None = UNSET
    checklist: JSON | None = UNSET
    due_in: Duration | None = UNSET


@strawberry.type
class ActivityTemplatePayload:
    """Result of a mutation of a template.

    Attributes:
        activity_template: The template after the change; null if it was refused.
    """

    activity_template: ActivityTemplate | None
    errors: list[UserError]


@queries
class ActivityTemplateQuery:
    """Templates of activities."""

    @query(VIEWERS, scoped=True)
    @paged()
    async def activity_templates(self, info: Info, *, page: PageRequest) -> ActivityTemplateConnection:
        """All templates of activities, by name."""
        rows = await page_read(info, activity_templates_page, page)
        return ActivityTemplateConnection(rows=rows, show=to_template)


@mutations
class ActivityTemplateMutation:
    """Mutations of templates, and making activities from them."""

    @mutation(ADMINS)
    async def create_activity_template(self, info: Info, input: ActivityTemplateInput) -> ActivityTemplatePayload:
        """Create a template of activities. An organization has at most 1,000."""

        def prepare() -> Callable[..., TemplateRow]:
            return partial(activity_template_create, name=input.name, **_members(input))

        return await payload_of(info, _payload, prepare)

    @mutation(ADMINS)
    async def update_activity_template(
        self, info: Info, id: strawberry.ID, input: ActivityTemplateInput
    ) -> ActivityTemplatePayload:
        """Update a template. Activities already created from it stay as they are.

        Args:
            id: Id of the template.
        """

        def prepare() -> Callable[..., TemplateRow]:
            return partial(
                activity_template_update, template_id=uuid_named(id, "id"), name=input.name, **_members(input)
            )

        return await payload_of(info, _payload, prepare)

    @mutation(ADMINS)
    async def delete_activity_template(self, info: Info, id: strawberry.ID) -> ActivityTemplatePayload:
        """Delete a template: rules that name it create no more activities.

        Args:
            id: Id of the template.
        """

        def prepare() -> Callable[..., TemplateRow]:
            return partial(activity_template_delete, template_id=uuid_named(id, "id"))

        return await payload_of(info, _payload, prepare, under=())

    @mutation(OPERATORS, scoped=True)
    async def create_activity_from_template(
        self, info: Info, template_id: strawberry.ID, target_ids: list[strawberry.ID]
    ) -> ActivityPayload:
        """Create one activity about some targets from a template.

        It is assigned to a person who has the template's role and is located where a target is, if there is one.

        Args:
            template_id: Id of the template.
            target_ids: Ids of the entities that it is about, 1 to 100, each once.
        """

        def prepare() -> Callable[..., EntityRow]:
            return partial(
                activity_create_from_template,
                template_id=uuid_named(template_id, "templateId"),
                target_ids=[
                    uuid_named(target_entity_id, "targetIds", str(n)) for n, target_entity_id in enumerate(target_ids)
                ],
            )

        return await payload_of(info, activity_payload, prepare, under=())


@converts(TemplateRow)
def to_template(row: TemplateRow) -> ActivityTemplate:
    """Convert a template to its GraphQL object."""
    return ActivityTemplate(
        id=strawberry.ID(str(row.id)),
        name=row.name,
        description=row.description,
        type=row.type,
        default_priority=row.default_priority,
        default_assigned_role=row.default_assigned_role,
        checklist=JSON([dict(item) for item in row.checklist]),
        due_in=None if row.due_in is None else to_duration(row.due_in),
        created_at=DateTime(row.created_at),
        updated_at=DateTime(row.updated_at),
        deleted_at=None if row.deleted_at is None else DateTime(row.deleted_at),
    )


def to_duration(length: timedelta) -> Duration:
    """Convert an exact length to a Duration: whole days as such, else seconds."""
    days, remainder = divmod(length, timedelta(days=1))
    seconds = f"{length.total_seconds():.6f}".rstrip("0").rstrip(".")
    return Duration(f"PT{seconds}S" if remainder else f"P{days}D", 0, length)


def _members(input_: ActivityTemplateInput) -> dict[str, Any]:
    due_in: Any = input_.due_in
    return {
        "description": absent(input_.description),
        "type": absent(input_.type),
        "default_priority": absent(input_.default_priority),
        "default_assigned_role": absent(input_.default_assigned_role),
        "checklist": absent(input_.checklist),
        "due_in": absent(due_in.exact() if isinstance(due_in, Duration) else due_in),
    }


def _payload(row: TemplateRow | None, errors: list[UserError]) -> ActivityTemplatePayload:
    return ActivityTemplatePayload(activity_template=None if row is None else to_template(row), errors=errors)
