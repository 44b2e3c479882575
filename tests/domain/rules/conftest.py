from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from testing.world import World
from tests.domain.pipeline.act.conftest import Alarms


@pytest.fixture
def alarms(world: World, engine: Callable[[str], Engine]) -> Alarms:
    """Events of the world, put there by hand."""
    return Alarms(world, engine("owner"), engine("pipeline"))
