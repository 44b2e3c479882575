from __future__ import annotations

from collections.abc import Iterator

import pytest

from testing.clean_run import pytest_runtest_call, pytest_runtest_teardown
from testing.installation import Installation

# Every test here ends with a check that no instance logged or counted an error, or has something left to do.
__all__ = ["pytest_runtest_call", "pytest_runtest_teardown"]


@pytest.fixture(scope="package")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A running Argus without the demo, shared by the tests that do not harm it."""
    running = Installation(tmp_path_factory.mktemp("plant") / "home")
    running.start("--no-demo")
    try:
        yield running
    finally:
        running.stop()
