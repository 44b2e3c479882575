"""Describe how numbers are distributed: percentiles and the standard deviation. Pure.

Percentiles interpolate linearly between the two nearest numbers: definition 7 of R. J. Hyndman, Y. Fan, "Sample
Quantiles in Statistical Packages", The American Statistician 50(4), 1996; the default of NumPy, pandas and R, and
`percentile_cont` of SQL.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Final

import numpy as np

from domain.base.packed import Aggregate, Values
from domain.telemetry.model.sums import fraction_rounded, mean_rounded

PERCENTILES: Final = {Aggregate.P05: 5, Aggregate.MEDIAN: 50, Aggregate.P95: 95}

# Beyond this, a difference of two doubles might be beyond all of them.
_DIFFERENCE_MAX: Final = 8e307


def percentile(numbers: Values, percent: int) -> float:
    """Return a percentile of at least one number: exact, and rounded once. NaN between two infinite ones.

    numbers: without NaN, in any order. percent: 0 to 100.
    """
    below, hundredths = divmod((len(numbers) - 1) * percent, 100)
    if not hundredths:
        return float(np.partition(numbers, below)[below])
    ordered = np.partition(numbers, (below, below + 1))
    low, high = float(ordered[below]), float(ordered[below + 1])
    if low == high:
        return low
    if not (math.isfinite(low) and math.isfinite(high)):
        return math.nan
    return fraction_rounded((Fraction(low) * (100 - hundredths) + Fraction(high) * hundredths) / 100)


def stddev(numbers: Values) -> float:
    """Return the standard deviation of a sample (over n - 1); NaN of fewer than two numbers, or beyond all doubles.

    numbers: without NaN. Two passes: no digits are lost where all numbers are large and close to each other.
    """
    if len(numbers) < 2 or not bool(np.isfinite(numbers).all()):  # noqa: PLR2004  (one number does not scatter)
        return math.nan
    unit = 4.0 if float(np.abs(numbers).max()) > _DIFFERENCE_MAX else 1.0
    scaled = numbers / unit
    differences = scaled - mean_rounded(scaled.tolist(), len(scaled))
    # The mean is rounded: of numbers close to each other, that is much of a difference.
    differences -= math.fsum(differences.tolist()) / len(differences)
    greatest = float(np.abs(differences).max())
    if greatest == 0.0:
        return 0.0
    squares = math.fsum(((differences / greatest) ** 2).tolist())
    deviation = unit * greatest * math.sqrt(squares / (len(numbers) - 1))
    return deviation if math.isfinite(deviation) else math.nan
