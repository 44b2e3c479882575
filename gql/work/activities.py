"""Activities: work for persons."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry
from strawberry import UNSET

from domain.rules.events.queries import events_get
from domain.work.activities.lifecycle import ALLOWED, ActivityState, state_of
from domain.work.activities.model import CATEGORY_DEFAULT, PRIORITY_DEFAULT, Step, StepKind
from domain.work.activities.operations import activity_create, activity_update
from domain.work.activities.queries import activity_details_get, activity_sources_get
from domain.work.activities.steps import activity_history_get
from domain.work.activity_templates.queries import activity_templates_get
from gql.access.principal import ADMINS, OPERATORS
from gql.base.context import Info
from gql.base.converters import to_object
from gql.base.descriptions import enum_described
from gql.base.entities import Entity, Node, of_kind, to_entity
from gql.base.ids import uuid_named
from gql.base.loaders import load
from gql.base.mutations import absent, delete, draft_of, patch_of, payload_of, required
from gql.base.roots import mutation, mutations
from gql.base.scalars import JSON, DateTime, GeoJSON, date_time_parse
from gql.errors import UserError
from graph.entities.model import Entity as EntityRow
from graph.kinds import EntityKind

if TYPE_CHECKING:
    from gql.rules.events import Event
    from gql.work.activity_templates import ActivityTemplate

TemplateType = Annotated["ActivityTemplate", strawberry.lazy("gql.work.activity_templates")]
EventType = Annotated["Event", strawberry.lazy("gql.rules.events")]
ActivityStateEnum = enum_described(
    ActivityState,
    "State of an activity in its lifecycle.",
    OPEN="It has to be done, and nobody has it.",
    ASSIGNED="A person has it, but has not begun.",
    IN_PROGRESS="A person is at work on it.",
    DONE="The work is done. It can be verified, or opened again.",
    VERIFIED="The work is done and was verified. It can be opened again.",
    CANCELLED="It is not to be done. It can be opened again.",
)
StepKindEnum = enum_described(
    StepKind,
    "What was done in a step of an activity's history.",
    name="ActivityStepKind",
    CREATED="The activity was created.",
    MOVED="It was moved to another state.",
    ASSIGNED="It was assigned to a person, or to nobody.",
    ITEM="An item of its checklist was marked as done or not done.",
    EVENT="A further event of its rule and target was noted.",
    SUGGESTED="It was suggested to close or to cancel it.",
)


@strawberry.type
class ActivityStep(Node):
    """A step of an activity's history: who did what and when.

    Attributes:
        kind: What was done.
        at: When it was done (system time).
        from_: Status before, where it was MOVED; else null.
        to: Status after, where it was MOVED; `done` or `open` for an ITEM; else null.
        person_id: Id of the person to whom it was ASSIGNED; null: to nobody.
        item_id: Id of the item of the checklist, for an ITEM; else null.
        event_id: Id of the event that made the step; null: none did.
        note: Note that was given with the step; null: none.
    """

    kind: StepKindEnum  # type: ignore[valid-type]
    at: DateTime
    actor: str
    from_: str | None = strawberry.field(name="from")
    to: str | None
    person_id: strawberry.ID | None
    item_id: str | None
    event_id: strawberry.ID | None
    note: str | None


@strawberry.type
class ClosingSuggestion:
    """A suggestion to close or cancel an activity, because of a change of its event.

    Attributes:
        action: CLOSE: the event cleared. CANCEL: the data never had it.
        event_id: Id of the event.
        at: When the event cleared, in event time.
    """

    action: str
    event_id: strawberry.ID
    at: DateTime


@of_kind(EntityKind.ACTIVITY)
@strawberry.type
class Activity(Entity):
    """Work for a person: an inspection, a repair, a round."""

    @strawberry.field
    async def category(self, info: Info) -> str:
        """What sort of work it is, as text; `general` by default."""
        details = await load(info.context, activity_details_get, self.row.id)
        return CATEGORY_DEFAULT if details is None else details.category

    @strawberry.field
    async def priority(self, info: Info) -> str:
        """How urgent it is, as text; `medium` by default."""
        details = await load(info.context, activity_details_get, self.row.id)
        return PRIORITY_DEFAULT if details is None else details.priority

    @strawberry.field
    async def due_at(self, info: Info) -> DateTime | None:
        """When it has to be done; null: at no given time."""
        details = await load(info.context, activity_details_get, self.row.id)
        return None if details is None else None if details.due_at is None else DateTime(details.due_at)

    @strawberry.field
    async def checklist(self, info: Info) -> JSON:
        """Items of its checklist, a list of {id, text, done, ...}; done ones bear `doneBy` and `doneAt`."""
        details = await load(info.context, activity_details_get, self.row.id)
        return JSON([]) if details is None else JSON(details.checklist)

    @strawberry.field
    def state(self) -> ActivityStateEnum:  # type: ignore[valid-type]
        """Its state in the lifecycle. A status of the organization's own counts as OPEN."""
        return state_of(self.row.status)

    @strawberry.field
    def allowed_states(self) -> list[ActivityStateEnum]:  # type: ignore[valid-type]
        """States to which `transitionActivity` can move it from here."""
        return list(ALLOWED[state_of(self.row.status)])

    @strawberry.field
    async def history(self, info: Info) -> list[ActivityStep] | None:
        """Steps of its history, oldest first; of the newest 500."""
        steps = await load(info.context, activity_history_get, self.row.id)
        return [_step(step) for step in steps or ()]

    @strawberry.field
    async def closing_suggestion(self, info: Info) -> ClosingSuggestion | None:
        """Suggestion to close or cancel it, because of a change of its event; null: none."""
        details = await load(info.context, activity_details_get, self.row.id)
        if details is None or details.suggestion is None:
            return None
        suggested = details.suggestion
        if await load(info.context, events_get, UUID(suggested["eventId"])) is None:
            # Of an event that a confined caller does not see.
            return None
        return ClosingSuggestion(
            action=suggested["action"],
            event_id=strawberry.ID(suggested["eventId"]),
            at=DateTime(date_time_parse(suggested["at"])),
        )

    @strawberry.field
    async def template(self, info: Info) -> TemplateType | None:
        """The template from which it was created, a deleted one too; null: none."""
        source = await load(info.context, activity_sources_get, self.row.id)
        if source is None or source.template_id is None:
            return None
        row = await load(info.context, activity_templates_get, source.template_id)
        return None if row is None else to_object(row)

    @strawberry.field
    async def event(self, info: Info) -> EventType | None:
        """The event that created it; null: none did."""
        source = await load(info.context, activity_sources_get, self.row.id)
        if source is None or source.event_id is None:
            return None
        row = await load(info.context, events_get, source.event_id)
        return None if row is None else to_object(row)


@strawberry.input
class CreateActivityInput:
    """A new activity.

    Attributes:
        category: What sort of work it is, 1 to 100 characters. Default: general.
        priority: How urgent it is, 1 to 100 characters. Default: medium.
        due_at: When it has to be done. Default: at no given time.
        checklist: List of at most 500 items: texts, or objects {text, done, ...}. Default: empty.
    """

    name: str
    external_id: str | None = None
    type: str | None = None
    status: str | None = None
    attributes: JSON | None = None
    location: GeoJSON | None = None
    category: str | None = None
    priority: str | None = None
    due_at: DateTime | None = None
    checklist: JSON | None = None


@strawberry.input
class UpdateActivityInput:
    """Changes of an activity. A field left out keeps its value; null clears it.

    `name`, `status`, `category`, `priority` and `checklist` cannot be cleared: null is BAD_USER_INPUT.

    Attributes:
        attributes: JSON object that is merged into the stored attributes (RFC 7396, JSON Merge Patch): null takes a
            member away, an object is merged, anything else replaces. At most 65,536 bytes and 32 levels together.
        status: Status as text, 1 to 100 characters. CONFLICT for a state to which the activity cannot be moved.
        category: What sort of work it is, 1 to 100 characters.
        priority: How urgent it is, 1 to 100 characters.
        due_at: When it has to be done.
        checklist: List of at most 500 items, texts or objects {text, done, ...}; replaced as a whole.
    """

    name: str | None = UNSET
    external_id: str | None = UNSET
    type: str | None = UNSET
    status: str | None = UNSET
    attributes: JSON | None = UNSET
    replace_attributes: JSON | None = UNSET
    if_updated_at: DateTime | None = None
    location: GeoJSON | None = UNSET
    category: str | None = UNSET
    priority: str | None = UNSET
    due_at: DateTime | None = UNSET
    checklist: JSON | None = UNSET


@strawberry.type
class ActivityPayload:
    """Result of a mutation of an activity.

    Attributes:
        activity: The activity after the change; null if it was refused.
    """

    activity: Activity | None
    errors: list[UserError]


@mutations
class ActivityMutation:
    """Mutations of activities."""

    @mutation(OPERATORS)
    async def create_activity(self, info: Info, input: CreateActivityInput) -> ActivityPayload:
        """Create an activity. CONFLICT where another one has its external id."""

        def prepare() -> Callable[..., EntityRow]:
            checklist: Any = input.checklist
            return partial(
                activity_create,
                draft=draft_of(input),
                category=input.category,
                priority=input.priority,
                due_at=input.due_at,
                checklist=checklist,
            )

        return await payload_of(info, activity_payload, prepare)

    @mutation(OPERATORS, scoped=True)
    async def update_activity(self, info: Info, id: strawberry.ID, input: UpdateActivityInput) -> ActivityPayload:
        """Update an activity. CONFLICT where another one has its external id.

        Args:
            id: Id of the activity.
        """

        def prepare() -> Callable[..., EntityRow]:
            return partial(
                activity_update,
                activity_id=uuid_named(id, "id"),
                patch=patch_of(input),
                category=required(input.category, "category"),
                priority=required(input.priority, "priority"),
                due_at=absent(input.due_at),
                checklist=required(input.checklist, "checklist"),
            )

        return await payload_of(info, activity_payload, prepare)

    @mutation(ADMINS, scoped=True)
    async def delete_activity(self, info: Info, id: strawberry.ID) -> ActivityPayload:
        """Delete an activity: its edges end now. What was recorded of it is kept.

        Args:
            id: Id of the activity.
        """
        return await payload_of(info, activity_payload, delete(id, EntityKind.ACTIVITY), under=())


def activity_payload(row: EntityRow | None, errors: list[UserError]) -> ActivityPayload:
    """Return the payload of a mutation of an activity."""
    activity: Any = None if row is None else to_entity(row)
    return ActivityPayload(activity=activity, errors=errors)


def _step(step: Step) -> ActivityStep:
    return ActivityStep(
        id=strawberry.ID(str(step.id)),
        kind=step.kind,
        at=DateTime(step.recorded_at),
        actor=step.actor,
        from_=step.from_status,
        to=step.to_status,
        person_id=None if step.person_id is None else strawberry.ID(str(step.person_id)),
        item_id=step.item_id,
        event_id=None if step.event_id is None else strawberry.ID(str(step.event_id)),
        note=step.note,
    )
