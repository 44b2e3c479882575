"""Relationships: the ways in which entities can be connected, as data, built in or the organization's own."""

from __future__ import annotations

import strawberry
from sqlalchemy.orm import Session

from gql.base.context import Info
from gql.base.entities import EntityKindEnum
from gql.base.mutations import payload_of
from gql.base.scalars import DateTime
from gql.errors import UserError
from graph.change import GraphChange
from graph.relationships.model import Exclusive
from graph.relationships.model import Relationship as RelationshipRow
from graph.relationships.operations import (
    relationship_create,
    relationship_rename_inverse,
    relationship_retire,
)
from graph.relationships.queries import relationship_list

ExclusiveEnum = strawberry.enum(
    Exclusive,
    name="Exclusive",
    description="What may have one edge of a relationship at a time: its source, its target, or a port of its target.",
)


@strawberry.type
class Relationship:
    """A way in which entities can be connected: source NAME target, target INVERSE source."""

    name: str
    inverse: str
    source_kinds: list[EntityKindEnum]  # type: ignore[valid-type]
    target_kinds: list[EntityKindEnum]  # type: ignore[valid-type]
    hierarchy: bool = strawberry.field(
        description="Its edges, with those of all other hierarchies, never form a circle at any instant."
    )
    exclusive: str | None = strawberry.field(
        description="What may have one edge at a time: SOURCE, TARGET or TARGET_PORT; null: no limit."
    )
    built_in: bool = strawberry.field(description="Every organization has it, and none can change it.")
    retired_at: DateTime | None = strawberry.field(
        description="From then on no new edge may bear it; those there are stay and are walked."
    )


@strawberry.input
class RelationshipInput:
    """A relationship of the organization's own. Names are upper case letters, digits and underscores, at most 63."""

    name: str
    inverse: str
    source_kinds: list[EntityKindEnum]  # type: ignore[valid-type]
    target_kinds: list[EntityKindEnum]  # type: ignore[valid-type]
    hierarchy: bool = False
    exclusive: ExclusiveEnum | None = None  # type: ignore[valid-type]


@strawberry.type
class RelationshipPayload:
    """The relationship as it now stands; null if refused."""

    relationship: Relationship | None
    errors: list[UserError]


@strawberry.type
class RelationshipQuery:
    """Relationships."""

    @strawberry.field
    async def relationships(self, info: Info) -> list[Relationship]:
        """The relationships of the organization: the built-in ones and its own, retired ones too."""
        return [_relationship_of(each) for each in await info.context.read(relationship_list)]


@strawberry.type
class RelationshipMutation:
    """Mutations of relationships."""

    @strawberry.mutation
    async def create_relationship(self, info: Info, input: RelationshipInput) -> RelationshipPayload:
        """Register a relationship of the organization's own."""

        def work(session: Session, change: GraphChange) -> RelationshipRow:
            return relationship_create(
                session,
                change=change,
                name=input.name,
                inverse=input.inverse,
                source_kinds=input.source_kinds,
                target_kinds=input.target_kinds,
                hierarchy=input.hierarchy,
                exclusive=input.exclusive,
            )

        return await payload_of(info, _payload, work)

    @strawberry.mutation
    async def rename_relationship_inverse(self, info: Info, name: str, inverse: str) -> RelationshipPayload:
        """Give one of the organization's own relationships another inverse name."""

        def work(session: Session, change: GraphChange) -> RelationshipRow:
            return relationship_rename_inverse(session, change=change, name=name, inverse=inverse)

        return await payload_of(info, _payload, work, under=())

    @strawberry.mutation
    async def retire_relationship(self, info: Info, name: str) -> RelationshipPayload:
        """Let no new edge bear one of the organization's own relationships. Those there are stay and are walked."""

        def work(session: Session, change: GraphChange) -> RelationshipRow:
            return relationship_retire(session, change=change, name=name)

        return await payload_of(info, _payload, work, under=())


def _payload(row: RelationshipRow | None, errors: list[UserError]) -> RelationshipPayload:
    return RelationshipPayload(relationship=None if row is None else _relationship_of(row), errors=errors)


def _relationship_of(row: RelationshipRow) -> Relationship:
    return Relationship(
        name=row.name,
        inverse=row.inverse,
        source_kinds=sorted(row.source_kinds),
        target_kinds=sorted(row.target_kinds),
        hierarchy=row.hierarchy,
        exclusive=None if row.exclusive is None else row.exclusive.value,
        built_in=row.built_in,
        retired_at=row.retired_at,  # type: ignore[arg-type]
    )
