"""Spaces: where things are."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Final

import strawberry
from strawberry import UNSET

from domain.derivation.stays.queries import space_stays_pages
from domain.plant.spaces.operations import space_create, space_update
from gql.access.principal import ADMINS, OPERATORS
from gql.base.batched import batched, one_of
from gql.base.connections import paged
from gql.base.context import Info
from gql.base.entities import (
    Entity,
    EntityConnection,
    SpaceConnection,
    of_kind,
    to_entity,
)
from gql.base.ids import uuid_named
from gql.base.mutations import delete, draft_of, patch_of, payload_of
from gql.base.related import connections_over, lists_over
from gql.base.roots import mutation, mutations
from gql.base.scalars import JSON, DateTime, GeoJSON
from gql.derivation.derivation_faults import DerivationFault, derivation_faults
from gql.derivation.stays import StayConnection, stay_connection
from gql.errors import UserError
from graph.direction import Direction
from graph.entities.model import Entity as EntityRow
from graph.kinds import EntityKind
from graph.paging import PageRequest

_PARENTS: Final = lists_over(("CONTAINS",), Direction.IN, [EntityKind.SPACE])
_CHILDREN: Final = connections_over(("CONTAINS",), Direction.OUT)
_OCCUPANTS: Final = connections_over(("LOCATED_IN",), Direction.IN)


@of_kind(EntityKind.SPACE)
@strawberry.type
class Space(Entity):
    """A place: a site, a building, a floor, a room, a zone."""

    @strawberry.field
    async def derivation_faults(self, info: Info) -> list[DerivationFault] | None:
        """Derived metrics that could not be computed although their inputs have values, and why."""
        return await derivation_faults(info, self.row.id)

    @strawberry.field
    @batched(_PARENTS)
    async def parents(
        self, info: Info, as_of: DateTime | None = None, known_at: DateTime | None = None
    ) -> list[Space] | None:
        """Spaces that contain the space, at an instant."""
        parents: list[Space] = one_of(await _PARENTS([self], info, as_of=as_of, known_at=known_at))
        return parents

    @strawberry.field
    @paged()
    @batched(_CHILDREN)
    async def children(
        self,
        info: Info,
        *,
        page: PageRequest,
        as_of: DateTime | None = None,
        known_at: DateTime | None = None,
    ) -> SpaceConnection | None:
        """Spaces that the space contains, at an instant."""
        connection: SpaceConnection = one_of(await _CHILDREN([self], info, page=page, as_of=as_of, known_at=known_at))
        return connection

    @strawberry.field
    @paged()
    @batched(_OCCUPANTS)
    async def occupants(
        self,
        info: Info,
        *,
        page: PageRequest,
        as_of: DateTime | None = None,
        known_at: DateTime | None = None,
    ) -> EntityConnection | None:
        """Devices, assets and persons located in the space, at an instant."""
        connection: EntityConnection = one_of(await _OCCUPANTS([self], info, page=page, as_of=as_of, known_at=known_at))
        return connection

    @strawberry.field
    @paged()
    async def stays(
        self,
        info: Info,
        *,
        page: PageRequest,
        from_: Annotated[DateTime | None, strawberry.argument(name="from")] = None,
        to: DateTime | None = None,
    ) -> StayConnection | None:
        """Who was in the area of the space: stays that formulas of types and profiles ask for, earliest first.

        All stays that overlap [from, to), each in full length. Without `from` and `to`: who is there now.

        Args:
            from_: Start of the range of event time, inclusive. Default: `to`, so that only stays at that instant are
                listed.
            to: End of the range of event time, exclusive. Default: now.
        """
        return await stay_connection(info, space_stays_pages, self.row.id, page, from_=from_, to=to)


@strawberry.input
class CreateSpaceInput:
    """A new space.

    Attributes:
        parent_id: Id of the space that contains it (CONTAINS), from now on. Default: none.
    """

    name: str
    external_id: str | None = None
    type: str | None = None
    status: str | None = None
    attributes: JSON | None = None
    location: GeoJSON | None = None
    parent_id: strawberry.ID | None = None


@strawberry.input
class UpdateSpaceInput:
    """Changes of a space. A field left out keeps its value; null clears it.

    `name` and `status` cannot be cleared: null is BAD_USER_INPUT.

    Attributes:
        attributes: JSON object that is merged into the stored attributes (RFC 7396, JSON Merge Patch): null takes a
            member away, an object is merged, anything else replaces. At most 65,536 bytes and 32 levels together.
    """

    name: str | None = UNSET
    external_id: str | None = UNSET
    type: str | None = UNSET
    status: str | None = UNSET
    attributes: JSON | None = UNSET
    replace_attributes: JSON | None = UNSET
    if_updated_at: DateTime | None = None
    location: GeoJSON | None = UNSET


@strawberry.type
class SpacePayload:
    """Result of a mutation of a space.

    Attributes:
        space: The space after the change; null if it was refused.
    """

    space: Space | None
    errors: list[UserError]


@mutations
class SpaceMutation:
    """Mutations of spaces."""

    @mutation(OPERATORS, scoped=True)
    async def create_space(self, info: Info, input: CreateSpaceInput) -> SpacePayload:
        """Create a space. CONFLICT where another one has its external id."""

        def prepare() -> Callable[..., EntityRow]:
            return partial(
                space_create,
                draft=draft_of(input),
                parent_id=None if input.parent_id is None else uuid_named(input.parent_id, "parentId"),
            )

        return await payload_of(info, _payload, prepare)

    @mutation(OPERATORS, scoped=True)
    async def update_space(self, info: Info, id: strawberry.ID, input: UpdateSpaceInput) -> SpacePayload:
        """Update a space. CONFLICT where another one has its external id.

        Args:
            id: Id of the space.
        """

        def prepare() -> Callable[..., EntityRow]:
            return partial(space_update, space_id=uuid_named(id, "id"), patch=patch_of(input))

        return await payload_of(info, _payload, prepare)

    @mutation(ADMINS, scoped=True)
    async def delete_space(self, info: Info, id: strawberry.ID) -> SpacePayload:
        """Delete a space: its edges end now. What was recorded of it is kept.

        Args:
            id: Id of the space.
        """
        return await payload_of(info, _payload, delete(id, EntityKind.SPACE), under=())


def _payload(row: EntityRow | None, errors: list[UserError]) -> SpacePayload:
    space: Any = None if row is None else to_entity(row)
    return SpacePayload(space=space, errors=errors)
