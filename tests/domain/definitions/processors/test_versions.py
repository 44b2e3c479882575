"""The results of each version of the derive stage."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from domain.definitions.processors.versions import VERSIONS

PLAIN, EXACT = 0.1 + 0.2 + 0.3, math.fsum([0.1, 0.2, 0.3])


@given(st.lists(st.lists(st.floats(), min_size=1, max_size=5), min_size=0, max_size=4), st.floats())
def test_version_2_rounds_once(rows: list[list[float]], offset: float) -> None:
    width = min(map(len, rows), default=1)
    columns = [np.array([row[n] for row in rows]) for n in range(width)]
    totals = VERSIONS[2].total(len(rows), offset, iter(columns)).tolist()
    for row, value in zip(rows, totals, strict=True):
        summands = [offset, *row[:width]]
        if not all(map(math.isfinite, summands)):
            assert math.isnan(value)
            continue
        try:
            assert value == float(sum(map(Fraction, summands)))
        except OverflowError:
            assert math.isinf(value)


def test_version_1_adds_the_offset_first_and_then_the_terms_in_order() -> None:
    terms = [np.array([0.1, 1e308]), np.array([0.2, 1e308]), np.array([0.3, -1e308])]
    with np.errstate(over="ignore"):
        assert VERSIONS[1].total(2, 0.0, iter(terms)).tolist() == [PLAIN, math.inf]
    assert VERSIONS[2].total(2, 0.0, iter(terms)).tolist() == [EXACT, 1e308]
