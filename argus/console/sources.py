"""Where the console is: its sources in a checkout, and what was built of them, here or in a wheel.

The stamp of a built console is the digest of the sources it was built of, so that one that is not current is noticed
wherever it is served or packed. This module needs nothing but the standard library.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

STAMP: Final = "STAMP"
# The command that builds the console in a checkout.
BUILD: Final = "make console"
_STAMP_DIGITS: Final = 20
# Of tools, or of what they made. Directories with a dot are a tool's own, too.
_NOT_SOURCES: Final = frozenset({"node_modules", "dist", "coverage"})
_PROJECT: Final = Path(__file__).resolve().parents[2]
_PACKAGED: Final = Path(__file__).resolve().parent / "dist"


@dataclass(frozen=True, slots=True)
class Location:
    """A console. dist: what was built. sources: the directory of its sources; None: they are not here."""

    dist: Path
    sources: Path | None

    def stamp_built(self) -> str | None:
        """Return the stamp of what was built; None: nothing was, or it is being built."""
        with suppress(OSError, UnicodeDecodeError):
            return (self.dist / STAMP).read_text(encoding="ascii").strip() or None
        return None

    def stamp_wanted(self) -> str | None:
        """Return the stamp that the sources ask for; None where there are none."""
        return None if self.sources is None else sources_stamp(self.sources)

    def is_current(self) -> bool:
        """Return whether what was built is of these sources; without sources, whether anything was."""
        built = self.stamp_built()
        return built is not None and self.stamp_wanted() in {None, built}


def console_find(project: Path = _PROJECT, packaged: Path = _PACKAGED) -> Location | None:
    """Return where the console is: in the checkout that this code is in, else packed with it; None: nowhere."""
    sources = project / "console"
    if (sources / "package.json").is_file():
        return Location(sources / "dist", sources)
    return Location(packaged, None) if (packaged / STAMP).is_file() else None


def sources_stamp(sources: Path) -> str:
    """Return the digest of all sources: their names and their contents, and nothing of the machine."""
    digest = hashlib.sha256()
    for name in sorted(_files(sources)):
        content = (sources / name).read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:_STAMP_DIGITS]


def _files(sources: Path) -> Iterator[str]:
    """Yield the sources by their names below a directory, with slashes."""
    for directory, folders, names in os.walk(sources):
        folders[:] = [name for name in folders if name not in _NOT_SOURCES and not name.startswith(".")]
        for name in names:
            if not name.endswith((".tsbuildinfo", ".log", "~")):
                yield (Path(directory) / name).relative_to(sources).as_posix()
