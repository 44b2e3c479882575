"""The subscription to changed entities."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import strawberry

from domain.plant.entities.changed import entities_changed, trail_end
from gql.access.principal import VIEWERS
from gql.base.context import Info
from gql.base.entities import Entity, EntityKindEnum, to_entity
from gql.base.named import entities_named
from gql.base.roots import subscription, subscriptions
from graph.errors import LimitExceededError

# How often the trail is looked at, for each subscription.
LOOK_S = 0.25
IDS_MAX = 1_000
# Of one process; each queries the database.
SUBSCRIBERS_MAX = 500

_subscribers = 0


@subscriptions
class EntitySubscription:
    """Changes of entities."""

    @subscription(VIEWERS, scoped=True)
    async def entity_changed(
        self,
        info: Info,
        ids: list[strawberry.ID] | None = None,
        kinds: list[EntityKindEnum] | None = None,  # type: ignore[valid-type]
    ) -> AsyncIterator[Entity]:
        """Follow entities: one is sent, in its current state, each time it is created, updated, deleted or restored.

        Of several changes within a quarter of a second, or while the client is slow, only the last state is sent. A
        change of an edge is not a change of the entities at its ends.

        Args:
            ids: Only the entities with these ids, at most 1,000; NOT_FOUND if one does not exist. Default: all.
        """
        global _subscribers  # noqa: PLW0603  (one count per process)
        if ids is not None and len(ids) > IDS_MAX:
            raise LimitExceededError(f"ids may have {IDS_MAX} entries.", path=("ids",))
        if _subscribers >= SUBSCRIBERS_MAX:
            raise LimitExceededError(f"This process serves {SUBSCRIBERS_MAX} subscriptions to entities.")
        _subscribers += 1
        try:
            wanted = None if ids is None else await entities_named(info.context, ids, "ids")
            place = await info.context.read(trail_end)
            while True:
                # Read when the client can take more: what waits is a place in the trail, never a queue.
                changed = await info.context.read(partial(entities_changed, after=place, ids=wanted, kinds=kinds))
                place = changed.place
                for row in changed.entities:
                    yield to_entity(row)
                if changed.is_end:
                    await asyncio.sleep(LOOK_S)
        finally:
            _subscribers -= 1
