"""What became of the readings received in a time: exact, because it is a partition of the raw log's rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.orm import Session

# A batch and its readings bear the same time of receipt. Whatever was normalized had a key; where it has none, that
# went with the older reading which this one repeats (domain/telemetry/retention.py).
_ACCOUNT = text(
    """
    SELECT count(*) AS received,
        count(*) FILTER (WHERE b.normalized_at IS NULL) AS pending,
        count(*) FILTER (WHERE b.normalized_at IS NOT NULL AND k.raw_id = r.id AND k.stored) AS stored,
        count(*) FILTER (WHERE b.normalized_at IS NOT NULL AND k.raw_id IS DISTINCT FROM r.id)
            AS duplicate
    FROM telemetry_raw r
    JOIN raw_batches b ON b.organization_id = r.organization_id AND b.id = r.batch_id
        AND b.received_at = r.received_at
    LEFT JOIN reading_keys k ON k.organization_id = r.organization_id AND k.device_id = r.device_id AND k.key = r.key
    WHERE r.organization_id = :organization_id AND r.received_at >= :from_ AND r.received_at < :to
        AND (cast(:device_id AS uuid) IS NULL OR r.device_id = :device_id)
    """
).bindparams(bindparam("device_id", type_=PG_UUID(as_uuid=True)))


@dataclass(frozen=True, slots=True)
class IngestAccount:
    """Counts of readings: received = stored + duplicate + dead + pending."""

    received: int
    stored: int
    duplicate: int
    dead: int
    pending: int


def ingest_account(
    session: Session, *, organization_id: int, from_: datetime, to: datetime, device_id: UUID | None = None
) -> IngestAccount:
    """Count the readings received in [from_, to), of one device or of all.

    stored: at least one of its metrics is a point or was, until a later reading said otherwise. duplicate: it
    repeats a reading with a smaller raw id. dead: it has no point at all. pending: not yet normalized.
    """
    row = session.execute(
        _ACCOUNT, {"organization_id": organization_id, "from_": from_, "to": to, "device_id": device_id}
    ).one()
    dead = row.received - row.pending - row.stored - row.duplicate
    return IngestAccount(row.received, row.stored, row.duplicate, dead, row.pending)
