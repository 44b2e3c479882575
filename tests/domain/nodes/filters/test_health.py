"""Health in filters: the number that an asset shows, computed for those alone that it may concern."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import Engine

from domain.nodes.filters import health
from domain.nodes.filters.model import ListFilter
from domain.nodes.lists import entity_list
from graph.kinds import EntityKind
from graph.paging import PageRequest
from testing.faults import fault_of
from testing.line import Line
from testing.world import World
from tests.domain.derivation.health.test_series import LATER, Plant, minute
from tests.domain.nodes.filters.population import OFFLINE_AFTER


@pytest.fixture
def plant(worlds: Callable[[str], World], engine: Callable[[str], Engine]) -> Plant:
    made = Plant(Line(worlds("health"), engine))
    made.send((0, 85))
    return made


def listed(plant: Plant, where: ListFilter, now: datetime) -> list[str]:
    with plant.line.world.session() as session:
        page = entity_list(
            session,
            organization_id=plant.line.organization_id,
            where=where,
            page=PageRequest(50),
            now=now,
            offline_after=OFFLINE_AFTER,
        )
        assert page.total is not None
        assert page.total() == len(page.items)
        return [item.name for item in page.items]


def test_the_number_is_that_of_the_asset(plant: Plant) -> None:
    now = minute(1)
    scores = plant.score(plant.pump, now), plant.score(plant.house, now)
    assert scores == (80.0, 94.0)
    for bound in (79.0, 80.0, 80.5, 94.0, 95.0):
        expected = sorted(name for name, score in zip(("pump", "house"), scores, strict=True) if score < bound)
        assert listed(plant, ListFilter(health_below=bound), now) == expected
        expected = sorted(name for name, score in zip(("pump", "house"), scores, strict=True) if score > bound)
        assert listed(plant, ListFilter(health_above=bound), now) == expected
    assert listed(plant, ListFilter(health_above=80, health_below=95), now) == ["house"]
    # Nothing recent is known a day later.
    assert plant.score(plant.pump, LATER) is None
    assert listed(plant, ListFilter(health_above=-1), LATER) == []
    assert listed(plant, ListFilter(kinds=[EntityKind.ASSET], none_of=ListFilter(health_above=-1)), LATER) == [
        "house",
        "pump",
    ]


def test_it_is_computed_for_so_many_assets_at_most(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "ASSETS_MAX", 1)
    where = ListFilter(any_of=[ListFilter(health_below=100)])
    assert fault_of(lambda: listed(plant, where, minute(1))) == (
        "LIMIT_EXCEEDED",
        ("filter", "or", "0", "healthBelow"),
    )
    narrowed = ListFilter(ids=[plant.pump], any_of=[ListFilter(health_below=100)])
    assert listed(plant, narrowed, minute(1)) == ["pump"]
