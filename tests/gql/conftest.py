from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine

from testing.api import Api, api_serve
from testing.rows import Plant
from testing.servers import TestServers
from tests.gql.live.hub import Feed


@pytest.fixture(scope="module")
def api(servers: TestServers) -> Iterator[Api]:
    """The application on a database of the module's own, with an organization `plant`."""
    database = servers.database_create()
    try:
        with api_serve(database, servers.bus_server.url) as served:
            served.organization("plant")
            yield served
    finally:
        servers.database_drop(database)


@pytest.fixture
def feed(engine: Callable[[str], Engine]) -> Feed:
    """A hub of the live feed on a plant's database."""
    return Feed(Plant(engine("owner")), engine)
