from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.telemetry.model.thinning import thin

values_strategy = st.one_of(st.floats(-1e9, 1e9), st.just(math.nan))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 10**6), values_strategy), min_size=2, max_size=300), st.integers(4, 299))
def test_extremes_and_ends_stay_and_the_bound_holds(points: list[tuple[int, float]], max_points: int) -> None:
    at = np.cumsum(np.array([step for step, _ in points], dtype=np.int64))
    values = np.array([value for _, value in points])
    thinned = thin(at, values, max_points=max_points)
    assert 1 <= len(thinned) <= max_points
    assert (np.diff(thinned) > 0).all()
    assert (thinned[0], thinned[-1]) == (0, len(at) - 1)
    if not np.isnan(values).all():
        assert np.nanmin(values[thinned]) == np.nanmin(values)
        assert np.nanmax(values[thinned]) == np.nanmax(values)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 3), st.lists(st.floats(-1e9, 1e9), min_size=4, max_size=50))
def test_very_few_points(max_points: int, values: list[float]) -> None:
    column = np.array(values)
    thinned = thin(np.arange(len(values), dtype=np.int64), column, max_points=max_points)
    assert 1 <= len(thinned) <= max_points
    if max_points == 1:
        assert thinned.tolist() == [len(values) - 1]
    else:
        assert {min(values), max(values)} == {column[thinned].min(), column[thinned].max()}


@settings(max_examples=100, deadline=None)
@given(st.integers(20, 400), st.integers(20, 400), st.integers(8, 200), st.integers(2, 1000))
def test_a_gap_longer_than_a_bin_stays_as_wide(before: int, after: int, max_points: int, gap: int) -> None:
    at = np.concatenate((np.arange(before), before + gap + np.arange(after))).astype(np.int64)
    width = int(at[-1]) // (max_points // 4) + 1
    thinned = at[thin(at, np.sin(at / 5.0), max_points=max_points)]
    widest = int(np.diff(at).max())
    if widest > width:
        assert before - 1 in thinned
        assert before + gap in thinned
