"""Monitoring of deliveries over all organizations, and counters of processes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from domain.base.measured import Measured
from domain.work.notifications.tables import work_counts

CALLS: Final = "calls"
JOBS_EXPIRED: Final = "jobs_expired"
HEARTBEAT: Final = "heartbeat"

_STATE = text("SELECT name, labels, value FROM deliveries_state() ORDER BY name, labels")


def deliveries_state(session: Session) -> list[Measured]:
    """Return the measurements: waiting deliveries and their age, calls by outcome, expired jobs."""
    return [Measured(row.name, row.labels, float(row.value)) for row in session.execute(_STATE)]


def work_count(session: Session, *, counts: Mapping[tuple[str, str], int], now: datetime) -> None:
    """Add to a counter, by name and label. As argus_pipeline."""
    # In one order: two processes that count the same would else wait for each other.
    for (name, label), value in sorted(counts.items()):
        adding = upsert(work_counts).values(name=name, label=label, value=value, counted_at=now)
        session.execute(
            adding.on_conflict_do_update(
                constraint="pk_work_counts",
                set_={"value": work_counts.c.value + adding.excluded.value, "counted_at": now},
            )
        )
