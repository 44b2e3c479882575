"""Aggregate the values of all descendants in a bucket into one. Pure."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from domain.base.packed import Values
from domain.derivation.rollups.model import RollupAggregate, RollupDraft, Worst
from domain.telemetry.model.sums import fraction_rounded, mean_rounded, sum_rounded


def rollup_values(draft: RollupDraft, values: Values, weights: Values | None) -> Values:
    """Return a value for each bucket, NaN where there is none. Whatever the order of the descendants.

    values: shape (descendants, buckets), each descendant's own value of each bucket, NaN where it has none. weights:
    of a WEIGHTED_MEAN, of the same shape, NaN for one without. Sums are exact, rounded once; what no double holds is no
    value.
    """
    if weights is not None:
        values = np.where(np.isnan(weights), np.nan, values)
    has = ~np.isnan(values)
    counts = has.sum(axis=0)
    result = np.full(values.shape[1], np.nan)
    filled = np.flatnonzero(counts)
    if not len(filled):
        # Without descendants there is no minimum.
        return result
    low = draft.aggregate is RollupAggregate.MIN or draft.worst is Worst.LOWEST
    if draft.aggregate is RollupAggregate.COUNT:
        result[filled] = counts[filled]
    elif draft.aggregate in (RollupAggregate.MIN, RollupAggregate.MAX, RollupAggregate.WORST):
        result[filled] = (np.nanmin if low else np.nanmax)(values[:, filled], axis=0)
    else:
        for n in filled.tolist():
            of_bucket = has[:, n]
            result[n] = _mean_or_sum(draft, values[of_bucket, n], None if weights is None else weights[of_bucket, n])
    result[~np.isfinite(result)] = np.nan
    # Zero has no sign: which of two zeros is the minimum would depend on the order.
    return result + 0.0


def _mean_or_sum(draft: RollupDraft, values: NDArray[np.float64], weights: Values | None) -> float:
    if weights is None:
        numbers = values.tolist()
        return sum_rounded(numbers) if draft.aggregate is RollupAggregate.SUM else mean_rounded(numbers, len(numbers))
    with np.errstate(all="ignore"):
        weighted = values * weights
    total, weight = sum_rounded(weighted.tolist()), sum_rounded(weights.tolist())
    if math.isfinite(total) and math.isfinite(weight):
        return total / weight
    # An intermediate result may overflow although the mean itself does not.
    pairs = zip(map(Fraction, values.tolist()), map(Fraction, weights.tolist()), strict=True)
    exact = sum((value * pair for value, pair in pairs), Fraction())
    return fraction_rounded(exact / sum(map(Fraction, weights.tolist()), Fraction()))
