"""Dirty windows: the spans over which an entity's derived points are invalid. Triggers add those of edits."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable, bigint_array, instant_array, uuid_array
from domain.base.failed_items.model import FailedQueue
from domain.base.failed_items.queries import isolation_sql
from domain.base.packed import micros_of

READINGS: Final = "readings"
REPLAY: Final = "replay"
# An edge over which one thing lies below another changed, at either of its ends.
HIERARCHY: Final = "hierarchy"
# What an entity lies below changed.
MEMBERSHIP: Final = "membership"
# A rollup has written points of the entity.
ROLLUP: Final = "rollup"
# Its health has been computed.
HEALTH: Final = "health"
# The profile of an asset changed, or its content.
PROFILE: Final = "profile"
# A rule was edited, or is to be evaluated although no reading comes.
RULE: Final = "rule"
TIMER: Final = "timer"
# The points of a window of readings come by the bus; where they have not after so long, they are read back.
OVERDUE: Final = timedelta(seconds=2)

_NOTE = text(
    """
    INSERT INTO dirty_windows (organization_id, entity_id, begins, ends, reason, batch_id)
    SELECT :organization_id, u.e, u.b, u.t, :reason, :batch_id FROM unnest(:entities, :begins, :ends) AS u (e, b, t)
    """
)
_OF = text(
    """
    SELECT id, entity_id, begins, ends, batch_id, reason FROM dirty_windows
    WHERE organization_id = :organization_id AND entity_id = ANY(:entities) ORDER BY id
    """
)
# Entities that failed are left out: they would be the oldest for ever.
_OVERDUE = text(
    f"""
    SELECT organization_id, entity_id FROM dirty_windows w
    WHERE slot % :partitions = :partition AND (batch_id IS NULL OR created_at < clock_timestamp() - :overdue)
        AND NOT {isolation_sql(FailedQueue.DERIVATION, organization="w.organization_id", holds="w.entity_id::text")}
    ORDER BY created_at LIMIT :limit
    """  # noqa: S608  (constants)
)
_DONE = text("DELETE FROM dirty_windows WHERE organization_id = :organization_id AND id = ANY(:ids)")
_SHRINK = text(
    """
    UPDATE dirty_windows w SET begins = u.b FROM unnest(:ids, :begins) AS u (i, b)
    WHERE w.organization_id = :organization_id AND w.id = u.i
    """
)


@dataclass(frozen=True, slots=True)
class Window:
    """A dirty window: [begins_us, ends_us) of event time. batch_id: with which batches its readings were stored.

    reason: why, one of those above.
    """

    id: int
    entity: bytes
    begins_us: int
    ends_us: int
    batch_id: int | None
    reason: str


def entity_slot(entity: bytes) -> int:
    """Return the slot of an entity (16 bytes): its partition is this modulo the number of partitions."""
    return entity[14] * 256 + entity[15]


def windows_add(
    session: Session,
    *,
    organization_id: int,
    spans: Mapping[bytes, tuple[int, int]],
    reason: str,
    batch_id: int | None = None,
) -> None:
    """Add a dirty window for each entity: from its first to its last timestamp, inclusive. One statement at most."""
    if not spans:
        return
    arrays_enable(session)
    session.execute(
        _NOTE,
        {
            "organization_id": organization_id,
            "entities": uuid_array(b"".join(spans)),
            "begins": instant_array([first for first, _ in spans.values()]),
            "ends": instant_array([last + 1 for _, last in spans.values()]),
            "reason": reason,
            "batch_id": batch_id,
        },
    )


def windows_of(session: Session, *, organization_id: int, entities: Collection[bytes]) -> dict[bytes, list[Window]]:
    """Return all dirty windows of these entities, by entity, oldest first. One statement."""
    arrays_enable(session)
    rows = session.execute(_OF, {"organization_id": organization_id, "entities": uuid_array(b"".join(entities))})
    windows: dict[bytes, list[Window]] = {}
    for row in rows:
        window = Window(
            row.id, row.entity_id.bytes, micros_of(row.begins), micros_of(row.ends), row.batch_id, row.reason
        )
        windows.setdefault(window.entity, []).append(window)
    return windows


def windows_overdue(
    session: Session, *, partition: int, partitions: int, limit: int, overdue: timedelta = OVERDUE
) -> dict[int, list[bytes]]:
    """Return entities of a partition, by organization, with windows to read back from the store, oldest first."""
    values = {"partition": partition, "partitions": partitions, "overdue": overdue, "limit": limit}
    windows: dict[int, dict[bytes, None]] = {}
    for row in session.execute(_OVERDUE, values):
        windows.setdefault(row.organization_id, {})[row.entity_id.bytes] = None
    return {organization_id: list(entities) for organization_id, entities in windows.items()}


def windows_done(session: Session, *, organization_id: int, ids: Collection[int], begun: Mapping[int, int]) -> None:
    """Delete windows that are derived. begun: by id, the instant (microseconds) from which others are still to do."""
    arrays_enable(session)
    if ids:
        session.execute(_DONE, {"organization_id": organization_id, "ids": bigint_array(list(ids))})
    if begun:
        values = {"ids": bigint_array(list(begun)), "begins": instant_array(list(begun.values()))}
        session.execute(_SHRINK, {"organization_id": organization_id, **values})


def windows_at_hand(windows: Sequence[Window], at_hand: Mapping[int, Collection[bytes]]) -> bool:
    """Return whether all points of an entity's windows are known to be at hand.

    at_hand: by batch id, the entities of which all points are. A window without a batch has none that were brought.
    """
    return all(window.batch_id is not None and window.entity in at_hand.get(window.batch_id, ()) for window in windows)
