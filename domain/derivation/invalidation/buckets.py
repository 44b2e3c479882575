"""The queue of dirty buckets, of rollups and of health: add what has to be recomputed, take it to recompute it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable, bigint_array, instant_array, text_array, uuid_array
from domain.base.failed_items.model import FailedQueue
from domain.base.failed_items.queries import isolation_sql
from domain.base.packed import micros_of


class Computation(StrEnum):
    """What is computed of a bucket.

    HEALTH_PROPAGATION: health too. The derive stage leaves rows of HEALTH, the job that computes health those of
    HEALTH_PROPAGATION while it holds others, so that neither ever waits for the other the wrong way round.
    """

    ROLLUP = "ROLLUP"
    HEALTH = "HEALTH"
    HEALTH_PROPAGATION = "HEALTH_PROPAGATION"


# By (entity, computation, its id, begin), the end; microseconds. The id: of a rollup, its own; of health, of the asset
# whose change left the row.
DirtyBuckets = dict[tuple[bytes, Computation, UUID, int], int]

_TOGETHER: Final = {
    Computation.ROLLUP: [Computation.ROLLUP],
    Computation.HEALTH: [Computation.HEALTH, Computation.HEALTH_PROPAGATION],
}
# The current generation, of which new rows are. Read in the statement that writes them.
GENERATION: Final = "(SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM dirty_buckets_generation)"
# Not transactional: whoever adds a bucket from here on, in a transaction of any age, adds it to this generation.
_NEXT_GENERATION = text("SELECT nextval('dirty_buckets_generation')")
# Keys that fail and are isolated together: a rollup at an entity; all of an asset's health.
_KEY: Final = "CASE d.computation WHEN 'ROLLUP' THEN 'rollup:' || d.computation_id || '/' ELSE '' END || d.entity_id"
_IS_FREE: Final = " AND ".join(
    f"NOT {isolation_sql(queue, organization='d.organization_id', holds=_KEY)}"
    for queue in (FailedQueue.ROLLUPS, FailedQueue.HEALTH)
)
# To the current generation: a row that is just being taken has an earlier one, so that the new one neither is lost nor
# waits. In the order of the keys, so that no two transactions wait for each other. Nothing is written where the bucket
# is as dirty already.
_ADD = text(
    f"""
    INSERT INTO dirty_buckets AS d (organization_id, entity_id, computation, computation_id, begins, ends, generation)
    SELECT :organization_id, u.e, u.c, u.i, u.b, u.t, {GENERATION}
    FROM unnest(:entities, :computations, :ids, :begins, :ends) AS u (e, c, i, b, t) ORDER BY u.e, u.c, u.i, u.b
    ON CONFLICT (organization_id, entity_id, computation, computation_id, begins, generation) DO UPDATE
        SET ends = excluded.ends WHERE d.ends < excluded.ends
    """  # noqa: S608  (constants)
)
# In the order of the keys, as in transactions that add them.
_TAKE = text(
    f"""
    SELECT entity_id, computation, computation_id, begins, ends, generation FROM dirty_buckets
    WHERE organization_id = :organization_id AND generation < :generation
        AND (entity_id, computation, computation_id, begins) IN (
            SELECT entity_id, computation, computation_id, begins FROM dirty_buckets d
            WHERE organization_id = :organization_id AND computation = ANY (:computations) AND generation < :generation
                AND (CAST(:only AS text) IS NULL OR {_KEY} = :only) AND {_IS_FREE}
            ORDER BY created_at LIMIT :limit
        )
    ORDER BY entity_id, computation, computation_id, begins, generation FOR UPDATE
    """  # noqa: S608  (constants)
)
_KEYS = text(
    f"""
    SELECT {_KEY} AS key FROM dirty_buckets d
    WHERE organization_id = :organization_id AND computation = ANY (:computations) AND {_IS_FREE}
    GROUP BY key ORDER BY min(created_at) LIMIT :limit
    """  # noqa: S608  (constants)
)
_TAKEN = text(
    """
    DELETE FROM dirty_buckets d
    USING unnest(:entities, :computations, :ids, :begins, :generations) AS u (e, c, i, b, g)
    WHERE d.organization_id = :organization_id AND d.entity_id = u.e AND d.computation = u.c
        AND d.computation_id = u.i AND d.begins = u.b AND d.generation = u.g
    """
)
_DUE = text("SELECT DISTINCT organization_id FROM dirty_buckets WHERE computation = ANY (:computations)")


@dataclass(frozen=True, slots=True)
class DirtyBucket:
    """A dirty bucket of an entity: [begins_us, ends_us), microseconds."""

    entity_id: UUID
    computation_id: UUID
    begins_us: int
    ends_us: int


@dataclass(frozen=True, slots=True)
class TakenBuckets:
    """Dirty buckets that were taken, each once. is_all: no other was dirty. generation: they are of earlier ones."""

    buckets: Sequence[DirtyBucket]
    is_all: bool
    generation: int


def buckets_add(
    dirty: DirtyBuckets,
    entity: bytes,
    buckets: Iterable[tuple[int, int]],
    *,
    computation_id: UUID,
    computation: Computation = Computation.ROLLUP,
) -> None:
    """Add buckets of an entity (16 bytes), as (begin, end), to the dirty ones. Writes nothing."""
    for begins, ends in buckets:
        key = (entity, computation, computation_id, begins)
        dirty[key] = max(ends, dirty.get(key, ends))


def buckets_invalidate(session: Session, *, organization_id: int, dirty: DirtyBuckets) -> None:
    """Write dirty buckets. One statement at most."""
    if not dirty:
        return
    arrays_enable(session)
    session.execute(
        _ADD,
        {
            "organization_id": organization_id,
            "entities": uuid_array(b"".join(entity for entity, _, _, _ in dirty)),
            "computations": text_array(computation.encode() for _, computation, _, _ in dirty),
            "ids": uuid_array(b"".join(computation_id.bytes for _, _, computation_id, _ in dirty)),
            "begins": instant_array([begins for _, _, _, begins in dirty]),
            "ends": instant_array(list(dirty.values())),
        },
    )


def buckets_take(
    session: Session, *, organization_id: int, computation: Computation, limit: int, only: str | None = None
) -> TakenBuckets:
    """Take the oldest dirty buckets, before anything is read. Buckets invalidated from here on stay.

    What failed and is isolated stays too. only: of one key, see `bucket_keys`.
    """
    arrays_enable(session)
    generation = int(session.scalar(_NEXT_GENERATION) or 0)
    values = {
        "organization_id": organization_id,
        "computations": _TOGETHER[computation],
        "limit": limit,
        "generation": generation,
        "only": only,
    }
    rows = session.execute(_TAKE, values).all()
    if rows:
        session.execute(
            _TAKEN,
            {
                "organization_id": organization_id,
                "entities": uuid_array(b"".join(row.entity_id.bytes for row in rows)),
                "computations": text_array(row.computation.encode() for row in rows),
                "ids": uuid_array(b"".join(row.computation_id.bytes for row in rows)),
                "begins": instant_array([micros_of(row.begins) for row in rows]),
                "generations": bigint_array([row.generation for row in rows]),
            },
        )
    buckets: dict[tuple[UUID, UUID, int], int] = {}
    for row in rows:
        key = (row.entity_id, row.computation_id, micros_of(row.begins))
        buckets[key] = max(buckets.get(key, 0), micros_of(row.ends))
    taken = [DirtyBucket(*key, ends) for key, ends in buckets.items()]
    return TakenBuckets(taken, len(rows) < limit, generation)


def bucket_keys(session: Session, *, organization_id: int, computation: Computation, limit: int) -> list[str]:
    """Return the keys of dirty buckets, the oldest first, to be computed one by one after a failure."""
    values = {"organization_id": organization_id, "computations": _TOGETHER[computation], "limit": limit}
    return list(session.scalars(_KEYS, values))


def organizations_dirty(session: Session, *, computation: Computation | None = None) -> list[int]:
    """Return the organizations in which buckets of a computation, or of any, are dirty."""
    computations = list(Computation) if computation is None else _TOGETHER[computation]
    return sorted(session.scalars(_DUE, {"computations": computations}))
