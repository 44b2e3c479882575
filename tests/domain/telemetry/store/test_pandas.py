"""Buckets of real series against pandas, from points and from hourly aggregates. Skipped where there is no pandas."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from domain.base.packed import Aggregate
from domain.telemetry.model.fill import Fill
from domain.telemetry.store.history import telemetry_read
from domain.telemetry.store.hourly_build import hours_aggregate, hours_complete_until
from runtime.database import transaction
from testing.installation import SHARED_DATA
from testing.rows import Plant

pd = pytest.importorskip("pandas")

pytestmark = pytest.mark.skipif(not SHARED_DATA.exists(), reason="no shared data")

Engines = Callable[[str], Engine]

ZONE = "America/Los_Angeles"
COUNTER_MAX = 5_000_000.0


def temperatures() -> dict[datetime, float]:
    """Five-minute values of a machine, with gaps; of two at one time the last in the file counts."""
    with (SHARED_DATA / "series" / "machine_temperature_system_failure.csv").open() as file:
        return {
            datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC): float(row["value"])
            for row in csv.DictReader(file)
        }


def counter() -> dict[datetime, float]:
    """A meter that counts a plant's hourly energy, and begins again at zero when it is full; it misses some hours."""
    counted, readings = 0.0, {}
    with (SHARED_DATA / "hhw" / "timeseries" / "53hhw_system_data.csv").open() as file:
        for row in csv.DictReader(file):
            if row["hw"] not in ("", "NA"):
                counted += max(0.0, round(float(row["hw"])))
                counted = counted if counted < COUNTER_MAX else 0.0
                readings[datetime.fromisoformat(row["datetime_UTC"])] = counted
    return readings


def increases(series: Any) -> Any:
    """What each value adds: the difference, or all of it after a reset; the first one nothing."""
    change = series.diff()
    return change.where(change >= 0, series).where(change.notna(), 0.0)


def time_weighted(series: Any, edges: Any) -> Any:
    """The mean over time of each bucket: values hold until the next."""
    steps = series.reindex(series.index.union(edges)).ffill()
    seconds = pd.Series(steps.index[1:] - steps.index[:-1], index=steps.index[:-1]).dt.total_seconds()
    bucket = pd.Series(edges[edges.searchsorted(seconds.index, side="right") - 1], index=seconds.index)
    is_known = steps[:-1].notna()
    area = (steps[:-1] * seconds)[is_known].groupby(bucket[is_known]).sum()
    return area / seconds[is_known].groupby(bucket[is_known]).sum()


def answers_of(series: Any, rule: str) -> Mapping[tuple[Aggregate, Fill], Any]:
    """What pandas says of each bucket."""
    # A bucket more at the end, from which its length is known.
    local = series.tz_convert(ZONE)
    buckets = local.resample(rule)
    edges = buckets.size().index
    last = buckets.last()
    length = pd.Series(edges[1:] - edges[:-1], index=edges[:-1]).dt.total_seconds()
    grown = increases(local).resample(rule).sum(min_count=1)
    mean = buckets.mean()
    elapsed = pd.Series((edges - edges[0]).total_seconds(), index=edges)
    by_time = pd.Series(mean.to_numpy(), index=elapsed.to_numpy()).interpolate(method="index", limit_area="inside")
    return {
        (Aggregate.MEAN, Fill.NONE): mean,
        (Aggregate.MEDIAN, Fill.NONE): buckets.median(),
        (Aggregate.P05, Fill.NONE): buckets.quantile(0.05),
        (Aggregate.P95, Fill.NONE): buckets.quantile(0.95),
        (Aggregate.STDDEV, Fill.NONE): buckets.std(),
        (Aggregate.DELTA, Fill.NONE): last - last.ffill().shift().fillna(local.iloc[0]),
        (Aggregate.INCREASE, Fill.NONE): grown,
        (Aggregate.RATE, Fill.NONE): (grown / length)[: len(length)],
        (Aggregate.TIME_WEIGHTED_MEAN, Fill.NONE): time_weighted(local, edges),
        (Aggregate.MEAN, Fill.PREVIOUS): mean.ffill(),
        (Aggregate.MEAN, Fill.LINEAR): pd.Series(by_time.to_numpy(), index=edges),
    }


@pytest.mark.parametrize(("make", "days"), [(temperatures, 100), (counter, 365)])
@pytest.mark.parametrize(("rule", "bucket"), [("D", timedelta(days=1)), ("h", timedelta(hours=1))])
def test_buckets_are_those_of_pandas(
    engine: Engines, make: Callable[[], dict[datetime, float]], days: int, rule: str, bucket: timedelta
) -> None:
    readings = make()
    plant = Plant(engine("owner"))
    device = plant.entity("DEVICE")
    plant.points(device, "m", sorted(readings.items()))
    series = pd.Series(readings).sort_index()
    # Up to the last bucket, which the readings do not fill.
    whole = series.tz_convert(ZONE)
    end = whole.index[-1].floor(rule)
    assert (whole.index[-1] - whole.index[0]).days < days
    answers = answers_of(series, rule)
    for is_summarized in (False, True):
        if is_summarized:
            summarize(engine, plant)
        for (aggregate, fill), wanted in answers.items():
            compared = 0
            # In parts of at most 10,000 buckets; what is before a part is looked back at.
            for part in (whole.index[0].floor("D"), whole.index[0].floor("D") + pd.DateOffset(days=days // 2)):
                until = min(part + pd.DateOffset(days=days // 2), end)
                compared += compare(engine, plant, device, wanted, part, until, aggregate, fill, bucket)
            # Of one reading an hour there is no deviation.
            assert compared > (end - whole.index[0]) / bucket / 2 or (make, rule, aggregate) == (
                counter,
                "h",
                Aggregate.STDDEV,
            ), aggregate


def compare(
    engine: Engines,
    plant: Plant,
    device: Any,
    wanted: Any,
    begins: Any,
    ends: Any,
    aggregate: Aggregate,
    fill: Fill,
    bucket: timedelta,
) -> int:
    """Compare the buckets of a range; return how many had a value."""
    with plant.session(engine("api")) as session:
        [series] = telemetry_read(
            session,
            organization_id=plant.organization_id,
            entity_ids=[device],
            metrics=["m"],
            from_=begins.to_pydatetime(),
            to=ends.to_pydatetime(),
            bucket=(0, bucket),
            aggregate=aggregate,
            timezone=ZONE,
            max_points=1000,
            fill=fill,
            now=datetime(2026, 1, 1, tzinfo=UTC),
        )[device]
    expected = wanted[(wanted.index >= begins) & (wanted.index < ends)].dropna()
    got = {
        pd.Timestamp(at, unit="ms", tz="UTC"): value
        for at, value in zip(series.timestamps.tolist(), series.values.tolist(), strict=True)
        if not math.isnan(value)
    }
    expected = {at.tz_convert("UTC"): value for at, value in expected.items()}
    if fill is Fill.LINEAR:
        # Lines that cross the range's ends are not drawn.
        expected = {at: value for at, value in expected.items() if at in got}
    assert got == pytest.approx(expected, rel=1e-9, abs=1e-9), aggregate
    return len(got)


def summarize(engine: Engines, plant: Plant) -> None:
    """Compute all hourly aggregates."""
    with transaction(engine("pipeline")) as session:
        complete_until = hours_complete_until(session)
    while True:
        with transaction(engine("pipeline"), plant.organization_id) as session:
            built = hours_aggregate(session, organization_id=plant.organization_id, complete_until=complete_until)
        if built.is_done:
            break
    with plant.session(engine("owner")) as session:
        assert session.execute(text("SELECT count(*) FROM series_hours")).scalar_one() > 1_000
