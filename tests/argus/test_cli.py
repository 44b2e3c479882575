"""The command line: help that helps, and errors without a traceback."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

import argus.__main__
import argus.cli.main
import argus.cli.up
from argus.cli.errors import CommandError, errors_reported
from argus.cli.options import URL_DEFAULT, url_of
from argus.cli.progress import terminable
from argus.client import ArgusClient, ClientError
from runtime.embedded.home import Home
from testing.installation import PROJECT, environment
from testing.waits import patient


@dataclass(frozen=True)
class Done:
    """What a command has printed, and its exit status."""

    status: int
    output: str
    errors: str


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """`run(*arguments)`: run a command in this process, where its modules are loaded already."""

    def command_run(*arguments: str, home: Path | None = None) -> Done:
        try:
            status = argus.cli.main.main([*arguments, *([] if home is None else ["--home", str(home)])])
        except SystemExit as ended:
            status = int(ended.code or 0)
        printed = capsys.readouterr()
        return Done(status, printed.out, printed.err)

    return command_run


COMMANDS = (
    (), ("up",), ("organization",), ("organization", "create"), ("organization", "list"),
    ("organization", "rename"), ("organization", "suspend"), ("organization", "resume"), ("organization", "export"),
    ("organization", "delete"), ("token",), ("token", "create"),
    ("import",), ("import", "brick"), ("import", "series"), ("import", "graph"),
    ("export",), ("export", "graph"), ("simulate",), ("api",), ("worker",), ("migrate",), ("retention",),
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help(command: tuple[str, ...], run: Callable[..., Done]) -> None:
    done = run(*command, "--help")
    assert done.status == 0, done.errors
    assert "usage: argus" in done.output
    assert "==SUPPRESS==" not in done.output
    assert len(done.output) > 200


def test_the_command_runs_as_a_process_of_its_own() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "argus", "organization", "list", "--home", "/proc/nowhere"],
        cwd=PROJECT, env=environment(), capture_output=True, text=True, timeout=patient(60), check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("argus: There is no Argus in /proc/nowhere")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", [("--help",), ("import", "series", "--help"), ("organization", "list")])
def test_a_reader_that_goes_ends_the_command_without_a_word(command: tuple[str, ...], unbuffered: str) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "argus", *command], stdout=write, stderr=write, cwd=PROJECT, check=False,
        env=environment() | {"PYTHONUNBUFFERED": unbuffered, "ARGUS_HOME": "/proc/nowhere"}, timeout=patient(60),
    )  # fmt: skip
    os.close(write)
    assert done.returncode == 141


def test_without_argus_there_commands_say_how_to_get_it(tmp_path: Path, run: Callable[..., Done]) -> None:
    for command in (
        ("organization", "list"),
        ("token", "create", "--organization", "x", "--role", "admin"),
        ("migrate",),
    ):
        done = run(*command, home=tmp_path / "nothing")
        assert done.status == 2
        assert "There is no Argus in" in done.errors


def test_options_that_cannot_be_are_refused(run: Callable[..., Done]) -> None:
    for command in (
        ("up", "--port", "0"),
        ("up", "--port", "nonsense"),
        ("token", "create", "--organization", "x", "--role", "king"),
        ("token", "create", "--organization", "x", "--role", "admin", "--ttl", "soon"),
        ("simulate", "--late", "2"),
        ("nonsense",),
    ):
        done = run(*command)
        assert done.status == 2, command
        assert "error: " in done.errors or "argus: " in done.errors


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_home_that_cannot_be_made_is_reported(run: Callable[..., Done]) -> None:
    done = run("up", "--port", "45454", home=Path("/proc/nowhere"))
    assert done.status == 2
    assert "cannot be made" in done.errors


def test_ctrl_c_while_modules_are_loaded_prints_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(argus.cli.main, "import_module", interrupted)
    assert argus.__main__.main() == 130
    assert capsys.readouterr() == ("", "")


def test_sigterm_ends_an_import_as_ctrl_c_does() -> None:
    with pytest.raises(KeyboardInterrupt), terminable():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is not signal.default_int_handler


def test_an_unreachable_address_is_reported_after_a_few_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses_s: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses_s.append)
    said: list[str] = []
    with pytest.raises(ClientError, match=r"127\.0\.0\.1:1/graphql does not answer"):
        ArgusClient("http://127.0.0.1:1/graphql", "token", on_retry=said.append).call("{ __typename }")
    assert len(said) == len(pauses_s)
    assert 5 < sum(pauses_s) < 12
    assert "Trying again in 0.2 s (1 of 7)" in said[0]


def test_commands_find_the_address_of_a_running_argus(tmp_path: Path) -> None:
    home = Home.open(tmp_path / "home", ports=(1, 2))
    arguments = argparse.Namespace(url=None, home=str(tmp_path / "home"))
    assert url_of(arguments) == URL_DEFAULT
    home.address_write("http://127.0.0.1:18000/graphql")
    assert url_of(arguments) == "http://127.0.0.1:18000/graphql"
    assert url_of(argparse.Namespace(url="http://other/graphql", home=arguments.home)) == "http://other/graphql"
    home.address_remove()
    assert url_of(arguments) == URL_DEFAULT


def test_driver_errors_are_reported_without_a_traceback() -> None:
    with pytest.raises(CommandError, match=r"^The database's disk is full\.") as refused, errors_reported():
        raise psycopg.errors.DiskFull('could not extend file "base/1/2": No space left on device')
    assert "base/1/2" not in str(refused.value)


def test_argus_up_takes_its_data_directory_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    def home_of(*arguments: str) -> str:
        parser = argparse.ArgumentParser()
        argus.cli.up.register(parser.add_subparsers())
        return str(parser.parse_args(["up", *arguments]).home)

    monkeypatch.setenv("ARGUS_HOME", "/somewhere/else")
    assert home_of() == "/somewhere/else"
    assert home_of("--home", "here") == "here"
    monkeypatch.delenv("ARGUS_HOME")
    assert home_of() == ".argus"
