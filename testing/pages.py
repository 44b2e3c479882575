"""Pages of the documentation whose examples are tried on a running installation."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

# The days of the examples; points are not kept for ever, so that they are moved to the last month.
_FIRST: Final = date(2026, 3, 1)
_DAY: Final = re.compile(r"2026-03-\d\d")


def page_read(path: Path) -> str:
    """Return a page with the days of its examples, those of March 2026, counted from thirty days ago."""
    begins = (datetime.now(UTC) - timedelta(days=30)).date()

    def moved(match: re.Match[str]) -> str:
        return (begins + (date.fromisoformat(match[0]) - _FIRST)).isoformat()

    return _DAY.sub(moved, path.read_text(encoding="utf-8"))
