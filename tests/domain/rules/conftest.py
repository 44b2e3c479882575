from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from tests.domain.pipeline.act.conftest import Alarms
from tests.graph.world import World


@pytest.fixture
def alarms(world: World, engine: Callable[[str], Engine]) -> Alarms:
    """Events of the world, put there by hand."""
    return Alarms(world, engine("owner"), engine("pipeline"))
