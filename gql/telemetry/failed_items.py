"""Failed items: what could not be done of a queue, and trying it again."""

from __future__ import annotations

import strawberry
from sqlalchemy.orm import Session

from domain.base.failed_items.model import FailedItem as FailedItemRow
from domain.base.failed_items.model import FailedItemState, FailedQueue
from domain.base.failed_items.operations import failed_items_retry
from domain.base.failed_items.queries import failed_items_page
from gql.base.connections import PageInfo, Rows, page_request, rows_of, wants_total
from gql.base.context import Info
from gql.base.ids import uuids_of
from gql.base.scalars import DateTime
from gql.errors import UserError, user_error
from graph.errors import ArgusError

FailedItemStateEnum = strawberry.enum(
    FailedItemState,
    name="FailedItemState",
    description="RETRYING: it is tried again by itself. SET_ASIDE: when somebody asks for it. RESOLVED: it was done.",
)
FailedQueueEnum = strawberry.enum(
    FailedQueue,
    name="FailedQueue",
    description="What waits where an item failed: changes of events to be followed, events whose suppression is to be"
    " looked at again, entities to be derived and judged, timers of rules, rollups, health, hourly aggregates of"
    " series, batches of readings, what is no longer kept.",
)


@strawberry.type
class FailedItem:
    """An item of a queue that failed, why, and when it is tried again. Others go on meanwhile."""

    id: strawberry.ID
    queue: FailedQueueEnum  # type: ignore[valid-type]
    item: str = strawberry.field(description="Its key in the queue, such as the id of an entity.")
    holds: str = strawberry.field(
        description="What waits behind it: of a change of an event, rule id/entity id; else the item itself."
    )
    reason: str
    tries: int = strawberry.field(description="Tries that failed, since somebody last asked for a retry.")
    state: FailedItemStateEnum  # type: ignore[valid-type]
    first_failed_at: DateTime
    last_failed_at: DateTime
    due_at: DateTime | None = strawberry.field(description="When it is tried again; null: not by itself.")
    resolved_at: DateTime | None


@strawberry.type
class FailedItemEdge:
    """A failed item in a list."""

    cursor: str
    node: FailedItem


@strawberry.type
class FailedItemConnection:
    """A page of failed items."""

    rows: strawberry.Private[Rows[FailedItemRow]]
    page_info: PageInfo

    @strawberry.field
    def nodes(self) -> list[FailedItem]:
        """The failed items."""
        return [failed_item_shown(row) for row in self.rows.items]

    @strawberry.field
    def edges(self) -> list[FailedItemEdge]:
        """The failed items, each with its cursor."""
        pairs = zip(self.rows.items, self.rows.cursors, strict=True)
        return [FailedItemEdge(cursor=cursor, node=failed_item_shown(row)) for row, cursor in pairs]

    @strawberry.field
    def total_count(self) -> int:
        """How many there are on all pages."""
        return self.rows.total or 0


@strawberry.type
class RetryFailedItemsPayload:
    """count: items that are tried again now."""

    count: int
    errors: list[UserError]


@strawberry.type
class FailedItemQuery:
    """Failed items."""

    @strawberry.field
    async def failed_items(
        self,
        info: Info,
        queues: list[FailedQueueEnum] | None = None,  # type: ignore[valid-type]
        states: list[FailedItemStateEnum] | None = None,  # type: ignore[valid-type]
        first: int = 50,
        after: str | None = None,
    ) -> FailedItemConnection:
        """What failed in queues of the organization and is not done yet, what failed last first.

        states: those that are not resolved, where nothing is said. What is resolved is kept for 30 days.
        """
        request, count = page_request(first, after), wants_total(info)

        def read(session: Session, *, organization_id: int) -> Rows[FailedItemRow]:
            page = failed_items_page(
                session, organization_id=organization_id, page=request, queues=queues, states=states
            )
            return rows_of(page, count=count)

        rows = await info.context.read(read)
        return FailedItemConnection(rows=rows, page_info=rows.page_info)


@strawberry.type
class FailedItemMutation:
    """Mutations of failed items."""

    @strawberry.mutation
    async def retry_failed_items(
        self,
        info: Info,
        ids: list[strawberry.ID] | None = None,
        queues: list[FailedQueueEnum] | None = None,  # type: ignore[valid-type]
    ) -> RetryFailedItemsPayload:
        """Have failed items tried again within seconds, set aside or not: these, or all of some queues."""
        try:
            count = await info.context.read(
                failed_items_retry, ids=None if ids is None else uuids_of(ids), queues=queues
            )
        except ArgusError as error:
            return RetryFailedItemsPayload(count=0, errors=[user_error(error)])
        return RetryFailedItemsPayload(count=count, errors=[])


def failed_item_shown(row: FailedItemRow) -> FailedItem:
    """Return a failed item as it is shown."""
    return FailedItem(
        id=strawberry.ID(str(row.id)),
        queue=row.queue,
        item=row.item,
        holds=row.holds,
        reason=row.reason,
        tries=row.tries,
        state=row.state,
        first_failed_at=DateTime(row.first_failed_at),
        last_failed_at=DateTime(row.last_failed_at),
        due_at=None if row.due_at is None else DateTime(row.due_at),
        resolved_at=None if row.resolved_at is None else DateTime(row.resolved_at),
    )
