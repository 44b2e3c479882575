"""Starting and stopping as an operator does."""

from __future__ import annotations

import stat

import pytest

from tests.support.plant import Plant

pytestmark = pytest.mark.slow


@pytest.mark.timeout(240)
def test_a_second_start_finds_its_data(own_plant: Plant) -> None:
    client = own_plant.organization("Keeps")
    client.call('mutation { createDevice(input: {name: "Probe", externalId: "probe"}) { errors { code } } }')
    client.call('mutation { ingestTelemetry(readings: [{externalId: "probe", metrics: {kept: 1}}]) { accepted } }')
    assert own_plant.stop() == 0
    own_plant.start("--no-demo")
    account = client.call('{ ingestAccount(from: "2020-01-01T00:00:00Z") { received } }').data["ingestAccount"]
    assert account == {"received": 1}


def test_a_taken_port_is_a_clear_error(plant: Plant, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = Plant(tmp_path_factory.mktemp("other") / "home")
    refused = other.run("up", "--port", str(plant.port), "--no-demo", check=False)
    assert refused.returncode == 2
    assert str(plant.port) in refused.stderr
    assert "Traceback" not in refused.stderr


def test_nothing_is_open_to_other_local_users(plant: Plant) -> None:
    """Below the data directory nothing can be read, written or entered by others."""
    for path in (plant.home, *plant.home.rglob("*")):
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode) or any(parent.stat().st_mode & 0o077 == 0 for parent in path.parents if parent != path):
            continue
        assert mode & 0o007 == 0, f"{path} is {stat.filemode(mode)}"
