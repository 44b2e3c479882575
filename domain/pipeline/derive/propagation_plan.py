"""Plan what follows from the changes of a transaction: for rules, health and what lies below an entity. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import chain

from domain.derivation.health.read import Plan
from domain.derivation.invalidation.spans import EntitySpan
from domain.derivation.invalidation.windows import HEALTH, PROFILE
from domain.pipeline.derive.changed import ChangedSpans, Span
from domain.pipeline.derive.evaluation_plan import evaluation_plan
from domain.pipeline.derive.work import (
    DeriveInput,
    EvaluationPlan,
    Evaluations,
    HealthChanges,
    PointsAtHand,
    PropagationPlan,
)


def propagation_plan(
    given: DeriveInput,
    *,
    changed: ChangedSpans,
    below: Mapping[bytes, Collection[bytes]],
    at_hand: Sequence[PointsAtHand],
) -> PropagationPlan:
    """Plan what follows from changes. below: what lies below the entities whose hierarchy changed.

    at_hand: the points of entities with formulas, as derived.
    """
    evaluation = EvaluationPlan()
    if given.index.consumers.rulebook:
        evaluation = evaluation_plan(given, spans=changed.evaluation_spans(), at_hand=at_hand)
    return PropagationPlan(changed, memberships_of(changed, below=below), evaluation)


def memberships_of(changed: ChangedSpans, *, below: Mapping[bytes, Collection[bytes]]) -> list[EntitySpan]:
    """Return the spans over which what an entity lies below changed, once each: those of all above it."""
    spans = {
        EntitySpan(lower, begins, ends): None
        for entity, of_entity in changed.hierarchy.items()
        for lower in below.get(entity, ())
        if lower != entity
        for begins, ends in of_entity
    }
    return list(spans)


def health_changes(
    given: DeriveInput,
    *,
    changed: ChangedSpans,
    evaluations: Evaluations,
    events: Mapping[bytes, Sequence[Span]],
) -> HealthChanges:
    """Return the spans over which health is invalid: points, parts, events or the profile of an asset changed.

    events: by asset, the spans of the events that changed.
    """
    spans = _health_spans(given, changed=changed, evaluations=evaluations, events=events)
    plans: dict[bytes, Plan] = {}
    for entity in {*spans, *given.windows}:
        plan = given.index.entity_of(entity).plan
        if plan is not None:
            plans[entity] = plan
    invalid = {entity: of_entity for entity, of_entity in spans.items() if entity in plans}
    for entity, windows in given.windows.items():
        # Points of an asset that uses no profile any more are removed.
        dirty = [(window.begins_us, window.ends_us) for window in windows if window.reason == PROFILE]
        if dirty and entity not in plans:
            invalid[entity] = dirty
    return HealthChanges(invalid, plans)


def _health_spans(
    given: DeriveInput,
    *,
    changed: ChangedSpans,
    evaluations: Evaluations,
    events: Mapping[bytes, Sequence[Span]],
) -> dict[bytes, list[Span]]:
    """Return the spans over which points, parts or events of entities changed, whether they have health or not."""
    spans: dict[bytes, list[Span]] = {}
    for entity, of_entity in changed.points.items():
        # What its own health made of its points has no part in it.
        if any(window.reason != HEALTH for window in given.windows.get(entity, ())):
            spans.setdefault(entity, []).extend(of_entity)
    for entity, of_entity in chain(changed.hierarchy.items(), events.items()):
        spans.setdefault(entity, []).extend(of_entity)
    for entity, begins, ends in (rated for done in evaluations.done for rated in done.rated):
        spans.setdefault(entity, []).append((begins, ends))
    return spans
