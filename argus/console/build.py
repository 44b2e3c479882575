"""Build the console, where what was built is not of its present sources."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from argus.console.compression import files_compress
from argus.console.node import Node, NodeError, node_find
from argus.console.notices import NAME as NOTICES
from argus.console.notices import notices
from argus.console.progress import DIRECTORY, Progress, progress_write
from argus.console.sources import STAMP, Location, sources_stamp

_STEPS: Final = 4
_TIMEOUT_S: Final = 900
_META: Final = '<meta name="argus-console" content="{stamp}">'
_LINES_SHOWN: Final = 40
_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")


class BuildError(Exception):
    """The console could not be built; the message says why."""


@dataclass(slots=True)
class Build:
    """One build. project: the checkout. say: prints a line of progress."""

    project: Path
    location: Location
    say: Callable[[str], None]

    def run(self) -> bool:
        """Build what is not current; return whether anything was to do. One at a time: a second waits for the first.

        Raises BuildError.
        """
        sources = self._sources
        with _alone(sources):
            if self.location.is_current():
                progress_write(sources, None)
                return False
            try:
                self._build()
            except (BuildError, NodeError, OSError, ValueError) as error:
                progress_write(sources, Progress(os.getpid(), 0, _STEPS, "", failed=str(error)))
                raise BuildError(str(error)) from None
        progress_write(sources, None)
        return True

    def check(self, scripts: Sequence[str]) -> None:
        """Run scripts of the console's package, e.g. its type checks and tests. Raises BuildError."""
        with _alone(self._sources):
            try:
                node = node_find(self.project, path=os.environ.get("PATH"), say=self.say)
                self._install(node)
            except NodeError as error:
                raise BuildError(str(error)) from error
            for script in scripts:
                self._npm(node, ["run", script])

    @property
    def _sources(self) -> Path:
        assert self.location.sources is not None  # noqa: S101  (without them there is nothing to build)
        return self.location.sources

    def _build(self) -> None:
        sources, dist = self._sources, self.location.dist
        stamp = sources_stamp(sources)
        self._step(1, "Looking for Node.js")
        node = node_find(self.project, path=os.environ.get("PATH"), say=lambda line: self._step(1, line))
        self._install(node)
        self._step(3, "Building")
        # What is half built has no stamp, and is not served.
        (dist / STAMP).unlink(missing_ok=True)
        self._npm(node, ["run", "build"])
        if not (dist / "index.html").is_file():
            msg = f"The build made no {dist.name}/index.html."
            raise BuildError(msg)
        self._step(_STEPS, "Compressing")
        dist_finish(sources, dist, stamp)

    def _install(self, node: Node) -> None:
        """Install the packages of the lock file, unless this lock's are."""
        sources = self._sources
        lock = (sources / "package-lock.json").read_bytes() + node.version.encode()
        wanted, mark = hashlib.sha256(lock).hexdigest(), sources / "node_modules" / ".argus-lock"
        if mark.is_file() and mark.read_text(encoding="ascii") == wanted:
            return
        self._step(2, "Installing packages")
        self._npm(node, ["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        mark.parent.mkdir(exist_ok=True)
        mark.write_text(wanted, encoding="ascii")

    def _npm(self, node: Node, arguments: Sequence[str]) -> None:
        output, status = _output(
            [*node.npm, *arguments],
            directory=self._sources,
            environment=node.environment({**os.environ, "CI": "1", "NO_COLOR": "1"}),
        )
        if status:
            msg = f"npm {' '.join(arguments)} ended with status {status}:\n{_end_of(output)}"
            raise BuildError(msg)

    def _step(self, step: int, doing: str) -> None:
        self.say(f"Console {step}/{_STEPS}: {doing}")
        progress_write(self._sources, Progress(os.getpid(), step, _STEPS, doing))


def dist_finish(sources: Path, dist: Path, stamp: str) -> None:
    """Complete what the build made: notices, its stamp in the page, compressed forms, and at last the stamp.

    Raises ValueError where a package has no licence.
    """
    (dist / NOTICES).write_text(notices(sources), encoding="utf-8")
    page = dist / "index.html"
    text = page.read_text(encoding="utf-8")
    page.write_text(text.replace("</head>", f"{_META.format(stamp=stamp)}</head>", 1), encoding="utf-8")
    files_compress(dist)
    (dist / STAMP).write_text(f"{stamp}\n", encoding="ascii")


def _end_of(output: str) -> str:
    """Return the last lines that a person can make use of: without colours, and without where in the tools it was."""
    lines = [line.rstrip() for line in _COLOUR.sub("", output).splitlines()]
    return "\n".join([line for line in lines if line and not line.lstrip().startswith("at ")][-_LINES_SHOWN:])


def _output(command: Sequence[str], *, directory: Path, environment: Mapping[str, str]) -> tuple[str, int]:
    """Run a command; return what it printed, and its status. With this process, all that it started ends.

    Raises BuildError where it takes too long.
    """
    running = subprocess.Popen(
        command,
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        output, _ = running.communicate(timeout=_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        msg = f"{' '.join(command[-2:])} took longer than {_TIMEOUT_S} s."
        raise BuildError(msg) from None
    finally:
        if running.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)
            running.wait()
    return output, running.returncode


@contextmanager
def _alone(sources: Path) -> Iterator[None]:
    """Hold the lock of a console's builds."""
    directory = sources / DIRECTORY
    directory.mkdir(exist_ok=True)
    with (directory / "lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def say(line: str) -> None:
    """Print a line of progress."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
