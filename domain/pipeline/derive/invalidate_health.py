"""Invalidate the health of assets that a change at an entity bears on, in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from domain.derivation.dependencies.index import DependencyIndex
from domain.derivation.health.invalidate import events_spans, health_invalidate
from domain.derivation.invalidation.windows import HEALTH, PROFILE, Window
from domain.pipeline.derive.evaluate import Evaluations
from domain.pipeline.derive.propagate import ChangedSpans, Span


def health_invalidate_changed(
    session: Session,
    *,
    organization_id: int,
    index: DependencyIndex,
    changed: ChangedSpans,
    windows: Mapping[bytes, Sequence[Window]],
    evaluations: Evaluations,
) -> None:
    """Invalidate the health of assets whose points, parts, events or profile changed. Three statements at most."""
    spans: dict[bytes, list[Span]] = {}
    for entity, of_entity in changed.points.items():
        # What its own health made of its points has no part in it.
        if any(window.reason != HEALTH for window in windows.get(entity, ())):
            spans.setdefault(entity, []).extend(of_entity)
    for entity, of_entity in changed.hierarchy.items():
        spans.setdefault(entity, []).extend(of_entity)
    changes = [change for done in evaluations.done for change in done.changes]
    for done in evaluations.done:
        for entity, begins, ends in done.rated:
            spans.setdefault(entity, []).append((begins, ends))
    if changes:
        event_spans = events_spans(session, organization_id=organization_id, changes=changes)
        for entity, of_entity in event_spans.items():
            spans.setdefault(entity, []).extend(of_entity)
    plans = {entity: plan for entity in {*spans, *windows} if (plan := index.entity_of(entity).plan) is not None}
    invalid = {entity: of_entity for entity, of_entity in spans.items() if entity in plans}
    for entity, entity_windows in windows.items():
        # Of one that uses no profile any more the points go.
        dirty = [(window.begins_us, window.ends_us) for window in entity_windows if window.reason == PROFILE]
        if dirty and entity not in plans:
            invalid[entity] = dirty
    health_invalidate(session, organization_id=organization_id, changed=invalid, plans=plans)
