"""Partial aggregates: a descendant's points aggregated up to an instant, so that only newer ones are read. See 0018.

A partial aggregate is as good as the points that it stands for. Whoever writes points of a descendant leaves a note
(`partials_invalidate`) beside the dirty bucket; whoever takes dirty buckets takes these notes first, and deletes the
partial aggregates that hold any of those points (`partials_delete_invalid`), before anything is read. So one that was
made without the points, be it at the same time, is gone before the bucket is recomputed. Where the members of a rollup
have changed, so has the revision, and with it every key. The table is called `rollup_partial_aggregates`.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable, bigint_array, double_array, instant_array, uuid_array
from domain.base.packed import Aggregate, MetricType, Points, Values, micros_of
from domain.derivation.invalidation.buckets import GENERATION
from domain.derivation.rollups.buckets import FIRST_US, LAST_US
from domain.derivation.rollups.model import RollupDraft
from domain.telemetry.model.attribution import Segment
from domain.telemetry.model.buckets import Counted

# The newest points stay out: they often arrive out of order, or with others of the same instant.
OPEN: Final = 16
# A partial aggregate is written when so many points are new to it.
LEAST: Final = 32
# Beyond this, sums might leave the range of doubles on the way.
_SUM_MAX: Final = 1e290
_PARTS: Final = 3
_SUMS: Final = frozenset({Aggregate.SUM, Aggregate.MEAN})

Span = tuple[int, int]

# What is dirty there has yet to be processed: a partial aggregate that covers it would be deleted again.
_READ = text(
    """
    SELECT u.n - 1 AS n, t.until, t.points, t.value, t.error, t.error_left,
        (SELECT min(w.begins) FROM dirty_windows w
            WHERE w.organization_id = :organization_id AND w.entity_id = u.e) AS pending
    FROM unnest(:entities, :keys) WITH ORDINALITY AS u (e, k, n)
    LEFT JOIN rollup_partial_aggregates t ON t.organization_id = :organization_id AND t.entity_id = u.e AND t.key = u.k
    """
)
_EXTEND = text(
    """
    UPDATE rollup_partial_aggregates t SET until = u.x, points = u.p, value = u.v, error = u.r, error_left = u.l,
        written_at = clock_timestamp()
    FROM unnest(:entities, :keys, :untils, :points, :values, :errors, :left) AS u (e, k, x, p, v, r, l)
    WHERE t.organization_id = :organization_id AND t.entity_id = u.e AND t.key = u.k
    """
)
_INSERT = text(
    """
    INSERT INTO rollup_partial_aggregates (
        organization_id, entity_id, key, begins, until, points, value, error, error_left)
    SELECT :organization_id, u.e, u.k, u.b, u.x, u.p, u.v, u.r, u.l
    FROM unnest(:entities, :keys, :begins, :untils, :points, :values, :errors, :left) AS u (e, k, b, x, p, v, r, l)
    ON CONFLICT DO NOTHING
    """
)
# Those of buckets that are over, and of other revisions.
_PRUNE = text(
    """
    DELETE FROM rollup_partial_aggregates
    WHERE organization_id = :organization_id AND written_at < clock_timestamp() - interval '2 hours'
    """
)
# Of the current generation, as dirty buckets are, and in one order: writers never wait for a computation.
_INVALIDATE = text(
    f"""
    INSERT INTO rollup_input_changes AS r (organization_id, entity_id, generation, begins, ends)
    SELECT :organization_id, u.e, {GENERATION}, u.b, u.x FROM unnest(:entities, :begins, :ends) AS u (e, b, x)
    ORDER BY u.e
    ON CONFLICT (organization_id, entity_id, generation) DO UPDATE
        SET begins = least(r.begins, excluded.begins), ends = greatest(r.ends, excluded.ends)
    """  # noqa: S608  (constants)
)
# Whose row is locked may wait for a bucket that is taken already, and so is not waited for: what it said before stays,
# and is processed once more.
_INVALIDATED = text(
    """
    WITH gone AS (
        DELETE FROM rollup_input_changes d USING (
            SELECT entity_id, generation FROM rollup_input_changes
            WHERE organization_id = :organization_id AND generation < :generation FOR UPDATE SKIP LOCKED
        ) f
        WHERE d.organization_id = :organization_id AND d.entity_id = f.entity_id AND d.generation = f.generation
        RETURNING d.entity_id, d.begins, d.ends
    )
    SELECT * FROM gone
    UNION
    SELECT entity_id, begins, ends FROM rollup_input_changes
    WHERE organization_id = :organization_id AND generation < :generation
    """
)
_FORGET = text(
    """
    DELETE FROM rollup_partial_aggregates t USING unnest(:entities, :begins, :ends) AS u (e, b, x)
    WHERE t.organization_id = :organization_id AND t.entity_id = u.e AND t.begins < u.x AND t.until > u.b
    """
)


@dataclass(frozen=True, slots=True)
class PartialAggregate:
    """The aggregate of all points before `until_us`. points: how many.

    parts: the exact sum, or one value; NaN for none.
    """

    until_us: int
    points: int
    parts: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class KnownPartial:
    """The stored partial aggregate of a key, or None; and since when changes at the entity are not yet counted."""

    partial: PartialAggregate | None
    pending_us: int | None


@dataclass(frozen=True, slots=True)
class NewPartial:
    """A partial aggregate to store. is_new: there was none of this key."""

    entity_id: UUID
    key: bytes
    begins_us: int
    partial: PartialAggregate
    is_new: bool


def partial_key(draft: RollupDraft, *, revision: int, bucket: Span, segments: Sequence[Segment]) -> bytes:
    """Return a 16-byte key of all that a partial aggregate depends on except the points."""
    read = [(segment.series.id, segment.begins_us, segment.ends_us) for segment in segments]
    parts = (revision, draft.combine.value, draft.bucket.text, draft.timezone, bucket, read)
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).digest()


def segments_after(segments: Sequence[Segment], until_us: int) -> list[Segment]:
    """Return the parts of segments from an instant on."""
    return [Segment(s.series, max(s.begins_us, until_us), s.ends_us) for s in segments if s.ends_us > until_us]


def partial_counted(partial: PartialAggregate, begins_us: int, tail: Counted | None) -> Counted:
    """Put the rows of a partial aggregate before those that are newer. begins_us: where the bucket begins."""
    parts, rows = np.array(partial.parts, dtype=np.float64), len(partial.parts)
    counts = np.zeros(rows)
    counts[0] = partial.points
    at = np.full(rows, begins_us, dtype=np.int64)
    if tail is None:
        return Counted(Points(at, parts, np.full(rows, MetricType.NUMBER, dtype=np.int8), None), counts)
    points = tail.points
    newer = np.ones(len(points.at)) if tail.counts is None else tail.counts
    types = np.r_[np.full(rows, MetricType.NUMBER, dtype=np.int8), points.types]
    joined = Points(np.r_[at, points.at], np.r_[parts, points.values], types, None)
    return Counted(joined, np.r_[counts, newer])


def partial_extended(
    counted: Counted, *, how: Aggregate, before: int, pending_us: int | None
) -> PartialAggregate | None:
    """Return the partial aggregate of all but the newest points; None where little is new, or it is not exact.

    before: how many of the rows belong to the one that was there. pending_us: what lies from there on stays out.
    """
    at = counted.points.at
    cut = len(at) - OPEN
    if pending_us is not None:
        cut = min(cut, int(np.searchsorted(at, pending_us, side="right")) - 1)
    if cut < before + LEAST:
        return None
    # Rows of one time stay together; between those of two times nothing is unread.
    cut = int(np.searchsorted(at, at[cut], side="left"))
    if cut < before + LEAST:
        return None
    values = counted.points.values[:cut]
    counts = np.ones(cut) if counted.counts is None else counted.counts[:cut]
    if how in _SUMS:
        is_number = ~np.isnan(values)
        values, counts = values[is_number], counts[is_number]
    parts = _parts(values, how)
    return None if parts is None else PartialAggregate(int(at[cut]), int(counts.sum()), parts)


def partials_read(session: Session, *, organization_id: int, keys: Sequence[tuple[UUID, bytes]]) -> list[KnownPartial]:
    """Return the stored partial aggregates of (entity, key), in their order. One statement."""
    if not keys:
        return []
    arrays_enable(session)
    rows = session.execute(
        _READ,
        {
            "organization_id": organization_id,
            "entities": uuid_array(b"".join(entity_id.bytes for entity_id, _ in keys)),
            "keys": uuid_array(b"".join(key for _, key in keys)),
        },
    )
    partials = [KnownPartial(None, None)] * len(keys)
    for row in rows:
        partial = None
        if row.until is not None:
            partial = PartialAggregate(
                micros_of(row.until), row.points, _parts_stored(row.value, row.error, row.error_left)
            )
        partials[row.n] = KnownPartial(partial, None if row.pending is None else micros_of(row.pending))
    return partials


def partials_write(session: Session, *, organization_id: int, partials: Collection[NewPartial]) -> None:
    """Store partial aggregates. Three statements at most."""
    for is_new in (False, True):
        chosen = [item for item in partials if item.is_new is is_new]
        if not chosen:
            continue
        padded = [(*item.partial.parts, math.nan, math.nan)[:_PARTS] for item in chosen]
        values = {
            "organization_id": organization_id,
            "entities": uuid_array(b"".join(item.entity_id.bytes for item in chosen)),
            "keys": uuid_array(b"".join(item.key for item in chosen)),
            "untils": instant_array([item.partial.until_us for item in chosen]),
            "points": bigint_array([item.partial.points for item in chosen]),
            "values": double_array([parts[0] for parts in padded]),
            "errors": double_array([parts[1] for parts in padded]),
            "left": double_array([parts[2] for parts in padded]),
        }
        if is_new:
            session.execute(_INSERT, {**values, "begins": instant_array([item.begins_us for item in chosen])})
            session.execute(_PRUNE, {"organization_id": organization_id})
        else:
            session.execute(_EXTEND, values)


def partials_invalidate(session: Session, *, organization_id: int, changed: Mapping[bytes, Sequence[Span]]) -> None:
    """Record that points of entities (16 bytes) changed over these spans. One statement at most."""
    if not changed:
        return
    arrays_enable(session)
    session.execute(
        _INVALIDATE,
        {
            "organization_id": organization_id,
            "entities": uuid_array(b"".join(changed)),
            "begins": instant_array([max(min(b for b, _ in spans), FIRST_US) for spans in changed.values()]),
            "ends": instant_array([min(max(e for _, e in spans), LAST_US) for spans in changed.values()]),
        },
    )


def partials_delete_invalid(session: Session, *, organization_id: int, generation: int) -> None:
    """Delete the partial aggregates that hold points changed before a generation. Two statements at most."""
    rows = session.execute(_INVALIDATED, {"organization_id": organization_id, "generation": generation}).all()
    if not rows:
        return
    arrays_enable(session)
    session.execute(
        _FORGET,
        {
            "organization_id": organization_id,
            "entities": uuid_array(b"".join(row.entity_id.bytes for row in rows)),
            "begins": instant_array([micros_of(row.begins) for row in rows]),
            "ends": instant_array([micros_of(row.ends) for row in rows]),
        },
    )


def _parts_stored(*parts: float) -> tuple[float, ...]:
    """Return the stored parts: the first, and the others that are not NaN."""
    return (parts[0], *(part for part in parts[1:] if not math.isnan(part)))


def _parts(values: Values, how: Aggregate) -> tuple[float, ...] | None:
    """Return few values with the same aggregate as these."""
    if how is Aggregate.COUNT:
        return (0.0,)
    if how is Aggregate.FIRST or how is Aggregate.LAST:
        return (float(values[0 if how is Aggregate.FIRST else -1]),)
    numbers = values[~np.isnan(values)]
    if not len(numbers):
        return (math.nan,)
    if how is Aggregate.MIN or how is Aggregate.MAX:
        return (float(numbers.min() if how is Aggregate.MIN else numbers.max()),)
    with np.errstate(all="ignore"):
        if not float(np.abs(numbers).max()) * len(numbers) < _SUM_MAX:
            return None
    return _sum_parts(numbers.tolist())


def _sum_parts(values: list[float]) -> tuple[float, ...] | None:
    """Return doubles that sum up to the exact sum, each the rounding error of those before; None for too many."""
    parts: list[float] = []
    while total := math.fsum(values):
        if len(parts) == _PARTS:
            return None
        parts.append(total)
        values.append(-total)
    return tuple(parts) or (0.0,)
