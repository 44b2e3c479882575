"""Weights of descendants as they were recorded: what was in force when a bucket began. Pure."""

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
    """The weights of one descendant, each from an instant on; NaN where it has none. The first counts from ever.

    since_us: ascending, as many as values, at least one.
    """

    since_us: Sequence[int]
    values: Sequence[float]


UNWEIGHTED: Final = Weights((BEGIN_US,), (math.nan,))


def weights_recorded(versions: Iterable[tuple[int, Any]]) -> Weights:
    """Return the weights of an attribute's versions: (from when on, value), ascending. Without any, none.

    What is no positive number is no weight.
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
    found = np.empty((len(weights), len(begins)))
    if not len(begins):
        return found
    first_us, last_us = int(begins[0]), int(begins[-1])
    for n, each in enumerate(weights):
        # What was before the first record was as that.
        first, last = (max(bisect_right(each.since_us, at_us) - 1, 0) for at_us in (first_us, last_us))
        if first == last:
            found[n] = each.values[first]
        else:
            places = np.searchsorted(each.since_us, begins, side="right") - 1
            found[n] = np.array(each.values)[np.maximum(places, 0)]
    return found


def _weight(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < float("inf"):
        return math.nan
    return float(value)
