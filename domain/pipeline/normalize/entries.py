"""Entries of the live feed: what a batch's readings have become in history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable, bigint_array, instant_array
from domain.telemetry.feed.entries import NormEntry
from domain.telemetry.model.columns import Normalized, Readings, readings_decode
from domain.telemetry.model.readings import RawBatch
from domain.telemetry.store.points import points_stored
from graph.change import graph_hold

_DONE = text(
    """
    SELECT u.n - 1 AS n, b.feed_position FROM unnest(:ids, :received) WITH ORDINALITY AS u (i, r, n)
    JOIN raw_batches b ON b.organization_id = :organization_id AND b.id = u.i AND b.received_at = u.r
    WHERE b.feed_position IS NOT NULL
    """
)


@dataclass(frozen=True, slots=True)
class StoredPoints:
    """Readings of batches with their points. is_stored: which of the points are in history."""

    readings: Readings
    normalized: Normalized
    is_stored: NDArray[np.bool_]


def batch_keys(organization_id: int, batches: Sequence[RawBatch]) -> dict[str, object]:
    """Return the parameters of a statement that name these batches."""
    return {
        "organization_id": organization_id,
        "ids": bigint_array([batch.id for batch in batches]),
        "received": instant_array([batch.received_us for batch in batches]),
    }


def feed_entries_rebuild(session: Session, *, organization_id: int, batches: Sequence[RawBatch]) -> list[NormEntry]:
    """Rebuild the feed entries of batches normalized before, with their points as now stored."""
    arrays_enable(session)
    revision = graph_hold(session, organization_id=organization_id)
    positions = {row.n: row.feed_position for row in session.execute(_DONE, batch_keys(organization_id, batches))}
    normalized = [batch for n, batch in enumerate(batches) if n in positions]
    if not normalized:
        return []
    readings = readings_decode(normalized)
    stored = points_stored(session, organization_id=organization_id, readings=readings)
    written = StoredPoints(readings, stored, np.ones(len(stored.readings), dtype=np.bool_))
    entries = [
        feed_entry_of(organization_id, written, batch, n, position=position, revision=revision)
        for n, (batch, position) in enumerate(zip(normalized, positions.values(), strict=True))
    ]
    return sorted(entries, key=lambda entry: entry.position)


def feed_entry_of(
    organization_id: int,
    stored: StoredPoints,
    batch: RawBatch,
    n: int,
    *,
    position: int,
    revision: int,
) -> NormEntry:
    """Return the entry of the batch at place n: those of its points that are in history."""
    readings, normalized = stored.readings, stored.normalized
    begins, ends = np.searchsorted(readings.batches, [n, n + 1])
    low, high = np.searchsorted(normalized.readings, [begins, ends])
    places = low + np.flatnonzero(stored.is_stored[low:high])
    names, metrics = np.unique(normalized.metrics[places], return_inverse=True)
    texts = {}
    if normalized.texts:
        texts = {new: normalized.texts[old] for new, old in enumerate(places.tolist()) if old in normalized.texts}
    return NormEntry(
        organization_id=organization_id,
        batch_id=batch.id,
        partition=batch.partition,
        position=position,
        revision=revision,
        received_us=batch.received_us,
        devices=batch.devices,
        ports=batch.ports,
        timestamps=batch.timestamps,
        names=[normalized.names[m] for m in names.tolist()],
        readings=(normalized.readings[places] - begins).astype(np.int32),
        metrics=metrics.astype(np.int32),
        types=normalized.types[places],
        values=normalized.values[places],
        texts=texts,
    )
