"""What the points of an hour come to, so exactly that buckets made of hours equal buckets made of points. Pure.

The exact sum of an hour is held by two doubles, the rounded sum and what rounding left (T. J. Dekker, "A
floating-point technique for extending the available precision", 1971). `math.fsum` over such pairs rounds the exact
sum of all points once, as it does over the points themselves, whatever hours a bucket has.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.telemetry.packed import Instants, Points, Values

HOUR_US = 3_600_000_000
# Beyond this, sums of many hours might leave the range of doubles on the way.
_SUM_MAX = 1e290


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours of one series that hold points, ascending. at: their beginnings, in microseconds since the Unix epoch.

    is_whole: the other columns say all that buckets ask; where not, they hold zeros, and the points are to be read.
    """

    at: Instants
    is_whole: NDArray[np.bool_]
    points: NDArray[np.int64]
    least_type: NDArray[np.int8]
    greatest_type: NDArray[np.int8]
    least: Values
    greatest: Values
    first: Values
    last: Values
    sum: Values
    sum_error: Values

    def __len__(self) -> int:
        return len(self.at)


def hour_of(at: Instants) -> Instants:
    """Return the beginnings of the hours that these instants lie in, both in microseconds since the Unix epoch."""
    return at - at % HOUR_US


def hours_summarize(points: Points) -> Hours:
    """Return what a series' points come to by hour of UTC. points: ascending, at least one."""
    hours = hour_of(points.at)
    begins = np.flatnonzero(np.r_[True, hours[1:] != hours[:-1]])
    counts = np.diff(np.r_[begins, len(hours)])
    ends = begins + counts
    least, greatest = np.minimum.reduceat(points.values, begins), np.maximum.reduceat(points.values, begins)
    with np.errstate(all="ignore"):
        # Not so for a text either, whose value is NaN.
        is_whole = np.maximum(np.abs(least), np.abs(greatest)) * counts < _SUM_MAX
    sums, errors = np.zeros(len(begins)), np.zeros(len(begins))
    for n in np.flatnonzero(is_whole).tolist():
        exact = sum_exact(points.values[begins[n] : ends[n]].tolist())
        if exact is None:
            is_whole[n] = False
        else:
            sums[n], errors[n] = exact

    def whole(column: Values) -> Values:
        return np.where(is_whole, column, 0.0)

    return Hours(
        hours[begins],
        is_whole,
        counts,
        np.minimum.reduceat(points.types, begins),
        np.maximum.reduceat(points.types, begins),
        whole(least),
        whole(greatest),
        whole(points.values[begins]),
        whole(points.values[ends - 1]),
        sums,
        errors,
    )


def sum_exact(values: Sequence[float]) -> tuple[float, float] | None:
    """Return two doubles that together are the exact sum; None where two do not hold it.

    values: finite, their sum well within the range of doubles.
    """
    total = math.fsum(values)
    error = math.fsum((*values, -total))
    if error and math.fsum((*values, -total, -error)):
        return None
    return total, error
