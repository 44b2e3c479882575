"""Self-check of rollups: recompute them from descendants' points, without hourly and partial aggregates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

import numpy as np
from sqlalchemy.orm import Session

from domain.base.packed import Instants
from domain.convergence.model import CheckedSpan, CheckKind, Report
from domain.convergence.pending import PendingInvalidations
from domain.convergence.points import points_compare, points_of
from domain.derivation.rollups.aggregate import rollup_values
from domain.derivation.rollups.buckets import Grid
from domain.derivation.rollups.inputs import ComputeRange, Memo, sources_read, stored_read, values_read
from domain.derivation.rollups.invalidate import topology_get
from domain.derivation.rollups.model import Rollup, RollupAggregate
from domain.derivation.rollups.topology import RollupCache, RollupTopology, below_get
from domain.derivation.rollups.weights import weights_at
from graph.errors import LimitExceededError

POINTS_MAX: Final = 200_000


def rollups_check(
    session: Session,
    *,
    organization_id: int,
    uppers: Mapping[UUID, tuple[str, str | None]],
    span: CheckedSpan,
    pending: PendingInvalidations,
    report: Report,
) -> None:
    """Compare the complete rollup buckets of these entities, whose kind and type are given."""
    # A separate cache: the workers' caches are not trusted.
    known = topology_get(session, organization_id=organization_id, cache=RollupCache())
    metrics = Counter(rollup.draft.metric for rollup in known.rollups.values())
    for rollup in known.rollups.values():
        if rollup.is_deleted or metrics[rollup.draft.metric] > 1:
            # Of a metric that several rollups make, or made, the one writes what the other takes away.
            continue
        for upper, (kind, type_name) in uppers.items():
            if not rollup.draft.at.has(kind, type_name):
                continue
            edges = _complete_buckets(known.grids[rollup.id], span)
            if edges is None or _is_dirty(rollup, upper, edges, pending):
                report.skipped[CheckKind.ROLLUPS] += 1
                continue
            try:
                _check(
                    session,
                    organization_id,
                    report,
                    known=known,
                    rollup=rollup,
                    upper=upper,
                    edges=edges,
                    pending=pending,
                )
            except LimitExceededError:
                report.skipped[CheckKind.ROLLUPS] += 1


def _check(
    session: Session,
    organization_id: int,
    report: Report,
    *,
    known: RollupTopology,
    rollup: Rollup,
    upper: UUID,
    edges: Instants,
    pending: PendingInvalidations,
) -> None:
    draft = rollup.draft
    members = below_get(session, organization_id=organization_id, known=known, rollup=rollup, uppers=[upper.bytes])
    of_upper = members[upper.bytes]
    if any(member.id in pending.entities for member in of_upper):
        report.skipped[CheckKind.ROLLUPS] += 1
        return
    sources = sources_read(session, organization_id=organization_id, draft=draft, members=members, by_entity={})
    ranges: Sequence[ComputeRange] = [ComputeRange(upper.bytes, edges)]
    table = np.full((len(of_upper), len(edges) - 1), np.nan)
    for _, place, values in values_read(
        session,
        organization_id=organization_id,
        draft=draft,
        ranges=ranges,
        members=members,
        sources=sources,
        memo=Memo(known.revision),
        limit=POINTS_MAX,
        from_points=True,
    ):
        table[place] = values
    weights = None
    if draft.aggregate is RollupAggregate.WEIGHTED_MEAN:
        weights = weights_at([member.weights for member in of_upper], edges[:-1])
    computed = points_of(edges[:-1].tolist(), rollup_values(draft, table, weights).tolist())
    by_range = stored_read(session, organization_id=organization_id, ranges=ranges, sources=sources)
    stored = points_of(by_range[0].at.tolist(), by_range[0].values.tolist()) if 0 in by_range else {}
    if not computed and not stored:
        return
    report.checks[CheckKind.ROLLUPS] += 1
    report.differences += points_compare(CheckKind.ROLLUPS, draft.metric, upper, computed=computed, stored=stored)


def _complete_buckets(grid: Grid, span: CheckedSpan) -> Instants | None:
    """Return the edges of the buckets of a span that are over; where none is, of the last one that is."""
    edges = grid.edges(max(span.begins_us - grid.length_us, 0), span.ends_us)
    over = edges[edges <= span.ends_us]
    return over if len(over) > 1 else None


def _is_dirty(rollup: Rollup, upper: UUID, edges: Instants, pending: PendingInvalidations) -> bool:
    if upper in pending.entities:
        return True
    return any(
        entity_id == rollup.id or (entity_id == upper and begins < edges[-1] and ends > edges[0])
        for entity_id, begins, ends in pending.buckets.get(rollup.id, ())
    )
