"""Plan how the rules of changed entities are evaluated: on the points at hand where those are enough. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from domain.base.packed import Column, micros_of
from domain.derivation.invalidation.windows import REPLAY, Window, windows_at_hand
from domain.pipeline.attribute.stage import Place, entries_gather
from domain.pipeline.derive.changed import Span
from domain.pipeline.derive.work import (
    DeriveInput,
    EvaluationPlan,
    IncrementalEvaluation,
    PointsAtHand,
    RuleRecomputation,
)
from domain.rules.stage import key_of, states_known


def evaluation_plan(
    given: DeriveInput, *, spans: Mapping[bytes, Sequence[Span]], at_hand: Sequence[PointsAtHand]
) -> EvaluationPlan:
    """Plan the evaluation of entities over the spans in which anything about them changed.

    at_hand: the points of entities with formulas.
    """
    disabled = _side_effects_disabled(given.windows)
    incremental: list[IncrementalEvaluation] = []
    planned: set[bytes] = set()
    for points in (*at_hand, *_without_formulas(given, spans)):
        known = {
            entity
            for entity, _ in points.places
            if entity not in planned and _is_known(given, entity, spans.get(entity, ()))
        }
        known -= _doubtful(given, points, known)
        for is_disabled in (False, True):
            ready = [place for place in points.places if place[0] in known and (place[0] in disabled) is is_disabled]
            if ready:
                incremental.append(
                    IncrementalEvaluation(
                        places=ready,
                        columns=_chosen(points, ready),
                        watermarks_us=[spans[entity][-1][1] for entity, _ in ready],
                        side_effects_disabled=is_disabled,
                    )
                )
        planned |= known
    recomputations = []
    for is_disabled in (False, True):
        some = {
            entity: of_entity
            for entity, of_entity in spans.items()
            if entity not in planned and (entity in disabled) is is_disabled
        }
        if some:
            recomputations.append(RuleRecomputation(some, is_disabled))
    return EvaluationPlan(incremental, recomputations)


def _side_effects_disabled(windows: Mapping[bytes, Sequence[Window]]) -> frozenset[bytes]:
    """Return the entities from whose changes nothing may follow: those with a window of a replay."""
    return frozenset(
        entity for entity, of_entity in windows.items() if any(window.reason == REPLAY for window in of_entity)
    )


def _is_known(given: DeriveInput, entity: bytes, spans: Sequence[Span]) -> bool:
    """Return whether the cached rule state of an entity covers all of its pairs before these spans."""
    assignments = given.index.entity_of(entity).assignments
    rule_state = given.rule_states.get(entity)
    return (
        bool(spans)
        and bool(assignments)
        and rule_state is not None
        and rule_state.assignments == assignments
        and states_known(assignments, rule_state.states, spans[0][0], max(spans[-1][1], micros_of(given.now) + 1))
    )


def _doubtful(given: DeriveInput, points: PointsAtHand, known: Collection[bytes]) -> set[bytes]:
    """Return the entities that cannot be evaluated incrementally from these points.

    Those with two points of one time, of which one counts; and those with a point of a pair that was never evaluated:
    the first of a port, or of all that a rule reads.
    """
    columns = points.columns
    doubtful = {points.places[n][0] for column in columns.values() for n in column.doubled()}
    owners: dict[str, frozenset[int]] = {}
    for n, (entity, port) in enumerate(points.places):
        if entity not in known:
            continue
        rule_state, key = given.rule_states[entity], key_of(port)
        for assignment in rule_state.assignments:
            if (entity, assignment.rule_id, key) not in rule_state.states:
                for metric in assignment.metrics:
                    if metric not in columns:
                        continue
                    # Once for each column, not for each place: of a new rule, no pair was ever evaluated.
                    if metric not in owners:
                        owners[metric] = frozenset(np.unique(columns[metric].owner).tolist())
                    if n in owners[metric]:
                        doubtful.add(entity)
                        break
    return doubtful


def _without_formulas(given: DeriveInput, spans: Mapping[bytes, Sequence[Span]]) -> list[PointsAtHand]:
    """Return what is at hand of entities that have no formulas, where that is known to be all of their windows."""
    whole = {entry.group: entry.whole for entry in given.entries}
    plain = {
        entity
        for entity, of_entity in spans.items()
        if given.index.entity_of(entity).derivation is None
        and _is_known(given, entity, of_entity)
        and windows_at_hand(given.windows.get(entity, ()), whole)
    }
    numbers: dict[Place, int] = {}
    for entry in given.entries:
        for place in entry.places:
            if place[0] in plain:
                numbers.setdefault(place, len(numbers))
    if not numbers:
        return []
    begins = np.array([spans[entity][0][0] for entity, _ in numbers], dtype=np.int64)
    gathered = entries_gather(given.entries, places=numbers)
    # What comes again is not of these windows.
    columns = {metric: column.take(column.at >= begins[column.owner]) for metric, column in gathered.items()}
    return [PointsAtHand(list(numbers), columns)]


def _chosen(points: PointsAtHand, ready: Sequence[Place]) -> Mapping[str, Column]:
    """Return the columns of some places, which are then numbered as in `ready`."""
    if len(ready) == len(points.places):
        return points.columns
    numbers = {place: n for n, place in enumerate(ready)}
    moved = np.array([numbers.get(place, -1) for place in points.places], dtype=np.int64)
    selected = {}
    for metric, column in points.columns.items():
        owner = moved[column.owner]
        has = owner >= 0
        selected[metric] = Column(owner[has], column.at[has], column.values[has])
    return selected
