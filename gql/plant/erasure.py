"""Erasure of entities."""

from __future__ import annotations

from functools import partial

import strawberry
from sqlalchemy.orm import Session

from domain.nodes.erasures.operations import entity_erase, readings_count
from gql.access.principal import ADMINS
from gql.base.context import Info
from gql.base.ids import uuid_named
from gql.base.roots import mutation, mutations
from gql.errors import UserError, user_error
from graph.change import GraphChange
from graph.errors import ArgusError


@strawberry.type
class ErasePayload:
    """Result of an erasure.

    Attributes:
        erased_readings: How many readings of the device the raw log had; 0 for what is no device.
    """

    erased_readings: float
    errors: list[UserError]


@mutations
class ErasureMutation:
    """Erasure of entities."""

    @mutation(ADMINS)
    async def erase_entity(self, info: Info, id: strawberry.ID, name: str) -> ErasePayload:
        """Erase an entity for good, deleted or not: it, its readings, its edges of all times, and its events.

        At once it is seen no more, and its readings are refused; its rows are deleted within seconds to minutes, even
        if processes are killed meanwhile. What was derived of others through it is recomputed without it. In the audit
        trail a pseudonym stands in its place. No mutation undoes this.

        Args:
            id: Id of the entity.
            name: Its present name, repeated so that it is meant; BAD_USER_INPUT for another.
        """
        try:
            entity_id = uuid_named(id, "id")
            readings = await info.context.read(partial(readings_count, entity_id=entity_id))

            def run(session: Session, change: GraphChange) -> None:
                entity_erase(session, change=change, entity_id=entity_id, name=name, readings=readings)

            await info.context.change(run)
        except ArgusError as error:
            return ErasePayload(erased_readings=0, errors=[user_error(error)])
        return ErasePayload(erased_readings=readings, errors=[])
