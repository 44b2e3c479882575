"""Buckets against a reference that asks the local clock at every minute, and aggregates against plain loops."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.base.packed import Aggregate, Points, instant_of, micros_of
from domain.derivation.rollups.aggregate import rollup_values
from domain.derivation.rollups.model import BucketSize, EntitySelector, RollupAggregate, RollupDraft
from domain.telemetry.model.buckets import Bucket, Counted, bucket_aggregate, bucket_edges
from domain.telemetry.model.lookback import LOOKBACK
from domain.telemetry.model.sums import mean_rounded, sum_rounded

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/Los_Angeles",
    "America/Sao_Paulo",
    "America/Havana",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Asia/Beirut",
    "Pacific/Apia",
]
# Instants near which clocks jump: Berlin, Los Angeles, Sao Paulo at midnight, Lord Howe, Apia's day left out.
NEAR = [
    datetime(2025, 3, 30, tzinfo=UTC),
    datetime(2025, 10, 26, tzinfo=UTC),
    datetime(2020, 11, 1, 9, tzinfo=UTC),
    datetime(2018, 11, 4, 3, tzinfo=UTC),
    datetime(2018, 2, 18, 2, tzinfo=UTC),
    datetime(2024, 4, 6, 15, tzinfo=UTC),
    datetime(2011, 12, 30, 10, tzinfo=UTC),
    datetime(2024, 2, 29, tzinfo=UTC),
]
starts = st.builds(
    lambda near, minutes: near + timedelta(minutes=minutes), st.sampled_from(NEAR), st.integers(-3000, 3000)
)
zones = st.sampled_from(ZONES).map(ZoneInfo)


def label(instant: datetime, zone: ZoneInfo, minutes: int) -> tuple[object, ...]:
    """Name the bucket of PT{minutes}M that an instant lies in, by its wall clock alone."""
    local = instant.astimezone(zone)
    part = (local.hour * 60 + local.minute) // minutes
    return (local.date(), part)


@settings(max_examples=60, deadline=None)
@given(starts, zones, st.sampled_from([15, 30, 60, 120, 360, 720]), st.integers(1, 2000))
def test_parts_of_a_day_follow_the_local_clock(start: datetime, zone: ZoneInfo, minutes: int, length: int) -> None:
    end = start + timedelta(minutes=length)
    edges = bucket_edges(start, end, bucket=Bucket(0, timedelta(minutes=minutes)), zone=zone)
    assert edges[0] <= micros_of(start) < edges[1]
    assert edges[-2] < micros_of(end) <= edges[-1]
    expected = set()
    at = instant_of(int(edges[0])).astimezone(UTC)
    while at < instant_of(int(edges[-1])):
        before = at - timedelta(minutes=1)
        local = at.astimezone(zone)
        is_multiple = (local.hour * 60 + local.minute) % minutes == 0
        jumped = (local.replace(tzinfo=None) - before.astimezone(zone).replace(tzinfo=None)) > timedelta(minutes=1)
        if is_multiple or (jumped and label(at, zone, minutes) != label(before, zone, minutes)):
            expected.add(micros_of(at))
        at += timedelta(minutes=1)
    assert set(edges[:-1].tolist()) == expected


@settings(max_examples=60, deadline=None)
@given(starts, zones, st.sampled_from([1, 2, 3, 7, 14]), st.integers(1, 60 * 24 * 20))
def test_whole_days_are_runs_of_local_dates(start: datetime, zone: ZoneInfo, days: int, length: int) -> None:
    end = start + timedelta(minutes=length)
    edges = bucket_edges(start, end, bucket=Bucket(0, timedelta(days=days)), zone=zone)
    origin = datetime(1969, 12, 29).toordinal() if days % 7 == 0 else datetime(1970, 1, 1).toordinal()  # noqa: DTZ001

    def number(micros: int) -> int:
        return (instant_of(micros).astimezone(zone).date().toordinal() - origin) // days

    for edge, following in pairwise(edges.tolist()):
        assert number(edge) == number(following - 1)
        assert number(edge - 1) != number(edge)
    assert edges[0] <= micros_of(start) < edges[1]
    assert edges[-2] < micros_of(end) <= edges[-1]


@settings(max_examples=60, deadline=None)
@given(starts, zones, st.sampled_from([1, 2, 3, 6, 12]), st.integers(1, 900))
def test_months_begin_on_the_first(start: datetime, zone: ZoneInfo, months: int, length: int) -> None:
    edges = bucket_edges(start, start + timedelta(days=length), bucket=Bucket(months, timedelta(0)), zone=zone)

    def number(micros: int) -> int:
        local = instant_of(micros).astimezone(zone)
        return ((local.year - 1970) * 12 + local.month - 1) // months

    for edge, following in pairwise(edges.tolist()):
        assert number(edge) == number(following - 1)
        assert number(edge - 1) == number(edge) - 1
    assert edges[0] <= micros_of(start) < edges[1]


@settings(max_examples=60, deadline=None)
@given(starts, zones, st.integers(1, 500), st.sampled_from([7 * 60, 25 * 60, 36 * 60, 13]))
def test_odd_lengths_are_equal_and_counted_from_one_origin(
    start: datetime, zone: ZoneInfo, length: int, minutes: int
) -> None:
    step = minutes * 60_000_000
    bucket = Bucket(0, timedelta(minutes=minutes))
    edges = bucket_edges(start, start + timedelta(minutes=length), bucket=bucket, zone=zone)
    shifted = bucket_edges(start - timedelta(days=3), start, bucket=bucket, zone=zone)
    assert set(np.diff(edges).tolist()) == {step}
    assert (edges[0] - shifted[0]) % step == 0
    midnight = micros_of(datetime(1970, 1, 1, tzinfo=zone))
    assert (edges[0] - midnight) % step == 0


numbers = st.floats(allow_nan=False, allow_infinity=False, width=64, min_value=-1e200, max_value=1e200)


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(st.integers(0, 999), st.one_of(numbers, st.none()), max_size=60),
    st.lists(st.integers(1, 999), unique=True, max_size=10),
)
def test_aggregates_against_plain_loops(points: dict[int, float | None], cuts: list[int]) -> None:
    edges = np.array(sorted({0, 1000, *cuts}), dtype=np.int64)
    ordered = sorted(points.items())
    given_points = Points(
        np.array([at for at, _ in ordered], dtype=np.int64),
        np.array([math.nan if v is None else v for _, v in ordered], dtype=np.float64),
        np.array([2 if v is None else 0 for _, v in ordered], dtype=np.int8),
        np.array(["x" if v is None else None for _, v in ordered], dtype=object),
    )
    made = {how: bucket_aggregate(Counted(given_points, None), edges, how=how) for how in set(Aggregate) - LOOKBACK}
    for n, (begins, ends) in enumerate(pairwise(edges.tolist())):
        inside = [v for at, v in ordered if begins <= at < ends]
        real = [v for v in inside if v is not None]
        expected: dict[Aggregate, float | None] = dict.fromkeys(Aggregate)
        if inside:
            expected[Aggregate.COUNT] = len(inside)
            expected[Aggregate.FIRST], expected[Aggregate.LAST] = inside[0], inside[-1]
        if real:
            total = float(sum(map(Fraction, real), Fraction(0)))
            expected |= {Aggregate.SUM: total, Aggregate.MEAN: total / len(real)}
            expected |= {Aggregate.MIN: min(real), Aggregate.MAX: max(real)}
            for how, share in (("P05", Fraction(1, 20)), ("MEDIAN", Fraction(1, 2)), ("P95", Fraction(19, 20))):
                place = (len(real) - 1) * share
                low, high = sorted(real)[math.floor(place)], sorted(real)[math.ceil(place)]
                between = Fraction(low) + (Fraction(high) - Fraction(low)) * (place - math.floor(place))
                expected[Aggregate(how)] = float(between)
        scattered = float(made[Aggregate.STDDEV].values[n])
        if len(real) > 1:
            assert scattered == pytest.approx(_deviation(real), rel=1e-12, abs=0.0)
        else:
            assert math.isnan(scattered)
        for how in made.keys() - {Aggregate.STDDEV}:
            value = expected[how]
            got = float(made[how].values[n])
            assert math.isnan(got) if value is None else got == value, how
        texts = made[Aggregate.FIRST].texts
        assert texts is not None
        assert texts[n] == ("x" if inside and inside[0] is None else None)


def _deviation(numbers: list[float]) -> float:
    """The standard deviation of a sample, of exact squares."""
    mean = sum(map(Fraction, numbers)) / len(numbers)
    variance = sum((Fraction(number) - mean) ** 2 for number in numbers) / (len(numbers) - 1)
    if not variance:
        return 0.0
    # As far as doubles reach, and beyond: squares of small numbers are none.
    root = math.isqrt((variance * 2**4400).__floor__())
    return float(Fraction(root, 2**2200))


@settings(max_examples=200)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=6))
def test_sums_and_means_of_any_doubles(numbers: list[float]) -> None:
    exact = sum(map(Fraction, numbers), Fraction())
    total, mean = sum_rounded(numbers), mean_rounded(numbers, len(numbers))
    try:
        expected = float(exact)
    except OverflowError:
        assert total == (math.inf if exact > 0 else -math.inf)
        # Doubles whose sum is none have a mean all the same.
        assert mean == float(exact / len(numbers))
    else:
        assert total == expected
        assert mean == expected / len(numbers)


def test_a_bucket_whose_sum_no_double_holds_has_a_mean_and_no_sum() -> None:
    at = np.arange(3, dtype=np.int64)
    points = Points(at, np.array([1.7e308] * 3), np.zeros(3, dtype=np.int8), None)
    edges = np.array([0, 10], dtype=np.int64)

    def made(how: Aggregate) -> float:
        return float(bucket_aggregate(Counted(points, None), edges, how=how).values[0])

    assert made(Aggregate.MEAN) == made(Aggregate.MAX) == 1.7e308
    assert math.isnan(made(Aggregate.SUM))
    draft = RollupDraft(
        name="r", metric="r", relationship="HAS_PART", of_metric="m", members=EntitySelector(frozenset()), of_port=None, at=EntitySelector(frozenset()),
        located=False, aggregate=RollupAggregate.MEAN, attribute=None, worst=None,
        bucket=BucketSize("PT10M", 0, timedelta(minutes=10)), timezone="UTC", combine=Aggregate.MEAN, unit=None,
    )  # fmt: skip
    values = np.array([[1.7e308], [1.7e308]])
    assert rollup_values(draft, values, None).tolist() == [1.7e308]
    assert np.isnan(rollup_values(replace(draft, aggregate=RollupAggregate.SUM), values, None)).all()
    weighted = replace(draft, aggregate=RollupAggregate.WEIGHTED_MEAN)
    assert rollup_values(weighted, values, np.array([[2.0], [2.0]])).tolist() == [1.7e308]
