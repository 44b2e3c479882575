"""Evaluate rules within the derive stage: incrementally where the points at hand are enough, else from the store."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from sqlalchemy.orm import Session

from domain.base.packed import Column, micros_of
from domain.derivation.dependencies.index import DependencyIndex
from domain.derivation.invalidation.windows import REPLAY, Window, windows_at_hand
from domain.pipeline.attribute.stage import AssetEntry, Place, entries_gather
from domain.pipeline.derive.propagate import Span
from domain.rules.fast_path import PairKey, PairState
from domain.rules.model import Assignment
from domain.rules.reconcile import EventsDone
from domain.rules.stage import key_of, rules_evaluate_incrementally, rules_recompute, states_known
from graph.ids import NewId


@dataclass(frozen=True, slots=True)
class EntityRuleState:
    """The cached rule state of an entity: valid while its assignments are these.

    states: of all pairs that there are. A pair that is not among them was never evaluated, for it had no reading.
    """

    assignments: Sequence[Assignment]
    states: Mapping[PairKey, PairState]


@dataclass(slots=True)
class Evaluations:
    """The evaluations of a transaction; void unless it commits. rule_states: to be cached; None: to be dropped."""

    done: list[EventsDone] = field(default_factory=list)
    rule_states: dict[tuple[int, bytes], EntityRuleState | None] = field(default_factory=dict)


@dataclass(slots=True)
class AtHand:
    """The points at hand of places: their columns, measured and derived, by metric."""

    places: list[Sequence[Place]] = field(default_factory=list)
    columns: list[Mapping[str, Column]] = field(default_factory=list)

    def add(self, places: Sequence[Place], columns: Mapping[str, Column]) -> None:
        """Add all points at hand of some entities. The columns' places are those among `places`."""
        self.places.append(places)
        self.columns.append(columns)


@dataclass(frozen=True, slots=True)
class EvaluationContext:
    """The context of evaluations. rule_states: as cached.

    side_effects_disabled: the entities from whose changes nothing may follow.
    """

    organization_id: int
    index: DependencyIndex
    rule_states: Mapping[tuple[int, bytes], EntityRuleState]
    now: datetime
    new_id: NewId
    side_effects_disabled: frozenset[bytes]


def rules_evaluate(
    session: Session,
    *,
    context: EvaluationContext,
    spans: Mapping[bytes, Sequence[Span]],
    at_hand: AtHand,
    windows: Mapping[bytes, Sequence[Window]],
    entries: Sequence[AssetEntry],
) -> Evaluations:
    """Evaluate the rules of entities over the spans in which anything about them changed. The points are written.

    windows: all of theirs. entries: what the bus brought, at the dependency index's revision, one of each commit.
    """
    evaluations = Evaluations()
    pending = dict(spans)
    _without_formulas(context, pending, windows, entries, at_hand)
    for places, columns in zip(at_hand.places, at_hand.columns, strict=True):
        known = {entity for entity, _ in places if _is_known(context, entity, pending.get(entity, ()))}
        known -= _doubtful(context, places, columns, known)
        for disabled in (False, True):
            ready = [
                place
                for place in places
                if place[0] in known and (place[0] in context.side_effects_disabled) is disabled
            ]
            if ready:
                watermarks = [pending[entity][-1][1] for entity, _ in ready]
                chosen = _chosen(places, columns, ready)
                _evaluate_incrementally(
                    session,
                    context,
                    evaluations,
                    places=ready,
                    columns=chosen,
                    watermarks_us=watermarks,
                    side_effects_disabled=disabled,
                )
        for entity in known:
            del pending[entity]
    for disabled in (False, True):
        some = {
            entity: spans_of_entity
            for entity, spans_of_entity in pending.items()
            if (entity in context.side_effects_disabled) is disabled
        }
        if some:
            _recompute(session, context, some, evaluations, side_effects_disabled=disabled)
    return evaluations


def side_effects_disabled_of(windows: Mapping[bytes, Sequence[Window]]) -> frozenset[bytes]:
    """Return the entities from whose changes nothing may follow: those with a window of a replay.

    windows: all of theirs.
    """
    return frozenset(
        entity for entity, of_entity in windows.items() if any(window.reason == REPLAY for window in of_entity)
    )


def _is_known(context: EvaluationContext, entity: bytes, spans: Sequence[Span]) -> bool:
    """Return whether the cached rule state of an entity covers all of its pairs before these spans."""
    assignments = context.index.entity_of(entity).assignments
    rule_state = context.rule_states.get((context.organization_id, entity))
    return (
        bool(spans)
        and bool(assignments)
        and rule_state is not None
        and rule_state.assignments == assignments
        and states_known(assignments, rule_state.states, spans[0][0], max(spans[-1][1], micros_of(context.now) + 1))
    )


def _doubtful(
    context: EvaluationContext, places: Sequence[Place], columns: Mapping[str, Column], known: Collection[bytes]
) -> set[bytes]:
    """Return the entities that cannot be evaluated incrementally from these points.

    Those with two points of one time, of which one counts; and those with a point of a pair that was never evaluated:
    the first of a port, or of all that a rule reads.
    """
    doubtful = {places[n][0] for column in columns.values() for n in column.doubled()}
    for n, (entity, port) in enumerate(places):
        if entity not in known:
            continue
        rule_state, key = context.rule_states[context.organization_id, entity], key_of(port)
        for assignment in rule_state.assignments:
            if (entity, assignment.rule_id, key) not in rule_state.states:
                read = (columns[metric] for metric in assignment.metrics if metric in columns)
                if any(bool((column.owner == n).any()) for column in read):
                    doubtful.add(entity)
    return doubtful


def _without_formulas(
    context: EvaluationContext,
    pending: Mapping[bytes, Sequence[Span]],
    windows: Mapping[bytes, Sequence[Window]],
    entries: Sequence[AssetEntry],
    at_hand: AtHand,
) -> None:
    """Add what is at hand of entities that have no formulas, where that is known to be all of their windows."""
    whole = {entry.group: entry.whole for entry in entries}
    plain = {
        entity
        for entity in pending
        if context.index.entity_of(entity).derivation is None
        and _is_known(context, entity, pending[entity])
        and windows_at_hand(windows.get(entity, ()), whole)
    }
    numbers: dict[Place, int] = {}
    for entry in entries:
        for place in entry.places:
            if place[0] in plain:
                numbers.setdefault(place, len(numbers))
    if not numbers:
        return
    begins = np.array([pending[entity][0][0] for entity, _ in numbers], dtype=np.int64)
    gathered = entries_gather(entries, places=numbers)
    # What comes again is not of these windows.
    columns = {metric: column.take(column.at >= begins[column.owner]) for metric, column in gathered.items()}
    at_hand.add(list(numbers), columns)


def _chosen(places: Sequence[Place], columns: Mapping[str, Column], ready: Sequence[Place]) -> Mapping[str, Column]:
    """Return the columns of some places, which are then numbered as in `ready`."""
    if len(ready) == len(places):
        return columns
    numbers = {place: n for n, place in enumerate(ready)}
    moved = np.array([numbers.get(place, -1) for place in places], dtype=np.int64)
    selected = {}
    for metric, column in columns.items():
        owner = moved[column.owner]
        has = owner >= 0
        selected[metric] = Column(owner[has], column.at[has], column.values[has])
    return selected


def _evaluate_incrementally(
    session: Session,
    context: EvaluationContext,
    evaluations: Evaluations,
    *,
    places: Sequence[Place],
    columns: Mapping[str, Column],
    watermarks_us: Sequence[int],
    side_effects_disabled: bool,
) -> None:
    organization_id = context.organization_id
    rule_states = {entity: context.rule_states[organization_id, entity] for entity, _ in places}
    done, states = rules_evaluate_incrementally(
        session,
        organization_id=organization_id,
        places=[(entity, key_of(port)) for entity, port in places],
        columns=columns,
        watermarks_us=watermarks_us,
        assignments={entity: rule_state.assignments for entity, rule_state in rule_states.items()},
        states={key: state for rule_state in rule_states.values() for key, state in rule_state.states.items()},
        now=context.now,
        side_effects_disabled=side_effects_disabled,
        new_id=context.new_id,
    )
    evaluations.done.append(done)
    for entity, rule_state in rule_states.items():
        # Of ports of which nothing came, what was known is.
        whole = len(states[entity]) == len(rule_state.states)
        pair_states = states[entity] if whole else {**rule_state.states, **states[entity]}
        evaluations.rule_states[organization_id, entity] = EntityRuleState(rule_state.assignments, pair_states)


def _recompute(
    session: Session,
    context: EvaluationContext,
    spans: Mapping[bytes, Sequence[Span]],
    evaluations: Evaluations,
    *,
    side_effects_disabled: bool,
) -> None:
    assignments = {entity: context.index.entity_of(entity).assignments for entity in spans}
    done, states = rules_recompute(
        session,
        organization_id=context.organization_id,
        spans=spans,
        assignments=assignments,
        now=context.now,
        side_effects_disabled=side_effects_disabled,
        new_id=context.new_id,
    )
    evaluations.done.append(done)
    for entity in spans:
        known = states.get(entity)
        rule_state = None if known is None else EntityRuleState(assignments[entity], known)
        evaluations.rule_states[context.organization_id, entity] = rule_state
