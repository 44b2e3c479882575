"""The stamp of the console: of its sources alone; and where the console is looked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from argus.console.sources import console_find, sources_stamp
from testing.installation import PROJECT


@pytest.fixture
def project(tmp_path: Path) -> Path:
    sources = tmp_path / "console"
    (sources / "src").mkdir(parents=True)
    (sources / "package.json").write_text("{}")
    (sources / "src" / "main.ts").write_text("1")
    return tmp_path


def test_the_stamp_is_of_names_and_contents(project: Path) -> None:
    sources = project / "console"
    stamps = [sources_stamp(sources)]
    (sources / "src" / "main.ts").write_text("2")
    stamps.append(sources_stamp(sources))
    (sources / "src" / "main.ts").rename(sources / "src" / "other.ts")
    stamps.append(sources_stamp(sources))
    (sources / ".npmrc").write_text("x")
    stamps.append(sources_stamp(sources))
    assert len(set(stamps)) == len(stamps)


def test_what_tools_make_is_not_in_the_stamp(project: Path) -> None:
    sources = project / "console"
    before = sources_stamp(sources)
    for name in ("node_modules/a/index.js", "dist/index.html", ".build/progress.json", ".vite/x", "a.tsbuildinfo"):
        (sources / name).parent.mkdir(parents=True, exist_ok=True)
        (sources / name).write_text("made")
    (sources / "src" / "main.ts").touch()
    (sources / "src" / "main.ts").chmod(0o700)
    assert sources_stamp(sources) == before


def test_a_checkout_goes_before_what_is_packed(project: Path, tmp_path: Path) -> None:
    packed = tmp_path / "packed"
    assert console_find(tmp_path / "none", packed) is None
    packed.mkdir()
    (packed / "STAMP").write_text("abc\n")
    location = console_find(tmp_path / "none", packed)
    assert location is not None
    assert (location.dist, location.sources, location.stamp_built(), location.is_current()) == (
        packed,
        None,
        "abc",
        True,
    )
    location = console_find(project, packed)
    assert location is not None
    assert (location.sources, location.stamp_built(), location.is_current()) == (project / "console", None, False)
    location.dist.mkdir()
    (location.dist / "STAMP").write_text("abc\n")
    assert not location.is_current()
    (location.dist / "STAMP").write_text(f"{sources_stamp(project / 'console')}\n")
    assert location.is_current()


def test_the_lock_file_names_no_registry() -> None:
    lock = PROJECT / "console" / "package-lock.json"
    if not lock.is_file():
        pytest.skip("There is no console here yet.")
    text = lock.read_text(encoding="utf-8")
    packages = json.loads(text)["packages"]
    assert [name for name, entry in packages.items() if "resolved" in entry and not entry.get("link")] == []
    assert all("integrity" in entry for name, entry in packages.items() if name and not entry.get("link"))
    assert "omit-lockfile-registry-resolved=true" in (PROJECT / "console" / ".npmrc").read_text(encoding="utf-8")
