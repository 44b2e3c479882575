"""A plant whose pumps move."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from tests.domain.derivation.plant import DerivingPlant
from tests.domain.telemetry.line import Line
from tests.graph.world import world_create


@pytest.fixture
def plant(engine: Callable[[str], Engine]) -> DerivingPlant:
    return DerivingPlant(Line(world_create(owner=engine("owner"), api=engine("api"), slug="moving"), engine))
