"""The type of a series: of points alike at a glance, else by their weights; both ways the same."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from domain.base.packed import MetricType, Points, type_of


@given(st.lists(st.sampled_from(MetricType), min_size=1, max_size=6))
def test_points_have_the_type_that_they_have_with_equal_weights(types: list[MetricType]) -> None:
    count = len(types)
    points = Points(np.arange(count), np.zeros(count), np.array(types, dtype=np.int8), None)
    assert type_of(points, declared=None) is type_of(points, declared=None, counts=np.ones(count))
