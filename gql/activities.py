"""Activities: work for persons."""

from __future__ import annotations

from typing import Any

import strawberry
from sqlalchemy.orm import Session
from strawberry import UNSET

from domain.activities.model import CATEGORY_DEFAULT, PRIORITY_DEFAULT
from domain.activities.operations import activity_create, activity_update
from domain.activities.queries import activity_details_get
from gql.context import Info
from gql.entities import Entity, entity_of
from gql.errors import UserError
from gql.ids import uuid_named
from gql.loaders import load
from gql.nouns import absent, delete, draft_of, patch_of, payload_of, required
from gql.scalars import JSON, DateTime, GeoJSON
from graph.change import GraphChange
from graph.entities.model import Entity as EntityRow
from graph.kinds import EntityKind


@strawberry.type
class Activity(Entity):
    """Work for a person: an inspection, a repair, a round."""

    @strawberry.field
    async def category(self, info: Info) -> str:
        """What sort of work it is."""
        found = await load(info.context, activity_details_get, self.row.id)
        return CATEGORY_DEFAULT if found is None else found.category

    @strawberry.field
    async def priority(self, info: Info) -> str:
        """How pressing it is."""
        found = await load(info.context, activity_details_get, self.row.id)
        return PRIORITY_DEFAULT if found is None else found.priority

    @strawberry.field
    async def due_at(self, info: Info) -> DateTime | None:
        """When it is to be done."""
        found = await load(info.context, activity_details_get, self.row.id)
        return None if found is None else None if found.due_at is None else DateTime(found.due_at)

    @strawberry.field
    async def checklist(self, info: Info) -> JSON:
        """Its steps: {text, done, ...}."""
        found = await load(info.context, activity_details_get, self.row.id)
        return JSON([]) if found is None else JSON(found.checklist)


@strawberry.input
class CreateActivityInput:
    """A new activity."""

    name: str
    external_id: str | None = None
    type: str | None = None
    status: str | None = None
    attributes: JSON | None = None
    location: GeoJSON | None = None
    category: str | None = None
    priority: str | None = None
    due_at: DateTime | None = None
    checklist: JSON | None = None


@strawberry.input
class UpdateActivityInput:
    """What is to change: what is left out stays, null empties."""

    name: str | None = UNSET
    external_id: str | None = UNSET
    type: str | None = UNSET
    status: str | None = UNSET
    attributes: JSON | None = UNSET
    location: GeoJSON | None = UNSET
    category: str | None = UNSET
    priority: str | None = UNSET
    due_at: DateTime | None = UNSET
    checklist: JSON | None = UNSET


@strawberry.type
class ActivityPayload:
    """The activity as it now stands; null if refused."""

    activity: Activity | None
    errors: list[UserError]


@strawberry.type
class ActivityMutation:
    """Mutations of activities."""

    @strawberry.mutation
    async def create_activity(self, info: Info, input: CreateActivityInput) -> ActivityPayload:
        """Record an activity."""

        def work(session: Session, change: GraphChange) -> EntityRow:
            checklist: Any = input.checklist
            return activity_create(
                session,
                change=change,
                draft=draft_of(input),
                category=input.category,
                priority=input.priority,
                due_at=input.due_at,
                checklist=checklist,
            )

        return await payload_of(info, _payload, work)

    @strawberry.mutation
    async def update_activity(self, info: Info, id: strawberry.ID, input: UpdateActivityInput) -> ActivityPayload:
        """Change an activity."""

        def work(session: Session, change: GraphChange) -> EntityRow:
            return activity_update(
                session,
                change=change,
                activity_id=uuid_named(id, "id"),
                patch=patch_of(input),
                category=required(input.category, "category"),
                priority=required(input.priority, "priority"),
                due_at=absent(input.due_at),
                checklist=required(input.checklist, "checklist"),
            )

        return await payload_of(info, _payload, work)

    @strawberry.mutation
    async def delete_activity(self, info: Info, id: strawberry.ID) -> ActivityPayload:
        """Delete an activity: its edges end now, what is recorded of it stays."""
        return await payload_of(info, _payload, delete(id, EntityKind.ACTIVITY), under=())


def _payload(row: EntityRow | None, errors: list[UserError]) -> ActivityPayload:
    activity: Any = None if row is None else entity_of(row)
    return ActivityPayload(activity=activity, errors=errors)
