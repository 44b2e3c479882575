"""Write what a transaction of the derive stage has planned. Hot path."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.derivation.formulas.changes import SeriesChange, series_changes
from domain.derivation.formulas.faults import faults_write
from domain.derivation.formulas.outputs import DerivedCommit, changes_write, commit_write, series_ensure
from domain.derivation.invalidation.windows import windows_done
from domain.derivation.shadow.shadow import shadow_write
from domain.pipeline.derive.propagate import changes_propagate
from domain.pipeline.derive.work import DeriveInput, DerivePlan, DeriveRun, Evaluations, PropagationPlan
from domain.telemetry.model.stage_cache import PendingCacheUpdates

_ADVANCE = text(
    "UPDATE stage_leases SET position = position + 1 WHERE stage = :stage AND partition = :partition RETURNING position"
)


@dataclass(frozen=True, slots=True)
class WrittenPlan:
    """What was written. commit: None where no point changed. notes, evaluations: to be cached once committed."""

    commit: DerivedCommit | None
    evaluations: Evaluations
    notes: PendingCacheUpdates


def plan_write(
    session: Session,
    given: DeriveInput,
    plan: DerivePlan,
    *,
    propagation: PropagationPlan | None,
    run: DeriveRun,
) -> WrittenPlan:
    """Write points, faults, what follows from them, and which windows are done. propagation: None where nothing is."""
    notes = PendingCacheUpdates()
    changes = _points_write(session, given, plan, run=run, notes=notes)
    if given.index.shadow is not None and plan.shadow.spans:
        shadow_write(
            session,
            organization_id=given.organization_id,
            version=given.index.shadow,
            comparison=plan.shadow,
        )
    faults_write(session, organization_id=given.organization_id, faults=plan.faults, recomputed=plan.recomputed)
    evaluations = Evaluations()
    if propagation is not None:
        evaluations = changes_propagate(session, given, propagation, run=run)
    windows_done(session, organization_id=given.organization_id, ids=plan.done, begun=plan.begun)
    commit = None
    if changes:
        lease = {"stage": run.lease.stage, "partition": run.lease.partition}
        position = int(session.execute(_ADVANCE, lease).scalar_one())
        commit = DerivedCommit(given.organization_id, run.lease.partition, position, given.now, changes)
        commit_write(session, commit=commit)
    return WrittenPlan(commit, evaluations, notes)


def _points_write(
    session: Session, given: DeriveInput, plan: DerivePlan, *, run: DeriveRun, notes: PendingCacheUpdates
) -> list[SeriesChange]:
    """Write the points that differ, in series that are made where they are missing; return what changed."""
    changes: list[SeriesChange] = []
    for item in plan.metrics:
        series = series_ensure(
            session,
            organization_id=given.organization_id,
            metric=item.metric,
            unit=item.unit,
            entities=item.entities,
            stage_cache=run.stage_cache,
            notes=notes,
            is_recompute=item.is_recompute,
        )
        changes += series_changes(item.changes, series=series)
    return changes_write(
        session,
        organization_id=given.organization_id,
        changes=changes,
        stage_cache=run.stage_cache,
        notes=notes,
    )
