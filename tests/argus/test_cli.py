"""The command line: help that helps, and errors without a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.plant import PROJECT, environment


def run(*arguments: str, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    extra = [] if home is None else ["--home", str(home)]
    return subprocess.run(
        [sys.executable, "-m", "argus", *arguments, *extra],
        cwd=PROJECT, env=environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


COMMANDS = (
    (), ("up",), ("organization",), ("organization", "create"), ("organization", "list"), ("token",), ("token", "create"),
    ("import",), ("import", "brick"), ("import", "series"), ("import", "graph"),
    ("export",), ("export", "graph"), ("simulate",), ("api",), ("worker",), ("migrate",), ("retention",),
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help(command: tuple[str, ...]) -> None:
    done = run(*command, "--help")
    assert done.returncode == 0, done.stderr
    assert "usage: argus" in done.stdout
    assert "==SUPPRESS==" not in done.stdout
    assert len(done.stdout) > 200


def test_without_argus_there_commands_say_how_to_get_it(tmp_path: Path) -> None:
    for command in (
        ("organization", "list"),
        ("token", "create", "--organization", "x", "--role", "admin"),
        ("migrate",),
    ):
        done = run(*command, home=tmp_path / "nothing")
        assert done.returncode == 2
        assert "There is no Argus in" in done.stderr
        assert "Traceback" not in done.stderr


def test_options_that_cannot_be_are_refused() -> None:
    for command in (
        ("up", "--port", "0"),
        ("up", "--port", "nonsense"),
        ("token", "create", "--organization", "x", "--role", "king"),
        ("token", "create", "--organization", "x", "--role", "admin", "--ttl", "soon"),
        ("simulate", "--late", "2"),
        ("nonsense",),
    ):
        done = run(*command)
        assert done.returncode == 2, command
        assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_home_that_cannot_be_made_is_told() -> None:
    done = run("up", "--port", "45454", home=Path("/proc/nowhere"))
    assert done.returncode == 2
    assert "cannot be made" in done.stderr
