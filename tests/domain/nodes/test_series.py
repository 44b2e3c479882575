"""Series of many entities at once, and across them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event

from domain.base.packed import Aggregate, Series
from domain.nodes import series as series_module
from domain.nodes.series import METRICS_MAX, SeriesSelection, series_read
from domain.telemetry.model.across import ACROSS
from domain.telemetry.model.fill import Fill
from domain.telemetry.store.history import telemetry_read
from graph.errors import BadInputError, LimitExceededError, NotFoundError
from graph.kinds import EntityKind
from testing.rows import Plant, at

Engines = Callable[[str], Engine]

HOUR = (0, timedelta(hours=1))
DEFAULTS: dict[str, Any] = {
    "metrics": ["m"],
    "from_": at(0),
    "to": at(180),
    "bucket": HOUR,
    "aggregate": Aggregate.MEAN,
    "fill": Fill.NONE,
    "timezone": "UTC",
    "max_points": 1000,
    "now": at(1440),
}


@pytest.fixture
def plant(engine: Engines) -> Plant:
    return Plant(engine("owner"))


@pytest.fixture
def read(plant: Plant, engine: Engines) -> Iterator[Callable[..., list[Series]]]:
    """`read(entity_ids, **arguments)` as the API's role."""
    with plant.session(engine("api")) as session:

        def call(entity_ids: Sequence[UUID] | None = None, **arguments: Any) -> list[Series]:
            selection = {
                name: arguments.pop(name) for name in ("under_id", "group_id", "kinds", "types") if name in arguments
            }
            return series_read(
                session,
                organization_id=plant.organization_id,
                selection=SeriesSelection(entity_ids, **selection),
                **{"across": None, "offline_after": timedelta(minutes=5), **DEFAULTS, **arguments},
            )

        yield call


def shown(series: Series) -> list[float | None]:
    return [None if math.isnan(value) else value for value in series.values.tolist()]


def test_many_are_read_in_the_order_in_which_they_are_named(plant: Plant, read: Any) -> None:
    first, second, third = (plant.entity("DEVICE") for _ in range(3))
    plant.points(first, "m", [(at(1), 1.0)])
    plant.points(second, "m", [(at(1), 2.0)])
    plant.points(second, "n", [(at(1), 3.0)], port=4)
    plant.points(third, "other", [(at(1), 4.0)])
    rows = read([second, third, first, second], metrics=["n", "m"])
    assert [(row.entity_id, row.metric, row.port, shown(row)[0]) for row in rows] == [
        (second, "m", None, 2.0),
        (second, "n", 4, 3.0),
        (first, "m", None, 1.0),
    ]
    assert [row.values.tolist() for row in read([first, second], bucket=None)] == [[1.0], [2.0]]


def test_what_is_below_is_read_by_kind_and_type(plant: Plant, read: Any) -> None:
    asset, space, device, elsewhere = (plant.entity(kind) for kind in ("ASSET", "SPACE", "DEVICE", "DEVICE"))
    plant.link(asset, device, begins=at(0))
    plant.link(space, device, begins=at(60))
    plant.points(device, "m", [(at(1), 1.0), (at(61), 2.0)])
    plant.points(elsewhere, "m", [(at(1), 1.0)])
    assert {row.entity_id for row in read(under_id=asset)} == {asset, device}
    [of_device] = read(under_id=asset, kinds=[EntityKind.DEVICE])
    assert (of_device.entity_id, shown(of_device)) == (device, [1.0, 2.0, None])
    [of_space] = read(under_id=space, kinds=[EntityKind.SPACE, EntityKind.PERSON])
    assert (of_space.entity_id, shown(of_space)) == (space, [None, 2.0, None])
    assert read(under_id=asset, types=["Pump"]) == []


def test_a_metric_that_a_link_renames_is_found_by_its_new_name(plant: Plant, read: Any) -> None:
    asset, device = plant.entity("ASSET"), plant.entity("DEVICE")
    plant.link(asset, device, begins=at(0), mapping={"raw": "m"})
    plant.points(device, "raw", [(at(1), 1.0)])
    plant.points(device, "m", [(at(1), 7.0)])
    [row] = read([asset])
    assert shown(row) == [1.0, None, None]


def test_across_combines_the_buckets_of_each(plant: Plant, read: Any) -> None:
    first, second = plant.entity("DEVICE"), plant.entity("DEVICE")
    plant.points(first, "m", [(at(1), 1.0), (at(2), 3.0), (at(130), "off")], unit="W")
    plant.points(second, "m", [(at(1), 10.0), (at(61), 20.0)], unit="W")
    [row] = read([first, second], across=Aggregate.SUM)
    assert (row.entity_id, row.metric, row.port, row.unit) == (first, "m", None, "W")
    # The mean of each first, then the sum of both: not of all points.
    assert shown(row) == [12.0, 20.0, None]
    assert shown(read([first, second], across=Aggregate.COUNT)[0]) == [2.0, 1.0, None]
    assert shown(read([first, second], across=Aggregate.SUM, fill=Fill.PREVIOUS)[0]) == [12.0, 22.0, 22.0]
    plant.points(second, "n", [(at(1), 5.0)], unit="kW")
    plant.points(first, "n", [(at(1), 5.0)], unit="W")
    assert [(row.metric, row.unit) for row in read([first, second], metrics=["n", "m", "x"], across=Aggregate.MAX)] == [
        ("n", None),
        ("m", "W"),
    ]


def test_counters_that_are_replaced_or_reset_add_up_across(plant: Plant, read: Any) -> None:
    meters = [plant.entity("DEVICE") for _ in range(3)]
    for n, meter in enumerate(meters):
        plant.points(meter, "m", [(at(-5), 100.0 * n), (at(10), 100.0 * n + 7), (at(70), 3.0)])
    [row] = read(meters, aggregate=Aggregate.INCREASE, across=Aggregate.SUM)
    assert shown(row) == [21.0, 9.0, None]


@pytest.mark.parametrize(
    ("arguments", "error", "path"),
    [
        ({}, BadInputError, "entityIds"),
        ({"entity_ids": [], "under_id": uuid4()}, BadInputError, "entityIds"),
        ({"entity_ids": []}, BadInputError, "entityIds"),
        ({"entity_ids": [uuid4()] * 1001}, LimitExceededError, "entityIds"),
        ({"entity_ids": [uuid4()], "kinds": []}, BadInputError, "kinds"),
        ({"entity_ids": [uuid4()], "types": []}, BadInputError, "types"),
        ({"entity_ids": [uuid4()], "metrics": []}, BadInputError, "metrics"),
        ({"entity_ids": [uuid4()], "metrics": ["m"] * (METRICS_MAX + 1)}, LimitExceededError, "metrics"),
        ({"entity_ids": [uuid4()], "across": Aggregate.SUM, "bucket": None}, BadInputError, "across"),
        ({"entity_ids": [uuid4()], "across": Aggregate.LAST}, BadInputError, "across"),
        ({"entity_ids": [uuid4()]}, NotFoundError, "entityIds"),
        ({"under_id": uuid4()}, NotFoundError, "underId"),
        ({"group_id": uuid4()}, NotFoundError, "groupId"),
        ({"group_id": uuid4(), "under_id": uuid4()}, BadInputError, "entityIds"),
    ],
)
def test_what_cannot_be_read_is_refused(
    read: Any, arguments: dict[str, Any], error: type[Exception], path: str
) -> None:
    with pytest.raises(error) as refusal:
        read(**arguments)
    assert refusal.value.path[0] == path  # type: ignore[attr-defined]


def test_what_is_beyond_a_bound_is_refused(plant: Plant, read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    devices = [plant.entity("DEVICE") for _ in range(3)]
    asset = plant.entity("ASSET")
    for device in devices:
        plant.points(device, "m", [(at(n), 1.0) for n in range(4)])
        plant.link(asset, device, begins=at(0))
    monkeypatch.setattr(series_module, "VALUES_MAX", 8)
    monkeypatch.setattr(series_module, "VALUES_ACROSS_MAX", 9)
    monkeypatch.setattr(series_module, "ENTITIES_SELECTED_MAX", 3)
    for arguments, path in (({}, "bucket"), ({"bucket": None}, "maxPoints")):
        with pytest.raises(LimitExceededError) as refusal:
            read(devices, **arguments)
        assert refusal.value.path == (path,)
        assert len(read(devices[:2], **arguments)) == 2
    assert len(read(devices, bucket=None, max_points=2)) == 3
    assert len(read(devices, across=Aggregate.SUM)) == 1
    with pytest.raises(LimitExceededError) as refusal:
        read(under_id=asset)
    assert refusal.value.path == ("underId",)
    assert len(read(under_id=asset, kinds=[EntityKind.DEVICE], across=Aggregate.SUM)) == 1


def test_statements_do_not_grow_with_entities(plant: Plant, engine: Engines) -> None:
    asset = plant.entity("ASSET")
    devices = [plant.entity("DEVICE") for _ in range(8)]
    for n, device in enumerate(devices):
        plant.points(device, "m", [(at(n - 20), "off"), (at(n + 70), 3.0)])
        plant.link(asset, device, begins=at(0), port=n)
    api = engine("api")
    statements: list[str] = []
    event.listen(api, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    counts = []
    for selection in (SeriesSelection(devices[:1]), SeriesSelection(devices)):
        with plant.session(api) as session:
            statements.clear()
            series_read(
                session,
                organization_id=plant.organization_id,
                selection=selection,
                **{
                    **DEFAULTS,
                    "aggregate": Aggregate.INCREASE,
                    "fill": Fill.PREVIOUS,
                    "across": Aggregate.SUM,
                    "offline_after": timedelta(),
                },
            )
            counts.append(len(statements))
    assert counts[0] == counts[1]


_ACROSS: Mapping[Aggregate, Callable[[list[float]], float]] = {
    Aggregate.MEAN: statistics.fmean,
    Aggregate.MIN: min,
    Aggregate.MAX: max,
    Aggregate.SUM: math.fsum,
    Aggregate.COUNT: len,
    Aggregate.MEDIAN: statistics.median,
    Aggregate.P05: lambda values: statistics.quantiles(values, n=20, method="inclusive")[0],
    Aggregate.P95: lambda values: statistics.quantiles(values, n=20, method="inclusive")[-1],
    Aggregate.STDDEV: statistics.stdev,
}
points = st.dictionaries(st.integers(0, 179), st.one_of(st.floats(-50, 50), st.just("off")), max_size=8)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sent=st.lists(points, min_size=1, max_size=5),
    aggregate=st.sampled_from(list(Aggregate)),
    across=st.sampled_from(ACROSS),
    fill=st.sampled_from(list(Fill)),
)
def test_across_against_each_by_itself(
    plant: Plant,
    engine: Engines,
    sent: list[dict[int, float | str]],
    aggregate: Aggregate,
    across: Aggregate,
    fill: Fill,
) -> None:
    devices = [plant.entity("DEVICE") for _ in sent]
    for device, own in zip(devices, sent, strict=True):
        if own:
            plant.points(device, "m", [(at(n), value) for n, value in own.items()])
    arguments = {**DEFAULTS, "aggregate": aggregate, "fill": fill, "organization_id": plant.organization_id}
    with plant.session(engine("api")) as session:
        rows = series_read(
            session, selection=SeriesSelection(devices), across=across, offline_after=timedelta(), **arguments
        )
        alone = [telemetry_read(session, entity_ids=[device], **arguments)[device] for device in devices]
    buckets = [[v for [series] in alone if not math.isnan(v := float(series.values[n]))] for n in range(3)]
    if not any(sent):
        assert rows == []
        return
    for values, value in zip(buckets, shown(rows[0]), strict=True):
        if not values or (across is Aggregate.STDDEV and len(values) == 1):
            assert value is None
        elif len(values) == 1:
            assert value == (1 if across is Aggregate.COUNT else values[0])
        else:
            assert value == pytest.approx(_ACROSS[across](values), rel=1e-9, abs=1e-9)
