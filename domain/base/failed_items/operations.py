"""Record failed items, resolve them, and schedule retries."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid5

from sqlalchemy import ARRAY, Text, Uuid, bindparam, text
from sqlalchemy.orm import Session

from domain.base.failed_items.model import PAUSE_FACTOR, PAUSE_FIRST_S, TRIES_MAX, FailedItem, FailedQueue
from domain.base.failed_items.queries import failed_item_of
from domain.base.failed_items.reasons import reason_of
from graph.errors import BadInputError

# What was done after all is shown for so long.
RESOLVED_RETENTION: Final = timedelta(days=30)

_IDS: Final = UUID("5f1d6b0e-7f5c-5c0e-9a53-6b8f0d1a7c11")

_FAILED = text(
    """
    INSERT INTO failed_items AS f (organization_id, id, queue, item, holds, reason, tries, first_failed_at,
        last_failed_at, due_at)
    VALUES (:organization_id, :id, :queue, :item, :holds, :reason, 1, clock_timestamp(), clock_timestamp(),
        clock_timestamp() + make_interval(secs => :first))
    ON CONFLICT ON CONSTRAINT uq_failed_items_item DO UPDATE SET
        holds = excluded.holds, reason = excluded.reason, last_failed_at = excluded.last_failed_at, resolved_at = NULL,
        tries = CASE WHEN f.resolved_at IS NULL THEN f.tries + 1 ELSE 1 END,
        first_failed_at = CASE WHEN f.resolved_at IS NULL THEN f.first_failed_at ELSE excluded.first_failed_at END,
        due_at = CASE WHEN f.resolved_at IS NOT NULL THEN excluded.due_at
            WHEN :is_patient OR f.tries + 1 < :most THEN clock_timestamp()
                + make_interval(secs => :first * power(CAST(:factor AS float8), least(f.tries, :most - 2))) END
    RETURNING *
    """
)
_FORGET = text(
    "DELETE FROM failed_items WHERE organization_id IS NOT DISTINCT FROM :organization_id"
    " AND resolved_at < clock_timestamp() - :retention"
)
_RESOLVED = text(
    """
    UPDATE failed_items SET resolved_at = clock_timestamp(), due_at = NULL
    WHERE organization_id IS NOT DISTINCT FROM :organization_id AND queue = :queue AND item = ANY (:items)
        AND resolved_at IS NULL
    """
).bindparams(bindparam("items", type_=ARRAY(Text)))
_RETRY = text(
    """
    UPDATE failed_items SET tries = 0, due_at = clock_timestamp()
    WHERE organization_id = :organization_id AND resolved_at IS NULL
        AND (CAST(:ids AS uuid[]) IS NULL OR id = ANY (:ids))
        AND (CAST(:queues AS text[]) IS NULL OR queue = ANY (:queues))
    """
).bindparams(bindparam("ids", type_=ARRAY(Uuid)), bindparam("queues", type_=ARRAY(Text)))


def item_failed(
    session: Session,
    *,
    organization_id: int | None,
    queue: FailedQueue,
    item: str,
    holds: str,
    error: BaseException,
    is_patient: bool = False,
) -> FailedItem:
    """Record that an item failed, not for a transient reason; return the failed item.

    The role is argus_pipeline. It is left alone for a pause that grows with its tries, from TRIES_MAX on until somebody
    asks for a retry. organization_id None: of the installation. is_patient: it is never set aside, for the
    item is not at fault.
    """
    session.execute(_FORGET, {"organization_id": organization_id, "retention": RESOLVED_RETENTION})
    values = {
        "organization_id": organization_id,
        # Nothing is drawn here: the same item has the same id wherever it fails.
        "id": uuid5(_IDS, f"{organization_id}/{queue.value}/{item}"),
        "queue": queue.value,
        "item": item,
        "holds": holds,
        "reason": reason_of(error),
        "first": PAUSE_FIRST_S,
        "factor": PAUSE_FACTOR,
        "most": TRIES_MAX,
        "is_patient": is_patient,
    }
    return failed_item_of(session.execute(_FAILED, values).one())


def items_resolved(
    session: Session, *, organization_id: int | None, queue: FailedQueue, items: Collection[str]
) -> None:
    """Mark failed items as resolved. The role is argus_pipeline. One statement at most."""
    if items:
        values = {"organization_id": organization_id, "queue": queue.value, "items": list(items)}
        session.execute(_RESOLVED, values)


def failed_items_retry(
    session: Session,
    *,
    organization_id: int,
    ids: Collection[UUID] | None = None,
    queues: Collection[FailedQueue] | None = None,
) -> int:
    """Retry failed items at once, set aside or not, with all tries again; return how many.

    Raises BadInputError where neither ids nor queues are given.
    """
    if ids is None and queues is None:
        raise BadInputError("Give ids, queues, or both.", path=("ids",))
    values = {
        "organization_id": organization_id,
        "ids": None if ids is None else list(ids),
        "queues": None if queues is None else [queue.value for queue in queues],
    }
    return int(session.execute(_RETRY, values).rowcount)  # type: ignore[attr-defined]
