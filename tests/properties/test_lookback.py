"""Buckets that look at more than their own points, and filled ones, against plain loops over all that was ever sent.

Points come late, in any order and twice; the clocks of Berlin go forward within the range; counters are reset; the
asset has one device after the other, and when it changed is corrected afterwards. Hours are summarized in between.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import cache
from itertools import count, groupby, pairwise
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from domain.base.packed import Aggregate, Series
from domain.telemetry.model.fill import Fill
from domain.telemetry.model.lookback import LOOKBACK
from domain.telemetry.store.history import telemetry_read
from graph.edges.bulk import EdgeDraft, edges_create
from graph.edges.model import EdgeVersion
from graph.edges.operations import edge_correct
from graph.kinds import EntityKind
from runtime.database import transaction
from testing.line import Line
from testing.world import world_create

BEGIN = datetime(2026, 3, 28, tzinfo=UTC)
MINUTES = 3 * 24 * 60
END_OF_TIME = 10**9

_SLUGS = count()


def total(numbers: Sequence[float]) -> float:
    return float(sum(map(Fraction, numbers)))


def twentieths(numbers: Sequence[float]) -> list[float]:
    return statistics.quantiles(numbers, n=20, method="inclusive") if len(numbers) > 1 else list(numbers)


OF_TEXTS = frozenset({Aggregate.COUNT, Aggregate.FIRST, Aggregate.LAST})
OF_NUMBERS: Mapping[Aggregate, Callable[[Sequence[float]], float | None]] = {
    Aggregate.SUM: total,
    Aggregate.MEAN: lambda numbers: total(numbers) / len(numbers),
    Aggregate.MIN: min,
    Aggregate.MAX: max,
    Aggregate.MEDIAN: statistics.median,
    Aggregate.P05: lambda numbers: twentieths(numbers)[0],
    Aggregate.P95: lambda numbers: twentieths(numbers)[-1],
    Aggregate.STDDEV: lambda numbers: statistics.stdev(numbers) if len(numbers) > 1 else None,
}


class Numbered(NamedTuple):
    """A point as it is read at an entity: minute, value, number of the link."""

    minute: int
    value: float | str
    link: int


@dataclass(frozen=True)
class Read:
    """entity: 0 and 1 are devices, 2 is the asset."""

    entity: int
    begins: int
    minutes: int
    bucket: tuple[int, timedelta]
    aggregate: Aggregate
    fill: Fill
    zone: str
    now: int


minutes = st.one_of(st.integers(0, 6 * 60), st.integers(0, MINUTES))
values = st.one_of(st.integers(0, 20), st.integers(0, 20), st.floats(-50, 50), st.just("off"))
writes = st.lists(st.tuples(st.integers(0, 1), minutes, values), min_size=1, max_size=25)
reads = st.builds(
    Read,
    st.integers(0, 2),
    st.one_of(st.integers(0, MINUTES - 1), st.integers(0, 71).map(lambda hour: hour * 60)),
    st.integers(1, MINUTES),
    st.sampled_from([(0, timedelta(hours=1)), (0, timedelta(hours=6)), (0, timedelta(days=1)), (1, timedelta())]),
    st.one_of(st.sampled_from(sorted(LOOKBACK)), st.sampled_from(list(Aggregate))),
    st.sampled_from(list(Fill)),
    st.sampled_from(["UTC", "Europe/Berlin"]),
    st.one_of(st.just(10 * MINUTES), st.integers(0, MINUTES)),
)


def bucket_key(minute: int, read: Read) -> Any:
    """What all minutes of one bucket have in common, and no other."""
    return _key(minute, read.zone, read.bucket)


@cache
def _key(minute: int, zone: str, bucket: tuple[int, timedelta]) -> Any:
    local = (BEGIN + timedelta(minutes=minute)).astimezone(ZoneInfo(zone))
    if bucket[0]:
        return local.year, local.month
    hours = bucket[1] // timedelta(hours=1)
    if hours == 1:
        return minute // 60
    return (local.date(), local.hour // hours) if hours < 24 else local.date()


def expected(points: Sequence[Numbered], ends: Sequence[int], read: Read) -> dict[Any, float | str | None]:
    """The value of each bucket, by its key. ends: where each link ends, in minutes."""
    begins, until = read.begins, read.begins + read.minutes
    firsts = {key: next(of_key) for key, of_key in groupby(range(begins, until), lambda m: bucket_key(m, read))}
    keys = list(firsts)
    made = {key: of_bucket(points, ends, read, key, begins, until) for key in keys}
    if read.fill is Fill.PREVIOUS:
        last = before(points, ends, read)
        for key in keys:
            last = last if made[key] is None else made[key]
            if made[key] is None and bucket_start(firsts[key], read) < read.now:
                made[key] = last
    elif read.fill is Fill.LINEAR:
        known = [n for n, key in enumerate(keys) if made[key] is not None]
        starts = [bucket_start(first, read) for first in firsts.values()]
        for left, right in pairwise(known):
            low, high = made[keys[left]], made[keys[right]]
            if isinstance(low, float) and isinstance(high, float):
                for n in range(left + 1, right):
                    share = (starts[n] - starts[left]) / (starts[right] - starts[left])
                    made[keys[n]] = low + (high - low) * share
    return made


def bucket_start(minute: int, read: Read) -> int:
    """The first minute of a bucket, which may lie before the range."""
    key = bucket_key(minute, read)
    while bucket_key(minute - 1, read) == key:
        minute -= 1
    return minute


def before(points: Sequence[Numbered], ends: Sequence[int], read: Read) -> float | str | None:
    """What the last bucket before the range holds."""
    if read.aggregate is Aggregate.TIME_WEIGHTED_MEAN:
        return None
    earlier = [
        p.minute
        for p in points
        if p.minute < read.begins and (read.aggregate in OF_TEXTS or not isinstance(p.value, str))
    ]
    if not earlier:
        return None
    key = bucket_key(max(earlier), read)
    return of_bucket(points, ends, read, key, bucket_start(max(earlier), read), read.begins)


def of_bucket(
    points: Sequence[Numbered], ends: Sequence[int], read: Read, key: Any, begins: int, until: int
) -> float | str | None:
    """The value of one bucket, of the points in [begins, until) and of what precedes them."""
    inside = [p for p in points if begins <= p.minute < until and bucket_key(p.minute, read) == key]
    numbers = [p for p in inside if not isinstance(p.value, str)]
    if read.aggregate is Aggregate.TIME_WEIGHTED_MEAN:
        return over_time(points, ends, read, key, begins, until)
    if read.aggregate in OF_TEXTS:
        return of_all(inside, read.aggregate) if inside else None
    if not numbers or read.aggregate in OF_NUMBERS:
        return OF_NUMBERS[read.aggregate]([float(p.value) for p in numbers]) if numbers else None
    if read.aggregate is Aggregate.DELTA:
        earlier = [p for p in points if p.minute < numbers[0].minute and not isinstance(p.value, str)]
        return float(numbers[-1].value) - float((earlier or numbers)[-1 if earlier else 0].value)
    grown = growth(points, numbers)
    if read.aggregate is Aggregate.INCREASE:
        return float(grown)
    bound = limit(points, read, until)
    seconds = Fraction(60 * sum(bucket_key(m, read) == key for m in range(begins, math.floor(bound))))
    # A point ahead of now counts for the microsecond in which it is.
    if bound != math.floor(bound) and bucket_key(math.floor(bound), read) == key:
        seconds += Fraction(1, 10**6)
    return float(grown / seconds)


def of_all(points: Sequence[Numbered], aggregate: Aggregate) -> float | str:
    if aggregate is Aggregate.COUNT:
        return float(len(points))
    value = points[0 if aggregate is Aggregate.FIRST else -1].value
    return value if isinstance(value, str) else float(value)


def growth(points: Sequence[Numbered], numbers: Sequence[Numbered]) -> Fraction:
    """By how much these numbers exceed those before them over the same link."""
    grown = Fraction(0)
    for point in numbers:
        own = [p for p in points if p.link == point.link and not isinstance(p.value, str) and p.minute < point.minute]
        if own:
            change = Fraction(point.value) - Fraction(own[-1].value)
            grown += change if change >= 0 else Fraction(point.value)
    return grown


def limit(points: Sequence[Numbered], read: Read, until: int) -> Fraction:
    """Until when values hold, in minutes: now, but not before the last point."""
    now = read.now if until == read.begins + read.minutes else until
    inside = [p.minute for p in points if read.begins <= p.minute < until and not isinstance(p.value, str)]
    if until != read.begins + read.minutes or not inside or now > max(inside):
        return Fraction(min(until, max(now, read.begins)))
    return max(inside) + Fraction(1, 60 * 10**6)


def over_time(
    points: Sequence[Numbered], ends: Sequence[int], read: Read, key: Any, begins: int, until: int
) -> float | None:
    numbers = [p for p in points if p.minute < until and not isinstance(p.value, str)]
    bound = limit(points, read, until)
    area, weight = Fraction(0), Fraction(0)
    for minute in range(begins, math.ceil(bound)):
        if bucket_key(minute, read) == key:
            earlier = [p for p in numbers if p.minute <= minute]
            if earlier and minute < ends[earlier[-1].link]:
                part = min(Fraction(1), bound - minute)
                area, weight = area + part * Fraction(earlier[-1].value), weight + part
    return float(area / weight) if weight else None


@dataclass
class Plant:
    """Two devices, and an asset that has one after the other; what they sent, by minute."""

    line: Line
    devices: list[UUID]
    asset: UUID
    edges: Sequence[UUID]
    swap: int
    sent: tuple[dict[int, float | str], dict[int, float | str]]

    def points(self, entity: int) -> tuple[list[Numbered], list[int]]:
        """What is read at an entity, and where its links end."""
        if entity < 2:
            return [Numbered(m, v, 0) for m, v in sorted(self.sent[entity].items())], [END_OF_TIME]
        first = [Numbered(m, v, 0) for m, v in sorted(self.sent[0].items()) if m < self.swap]
        second = [Numbered(m, v, 1) for m, v in sorted(self.sent[1].items()) if m >= self.swap]
        return first + second, [self.swap, END_OF_TIME]

    def send(self, points: Sequence[tuple[int, int, float | str]]) -> None:
        for device, minute, value in points:
            self.sent[device][minute] = value
        self.line.normalize(
            self.line.send(
                *(
                    {
                        "device_id": self.devices[device],
                        "timestamp": BEGIN + timedelta(minutes=minute),
                        "metrics": {"m": value},
                        "message_id": str(next(_SLUGS)),
                    }
                    for device, minute, value in points
                )
            )
        )

    def correct(self, minute: int) -> None:
        """Correct when the devices were swapped."""
        self.swap, at = minute, BEGIN + timedelta(minutes=minute)
        with self.line.world.changing() as (session, change):
            edge_correct(session, change=change, edge_id=self.edges[0], valid_until=at)
            edge_correct(session, change=change, edge_id=self.edges[1], valid_from=at)

    def read(self, read: Read, **arguments: Any) -> Series:
        entity_id = [*self.devices, self.asset][read.entity]
        with transaction(self.line.engine("api"), self.line.organization_id) as session:
            [series] = telemetry_read(
                session,
                organization_id=self.line.organization_id,
                entity_ids=[entity_id],
                metrics=["m"],
                from_=BEGIN + timedelta(minutes=read.begins),
                to=BEGIN + timedelta(minutes=read.begins + read.minutes),
                **{
                    "bucket": read.bucket,
                    "aggregate": read.aggregate,
                    "timezone": read.zone,
                    "max_points": 1000,
                    "now": BEGIN + timedelta(minutes=read.now),
                    "fill": read.fill,
                    **arguments,
                },
            )[entity_id]
        return series


@pytest.fixture
def plants(engine: Callable[[str], Engine]) -> Callable[[], Plant]:
    """Make a plant in an organization of its own."""
    lines: list[Line] = []

    def make() -> Plant:
        line = Line(world_create(owner=engine("owner"), api=engine("api"), slug=f"look{next(_SLUGS)}"), engine)
        # One lease for all: no two work at once.
        line.lease = lines[0].run().lease if lines else None
        lines.append(line)
        devices = [line.device(), line.device()]
        asset = line.world.entity(EntityKind.ASSET)
        at = BEGIN + timedelta(minutes=140)
        with line.world.changing() as (session, change):
            drafts = [
                EdgeDraft(
                    source_id=asset, target_id=device, relationship="MONITORED_BY", valid_from=begins, valid_until=ends
                )
                for device, begins, ends in ((devices[0], BEGIN, at), (devices[1], at, None))
            ]
            edges = edges_create(session, change=change, drafts=drafts)
        with transaction(line.engine("owner")) as session:
            session.execute(
                text("INSERT INTO hours_progress (organization_id, until) VALUES (:o, :b)"),
                {"o": line.organization_id, "b": BEGIN},
            )
        edge_ids = [edge.edge_id for edge in edges if isinstance(edge, EdgeVersion)]
        return Plant(line, devices, asset, edge_ids, 140, ({}, {}))

    return make


# Rounded once, or the same numbers of the same operations.
EXACT = frozenset(Aggregate) - {
    Aggregate.STDDEV,
    Aggregate.P05,
    Aggregate.P95,
    Aggregate.MEDIAN,
    Aggregate.RATE,
    Aggregate.TIME_WEIGHTED_MEAN,
}

steps = st.one_of(
    writes,
    st.integers(1, MINUTES - 1),
    st.just("summarize"),
    reads,
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=writes, then=st.lists(steps, max_size=6), last=st.lists(reads, min_size=6, max_size=16))
def test_buckets_against_plain_loops(
    plants: Callable[[], Plant],
    first: list[tuple[int, int, float | str]],
    then: list[list[tuple[int, int, float | str]] | int | str | Read],
    last: list[Read],
) -> None:
    plant = plants()
    for step in [first, *then, *last]:
        match step:
            case list():
                plant.send(step)
            case int():
                plant.correct(step)
            case str():
                plant.line.summarize()
            case Read():
                compare(plant, step)


def compare(plant: Plant, read: Read) -> None:
    series = plant.read(read)
    wanted = expected(*plant.points(read.entity), read)
    instants = [round(millis / 60_000 - BEGIN.timestamp() / 60) for millis in series.timestamps.tolist()]
    # The first bucket may begin before the range.
    assert [bucket_key(max(at, read.begins), read) for at in instants] == list(wanted)
    texts = series.texts or [None] * len(instants)
    for value, shown, key in zip(series.values.tolist(), texts, wanted, strict=True):
        should = wanted[key]
        if isinstance(should, str):
            assert (shown, math.isnan(value)) == (should, True)
            continue
        assert shown is None
        if should is None:
            assert math.isnan(value), key
        elif read.aggregate in EXACT and read.fill is not Fill.LINEAR:
            assert value == should
        else:
            assert value == pytest.approx(should, rel=1e-9, abs=1e-9)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    written=st.lists(st.tuples(st.integers(0, 1), minutes, st.integers(0, 50)), min_size=2, max_size=20),
    cuts=st.lists(st.integers(0, MINUTES), min_size=3, max_size=3, unique=True).map(sorted),
    entity=st.integers(0, 2),
    aggregate=st.sampled_from([Aggregate.INCREASE, Aggregate.DELTA]),
    zone=st.sampled_from(["UTC", "Europe/Berlin"]),
)
def test_what_adjoining_ranges_grow_adds_up_to_the_growth_of_the_whole(
    plants: Callable[[], Plant],
    written: list[tuple[int, int, float | str]],
    cuts: list[int],
    entity: int,
    aggregate: Aggregate,
    zone: str,
) -> None:
    plant = plants()
    plant.send(written)

    def grown(begins: int, until: int, bucket: tuple[int, timedelta]) -> float:
        read = Read(entity, begins, until - begins, bucket, aggregate, Fill.NONE, zone, 10 * MINUTES)
        values: list[float] = plant.read(read).values.tolist()
        return sum(value for value in values if not math.isnan(value))

    hours, years = (0, timedelta(hours=1)), (12, timedelta())
    begins, middle, until = cuts
    whole = grown(begins, until, years)
    assert grown(begins, until, hours) == whole
    assert grown(begins, middle, hours) + grown(middle, until, hours) == whole
