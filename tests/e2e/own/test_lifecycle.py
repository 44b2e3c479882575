"""Starting, stopping and killing an installation, as operators and machines do."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from testing.clean_run import KILLED_BUS, KILLED_DATABASE, KILLED_PART
from testing.installation import Installation
from testing.waits import Deadline

pytestmark = pytest.mark.slow


@pytest.mark.timeout(240)
def test_a_second_start_finds_its_data(own_installation: Installation) -> None:
    client = own_installation.organization("Keeps")
    client.call('mutation { createDevice(input: {name: "Probe", externalId: "probe"}) { errors { code } } }')
    client.call('mutation { ingestTelemetry(readings: [{externalId: "probe", metrics: {kept: 1}}]) { accepted } }')
    assert own_installation.stop() == 0
    own_installation.start("--no-demo")
    counts = client.call('{ ingestAccount(from: "2020-01-01T00:00:00Z") { received } }').data["ingestAccount"]
    assert counts == {"received": 1}


@pytest.mark.timeout(240)
@pytest.mark.provokes(KILLED_PART, KILLED_DATABASE, KILLED_BUS)
def test_every_child_is_restarted_and_no_process_is_left_at_the_end(own_installation: Installation) -> None:
    client = own_installation.organization("Falls")
    for marker in ("argus api", "argus worker", "valkey-server", "bin/postgres -D"):
        [*before] = own_installation.children(marker)
        assert before, marker
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        deadline = Deadline()
        while not set(own_installation.children(marker)) - set(before):
            deadline.pause()
        own_installation.wait_ready()
    assert client.call("{ viewer { role } }").data["viewer"]["role"] == "admin"
    family = own_installation.children("")
    assert own_installation.stop() == 0
    assert [pid for pid in family if Path(f"/proc/{pid}").exists()] == []


def is_running(pid: int) -> bool:
    """Whether a process lives; one that has ended and waits to be reaped has no command line any more."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return False


@pytest.mark.timeout(240)
def test_after_a_killed_supervisor_the_next_start_cleans_up(own_installation: Installation) -> None:
    client = own_installation.organization("Orphans")
    client.call('mutation { createDevice(input: {name: "d", externalId: "d"}) { errors { code } } }')
    assert own_installation.process is not None
    family = own_installation.children("")
    os.kill(own_installation.process.pid, signal.SIGKILL)
    own_installation.process.wait()
    own_installation.start("--no-demo")
    # The API left behind may have answered for a last time, that it is ready; it ends by itself.
    deadline = Deadline(30)
    while any(is_running(pid) for pid in family):
        deadline.pause()
    own_installation.wait_ready()
    assert client.call("{ devices { totalCount } }").data["devices"]["totalCount"] == 1


@pytest.fixture
def closed() -> Iterator[Path]:
    """A directory that is closed to all but its owner. Here, for what pytest makes is open to others."""
    made = Path(tempfile.mkdtemp(prefix="argus-closed-"))
    made.chmod(0o700)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@pytest.mark.timeout(240)
def test_a_home_below_a_closed_directory(closed: Path) -> None:
    """As root the servers run as another user, who cannot enter what is closed to all but root."""
    installation = Installation(closed / "deep" / "home")
    (closed / "deep").mkdir(mode=0o700)
    try:
        installation.start("--no-demo")
        assert installation.stop() == 0
        assert closed.stat().st_mode & 0o777 == 0o700
    finally:
        installation.stop()
