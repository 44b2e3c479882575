"""Timers of rules: an entity is to be judged again though no reading comes. Due ones become dirty windows."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

_SLOT = "(get_byte(uuid_send(entity_id), 14) * 256 + get_byte(uuid_send(entity_id), 15)) % :partitions = :partition"
_DUE = text(f"SELECT DISTINCT organization_id FROM rule_timers WHERE due_at < :now AND {_SLOT}")  # noqa: S608
_RING = text(
    f"""
    WITH due AS (
        DELETE FROM rule_timers WHERE organization_id = :organization_id AND due_at < :now AND {_SLOT}
        RETURNING entity_id, due_at
    )
    INSERT INTO dirty_windows (organization_id, entity_id, begins, ends, reason)
    SELECT DISTINCT :organization_id, entity_id, due_at, due_at + interval '1 microsecond', 'timer' FROM due
    """  # noqa: S608  (a constant)
)


def timers_due(session: Session, *, now: datetime, partition: int, partitions: int) -> list[int]:
    """Return the organizations in which a timer of an entity of this partition is due. One statement."""
    values = {"now": now, "partition": partition, "partitions": partitions}
    return sorted(session.execute(_DUE, values).scalars())


def timers_ring(session: Session, *, organization_id: int, now: datetime, partition: int, partitions: int) -> None:
    """Let due timers leave dirty windows; whoever judges those sets the next ones. One statement."""
    values = {"organization_id": organization_id, "now": now, "partition": partition, "partitions": partitions}
    session.execute(_RING, values)
