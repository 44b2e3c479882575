from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, event

from domain.base.packed import Aggregate, MetricType, Series
from domain.telemetry.store.history import telemetry_read
from graph.errors import BadInputError, LimitExceededError, NotFoundError
from testing.rows import T0, Plant, at, millis

Engines = Callable[[str], Engine]

SMALL, GREAT = UUID(int=1), UUID(int=2)


@pytest.fixture
def plant(engine: Engines) -> Plant:
    return Plant(engine("owner"))


@pytest.fixture
def read(plant: Plant, engine: Engines) -> Iterator[Callable[..., Sequence[Series]]]:
    """`read(entity_id, **arguments)` as the API's role."""
    with plant.session(engine("api")) as session:

        def call(entity_id: UUID, **arguments: Any) -> Sequence[Series]:
            defaults: dict[str, Any] = {
                "metrics": None,
                "from_": at(0),
                "to": at(1440),
                "bucket": None,
                "aggregate": Aggregate.MEAN,
                "timezone": "UTC",
                "max_points": 1000,
                "now": at(1440),
            }
            return telemetry_read(
                session,
                organization_id=plant.organization_id,
                entity_ids=[entity_id],
                **{**defaults, **arguments},
            )[entity_id]

        yield call


def shown(series: Series) -> list[tuple[float, float]]:
    """The series' points as (minutes after T0, value)."""
    start = T0.timestamp() * 1000.0
    return [((t - start) / 60_000.0, v) for t, v in zip(series.timestamps, series.values, strict=True)]


def test_a_device_is_read_as_one_series_per_port_and_metric(plant: Plant, read: Any) -> None:
    device = plant.entity("DEVICE")
    plant.points(device, "t", [(at(1), 1.5), (at(0), 2.5)], unit="Cel")
    plant.points(device, "t", [(at(1), 7.0)], port=3)
    plant.points(device, "on", [(at(2), True), (at(3), False)])
    plant.points(device, "state", [(at(2), "open"), (at(3), 1.0)])
    on, state, t, t3 = read(device)
    assert [(s.metric, s.port, s.unit, s.type) for s in (on, state, t, t3)] == [
        ("on", None, None, MetricType.BOOLEAN),
        ("state", None, None, MetricType.TEXT),
        ("t", None, "Cel", MetricType.NUMBER),
        ("t", 3, None, MetricType.NUMBER),
    ]
    assert shown(t) == [(0.0, 2.5), (1.0, 1.5)]
    assert shown(t3) == [(1.0, 7.0)]
    assert shown(on) == [(2.0, 1.0), (3.0, 0.0)]
    assert state.texts == ["open", None]
    assert math.isnan(state.values[0])
    assert state.values[1] == 1.0
    assert not t.truncated


def test_the_range_is_half_open_and_to_defaults_to_now(plant: Plant, read: Any) -> None:
    device = plant.entity("DEVICE")
    plant.points(device, "t", [(at(n), float(n)) for n in range(5)])
    (series,) = read(device, from_=at(1), to=at(3))
    assert shown(series) == [(1.0, 1.0), (2.0, 2.0)]
    (series,) = read(device, from_=at(3), to=None, now=at(4))
    assert shown(series) == [(3.0, 3.0)]


def test_a_requested_metric_without_data_is_an_empty_series(plant: Plant, read: Any) -> None:
    device = plant.entity("DEVICE")
    plant.points(device, "state", [(at(-500), "x")])
    unknown, known = sorted(read(device, metrics=["state", "nope"]), key=lambda s: s.metric)
    assert (unknown.metric, unknown.type, len(unknown.timestamps)) == ("nope", MetricType.NUMBER, 0)
    assert (known.metric, known.type, len(known.timestamps)) == ("state", MetricType.TEXT, 0)
    (bucketed,) = read(device, metrics=["nope"], bucket=(0, timedelta(hours=6)))
    assert len(bucketed.values) == 4
    assert all(math.isnan(value) for value in bucketed.values)


def test_persons_and_activities_measure_nothing(plant: Plant, read: Any) -> None:
    assert read(plant.entity("PERSON"), metrics=["t"]) == []
    assert read(plant.entity("ACTIVITY")) == []


def test_an_asset_is_read_through_its_links_by_event_time(plant: Plant, read: Any) -> None:
    first, second = plant.entity("DEVICE"), plant.entity("DEVICE")
    asset, space = plant.entity("ASSET"), plant.entity("SPACE")
    for device, sign in ((first, 1.0), (second, -1.0)):
        plant.points(device, "t", [(at(n), sign * n) for n in range(1, 9)], unit="Cel")
    plant.link(asset, first, begins=at(2), ends=at(4))
    plant.link(asset, second, begins=at(4), ends=at(6))
    plant.link(space, second, begins=at(7))
    (series,) = read(asset)
    assert (series.entity_id, series.port, series.unit) == (asset, None, "Cel")
    assert shown(series) == [(2.0, 2.0), (3.0, 3.0), (4.0, -4.0), (5.0, -5.0)]
    (series,) = read(space)
    assert shown(series) == [(7.0, -7.0), (8.0, -8.0)]


def test_a_link_takes_its_port_and_a_portless_one_the_portless_readings(plant: Plant, read: Any) -> None:
    device, wide, narrow = plant.entity("DEVICE"), plant.entity("ASSET"), plant.entity("ASSET")
    plant.points(device, "t", [(at(1), 1.0)])
    plant.points(device, "t", [(at(2), 2.0)], port=0)
    plant.points(device, "t", [(at(3), 3.0)], port=1)
    plant.link(wide, device, begins=at(0))
    plant.link(narrow, device, begins=at(0), port=1)
    assert [shown(s) for s in read(wide)] == [[(1.0, 1.0)]]
    assert [shown(s) for s in read(narrow)] == [[(3.0, 3.0)]]


def test_metrics_mapping_renames_and_selects(plant: Plant, read: Any) -> None:
    device, asset = plant.entity("DEVICE"), plant.entity("ASSET")
    plant.points(device, "a", [(at(1), 1.0)])
    plant.points(device, "b", [(at(1), 2.0)])
    plant.link(asset, device, begins=at(0), mapping={"a": "supply"})
    assert [(s.metric, shown(s)) for s in read(asset)] == [("supply", [(1.0, 1.0)])]
    (series,) = read(asset, metrics=["a"])
    assert len(series.timestamps) == 0


def test_the_smaller_device_then_the_smaller_port_wins(plant: Plant, read: Any) -> None:
    small, great, asset = plant.entity("DEVICE", SMALL), plant.entity("DEVICE", GREAT), plant.entity("ASSET")
    plant.points(great, "t", [(at(1), 20.0), (at(2), 20.0)])
    plant.points(small, "t", [(at(1), 15.0), (at(3), 15.0)], port=5)
    plant.points(small, "t", [(at(1), 12.0)], port=2)
    plant.link(asset, great, begins=at(0))
    plant.link(asset, small, begins=at(0), port=5)
    plant.link(asset, small, begins=at(0), port=2)
    (series,) = read(asset)
    assert shown(series) == [(1.0, 12.0), (2.0, 20.0), (3.0, 15.0)]


def test_two_links_of_one_device_port_count_a_point_once(plant: Plant, read: Any) -> None:
    device, asset = plant.entity("DEVICE"), plant.entity("ASSET")
    plant.points(device, "t", [(at(n), 1.0) for n in range(6)])
    plant.link(asset, device, begins=at(0), ends=at(4))
    plant.link(asset, device, begins=at(2), relationship="CONTROLLED_BY")
    (series,) = read(asset, bucket=(0, timedelta(days=1)), aggregate=Aggregate.SUM)
    assert series.values.tolist() == [6.0]


def test_a_link_no_longer_believed_gives_nothing(plant: Plant, read: Any) -> None:
    device, asset = plant.entity("DEVICE"), plant.entity("ASSET")
    plant.points(device, "t", [(at(1), 1.0)])
    link = plant.link(asset, device, begins=at(0))
    assert len(read(asset)) == 1
    plant.disbelieve(link)
    assert read(asset) == []


@pytest.mark.parametrize(
    ("how", "numbers", "texts"),
    [
        (Aggregate.MEAN, [2.0, None, 10.0], None),
        (Aggregate.MIN, [1.0, None, 10.0], None),
        (Aggregate.MAX, [3.0, None, 10.0], None),
        (Aggregate.SUM, [4.0, None, 10.0], None),
        (Aggregate.COUNT, [2.0, None, 1.0], [1.0, None, 2.0]),
        (Aggregate.FIRST, [1.0, None, 10.0], ["x", None, "y"]),
        (Aggregate.LAST, [3.0, None, 10.0], ["x", None, "z"]),
    ],
)
def test_aggregates(plant: Plant, read: Any, how: Aggregate, numbers: list[Any], texts: list[Any] | None) -> None:
    device = plant.entity("DEVICE")
    plant.points(device, "n", [(at(0), 1.0), (at(59), 3.0), (at(120), 10.0)])
    plant.points(device, "s", [(at(0), "x"), (at(120), "y"), (at(121), "z")])
    number, word = read(device, to=at(180), bucket=(0, timedelta(hours=1)), aggregate=how)
    assert [None if math.isnan(v) else v for v in number.values] == numbers
    assert number.timestamps.tolist() == [millis(0), millis(60), millis(120)]
    assert word.type is MetricType.TEXT
    if how is Aggregate.COUNT:
        assert [None if math.isnan(v) else v for v in word.values] == texts
    else:
        assert all(math.isnan(v) for v in word.values)
        assert word.texts == texts or (texts is None and word.texts is None)


def test_sums_are_exact(plant: Plant, read: Any) -> None:
    device = plant.entity("DEVICE")
    plant.points(device, "t", [(at(0), 1e16), (at(1), 1.0), (at(2), -1e16)])
    (series,) = read(device, bucket=(0, timedelta(days=1)), aggregate=Aggregate.SUM)
    assert series.values.tolist() == [1.0]


def test_a_local_day_is_the_zones_own(plant: Plant, read: Any) -> None:
    device = plant.entity("DEVICE")
    begin = datetime(2025, 3, 30, 0, tzinfo=UTC) - timedelta(hours=1)
    plant.points(device, "t", [(begin + timedelta(hours=n), 1.0) for n in range(-1, 24)])
    (series,) = read(
        device,
        from_=begin,
        to=begin + timedelta(hours=23),
        bucket=(0, timedelta(days=1)),
        aggregate=Aggregate.COUNT,
        timezone="Europe/Berlin",
    )
    assert series.values.tolist() == [23.0]


def test_more_points_than_requested_are_thinned_and_flagged(plant: Plant, read: Any) -> None:
    device = plant.entity("DEVICE")
    plant.points(device, "t", [(at(n), 99.0 if n == 57 else float(n % 7)) for n in range(100)])
    (series,) = read(device, max_points=20)
    assert len(series.values) <= 20
    assert series.truncated
    assert 99.0 in series.values
    (series,) = read(device, max_points=100)
    assert (len(series.values), series.truncated) == (100, False)


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ({"max_points": 0}, ("maxPoints",)),
        ({"max_points": 10_001}, ("maxPoints",)),
        ({"from_": at(5), "to": at(5)}, ("from",)),
        ({"from_": at(9), "to": None, "now": at(5)}, ("from",)),
        ({"timezone": "Mars/Olympus"}, ("timezone",)),
        ({"timezone": "../../etc/passwd"}, ("timezone",)),
        ({"bucket": (0, timedelta(0))}, ("bucket",)),
        ({"bucket": (-1, timedelta(0))}, ("bucket",)),
        ({"bucket": (0, timedelta(seconds=-5))}, ("bucket",)),
        ({"bucket": (1, timedelta(days=1))}, ("bucket",)),
        ({"bucket": (0, timedelta(days=400)), "from_": datetime(1, 1, 1, tzinfo=UTC)}, ("from",)),
    ],
)
def test_bad_arguments_are_named(plant: Plant, read: Any, arguments: dict[str, Any], path: tuple[str, ...]) -> None:
    device = plant.entity("DEVICE")
    with pytest.raises(BadInputError) as refused:
        read(device, **arguments)
    assert refused.value.path == path


def test_buckets_times_series_are_bounded_before_anything_is_read(plant: Plant, read: Any) -> None:
    device = plant.entity("DEVICE")
    plant.points(device, "a", [(at(1), 1.0)])
    plant.points(device, "b", [(at(1), 1.0)])
    hours = {"bucket": (0, timedelta(hours=1)), "from_": at(0)}
    assert len(read(device, to=at(60 * 5000), **hours)) == 2
    with pytest.raises(LimitExceededError, match="5001 buckets x 2 series are 10002") as refused:
        read(device, to=at(60 * 5001), **hours)
    assert refused.value.path == ("bucket",)
    with pytest.raises(LimitExceededError, match="buckets"):
        read(device, to=at(60 * 5001), from_=at(0), bucket=(0, timedelta(microseconds=1)))


def test_points_scanned_are_bounded(plant: Plant, read: Any) -> None:
    device = plant.entity("DEVICE")
    plant.points(device, "a", [(at(n), 1.0) for n in range(6)])
    plant.points(device, "b", [(at(n), 1.0) for n in range(5)])
    assert len(read(device, scan_limit=11)) == 2
    with pytest.raises(LimitExceededError, match="more than 10 stored points"):
        read(device, scan_limit=10)


def test_an_unknown_entity_and_one_of_another_organization_are_not_found(
    plant: Plant, read: Any, engine: Engines
) -> None:
    other = Plant(engine("owner"), "two")
    for entity_id in (uuid4(), other.entity("DEVICE")):
        with pytest.raises(NotFoundError):
            read(entity_id)


def test_statements_do_not_grow_with_entities(plant: Plant, engine: Engines) -> None:
    entities = []
    for n in range(6):
        device, asset = plant.entity("DEVICE"), plant.entity("ASSET")
        plant.points(device, "t", [(at(n), 1.0)])
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
                from_=at(0),
                to=at(60),
                bucket=None,
                aggregate=Aggregate.MEAN,
                timezone="UTC",
                max_points=10,
                now=at(60),
            )
            counts.append(len(statements))
        assert all(len(answers[entity_id][0].values) == 1 for entity_id in entity_ids)
    # The scan itself goes past SQLAlchemy, once.
    assert counts == [4, 4]
