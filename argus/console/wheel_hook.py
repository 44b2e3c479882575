"""Pack the built console into the wheel. A wheel without it, or with one of other sources, is an error."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_ROOT = Path(__file__).resolve().parents[2]
_NONE = (
    "The console that belongs into the wheel is not built of its present sources. Build it with `make console`, which "
    "needs Node.js or installs it, and then the wheel."
)


class ConsoleHook(BuildHookInterface[Any]):
    """Adds console/dist to the package."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add it. An editable installation serves it from where it is built."""
        if version == "editable":
            return
        sys.path.insert(0, str(_ROOT))
        from argus.console.sources import Location

        directory = _ROOT / "console"
        sources = directory if (directory / "package.json").is_file() else None
        if not Location(directory / "dist", sources).is_current():
            raise SystemExit(_NONE)
        build_data["force_include"][str(directory / "dist")] = "argus/console/dist"
