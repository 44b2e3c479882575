"""The console's own checks and tests: generated types of the schema as it is, all other types, its unit tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from argus.console.build import Build
from argus.console.sources import console_find


@pytest.mark.parametrize("script", ["check", "test"])
def test_the_console_passes_its_own_checks(script: str) -> None:
    location = console_find()
    assert location is not None
    assert location.sources is not None
    lines: list[str] = []
    Build(Path(location.sources).parent, location, lines.append).check([script])
