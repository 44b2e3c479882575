"""Shelves and maintenance windows: times in which nothing follows from events."""

from __future__ import annotations

from typing import Annotated

import strawberry
from sqlalchemy.orm import Session

from domain.events.suppression import Suppression, events_shelve, events_unshelve, maintenance_create
from gql.context import Info
from gql.errors import UserError
from gql.ids import uuid_named
from gql.nouns import payload_of
from gql.scalars import DateTime
from graph.change import GraphChange


@strawberry.type
class EventShelf:
    """A time, [from, to), in which nothing follows from events of a rule, at an entity, below one, or anywhere."""

    id: strawberry.ID
    from_: DateTime = strawberry.field(name="from")
    to: DateTime
    note: str | None
    rule_id: strawberry.ID | None
    entity_id: strawberry.ID | None
    under_id: strawberry.ID | None


@strawberry.type
class EventShelfPayload:
    """The shelf or the maintenance window; null if refused."""

    shelf: EventShelf | None
    errors: list[UserError]


@strawberry.type
class EventShelfMutation:
    """Mutations of shelves and maintenance windows."""

    @strawberry.mutation
    async def shelve_events(
        self,
        info: Info,
        to: DateTime,
        rule_id: strawberry.ID | None = None,
        entity_id: strawberry.ID | None = None,
        from_: Annotated[DateTime | None, strawberry.argument(name="from")] = None,
        note: str | None = None,
    ) -> EventShelfPayload:
        """Let nothing follow from events of a rule, at an entity, or both, that open in a time. By default from now."""

        def work(session: Session, change: GraphChange) -> Suppression:
            return events_shelve(
                session,
                change=change,
                rule_id=None if rule_id is None else uuid_named(rule_id, "ruleId"),
                entity_id=None if entity_id is None else uuid_named(entity_id, "entityId"),
                begins=from_,
                ends=to,
                note=note,
            )

        return await payload_of(info, _shelf_payload, work, under=())

    @strawberry.mutation
    async def unshelve_events(self, info: Info, id: strawberry.ID) -> EventShelfPayload:
        """End a shelf now."""

        def work(session: Session, change: GraphChange) -> Suppression:
            return events_unshelve(session, change=change, shelf_id=uuid_named(id, "id"))

        return await payload_of(info, _shelf_payload, work, under=())

    @strawberry.mutation
    async def create_maintenance_window(
        self,
        info: Info,
        to: DateTime,
        under_id: strawberry.ID | None = None,
        from_: Annotated[DateTime | None, strawberry.argument(name="from")] = None,
        note: str | None = None,
    ) -> EventShelfPayload:
        """Let nothing follow from events that open in a time at an entity and below it, or anywhere."""

        def work(session: Session, change: GraphChange) -> Suppression:
            return maintenance_create(
                session,
                change=change,
                under_id=None if under_id is None else uuid_named(under_id, "underId"),
                begins=from_,
                ends=to,
                note=note,
            )

        return await payload_of(info, _shelf_payload, work, under=())


def _shelf_payload(row: Suppression | None, errors: list[UserError]) -> EventShelfPayload:
    if row is None:
        return EventShelfPayload(shelf=None, errors=errors)

    def named(identity: object) -> strawberry.ID | None:
        return None if identity is None else strawberry.ID(str(identity))

    shelf = EventShelf(
        id=strawberry.ID(str(row.id)),
        from_=DateTime(row.begins),
        to=DateTime(row.ends),
        note=row.note,
        rule_id=named(row.rule_id),
        entity_id=named(row.entity_id),
        under_id=named(row.under_id),
    )
    return EventShelfPayload(shelf=shelf, errors=errors)
