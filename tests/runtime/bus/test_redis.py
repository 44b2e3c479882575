"""The bus adapter on Redis, beside the embedded Valkey that all other tests use."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.bus.redis_streams import RedisStreams, bus_connect
from runtime.embedded.postgres import free_port
from testing.waits import wait_until

pytestmark = pytest.mark.skipif(
    shutil.which("redis-server") is None, reason="Redis is not installed (.ci/run installs it)"
)


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """Yield the address of a Redis of the test's own."""
    port = free_port()
    with subprocess.Popen(
        ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(tmp_path), "--save", ""],
        stdout=subprocess.DEVNULL,
    ) as server:
        address = f"redis://127.0.0.1:{port}/0"

        def answers() -> bool:
            try:
                return RedisStreams(bus_connect(address)).now_ms() > 0
            except ConnectionError:
                return False

        wait_until(answers)
        yield address
        server.terminate()


def test_publish_read_claim_and_trim(url: str) -> None:
    bus = RedisStreams(bus_connect(url))
    bus.group_ensure("s", "g")
    assert bus.publish("s", [b"one", b"two"]) == 2
    first = bus.group_read("s", "g", consumer="a", count=10, block_ms=10)
    assert [payload for _, payload in first] == [b"one", b"two"]
    bus.group_ack("s", "g", [first[0][0]])
    assert bus.group_claim("s", "g", consumer="b", idle_ms=0, count=10) == [first[1]]
    # Nothing goes that a group still has to do.
    bus.trim("s", ["g"], retention_ms=0)
    assert bus.read_after({"s": "0-0"}, count=10, block_ms=10)["s"][-1] == first[1]
    bus.group_ack("s", "g", [first[1][0]])
    assert bus.last_entry("s") in {first[1], None}
