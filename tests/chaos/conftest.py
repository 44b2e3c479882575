from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.plant import Plant


@pytest.fixture
def own_plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """A running Argus of the test's own, to be harmed."""
    running = Plant(
        tmp_path_factory.mktemp("own-plant") / "home",
        # Receivers are on this host, and what is measured is of long ago.
        settings={"ARGUS_WEBHOOK_ALLOW": "127.0.0.0/8", "ARGUS_ACT_LATE": "forever"},
    )
    running.start("--no-demo")
    try:
        yield running
    finally:
        running.stop()
