"""What is written of dirty windows, and what follows from it, is decided without a database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import numpy as np

from domain.base.packed import Column
from domain.definitions.processors.versions import FIRST
from domain.derivation.dependencies.index import DependencyIndex, Dependents
from domain.derivation.formulas.config import Derivation
from domain.derivation.formulas.derive import State, inputs_of, reach_us
from domain.derivation.formulas.formulas import FormulaSet, formulas_of
from domain.derivation.formulas.inputs import ComputeRange, ReadBack
from domain.derivation.invalidation.spans import EntitySpan
from domain.derivation.invalidation.windows import HIERARCHY, READINGS, Window
from domain.pipeline.attribute.stage import AssetEntry
from domain.pipeline.derive.changed import ChangedSpans, changed_spans, windows_split
from domain.pipeline.derive.checkpoints import Checkpoint
from domain.pipeline.derive.plan import live_plans, stored_plan, windows_behind
from domain.pipeline.derive.propagation_plan import memberships_of
from domain.pipeline.derive.ranges import RecomputeRange
from domain.pipeline.derive.work import DeriveInput, DerivePlan, StoredRanges
from domain.telemetry.model.attribution import BEGIN_US, END_US
from domain.telemetry.model.readings import NO_PORT

REVISION: Final = 7
BATCH: Final = 3
AGE_US: Final = 600_000_000
_SETS = (
    FormulaSet(
        BEGIN_US, END_US, formulas_of({"derived": {"total": {"sum": {"a": 1, "b": 2}, "maxAge": "PT10M"}}}), FIRST
    ),
)
SUM: Final = Derivation(_SETS, inputs_of(_SETS), reach_us(_SETS))
PUMP, OTHER, THIRD = (bytes([n]) * 16 for n in (1, 2, 3))


def column(points: Mapping[int, float], owner: int = 0) -> Column:
    at = np.array(list(points), dtype=np.int64)
    return Column(np.full(len(at), owner, dtype=np.int64), at, np.array(list(points.values()), dtype=np.float64))


def window(entity: bytes, begins_us: int, ends_us: int, *, id_: int = 1, reason: str = READINGS) -> Window:
    return Window(id_, entity, begins_us, ends_us, BATCH, reason)


def given_of(
    windows: Sequence[Window],
    *,
    entries: Sequence[AssetEntry] = (),
    checkpoints: Mapping[bytes, Checkpoint] | None = None,
) -> DeriveInput:
    by_entity: dict[bytes, list[Window]] = {}
    for item in windows:
        by_entity.setdefault(item.entity, []).append(item)
    index = DependencyIndex(REVISION, entities={entity: Dependents(SUM) for entity in (PUMP, OTHER, THIRD)})
    return DeriveInput(1, datetime(2026, 1, 1, tzinfo=UTC), index, by_entity, entries, checkpoints or {}, {})


def entry_of(points: Mapping[bytes, Column]) -> AssetEntry:
    """Return an entry with points of the input `a`, by entity."""
    parts = [Column(np.full(len(c), n), c.at, c.values) for n, c in enumerate(points.values())]
    joined = Column(*(np.concatenate(part) for part in zip(*((c.owner, c.at, c.values) for c in parts), strict=True)))
    return AssetEntry(1, BATCH, REVISION, [(entity, NO_PORT) for entity in points], frozenset(points), {"a": joined})


def live_of(given: DeriveInput) -> list[DerivePlan]:
    return live_plans(given, windows_split(given.windows, index=given.index))


def test_points_at_hand_behind_a_checkpoint_are_derived_from_it_and_all_others_from_stored_points() -> None:
    state = State({"a": (100, 1.0), "b": (100, 5.0)})
    given = given_of(
        [window(PUMP, 200, 301, id_=1), window(OTHER, 200, 301, id_=2), window(THIRD, 50, 301, id_=3)],
        entries=[entry_of({entity: column({200: 2, 300: 3}) for entity in (PUMP, OTHER, THIRD)})],
        # Of the second nothing is cached; the third has been derived further than its window begins.
        checkpoints={entity: Checkpoint(REVISION, 100, state) for entity in (PUMP, THIRD)},
    )
    split = windows_split(given.windows, index=given.index)
    plans = live_plans(given, split)
    assert list(windows_behind(split, plans)) == [OTHER, THIRD]
    [plan] = plans
    assert (plan.entities, plan.done, plan.recomputed) == ([PUMP], [1], ())
    assert plan.changed == [EntitySpan(PUMP, 200, 301)]
    [metric] = plan.metrics
    assert (metric.metric, metric.entities, metric.is_recompute) == ("total", frozenset({PUMP}), False)
    [change] = metric.changes
    # What is missing at these instants is carried forward from the checkpoint.
    assert (change.at.tolist(), change.values.tolist(), change.removed.tolist()) == ([200, 300], [12.0, 13.0], [])
    assert not change.corrects
    checkpoint = plan.checkpoints[PUMP]
    assert checkpoint is not None
    assert (checkpoint.watermark_us, checkpoint.state.inputs) == (300, {"a": (300, 3.0), "b": (100, 5.0)})


def test_points_at_hand_are_not_used_at_another_revision_or_with_duplicate_times() -> None:
    twice = Column(np.zeros(2, dtype=np.int64), np.array([200, 200]), np.array([1.0, 2.0]))
    for points, revision in ((twice, REVISION), (column({200: 1}), REVISION - 1)):
        given = given_of(
            [window(PUMP, 200, 201)],
            entries=[entry_of({PUMP: points})],
            checkpoints={PUMP: Checkpoint(revision, 100, State())},
        )
        split = windows_split(given.windows, index=given.index)
        assert list(windows_behind(split, live_of(given))) == [PUMP]


def stored_of(requested: ComputeRange, *, ends_us: int, stored: Mapping[int, float]) -> StoredRanges:
    """Return a range up to `ends_us` of which `a` is 1 and `b` is 2 at 1000, 2000 and 3000."""
    part = ComputeRange(requested.entity, SUM, requested.begins_us, ends_us, requested.windows)
    to_compute = RecomputeRange(requested, requested, requested, part, watermark_us=3000)
    times = [at for at in (1000, 2000, 3000) if at < ends_us]
    inputs = {"a": column(dict.fromkeys(times, 1.0)), "b": column(dict.fromkeys(times, 2.0))}
    return StoredRanges(SUM, [to_compute], ReadBack(inputs, {"total": column(stored)}))


def test_missing_points_are_inserted_wrong_ones_superseded_and_stale_ones_removed() -> None:
    given = given_of([window(PUMP, 1000, 4000)])
    requested = ComputeRange(PUMP, SUM, 1000, 4000 + AGE_US, given.windows[PUMP])
    stored = stored_of(requested, ends_us=requested.ends_us, stored={1000: 5.0, 1500: 5.0, 2000: 4.0})
    plan = stored_plan(given, stored, shadow_failures=0)
    [metric] = plan.metrics
    [change] = metric.changes
    assert (change.at.tolist(), change.values.tolist()) == ([2000, 3000], [5.0, 5.0])
    assert change.removed.tolist() == [1500]
    assert (change.begins_us, change.ends_us, change.corrects) == (1500, 3001, True)
    assert (plan.done, plan.begun) == ([1], {})
    assert plan.recomputed == plan.changed == [EntitySpan(PUMP, 1000, requested.ends_us)]
    checkpoint = plan.checkpoints[PUMP]
    assert checkpoint is not None
    assert checkpoint.watermark_us == 3000


def test_what_is_stored_as_it_should_be_is_not_written_again() -> None:
    given = given_of([window(PUMP, 1000, 4000)])
    requested = ComputeRange(PUMP, SUM, 1000, 4000 + AGE_US, given.windows[PUMP])
    stored = stored_of(requested, ends_us=requested.ends_us, stored=dict.fromkeys((1000, 2000, 3000), 5.0))
    [metric] = stored_plan(given, stored, shadow_failures=0).metrics
    assert metric.entities == {PUMP}
    assert not metric.changes


def test_a_window_computed_in_part_stays_from_there_on_and_nothing_is_remembered_of_its_entity() -> None:
    long = window(PUMP, 1000, 10 * AGE_US)
    given = given_of([long])
    requested = ComputeRange(PUMP, SUM, 1000, long.ends_us + AGE_US, [long])
    plan = stored_plan(given, stored_of(requested, ends_us=3 * AGE_US, stored={}), shadow_failures=0)
    assert (plan.done, plan.begun) == ([], {1: 3 * AGE_US})
    assert plan.changed == [EntitySpan(PUMP, 1000, 3 * AGE_US)]
    assert plan.checkpoints == {PUMP: None}


def test_a_changed_hierarchy_changes_no_points_but_what_lies_below() -> None:
    given = given_of([window(PUMP, 100, 200, reason=HIERARCHY)])
    split = windows_split(given.windows, index=given.index)
    assert (split.derived, [item.id for item in split.propagated]) == ({}, [1])
    changed = changed_spans(propagated=split.propagated, derived=())
    assert (changed.points, changed.hierarchy) == ({}, {PUMP: [(100, 200)]})
    assert memberships_of(changed, below={PUMP: [PUMP, OTHER]}) == [EntitySpan(OTHER, 100, 200)]


def test_what_changed_behind_the_retention_bound_has_no_effect() -> None:
    changed = ChangedSpans({PUMP: [(0, 50), (80, 150)], OTHER: [(0, 100)], THIRD: [(100, 200)]})
    assert changed.before(100) == {PUMP, OTHER}
    assert changed.clamped(100).points == {PUMP: [(100, 150)], THIRD: [(100, 200)]}
