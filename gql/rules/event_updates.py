"""The subscription to updates of events that continues behind a cursor."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial

import strawberry

from domain.rules.events.queries import filter_check
from domain.rules.events.updates import event_updates, event_updates_end, place_key, place_of_key
from domain.rules.queries import rules_get
from gql.access.principal import VIEWERS
from gql.base.connections import cursor_decode, cursor_encode
from gql.base.context import Info
from gql.base.named import entities_named, entity_named, ids_named
from gql.base.roots import subscription, subscriptions
from gql.rules.events import Event, EventFilter, to_event, to_where


@strawberry.type
class EventUpdate:
    """What happened to an event.

    Attributes:
        event: The event in its current state, which may be later than the update's.
        what: What happened: OPENED, CLEARED, REOPENED, CORRECTED, WITHDRAWN, ESCALATED or DEESCALATED by the data, or
            ACKNOWLEDGED, DISMISSED or COMMENT by a person. OPENED may come again where a shelf or a maintenance window
            that it opened in was changed.
        cursor: Cursor of this update: hand it back as `after` to continue behind it.
    """

    event: Event
    what: str
    cursor: str


@subscriptions
class EventUpdateSubscription:
    """Updates of events."""

    @subscription(VIEWERS, scoped=True)
    async def event_updates(
        self, info: Info, filter: EventFilter | None = None, after: str | None = None
    ) -> AsyncIterator[EventUpdate]:
        """Follow what happens to events: one update for each change and annotation, with a cursor to continue from.

        Handed back as `after` within seven days, a cursor continues behind its update, without a gap or a repeat.
        Updates of one event come in their order; those that were recorded at the same moment, in any.

        Args:
            filter: Which events, by their current state. NOT_FOUND where it names an entity or a rule that does not
                exist. Default: all.
            after: Cursor of an earlier update. Default: only what happens from now on.
        """
        context, where, clock = info.context, to_where(filter), info.context.services.clock
        if filter is not None and filter.under_id is not None:
            await entity_named(context, filter.under_id, "filter", "underId")
        await context.read(filter_check, where=where)
        if filter is not None:
            await entities_named(context, filter.entity_ids or [], "filter", "entityIds")
            await ids_named(context, rules_get, filter.rule_ids or [], "filter", "ruleIds")
        async with context.services.event_log.follow(context.organization_id) as following:
            if after is None:
                place = await context.read(partial(event_updates_end, now=clock()))
            else:
                place = place_of_key(cursor_decode(after, path="after"), now=clock())
            while True:
                version = following.version
                page = await context.read(partial(event_updates, after=place, where=where, now=clock()))
                place = page.place
                for update in page.updates:
                    cursor = cursor_encode(place_key(update.place))
                    yield EventUpdate(event=to_event(update.event), what=update.what, cursor=cursor)
                if page.is_end:
                    await following.newer(version)
                # A loader remembers; what a later update names may have changed.
                context.loaders.clear()
