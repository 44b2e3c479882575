"""Bringing a deleted entity back, whatever its kind."""

from __future__ import annotations

import strawberry
from sqlalchemy.orm import Session

from domain.nodes.operations import entity_restore
from gql.base.context import Info
from gql.base.entities import Entity, entity_of
from gql.base.ids import uuid_named
from gql.base.mutations import payload_of
from gql.errors import UserError
from graph.change import GraphChange
from graph.entities.model import Entity as EntityRow


@strawberry.type
class EntityPayload:
    """The entity as it now stands; null if refused."""

    entity: Entity | None
    errors: list[UserError]


@strawberry.type
class EntityMutation:
    """Mutations of entities of any kind."""

    @strawberry.mutation
    async def restore_entity(self, info: Info, id: strawberry.ID) -> EntityPayload:
        """Bring a deleted entity back, without the edges that ended with it."""

        def work(session: Session, change: GraphChange) -> EntityRow:
            return entity_restore(session, change=change, entity_id=uuid_named(id, "id"))

        return await payload_of(info, _payload, work, under=())


def _payload(row: EntityRow | None, errors: list[UserError]) -> EntityPayload:
    return EntityPayload(entity=None if row is None else entity_of(row), errors=errors)
