"""The notices of what the console is made of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from argus.console.notices import notices


def sources_write(sources: Path, packages: dict[str, dict[str, object]], texts: dict[str, str]) -> None:
    lock = {"lockfileVersion": 3, "packages": {"": {"name": "console"}, **packages}}
    (sources / "package-lock.json").write_text(json.dumps(lock))
    for name, text in texts.items():
        (sources / name).parent.mkdir(parents=True, exist_ok=True)
        (sources / name).write_text(text)


def test_each_package_of_the_browser_once_with_its_licence(tmp_path: Path) -> None:
    sources_write(
        tmp_path,
        {
            "node_modules/react": {"version": "19.0.0", "license": "MIT"},
            "node_modules/@a/b": {"version": "1.0.0", "license": {"type": "ISC"}},
            "node_modules/@a/b/node_modules/react": {"version": "19.0.0", "license": "MIT"},
            "node_modules/vite": {"version": "8.0.0", "license": "MIT", "dev": True},
            "node_modules/native-linux": {"version": "1.0.0", "optional": True, "os": ["linux"]},
            "node_modules/silent": {"version": "2.0.0"},
        },
        {"node_modules/react/LICENSE": "Copyright R", "node_modules/silent/licence.md": "Copyright S"},
    )
    text = notices(tmp_path)
    assert text.count("react 19.0.0") == 1
    assert "Copyright R" in text
    assert "@a/b 1.0.0\nLicence: ISC" in text
    assert "silent 2.0.0\nLicence: as below\n\nCopyright S" in text
    assert "vite" not in text
    assert "native" not in text


def test_a_package_without_any_licence_fails_the_build(tmp_path: Path) -> None:
    sources_write(tmp_path, {"node_modules/x": {"version": "1.0.0"}}, {"node_modules/x/index.js": ""})
    with pytest.raises(ValueError, match=r"x 1\.0\.0 names no licence"):
        notices(tmp_path)
