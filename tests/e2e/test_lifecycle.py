"""Commands beside a running installation: clear errors for what is in use, taken or unknown."""

from __future__ import annotations

import stat

import pytest

from testing.installation import Installation

pytestmark = pytest.mark.slow


def test_a_taken_port_is_a_clear_error(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = Installation(tmp_path_factory.mktemp("other") / "home")
    refused = other.run("up", "--port", str(installation.port), "--no-demo", check=False)
    assert refused.returncode == 2
    assert str(installation.port) in refused.stderr
    assert "Traceback" not in refused.stderr


def test_nothing_is_open_to_other_local_users(installation: Installation) -> None:
    """Below the data directory nothing can be read, written or entered by others."""
    for path in (installation.home, *installation.home.rglob("*")):
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode) or any(parent.stat().st_mode & 0o077 == 0 for parent in path.parents if parent != path):
            continue
        assert mode & 0o007 == 0, f"{path} is {stat.filemode(mode)}"


def test_a_home_in_use_is_refused(installation: Installation) -> None:
    refused = installation.run("up", "--port", str(Installation(installation.home).port), "--no-demo", check=False)
    assert refused.returncode == 2
    assert "already running" in refused.stderr


def test_an_organization_is_made_once_and_tokens_name_those_there_are(installation: Installation) -> None:
    installation.run("organization", "create", "Twice")
    again = installation.run("organization", "create", "Twice", check=False)
    assert (again.returncode, "twice" in again.stderr, "Traceback" in again.stderr) == (1, True, False)
    unknown = installation.run("token", "create", "--organization", "Nowhere", "--role", "viewer", check=False)
    assert unknown.returncode == 1
    assert "twice" in unknown.stderr
