"""Fixtures that every test may ask for: real servers, an empty database, engines for its roles."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
import redis
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine

from runtime.collection import startup_freeze
from runtime.database import engine_create
from testing import planner
from testing.schedule import Schedule
from testing.servers import TestDatabase, TestServers, servers_open
from testing.waits import patient

# No test evaluates by the clock: a busy or a new machine (whose Hypothesis has yet to make its tables) is no fault.
settings.register_profile("argus", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# Other and more examples, of those tests that draw few: pytest --hypothesis-profile=many.
settings.register_profile("many", settings.get_profile("argus"), max_examples=200)
settings.load_profile("argus")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--planner`, or ARGUS_TEST_PLANNER: how the planner of every database of the tests works."""
    parser.addoption(
        "--planner",
        choices=planner.MODES,
        default=os.environ.get("ARGUS_TEST_PLANNER", planner.NONE),
        help="read tables by other ways than the planner does by itself (testing/planner.py)",
    )
    parser.addoption(
        "--write-units", action="store_true", help="write how long the longer units take to tests/units.json"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Schedule(), "argus-schedule")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Multiply the time limits of whole tests by the patience factor."""
    usual_s = float(config.getini("timeout"))
    for item in items:
        mark = item.get_closest_marker("timeout")
        limit_s = float(mark.args[0]) if mark else usual_s
        item.add_marker(pytest.mark.timeout(patient(limit_s)), append=False)


def pytest_collection_finish() -> None:
    """Leave what was collected, all modules and tests, out of garbage collection: it lives to the end."""
    startup_freeze()


@pytest.fixture(scope="session")
def servers(pytestconfig: pytest.Config) -> Iterator[TestServers]:
    """PostgreSQL and Valkey for this test process."""
    with servers_open("argus-tests-", in_memory=True) as started:
        started.planner = pytestconfig.getoption("--planner")
        planner.commits_observe(started.database_server.dsn(), started.planner)
        yield started


@pytest.fixture
def database(servers: TestServers) -> Iterator[TestDatabase]:
    """An empty, migrated database of the test's own; `database.url(role)` for owner, api, ingest, pipeline."""
    made = servers.database_create()
    yield made
    servers.database_drop(made)


@pytest.fixture
def engine(database: TestDatabase) -> Iterator[Callable[[str], Engine]]:
    """`engine(role)`: an engine on the test's database as owner, api, ingest or pipeline."""
    engines: dict[str, Engine] = {}

    def get(role: str) -> Engine:
        if role not in engines:
            engines[role] = engine_create(database.url(role))
        return engines[role]

    yield get
    for made in engines.values():
        made.dispose()


@pytest.fixture
def bus(servers: TestServers) -> Iterator[redis.Redis]:
    """An empty Valkey."""
    with redis.Redis.from_url(servers.bus_server.url) as client:
        client.flushall()
        yield client


@pytest.fixture
def bus_url(servers: TestServers, bus: redis.Redis) -> str:
    """The address of an empty Valkey."""
    return servers.bus_server.url
