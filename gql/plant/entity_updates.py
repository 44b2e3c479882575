"""The subscriptions to changes of entities."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from functools import partial

import strawberry

from gql.access.principal import VIEWERS
from gql.base.connections import cursor_decode, cursor_encode
from gql.base.context import Context, Info
from gql.base.entities import Entity, EntityKindEnum, to_entity
from gql.base.named import entities_named, entity_named
from gql.base.roots import subscription, subscriptions
from graph.errors import LimitExceededError
from graph.trail import TrailPlace, place_key, place_of_key, trail_end
from graph.updates import entity_updates

IDS_MAX = 1_000
_CURSOR = "entityUpdates"


@strawberry.type
class EntityUpdate:
    """What was done to an entity.

    Attributes:
        entity: The entity in its current state, which may be later than the update's.
        what: What was done: `created`, `updated`, `deleted` or `restored`, as in the audit trail.
        cursor: Cursor of this update: hand it back as `after` to continue behind it.
    """

    entity: Entity
    what: str
    cursor: str


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
        change of an edge is not a change of the entities at its ends; `edgeUpdates` has those.

        Args:
            ids: Only the entities with these ids, at most 1,000; NOT_FOUND if one does not exist. Default: all.
        """
        context = info.context
        ids_check(ids, "ids")
        async with context.services.trail.follow(context.organization_id) as following:
            wanted = None if ids is None else await entities_named(context, ids, "ids")
            place = await context.read(trail_end)
            while True:
                version = following.version
                # Read when the client can take more: what waits is a place in the trail, never a queue.
                page = await context.read(partial(entity_updates, after=place, ids=wanted, kinds=kinds))
                place = page.place
                for entity in {update.subject.id: update.subject for update in page.updates}.values():
                    yield to_entity(entity)
                if page.is_end:
                    await following.newer(version)

    @subscription(VIEWERS, scoped=True)
    async def entity_updates(
        self,
        info: Info,
        ids: list[strawberry.ID] | None = None,
        kinds: list[EntityKindEnum] | None = None,  # type: ignore[valid-type]
        under_id: strawberry.ID | None = None,
        after: str | None = None,
    ) -> AsyncIterator[EntityUpdate]:
        """Follow what is done to entities: one update for each change, in order, each with a cursor to continue from.

        Handed back as `after`, a cursor continues behind its update, without a gap or a repeat, however long ago that
        was. A change of an edge is not a change of the entities at its ends; `edgeUpdates` has those. A caller with
        scopes is sent the entities that it can see when they are read, so not what was deleted.

        Args:
            ids: Only the entities with these ids, at most 1,000; NOT_FOUND if one does not exist. Default: all.
            under_id: Id of an entity: only it and what is below it now, or was when it was deleted. NOT_FOUND if there
                is none. Default: all.
            after: Cursor of an earlier update. Default: only what is done from now on.
        """
        context = info.context
        ids_check(ids, "ids")
        async with context.services.trail.follow(context.organization_id) as following:
            wanted = None if ids is None else await entities_named(context, ids, "ids")
            under = None if under_id is None else await entity_named(context, under_id, "underId")
            place = await place_begin(context, after, _CURSOR)
            while True:
                version = following.version
                read = partial(entity_updates, after=place, ids=wanted, kinds=kinds, under_id=under)
                page = await context.read(read)
                place = page.place
                for update in page.updates:
                    cursor = cursor_encode(place_key(update.place, name=_CURSOR))
                    yield EntityUpdate(entity=to_entity(update.subject), what=update.action, cursor=cursor)
                if page.is_end:
                    await following.newer(version)
                # A loader remembers; what a later update names may have changed.
                context.loaders.clear()


def ids_check(ids: Sequence[str] | None, name: str) -> None:
    """Raise LimitExceededError above IDS_MAX ids. name: of the argument."""
    if ids is not None and len(ids) > IDS_MAX:
        raise LimitExceededError(f"{name} may have {IDS_MAX} entries.", path=(name,))


async def place_begin(context: Context, after: str | None, name: str) -> TrailPlace:
    """Return where a subscription begins: behind a cursor, else at the end. Raises BadInputError for a foreign one."""
    if after is None:
        return await context.read(trail_end)
    return place_of_key(cursor_decode(after, path="after"), name=name)
