from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.calm import Watch
from tests.support.plant import Plant


@pytest.fixture
def calm(request: pytest.FixtureRequest) -> Iterator[None]:
    """Assert after a test with an instance that nothing went wrong there and nothing is left to do.

    A test that provokes errors says which: `@pytest.mark.provokes("pattern of a line", ..., may_wait=("windows",))`.
    """
    name = next((each for each in ("plant", "own_plant") if each in request.fixturenames), None)
    if name is None:
        yield
        return
    watch = Watch(request.getfixturevalue(name))
    watch.begin()
    yield
    marker = request.node.get_closest_marker("provokes")
    expected = () if marker is None else marker.args
    watch.check(expected=expected, may_wait=() if marker is None else marker.kwargs.get("may_wait", ()))


@pytest.fixture(scope="package")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """A running Argus without the demo, shared by the tests that do not harm it."""
    running = Plant(tmp_path_factory.mktemp("plant") / "home")
    running.start("--no-demo")
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def own_plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """A running Argus of the test's own, to be harmed."""
    running = Plant(tmp_path_factory.mktemp("own-plant") / "home")
    running.start("--no-demo")
    try:
        yield running
    finally:
        running.stop()
