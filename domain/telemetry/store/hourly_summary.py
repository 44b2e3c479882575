"""Aggregate the points of hours, so exactly that buckets of hours equal buckets of points. Pure.

The exact sum of an hour is held by two doubles, the rounded sum and what rounding left (T. J. Dekker, "A
floating-point technique for extending the available precision", 1971). `math.fsum` over such pairs rounds the exact
sum of all points once, as it does over the points themselves, whatever hours a bucket has. The quarters of an hour are
held alike, for zones whose clocks differ from UTC by half an hour or a quarter.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.base.packed import Instants, Points, Values

HOUR_US = 3_600_000_000
QUARTER_US = HOUR_US // 4
# One of the four records that `series_hours.quarters` holds of an hour; of a quarter without points all is zero.
QUARTER = np.dtype(
    [
        ("points", "<i4"),
        ("least_type", "i1"),
        ("greatest_type", "i1"),
        *((name, "<f8") for name in ("least", "greatest", "first", "last", "sum", "sum_error")),
    ]
)
# Beyond this, sums of many hours might leave the range of doubles on the way.
_SUM_MAX = 1e290


@dataclass(frozen=True, slots=True)
class HourlyAggregates:
    """Hours of one series that hold points, ascending. at: their beginnings, in microseconds since the Unix epoch.

    is_whole: the other columns say all that buckets ask; where not, they hold zeros, and the points are to be read.
    quarters: four records of QUARTER each, packed; None where they do not say it all.
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
    quarters: Sequence[bytes | None]

    def __len__(self) -> int:
        return len(self.at)


def hour_of(at: Instants) -> Instants:
    """Return the beginnings of the hours that these instants lie in, both in microseconds since the Unix epoch."""
    return at - at % HOUR_US


@dataclass(frozen=True, slots=True)
class _Summaries:
    """Aggregates of points by spans of one length that hold any. Columns as in `HourlyAggregates`."""

    at: Instants
    is_whole: NDArray[np.bool_]
    columns: dict[str, NDArray[Any]]


def hourly_aggregates(points: Points) -> HourlyAggregates:
    """Aggregate a series' points by hour of UTC, and by quarter of an hour. points: ascending, at least one."""
    hours = _summarize(points, HOUR_US)
    return HourlyAggregates(
        hours.at, hours.is_whole, **hours.columns, quarters=_quarters(_summarize(points, QUARTER_US), hours)
    )


def _quarters(quarters: _Summaries, hours: _Summaries) -> list[bytes | None]:
    """Pack quarters by the hours they lie in."""
    records = np.zeros((len(hours.at), 4), dtype=QUARTER)
    place = np.searchsorted(hours.at, hour_of(quarters.at))
    within = (quarters.at - hours.at[place]) // QUARTER_US
    for name, column in quarters.columns.items():
        records[name][place, within] = column
    is_complete = hours.is_whole.copy()
    is_complete[place[~quarters.is_whole]] = False
    return [records[n].tobytes() if is_complete[n] else None for n in range(len(records))]


def _summarize(points: Points, length_us: int) -> _Summaries:
    spans = points.at - points.at % length_us
    begins = np.flatnonzero(np.r_[True, spans[1:] != spans[:-1]])
    counts = np.diff(np.r_[begins, len(spans)])
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

    columns = {
        "points": counts,
        "least_type": np.minimum.reduceat(points.types, begins),
        "greatest_type": np.maximum.reduceat(points.types, begins),
        "least": whole(least),
        "greatest": whole(greatest),
        "first": whole(points.values[begins]),
        "last": whole(points.values[ends - 1]),
        "sum": sums,
        "sum_error": errors,
    }
    return _Summaries(spans[begins], is_whole, columns)


def sum_exact(values: Sequence[float]) -> tuple[float, float] | None:
    """Return two doubles that together are the exact sum; None where two do not hold it.

    values: finite, their sum well within the range of doubles.
    """
    total = math.fsum(values)
    error = math.fsum((*values, -total))
    if error and math.fsum((*values, -total, -error)):
        return None
    return total, error
