"""Read failed items, and exclude the rows that they hold back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC
from typing import Any, Final

from sqlalchemy import Row, and_, literal, or_, select, text
from sqlalchemy.orm import Session

from domain.base.failed_items.model import FailedItem, FailedItemState, FailedQueue
from domain.base.failed_items.tables import failed_items
from graph.instants import utc_of
from graph.keyset import Keyset
from graph.paging import Page, PageRequest
from graph.sql import any_of

_KEYSET: Final = Keyset(
    "failed items", {"last_failed_at": failed_items.c.last_failed_at, "id": failed_items.c.id}, is_descending=True
)
_OPEN = text(
    "SELECT organization_id, item, due_at IS NULL OR due_at > clock_timestamp() AS is_isolated FROM failed_items"
    " WHERE queue = :queue AND resolved_at IS NULL"
)
_STATES: Final = {
    FailedItemState.RETRYING: and_(failed_items.c.resolved_at.is_(None), failed_items.c.due_at.is_not(None)),
    FailedItemState.SET_ASIDE: and_(failed_items.c.resolved_at.is_(None), failed_items.c.due_at.is_(None)),
    FailedItemState.RESOLVED: failed_items.c.resolved_at.is_not(None),
}


def isolation_sql(queue: FailedQueue, *, organization: str, holds: str) -> str:
    """Return a condition in SQL: whether a failed item of the queue holds back a row. organization, holds: in SQL."""
    return (
        f"EXISTS (SELECT FROM failed_items f WHERE f.queue = '{queue.value}'"
        f" AND f.organization_id = {organization} AND f.holds = {holds} AND f.resolved_at IS NULL"
        " AND (f.due_at IS NULL OR f.due_at > clock_timestamp()))"
    )


def failed_items_open(session: Session, *, queue: FailedQueue) -> Mapping[tuple[int | None, str], bool]:
    """Return the unresolved items of a queue, by organization and item: whether each is paused now.

    As argus_pipeline: of all organizations. One statement.
    """
    rows = session.execute(_OPEN, {"queue": queue.value})
    return {(row.organization_id, row.item): row.is_isolated for row in rows}


def failed_items_page(
    session: Session,
    *,
    organization_id: int,
    page: PageRequest,
    queues: Collection[FailedQueue] | None = None,
    states: Collection[FailedItemState] | None = None,
) -> Page[FailedItem]:
    """Return one page, the latest failure first. One statement, and one more for the total if requested.

    queues None: of all. states None: what is not resolved.
    """
    table = failed_items.c
    wanted = (FailedItemState.RETRYING, FailedItemState.SET_ASIDE) if states is None else states
    here = [table.organization_id == organization_id, or_(literal(value=False), *(_STATES[item] for item in wanted))]
    if queues is not None:
        here.append(any_of(table.queue, [queue.value for queue in queues]))
    rows = _KEYSET.page(session, select(failed_items).where(*here), page)
    return rows.of([failed_item_of(row) for row in rows.items])


def failed_item_of(row: Row[Any]) -> FailedItem:
    """Return the failed item of a row."""
    return FailedItem(
        row.organization_id,
        row.id,
        FailedQueue(row.queue),
        row.item,
        row.holds,
        row.reason,
        row.tries,
        row.first_failed_at.astimezone(UTC),
        row.last_failed_at.astimezone(UTC),
        utc_of(row.due_at),
        utc_of(row.resolved_at),
    )
