from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import pytest
from sqlalchemy import Engine

from runtime.database import engine_create
from testing.api import Api
from testing.line import Line
from testing.world import world_create

_NAMES = count()


@pytest.fixture
def lines(api: Api) -> Iterator[Callable[[], tuple[str, Line]]]:
    """Make an organization with a pipeline of its own on the API's database; return its name with it."""
    engines: dict[str, Engine] = {}

    def engine(role: str) -> Engine:
        if role not in engines:
            engines[role] = engine_create(api.settings.database_url(role))
        return engines[role]

    def make() -> tuple[str, Line]:
        name = f"types{next(_NAMES)}"
        return name, Line(world_create(owner=engine("owner"), api=engine("api"), slug=name), engine)

    yield make
    for item in engines.values():
        item.dispose()
