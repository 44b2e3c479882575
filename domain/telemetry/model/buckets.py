"""Split a time range into calendar-aware buckets, and aggregate each bucket's points. Pure.

Where buckets begin, all in the time zone asked for:

* months (P1M, P3M, P1Y): at local midnight of the first of a month; counted from January 1970, so that P3M
  are quarters and P1Y calendar years;
* whole weeks (P1W, P14D): at local midnight of a Monday, counted from Monday 1969-12-29 (ISO 8601);
* other whole days: at local midnight, counted from 1970-01-01; a local day has 23, 24 or 25 hours;
* parts that divide 24 hours (PT1H, PT15M, PT6H): at every instant where the local clock shows a multiple of
  the part, and where it jumps forward over one; so all begin again at local midnight, and an hour that the
  clock shows twice is two buckets of PT1H;
* anything else (PT7H, P1DT12H): every so much elapsed time, counted from local midnight of 1970-01-01.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from domain.base.packed import Aggregate, Instants, MetricType, Points, Values, micros_of
from domain.telemetry.model.distribution import PERCENTILES, percentile, stddev
from domain.telemetry.model.sums import mean_rounded, sum_rounded
from graph.errors import BadInputError, LimitExceededError

BUCKETS_MAX = 10_000

_DAY = timedelta(days=1)
_DAY_US = 86_400_000_000
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_EPOCH_MONDAY = date(1969, 12, 29).toordinal()


@dataclass(frozen=True, slots=True)
class Bucket:
    """The length of a bucket: calendar months, or a duration; exactly one of them."""

    months: int
    duration: timedelta


def zone_of(name: str) -> ZoneInfo:
    """Return the IANA time zone of that name. Raises BadInputError where there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        msg = f"There is no IANA time zone {name!r}."
        raise BadInputError(msg, path=("timezone",)) from None


def bucket_of(length: tuple[int, timedelta]) -> Bucket:
    """Check the length of a bucket, given as (months, duration).

    Raises BadInputError where it is not positive or mixes months with a duration (P1M1D has no fixed grid).
    """
    months, duration = length
    if months < 0 or duration < timedelta(0) or (months == 0 and not duration):
        raise BadInputError("A bucket must be longer than zero.", path=("bucket",))
    if months and duration:
        raise BadInputError("A bucket is made of months or of a duration, not of both.", path=("bucket",))
    return Bucket(months, duration)


def bucket_edges(from_: datetime, to: datetime, *, bucket: Bucket, zone: tzinfo, limit: int = BUCKETS_MAX) -> Instants:
    """Return the edges of all buckets that overlap [from_, to): shape (buckets + 1,), microseconds, ascending.

    The first edge is at or before `from_`, the last at or after `to`. Raises LimitExceededError where there
    are more than `limit` buckets, before they are laid out; BadInputError outside the calendar (1 to 9999).
    """
    shortest = bucket.duration or timedelta(days=28 * bucket.months)
    # A jump of the clock makes a bucket shorter at most twice a year: the estimate refuses only what is
    # certainly too long, the count of the edges themselves decides the rest.
    estimate = (to - from_) // (shortest * (1.2 if bucket.months else 1.0))
    if estimate > limit + 64:
        raise _too_many(estimate, limit)
    try:
        edges = _edges(from_, to, bucket=bucket, zone=zone)
    except (OverflowError, ValueError, OSError):
        msg = "The range reaches outside the calendar (years 1 to 9999)."
        raise BadInputError(msg, path=("from",)) from None
    first = int(np.searchsorted(edges, micros_of(from_), side="right")) - 1
    last = int(np.searchsorted(edges, micros_of(to), side="left"))
    edges = edges[first : last + 1]
    if len(edges) - 1 > limit:
        raise _too_many(len(edges) - 1, limit)
    return edges


@dataclass(frozen=True, slots=True)
class Counted:
    """Points, some of which stand for several. counts: for how many each; None: each for itself.

    Two may stand at one time: their values add up to what they stand for.
    """

    points: Points
    counts: NDArray[np.float64] | None


def bucket_aggregate(counted: Counted, edges: Instants, *, how: Aggregate) -> Points:
    """Aggregate points to one per bucket: at its start, NaN where there is no data. Returns len(edges) - 1 points.

    how: none of those that look at the point before a bucket, which are in `lookback.py`.
    counted: ascending, none before edges[0]. Sums are exact, rounded once, and NaN where no double holds them; a mean
    is the sum over the count. Of texts COUNT counts, FIRST and LAST keep the text; the other aggregates pass them over.
    Percentiles and STDDEV are of points that each stand for themselves.
    """
    points = counted.points
    size = len(edges) - 1
    values = np.full(size, np.nan)
    cuts = np.searchsorted(points.at, edges, side="left")
    filled = np.flatnonzero(cuts[1:] > cuts[:-1])
    texts: np.ndarray | None = None
    if how is Aggregate.COUNT:
        counts = np.ones(len(points.at)) if counted.counts is None else counted.counts
        until = np.r_[0.0, np.cumsum(counts)][cuts]
        values[filled] = (until[1:] - until[:-1])[filled]
    elif how in (Aggregate.FIRST, Aggregate.LAST):
        chosen = cuts[filled] if how is Aggregate.FIRST else cuts[filled + 1] - 1
        values[filled] = points.values[chosen]
        if points.texts is not None:
            texts = np.full(size, None, dtype=object)
            texts[filled] = points.texts[chosen]
    else:
        for n in filled.tolist():
            span = slice(cuts[n], cuts[n + 1])
            values[n] = _fold(points.values[span], None if counted.counts is None else counted.counts[span], how)
    types = np.full(size, MetricType.NUMBER, dtype=np.int8)
    return Points(edges[:size], values, types, texts)


def _fold(values: Values, counts: Values | None, how: Aggregate) -> float:
    is_number = ~np.isnan(values)
    numbers = values[is_number]
    if not len(numbers):
        return math.nan
    if how is Aggregate.MIN:
        return float(numbers.min())
    if how is Aggregate.MAX:
        return float(numbers.max())
    if how in PERCENTILES:
        return percentile(numbers, PERCENTILES[how])
    if how is Aggregate.STDDEV:
        return stddev(numbers)
    count = len(numbers) if counts is None else float(counts[is_number].sum())
    total = sum_rounded(numbers.tolist()) if how is Aggregate.SUM else mean_rounded(numbers.tolist(), count)
    return total if math.isfinite(total) else math.nan


def _edges(from_: datetime, to: datetime, *, bucket: Bucket, zone: tzinfo) -> Instants:
    local_from, local_to = from_.astimezone(zone), to.astimezone(zone)
    if bucket.months:
        return _month_edges(local_from, local_to, bucket.months, zone)
    length = bucket.duration
    if length % _DAY == timedelta(0):
        days = length // _DAY
        origin = _EPOCH_MONDAY if days % 7 == 0 else _EPOCH_DAY
        # A day more at both ends: where the clock jumps at midnight, the day before may still be running.
        begin = (local_from.toordinal() - 1 - origin) // days
        end = (local_to.toordinal() + 1 - origin) // days + 1
        return _unique([_midnight(origin + n * days, zone) for n in range(begin, end + 1)])
    if _DAY % length == timedelta(0):
        return _part_edges(local_from, local_to, length, zone)
    start, step = _midnight(_EPOCH_DAY, zone), length // timedelta(microseconds=1)
    begin = (micros_of(from_) - start) // step
    end = -((start - micros_of(to)) // step)
    return start + step * np.arange(begin, end + 1, dtype=np.int64)


def _month_edges(local_from: datetime, local_to: datetime, months: int, zone: tzinfo) -> Instants:
    begin = ((local_from.year - 1970) * 12 + local_from.month - 2) // months
    end = ((local_to.year - 1970) * 12 + local_to.month) // months + 1
    firsts = [divmod(n * months, 12) for n in range(begin, end + 1)]
    return _unique([_midnight(date(1970 + y, m + 1, 1).toordinal(), zone) for y, m in firsts])


def _part_edges(local_from: datetime, local_to: datetime, length: timedelta, zone: tzinfo) -> Instants:
    """Lay out the parts of each local day, one range of constant offset after the other."""
    step = length // timedelta(microseconds=1)
    pieces: list[Instants] = []
    first_day, last_day = local_from.toordinal() - 1, local_to.toordinal() + 1
    begin, begin_offset = _midnight(first_day, zone), 0
    for day in range(first_day, last_day + 1):
        end = _midnight(day + 1, zone)
        begin_offset, end_offset = _offset(begin, zone), _offset(end - 1, zone)
        pieces.append(np.array([begin], dtype=np.int64))
        midnight = (day - _EPOCH_DAY) * _DAY_US
        if begin_offset == end_offset:
            pieces.append(_clock_multiples(begin, end, midnight - begin_offset, step))
        else:
            jump = _jump(begin, end, zone)
            pieces.append(_clock_multiples(begin, jump, midnight - begin_offset, step))
            before = (jump + begin_offset - midnight - 1) // step
            if (jump + end_offset - midnight) // step > before:
                pieces.append(np.array([jump], dtype=np.int64))
            pieces.append(_clock_multiples(jump, end, midnight - end_offset, step))
        begin = end
    return np.unique(np.concatenate(pieces))


def _clock_multiples(begin: int, end: int, origin: int, step: int) -> Instants:
    """Return the instants origin + k * step that lie in [begin, end)."""
    first = -((origin - begin) // step)
    last = -((origin - end) // step)
    return origin + step * np.arange(first, last, dtype=np.int64)


def _jump(begin: int, end: int, zone: tzinfo) -> int:
    """Find the instant in (begin, end) at which the offset changes: the first of the new one."""
    offset = _offset(begin, zone)
    while end - begin > 1:
        middle = (begin + end) // 2
        if _offset(middle, zone) == offset:
            begin = middle
        else:
            end = middle
    return end


def _midnight(ordinal: int, zone: tzinfo) -> int:
    """Return when a local day begins, in microseconds; at the jump where the clock leaves midnight out."""
    wall = datetime.combine(date.fromordinal(ordinal), datetime.min.time())
    local = wall.replace(tzinfo=zone)
    at = micros_of(local.astimezone(UTC))
    if datetime.fromtimestamp(at // 1_000_000, zone).replace(tzinfo=None, microsecond=0) == wall:
        return at
    late = micros_of(local.replace(fold=1).astimezone(UTC))
    return _jump(min(at, late) - 1, max(at, late) + 1, zone)


def _offset(micros: int, zone: tzinfo) -> int:
    """Return how far the local clock is ahead of UTC at an instant, both in microseconds."""
    # Whole seconds, rounded down: zones change at whole seconds.
    offset = datetime.fromtimestamp(micros // 1_000_000, zone).utcoffset()
    assert offset is not None  # noqa: S101  (an aware datetime has one)
    return offset // timedelta(microseconds=1)


def _unique(edges: list[int]) -> Instants:
    return np.unique(np.array(edges, dtype=np.int64))


def _too_many(count: int, limit: int) -> LimitExceededError:
    msg = f"The range holds {count} buckets; at most {limit} buckets x series are answered at once."
    return LimitExceededError(msg, path=("bucket",))
