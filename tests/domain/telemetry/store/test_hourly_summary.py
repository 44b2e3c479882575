"""Exact aggregates of an hour's points."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from domain.base.packed import MetricType, Points
from domain.telemetry.store.hourly_summary import HOUR_US, QUARTER, hourly_aggregates, sum_exact

finite = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e280, max_value=1e280)


@given(st.lists(finite, min_size=1, max_size=50))
def test_two_doubles_are_the_exact_sum_or_none_are_given(values: list[float]) -> None:
    exact = sum(map(Fraction, values))
    parts = sum_exact(values)
    if parts is None:
        rounded = float(exact)
        assert exact - Fraction(rounded) != Fraction(float(exact - Fraction(rounded)))
    else:
        assert Fraction(parts[0]) + Fraction(parts[1]) == exact


def test_two_doubles_hold_the_sum_of_sensor_values() -> None:
    assert sum_exact([20.1 + n / 7 for n in range(3600)]) is not None
    assert sum_exact([1e200, 1.0, 1e-200]) is None


def points(*rows: tuple[int, float | bool | str]) -> Points:
    is_text = [isinstance(value, str) for _, value in rows]
    types = [
        MetricType.TEXT if isinstance(value, str) else MetricType.BOOLEAN if isinstance(value, bool) else 0
        for _, value in rows
    ]
    texts = np.array([value if isinstance(value, str) else None for _, value in rows], dtype=object)
    return Points(
        np.array([at for at, _ in rows], dtype=np.int64),
        np.array([math.nan if isinstance(value, str) else float(value) for _, value in rows]),
        np.array(types, dtype=np.int8),
        texts if any(is_text) else None,
    )


def test_each_hour_of_utc_is_one_row_and_before_the_epoch_too() -> None:
    made = hourly_aggregates(points((-1, 5.0), (0, 1.0), (HOUR_US - 1, 3.0), (3 * HOUR_US, True)))
    assert made.at.tolist() == [-HOUR_US, 0, 3 * HOUR_US]
    assert made.points.tolist() == [1, 2, 1]
    assert made.is_whole.tolist() == [True, True, True]
    assert made.first.tolist() == [5.0, 1.0, 1.0]
    assert made.last.tolist() == [5.0, 3.0, 1.0]
    assert made.least.tolist() == [5.0, 1.0, 1.0]
    assert made.greatest.tolist() == [5.0, 3.0, 1.0]
    assert made.sum.tolist() == [5.0, 4.0, 1.0]
    assert made.least_type.tolist() == made.greatest_type.tolist() == [0, 0, 1]


def test_quarters_of_an_hour_are_packed_beside_it() -> None:
    quarter = HOUR_US // 4
    made = hourly_aggregates(
        points((1, 1.0), (quarter - 1, 4.0), (3 * quarter, True), (HOUR_US, "x"), (HOUR_US + 1, 2.0))
    )
    assert made.quarters[1] is None
    assert made.quarters[0] is not None
    records = np.frombuffer(made.quarters[0], dtype=QUARTER)
    assert [tuple(record) for record in records.tolist()] == [
        (2, 0, 0, 1.0, 4.0, 1.0, 4.0, 5.0, 0.0),
        (0, 0, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
        (0, 0, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
        (1, 1, 1, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0),
    ]


def test_sums_beyond_two_doubles_are_left_to_the_points() -> None:
    made = hourly_aggregates(
        points((0, "open"), (1, 2.0), (HOUR_US, 1e300), (2 * HOUR_US, math.inf), (3 * HOUR_US, 7.0))
    )
    assert made.is_whole.tolist() == [False, False, False, True]
    assert made.sum.tolist() == [0.0, 0.0, 0.0, 7.0]
