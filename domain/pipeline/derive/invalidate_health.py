"""What a change at an entity means for the health of assets: it is marked, in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from domain.derivation.dependencies.index import DependencyIndex
from domain.derivation.health.invalidate import events_spans, health_mark
from domain.derivation.invalidation.windows import HEALTH, PROFILE, Window
from domain.pipeline.derive.evaluate import Judgements
from domain.pipeline.derive.propagate import Span, Touched


def health_follow(
    session: Session,
    *,
    organization_id: int,
    dependencies: DependencyIndex,
    touched: Touched,
    windows: Mapping[bytes, Sequence[Window]],
    judgements: Judgements,
) -> None:
    """Mark the health of assets whose points, parts, events or profile changed. Three statements at most."""
    spans: dict[bytes, list[Span]] = {}
    for entity, of_entity in touched.points.items():
        # What its own health made of its points has no part in it.
        if any(window.reason != HEALTH for window in windows.get(entity, ())):
            spans.setdefault(entity, []).extend(of_entity)
    for entity, of_entity in touched.places.items():
        spans.setdefault(entity, []).extend(of_entity)
    changes = [change for done in judgements.done for change in done.changes]
    for done in judgements.done:
        for entity, begins, ends in done.rated:
            spans.setdefault(entity, []).append((begins, ends))
    if changes:
        found = events_spans(session, organization_id=organization_id, changes=changes)
        for entity, of_entity in found.items():
            spans.setdefault(entity, []).extend(of_entity)
    plans = {entity: plan for entity in {*spans, *windows} if (plan := dependencies.entity_of(entity).plan) is not None}
    marked = {entity: of_entity for entity, of_entity in spans.items() if entity in plans}
    for entity, of in windows.items():
        # Of one that uses no profile any more the points go.
        dirty = [(window.begins_us, window.ends_us) for window in of if window.reason == PROFILE]
        if dirty and entity not in plans:
            marked[entity] = dirty
    health_mark(session, organization_id=organization_id, touched=marked, plans=plans)
