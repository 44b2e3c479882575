"""How the rules of changed entities are evaluated is decided without a database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import numpy as np
import pytest

from domain.base.packed import Column
from domain.derivation.dependencies.index import DependencyIndex, Dependents
from domain.derivation.invalidation.windows import READINGS, REPLAY, Window
from domain.pipeline.attribute.stage import AssetEntry
from domain.pipeline.derive.checkpoints import EntityRuleState
from domain.pipeline.derive.evaluation_plan import evaluation_plan
from domain.pipeline.derive.work import DeriveInput, EvaluationPlan
from domain.rules.fast_path import PairState
from domain.rules.model import Assignment
from domain.telemetry.model.readings import NO_PORT

BATCH: Final = 3
REVISION: Final = 7
ASSIGNMENT: Final = Assignment(UUID(int=1), (), frozenset({"a"}))
ENTITY: Final = bytes([1]) * 16


def plan_of(
    *, evaluated_until_us: int | None, times: tuple[int, ...] = (200,), reason: str = READINGS
) -> EvaluationPlan:
    """Plan an entity without formulas whose points of `times` are at hand. evaluated_until_us: None: never."""
    column = Column(np.zeros(len(times), dtype=np.int64), np.array(times), np.ones(len(times)))
    states = {}
    if evaluated_until_us is not None:
        pair = PairState(None, evaluated_until_us, evaluated_until_us)
        states[ENTITY] = EntityRuleState((ASSIGNMENT,), {(ENTITY, ASSIGNMENT.rule_id, ""): pair})
    given = DeriveInput(
        organization_id=1,
        now=datetime(2026, 1, 1, tzinfo=UTC),
        index=DependencyIndex(REVISION, entities={ENTITY: Dependents(None, (ASSIGNMENT,))}),
        windows={ENTITY: [Window(1, ENTITY, 200, 201, BATCH, reason)]},
        entries=[AssetEntry(1, BATCH, REVISION, [(ENTITY, NO_PORT)], frozenset({ENTITY}), {"a": column})],
        checkpoints={},
        rule_states=states,
    )
    return evaluation_plan(given, spans={ENTITY: [(200, 201)]}, at_hand=())


def test_rules_evaluated_up_to_the_points_at_hand_go_on_from_there() -> None:
    plan = plan_of(evaluated_until_us=150)
    [item] = plan.incremental
    assert (item.places, item.watermarks_us, item.side_effects_disabled) == ([(ENTITY, NO_PORT)], [201], False)
    assert item.columns["a"].at.tolist() == [200]
    assert plan.recomputations == []


def test_rules_evaluated_further_or_never_and_those_with_two_points_of_one_time_are_recomputed() -> None:
    for plan in (
        plan_of(evaluated_until_us=250),
        plan_of(evaluated_until_us=None),
        plan_of(evaluated_until_us=150, times=(200, 200)),
    ):
        assert plan.incremental == []
        [item] = plan.recomputations
        assert (item.spans, item.side_effects_disabled) == ({ENTITY: [(200, 201)]}, False)


@pytest.mark.parametrize(
    ("metric", "owner", "is_incremental"),
    [("a", [0, 1], False), ("a", [0, 0], True), ("b", [0, 1], True)],
    ids=["read by a rule", "of another port", "read by no rule"],
)
def test_the_first_point_of_a_port_is_recomputed(metric: str, owner: list[int], *, is_incremental: bool) -> None:
    places = [(ENTITY, NO_PORT), (ENTITY, 1)]
    column = Column(np.array(owner, dtype=np.int64), np.array([200, 201]), np.ones(2))
    pair = PairState(None, 150, 150)
    given = DeriveInput(
        organization_id=1,
        now=datetime(2026, 1, 1, tzinfo=UTC),
        index=DependencyIndex(REVISION, entities={ENTITY: Dependents(None, (ASSIGNMENT,))}),
        windows={ENTITY: [Window(1, ENTITY, 200, 202, BATCH, READINGS)]},
        entries=[AssetEntry(1, BATCH, REVISION, places, frozenset({ENTITY}), {metric: column})],
        checkpoints={},
        rule_states={ENTITY: EntityRuleState((ASSIGNMENT,), {(ENTITY, ASSIGNMENT.rule_id, ""): pair})},
    )
    plan = evaluation_plan(given, spans={ENTITY: [(200, 202)]}, at_hand=())
    assert (bool(plan.incremental), bool(plan.recomputations)) == (is_incremental, not is_incremental)


def test_of_a_replay_no_side_effects_come() -> None:
    [incremental] = plan_of(evaluated_until_us=150, reason=REPLAY).incremental
    [recomputation] = plan_of(evaluated_until_us=None, reason=REPLAY).recomputations
    assert incremental.side_effects_disabled
    assert recomputation.side_effects_disabled
