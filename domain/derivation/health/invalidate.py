"""Invalidate the health of assets, as dirty buckets, in the transaction that changes what it depends on.

A row is a range of buckets: live data invalidates the same ones over and over. Rows of the derive stage are called
`health`; those that the job on buckets leaves while it holds others have separate names, so that neither ever
waits for the other the wrong way round.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable
from domain.base.packed import micros_of
from domain.derivation.health.read import Plan
from domain.derivation.invalidation.buckets import Computation, DirtyBuckets, buckets_add, buckets_invalidate
from domain.derivation.rollups.buckets import FIRST_US, LAST_US
from domain.rules.reconcile import EventChange
from domain.rules.tables import event_corrections, events
from domain.telemetry.model.attribution import END_US, spans_union
from graph.sql import any_of

Span = tuple[int, int]

# Of an asset that uses no profile any more the bucket is not known; none is longer than a day, which all divide.
DAY_US: Final = 86_400_000_000
_AS_NOTIFIED: Final = frozenset({"OPENED", "CLEARED"})


def health_invalidate(
    session: Session,
    *,
    organization_id: int,
    changed: Mapping[bytes, Sequence[Span]],
    plans: Mapping[bytes, Plan],
    left_by: UUID | None = None,
) -> None:
    """Invalidate the health buckets of assets (16 bytes) that depend on what changed over [begins_us, ends_us) each.

    plans: of those that use a profile; of one that does not, whole days are taken. What was measured counts for one
    freshness, so that the buckets of as long after it are among them. left_by: the asset whose computation detected the
    change; None: the derive stage did. One statement at most.
    """
    dirty: DirtyBuckets = {}
    for asset, spans in changed.items():
        plan = plans.get(asset)
        length = DAY_US if plan is None else plan.bucket_us
        freshness = 0 if plan is None else plan.freshness_us
        for begins, ends in spans_union((b, e + freshness) for b, e in spans):
            since = max(FIRST_US, begins - begins % length)
            until = min(LAST_US, ends + -ends % length)
            if since < until:
                buckets_add(
                    dirty,
                    asset,
                    [(since, until)],
                    computation=Computation.HEALTH if left_by is None else Computation.HEALTH_PROPAGATION,
                    computation_id=left_by or UUID(bytes=asset),
                )
    buckets_invalidate(session, organization_id=organization_id, dirty=dirty)


def events_spans(session: Session, *, organization_id: int, changes: Sequence[EventChange]) -> dict[bytes, list[Span]]:
    """Return, by entity, the spans over which any of its changed events differs from before.

    Two statements at most: for events that were only opened and cleared nothing is read.
    """
    by_event: dict[UUID, list[EventChange]] = {}
    for change in changes:
        by_event.setdefault(change.event_id, []).append(change)
    other = [
        event_id
        for event_id, event_changes in by_event.items()
        if not {change.kind for change in event_changes} <= _AS_NOTIFIED
    ]
    open_spans = _open_spans(session, organization_id, other) if other else {}
    spans: dict[bytes, list[Span]] = {}
    for event_id, event_changes in by_event.items():
        kinds = {change.kind for change in event_changes}
        begins, ends = min(change.at_us for change in event_changes), END_US
        if kinds == _AS_NOTIFIED:
            ends = max(change.at_us for change in event_changes) + 1
        if event_id in open_spans:
            begins, ends = min(begins, open_spans[event_id][0]), open_spans[event_id][1]
        spans.setdefault(event_changes[0].entity, []).append((begins, ends))
    return spans


def _open_spans(session: Session, organization_id: int, ids: Sequence[UUID]) -> dict[UUID, Span]:
    """Return the spans over which events are open, or were before an earlier correction."""
    arrays_enable(session)
    rows = session.execute(
        select(events.c.id, events.c.opened_at, events.c.cleared_at).where(
            events.c.organization_id == organization_id, any_of(events.c.id, ids)
        )
    )
    open_spans = {row.id: _span(row.opened_at, row.cleared_at) for row in rows}
    corrected = session.execute(
        select(event_corrections.c.event_id, event_corrections.c.before).where(
            event_corrections.c.organization_id == organization_id, any_of(event_corrections.c.event_id, ids)
        )
    )
    for row in corrected:
        opened, cleared = (_instant(row.before.get(name)) for name in ("opened_at", "cleared_at"))
        if opened is not None:
            begins, ends = _span(opened, cleared)
            known = open_spans.get(row.event_id, (begins, ends))
            open_spans[row.event_id] = (min(known[0], begins), max(known[1], ends))
    return open_spans


def _span(opened: datetime, cleared: datetime | None) -> Span:
    return micros_of(opened), END_US if cleared is None else micros_of(cleared) + 1


def _instant(written: str | None) -> datetime | None:
    return None if written is None else datetime.fromisoformat(written)
