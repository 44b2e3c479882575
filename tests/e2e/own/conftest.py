from __future__ import annotations

from collections.abc import Iterator

import pytest

from testing.installation import Installation


@pytest.fixture
def own_installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A running Argus of the test's own, to be harmed."""
    running = Installation(tmp_path_factory.mktemp("own-plant") / "home")
    running.start("--no-demo")
    try:
        yield running
    finally:
        running.stop()
