"""Events: what rules found, and what persons said of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from sqlalchemy.orm import Session

from domain.rules.events.operations import event_mark
from domain.rules.events.queries import EventFilter as Where
from domain.rules.events.queries import corrections_of, events_page, filter_check
from domain.rules.model import Event as EventRow
from domain.rules.model import EventState, MarkKind
from domain.rules.queries import rules_get
from domain.work.activities.queries import activities_of_events
from gql.base.connections import PageInfo, Rows, page_request, rows_of, wants_total
from gql.base.context import Info
from gql.base.entities import Entity, Node, entity_of
from gql.base.ids import uuid_named, uuids_of
from gql.base.loaders import load
from gql.base.named import entities_named, entity_named, ids_named
from gql.base.scalars import JSON, DateTime
from gql.base.shown import shows
from gql.errors import UserError, user_error
from gql.rules.rules import Rule, SeverityEnum, rule_shown
from graph.entities.queries import entities_get
from graph.errors import ArgusError, NotFoundError

if TYPE_CHECKING:
    from gql.work.activities import Activity

ActivityType = Annotated["Activity", strawberry.lazy("gql.work.activities")]
EventStateEnum = strawberry.enum(
    EventState, description="The first that applies of WITHDRAWN, DISMISSED, CLEARED, ACKNOWLEDGED, OPEN."
)
MarkKindEnum = strawberry.enum(MarkKind, description="What a person said of an event.")


@strawberry.type
class EventMark:
    """What a person said of an event."""

    kind: MarkKindEnum  # type: ignore[valid-type]
    at: DateTime
    actor: str
    note: str | None


@strawberry.type
class EventCorrection:
    """Where an event turned out to be other than it was told."""

    recorded_at: DateTime
    before: JSON
    after: JSON


@strawberry.type
class Event(Node):
    """What a rule found on an entity. Times are event times.

    state is computed: WITHDRAWN (the data as it now stands never had it) over DISMISSED over CLEARED over ACKNOWLEDGED
    over OPEN; marks are facts of their own and stay.
    """

    row: strawberry.Private[EventRow]
    state: EventStateEnum  # type: ignore[valid-type]
    severity: SeverityEnum  # type: ignore[valid-type]
    began_at: DateTime = strawberry.field(description="The first reading at which the condition held.")
    opened_at: DateTime = strawberry.field(description="The first reading by which it had held for `for`.")
    cleared_at: DateTime | None = strawberry.field(description="The first reading at which it had stopped.")
    detected_at: DateTime = strawberry.field(description="When it was found: the only time by the wall's clock.")
    withdrawn_at: DateTime | None = strawberry.field(description="Since when the data no longer has it.")
    acknowledged_at: DateTime | None
    dismissed_at: DateTime | None
    cleared_reason: str | None = strawberry.field(description="CONDITION, RULE_CHANGED, SCOPE_LEFT or ENTITY_DELETED.")
    value: float | None = strawberry.field(description="Of the reading at which it opened.")
    flaps: int = strawberry.field(description="How many later events were merged into it, to damp flapping.")
    port: str | None = strawberry.field(description="Of which port of a device the readings were.")
    marks: list[EventMark] = strawberry.field(description="What persons said of it, oldest first.")

    @strawberry.field
    def suppressed(self, info: Info) -> bool:
        """It has been shelved or in maintenance since it opened, until it cleared or until now: nothing follows."""
        return self.row.suppressed(info.context.services.clock())

    @strawberry.field
    async def rule(self, info: Info) -> Rule | None:
        """The rule that found it."""
        found = await load(info.context, rules_get, self.row.rule_id)
        return None if found is None else rule_shown(found)

    @strawberry.field
    async def entity(self, info: Info) -> Entity:
        """What it was found on."""
        found = await load(info.context, entities_get, self.row.entity_id)
        if found is None:
            raise NotFoundError(f"There is no entity {self.row.entity_id}.")
        return entity_of(found)

    @strawberry.field
    async def activities(self, info: Info) -> list[ActivityType]:
        """The activities that it made, or that were open when it came and noted it; the first first."""
        ids = await load(info.context, activities_of_events, self.row.id) or ()
        found = await asyncio.gather(*(load(info.context, entities_get, each) for each in ids))
        shown: list[Any] = [entity_of(row) for row in found if row is not None]
        return shown

    @strawberry.field
    async def corrections(self, info: Info) -> list[EventCorrection]:
        """Where it turned out to be other than it was told, the latest first, at most 100."""
        found = await load(info.context, corrections_of, self.row.id) or ()
        return [
            EventCorrection(
                recorded_at=DateTime(each.recorded_at), before=JSON(dict(each.before)), after=JSON(dict(each.after))
            )
            for each in found
        ]


@strawberry.type
class EventEdge:
    """An event in a list."""

    cursor: str
    node: Event


@strawberry.type
class EventConnection:
    """A page of events."""

    rows: strawberry.Private[Rows[EventRow]]
    page_info: PageInfo

    @strawberry.field
    def nodes(self) -> list[Event]:
        """The events."""
        return [event_shown(row) for row in self.rows.items]

    @strawberry.field
    def edges(self) -> list[EventEdge]:
        """The events, each with its cursor."""
        pairs = zip(self.rows.items, self.rows.cursors, strict=True)
        return [EventEdge(cursor=cursor, node=event_shown(row)) for row, cursor in pairs]

    @strawberry.field
    def total_count(self) -> int:
        """How many there are on all pages."""
        return self.rows.total or 0


@strawberry.input
class EventFilter:
    """openAt: events open at that instant. from, to: events whose span touches the range."""

    states: list[EventStateEnum] | None = None  # type: ignore[valid-type]
    severities: list[SeverityEnum] | None = None  # type: ignore[valid-type]
    entity_ids: list[strawberry.ID] | None = None
    under_id: strawberry.ID | None = None
    rule_ids: list[strawberry.ID] | None = None
    open_at: DateTime | None = None
    from_: DateTime | None = strawberry.field(name="from", default=None)
    to: DateTime | None = None


@strawberry.type
class EventPayload:
    """The event as it now stands; null if refused."""

    event: Event | None
    errors: list[UserError]


@strawberry.type
class EventQuery:
    """Events."""

    @strawberry.field
    async def events(
        self, info: Info, filter: EventFilter | None = None, first: int = 50, after: str | None = None
    ) -> EventConnection:
        """Events, the latest opened first; withdrawn ones too, unless states says otherwise."""
        request, count, where = page_request(first, after), wants_total(info), _where(filter)

        def read(session: Session, *, organization_id: int) -> Rows[EventRow]:
            page = events_page(session, organization_id=organization_id, where=where, page=request)
            return rows_of(page, count=count)

        rows = await info.context.read(read)
        return EventConnection(rows=rows, page_info=rows.page_info)


@strawberry.type
class EventSubscription:
    """Events as they are found."""

    @strawberry.subscription
    async def events(self, info: Info, filter: EventFilter | None = None) -> AsyncIterator[Event]:
        """Events that fit, as they then stand, each time that one opens, clears, is corrected or withdrawn from now on.

        While the client is slow, of each event the last state is sent, once. What was before, the query lists.
        NOT_FOUND where the filter names an entity or a rule that is none of the organization's.
        """
        context, where = info.context, _where(filter)
        if filter is not None and filter.under_id is not None:
            await entity_named(context, filter.under_id, "filter", "underId")
        await context.read(filter_check, where=where)
        if filter is not None:
            await entities_named(context, filter.entity_ids or [], "filter", "entityIds")
            await ids_named(context, rules_get, filter.rule_ids or [], "filter", "ruleIds")
        async for row in context.services.events.subscribe(organization_id=context.organization_id, where=where):
            # A loader remembers; what a later event names may have changed.
            context.loaders.clear()
            yield event_shown(row)


@strawberry.type
class EventMutation:
    """Mutations of events."""

    @strawberry.mutation
    async def acknowledge_event(self, info: Info, id: strawberry.ID, note: str | None = None) -> EventPayload:
        """Say that somebody has seen it. The first who did stays."""
        return await _mark(info, id, MarkKind.ACKNOWLEDGED, note)

    @strawberry.mutation
    async def dismiss_event(self, info: Info, id: strawberry.ID, note: str | None = None) -> EventPayload:
        """Say that it needs nothing done. The first who did stays."""
        return await _mark(info, id, MarkKind.DISMISSED, note)

    @strawberry.mutation
    async def comment_event(self, info: Info, id: strawberry.ID, note: str) -> EventPayload:
        """Say something of it."""
        return await _mark(info, id, MarkKind.COMMENT, note)


async def _mark(info: Info, id_: strawberry.ID, kind: MarkKind, note: str | None) -> EventPayload:
    context = info.context
    try:
        marked = await context.read(
            event_mark,
            event_id=uuid_named(id_, "id"),
            kind=kind,
            note=note,
            actor=context.principal.actor,
            now=context.services.clock(),
            mark_id=context.services.new_id(),
        )
    except ArgusError as error:
        return EventPayload(event=None, errors=[user_error(error)])
    # Committed by now.
    await context.services.events.publish(organization_id=context.organization_id, event_id=marked.id)
    return EventPayload(event=event_shown(marked), errors=[])


@shows(EventRow)
def event_shown(row: EventRow) -> Event:
    """Return an event as it is shown."""
    acknowledged, dismissed = row.marked(MarkKind.ACKNOWLEDGED), row.marked(MarkKind.DISMISSED)
    return Event(
        id=strawberry.ID(str(row.id)),
        row=row,
        state=row.state,
        severity=row.severity,
        began_at=DateTime(row.began_at),
        opened_at=DateTime(row.opened_at),
        cleared_at=None if row.cleared_at is None else DateTime(row.cleared_at),
        detected_at=DateTime(row.detected_at),
        withdrawn_at=None if row.withdrawn_at is None else DateTime(row.withdrawn_at),
        acknowledged_at=None if acknowledged is None else DateTime(acknowledged),
        dismissed_at=None if dismissed is None else DateTime(dismissed),
        cleared_reason=row.cleared_reason,
        value=row.value,
        flaps=row.flaps,
        port=row.key or None,
        marks=[EventMark(kind=m.kind, at=DateTime(m.at), actor=m.actor, note=m.note) for m in row.marks],
    )


def _where(given: EventFilter | None) -> Where:
    if given is None:
        return Where()
    return Where(
        states=_once(given.states),
        severities=_once(given.severities),
        entity_ids=None if given.entity_ids is None else _once(uuids_of(given.entity_ids)),
        under_id=None if given.under_id is None else uuid_named(given.under_id, "filter", "underId"),
        rule_ids=None if given.rule_ids is None else _once(uuids_of(given.rule_ids)),
        open_at=given.open_at,
        begins=given.from_,
        ends=given.to,
    )


def _once(values: Iterable[Any] | None) -> tuple[Any, ...] | None:
    """Return the values in an order of their own, so that filters that say the same are the same."""
    return None if values is None else tuple(sorted(set(values)))
