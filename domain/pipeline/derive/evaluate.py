"""Evaluate rules within the derive stage, as planned: on the points at hand, or from stored points."""

from __future__ import annotations

from sqlalchemy.orm import Session

from domain.pipeline.derive.checkpoints import EntityRuleState
from domain.pipeline.derive.work import (
    DeriveInput,
    EvaluationPlan,
    Evaluations,
    IncrementalEvaluation,
    RuleRecomputation,
)
from domain.rules.reconcile import EventsDone
from domain.rules.stage import key_of, rules_evaluate_incrementally, rules_recompute
from graph.ids import NewId


def rules_evaluate(session: Session, given: DeriveInput, plan: EvaluationPlan, *, new_id: NewId) -> Evaluations:
    """Evaluate rules, and write their events. The points that they read have been written."""
    done: list[EventsDone] = []
    rule_states: dict[tuple[int, bytes], EntityRuleState | None] = {}
    for evaluations in (
        *(_evaluate_incrementally(session, given, item, new_id=new_id) for item in plan.incremental),
        *(_recompute(session, given, item, new_id=new_id) for item in plan.recomputations),
    ):
        done += evaluations.done
        rule_states |= evaluations.rule_states
    return Evaluations(done, rule_states)


def _evaluate_incrementally(
    session: Session, given: DeriveInput, item: IncrementalEvaluation, *, new_id: NewId
) -> Evaluations:
    known = {entity: given.rule_states[entity] for entity, _ in item.places}
    done, states = rules_evaluate_incrementally(
        session,
        organization_id=given.organization_id,
        places=[(entity, key_of(port)) for entity, port in item.places],
        columns=item.columns,
        watermarks_us=item.watermarks_us,
        assignments={entity: rule_state.assignments for entity, rule_state in known.items()},
        states={key: state for rule_state in known.values() for key, state in rule_state.states.items()},
        now=given.now,
        side_effects_disabled=item.side_effects_disabled,
        new_id=new_id,
    )
    rule_states: dict[tuple[int, bytes], EntityRuleState | None] = {}
    for entity, rule_state in known.items():
        # Of ports of which nothing came, the state stays.
        whole = len(states[entity]) == len(rule_state.states)
        pair_states = states[entity] if whole else {**rule_state.states, **states[entity]}
        rule_states[given.organization_id, entity] = EntityRuleState(rule_state.assignments, pair_states)
    return Evaluations([done], rule_states)


def _recompute(session: Session, given: DeriveInput, item: RuleRecomputation, *, new_id: NewId) -> Evaluations:
    assignments = {entity: given.index.entity_of(entity).assignments for entity in item.spans}
    done, states = rules_recompute(
        session,
        organization_id=given.organization_id,
        spans=item.spans,
        assignments=assignments,
        now=given.now,
        side_effects_disabled=item.side_effects_disabled,
        new_id=new_id,
    )
    rule_states: dict[tuple[int, bytes], EntityRuleState | None] = {}
    for entity in item.spans:
        known = states.get(entity)
        rule_states[given.organization_id, entity] = (
            None if known is None else EntityRuleState(assignments[entity], known)
        )
    return Evaluations([done], rule_states)
