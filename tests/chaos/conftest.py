from __future__ import annotations

from collections.abc import Iterator

import pytest

from testing.clean_run import pytest_runtest_call, pytest_runtest_teardown
from testing.installation import Installation

# Every test here ends with a check that no instance logged an error but what it provokes, or has something left to do.
__all__ = ["pytest_runtest_call", "pytest_runtest_teardown"]


@pytest.fixture
def own_installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A running Argus of the test's own, to be harmed."""
    running = Installation(
        tmp_path_factory.mktemp("own-plant") / "home",
        # Receivers are on this host, and what is measured is of long ago.
        settings={"ARGUS_WEBHOOK_ALLOW": "127.0.0.0/8", "ARGUS_ACT_LATE": "forever"},
    )
    running.start("--no-demo")
    try:
        yield running
    finally:
        running.stop()
