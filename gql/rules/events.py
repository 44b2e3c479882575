"""Events of rules, and their annotations."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from domain.rules.events.bulk import events_annotate
from domain.rules.events.operations import event_annotate
from domain.rules.events.queries import EventFilter as Where
from domain.rules.events.queries import corrections_of, events_get, events_page, filter_check
from domain.rules.model import AnnotationKind, EventState
from domain.rules.model import Event as EventRow
from domain.rules.queries import rules_get
from domain.work.activities.queries import activities_of_events
from gql.access.principal import OPERATORS, VIEWERS
from gql.base.bulk import BulkPayload, bulk_payload
from gql.base.connections import Connection, page_read, paged
from gql.base.context import Info
from gql.base.converters import converts
from gql.base.descriptions import enum_described
from gql.base.entities import Entity, Node, to_entity
from gql.base.ids import uuid_named, uuids_of
from gql.base.loaders import load
from gql.base.named import entities_named, entity_named, ids_named
from gql.base.roots import mutation, mutations, queries, query, subscription, subscriptions
from gql.base.scalars import JSON, DateTime
from gql.errors import UserError, user_error
from gql.rules.rule_input import SeverityEnum
from gql.rules.rules import Rule, to_rule
from graph.entities.queries import entities_get
from graph.errors import ArgusError, NotFoundError
from graph.paging import PageRequest

if TYPE_CHECKING:
    from gql.work.activities import Activity

ActivityType = Annotated["Activity", strawberry.lazy("gql.work.activities")]
EventStateEnum = enum_described(
    EventState,
    "State of an event: the first that applies of WITHDRAWN, DISMISSED, CLEARED, ACKNOWLEDGED and OPEN.",
    OPEN="It has not cleared, and nobody has acknowledged it.",
    ACKNOWLEDGED="It has not cleared, and somebody has acknowledged it.",
    CLEARED="Its condition has stopped, or its rule no longer evaluates the entity.",
    DISMISSED="Somebody has said that nothing has to be done about it.",
    WITHDRAWN="The data as it is now never had it.",
)
AnnotationKindEnum = enum_described(
    AnnotationKind,
    "What a person said of an event.",
    name="MarkKind",
    ACKNOWLEDGED="That somebody has seen it.",
    DISMISSED="That nothing has to be done about it.",
    COMMENT="A comment in free text.",
)


@strawberry.type
class EventMark:
    """An annotation of an event by a person.

    Attributes:
        kind: Whether it was acknowledged, dismissed or commented.
        at: When it was said.
        actor: Who said it: the subject of the token.
        note: The comment, or a note that was given; null: none.
    """

    kind: AnnotationKindEnum  # type: ignore[valid-type]
    at: DateTime
    actor: str
    note: str | None


@strawberry.type
class EventCorrection:
    """A correction of an event by late or corrected data.

    Attributes:
        before: What was known before: times, value, flaps, whether it was withdrawn. JSON.
        after: What has been known since, in the same form.
    """

    recorded_at: DateTime
    before: JSON
    after: JSON


@strawberry.type
class Event(Node):
    """A time in which the condition of a rule held at an entity. Times are event times unless said otherwise.

    Events are computed from the data: late readings and corrections change them. What persons say of an event is kept.

    Attributes:
        state: The first that applies of WITHDRAWN, DISMISSED, CLEARED, ACKNOWLEDGED and OPEN.
        severity: How serious it is now, escalation included.
        began_at: First reading at which the condition held.
        opened_at: First reading by which it had held for `for`; for `noData`, `after` past the last reading.
        cleared_at: First reading at which it had stopped for `clearFor`; null: it is open.
        detected_at: When Argus found it (system time).
        withdrawn_at: Since when the data no longer has it (system time); null: it has.
        acknowledged_at: When it was first acknowledged (system time); null: never.
        dismissed_at: When it was first dismissed (system time); null: never.
        cleared_reason: Why it cleared: CONDITION, RULE_CHANGED, SCOPE_LEFT or ENTITY_DELETED; null: it is open.
        value: Value of the reading at which it opened; null: there is none.
        flaps: Number of later events merged into it, to damp flapping.
        port: Port of the device whose readings it is about; null: none.
        marks: What persons said of it, oldest first.
    """

    row: strawberry.Private[EventRow]
    state: EventStateEnum  # type: ignore[valid-type]
    severity: SeverityEnum  # type: ignore[valid-type]
    began_at: DateTime
    opened_at: DateTime
    cleared_at: DateTime | None
    detected_at: DateTime
    withdrawn_at: DateTime | None
    acknowledged_at: DateTime | None
    dismissed_at: DateTime | None
    cleared_reason: str | None
    value: float | None
    flaps: int
    port: str | None
    marks: list[EventMark]

    @strawberry.field
    def suppressed(self, info: Info) -> bool:
        """True: it has been shelved or in maintenance ever since it opened, so that it has no side effects."""
        return self.row.suppressed(info.context.services.clock())

    @strawberry.field
    async def rule(self, info: Info) -> Rule | None:
        """The rule that found it."""
        row = await load(info.context, rules_get, self.row.rule_id)
        return None if row is None else to_rule(row)

    @strawberry.field
    async def entity(self, info: Info) -> Entity:
        """The entity at which it was found."""
        row = await load(info.context, entities_get, self.row.entity_id)
        if row is None:
            raise NotFoundError(f"There is no entity {self.row.entity_id}.")
        return to_entity(row)

    @strawberry.field
    async def activities(self, info: Info) -> list[ActivityType]:
        """Activities that it created or in whose history it was noted, the earliest first."""
        ids = await load(info.context, activities_of_events, self.row.id) or ()
        rows = await asyncio.gather(*(load(info.context, entities_get, entity_id) for entity_id in ids))
        shown: list[Any] = [to_entity(row) for row in rows if row is not None]
        return shown

    @strawberry.field
    async def corrections(self, info: Info) -> list[EventCorrection] | None:
        """Corrections by late or corrected data, the latest first; at most 100."""
        correction = await load(info.context, corrections_of, self.row.id) or ()
        return [
            EventCorrection(
                recorded_at=DateTime(item.recorded_at), before=JSON(dict(item.before)), after=JSON(dict(item.after))
            )
            for item in correction
        ]


EventConnection = Connection[Event]


@strawberry.input
class EventFilter:
    """Conditions on events, all of which must hold. A condition left out does not matter.

    Attributes:
        ids: Only these events, at most 1,000.
        states: Only events in one of these states.
        severities: Only events of one of these severities.
        entity_ids: Only events at these entities, at most 1,000.
        under_id: Id of an entity: only events at it and at what is below it now. NOT_FOUND if there is none.
        rule_ids: Only events of these rules, at most 1,000.
        open_at: Only events open at this instant of event time.
        from_: Only events whose span overlaps the range that starts then, inclusive. Default: no start.
        to: Only events whose span overlaps the range that ends then, exclusive. Default: no end.
    """

    ids: list[strawberry.ID] | None = None
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
    """Result of a mutation of an event.

    Attributes:
        event: The event after the change; null if it was refused.
    """

    event: Event | None
    errors: list[UserError]


@queries
class EventQuery:
    """Events."""

    @query(VIEWERS, scoped=True)
    @paged()
    async def events(self, info: Info, *, page: PageRequest, filter: EventFilter | None = None) -> EventConnection:
        """Events, the latest opened first. Withdrawn ones are listed too, unless `filter.states` leaves them out."""
        rows = await page_read(info, events_page, page, where=to_where(filter))
        return EventConnection(rows=rows, show=to_event)


@subscriptions
class EventSubscription:
    """Events as they are found."""

    @subscription(VIEWERS, scoped=True)
    async def events(self, info: Info, filter: EventFilter | None = None) -> AsyncIterator[Event]:
        """Follow events: one is sent, in its current state, each time it opens, clears, is corrected or annotated.

        While the client is slow, only the last state of each event is sent. What was before, the query `events` lists.

        Args:
            filter: Which events. NOT_FOUND where it names an entity or a rule that does not exist. Default: all.
        """
        context, where = info.context, to_where(filter)
        if filter is not None and filter.under_id is not None:
            await entity_named(context, filter.under_id, "filter", "underId")
        await context.read(filter_check, where=where)
        if filter is not None:
            await ids_named(context, events_get, filter.ids or [], "filter", "ids")
            await entities_named(context, filter.entity_ids or [], "filter", "entityIds")
            await ids_named(context, rules_get, filter.rule_ids or [], "filter", "ruleIds")
        updates = context.services.events.subscribe(
            organization_id=context.organization_id, where=where, under=context.principal.under
        )
        async for row in updates:
            # A loader remembers; what a later event names may have changed.
            context.loaders.clear()
            yield to_event(row)


@mutations
class EventMutation:
    """Mutations of events."""

    @mutation(OPERATORS, scoped=True)
    async def acknowledge_event(self, info: Info, id: strawberry.ID, note: str | None = None) -> EventPayload:
        """Acknowledge an event: it was noticed. If it is already acknowledged, nothing changes.

        Args:
            id: Id of the event.
        """
        return await _annotate(info, id, AnnotationKind.ACKNOWLEDGED, note)

    @mutation(OPERATORS, scoped=True)
    async def dismiss_event(self, info: Info, id: strawberry.ID, note: str | None = None) -> EventPayload:
        """Dismiss an event: nothing has to be done about it. If it is already dismissed, nothing changes.

        Args:
            id: Id of the event.
        """
        return await _annotate(info, id, AnnotationKind.DISMISSED, note)

    @mutation(OPERATORS, scoped=True)
    async def comment_event(self, info: Info, id: strawberry.ID, note: str) -> EventPayload:
        """Comment on an event. An event has at most 1,000 annotations, else LIMIT_EXCEEDED.

        Args:
            id: Id of the event.
            note: The comment, 1 to 10,000 characters.
        """
        return await _annotate(info, id, AnnotationKind.COMMENT, note)

    @mutation(OPERATORS, scoped=True)
    async def acknowledge_events(
        self, info: Info, filter: EventFilter, note: str | None = None, dry_run: bool = False
    ) -> BulkPayload:
        """Acknowledge all events that fit a filter, each as `acknowledgeEvent` does, in one transaction.

        At most 10,000, else LIMIT_EXCEEDED. Those that are acknowledged already are matched and not changed. One of
        1,000 annotations is refused.

        Args:
            filter: Which events. One without any condition is BAD_USER_INPUT.
        """
        return await _annotate_all(info, filter, AnnotationKind.ACKNOWLEDGED, note, is_dry_run=dry_run)

    @mutation(OPERATORS, scoped=True)
    async def dismiss_events(
        self, info: Info, filter: EventFilter, note: str | None = None, dry_run: bool = False
    ) -> BulkPayload:
        """Dismiss all events that fit a filter, each as `dismissEvent` does; otherwise as `acknowledgeEvents`.

        Args:
            filter: Which events. One without any condition is BAD_USER_INPUT.
        """
        return await _annotate_all(info, filter, AnnotationKind.DISMISSED, note, is_dry_run=dry_run)


async def _annotate(info: Info, id_: strawberry.ID, kind: AnnotationKind, note: str | None) -> EventPayload:
    context = info.context
    try:
        annotated = await context.read(
            event_annotate,
            event_id=uuid_named(id_, "id"),
            kind=kind,
            note=note,
            actor=context.principal.actor,
            now=context.services.clock(),
            annotation_id=context.services.new_id(),
        )
    except ArgusError as error:
        return EventPayload(event=None, errors=[user_error(error)])
    # Committed by now.
    await context.services.events.publish(organization_id=context.organization_id, event_ids=[annotated.id])
    return EventPayload(event=to_event(annotated), errors=[])


async def _annotate_all(
    info: Info, filter_: EventFilter, kind: AnnotationKind, note: str | None, *, is_dry_run: bool
) -> BulkPayload:
    context = info.context
    try:
        annotated = await context.read(
            events_annotate,
            where=to_where(filter_),
            kind=kind,
            note=note,
            actor=context.principal.actor,
            now=context.services.clock(),
            new_id=context.services.new_id,
            is_dry_run=is_dry_run,
        )
    except ArgusError as error:
        return bulk_payload(None, error)
    # Committed by now.
    await context.services.events.publish(organization_id=context.organization_id, event_ids=annotated.ids)
    return bulk_payload(annotated.result)


@converts(EventRow)
def to_event(row: EventRow) -> Event:
    """Convert an event to its GraphQL object."""
    acknowledged, dismissed = row.annotated_at(AnnotationKind.ACKNOWLEDGED), row.annotated_at(AnnotationKind.DISMISSED)
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
        marks=[EventMark(kind=m.kind, at=DateTime(m.at), actor=m.actor, note=m.note) for m in row.annotations],
    )


def to_where(filter_: EventFilter | None) -> Where:
    """Convert a filter to the domain's; None: all events."""
    if filter_ is None:
        return Where()
    return Where(
        ids=None if filter_.ids is None else _once(uuids_of(filter_.ids)),
        states=_once(filter_.states),
        severities=_once(filter_.severities),
        entity_ids=None if filter_.entity_ids is None else _once(uuids_of(filter_.entity_ids)),
        under_id=None if filter_.under_id is None else uuid_named(filter_.under_id, "filter", "underId"),
        rule_ids=None if filter_.rule_ids is None else _once(uuids_of(filter_.rule_ids)),
        open_at=filter_.open_at,
        begins=filter_.from_,
        ends=filter_.to,
    )


def _once(values: Iterable[Any] | None) -> tuple[Any, ...] | None:
    """Return the values in a canonical order, so that filters that say the same are the same."""
    return None if values is None else tuple(sorted(set(values)))
