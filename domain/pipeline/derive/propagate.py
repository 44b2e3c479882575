"""Propagate the changes of a transaction to rules, rollups and health, as planned, in that transaction."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable
from domain.derivation.health.invalidate import events_spans, health_invalidate
from domain.derivation.invalidation.spans import spans_columns
from domain.derivation.invalidation.windows import MEMBERSHIP
from domain.derivation.rollups.invalidate import rollups_invalidate, rollups_invalidate_at
from domain.derivation.rollups.topology import RollupCache
from domain.pipeline.derive.changed import ChangedSpans
from domain.pipeline.derive.evaluate import rules_evaluate
from domain.pipeline.derive.propagation_plan import health_changes
from domain.pipeline.derive.work import DeriveInput, DeriveRun, Evaluations, PropagationPlan
from domain.telemetry.model.attribution import spans_union

_MEMBERSHIPS_ADD = text(
    """
    INSERT INTO dirty_windows (organization_id, entity_id, begins, ends, reason)
    SELECT :organization_id, u.e, u.b, u.t, :reason FROM unnest(:entities, :begins, :ends) AS u (e, b, t)
    """
)


def changes_propagate(session: Session, given: DeriveInput, plan: PropagationPlan, *, run: DeriveRun) -> Evaluations:
    """Evaluate rules on what changed, and invalidate rollups and health. The points are written."""
    if plan.memberships:
        # The windows are the next transactions'.
        arrays_enable(session)
        values = {"organization_id": given.organization_id, "reason": MEMBERSHIP, **spans_columns(plan.memberships)}
        session.execute(_MEMBERSHIPS_ADD, values)
    if given.index.consumers.counted:
        _rollups_invalidate(session, given, plan.changed, cache=run.rollups)
    evaluations = rules_evaluate(session, given, plan.evaluation, new_id=run.new_id)
    if given.index.plans:
        _health_invalidate(session, given, plan.changed, evaluations=evaluations)
    return evaluations


def _rollups_invalidate(session: Session, given: DeriveInput, changed: ChangedSpans, *, cache: RollupCache) -> None:
    """Invalidate the rollups that count what changed, and those of entities below which something changed."""
    points = {
        entity: spans_union(spans)
        for entity, spans in changed.points.items()
        if given.index.entity_of(entity).is_counted
    }
    rollups_invalidate(session, organization_id=given.organization_id, changed=points, cache=cache)
    hierarchy = {entity: spans_union(spans) for entity, spans in changed.hierarchy.items()}
    rollups_invalidate_at(session, organization_id=given.organization_id, changed=hierarchy, cache=cache)


def _health_invalidate(
    session: Session, given: DeriveInput, changed: ChangedSpans, *, evaluations: Evaluations
) -> None:
    """Invalidate the health of assets that the changes bear on. Three statements at most."""
    changes = [change for done in evaluations.done for change in done.changes]
    events = events_spans(session, organization_id=given.organization_id, changes=changes) if changes else {}
    invalid = health_changes(given, changed=changed, evaluations=evaluations, events=events)
    health_invalidate(session, organization_id=given.organization_id, changed=invalid.spans, plans=invalid.plans)
