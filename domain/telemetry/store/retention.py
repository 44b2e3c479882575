"""Retention: for how long measurements are kept, and how older ones are dropped. The role is argus_pipeline.

Two classes, for the whole installation. `raw`: the raw log and its batches by day of receipt, and with them what is
known of single readings, the keys that identify repeats, and the dead letters, and the commits of derived points by
which a feed is resumed. `points`: the history, by month of the points' own time, and behind it all but a state a month
of each rule and entity. `changes`, `notifications`, `history`: what is left of what was done about events. Series,
latest values, the hours of series, events and the graph's changes are kept for ever.

What is older than what is kept is treated alike everywhere: see `domain/telemetry/store/retention_bound.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

# What belongs to each class, in the order in which it goes.
RAW_TABLES: Final = ("telemetry_raw", "raw_batches")
POINTS_TABLES: Final = ("telemetry_history",)
# Rows of these go with the raw log, though they are in no partitions.
RAW_ROWS: Final = ("reading_keys", "dead_letters", "derived_commits")
ROWS_TABLES: Final = (
    *RAW_ROWS,
    "event_changes",
    "notifications",
    "event_corrections",
    "activity_steps",
    "rule_states",
    "event_updates",
)
# So many pages of 8 KiB does one transaction look through: about 100,000 rows.
PAGES: Final = 1_000
RETENTION_MIN: Final = timedelta(days=1)
EVENT_UPDATES: Final = timedelta(days=8)

_OUTDATED = text(
    """
    SELECT p.name, p.begins, p.ends, greatest(c.reltuples, 0)::bigint AS rows,
        pg_total_relation_size(c.oid) AS bytes,
        EXISTS (
            SELECT FROM raw_batches b
            WHERE :parent <> 'telemetry_history' AND b.normalized_at IS NULL
                AND b.received_at >= p.begins AND b.received_at < p.ends
        ) OR (:parent = 'telemetry_history' AND NOT hourly_aggregates_built(p.begins, p.ends)) AS is_unfinished
    FROM partitions_ended(:parent, :before) p JOIN pg_class c ON c.oid = to_regclass('public.' || quote_ident(p.name))
    ORDER BY p.ends
    """
)
_DROP = text("SELECT drop_partitions(:parent, :before)")
_CLOSE = text("SELECT history_close(:before) IS NOT NULL")
_EVER: Final = datetime(1, 1, 2, tzinfo=UTC)
_FIRST = text("SELECT min(begins) FROM partitions_ended(:parent, 'infinity')")
_FORGET = text("SELECT delete_expired_rows(:relation, :before, :first_page, :pages)")
_PAGES = text("SELECT pg_relation_size(to_regclass(:relation)) / current_setting('block_size')::bigint")


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """For how long each class is kept, at least a day; None: for ever."""

    raw: timedelta | None
    points: timedelta | None
    changes: timedelta | None = None
    notifications: timedelta | None = None
    history: timedelta | None = None


@dataclass(frozen=True, slots=True)
class OldPartition:
    """A partition that is no longer kept. rows: an estimate. bytes: with its indexes.

    is_unfinished: it holds a batch that no stage has finished, or points of hours that have not been summarized, and so
    stays until that is done.
    """

    table: str
    name: str
    begins: datetime
    ends: datetime
    rows: int
    bytes: int
    is_unfinished: bool


def partitions_outdated(session: Session, *, retention: RetentionPolicy, now: datetime) -> list[OldPartition]:
    """Return the partitions that ended before what is kept, the oldest of each table first.

    Raises ValueError where less than a day were kept.
    """
    outdated: list[OldPartition] = []
    for tables, age in ((RAW_TABLES, retention.raw), (POINTS_TABLES, retention.points)):
        if age is None:
            continue
        if age < RETENTION_MIN:
            msg = f"At least {RETENTION_MIN} are kept, not {age}."
            raise ValueError(msg)
        for table in tables:
            rows = session.execute(_OUTDATED, {"parent": table, "before": now - age})
            outdated += [OldPartition(table, *row) for row in rows]
    return outdated


def partition_drop(session: Session, partition: OldPartition) -> Sequence[str]:
    """Drop a partition, and those of its table that are older; return the names of those that went.

    What is unfinished or in use just now stays. The locks last until the transaction ends: end it at once.
    """
    values = {"parent": partition.table, "before": partition.ends}
    return list(session.execute(_DROP, values).scalars())


def history_close(session: Session, *, retention: RetentionPolicy, now: datetime) -> bool:
    """Close months that are no longer retained to writes, and open those that are; return whether it was done.

    After partitions were dropped: a month that is still there stays open. Where somebody writes points just now it is
    not done, and to be tried again. The lock lasts until the transaction ends: end it at once.
    """
    before = _EVER if retention.points is None else now - retention.points
    return bool(session.execute(_CLOSE, {"before": before}).scalar_one())


def rows_retained_from(session: Session, *, table: str, retention: RetentionPolicy, now: datetime) -> datetime | None:
    """Return from when on rows of one of ROWS_TABLES are kept; None: all are.

    Beside the raw log, by time of receipt: never later than the oldest day that it has, whose readings they belong to.
    States of rules, by their own time: never later than the oldest month of points, which are evaluated from them.
    """
    ages = {
        "event_changes": retention.changes,
        "notifications": retention.notifications,
        "event_corrections": retention.history,
        "activity_steps": retention.history,
        # As long as a cursor is good that continues among them (domain/rules/events/updates.py), and a day.
        "event_updates": EVENT_UPDATES,
    }
    if table in ages:
        age = ages[table]
        return None if age is None else now - age
    age, parent = (
        (retention.points, "telemetry_history") if table == "rule_states" else (retention.raw, "telemetry_raw")
    )
    if age is None:
        return None
    first = session.execute(_FIRST, {"parent": parent}).scalar_one()
    return now - age if first is None else min(first, now - age)


def rows_forget(session: Session, *, table: str, before: datetime, first_page: int) -> tuple[int, int | None]:
    """Delete rows of one of ROWS_TABLES that are from before an instant, in PAGES pages from `first_page` on.

    Return how many went, and the page to go on with; None: that was the last.
    """
    pages = session.execute(_PAGES, {"relation": table}).scalar_one()
    deleted = session.execute(
        _FORGET, {"relation": table, "before": before, "first_page": first_page, "pages": PAGES}
    ).scalar_one()
    following = first_page + PAGES
    return deleted, following if following < pages else None
