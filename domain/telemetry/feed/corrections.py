"""Publish corrected device points to the live feed, as ranges to read again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable, instant_array, int_array, text_array, uuid_array
from domain.base.packed import micros_of
from domain.base.streams import DERIVE, DERIVED_PARTITION
from domain.telemetry.feed.entries import NormEntry

_ADVANCE = text(
    """
    INSERT INTO stage_leases AS l (stage, partition, holder, fence, position, expires_at)
    VALUES (:stage, :partition, '', 0, 1, '-infinity')
    ON CONFLICT (stage, partition) DO UPDATE SET position = l.position + 1
    RETURNING position
    """
)
_NOTE = text(
    """
    INSERT INTO derived_commits
        (organization_id, partition, position, committed_at, series_ids, begins, ends, corrects)
    SELECT :organization_id, :partition, :position, :now, coalesce(array_agg(s.id), '{}'),
        coalesce(array_agg(u.b), '{}'), coalesce(array_agg(u.e), '{}'), true
    FROM unnest(:devices, :ports, :metrics, :begins, :ends) AS u (d, p, m, b, e)
    JOIN series s ON s.organization_id = :organization_id AND s.entity_id = u.d AND s.metric = u.m
        AND s.port IS NOT DISTINCT FROM nullif(u.p, -1)
    """
)

# First and last time, microseconds, by device (16 bytes), port and metric.
Spans = Mapping[tuple[bytes, int, str], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Correction:
    """Points corrected in one commit, and its place in the feed."""

    organization_id: int
    partition: int
    position: int
    revision: int
    noted_at: datetime
    spans: Spans


def correction_note(
    session: Session, *, organization_id: int, partition: int, spans: Spans, revision: int, now: datetime
) -> Correction:
    """Take the next offset of the derived feed and store the correction at it. Two statements."""
    arrays_enable(session)
    position = int(session.execute(_ADVANCE, {"stage": DERIVE, "partition": partition}).scalar_one())
    session.execute(
        _NOTE,
        {
            "organization_id": organization_id,
            "partition": partition,
            "position": position,
            "now": now,
            "devices": uuid_array(b"".join(device for device, _, _ in spans)),
            "ports": int_array([port for _, port, _ in spans]),
            "metrics": text_array(metric.encode() for _, _, metric in spans),
            "begins": instant_array([first for first, _ in spans.values()]),
            "ends": instant_array([last + 1 for _, last in spans.values()]),
        },
    )
    return Correction(organization_id, partition, position, revision, now, spans)


def correction_entry(correction: Correction) -> NormEntry:
    """Return the feed's entry of a correction: no points, only where to read again."""
    return NormEntry(
        organization_id=correction.organization_id,
        batch_id=0,
        partition=DERIVED_PARTITION + correction.partition,
        position=correction.position,
        revision=correction.revision,
        received_us=micros_of(correction.noted_at),
        devices=b"",
        ports=np.empty(0, dtype=np.int32),
        timestamps=np.empty(0, dtype=np.int64),
        names=[],
        readings=np.empty(0, dtype=np.int32),
        metrics=np.empty(0, dtype=np.int32),
        types=np.empty(0, dtype=np.int8),
        values=np.empty(0),
        texts={},
        invalidated=[
            (device, metric, first, last + 1) for (device, _, metric), (first, last) in correction.spans.items()
        ],
    )
