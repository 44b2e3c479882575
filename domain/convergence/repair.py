"""Repair differences: invalidate what was found wrong, so that it is recomputed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text, update
from sqlalchemy.orm import Session

from domain.base.packed import micros_of
from domain.convergence.model import CheckKind, FoundDifference
from domain.convergence.tables import convergence_differences
from domain.derivation.health.invalidate import health_invalidate
from domain.derivation.health.read import plans_get
from domain.derivation.invalidation.buckets import DirtyBuckets, buckets_add, buckets_invalidate
from domain.derivation.invalidation.windows import windows_add
from domain.derivation.rollups.invalidate import topology_get
from domain.derivation.rollups.topology import RollupCache
from graph.sql import any_of

REPAIR = "repair"

# A state that is wrong, or was found wrong by what came of it, must not be gone on from.
_STATES_FORGET = text(
    """
    DELETE FROM rule_states WHERE organization_id = :organization_id AND entity_id = :entity_id AND rule_id = :rule_id
        AND key = :key AND at > :since
    """
)
_PARTIALS_DELETE = text(
    "DELETE FROM rollup_partial_aggregates WHERE organization_id = :organization_id AND begins = :begins"
)


def differences_repair(
    session: Session, *, organization_id: int, differences: Sequence[FoundDifference], now: datetime
) -> None:
    """Invalidate the subjects of these differences, and record that they were repaired."""
    of_rules = [item for item in differences if item.kind in {CheckKind.EVENTS, CheckKind.STATES}]
    for item in of_rules:
        rule_id, _, port = item.subject.partition(":")
        values = {"entity_id": item.entity_id, "rule_id": UUID(rule_id), "key": port, "since": item.since}
        session.execute(_STATES_FORGET, {"organization_id": organization_id, **values})
    derived = [item for item in differences if item.kind is CheckKind.DERIVED]
    windows_add(session, organization_id=organization_id, spans=_spans([*of_rules, *derived]), reason=REPAIR)
    _rollups_invalidate(session, organization_id, [item for item in differences if item.kind is CheckKind.ROLLUPS])
    health_pending = [item for item in differences if item.kind is CheckKind.HEALTH]
    if health_pending:
        plans = plans_get(session, organization_id=organization_id, ids={item.entity_id for item in health_pending})
        health_invalidate(
            session,
            organization_id=organization_id,
            changed={entity: [(first, last + 1)] for entity, (first, last) in _spans(health_pending).items()},
            plans={asset_id.bytes: plan for asset_id, plan in plans.items()},
        )
    table = convergence_differences.c
    session.execute(
        update(convergence_differences)
        .where(
            table.organization_id == organization_id,
            table.repaired_at.is_(None),
            any_of(table.entity_id, {item.entity_id for item in differences}),
        )
        .values(repaired_at=now)
    )


def _spans(differences: Iterable[FoundDifference]) -> dict[bytes, tuple[int, int]]:
    spans: dict[bytes, tuple[int, int]] = {}
    for item in differences:
        since, at = micros_of(item.since), micros_of(item.at)
        first, last = spans.get(item.entity_id.bytes, (since, at))
        spans[item.entity_id.bytes] = (min(first, since), max(last, at))
    return spans


def _rollups_invalidate(session: Session, organization_id: int, differences: Sequence[FoundDifference]) -> None:
    if not differences:
        return
    known = topology_get(session, organization_id=organization_id, cache=RollupCache())
    dirty: DirtyBuckets = {}
    for item in differences:
        at = micros_of(item.at)
        session.execute(_PARTIALS_DELETE, {"organization_id": organization_id, "begins": item.at})
        for rollup_id, rollup in known.rollups.items():
            if rollup.draft.metric == item.subject and not rollup.is_deleted:
                overlapping = known.grids[rollup_id].overlapping(at, at + 1)
                buckets_add(dirty, item.entity_id.bytes, overlapping, computation_id=rollup_id)
    buckets_invalidate(session, organization_id=organization_id, dirty=dirty)
