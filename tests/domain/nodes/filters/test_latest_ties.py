"""Of points at one time the latest is the one that `latest` shows: of the smaller device id, port and metric."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine

from domain.nodes.filters.model import LatestCondition, ListFilter
from domain.nodes.lists import entity_list
from domain.telemetry.store.latest import latest_read
from graph.paging import PageRequest
from testing.rows import Plant, at

DEVICES = [UUID(int=n, version=4) for n in (9, 2, 5)]


@pytest.mark.parametrize("order", [DEVICES, DEVICES[::-1], DEVICES[1:] + DEVICES[:1]])
def test_ties(engine: Callable[[str], Engine], order: list[UUID]) -> None:
    plant = Plant(engine("owner"))
    assets = [plant.entity("ASSET") for _ in range(4)]
    series = [(device, port, metric) for device in order for port in (None, 1) for metric in ("t", "u")]
    for device in order:
        plant.entity("DEVICE", device)
        plant._run("INSERT INTO devices (organization_id, id) VALUES (:organization_id, :id)", id=device)
    values = {}
    for n, (device, port, metric) in enumerate(series):
        values[device, port, metric] = float(n)
        plant.points(device, metric, [(at(10), float(n))], port=port)
    links: list[list[tuple[UUID, int | None, dict[str, str] | None]]] = [
        [(device, port, None) for device in order for port in (1, None)],
        [(device, None, {"t": "t", "u": "t"}) for device in order],
        [(device, 1, {"u": "t"}) for device in order[:2]],
        [(order[0], port, {"u": "t", "t": "x"}) for port in (1, None)],
    ]
    for asset, linked in zip(assets, links, strict=True):
        for device, port, mapping in linked:
            plant.link(asset, device, begins=at(0), port=port, mapping=mapping)
    with plant.session(engine("api")) as session:
        shown = latest_read(session, organization_id=plant.organization_id, entity_ids=assets, metrics=["t"])
        for value in values.values():
            page = entity_list(
                session,
                organization_id=plant.organization_id,
                where=ListFilter(ids=assets, latest=[LatestCondition(metric="t", eq=value)]),
                page=PageRequest(50),
                now=at(20),
                offline_after=timedelta(minutes=1),
            )
            expected = {asset for asset, points in shown.items() if [point.value for point in points] == [value]}
            assert {item.id for item in page.items} == expected, value
    assert all(len(points) == 1 for points in shown.values())
