"""Thin points: fewer, with the same shape. Pure.

The method is M4: U. Jugel, Z. Jerzak, G. Hackenbroich, V. Markl, "M4: A Visualization-Oriented Time Series
Data Aggregation", PVLDB 7(10), 2014. The range is cut into bins of equal time; of each bin its first, last,
least and greatest point stay. So what is drawn through the kept points has the same outline in every bin,
every extreme of the range is kept, and a gap longer than a bin stays as wide as it is, which sampling by
count would not hold.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from domain.base.packed import Points, Values

POINTS_MAX = 10_000

_PER_BIN = 4
_REFINEMENTS = 12


def points_thin(points: Points, *, max_points: int) -> Points:
    """Return at most `max_points` of the points, in order; all of them where they are few enough."""
    if len(points.at) <= max_points:
        return points
    return points.take(thin(points.at, points.values, max_points=max_points))


def thin(at: NDArray[np.int64], values: Values, *, max_points: int) -> NDArray[np.int64]:
    """Choose at most `max_points` (at least 1) positions of a series: ascending, without repeats.

    at: ascending times, at least one. values: same length; at a NaN only being first or last of a bin counts.
    Below four points: the last; the least and the greatest; those and the last.
    """
    if max_points < _PER_BIN:
        return _few(values, max_points)
    bins = max_points // _PER_BIN
    thinned = _m4(at, values, bins)
    # Points that crowd together leave bins empty: halve the bins while the points still fit.
    for _ in range(_REFINEMENTS):
        finer = _m4(at, values, bins * 2)
        if len(finer) > max_points:
            break
        thinned, bins = finer, bins * 2
    return thinned


def _m4(at: NDArray[np.int64], values: Values, bins: int) -> NDArray[np.int64]:
    elapsed = at - at[0]
    # Whole numbers throughout: a float would put points of microseconds apart into the wrong bin.
    width = int(elapsed[-1]) // bins + 1
    number = elapsed // width
    starts = np.flatnonzero(np.diff(number, prepend=-1))
    ends = np.append(starts[1:], len(at))
    low = np.minimum.reduceat(np.where(np.isnan(values), np.inf, values), starts)
    high = np.maximum.reduceat(np.where(np.isnan(values), -np.inf, values), starts)
    sizes = ends - starts
    least = _firsts(values == np.repeat(low, sizes), starts, sizes)
    greatest = _firsts(values == np.repeat(high, sizes), starts, sizes)
    return np.unique(np.concatenate((starts, ends - 1, least, greatest)))


def _firsts(hits: NDArray[np.bool_], starts: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the first hit of each bin that has one."""
    positions = np.flatnonzero(hits)
    number = np.repeat(np.arange(len(starts)), sizes)[positions]
    return positions[np.flatnonzero(np.diff(number, prepend=-1))]


def _few(values: Values, max_points: int) -> NDArray[np.int64]:
    last = len(values) - 1
    if max_points == 1 or bool(np.isnan(values).all()):
        return np.array([last])
    extremes = [int(np.nanargmin(values)), int(np.nanargmax(values))]
    return np.unique(np.array([*extremes, last] if max_points > len(extremes) else extremes))
