"""Ingest accounting counted row by row from the raw log: the reference for what the counters say."""

from __future__ import annotations

from typing import Final

COUNTED_SQL: Final = """
    SELECT count(*) AS received,
        count(*) FILTER (WHERE b.normalized_at IS NOT NULL AND k.raw_id = r.id AND k.stored) AS stored,
        count(*) FILTER (WHERE b.normalized_at IS NOT NULL AND k.raw_id IS DISTINCT FROM r.id) AS duplicate,
        count(*) FILTER (WHERE b.normalized_at IS NOT NULL AND k.raw_id = r.id AND NOT k.stored) AS dead,
        count(*) FILTER (WHERE b.normalized_at IS NULL) AS pending
    FROM telemetry_raw r
    JOIN raw_batches b ON b.organization_id = r.organization_id AND b.id = r.batch_id AND b.received_at = r.received_at
    LEFT JOIN reading_keys k ON k.organization_id = r.organization_id AND k.device_id = r.device_id AND k.key = r.key
    WHERE r.organization_id = :o AND r.received_at >= :begins AND r.received_at < :ends
"""
