"""A plant with rollups."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from testing.line import Line
from testing.rollup_plant import RollupPlant
from testing.world import world_create


@pytest.fixture
def plant(engine: Callable[[str], Engine]) -> RollupPlant:
    return RollupPlant(Line(world_create(owner=engine("owner"), api=engine("api"), slug="plant"), engine))
