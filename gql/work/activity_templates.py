"""Templates of activities, and activities made from them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import strawberry
from sqlalchemy.orm import Session
from strawberry import UNSET

from domain.work.activity_templates.making import activity_create_from_template
from domain.work.activity_templates.model import ActivityTemplate as TemplateRow
from domain.work.activity_templates.operations import (
    activity_template_create,
    activity_template_delete,
    activity_template_update,
)
from domain.work.activity_templates.queries import activity_templates_page
from gql.base.connections import PageInfo, Rows, page_request, rows_of, wants_total
from gql.base.context import Info
from gql.base.entities import Node
from gql.base.ids import uuid_named
from gql.base.mutations import absent, payload_of
from gql.base.scalars import JSON, DateTime, Duration
from gql.base.shown import shows
from gql.errors import UserError
from gql.work.activities import ActivityPayload, activity_payload
from graph.change import GraphChange
from graph.entities.model import Entity as EntityRow


@strawberry.type
class ActivityTemplate(Node):
    """What activities are made from, by hand or by a rule."""

    name: str
    description: str | None
    type: str | None = strawberry.field(description="Type of the activities.")
    default_priority: str | None
    default_assigned_role: str | None = strawberry.field(
        description="Who is to do it: a person whose attributes have it as `role`, or among `roles`."
    )
    checklist: JSON = strawberry.field(description="Items {id, text, ...}.")
    due_in: Duration | None = strawberry.field(description="After the making.")
    created_at: DateTime
    updated_at: DateTime
    deleted_at: DateTime | None = strawberry.field(description="Nothing is made from it since.")


@strawberry.type
class ActivityTemplateEdge:
    """A template in a list."""

    cursor: str
    node: ActivityTemplate


@strawberry.type
class ActivityTemplateConnection:
    """A page of templates."""

    rows: strawberry.Private[Rows[TemplateRow]]
    page_info: PageInfo

    @strawberry.field
    def nodes(self) -> list[ActivityTemplate]:
        """The templates."""
        return [template_shown(row) for row in self.rows.items]

    @strawberry.field
    def edges(self) -> list[ActivityTemplateEdge]:
        """The templates, each with its cursor."""
        pairs = zip(self.rows.items, self.rows.cursors, strict=True)
        return [ActivityTemplateEdge(cursor=cursor, node=template_shown(row)) for row, cursor in pairs]

    @strawberry.field
    def total_count(self) -> int:
        """How many there are on all pages."""
        return self.rows.total or 0


@strawberry.input
class ActivityTemplateInput:
    """A template. On update what is left out stays, and null empties.

    type: of the activities. checklist: items {id, text, ...} or just texts; an item without an id gets its place.
    dueIn: after the making; without months and years. defaultAssignedRole: the role of who is to do it, see
    docs/explanation/activities.md.
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
    """The template as it now stands; null if refused."""

    activity_template: ActivityTemplate | None
    errors: list[UserError]


@strawberry.type
class ActivityTemplateQuery:
    """Templates of activities."""

    @strawberry.field
    async def activity_templates(
        self, info: Info, first: int = 50, after: str | None = None
    ) -> ActivityTemplateConnection:
        """All templates of activities, by name."""
        request, count = page_request(first, after), wants_total(info)

        def read(session: Session, *, organization_id: int) -> Rows[TemplateRow]:
            return rows_of(activity_templates_page(session, organization_id=organization_id, page=request), count=count)

        rows = await info.context.read(read)
        return ActivityTemplateConnection(rows=rows, page_info=rows.page_info)


@strawberry.type
class ActivityTemplateMutation:
    """Mutations of templates, and making activities from them."""

    @strawberry.mutation
    async def create_activity_template(self, info: Info, input: ActivityTemplateInput) -> ActivityTemplatePayload:
        """Create a template of activities."""

        def work(session: Session, change: GraphChange) -> TemplateRow:
            return activity_template_create(session, change=change, name=input.name, **_given(input))

        return await payload_of(info, _payload, work)

    @strawberry.mutation
    async def update_activity_template(
        self, info: Info, id: strawberry.ID, input: ActivityTemplateInput
    ) -> ActivityTemplatePayload:
        """Change a template; activities made from it by then stay as they are."""

        def work(session: Session, change: GraphChange) -> TemplateRow:
            return activity_template_update(
                session, change=change, template_id=uuid_named(id, "id"), name=input.name, **_given(input)
            )

        return await payload_of(info, _payload, work)

    @strawberry.mutation
    async def delete_activity_template(self, info: Info, id: strawberry.ID) -> ActivityTemplatePayload:
        """Delete a template: rules that name it make no activities any more."""

        def work(session: Session, change: GraphChange) -> TemplateRow:
            return activity_template_delete(session, change=change, template_id=uuid_named(id, "id"))

        return await payload_of(info, _payload, work, under=())

    @strawberry.mutation
    async def create_activity_from_template(
        self, info: Info, template_id: strawberry.ID, target_ids: list[strawberry.ID]
    ) -> ActivityPayload:
        """Make one activity about these targets, 1 to 100, and give it to whom the template's role and place name."""

        def work(session: Session, change: GraphChange) -> EntityRow:
            return activity_create_from_template(
                session,
                change=change,
                template_id=uuid_named(template_id, "templateId"),
                target_ids=[uuid_named(each, "targetIds", str(n)) for n, each in enumerate(target_ids)],
            )

        return await payload_of(info, activity_payload, work, under=())


@shows(TemplateRow)
def template_shown(row: TemplateRow) -> ActivityTemplate:
    """Return a template as it is shown."""
    return ActivityTemplate(
        id=strawberry.ID(str(row.id)),
        name=row.name,
        description=row.description,
        type=row.type,
        default_priority=row.default_priority,
        default_assigned_role=row.default_assigned_role,
        checklist=JSON([dict(item) for item in row.checklist]),
        due_in=None if row.due_in is None else duration_of(row.due_in),
        created_at=DateTime(row.created_at),
        updated_at=DateTime(row.updated_at),
        deleted_at=None if row.deleted_at is None else DateTime(row.deleted_at),
    )


def duration_of(length: timedelta) -> Duration:
    """Return an exact length as it is shown: whole days as such, else seconds."""
    days, rest = divmod(length, timedelta(days=1))
    seconds = f"{length.total_seconds():.6f}".rstrip("0").rstrip(".")
    return Duration(f"PT{seconds}S" if rest else f"P{days}D", 0, length)


def _given(given: ActivityTemplateInput) -> dict[str, Any]:
    due_in: Any = given.due_in
    return {
        "description": absent(given.description),
        "type": absent(given.type),
        "default_priority": absent(given.default_priority),
        "default_assigned_role": absent(given.default_assigned_role),
        "checklist": absent(given.checklist),
        "due_in": absent(due_in.exact() if isinstance(due_in, Duration) else due_in),
    }


def _payload(row: TemplateRow | None, errors: list[UserError]) -> ActivityTemplatePayload:
    return ActivityTemplatePayload(activity_template=None if row is None else template_shown(row), errors=errors)
