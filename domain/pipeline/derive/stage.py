"""The derive stage: dirty windows become derived points. One transaction takes some entities of one organization.

Live data is a dirty window whose points are at hand and lie after all that was derived before: what the process
has cached of an entity's inputs is enough to go on from, and nothing is read back. Whatever else made a window dirty,
late data, a corrected link, an edited formula, its span is recomputed from stored points, and only differences are
written. Either way the final result is a function of the series, the links and the configuration.

A transaction reads (`read.py`), decides (`plan.py`, `propagation_plan.py`: pure), and only then writes (`write.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable, int_array
from domain.base.leases import FencedError
from domain.base.packed import MICROSECOND
from domain.pipeline.attribute.stage import AssetEntry
from domain.pipeline.derive.changed import ChangedSpans, changed_spans, windows_split
from domain.pipeline.derive.plan import live_plans, plans_join, stored_plan, windows_behind
from domain.pipeline.derive.propagation_plan import propagation_plan
from domain.pipeline.derive.read import below_read, input_read, retained_from_read, stored_read
from domain.pipeline.derive.work import DerivedEntities, DeriveInput, DerivePlan, DeriveRun, PropagationPlan
from domain.pipeline.derive.write import plan_write
from graph.change import graph_hold
from graph.locks import DERIVE_LOCK

ENTITIES_MAX: Final = 1_000
# Of entities whose points are read back; and how many points a transaction reads.
READ_BACK_ENTITIES_MAX: Final = 200
READ_BACK_POINTS_MAX: Final = 500_000
CHUNK: Final = timedelta(days=31)
_LOCKS: Final = 64

_LEASE_EXTEND = text(
    """
    UPDATE stage_leases SET expires_at = clock_timestamp() + :ttl
    WHERE stage = :stage AND partition = :partition AND fence = :fence RETURNING 1
    """
)
# Of entities of one partition only one transaction derives, by its lease; where the number of partitions was changed,
# a lease of the old number and one of the new may hold the same entity for a while.
_ENTITIES_LOCK = text(
    "SELECT count(pg_advisory_xact_lock(:lock, s.n)) FROM (SELECT n FROM unnest(:slots) AS u (n) ORDER BY n) s"
)


def entities_derive(
    session: Session,
    *,
    organization_id: int,
    entities: Collection[bytes],
    at_hand: Sequence[AssetEntry],
    run: DeriveRun,
    now: datetime,
    chunk: timedelta = CHUNK,
    points_max: int = READ_BACK_POINTS_MAX,
) -> DerivedEntities:
    """Derive the dirty windows of entities (16 bytes each) of one organization and the lease's partition.

    at_hand: entries of this organization. Windows longer than `chunk`, or twice the longest maxAge, are begun; what is
    left of them stays.
    Raises FencedError where another has taken the lease, LimitExceededError where more than `points_max` points
    would have to be read back: then take fewer entities or a shorter chunk.
    """
    arrays_enable(session)
    graph_revision = graph_hold(session, organization_id=organization_id)
    _lease_extend(session, run)
    _entities_lock(session, entities)
    given = input_read(session, organization_id=organization_id, entities=entities, at_hand=at_hand, run=run, now=now)
    split = windows_split(given.windows, index=given.index)
    plans = live_plans(given, split)
    behind = windows_behind(split, plans)
    if behind:
        chunk_us = chunk // MICROSECOND
        for stored in stored_read(session, given, windows=behind, chunk_us=chunk_us, points_max=points_max):
            shadow_failures = sum(plan.shadow.failures for plan in plans)
            plans.append(stored_plan(given, stored, shadow_failures=shadow_failures))
    plan = plans_join([DerivePlan(done=[window.id for window in split.propagated]), *plans])
    changed = changed_spans(propagated=split.propagated, derived=plan.changed)
    propagation = _propagation(session, given, plan, changed)
    written = plan_write(session, given, plan, propagation=propagation, run=run)
    beyond_retention = plan.beyond_retention
    if propagation is not None:
        beyond_retention |= propagation.beyond_retention
    return DerivedEntities(
        commit=written.commit,
        checkpoints={(organization_id, entity): checkpoint for entity, checkpoint in plan.checkpoints.items()},
        notes=written.notes,
        revision=graph_revision,
        windows=sum(map(len, given.windows.values())),
        read_back=len(behind),
        beyond_retention=len(beyond_retention),
        evaluations=written.evaluations,
    )


def _lease_extend(session: Session, run: DeriveRun) -> None:
    """Extend the lease. Raises FencedError where another has taken it."""
    lease = {"stage": run.lease.stage, "partition": run.lease.partition, "fence": run.lease.fence}
    if session.execute(_LEASE_EXTEND, {**lease, "ttl": run.lease_ttl}).one_or_none() is None:
        raise FencedError


def _entities_lock(session: Session, entities: Collection[bytes]) -> None:
    slots = sorted({entity[15] % _LOCKS for entity in entities})
    session.execute(_ENTITIES_LOCK, {"lock": DERIVE_LOCK, "slots": int_array(slots)})


def _propagation(
    session: Session, given: DeriveInput, plan: DerivePlan, changed: ChangedSpans
) -> PropagationPlan | None:
    """Read and plan what follows from changes; None where neither rules, rollups nor health depend on any point."""
    if given.index.consumers.is_idle and not given.index.plans:
        return None
    retained_from_us = retained_from_read(session, given, changed)
    beyond_retention: frozenset[bytes] = frozenset()
    if retained_from_us is not None:
        # Events, rollups and health of a time whose points were dropped stay as stored.
        beyond_retention, changed = changed.before(retained_from_us), changed.clamped(retained_from_us)
    below = below_read(session, given, changed)
    propagation = propagation_plan(given, changed=changed, below=below, at_hand=plan.at_hand)
    return replace(propagation, beyond_retention=beyond_retention)
