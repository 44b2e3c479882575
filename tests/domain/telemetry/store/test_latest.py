from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine

from domain.base.packed import MetricType
from domain.telemetry.store.latest import LatestPoint, latest_read
from graph.errors import NotFoundError
from testing.rows import RECEIVED, Plant, at

Engines = Callable[[str], Engine]


@pytest.fixture
def plant(engine: Engines) -> Plant:
    return Plant(engine("owner"))


@pytest.fixture
def latest(plant: Plant, engine: Engines) -> Iterator[Callable[..., Sequence[LatestPoint]]]:
    with plant.session(engine("api")) as session:

        def call(entity_id: UUID, metrics: Sequence[str] | None = None) -> Sequence[LatestPoint]:
            return latest_read(session, organization_id=plant.organization_id, entity_ids=[entity_id], metrics=metrics)[
                entity_id
            ]

        yield call


def test_a_device_has_one_per_port_and_metric(plant: Plant, latest: Any) -> None:
    device = plant.entity("DEVICE")
    plant.points(device, "t", [(at(5), 5.0), (at(1), 1.0)], unit="Cel")
    plant.points(device, "t", [(at(2), 2.0)], port=1)
    plant.points(device, "state", [(at(3), "open")])
    state, portless, ported = latest(device)
    assert (state.type, state.value, state.text) == (MetricType.TEXT, None, "open")
    assert (portless.value, portless.unit, portless.timestamp, portless.received_at) == (
        5.0,
        "Cel",
        at(5),
        RECEIVED,
    )
    assert (ported.port, ported.value) == (1, 2.0)
    assert [point.metric for point in latest(device, ["state", "nope"])] == ["state"]


def test_an_assets_latest_lies_within_a_link(plant: Plant, latest: Any) -> None:
    device, past, present, never = (plant.entity(k) for k in ("DEVICE", "ASSET", "ASSET", "ASSET"))
    plant.points(device, "t", [(at(n), float(n)) for n in range(10)])
    plant.link(past, device, begins=at(2), ends=at(6), mapping={"t": "temp"})
    plant.link(present, device, begins=at(6))
    plant.link(never, device, begins=at(100))
    (point,) = latest(past)
    assert (point.metric, point.port, point.value, point.timestamp) == ("temp", None, 5.0, at(5))
    assert point.received_at == RECEIVED
    assert [point.value for point in latest(present)] == [9.0]
    assert latest(never) == []


def test_of_several_devices_the_greatest_timestamp_then_the_smaller_id(plant: Plant, latest: Any) -> None:
    small, great = plant.entity("DEVICE", UUID(int=1)), plant.entity("DEVICE", UUID(int=2))
    asset = plant.entity("ASSET")
    plant.points(small, "t", [(at(5), 1.0), (at(8), 3.0)])
    plant.points(great, "t", [(at(5), 2.0)])
    plant.link(asset, great, begins=at(0))
    plant.link(asset, small, begins=at(0), ends=at(6))
    assert [(p.value, p.timestamp) for p in latest(asset)] == [(1.0, at(5))]
    plant.points(great, "t", [(at(7), 4.0)])
    assert [(p.value, p.timestamp) for p in latest(asset)] == [(4.0, at(7))]


def test_other_organizations_are_not_found(plant: Plant, latest: Any, engine: Engines) -> None:
    foreign = Plant(engine("owner"), "two").entity("DEVICE")
    for entity_id in (foreign, uuid4()):
        with pytest.raises(NotFoundError):
            latest(entity_id)
