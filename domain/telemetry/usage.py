"""Usage: how much was sent, by whom and how, counted from the raw log by time of receipt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable, instant_array
from domain.base.packed import micros_of, millis_of
from domain.telemetry.model.buckets import bucket_edges, bucket_of, zone_of
from graph.errors import BadInputError, LimitExceededError
from graph.instants import instant_utc
from graph.paging import FIRST_MAX

# Readings one answer may be counted from, and numbers it may hold.
READINGS_MAX: Final = 5_000_000
CELLS_MAX: Final = 100_000

Counts = npt.NDArray[np.float64]


class UsageGroupBy(StrEnum):
    """Grouping of usage; NOTHING: all together."""

    NOTHING = "NOTHING"
    TRANSPORT = "TRANSPORT"
    TYPE = "TYPE"
    DEVICE = "DEVICE"


@dataclass(frozen=True, slots=True)
class UsageGroup:
    """The usage of one transport, type or device: a number per bucket.

    key: the transport, the name of the type (None: devices of no type) or the device's id. points: metrics sent,
    repeats and dead letters included. bytes: of the metrics as JSON. heard: buckets, of those begun, in which
    anything was received at all, as a share of them.
    """

    key: str | None
    readings: Counts
    points: Counts
    bytes: Counts
    heard: float


@dataclass(frozen=True, slots=True)
class Usage:
    """starts: of the buckets, milliseconds since the Unix epoch. truncated: there were more groups."""

    starts: Counts
    groups: Sequence[UsageGroup]
    truncated: bool


_KEYS: Final = {
    UsageGroupBy.NOTHING: "'all'",
    UsageGroupBy.TRANSPORT: "b.transport",
    UsageGroupBy.TYPE: "e.type",
    UsageGroupBy.DEVICE: "r.device_id::text",
}
# PostgreSQL reads no names of an object with a NUL anywhere in it, and the raw log has what was sent.
_READABLE: Final = (
    r"CASE WHEN strpos(r.metrics::text, '\u0000') > 0"
    r" THEN replace(r.metrics::text, '\u0000', '\u0001')::json ELSE r.metrics END"
)
_SIZE = text(
    "SELECT coalesce(sum(readings), 0) FROM raw_batches WHERE organization_id = :organization_id"
    " AND received_at >= :begins AND received_at < :ends"
)


def usage_read(
    session: Session,
    *,
    organization_id: int,
    from_: datetime,
    to: datetime,
    bucket: tuple[int, timedelta],
    timezone: str,
    group_by: UsageGroupBy,
    first: int,
    now: datetime,
) -> Usage:
    """Return what was received in [from_, to), whole buckets, by group: those that sent most readings first.

    bucket: (months, duration), see `buckets`. first: so many groups at most.
    Raises BadInputError for a range, bucket, time zone or first that cannot be, LimitExceededError for more buckets
    than `bucket_edges` allows, more than CELLS_MAX numbers or a range of more than READINGS_MAX readings.
    """
    begins, ends = instant_utc(from_, path="from"), instant_utc(to, path="to")
    if ends <= begins:
        raise BadInputError("to must be later than from.", path=("to",))
    if not 1 <= first <= FIRST_MAX:
        raise BadInputError(f"first must lie between 1 and {FIRST_MAX}; it was {first}.", path=("first",))
    edges = bucket_edges(begins, ends, bucket=bucket_of(bucket), zone=zone_of(timezone))
    size = len(edges) - 1
    if size * first > CELLS_MAX:
        message = f"{size} buckets of {first} groups are more than {CELLS_MAX} numbers; ask for fewer of either."
        raise LimitExceededError(message, path=("bucket",))
    values = {"organization_id": organization_id, "begins": begins, "ends": ends}
    if session.execute(_SIZE, values).scalar_one() > READINGS_MAX:
        raise LimitExceededError(f"More than {READINGS_MAX} readings were received then; ask for less.", path=("from",))
    arrays_enable(session)
    counted: dict[str | None, npt.NDArray[np.float64]] = {}
    for row in session.execute(text(_statement(group_by)), {**values, "edges": instant_array(edges)}):
        cells = counted.setdefault(row.key, np.zeros((3, size)))
        cells[:, row.place - 1] = row.readings, row.points, row.bytes
    ordered = sorted(counted.items(), key=lambda item: (-item[1][0].sum(), item[0] or ""))
    begun = max(int(np.searchsorted(edges[:-1], micros_of(now), side="left")), 1)
    return Usage(
        millis_of(edges[:-1]),
        [
            UsageGroup(key, cells[0], cells[1], cells[2], float((cells[0] > 0).sum()) / min(begun, size))
            for key, cells in ordered[:first]
        ],
        len(ordered) > first,
    )


def _statement(group_by: UsageGroupBy) -> str:
    joins = ""
    if group_by is UsageGroupBy.TRANSPORT:
        joins = (
            " JOIN raw_batches b ON b.organization_id = r.organization_id AND b.id = r.batch_id"
            " AND b.received_at = r.received_at"
        )
    elif group_by is UsageGroupBy.TYPE:
        joins = " JOIN entities e ON e.organization_id = r.organization_id AND e.id = r.device_id"
    return (
        f"SELECT {_KEYS[group_by]} AS key, width_bucket(r.received_at, :edges) AS place, count(*) AS readings,"  # noqa: S608
        f" sum((SELECT count(*) FROM json_object_keys({_READABLE}))) AS points,"
        " sum(octet_length(r.metrics::text)) AS bytes"
        f" FROM telemetry_raw r{joins} WHERE r.organization_id = :organization_id"
        " AND r.received_at >= :begins AND r.received_at < :ends GROUP BY 1, 2"
    )
