"""Building the console: a small one of the tests' own, by the real npm where there is one."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import brotli
import pytest

from argus.console.build import Build, BuildError
from argus.console.node import Node, NodeError, node_find
from argus.console.progress import Progress, progress_read, progress_write
from argus.console.sources import console_find
from testing.installation import PROJECT
from testing.waits import wait_until

BUILD = """
import { mkdirSync, writeFileSync } from 'node:fs';
mkdirSync('dist/assets', { recursive: true });
writeFileSync('dist/index.html', '<!doctype html><html><head><title>Small</title></head><body></body></html>');
writeFileSync('dist/assets/app-1.js', 'export const answer = 42;\\n'.repeat(100));
"""


@pytest.fixture(scope="session")
def node() -> Node:
    try:
        return node_find(PROJECT, path=os.environ.get("PATH"), say=lambda _line: None)
    except NodeError as error:
        pytest.skip(str(error))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A checkout whose console needs no package."""
    sources = tmp_path / "console"
    sources.mkdir()
    manifest = {"name": "small", "version": "1.0.0", "license": "Apache-2.0", "scripts": {"build": "node build.mjs"}}
    (sources / "package.json").write_text(json.dumps(manifest))
    lock = {"name": "small", "version": "1.0.0", "lockfileVersion": 3, "packages": {"": manifest}}
    (sources / "package-lock.json").write_text(json.dumps(lock))
    (sources / "build.mjs").write_text(BUILD)
    return tmp_path


def build(project: Path, lines: list[str] | None = None) -> bool:
    location = console_find(project)
    assert location is not None
    return Build(project, location, ([] if lines is None else lines).append).run()


@pytest.fixture
def with_node(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let that Node.js be the one on PATH."""
    monkeypatch.setattr("argus.console.build.node_find", lambda *_a, **_n: node)


@pytest.mark.usefixtures("with_node")
def test_a_build_is_complete_and_is_not_repeated(project: Path) -> None:
    lines: list[str] = []
    assert build(project, lines)
    dist = project / "console" / "dist"
    stamp = (dist / "STAMP").read_text().strip()
    assert f'<meta name="argus-console" content="{stamp}">' in (dist / "index.html").read_text()
    script = (dist / "assets" / "app-1.js").read_bytes()
    assert brotli.decompress((dist / "assets" / "app-1.js.br").read_bytes()) == script
    assert gzip.decompress((dist / "assets" / "app-1.js.gz").read_bytes()) == script
    assert (dist / "third-party-notices.txt").is_file()
    assert [line.split(":")[0] for line in lines] == ["Console 1/4", "Console 2/4", "Console 3/4", "Console 4/4"]
    assert progress_read(project / "console") is None
    assert not build(project)
    # Only what has changed is done again.
    (project / "console" / "more.ts").write_text("1")
    again: list[str] = []
    assert build(project, again)
    assert [line.split(":")[0] for line in again] == ["Console 1/4", "Console 3/4", "Console 4/4"]
    assert (dist / "STAMP").read_text().strip() != stamp


@pytest.mark.usefixtures("with_node")
def test_a_build_that_fails_says_why_and_leaves_no_stamp(project: Path) -> None:
    assert build(project)
    (project / "console" / "build.mjs").write_text("throw new Error('a fault of the sources')")
    with pytest.raises(BuildError, match="a fault of the sources"):
        build(project)
    progress = progress_read(project / "console")
    assert progress is not None
    assert "a fault of the sources" in (progress.failed or "")
    assert "    at " not in (progress.failed or "")
    assert not (project / "console" / "dist" / "STAMP").exists()


def test_without_node_and_without_pypi_the_reason_is_said(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(PROJECT / "requirements-node.lock", project)
    monkeypatch.setenv("PATH", str(project / "nothing"))
    # What pip asks then, nobody answers.
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_RETRIES", "0")
    with pytest.raises(BuildError, match=r"no Node.js 22\.12 or newer"):
        build(project)
    progress = progress_read(project / "console")
    assert progress is not None
    assert progress.failed is not None


def test_a_node_that_is_too_old_is_not_taken(tmp_path: Path) -> None:
    for version, is_taken in (("v20.20.2", False), ("v22.11.9", False), ("v22.12.0", True), ("v24.1.0", True)):
        programs = tmp_path / version
        programs.mkdir()
        for name in ("node", "npm"):
            (programs / name).write_text(f"#!/bin/sh\necho {version}\n")
            (programs / name).chmod(0o755)
        try:
            taken = node_find(tmp_path, path=str(programs), say=lambda _line: None).version
        except (NodeError, OSError):
            # There is no lock file to install from.
            taken = ""
        assert taken == (version if is_taken else "")


def test_progress_of_a_process_that_is_gone_is_no_build(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for process, is_running in ((os.getpid(), True), (ended.pid, False)):
        progress_write(tmp_path, Progress(process, 1, 4, "Building"))
        progress = progress_read(tmp_path)
        assert progress is not None
        assert progress.is_running is is_running
    progress_write(tmp_path, None)
    assert progress_read(tmp_path) is None


def test_with_a_build_end_the_processes_that_it_started(project: Path, node: Node) -> None:
    (project / "console" / "build.mjs").write_text(
        "import { writeFileSync } from 'node:fs'; writeFileSync('.pid', String(process.pid)); setTimeout(() => 0, 1e6);"
    )
    script = (
        "import sys, pathlib, argus.console.__main__ as m, argus.console.sources as s;"
        f"p = pathlib.Path({str(project)!r}); m.console_find = lambda: s.console_find(p);"
        "sys.argv = ['x']; sys.exit(m.main())"
    )
    environment = node.environment({**os.environ, "PYTHONPATH": str(PROJECT)})
    (project / "bin").mkdir()
    npm = project / "bin" / "npm"
    npm.write_text(f'#!/bin/sh\nexec {" ".join(node.npm)} "$@"\n')
    npm.chmod(0o755)
    environment["PATH"] = f"{project / 'bin'}:{environment['PATH']}"
    running = subprocess.Popen([sys.executable, "-c", script], env=environment, cwd=PROJECT)
    pid = project / "console" / ".pid"
    try:
        wait_until(lambda: pid.is_file() and pid.read_text() != "")
        started = Path(f"/proc/{pid.read_text()}")
        assert started.exists()
        running.send_signal(signal.SIGTERM)
        assert running.wait(30) != 0
        wait_until(lambda: not started.exists())
    finally:
        running.kill()
        running.wait()


# The wheel


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what a wheel is made of, with a console of the test's own."""
    copy = tmp_path / "checkout"
    ignored = shutil.ignore_patterns("__pycache__", "node_modules", "dist", ".build")
    for name in ("argus", "gql", "workers", "domain", "graph", "runtime", "migrations"):
        shutil.copytree(PROJECT / name, copy / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(PROJECT / name, copy)
    return copy


def wheel(checkout: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(checkout / "made")]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)


def test_a_wheel_has_the_console_in_it_or_is_not_made(checkout: Path, tmp_path: Path) -> None:
    refused = wheel(checkout)
    assert refused.returncode != 0
    assert "make console" in refused.stderr + refused.stdout
    dist = checkout / "console" / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text("<!doctype html>")
    (dist / "assets" / "app-1.js").write_text("1")
    (dist / "STAMP").write_text("abc\n")
    # Of other sources than those that are there.
    (checkout / "console" / "package.json").write_text("{}")
    assert wheel(checkout).returncode != 0
    (checkout / "console" / "package.json").unlink()
    made = wheel(checkout)
    assert made.returncode == 0, made.stderr
    (file,) = (checkout / "made").glob("*.whl")
    with zipfile.ZipFile(file) as opened:
        names = set(opened.namelist())
        opened.extractall(tmp_path / "installed")
    assert {"argus/console/dist/index.html", "argus/console/dist/assets/app-1.js", "argus/console/dist/STAMP"} <= names
    # What is installed of it finds what was packed.
    look = "from argus.console.sources import console_find; print(console_find().stamp_built())"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "installed")}
    answer = subprocess.run(
        [sys.executable, "-P", "-c", look], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "abc"
