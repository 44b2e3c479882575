"""Take dirty buckets, of rollups and of health, to be recomputed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable, bigint_array, instant_array, text_array, uuid_array
from domain.base.failed_items.model import FailedQueue
from domain.base.failed_items.queries import held_sql
from domain.base.packed import micros_of

# The turn that has begun, of which a mark or a note of a touch is. Read in the statement that writes it.
GENERATION: Final = "(SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM dirty_buckets_turn)"
# Not transactional: whoever marks a bucket from here on, in a transaction of any age, marks it for this turn.
_GENERATION = text("SELECT nextval('dirty_buckets_turn')")
# What fails and is left alone together: a rollup at an entity; all of an asset's health, which has marks by many names.
_KEY: Final = "CASE WHEN starts_with(d.what, 'health') THEN '' ELSE d.what || '/' END || d.entity_id"
_IS_FREE: Final = " AND ".join(
    f"NOT {held_sql(queue, organization='d.organization_id', holds=_KEY)}"
    for queue in (FailedQueue.ROLLUPS, FailedQueue.HEALTH)
)
# In the order of the keys, as those who mark them do: nobody waits for somebody who waits for him.
_TAKE = text(
    f"""
    SELECT entity_id, what, begins, ends, turn FROM dirty_buckets
    WHERE organization_id = :organization_id AND turn < :turn AND (entity_id, what, begins) IN (
        SELECT entity_id, what, begins FROM dirty_buckets d
        WHERE organization_id = :organization_id AND starts_with(what, :prefix) AND turn < :turn
            AND (CAST(:only AS text) IS NULL OR {_KEY} = :only) AND {_IS_FREE}
        ORDER BY created_at LIMIT :limit
    )
    ORDER BY entity_id, what, begins, turn FOR UPDATE
    """  # noqa: S608  (constants)
)
_KEYS = text(
    f"""
    SELECT {_KEY} AS key FROM dirty_buckets d
    WHERE organization_id = :organization_id AND starts_with(what, :prefix) AND {_IS_FREE}
    GROUP BY key ORDER BY min(created_at) LIMIT :limit
    """  # noqa: S608  (constants)
)
_TAKEN = text(
    """
    DELETE FROM dirty_buckets d USING unnest(:entities, :whats, :begins, :turns) AS u (e, w, b, t)
    WHERE d.organization_id = :organization_id AND d.entity_id = u.e AND d.what = u.w AND d.begins = u.b
        AND d.turn = u.t
    """
)
_DUE = text("SELECT DISTINCT organization_id FROM dirty_buckets WHERE starts_with(what, :prefix)")


@dataclass(frozen=True, slots=True)
class DirtyBucket:
    """Of an entity, what was marked over [begins_us, ends_us), microseconds."""

    entity_id: UUID
    what: str
    begins_us: int
    ends_us: int


@dataclass(frozen=True, slots=True)
class TakenBuckets:
    """Dirty buckets that were taken away, each once. is_all: no other was dirty. turn: they were left before it."""

    buckets: Sequence[DirtyBucket]
    is_all: bool
    generation: int


def buckets_take(
    session: Session, *, organization_id: int, prefix: str, limit: int, only: str | None = None
) -> TakenBuckets:
    """Take the oldest dirty buckets, before anything is read. Buckets invalidated from here on stay.

    What failed and is left alone stays too. only: of one key, see `bucket_keys`.
    """
    arrays_enable(session)
    generation = int(session.scalar(_GENERATION) or 0)
    values = {"organization_id": organization_id, "prefix": prefix, "limit": limit, "turn": generation, "only": only}
    rows = session.execute(_TAKE, values).all()
    if rows:
        session.execute(
            _TAKEN,
            {
                "organization_id": organization_id,
                "entities": uuid_array(b"".join(row.entity_id.bytes for row in rows)),
                "whats": text_array(row.what.encode() for row in rows),
                "begins": instant_array([micros_of(row.begins) for row in rows]),
                "turns": bigint_array([row.turn for row in rows]),
            },
        )
    buckets: dict[tuple[UUID, str, int], int] = {}
    for row in rows:
        key = (row.entity_id, row.what, micros_of(row.begins))
        buckets[key] = max(buckets.get(key, 0), micros_of(row.ends))
    return TakenBuckets([DirtyBucket(*key, ends) for key, ends in buckets.items()], len(rows) < limit, generation)


def bucket_keys(session: Session, *, organization_id: int, prefix: str, limit: int) -> list[str]:
    """Return the keys of dirty buckets, the oldest first, to be computed one by one after a failure."""
    values = {"organization_id": organization_id, "prefix": prefix, "limit": limit}
    return list(session.scalars(_KEYS, values))


def organizations_dirty(session: Session, *, prefix: str = "") -> list[int]:
    """Return the organizations in which buckets of a sort, or any, are dirty."""
    return sorted(session.scalars(_DUE, {"prefix": prefix}))
