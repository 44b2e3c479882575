"""Plan what is to be written of dirty windows: points, windows, checkpoints, faults. Pure; hot path.

Entities whose points are at hand, all of them later than what was derived before, are planned from these points and
their checkpoints (`live_plans`); all others from their stored points (`stored_plan`). Both say the same of an entity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

import numpy as np

from domain.base.packed import Column, Instants
from domain.derivation.formulas.changes import points_diff
from domain.derivation.formulas.config import Derivation
from domain.derivation.formulas.derive import NOTHING, Outcome, State, columns_first, derive
from domain.derivation.formulas.faults import EntityFault
from domain.derivation.invalidation.spans import EntitySpan
from domain.derivation.invalidation.windows import Window, windows_at_hand
from domain.derivation.shadow.shadow import Derived, ShadowComparison, comparisons_join, shadow_compare
from domain.pipeline.attribute.stage import entries_gather
from domain.pipeline.derive.changed import WindowsSplit
from domain.pipeline.derive.checkpoints import Checkpoint
from domain.pipeline.derive.ranges import windows_progress
from domain.pipeline.derive.work import DeriveInput, DerivePlan, MetricPlan, PointsAtHand, StoredRanges
from domain.telemetry.model.readings import NO_PORT

_NOTHING_STORED: Final[Mapping[str, Column]] = {}


@dataclass(frozen=True, slots=True)
class _LiveEntity:
    """An entity that can be derived from the points at hand, its windows, and the begin of the first of them."""

    entity: bytes
    checkpoint: Checkpoint
    windows: Sequence[Window]
    begins_us: int


@dataclass(frozen=True, slots=True)
class _Spans:
    """The span over which each entity is derived, and its state at the begin; None where it is not known."""

    begins_us: Instants
    ends_us: Instants
    states: Sequence[State] | None


@dataclass(frozen=True, slots=True)
class _Computed:
    """What the formulas of one derivation give, and how the version in shadow compares."""

    outcome: Outcome
    faults: Sequence[EntityFault]
    comparison: ShadowComparison


def live_plans(given: DeriveInput, split: WindowsSplit) -> list[DerivePlan]:
    """Plan the entities whose points are all at hand and later than those derived before, by derivation."""
    at_hand = {entry.group: entry.whole for entry in given.entries}
    by_derivation: dict[int, list[_LiveEntity]] = {}
    for entity, windows in split.derived.items():
        derivation, checkpoint = given.index.entity_of(entity).derivation, given.checkpoints.get(entity)
        begins_us = min(window.begins_us for window in windows)
        if (
            derivation is not None
            # What a version in shadow makes of metrics that others read is not cached.
            and not (derivation.is_chained and derivation.shadow)
            and checkpoint is not None
            and checkpoint.revision == given.index.revision
            and windows_at_hand(windows, at_hand)
            and begins_us > checkpoint.watermark_us
        ):
            by_derivation.setdefault(id(derivation), []).append(_LiveEntity(entity, checkpoint, windows, begins_us))
    plans: list[DerivePlan] = []
    for live in by_derivation.values():
        plan = _live_plan(given, live, shadow_failures=sum(plan.shadow.failures for plan in plans))
        plans.append(plan)
    return plans


def windows_behind(split: WindowsSplit, plans: Sequence[DerivePlan]) -> dict[bytes, Sequence[Window]]:
    """Return the windows of the entities that no plan has, by entity: they are derived from stored points."""
    planned = {entity for plan in plans for entity in plan.entities}
    return {entity: windows for entity, windows in split.derived.items() if entity not in planned}


def stored_plan(given: DeriveInput, stored: StoredRanges, *, shadow_failures: int) -> DerivePlan:
    """Plan ranges of entities of one derivation from their stored points.

    shadow_failures: how often the version in shadow has failed in this transaction.
    """
    ranges = stored.ranges
    entities = [item.part.entity for item in ranges]
    spans = _Spans(
        np.array([item.part.begins_us for item in ranges], dtype=np.int64),
        np.array([item.part.ends_us for item in ranges], dtype=np.int64),
        None,
    )
    computed = _compute(
        given,
        stored.derivation,
        entities=entities,
        inputs=stored.points.inputs,
        spans=spans,
        shadow_failures=shadow_failures,
    )
    checkpoints: dict[bytes, Checkpoint | None] = {}
    for item, state in zip(ranges, computed.outcome.states, strict=True):
        last_us = max((at for at, _ in state.inputs.values()), default=-1)
        is_ahead = item.is_last and item.part.ends_us > item.watermark_us
        checkpoint = Checkpoint(given.index.revision, max(item.watermark_us, last_us), state)
        checkpoints[item.part.entity] = checkpoint if is_ahead else None
    recomputed = [EntitySpan(item.part.entity, item.retained.begins_us, item.ends_us) for item in ranges]
    progress = [windows_progress(item) for item in ranges]
    return DerivePlan(
        entities=entities,
        metrics=metrics_plan(
            stored.derivation,
            entities=entities,
            wanted=computed.outcome.outputs,
            stored=stored.points.stored,
            is_recompute=True,
        ),
        done=[window_id for item in progress for window_id in item.done],
        begun={window_id: begins_us for item in progress for window_id, begins_us in item.begun.items()},
        checkpoints=checkpoints,
        changed=recomputed,
        recomputed=recomputed,
        faults=computed.faults,
        beyond_retention=frozenset(item.part.entity for item in ranges if item.is_beyond_retention),
        shadow=_shadow_over(given, computed.comparison, recomputed),
    )


def plans_join(plans: Sequence[DerivePlan]) -> DerivePlan:
    """Return the plans of several entities, in their order, as one."""
    return DerivePlan(
        entities=list(chain.from_iterable(plan.entities for plan in plans)),
        metrics=list(chain.from_iterable(plan.metrics for plan in plans)),
        done=list(chain.from_iterable(plan.done for plan in plans)),
        begun=dict(chain.from_iterable(plan.begun.items() for plan in plans)),
        checkpoints=dict(chain.from_iterable(plan.checkpoints.items() for plan in plans)),
        changed=list(chain.from_iterable(plan.changed for plan in plans)),
        recomputed=list(chain.from_iterable(plan.recomputed for plan in plans)),
        faults=list(chain.from_iterable(plan.faults for plan in plans)),
        at_hand=list(chain.from_iterable(plan.at_hand for plan in plans)),
        beyond_retention=frozenset(chain.from_iterable(plan.beyond_retention for plan in plans)),
        shadow=comparisons_join([plan.shadow for plan in plans]),
    )


def metrics_plan(
    derivation: Derivation,
    *,
    entities: Sequence[bytes],
    wanted: Mapping[str, Column],
    stored: Mapping[str, Column],
    is_recompute: bool,
) -> list[MetricPlan]:
    """Decide what is written of entities of one derivation: points that are stored as wanted stay.

    wanted, stored: points that should be and that are, by metric; their owners are places among `entities`.
    """
    # Of each metric the unit of the last version that names it.
    units = {formula.metric: formula.unit for formulas in derivation.sets for formula in formulas.formulas}
    plans = []
    for metric in {**wanted, **stored}:
        wanted_points, stored_points = wanted.get(metric, NOTHING), stored.get(metric, NOTHING)
        owners = np.unique(np.concatenate((wanted_points.owner, stored_points.owner))).tolist()
        plans.append(
            MetricPlan(
                metric=metric,
                unit=units.get(metric),
                entities=frozenset(entities[n] for n in owners),
                is_recompute=is_recompute,
                changes=points_diff(metric=metric, entities=entities, wanted=wanted_points, stored=stored_points),
            )
        )
    return plans


def _live_plan(given: DeriveInput, live: Sequence[_LiveEntity], *, shadow_failures: int) -> DerivePlan:
    """Plan entities of one derivation from the points at hand, except those for which these are not enough."""
    places = [(item.entity, NO_PORT) for item in live]
    gathered = entries_gather(given.entries, places={place: n for n, place in enumerate(places)})
    watermarks = np.array([item.checkpoint.watermark_us for item in live], dtype=np.int64)
    # What comes again is not of these windows.
    inputs = {metric: column.take(column.at > watermarks[column.owner]) for metric, column in gathered.items()}
    # Which of two points of one time counts is not decided here: their entities are derived from stored points.
    doubtful = {owner for column in inputs.values() for owner in column.doubled()}
    if doubtful:
        sure = [item for n, item in enumerate(live) if n not in doubtful]
        return _live_plan(given, sure, shadow_failures=shadow_failures) if sure else DerivePlan()
    entities = [item.entity for item in live]
    derivation = given.index.entity_of(entities[0]).derivation
    assert derivation is not None  # noqa: S101  (live entities have one)
    ends = [max(window.ends_us for window in item.windows) for item in live]
    spans = _Spans(watermarks + 1, np.array(ends, dtype=np.int64), [item.checkpoint.state for item in live])
    computed = _compute(
        given, derivation, entities=entities, inputs=inputs, spans=spans, shadow_failures=shadow_failures
    )
    outputs = computed.outcome.outputs
    at_hand = []
    if any(given.index.entity_of(entity).assignments for entity in entities):
        # A metric that is measured too is read as derived where both have a point.
        both = {name: columns_first(outputs[name], inputs[name]) for name in inputs.keys() & outputs}
        at_hand = [PointsAtHand(places, {**inputs, **outputs, **both})]
    compared = []
    if given.index.shadow is not None:
        begins = spans.begins_us.tolist()
        compared = [EntitySpan(*span) for span in zip(entities, begins, ends, strict=True)]
    return DerivePlan(
        entities=entities,
        metrics=metrics_plan(derivation, entities=entities, wanted=outputs, stored=_NOTHING_STORED, is_recompute=False),
        done=[window.id for item in live for window in item.windows],
        checkpoints={
            entity: Checkpoint(given.index.revision, end - 1, state)
            for entity, end, state in zip(entities, ends, computed.outcome.states, strict=True)
        },
        changed=[EntitySpan(item.entity, item.begins_us, end) for item, end in zip(live, ends, strict=True)],
        faults=computed.faults,
        at_hand=at_hand,
        shadow=_shadow_over(given, computed.comparison, compared),
    )


def _compute(
    given: DeriveInput,
    derivation: Derivation,
    *,
    entities: Sequence[bytes],
    inputs: Mapping[str, Column],
    spans: _Spans,
    shadow_failures: int,
) -> _Computed:
    """Derive entities by the versions in force, and beside them by the one in shadow.

    inputs: they reach back far enough where the states are not known.
    """
    formula_context = given.index.formula_context(derivation, entities, is_recompute=spans.states is None)
    states = [State()] * len(entities) if spans.states is None else spans.states
    outcome = derive(
        sets=derivation.sets,
        inputs=inputs,
        begins_us=spans.begins_us,
        ends_us=spans.ends_us,
        states=states,
        formula_context=formula_context,
    )
    comparison = ShadowComparison()
    if given.index.shadow is not None:
        derived = Derived(
            derivation=derivation,
            entities=entities,
            inputs=inputs,
            begins_us=spans.begins_us,
            ends_us=spans.ends_us,
            states=states,
            formula_context=formula_context,
            outputs=outcome.outputs,
        )
        comparison = shadow_compare(derived, failures=shadow_failures)
    return _Computed(outcome, [EntityFault(entities[fault.owner], fault) for fault in outcome.faults], comparison)


def _shadow_over(given: DeriveInput, comparison: ShadowComparison, spans: Sequence[EntitySpan]) -> ShadowComparison:
    """Return a comparison with the spans over which it holds, where a version is in shadow."""
    if given.index.shadow is None:
        return comparison
    return comparisons_join([comparison, ShadowComparison(spans=spans)])
