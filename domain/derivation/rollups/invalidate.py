"""Invalidate buckets of rollups, up the graph from where something changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from domain.derivation.invalidation.buckets import Computation, DirtyBuckets, buckets_add, buckets_invalidate
from domain.derivation.rollups.buckets import FIRST_US, LAST_US, Grid
from domain.derivation.rollups.partial_aggregates import partials_invalidate
from domain.derivation.rollups.tables import rollup_entities
from domain.derivation.rollups.topology import RollupCache, RollupTopology, above_fill, uppers_of
from graph.sql import any_of
from graph.walk.spans import spans_within

Span = tuple[int, int]

_REVISION: Final = text("SELECT derivation_revision FROM graph_clocks WHERE organization_id = :organization_id")


def rollups_invalidate(
    session: Session,
    *,
    organization_id: int,
    changed: Mapping[bytes, Sequence[Span]],
    cache: RollupCache,
    metrics: Mapping[bytes, Collection[str]] | None = None,
) -> int:
    """Invalidate the buckets that depend on these entities' metrics over these spans; return how many.

    changed: by entity (16 bytes), [begin, end) in microseconds of event time. metrics: by entity, which may have
    changed; where an entity is left out, or without the argument: any. The caller holds the organization's graph,
    shared, and has written what changed. Three statements where the topology is cached.
    """
    if not changed:
        return 0
    known = topology_get(session, organization_id=organization_id, cache=cache)
    if not known.rollups:
        return 0
    above_fill(session, organization_id=organization_id, known=known, ids=changed)
    dirty: DirtyBuckets = {}
    counted: dict[bytes, Sequence[Span]] = {}
    for entity, spans in changed.items():
        names = None if metrics is None else metrics.get(entity)
        for above in known.above[entity]:
            if names is not None and above.grid.draft.of_metric not in names:
                continue
            for begins, ends in spans:
                for member_begins, member_ends in above.spans:
                    since, until = max(begins, member_begins), min(ends, member_ends)
                    if since < until:
                        overlapping = above.grid.overlapping(since, until)
                        buckets_add(dirty, above.upper, overlapping, computation_id=above.rollup_id)
                        counted[entity] = spans
    # Before the buckets, so that it is of no later generation: whoever takes the buckets takes this too.
    partials_invalidate(session, organization_id=organization_id, changed=counted)
    buckets_invalidate(session, organization_id=organization_id, dirty=dirty)
    return len(dirty)


def rollups_invalidate_at(
    session: Session, *, organization_id: int, changed: Mapping[bytes, Sequence[Span]], cache: RollupCache
) -> int:
    """Invalidate the buckets of all rollups at these entities, and above them, over these spans; return how many.

    Because what is below them, or what they are, has changed: an edge of a hierarchy, a place, a type.
    """
    if not changed:
        return 0
    known = topology_get(session, organization_id=organization_id, cache=cache)
    if not known.rollups:
        return 0
    dirty: DirtyBuckets = {}
    uppers_by_entity = uppers_of(session, organization_id=organization_id, known=known, ids=changed)
    for entity, uppers in uppers_by_entity.items():
        for rollup_id, upper, member_spans in uppers:
            for begins, ends in changed[entity]:
                for since, until in spans_within(member_spans, begins, ends):
                    overlapping = known.grids[rollup_id].overlapping(since, until)
                    buckets_add(dirty, upper, overlapping, computation_id=rollup_id)
    # Points they had in their earlier role are to be removed.
    rows = session.execute(
        select(rollup_entities.c.rollup_id, rollup_entities.c.entity_id).where(
            rollup_entities.c.organization_id == organization_id,
            any_of(rollup_entities.c.entity_id, [UUID(bytes=entity) for entity in changed]),
        )
    )
    for row in rows:
        for begins, ends in changed[row.entity_id.bytes]:
            overlapping = known.grids[row.rollup_id].overlapping(begins, ends)
            buckets_add(dirty, row.entity_id.bytes, overlapping, computation_id=row.rollup_id)
    buckets_invalidate(session, organization_id=organization_id, dirty=dirty)
    return len(dirty)


def rollup_invalidate(session: Session, *, organization_id: int, rollup_id: UUID) -> None:
    """Invalidate all of a rollup: one row, which the job replaces by the buckets of its entities."""
    dirty: DirtyBuckets = {(rollup_id.bytes, Computation.ROLLUP, rollup_id, FIRST_US): LAST_US}
    buckets_invalidate(session, organization_id=organization_id, dirty=dirty)


def all_time_invalidate(
    session: Session, *, organization_id: int, rollup_id: UUID, grid: Grid, uppers: Iterable[bytes]
) -> None:
    """Invalidate all time of a rollup at these entities."""
    dirty: DirtyBuckets = {}
    for upper in uppers:
        buckets_add(dirty, upper, grid.overlapping(FIRST_US, LAST_US), computation_id=rollup_id)
    buckets_invalidate(session, organization_id=organization_id, dirty=dirty)


def topology_get(session: Session, *, organization_id: int, cache: RollupCache) -> RollupTopology:
    """Return an organization's cached rollup topology; the caller holds the graph. Two statements at most."""
    revision = session.execute(_REVISION, {"organization_id": organization_id}).scalar_one()
    return cache.get(session, organization_id=organization_id, revision=int(revision))
