"""Restore deleted entities of any kind."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import strawberry
from strawberry import UNSET

from domain.nodes.operations import entity_restore
from gql.access.principal import ADMINS
from gql.base.context import Info
from gql.base.entities import Entity, to_entity
from gql.base.ids import uuid_named
from gql.base.mutations import absent, payload_of
from gql.base.roots import mutation, mutations
from gql.errors import UserError
from graph.entities.model import Entity as EntityRow


@strawberry.type
class EntityPayload:
    """Result of a mutation of an entity of any kind.

    Attributes:
        entity: The entity after the change; null if it was refused.
    """

    entity: Entity | None
    errors: list[UserError]


@mutations
class EntityMutation:
    """Mutations of entities of any kind."""

    @mutation(ADMINS)
    async def restore_entity(self, info: Info, id: strawberry.ID, external_id: str | None = UNSET) -> EntityPayload:
        """Restore a deleted entity. The edges that ended with it stay ended.

        CONFLICT where it is not deleted, or its external id is taken by now: give it another.

        Args:
            id: Id of the deleted entity.
            external_id: The external id that it has from now on; null: none. Default: the one that it had.
        """

        def prepare() -> Callable[..., EntityRow]:
            return partial(entity_restore, entity_id=uuid_named(id, "id"), external_id=absent(external_id))

        return await payload_of(info, _payload, prepare, under=())


def _payload(row: EntityRow | None, errors: list[UserError]) -> EntityPayload:
    return EntityPayload(entity=None if row is None else to_entity(row), errors=errors)
