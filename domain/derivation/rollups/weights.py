"""Recorded weights of descendants: the one in force when a bucket begins counts. Pure."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from domain.base.packed import Instants, Values
from domain.telemetry.model.attribution import BEGIN_US


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights of one descendant, each from an instant on; NaN where it has none. The first also counts before.

    since_us: ascending, as many as values, at least one.
    """

    since_us: Sequence[int]
    values: Sequence[float]


UNWEIGHTED: Final = Weights((BEGIN_US,), (math.nan,))


def weights_recorded(versions: Iterable[tuple[int, Any]]) -> Weights:
    """Return the weights of an attribute's versions: (from when on, value), ascending. Without any, none.

    Only positive numbers are weights.
    """
    since_us: list[int] = []
    values: list[float] = []
    for at_us, value in versions:
        since_us.append(at_us)
        values.append(_weight(value))
    return Weights(since_us, values) if since_us else UNWEIGHTED


def weights_at(weights: Sequence[Weights], begins: Instants) -> Values:
    """Return the weight of each descendant in force at each of these instants, which ascend; NaN where there is none.

    Shape (descendants, instants).
    """
    matrix = np.empty((len(weights), len(begins)))
    if not len(begins):
        return matrix
    first_us, last_us = int(begins[0]), int(begins[-1])
    for n, weight in enumerate(weights):
        # The first record also counts before its own instant.
        first, last = (max(bisect_right(weight.since_us, at_us) - 1, 0) for at_us in (first_us, last_us))
        if first == last:
            matrix[n] = weight.values[first]
        else:
            places = np.searchsorted(weight.since_us, begins, side="right") - 1
            matrix[n] = np.array(weight.values)[np.maximum(places, 0)]
    return matrix


def _weight(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < float("inf"):
        return math.nan
    return float(value)
