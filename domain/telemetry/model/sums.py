"""Add numbers exactly, and round once. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction


def sum_rounded(numbers: Sequence[float]) -> float:
    """Return the exact sum, rounded once, whatever the order; infinite where no double holds it. None is NaN."""
    try:
        return math.fsum(numbers)
    except ValueError:
        # Both infinities.
        return math.nan
    except OverflowError:
        # On the way, or in the end.
        return fraction_rounded(sum(map(Fraction, numbers), Fraction()))


def mean_rounded(numbers: Sequence[float], count: float) -> float:
    """Return the sum over the count; also where no double holds the sum, for the mean of doubles is one."""
    total = sum_rounded(numbers)
    if math.isfinite(total) or not all(map(math.isfinite, numbers)):
        return total / count
    return fraction_rounded(sum(map(Fraction, numbers), Fraction()) / Fraction(count))


def fraction_rounded(exact: Fraction) -> float:
    """Return the nearest double; infinite beyond all of them."""
    try:
        return float(exact)
    except OverflowError:
        return math.inf if exact > 0 else -math.inf
