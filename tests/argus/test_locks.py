"""The lock files agree: the image has the packages that the tests ran with, and none that only they need."""

from __future__ import annotations

import re
import tomllib

from testing.installation import PROJECT


def pins(name: str) -> dict[str, set[str]]:
    """Return the pinned versions of a lock file by package: of some there are several, for several Pythons."""
    versions: dict[str, set[str]] = {}
    for package, version in re.findall(
        r"^([a-z0-9.-]+)==(\S+)", (PROJECT / name).read_text(encoding="utf-8"), re.MULTILINE
    ):
        versions.setdefault(package, set()).add(version)
    return versions


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^A-Za-z0-9._-]", requirement)[0].lower().replace("_", "-") for requirement in requirements}


def test_the_image_has_what_is_tested_and_no_more() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    image, tested = pins("requirements-image.lock"), pins("requirements.lock")
    needed, development = names(project["project"]["dependencies"]), names(project["dependency-groups"]["dev"])
    assert len(needed) > 10
    assert needed <= image.keys()
    assert not (development - needed) & image.keys()
    assert image == {package: tested[package] for package in image}
