"""Restore deleted entities of any kind."""

from __future__ import annotations

import strawberry
from sqlalchemy.orm import Session

from domain.nodes.operations import entity_restore
from gql.access.principal import ADMINS
from gql.base.context import Info
from gql.base.entities import Entity, to_entity
from gql.base.ids import uuid_named
from gql.base.mutations import payload_of
from gql.base.roots import mutation, mutations
from gql.errors import UserError
from graph.change import GraphChange
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
    async def restore_entity(self, info: Info, id: strawberry.ID) -> EntityPayload:
        """Restore a deleted entity. The edges that ended with it stay ended.

        CONFLICT where it is not deleted, or its external id is taken by now.

        Args:
            id: Id of the deleted entity.
        """

        def work(session: Session, change: GraphChange) -> EntityRow:
            return entity_restore(session, change=change, entity_id=uuid_named(id, "id"))

        return await payload_of(info, _payload, work, under=())


def _payload(row: EntityRow | None, errors: list[UserError]) -> EntityPayload:
    return EntityPayload(entity=None if row is None else to_entity(row), errors=errors)
