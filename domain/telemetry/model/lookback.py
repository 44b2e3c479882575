"""Aggregate each bucket's points together with the last point before it. Pure.

What happened between two points belongs to the bucket of the later one; so what these aggregates say of adjoining
ranges adds up to what they say of the whole. Texts are passed over, as if they were not there.

* DELTA: the last number minus the last one before the bucket; where there is none before, minus the bucket's first.
* INCREASE: the growth of a counter, by what each number exceeds the one before it. A smaller number says that the
  counter began again at zero, so that all of it is growth (as `increase` of Prometheus has it, without its
  extrapolation). What was read over another link, from another device or again from the same one, is another counter:
  its first number adds nothing. Counters of several links at once are added up.
* RATE: INCREASE over the seconds of the bucket that the range covers.
* TIME_WEIGHTED_MEAN: every number counts for as long as it holds: until the next one, the end of the link over which it
  was read, or now. So a bucket without points has a value, too. Time without a number counts for nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.base.packed import Aggregate, Instants, Places, Points, Values
from domain.telemetry.model.buckets import Counted
from domain.telemetry.model.sums import sum_rounded

# Of these, what a bucket says depends on the point before it.
LOOKBACK: Final = frozenset({Aggregate.DELTA, Aggregate.INCREASE, Aggregate.RATE, Aggregate.TIME_WEIGHTED_MEAN})

_SPLIT: Final = 2.0**27 + 1.0


class Preceding(NamedTuple):
    """The last number before a range; at: microseconds since the Unix epoch."""

    at: int
    value: float


@dataclass(frozen=True, slots=True)
class Track:
    """The numbers of a source in a range, in order of time, each with the segment that it was read over.

    at: microseconds since the Unix epoch, ascending; each once, but for those who count every link by itself.
    segments: the place of each number's segment.
    ends_us: where each segment ends. preceding: by segment, its last number before the range.
    """

    at: Instants
    values: Values
    segments: Places
    ends_us: Sequence[int]
    preceding: Mapping[int, Preceding]


@dataclass(frozen=True, slots=True)
class Span:
    """The range that is asked for, [begins_us, ends_us), microseconds since the Unix epoch.

    now_us: no number holds on beyond it.
    """

    begins_us: int
    ends_us: int
    now_us: int

    def until_us(self, at: Instants) -> int:
        """Return where the last of these points stops to hold. A point may be a little ahead of now."""
        last_us = int(at[-1]) + 1 if len(at) else self.begins_us
        return min(self.ends_us, max(self.now_us, last_us))


def delta(counted: Counted, edges: Instants, *, preceding: Preceding | None) -> Values:
    """Return the net change of each bucket, shape (buckets,): NaN where a bucket has no number.

    counted: ascending, none before edges[0]. preceding: the last number before them.
    """
    at, values = _numbers(counted.points)
    changes = np.full(len(edges) - 1, np.nan)
    cuts = np.searchsorted(at, edges, side="left")
    filled = np.flatnonzero(cuts[1:] > cuts[:-1])
    if len(filled):
        lasts = values[cuts[filled + 1] - 1]
        baseline = values[cuts[filled[0]]] if preceding is None else preceding.value
        with np.errstate(all="ignore"):
            changes[filled] = lasts - np.r_[baseline, lasts[:-1]]
    return _finite(changes)


def increase(track: Track, edges: Instants) -> Values:
    """Return the growth of each bucket's counter, shape (buckets,): NaN where a bucket has no number.

    Exact, and rounded once.
    """
    grown = np.full(len(edges) - 1, np.nan)
    if not len(track.at):
        return grown
    order = np.lexsort((track.at, track.segments))
    values, segments = track.values[order], track.segments[order]
    buckets = np.searchsorted(edges, track.at[order], side="right") - 1
    is_next = np.r_[False, segments[1:] == segments[:-1]]
    before = np.r_[np.nan, values[:-1]]
    for place in np.flatnonzero(~is_next).tolist():
        preceding = track.preceding.get(int(segments[place]))
        before[place] = values[place] if preceding is None else preceding.value
    is_reset = values < before
    # Between two of one bucket, the earlier is added and taken away again.
    is_inner = is_next & ~is_reset & np.r_[False, buckets[1:] == buckets[:-1]]
    is_taken = ~is_inner & ~is_reset
    is_added = np.r_[~is_inner[1:], True]
    terms = np.concatenate((values[is_added], -before[is_taken]))
    of_term = np.concatenate((buckets[is_added], buckets[is_taken]))
    order = np.argsort(of_term, kind="stable")
    terms, of_term = terms[order], of_term[order]
    begins = np.flatnonzero(np.r_[True, of_term[1:] != of_term[:-1]])
    for begin, end in zip(begins.tolist(), [*begins[1:].tolist(), len(terms)], strict=True):
        grown[of_term[begin]] = sum_rounded(terms[begin:end].tolist())
    return _finite(grown)


def rate(track: Track, edges: Instants, *, span: Span) -> Values:
    """Return the growth of each bucket's counter per second of the bucket within the span; else as `increase`."""
    until_us = span.until_us(track.at)
    lengths = np.minimum(edges[1:], until_us) - np.maximum(edges[:-1], span.begins_us)
    with np.errstate(all="ignore"):
        return _finite(increase(track, edges) / (lengths / 1e6))


def time_weighted_mean(track: Track, edges: Instants, *, span: Span) -> Values:
    """Return each bucket's mean over time, shape (buckets,): NaN where no number holds."""
    means = np.full(len(edges) - 1, np.nan)
    begins, ends, values = _steps(track, span)
    if not len(begins):
        return means
    # Every part lies in one bucket, and in one hold or in none.
    cuts = np.concatenate((begins, ends, edges[(edges > begins[0]) & (edges < ends.max())]))
    # Three ascending runs, which a stable sort merges; np.unique would hash them, ten times as slowly.
    cuts.sort(kind="stable")
    cuts = cuts[np.r_[True, cuts[1:] != cuts[:-1]]]
    parts = cuts[:-1]
    step_of = np.searchsorted(begins, parts, side="right") - 1
    is_covered = parts < ends[step_of]
    parts, lengths, step_of = parts[is_covered], np.diff(cuts)[is_covered], step_of[is_covered]
    buckets = np.searchsorted(edges, parts, side="right") - 1
    starts = np.flatnonzero(np.r_[True, buckets[1:] != buckets[:-1]])
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(parts)], strict=True):
        means[buckets[start]] = _mean_weighted(values[step_of[start:end]], lengths[start:end])
    return means


def _steps(track: Track, span: Span) -> tuple[Instants, Instants, Values]:
    """Return from when, until when and which numbers hold: ascending, apart from each other."""
    begins, values = track.at, track.values
    limits = np.array(track.ends_us, dtype=np.int64)[track.segments] if len(track.at) else track.at
    if track.preceding:
        # Of two at one time the first segment's is shown.
        segment = max(track.preceding, key=lambda place: (track.preceding[place].at, -place))
        begins = np.r_[span.begins_us, begins]
        values = np.r_[track.preceding[segment].value, values]
        limits = np.r_[track.ends_us[segment], limits]
    if not len(begins):
        return begins, begins, values
    ends = np.minimum(np.r_[begins[1:], span.until_us(track.at)], limits)
    is_covered = begins < ends
    return begins[is_covered], ends[is_covered], values[is_covered]


def _mean_weighted(values: Values, weights: NDArray[np.int64]) -> float:
    least, greatest = float(values.min()), float(values.max())
    if least == greatest:
        return least
    exact = weights.astype(np.float64)
    with np.errstate(all="ignore"):
        product, error = _product_exact(values, exact)
        mean = math.nan
        if bool(np.isfinite(product).all() and np.isfinite(error).all()):
            # The errors are so small that their own sum may be rounded.
            mean = sum_rounded([*product.tolist(), float(error.sum())]) / float(exact.sum())
        if not math.isfinite(mean):
            mean = sum_rounded((values * (exact / exact.sum())).tolist())
    return min(max(mean, least), greatest) if math.isfinite(mean) else math.nan


def _product_exact(left: Values, right: Values) -> tuple[Values, Values]:
    """Return two doubles that together are the exact product (T. J. Dekker, 1971); not finite beyond doubles."""
    product = left * right
    left_high, left_low = _halves(left)
    right_high, right_low = _halves(right)
    error = left_low * right_low - (
        ((product - left_high * right_high) - left_low * right_high) - left_high * right_low
    )
    return product, error


def _halves(values: Values) -> tuple[Values, Values]:
    scaled = _SPLIT * values
    high = scaled - (scaled - values)
    return high, values - high


def _numbers(points: Points) -> tuple[Instants, Values]:
    is_number = ~np.isnan(points.values)
    return points.at[is_number], points.values[is_number]


def _finite(values: Values) -> Values:
    return np.where(np.isfinite(values), values, np.nan)
