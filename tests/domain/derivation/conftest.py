"""A plant whose pumps derive."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from testing.deriving_plant import DerivingPlant
from testing.line import Line
from testing.world import world_create


@pytest.fixture
def plant(engine: Callable[[str], Engine]) -> DerivingPlant:
    return DerivingPlant(Line(world_create(owner=engine("owner"), api=engine("api"), slug="pumps"), engine))
