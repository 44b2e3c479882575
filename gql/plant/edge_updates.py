"""The subscription to changes of edges."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial

import strawberry

from gql.access.principal import VIEWERS
from gql.base.connections import cursor_encode
from gql.base.context import Info
from gql.base.named import entities_named, entity_named
from gql.base.roots import subscription, subscriptions
from gql.plant.edges import Edge, to_edge
from gql.plant.entity_updates import ids_check, place_begin
from graph.trail import place_key
from graph.updates import edge_updates

_CURSOR = "edgeUpdates"


@strawberry.type
class EdgeUpdate:
    """What was done to an edge.

    Attributes:
        edge: The newest version of the edge, which may be later than the update's; of a retracted edge the last one.
        what: What was done: `created`, `ended`, `corrected` or `retracted`, as in the audit trail.
        cursor: Cursor of this update: hand it back as `after` to continue behind it.
    """

    edge: Edge
    what: str
    cursor: str


@subscriptions
class EdgeSubscription:
    """Changes of edges."""

    @subscription(VIEWERS, scoped=True)
    async def edge_updates(
        self,
        info: Info,
        entity_ids: list[strawberry.ID] | None = None,
        under_id: strawberry.ID | None = None,
        relationships: list[str] | None = None,
        after: str | None = None,
    ) -> AsyncIterator[EdgeUpdate]:
        """Follow what is done to edges: one update for each change, in order, each with a cursor to continue from.

        Corrections of the past are updates, too. Handed back as `after`, a cursor continues behind its update, without
        a gap or a repeat, however long ago that was.

        Args:
            entity_ids: Only edges with one of these entities, at most 1,000, at an end; NOT_FOUND if one does not
                exist. Default: all.
            under_id: Id of an entity: only edges with an end that is it or below it now. NOT_FOUND if there is none.
                Default: all.
            relationships: Only edges of these relationships, by name. Default: of all.
            after: Cursor of an earlier update. Default: only what is done from now on.
        """
        context = info.context
        ids_check(entity_ids, "entityIds")
        async with context.services.trail.follow(context.organization_id) as following:
            wanted = None if entity_ids is None else await entities_named(context, entity_ids, "entityIds")
            under = None if under_id is None else await entity_named(context, under_id, "underId")
            place = await place_begin(context, after, _CURSOR)
            while True:
                version = following.version
                page = await context.read(
                    partial(edge_updates, after=place, entity_ids=wanted, under_id=under, relationships=relationships)
                )
                place = page.place
                for update in page.updates:
                    cursor = cursor_encode(place_key(update.place, name=_CURSOR))
                    yield EdgeUpdate(edge=to_edge(update.subject), what=update.action, cursor=cursor)
                if page.is_end:
                    await following.newer(version)
                # A loader remembers; what a later update names may have changed.
                context.loaders.clear()
