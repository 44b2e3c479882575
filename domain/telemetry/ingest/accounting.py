"""Ingest accounting: what became of the readings received in a span, exactly, from counters.

Batches that are finished are counted by minute and by hour of receipt (`ingest_accounting`, kept by a trigger on
`raw_batches`); those in the minutes that a range cuts, and those that wait, are looked at one by one. Of a single
device there are no counters: its readings are counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable, instant_array, int_array
from domain.base.packed import EPOCH, micros_of

MINUTE_S: Final = 60
HOUR_S: Final = 3_600
# A range that has no end, as PostgreSQL's timestamps go.
_FOREVER: Final = datetime(9999, 12, 31, tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)

# One statement, so that a batch that is finished meanwhile is counted once.
_COUNTS = text(
    """
    SELECT coalesce(sum(n.stored), 0)::bigint AS stored, coalesce(sum(n.duplicate), 0)::bigint AS duplicate,
        coalesce(sum(n.dead), 0)::bigint AS dead, coalesce(sum(n.pending), 0)::bigint AS pending
    FROM (
        SELECT sum(t.stored) AS stored, sum(t.duplicate) AS duplicate, sum(t.dead) AS dead, 0 AS pending
        FROM unnest(:widths, :begins, :ends) AS u (w, b, e)
        JOIN ingest_accounting t ON t.organization_id = :organization_id AND t.width = u.w
            AND t.begins >= u.b AND t.begins < u.e
        UNION ALL
        SELECT sum(b.stored), sum(b.duplicate), sum(b.dead), 0
        FROM raw_batches b
        WHERE b.organization_id = :organization_id AND b.normalized_at IS NOT NULL
            AND (b.received_at >= :first_begins AND b.received_at < :first_ends
                OR b.received_at >= :last_begins AND b.received_at < :last_ends)
        UNION ALL
        SELECT 0, 0, 0, sum(b.readings)
        FROM raw_batches b
        WHERE b.organization_id = :organization_id AND b.normalized_at IS NULL
            AND b.received_at >= :from_ AND b.received_at < :to
    ) n
    """
)
# A batch and its readings bear the same time of receipt. Whatever was normalized had a key; where it has none, that
# went with the older reading which this one repeats (domain/telemetry/store/retention.py).
_OF_DEVICE = text(
    """
    SELECT count(*) FILTER (WHERE b.normalized_at IS NULL) AS pending,
        count(*) FILTER (WHERE b.normalized_at IS NOT NULL AND k.raw_id = r.id AND k.stored) AS stored,
        count(*) FILTER (WHERE b.normalized_at IS NOT NULL AND k.raw_id = r.id AND NOT k.stored) AS dead,
        count(*) FILTER (WHERE b.normalized_at IS NOT NULL AND k.raw_id IS DISTINCT FROM r.id) AS duplicate
    FROM telemetry_raw r
    JOIN raw_batches b ON b.organization_id = r.organization_id AND b.id = r.batch_id
        AND b.received_at = r.received_at
    LEFT JOIN reading_keys k ON k.organization_id = r.organization_id AND k.device_id = r.device_id AND k.key = r.key
    WHERE r.organization_id = :organization_id AND r.received_at >= :from_ AND r.received_at < :to
        AND r.device_id = :device_id
    """
).bindparams(bindparam("device_id", type_=PG_UUID(as_uuid=True)))


@dataclass(frozen=True, slots=True)
class IngestCounts:
    """Counts of readings: received = stored + duplicate + dead + pending."""

    received: int
    stored: int
    duplicate: int
    dead: int
    pending: int


@dataclass(frozen=True, slots=True)
class Pieces:
    """A range split into whole hours, whole minutes and the rest.

    hours, minutes: spans of whole ones; first, last: what is left before and after, shorter than a minute each.
    Half-open, empty where begin and end are the same.
    """

    hours: list[tuple[datetime, datetime]]
    minutes: list[tuple[datetime, datetime]]
    first: tuple[datetime, datetime]
    last: tuple[datetime, datetime]


def ingest_counts(
    session: Session,
    *,
    organization_id: int,
    from_: datetime,
    to: datetime | None = None,
    device_id: UUID | None = None,
) -> IngestCounts:
    """Count the readings received in [from_, to), of one device or of all. to: None for whatever came so far.

    stored: at least one of its metrics is a point or was, until a later reading said otherwise. duplicate: it
    repeats a reading with a smaller raw id. dead: it has no point at all. pending: not yet normalized.
    """
    until = max(from_, _FOREVER if to is None else to)
    values = {"organization_id": organization_id, "from_": from_, "to": until}
    if device_id is None:
        arrays_enable(session)
        row = session.execute(_COUNTS, {**values, **_parameters(pieces_of(from_, until))}).one()
    else:
        row = session.execute(_OF_DEVICE, {**values, "device_id": device_id}).one()
    received = row.stored + row.duplicate + row.dead + row.pending
    return IngestCounts(received, row.stored, row.duplicate, row.dead, row.pending)


def pieces_of(begins: datetime, ends: datetime) -> Pieces:
    """Cut a range into whole hours, the whole minutes beside them, and what is left."""
    first, last = _up(begins, MINUTE_S), _down(ends, MINUTE_S)
    if first >= last:
        return Pieces([], [], (begins, ends), (ends, ends))
    first_hour, last_hour = _up(first, HOUR_S), _down(last, HOUR_S)
    if first_hour >= last_hour:
        return Pieces([], [(first, last)], (begins, first), (last, ends))
    hours = [(first_hour, last_hour)]
    return Pieces(hours, [(first, first_hour), (last_hour, last)], (begins, first), (last, ends))


def _parameters(pieces: Pieces) -> dict[str, object]:
    spans = [(HOUR_S, *hour) for hour in pieces.hours] + [(MINUTE_S, *minute) for minute in pieces.minutes]
    return {
        "widths": int_array([width for width, _, _ in spans]),
        "begins": instant_array([micros_of(begins) for _, begins, _ in spans]),
        "ends": instant_array([micros_of(ends) for _, _, ends in spans]),
        "first_begins": pieces.first[0],
        "first_ends": pieces.first[1],
        "last_begins": pieces.last[0],
        "last_ends": pieces.last[1],
    }


def _down(at: datetime, width_s: int) -> datetime:
    return at - (at - EPOCH) % timedelta(seconds=width_s)


def _up(at: datetime, width_s: int) -> datetime:
    """Return the next bound, or the instant itself where none follows before the year 10000."""
    rest = (EPOCH - at) % timedelta(seconds=width_s)
    return at if at > _LAST - rest else at + rest
