"""Dead letters: what could not be processed, tried again or given up."""

from __future__ import annotations

import strawberry
from sqlalchemy.orm import Session

from domain.telemetry.dead_letters.model import DeadLetter as DeadLetterRow
from domain.telemetry.dead_letters.model import DeadLetterFilter as DeadLetterConditions
from domain.telemetry.dead_letters.model import DeadLetterState
from domain.telemetry.dead_letters.operations import Done, dead_letters_discard, dead_letters_retry
from domain.telemetry.dead_letters.queries import dead_letter_groups, dead_letters_page
from gql.base.connections import PageInfo, Rows, page_request, rows_of, wants_total
from gql.base.context import Info
from gql.base.entities import Node, entity_of
from gql.base.ids import uuid_named, uuids_of
from gql.base.loaders import load
from gql.base.scalars import JSON, DateTime
from gql.base.shown import shows
from gql.errors import UserError, user_error
from gql.plant.devices import Device
from graph.entities.queries import entities_get
from graph.errors import ArgusError

DeadLetterStateEnum = strawberry.enum(
    DeadLetterState,
    name="DeadLetterState",
    description="OPEN: as it failed. RESOLVED: a later attempt succeeded. DISCARDED: somebody gave it up.",
)


@strawberry.type
class DeadLetter(Node):
    """A reading, or one metric of a reading, that a stage could not process, with the reason."""

    row: strawberry.Private[DeadLetterRow]
    stage: str
    code: str
    message: str
    payload: JSON = strawberry.field(description="What could not be processed.")
    received_at: DateTime
    attempts: int
    metric: str | None = strawberry.field(description="Null: it is about the whole reading.")
    state: DeadLetterStateEnum  # type: ignore[valid-type]
    failed_at: DateTime
    resolved_at: DateTime | None
    discarded_at: DateTime | None
    discarded_by: str | None

    @strawberry.field
    async def device(self, info: Info) -> Device | None:
        """The device that sent it."""
        row = await load(info.context, entities_get, self.row.device_id)
        found = None if row is None else entity_of(row)
        return found if isinstance(found, Device) else None


@strawberry.type
class DeadLetterEdge:
    """A dead letter in a list."""

    cursor: str
    node: DeadLetter


@strawberry.type
class DeadLetterConnection:
    """A page of dead letters."""

    rows: strawberry.Private[Rows[DeadLetterRow]]
    page_info: PageInfo

    @strawberry.field
    def nodes(self) -> list[DeadLetter]:
        """The dead letters."""
        return [dead_letter_of(row) for row in self.rows.items]

    @strawberry.field
    def edges(self) -> list[DeadLetterEdge]:
        """The dead letters, each with its cursor."""
        pairs = zip(self.rows.items, self.rows.cursors, strict=True)
        return [DeadLetterEdge(cursor=cursor, node=dead_letter_of(row)) for row, cursor in pairs]

    @strawberry.field
    def total_count(self) -> int:
        """How many there are on all pages."""
        return self.rows.total or 0


@strawberry.type
class DeadLetterGroup:
    """What dead letters of one stage and code have in common; message: one of theirs."""

    stage: str
    code: str
    count: int
    devices: int
    first_received_at: DateTime
    last_received_at: DateTime
    message: str


@strawberry.input
class DeadLetterFilter:
    """Which dead letters; what is not given does not matter. from, to: of the time of receipt, half-open.

    states: open ones, where nothing is said.
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
    """count: dead letters treated. remaining: those of the filter that were not, for a call takes at most 10,000."""

    count: int
    remaining: int
    errors: list[UserError]


@strawberry.type
class DeadLetterQuery:
    """Dead letters."""

    @strawberry.field
    async def dead_letters(
        self, info: Info, filter: DeadLetterFilter | None = None, first: int = 50, after: str | None = None
    ) -> DeadLetterConnection:
        """What could not be processed, the last received first."""
        where, request, count = _conditions(filter), page_request(first, after), wants_total(info)

        def read(session: Session, *, organization_id: int) -> Rows[DeadLetterRow]:
            page = dead_letters_page(session, organization_id=organization_id, where=where, page=request)
            return rows_of(page, count=count)

        rows = await info.context.read(read)
        return DeadLetterConnection(rows=rows, page_info=rows.page_info)

    @strawberry.field
    async def dead_letter_groups(self, info: Info, filter: DeadLetterFilter | None = None) -> list[DeadLetterGroup]:
        """How many there are by stage and code, the most first, at most 500 groups."""
        return [
            DeadLetterGroup(
                stage=each.stage,
                code=each.code,
                count=each.count,
                devices=each.devices,
                first_received_at=DateTime(each.first),
                last_received_at=DateTime(each.last),
                message=each.message,
            )
            for each in await info.context.read(dead_letter_groups, where=_conditions(filter))
        ]


@strawberry.type
class DeadLetterMutation:
    """Mutations of dead letters."""

    @strawberry.mutation
    async def retry_dead_letters(self, info: Info, filter: DeadLetterFilter) -> DeadLettersPayload:
        """Have readings processed again, with the batches they came in, within seconds; what was stored stays.

        The oldest first, at most 10,000 at a call. One that fails again counts another attempt, one that does not is
        resolved.
        """
        try:
            done = await info.context.read(dead_letters_retry, where=_conditions(filter))
        except ArgusError as error:
            return _payload(None, [user_error(error)])
        return _payload(done, [])

    @strawberry.mutation
    async def discard_dead_letters(self, info: Info, filter: DeadLetterFilter) -> DeadLettersPayload:
        """Give dead letters up, the oldest first, at most 10,000 at a call. They stay, with who did it and when."""
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


@shows(DeadLetterRow)
def dead_letter_of(row: DeadLetterRow) -> DeadLetter:
    """Return a dead letter as it is shown."""
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


def _conditions(given: DeadLetterFilter | None) -> DeadLetterConditions:
    asked = given or DeadLetterFilter()
    return DeadLetterConditions(
        ids=None if asked.ids is None else uuids_of(asked.ids),
        stages=asked.stages,
        codes=asked.codes,
        device_id=None if asked.device_id is None else uuid_named(asked.device_id, "filter", "deviceId"),
        begins=asked.from_,
        ends=asked.to,
        states=asked.states,
    )
