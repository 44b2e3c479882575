"""Relationships: the ways in which entities can be connected, as data, built in or the organization's own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import strawberry

from gql.access.principal import ADMINS, VIEWERS
from gql.base.context import Info
from gql.base.descriptions import enum_described
from gql.base.entities import EntityKindEnum
from gql.base.mutations import payload_of
from gql.base.roots import mutation, mutations, queries, query
from gql.base.scalars import DateTime
from gql.errors import UserError
from graph.relationships.model import Exclusive
from graph.relationships.model import Relationship as RelationshipRow
from graph.relationships.operations import (
    relationship_create,
    relationship_rename_inverse,
    relationship_retire,
)
from graph.relationships.queries import relationship_list

ExclusiveEnum = enum_described(
    Exclusive,
    "What may have only one edge of a relationship at a time.",
    SOURCE="A source has one edge at a time.",
    TARGET="A target has one edge at a time.",
    TARGET_PORT="Each port of a target has one edge at a time.",
)


@strawberry.type
class Relationship:
    """A type of edge. It is read `source NAME target`, and the other way round `target INVERSE source`.

    Attributes:
        name: Name, e.g. HAS_PART.
        inverse: Name of the relationship read from target to source, e.g. PART_OF.
        source_kinds: Kinds of entity at which its edges may begin.
        target_kinds: Kinds of entity at which its edges may end.
        hierarchy: True: its edges, together with those of all other hierarchies, never form a cycle at any instant.
        exclusive: What may have one edge at a time: SOURCE, TARGET or TARGET_PORT; null: each edge is shared, or to a
            device exclusive by choice (`Edge.exclusive`).
        built_in: True: every organization has it, and none can change it.
        retired_at: When it was retired: no new edge may have it since, and existing edges are kept. Null: it is in use.
    """

    name: str
    inverse: str
    source_kinds: list[EntityKindEnum]  # type: ignore[valid-type]
    target_kinds: list[EntityKindEnum]  # type: ignore[valid-type]
    hierarchy: bool
    exclusive: str | None
    built_in: bool
    retired_at: DateTime | None


@strawberry.input
class RelationshipInput:
    """A relationship of the organization's own. An organization has at most 256 relationships.

    Attributes:
        name: Name: upper-case letters, digits and underscores, at most 63 characters. CONFLICT where it is taken.
        inverse: Name read from target to source, of the same form, and another than `name`.
        source_kinds: Kinds of entity at which its edges may begin, at least one.
        target_kinds: Kinds of entity at which its edges may end, at least one.
        hierarchy: True: its edges, together with those of all other hierarchies, may not form a cycle.
        exclusive: What may have one edge at a time. Default: nothing; each edge to a device can be exclusive by choice.
    """

    name: str
    inverse: str
    source_kinds: list[EntityKindEnum]  # type: ignore[valid-type]
    target_kinds: list[EntityKindEnum]  # type: ignore[valid-type]
    hierarchy: bool = False
    exclusive: ExclusiveEnum | None = None  # type: ignore[valid-type]


@strawberry.type
class RelationshipPayload:
    """Result of a mutation of a relationship.

    Attributes:
        relationship: The relationship after the change; null if it was refused.
    """

    relationship: Relationship | None
    errors: list[UserError]


@queries
class RelationshipQuery:
    """Relationships."""

    @query(VIEWERS, scoped=True)
    async def relationships(self, info: Info) -> list[Relationship]:
        """All relationships: the built-in ones and the organization's own, retired ones included."""
        return [_to_relationship(item) for item in await info.context.read(relationship_list)]


@mutations
class RelationshipMutation:
    """Mutations of relationships."""

    @mutation(ADMINS)
    async def create_relationship(self, info: Info, input: RelationshipInput) -> RelationshipPayload:
        """Create a relationship of the organization's own."""

        def prepare() -> Callable[..., RelationshipRow]:
            return partial(
                relationship_create,
                name=input.name,
                inverse=input.inverse,
                source_kinds=input.source_kinds,
                target_kinds=input.target_kinds,
                hierarchy=input.hierarchy,
                exclusive=input.exclusive,
            )

        return await payload_of(info, _payload, prepare)

    @mutation(ADMINS)
    async def rename_relationship_inverse(self, info: Info, name: str, inverse: str) -> RelationshipPayload:
        """Rename the inverse of one of the organization's own relationships. CONFLICT for a built-in one.

        Args:
            name: Name of the relationship.
            inverse: New name of the inverse. CONFLICT where it is taken.
        """

        def prepare() -> Callable[..., RelationshipRow]:
            return partial(relationship_rename_inverse, name=name, inverse=inverse)

        return await payload_of(info, _payload, prepare, under=())

    @mutation(ADMINS)
    async def retire_relationship(self, info: Info, name: str) -> RelationshipPayload:
        """Retire one of the organization's own relationships: no new edge may have it. Existing edges are kept.

        Args:
            name: Name of the relationship. CONFLICT for a built-in one.
        """

        def prepare() -> Callable[..., RelationshipRow]:
            return partial(relationship_retire, name=name)

        return await payload_of(info, _payload, prepare, under=())


def _payload(row: RelationshipRow | None, errors: list[UserError]) -> RelationshipPayload:
    return RelationshipPayload(relationship=None if row is None else _to_relationship(row), errors=errors)


def _to_relationship(row: RelationshipRow) -> Relationship:
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
