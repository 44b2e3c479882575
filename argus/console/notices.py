"""The notices of what the console is made of, from its lock file and the licences that its packages carry."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

NAME: Final = "third-party-notices.txt"
_HEAD: Final = """\
The console of Argus contains, or was built with parts of, the packages below. Each is under its own licence.
"""
_LICENCE_NAMES: Final = ("licen", "copying", "notice")
_RULE: Final = "-" * 80


@dataclass(frozen=True, slots=True)
class Package:
    """A package that the console is made of. directory: where it is installed, below the console's sources."""

    name: str
    version: str
    licence: str
    directory: str


def packages(lock: Mapping[str, Any]) -> Iterator[Package]:
    """Yield the packages of a lock file (version 3) that reach the browser: not those of development alone."""
    # Of two installations of a package the outer one first.
    for directory, entry in sorted(
        lock["packages"].items(), key=lambda item: (item[0].count("node_modules/"), item[0])
    ):
        is_other_system = entry.get("optional", False) and ("os" in entry or "cpu" in entry)
        if directory and not (entry.get("dev") or entry.get("devOptional") or entry.get("link") or is_other_system):
            name = entry.get("name") or directory.rpartition("node_modules/")[2]
            yield Package(name, entry.get("version", ""), _licence(entry.get("license")), directory)


def notices(sources: Path) -> str:
    """Return the notices. Raises ValueError where a package names no licence and carries none."""
    lock = json.loads((sources / "package-lock.json").read_text(encoding="utf-8"))
    parts, seen = [_HEAD], set[tuple[str, str]]()
    for package in packages(lock):
        if (package.name, package.version) in seen:
            continue
        seen.add((package.name, package.version))
        text = _texts(sources / package.directory)
        licence = package.licence or _of_manifest(sources / package.directory)
        if not text and not licence:
            msg = f"{package.name} {package.version} names no licence and carries none."
            raise ValueError(msg)
        parts.append(f"\n{_RULE}\n{package.name} {package.version}\nLicence: {licence or 'as below'}\n")
        if text:
            parts.append(f"\n{text}\n")
    return "".join(parts)


def _licence(named: object) -> str:
    """Return the licence that a manifest names, in any of the forms that npm has had for it."""
    if isinstance(named, dict):
        return str(named.get("type", ""))
    if isinstance(named, list):
        return " OR ".join(filter(None, map(_licence, named)))
    return named if isinstance(named, str) else ""


def _of_manifest(directory: Path) -> str:
    try:
        manifest = json.loads((directory / "package.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    return _licence(manifest.get("license", manifest.get("licenses")))


def _texts(directory: Path) -> str:
    """Return the texts of the licences that a package carries."""
    if not directory.is_dir():
        return ""
    files = [
        path
        for path in sorted(directory.iterdir())
        if path.is_file() and path.name.lower().startswith(_LICENCE_NAMES) and path.suffix.lower() not in {".js", ".ts"}
    ]
    return "\n\n".join(path.read_text(encoding="utf-8", errors="replace").strip() for path in files)
