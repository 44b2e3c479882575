"""Buckets that look at the point before them, and filled ones: meters that are replaced, reset or read by two."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, event

from domain.base.packed import Aggregate, MetricType, Series
from domain.telemetry.model.fill import Fill
from domain.telemetry.store.history import telemetry_read
from graph.errors import BadInputError, LimitExceededError
from testing.rows import Plant, at

Engines = Callable[[str], Engine]

HOUR = (0, timedelta(hours=1))


@pytest.fixture
def plant(engine: Engines) -> Plant:
    return Plant(engine("owner"))


@pytest.fixture
def read(plant: Plant, engine: Engines) -> Iterator[Callable[..., Series]]:
    """`read(entity_id, aggregate, **arguments)`: the only series, as the API's role; three hours from hour 1 on."""
    with plant.session(engine("api")) as session:

        def call(entity_id: UUID, aggregate: Aggregate, **arguments: Any) -> Series:
            defaults: dict[str, Any] = {
                "metrics": ["m"],
                "from_": at(60),
                "to": at(240),
                "bucket": HOUR,
                "timezone": "UTC",
                "max_points": 1000,
                "now": at(1440),
            }
            [series] = telemetry_read(
                session,
                organization_id=plant.organization_id,
                entity_ids=[entity_id],
                aggregate=aggregate,
                **{**defaults, **arguments},
            )[entity_id]
            return series

        yield call


def shown(series: Series) -> list[float | None]:
    return [None if math.isnan(value) else value for value in series.values.tolist()]


def test_a_counter_grows_over_resets_and_gaps(plant: Plant, read: Any) -> None:
    meter = plant.entity("DEVICE")
    plant.points(meter, "m", [(at(30), 100.0), (at(70), 130.0), (at(80), 5.0), (at(200), 25.0)])
    assert shown(read(meter, Aggregate.INCREASE)) == [35.0, None, 20.0]
    assert shown(read(meter, Aggregate.RATE)) == [35.0 / 3600, None, 20.0 / 3600]
    assert shown(read(meter, Aggregate.DELTA)) == [-95.0, None, 20.0]
    # What is before the range is the baseline; where nothing is, the first point.
    assert shown(read(meter, Aggregate.INCREASE, from_=at(0))) == [0.0, 35.0, None, 20.0]
    assert shown(read(meter, Aggregate.DELTA, from_=at(0))) == [0.0, -95.0, None, 20.0]


def test_a_rate_is_over_the_seconds_of_the_range_that_have_passed(plant: Plant, read: Any) -> None:
    meter = plant.entity("DEVICE")
    plant.points(meter, "m", [(at(30), 0.0), (at(100), 60.0), (at(130), 90.0)])
    assert shown(read(meter, Aggregate.RATE, from_=at(90), to=at(180), now=at(150))) == [60.0 / 1800, 30.0 / 1800]


def test_a_replaced_meter_is_no_growth(plant: Plant, read: Any) -> None:
    old, new, asset = plant.entity("DEVICE"), plant.entity("DEVICE"), plant.entity("ASSET")
    plant.points(old, "m", [(at(30), 100.0), (at(70), 110.0), (at(100), 999.0)])
    plant.points(new, "m", [(at(20), 1.0), (at(95), 7000.0), (at(130), 7003.0)])
    plant.link(asset, old, begins=at(0), ends=at(90))
    plant.link(asset, new, begins=at(90))
    assert shown(read(asset, Aggregate.INCREASE)) == [10.0, 3.0, None]
    assert shown(read(asset, Aggregate.DELTA)) == [6900.0, 3.0, None]


def test_the_same_device_again_does_not_bring_what_it_counted_elsewhere(plant: Plant, read: Any) -> None:
    meter, asset = plant.entity("DEVICE"), plant.entity("ASSET")
    plant.points(meter, "m", [(at(70), 10.0), (at(100), 50.0), (at(130), 51.0), (at(140), 53.0)])
    plant.link(asset, meter, begins=at(0), ends=at(90))
    plant.link(asset, meter, begins=at(120))
    assert shown(read(asset, Aggregate.INCREASE)) == [0.0, 2.0, None]


def test_counters_of_two_links_at_once_are_added_up(plant: Plant, read: Any) -> None:
    first, second, asset = plant.entity("DEVICE"), plant.entity("DEVICE"), plant.entity("ASSET")
    plant.points(first, "m", [(at(50), 1.0), (at(70), 2.0), (at(80), 4.0)])
    plant.points(second, "m", [(at(50), 100.0), (at(70), 110.0), (at(81), 105.0)])
    for device in (first, second):
        plant.link(asset, device, begins=at(0))
    assert shown(read(asset, Aggregate.INCREASE)) == [3.0 + 10.0 + 105.0, None, None]


def test_a_value_holds_until_the_next_the_end_of_its_link_or_now(plant: Plant, read: Any) -> None:
    valve, asset = plant.entity("DEVICE"), plant.entity("ASSET")
    plant.points(valve, "m", [(at(-500), True), (at(75), False), (at(90), "broken"), (at(150), True)])
    plant.link(asset, valve, begins=at(-1000), ends=at(165))
    series = read(valve, Aggregate.TIME_WEIGHTED_MEAN, now=at(210))
    assert shown(series) == [0.25, 0.5, 1.0]
    assert shown(read(asset, Aggregate.TIME_WEIGHTED_MEAN)) == [0.25, 15 / 45, None]
    assert shown(read(valve, Aggregate.TIME_WEIGHTED_MEAN, now=at(170))) == [0.25, 20 / 50, None]
    # Without a point in the range, too; not before the first one of all.
    assert shown(read(valve, Aggregate.TIME_WEIGHTED_MEAN, from_=at(300), to=at(420))) == [1.0, 1.0]
    assert shown(read(valve, Aggregate.TIME_WEIGHTED_MEAN, from_=at(-600), to=at(-480))) == [None, 1.0]
    assert read(valve, Aggregate.TIME_WEIGHTED_MEAN, from_=at(300), to=at(420)).type is MetricType.BOOLEAN


def test_a_mean_over_time_is_that_of_constants_to_the_last_digit(plant: Plant, read: Any) -> None:
    probe = plant.entity("DEVICE")
    plant.points(probe, "m", [(at(n), 20.1) for n in range(0, 240, 7)])
    assert shown(read(probe, Aggregate.TIME_WEIGHTED_MEAN)) == [20.1, 20.1, 20.1]


def test_the_days_on_which_the_clock_is_changed_have_their_own_lengths(plant: Plant, read: Any) -> None:
    meter = plant.entity("DEVICE")
    # One a minute, from before the Saturday on which clocks go forward in the night.
    begin = datetime(2026, 3, 27, 22, tzinfo=UTC)
    plant.points(meter, "m", [(begin + timedelta(minutes=10 * n), 10.0 * n) for n in range(6 * 75)])
    arguments = {
        "from_": datetime(2026, 3, 27, 23, tzinfo=UTC),
        "to": datetime(2026, 3, 30, 22, tzinfo=UTC),
        "bucket": (0, timedelta(days=1)),
        "timezone": "Europe/Berlin",
        "now": datetime(2026, 5, 1, tzinfo=UTC),
    }
    assert shown(read(meter, Aggregate.INCREASE, **arguments)) == [24 * 60.0, 23 * 60.0, 24 * 60.0]
    assert shown(read(meter, Aggregate.RATE, **arguments)) == [pytest.approx(1 / 60)] * 3


def test_empty_buckets_are_filled_with_what_was_before(plant: Plant, read: Any) -> None:
    probe = plant.entity("DEVICE")
    plant.points(probe, "m", [(at(-130), 4.0), (at(-125), 8.0), (at(130), 1.0)])
    assert shown(read(probe, Aggregate.MEAN, fill=Fill.PREVIOUS)) == [6.0, 1.0, 1.0]
    assert shown(read(probe, Aggregate.COUNT, fill=Fill.PREVIOUS)) == [2.0, 1.0, 1.0]
    assert shown(read(probe, Aggregate.INCREASE, fill=Fill.PREVIOUS)) == [4.0, 1.0, 1.0]
    # Nothing is known of the future.
    assert shown(read(probe, Aggregate.MEAN, fill=Fill.PREVIOUS, now=at(179))) == [6.0, 1.0, None]
    assert shown(read(probe, Aggregate.MEAN, fill=Fill.LINEAR)) == [None, 1.0, None]
    assert shown(read(probe, Aggregate.MEAN)) == [None, 1.0, None]
    assert shown(read(probe, Aggregate.MEAN, from_=at(-180), to=at(180), fill=Fill.LINEAR)) == [
        6.0,
        5.0,
        4.0,
        3.0,
        2.0,
        1.0,
    ]


def test_texts_are_filled_with_texts_and_lead_no_line(plant: Plant, read: Any) -> None:
    probe = plant.entity("DEVICE")
    plant.points(probe, "m", [(at(30), "open"), (at(130), 1.0), (at(250), 3.0), (at(370), "shut"), (at(490), 5.0)])
    filled = read(probe, Aggregate.LAST, to=at(540), fill=Fill.PREVIOUS)
    assert filled.texts == ["open", None, None, None, None, "shut", "shut", None]
    assert shown(filled) == [None, 1.0, 1.0, 3.0, 3.0, None, None, 5.0]
    line = read(probe, Aggregate.LAST, to=at(540), fill=Fill.LINEAR)
    assert shown(line) == [None, 1.0, 2.0, 3.0, None, None, None, 5.0]
    assert line.texts == [None, None, None, None, None, "shut", None, None]


def test_a_fill_without_buckets_is_refused(plant: Plant, read: Any) -> None:
    with pytest.raises(BadInputError) as refusal:
        read(plant.entity("DEVICE"), Aggregate.MEAN, bucket=None, fill=Fill.PREVIOUS)
    assert refusal.value.path == ("fill",)


@pytest.mark.parametrize("aggregate", [Aggregate.MEDIAN, Aggregate.INCREASE, Aggregate.TIME_WEIGHTED_MEAN])
def test_points_beyond_the_limit_are_refused(plant: Plant, read: Any, aggregate: Aggregate) -> None:
    probe = plant.entity("DEVICE")
    plant.points(probe, "m", [(at(60 + n), 1.0) for n in range(11)])
    with pytest.raises(LimitExceededError) as refusal:
        read(probe, aggregate, scan_limit=10)
    assert refusal.value.path == ("from",)
    assert shown(read(probe, aggregate, scan_limit=11))[0] is not None


@pytest.mark.parametrize("aggregate", [Aggregate.MEAN, Aggregate.DELTA, Aggregate.INCREASE])
def test_statements_do_not_grow_with_entities(plant: Plant, engine: Engines, aggregate: Aggregate) -> None:
    entities = []
    for n in range(6):
        device, asset = plant.entity("DEVICE"), plant.entity("ASSET")
        plant.points(device, "m", [(at(n), 1.0), (at(n + 1), "off"), (at(n + 200), 3.0)])
        plant.link(asset, device, begins=at(0))
        entities += [device, asset]
    api = engine("api")
    statements: list[str] = []
    event.listen(api, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    counts = []
    for entity_ids in (entities[:2], entities):
        with plant.session(api) as session:
            statements.clear()
            answers = telemetry_read(
                session,
                organization_id=plant.organization_id,
                entity_ids=entity_ids,
                metrics=None,
                from_=at(60),
                to=at(240),
                bucket=HOUR,
                aggregate=aggregate,
                timezone="UTC",
                max_points=10,
                fill=Fill.PREVIOUS,
                now=at(1440),
            )
            counts.append(len(statements))
        assert all(not math.isnan(answers[entity_id][0].values[-1]) for entity_id in entity_ids)
    assert counts[0] == counts[1] <= 20
