"""The context of worker processes: plain values, passed to child processes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerContext:
    """Settings of a pool of workers.

    database_url: as argus_pipeline. partitions: of the streams. workers: how many processes run jobs; there are
    two more: one enqueues, one calls webhooks. future_tolerance: how far after its receipt a reading's timestamp may
    lie.
    replay_readings_per_s: how many readings a second a replay takes at most; 0: as many as live readings leave it.
    retention_raw, retention_points: for how long what was received, and points, are kept; None: for ever.
    retention_changes, retention_notifications, retention_history: the same of what was done about events.
    webhook_allow: networks, addresses and names of hosts that webhooks may lead to although they are the host's own.
    webhook_calls: how many calls of webhooks are under way at once; 0: this pool makes none.
    check_entities: how many entities of an organization the self-check recomputes in a minute; 0: none.
    act_late: an event that opened and cleared longer ago makes no activity; None: every one does.
    """

    database_url: str
    redis_url: str
    partitions: int
    workers: int
    future_tolerance: timedelta
    replay_readings_per_s: int
    retention_raw: timedelta | None
    retention_points: timedelta | None
    retention_changes: timedelta | None
    retention_notifications: timedelta | None
    retention_history: timedelta | None
    webhook_allow: tuple[str, ...]
    webhook_calls: int
    act_late: timedelta | None
    check_entities: int
