"""Dead letters: list, retry and discard what could not be processed."""

from __future__ import annotations

import strawberry

from domain.telemetry.dead_letters.model import DeadLetter as DeadLetterRow
from domain.telemetry.dead_letters.model import DeadLetterFilter as DeadLetterConditions
from domain.telemetry.dead_letters.model import DeadLetterState
from domain.telemetry.dead_letters.operations import Done, dead_letters_discard, dead_letters_retry
from domain.telemetry.dead_letters.queries import dead_letter_groups, dead_letters_page
from gql.access.principal import OPERATORS, VIEWERS
from gql.base.connections import Connection, page_read, paged
from gql.base.context import Info
from gql.base.converters import converts
from gql.base.descriptions import enum_described
from gql.base.entities import Node, to_entity
from gql.base.ids import uuid_named, uuids_of
from gql.base.loaders import load
from gql.base.roots import mutation, mutations, queries, query
from gql.base.scalars import JSON, DateTime
from gql.errors import UserError, user_error
from gql.plant.devices import Device
from graph.entities.queries import entities_get
from graph.errors import ArgusError
from graph.paging import PageRequest

DeadLetterStateEnum = enum_described(
    DeadLetterState,
    "What has become of a dead letter.",
    OPEN="It failed, and nothing was done about it.",
    RESOLVED="A later attempt succeeded.",
    DISCARDED="Somebody discarded it; it is not tried again.",
)


@strawberry.type
class DeadLetter(Node):
    """A reading, or one metric of a reading, that a stage could not process, with the reason.

    Attributes:
        stage: Stage that could not process it, e.g. normalize.
        code: Why, as a documented code, e.g. OUT_OF_RANGE.
        message: Why, in one sentence for a person.
        payload: What could not be processed, as JSON.
        received_at: When the reading was received.
        attempts: How often it has failed.
        metric: Name of the metric that failed; null: the whole reading did.
        state: Whether it is open, resolved or discarded.
        failed_at: When it last failed.
        resolved_at: When a later attempt succeeded; null: none has.
        discarded_at: When it was discarded; null: it was not.
        discarded_by: Who discarded it; null: nobody.
    """

    row: strawberry.Private[DeadLetterRow]
    stage: str
    code: str
    message: str
    payload: JSON
    received_at: DateTime
    attempts: int
    metric: str | None
    state: DeadLetterStateEnum  # type: ignore[valid-type]
    failed_at: DateTime
    resolved_at: DateTime | None
    discarded_at: DateTime | None
    discarded_by: str | None

    @strawberry.field
    async def device(self, info: Info) -> Device | None:
        """The device that sent the reading."""
        row = await load(info.context, entities_get, self.row.device_id)
        row_ = None if row is None else to_entity(row)
        return row_ if isinstance(row_, Device) else None


DeadLetterConnection = Connection[DeadLetter]


@strawberry.type
class DeadLetterGroup:
    """Dead letters of one stage and code, counted.

    Attributes:
        stage: Stage that could not process them.
        code: Code that they have in common.
        count: Number of dead letters.
        devices: Number of devices that sent them.
        first_received_at: When the earliest of their readings was received.
        last_received_at: When the latest of their readings was received.
        message: Message of one of them, as an example.
    """

    stage: str
    code: str
    count: int
    devices: int
    first_received_at: DateTime
    last_received_at: DateTime
    message: str


@strawberry.input
class DeadLetterFilter:
    """Conditions on dead letters, all of which must hold. A condition left out does not matter.

    Attributes:
        ids: Only the dead letters with these ids.
        stages: Only dead letters of these stages.
        codes: Only dead letters with one of these codes.
        device_id: Only dead letters of this device.
        from_: Start of the range of receipt, inclusive. Default: no start.
        to: End of the range of receipt, exclusive. Default: no end.
        states: Only dead letters in one of these states. Default: OPEN.
    """

    ids: list[strawberry.ID] | None = None
    stages: list[str] | None = None
    codes: list[str] | None = None
    device_id: strawberry.ID | None = None
    from_: DateTime | None = strawberry.field(name="from", default=None)
    to: DateTime | None = None
    states: list[DeadLetterStateEnum] | None = None  # type: ignore[valid-type]


@strawberry.type
class DeadLettersPayload:
    """Result of retrying or discarding dead letters.

    Attributes:
        count: Number of dead letters that were retried or discarded.
        remaining: Number of those that meet the filter but were left, because a call takes at most 10,000.
    """

    count: int
    remaining: int
    errors: list[UserError]


@queries
class DeadLetterQuery:
    """Dead letters."""

    @query(VIEWERS, scoped=True)
    @paged()
    async def dead_letters(
        self, info: Info, *, page: PageRequest, filter: DeadLetterFilter | None = None
    ) -> DeadLetterConnection:
        """Dead letters, the last received first.

        Args:
            filter: Conditions that a dead letter must meet. Default: it is OPEN.
        """
        rows = await page_read(info, dead_letters_page, page, where=_conditions(filter))
        return DeadLetterConnection(rows=rows, show=to_dead_letter)

    @query(VIEWERS, scoped=True)
    async def dead_letter_groups(
        self, info: Info, filter: DeadLetterFilter | None = None
    ) -> list[DeadLetterGroup] | None:
        """Number of dead letters by stage and code, the most frequent first; at most 500 groups.

        Args:
            filter: Conditions that a dead letter must meet. Default: it is OPEN.
        """
        return [
            DeadLetterGroup(
                stage=item.stage,
                code=item.code,
                count=item.count,
                devices=item.devices,
                first_received_at=DateTime(item.first),
                last_received_at=DateTime(item.last),
                message=item.message,
            )
            for item in await info.context.read(dead_letter_groups, where=_conditions(filter))
        ]


@mutations
class DeadLetterMutation:
    """Mutations of dead letters."""

    @mutation(OPERATORS, scoped=True)
    async def retry_dead_letters(self, info: Info, filter: DeadLetterFilter) -> DeadLettersPayload:
        """Process the readings of open dead letters again, within seconds: the oldest first, at most 10,000 per call.

        One that fails again counts another attempt; one that does not is resolved. What was stored is kept.

        Args:
            filter: Which dead letters. At least one condition besides `states` is needed, and only open ones can be
                retried.
        """
        try:
            done = await info.context.read(dead_letters_retry, where=_conditions(filter))
        except ArgusError as error:
            return _payload(None, [user_error(error)])
        return _payload(done, [])

    @mutation(OPERATORS, scoped=True)
    async def discard_dead_letters(self, info: Info, filter: DeadLetterFilter) -> DeadLettersPayload:
        """Discard open dead letters: the oldest first, at most 10,000 per call.

        They are kept, with who discarded them and when.

        Args:
            filter: Which dead letters. At least one condition besides `states` is needed, and only open ones can be
                discarded.
        """
        context = info.context
        try:
            done = await context.read(
                dead_letters_discard,
                where=_conditions(filter),
                actor=context.principal.actor,
                now=context.services.clock(),
            )
        except ArgusError as error:
            return _payload(None, [user_error(error)])
        return _payload(done, [])


@converts(DeadLetterRow)
def to_dead_letter(row: DeadLetterRow) -> DeadLetter:
    """Convert a dead letter to its GraphQL object."""
    return DeadLetter(
        id=strawberry.ID(str(row.id)),
        row=row,
        stage=row.stage,
        code=row.code,
        message=row.message,
        payload=JSON(row.payload),
        received_at=DateTime(row.received_at),
        attempts=row.attempts,
        metric=row.metric,
        state=row.state,
        failed_at=DateTime(row.failed_at),
        resolved_at=None if row.resolved_at is None else DateTime(row.resolved_at),
        discarded_at=None if row.discarded_at is None else DateTime(row.discarded_at),
        discarded_by=row.discarded_by,
    )


def _payload(done: Done | None, errors: list[UserError]) -> DeadLettersPayload:
    return DeadLettersPayload(
        count=0 if done is None else done.count, remaining=0 if done is None else done.remaining, errors=errors
    )


def _conditions(filter_: DeadLetterFilter | None) -> DeadLetterConditions:
    conditions = filter_ or DeadLetterFilter()
    return DeadLetterConditions(
        ids=None if conditions.ids is None else uuids_of(conditions.ids),
        stages=conditions.stages,
        codes=conditions.codes,
        device_id=None if conditions.device_id is None else uuid_named(conditions.device_id, "filter", "deviceId"),
        begins=conditions.from_,
        ends=conditions.to,
        states=conditions.states,
    )
