"""`argus retention`: drop what is no longer kept, or list it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Engine

from argus.cli.errors import errors_reported
from argus.cli.options import home_add, json_add, settings_of
from domain.telemetry.store.retention import (
    ROWS_TABLES,
    OldPartition,
    RetentionPolicy,
    history_close,
    partition_drop,
    partitions_outdated,
    rows_forget,
    rows_retained_from,
)
from runtime.clock import utc_now
from runtime.database import engine_create, transaction

_DESCRIPTION = """\
Drop the partitions of the raw log and of the history that are older than ARGUS_RETENTION_RAW and
ARGUS_RETENTION_POINTS say. Delete what is known of single readings that are no longer in the raw log, and what was done
about events longer ago than ARGUS_RETENTION_CHANGES, ARGUS_RETENTION_NOTIFICATIONS and ARGUS_RETENTION_HISTORY say. The
workers do the same every hour. A day of the raw log with a batch that no stage has finished stays until one has; what
is in use just now stays until the next time.
"""
_MIB = 1024 * 1024


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("retention", help="drop what is no longer kept", description=_DESCRIPTION)
    parser.add_argument("--dry-run", action="store_true", help="only say what would be deleted")
    home_add(parser)
    json_add(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    settings = settings_of(arguments)
    retention = RetentionPolicy(
        settings.retention_raw,
        settings.retention_points,
        settings.retention_changes,
        settings.retention_notifications,
        settings.retention_history,
    )
    now = utc_now()
    with errors_reported():
        engine = engine_create(settings.database_url("pipeline"), pool_size=1)
        with transaction(engine) as session:
            outdated = partitions_outdated(session, retention=retention, now=now)
        dropped = None if arguments.dry_run else {name for item in outdated for name in _drop(engine, item)}
        if not arguments.dry_run:
            with transaction(engine) as session:
                history_close(session, retention=retention, now=now)
        rows = {} if arguments.dry_run else _rows_forget(engine, retention, now)
    if arguments.json:
        partitions_json = [_as_json(item, dropped) for item in outdated]
        ages = {
            "retentionRaw": retention.raw,
            "retentionPoints": retention.points,
            "retentionChanges": retention.changes,
            "retentionNotifications": retention.notifications,
            "retentionHistory": retention.history,
        }
        days = {name: _days(age) for name, age in ages.items()}
        print(json.dumps({**days, "partitions": partitions_json, "rows": rows}))
    else:
        _print(outdated, dropped, rows)
    return 0


def _drop(engine: Engine, partition: OldPartition) -> Sequence[str]:
    with transaction(engine) as session:
        return partition_drop(session, partition)


def _rows_forget(engine: Engine, retention: RetentionPolicy, now: datetime) -> dict[str, int]:
    """Delete rows before retention from tables without partitions; return the number of rows of each."""
    counts = dict.fromkeys(ROWS_TABLES, 0)
    for table in ROWS_TABLES:
        with transaction(engine) as session:
            before = rows_retained_from(session, table=table, retention=retention, now=now)
        page: int | None = 0
        while page is not None and before is not None:
            with transaction(engine) as session:
                count, page = rows_forget(session, table=table, before=before, first_page=page)
            counts[table] += count
    return counts


def _days(age: timedelta | None) -> str | None:
    return None if age is None else f"P{age.days}D"


def _state(partition: OldPartition, dropped: set[str] | None) -> str:
    if dropped is not None and partition.name in dropped:
        return "dropped"
    if partition.is_unfinished:
        return "unfinished"
    return "outdated" if dropped is None else "in use"


def _as_json(partition: OldPartition, dropped: set[str] | None) -> dict[str, object]:
    return {
        "name": partition.name,
        "begins": partition.begins.isoformat(),
        "ends": partition.ends.isoformat(),
        "rows": partition.rows,
        "bytes": partition.bytes,
        "state": _state(partition, dropped),
    }


def _print(outdated: Sequence[OldPartition], dropped: set[str] | None, rows: dict[str, int]) -> None:
    for item in outdated:
        print(f"{item.name}\tabout {item.rows} rows\t{item.bytes / _MIB:.1f} MiB\t{_state(item, dropped)}")
    if not outdated:
        print("No partition is older than what is kept.")
    for table, count in rows.items():
        print(f"{table}\t{count} rows deleted")
