"""Failed items of queues: list and retry them."""

from __future__ import annotations

import strawberry

from domain.base.failed_items.model import FailedItem as FailedItemRow
from domain.base.failed_items.model import FailedItemState, FailedQueue
from domain.base.failed_items.operations import failed_items_retry
from domain.base.failed_items.queries import failed_items_page
from gql.access.principal import OPERATORS
from gql.base.connections import Connection, page_read, paged
from gql.base.context import Info
from gql.base.descriptions import enum_described
from gql.base.ids import uuids_of
from gql.base.roots import mutation, mutations, queries, query
from gql.base.scalars import DateTime
from gql.errors import UserError, user_error
from graph.errors import ArgusError
from graph.paging import PageRequest

FailedItemStateEnum = enum_described(
    FailedItemState,
    "What has become of an item that failed.",
    RETRYING="It is tried again by itself, after a pause.",
    SET_ASIDE="It failed too often and is tried again only when somebody asks for it.",
    RESOLVED="A later try succeeded.",
)
FailedQueueEnum = enum_described(
    FailedQueue,
    "A work queue, by what waits in it.",
    EVENT_CHANGES="Changes of events, from which activities and notifications are made.",
    SUPPRESSION="Events whose suppression has to be determined again.",
    DERIVATION="Entities whose metrics have to be derived, and rules evaluated.",
    TIMERS="Timers of rules, such as those of silence.",
    ROLLUPS="Buckets of rollups that have to be computed.",
    HEALTH="Buckets of health that have to be computed.",
    HOURLY_AGGREGATES="Hourly aggregates of series that have to be computed.",
    BATCHES="Batches of readings that have to be processed.",
    RETENTION="Data past its retention, which has to be dropped.",
)


@strawberry.type
class FailedItem:
    """An item of a work queue that failed, with the reason. The other items of the queue go on meanwhile.

    Attributes:
        queue: The queue that the item waits in.
        item: Key of the item in its queue, such as the id of an entity.
        holds: Key of what waits until it is done: for a change of an event rule id/entity id, else the item itself.
        reason: Why it failed, in words.
        tries: Number of tries that failed since a retry was last asked for. At the fifth it is set aside.
        state: Whether it is retried, set aside or resolved.
        first_failed_at: When it failed first.
        last_failed_at: When it failed last.
        due_at: When it is tried again; null: not by itself.
        resolved_at: When it was done after all; null: it is not.
    """

    id: strawberry.ID
    queue: FailedQueueEnum  # type: ignore[valid-type]
    item: str
    holds: str
    reason: str
    tries: int
    state: FailedItemStateEnum  # type: ignore[valid-type]
    first_failed_at: DateTime
    last_failed_at: DateTime
    due_at: DateTime | None
    resolved_at: DateTime | None


FailedItemConnection = Connection[FailedItem]


@strawberry.type
class RetryFailedItemsPayload:
    """Result of retrying failed items.

    Attributes:
        count: Number of items that are tried again now.
    """

    count: int
    errors: list[UserError]


@queries
class FailedItemQuery:
    """Failed items."""

    @query(OPERATORS)
    @paged()
    async def failed_items(
        self,
        info: Info,
        *,
        page: PageRequest,
        queues: list[FailedQueueEnum] | None = None,  # type: ignore[valid-type]
        states: list[FailedItemStateEnum] | None = None,  # type: ignore[valid-type]
    ) -> FailedItemConnection | None:
        """Items that failed in the organization's work queues, those that failed last first.

        Args:
            queues: Only items of these queues. Default: of all.
            states: Only items in one of these states. Default: those not resolved. Resolved ones are kept for 30 days.
        """
        rows = await page_read(info, failed_items_page, page, queues=queues, states=states)
        return FailedItemConnection(rows=rows, show=to_failed_item)


@mutations
class FailedItemMutation:
    """Mutations of failed items."""

    @mutation(OPERATORS)
    async def retry_failed_items(
        self,
        info: Info,
        ids: list[strawberry.ID] | None = None,
        queues: list[FailedQueueEnum] | None = None,  # type: ignore[valid-type]
    ) -> RetryFailedItemsPayload:
        """Try failed items again within seconds, those set aside too. At least one argument is needed.

        Args:
            ids: Only the items with these ids.
            queues: Only items of these queues.
        """
        try:
            count = await info.context.read(
                failed_items_retry, ids=None if ids is None else uuids_of(ids), queues=queues
            )
        except ArgusError as error:
            return RetryFailedItemsPayload(count=0, errors=[user_error(error)])
        return RetryFailedItemsPayload(count=count, errors=[])


def to_failed_item(row: FailedItemRow) -> FailedItem:
    """Convert a failed item to its GraphQL object."""
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
