"""Entity types: the finer sort of a thing, as data, with its telemetry schema."""

from __future__ import annotations

from typing import Any

import strawberry
from sqlalchemy.orm import Session
from strawberry import UNSET

from domain.configuration.entity_types.operations import entity_type_create, entity_type_delete, entity_type_update
from domain.definitions.entity_types.model import EntityType as EntityTypeRow
from domain.definitions.entity_types.queries import entity_type_list
from gql.base.context import Info
from gql.base.entities import EntityKindEnum, Node
from gql.base.ids import uuid_named
from gql.base.mutations import absent, payload_of
from gql.base.scalars import JSON, DateTime
from gql.base.shown import shows
from gql.errors import UserError
from graph.absent import ABSENT
from graph.change import GraphChange


@strawberry.type
class EntityType(Node):
    """A type of entity. telemetrySchema: the one in force now."""

    kind: EntityKindEnum  # type: ignore[valid-type]
    name: str
    description: str | None
    telemetry_schema: JSON
    attributes: JSON


@strawberry.input
class EntityTypeInput:
    """A type. On update what is left out stays; the kind must be the type's own.

    effectiveFrom: the event time from which telemetrySchema holds (default now).
    """

    kind: EntityKindEnum  # type: ignore[valid-type]
    name: str
    description: str | None = UNSET
    telemetry_schema: JSON | None = UNSET
    attributes: JSON | None = UNSET
    effective_from: DateTime | None = None


@strawberry.type
class EntityTypePayload:
    """The type as it now stands; null if refused."""

    entity_type: EntityType | None
    errors: list[UserError]


@strawberry.type
class EntityTypeQuery:
    """Entity types."""

    @strawberry.field
    async def entity_types(
        self,
        info: Info,
        kind: EntityKindEnum | None = None,  # type: ignore[valid-type]
    ) -> list[EntityType]:
        """The registered types, of one kind or of all."""
        return [entity_type_of(row) for row in await info.context.read(entity_type_list, kind=kind)]


@strawberry.type
class EntityTypeMutation:
    """Mutations of entity types."""

    @strawberry.mutation
    async def create_entity_type(self, info: Info, input: EntityTypeInput) -> EntityTypePayload:
        """Register a type."""

        def work(session: Session, change: GraphChange) -> EntityTypeRow:
            return entity_type_create(
                session,
                change=change,
                kind=input.kind,
                name=input.name,
                description=_or_none(input.description),
                attributes=_or_none(input.attributes),
                telemetry_schema=_or_none(input.telemetry_schema),
                effective_from=input.effective_from,
            )

        return await payload_of(info, _payload, work)

    @strawberry.mutation
    async def update_entity_type(self, info: Info, id: strawberry.ID, input: EntityTypeInput) -> EntityTypePayload:
        """Change a type. A new name goes to all entities of the type."""

        def work(session: Session, change: GraphChange) -> EntityTypeRow:
            return entity_type_update(
                session,
                change=change,
                entity_type_id=uuid_named(id, "id"),
                kind=input.kind,
                name=input.name,
                description=absent(input.description),
                attributes=absent(input.attributes),
                telemetry_schema=ABSENT if input.telemetry_schema is UNSET else _or_none(input.telemetry_schema),
                effective_from=input.effective_from,
            )

        return await payload_of(info, _payload, work)

    @strawberry.mutation
    async def delete_entity_type(self, info: Info, id: strawberry.ID) -> EntityTypePayload:
        """Delete a type no entity is of."""

        def work(session: Session, change: GraphChange) -> EntityTypeRow:
            return entity_type_delete(session, change=change, entity_type_id=uuid_named(id, "id"))

        return await payload_of(info, _payload, work, under=())


@shows(EntityTypeRow)
def entity_type_of(row: EntityTypeRow) -> EntityType:
    """Return a type as it is shown."""
    return EntityType(
        id=strawberry.ID(str(row.id)),
        kind=row.kind,
        name=row.name,
        description=row.description,
        telemetry_schema=JSON(row.telemetry_schema),
        attributes=JSON(row.attributes),
    )


def _payload(row: EntityTypeRow | None, errors: list[UserError]) -> EntityTypePayload:
    return EntityTypePayload(entity_type=None if row is None else entity_type_of(row), errors=errors)


def _or_none(value: Any) -> Any:
    return None if value is UNSET else value
