"""Entity types: the finer sort of a thing, as data, with its telemetry schema."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import strawberry
from strawberry import UNSET

from domain.configuration.entity_types.operations import entity_type_create, entity_type_delete, entity_type_update
from domain.definitions.entity_types.model import EntityType as EntityTypeRow
from domain.definitions.entity_types.queries import entity_type_list, schema_versions
from gql.access.principal import ADMINS, VIEWERS
from gql.base.context import Info
from gql.base.converters import converts
from gql.base.entities import EntityKindEnum, Node
from gql.base.ids import uuid_named
from gql.base.loaders import load
from gql.base.mutations import absent, payload_of
from gql.base.roots import mutation, mutations, queries, query
from gql.base.scalars import JSON, DateTime
from gql.errors import UserError
from graph.absent import ABSENT


@strawberry.type
class EntityTypeVersion:
    """A version of a type's telemetry schema, in force from `effectiveFrom` until that of the next one.

    Attributes:
        telemetry_schema: The telemetry schema: metrics, units, ranges and derived metrics.
        recorded_at: When it was last written for that event time (system time).
    """

    effective_from: DateTime
    telemetry_schema: JSON
    recorded_at: DateTime


@strawberry.type
class EntityType(Node):
    """A type of entity, such as AHU among the assets, with the telemetry schema of its entities.

    Attributes:
        kind: Kind of entity that it is a type of.
        name: Name of the type, unique per kind.
        description: What the type is, in words; null: not said.
        telemetry_schema: The telemetry schema in force now: metrics, units, ranges and derived metrics. {}: none.
        attributes: JSON object of the organization's own attributes of the type.
    """

    kind: EntityKindEnum  # type: ignore[valid-type]
    name: str
    description: str | None
    telemetry_schema: JSON
    attributes: JSON

    @strawberry.field
    async def versions(self, info: Info) -> list[EntityTypeVersion] | None:
        """All versions of the telemetry schema, by event time, of the future too."""
        schema_version = await load(info.context, schema_versions, uuid_named(self.id, "id"))
        return [
            EntityTypeVersion(
                effective_from=DateTime(version.effective_from),
                telemetry_schema=JSON(version.telemetry_schema),
                recorded_at=DateTime(version.recorded_at),
            )
            for version in schema_version or ()
        ]


@strawberry.input
class EntityTypeInput:
    """A type of entity. On update a field left out keeps its value, and null clears it.

    Attributes:
        kind: Kind of entity that it is a type of. It cannot change: CONFLICT.
        name: Name of the type, 1 to 200 characters. CONFLICT where the kind has a type of that name.
        description: What the type is, in words; at most 10,000 characters.
        telemetry_schema: Telemetry schema: {metrics, unknown, derived}.
        attributes: JSON object of attributes of the type, replaced as a whole.
        effective_from: Event time from which `telemetrySchema` is in force, until its next version is. Default: now.
    """

    kind: EntityKindEnum  # type: ignore[valid-type]
    name: str
    description: str | None = UNSET
    telemetry_schema: JSON | None = UNSET
    attributes: JSON | None = UNSET
    effective_from: DateTime | None = None


@strawberry.type
class EntityTypePayload:
    """Result of a mutation of an entity type.

    Attributes:
        entity_type: The type after the change; null if it was refused.
    """

    entity_type: EntityType | None
    errors: list[UserError]


@queries
class EntityTypeQuery:
    """Entity types."""

    @query(VIEWERS, scoped=True)
    async def entity_types(
        self,
        info: Info,
        kind: EntityKindEnum | None = None,  # type: ignore[valid-type]
    ) -> list[EntityType]:
        """The registered types, ordered by kind and name.

        Args:
            kind: Only types of this kind. Default: of all kinds.
        """
        return [to_entity_type(row) for row in await info.context.read(entity_type_list, kind=kind)]


@mutations
class EntityTypeMutation:
    """Mutations of entity types."""

    @mutation(ADMINS)
    async def create_entity_type(self, info: Info, input: EntityTypeInput) -> EntityTypePayload:
        """Create an entity type. CONFLICT where the kind has a type of that name."""

        def prepare() -> Callable[..., EntityTypeRow]:
            return partial(
                entity_type_create,
                kind=input.kind,
                name=input.name,
                description=_or_none(input.description),
                attributes=_or_none(input.attributes),
                telemetry_schema=_or_none(input.telemetry_schema),
                effective_from=input.effective_from,
            )

        return await payload_of(info, _payload, prepare)

    @mutation(ADMINS)
    async def update_entity_type(self, info: Info, id: strawberry.ID, input: EntityTypeInput) -> EntityTypePayload:
        """Update an entity type. A new name is given to all entities of the type.

        Args:
            id: Id of the type.
        """

        def prepare() -> Callable[..., EntityTypeRow]:
            return partial(
                entity_type_update,
                entity_type_id=uuid_named(id, "id"),
                kind=input.kind,
                name=input.name,
                description=absent(input.description),
                attributes=absent(input.attributes),
                telemetry_schema=ABSENT if input.telemetry_schema is UNSET else _or_none(input.telemetry_schema),
                effective_from=input.effective_from,
            )

        return await payload_of(info, _payload, prepare)

    @mutation(ADMINS)
    async def delete_entity_type(self, info: Info, id: strawberry.ID) -> EntityTypePayload:
        """Delete an entity type. CONFLICT while an entity is of it, a deleted one included.

        Args:
            id: Id of the type.
        """

        def prepare() -> Callable[..., EntityTypeRow]:
            return partial(entity_type_delete, entity_type_id=uuid_named(id, "id"))

        return await payload_of(info, _payload, prepare, under=())


@converts(EntityTypeRow)
def to_entity_type(row: EntityTypeRow) -> EntityType:
    """Convert a type to its GraphQL object."""
    return EntityType(
        id=strawberry.ID(str(row.id)),
        kind=row.kind,
        name=row.name,
        description=row.description,
        telemetry_schema=JSON(row.telemetry_schema),
        attributes=JSON(row.attributes),
    )


def _payload(row: EntityTypeRow | None, errors: list[UserError]) -> EntityTypePayload:
    return EntityTypePayload(entity_type=None if row is None else to_entity_type(row), errors=errors)


def _or_none(value: Any) -> Any:
    return None if value is UNSET else value
