"""The queries that GraphiQL offers, by the use they are for: each runs unchanged against the demo plant.

They are in `samples/`, a file for each use. A line `## TITLE` begins a query; the file as a whole is valid GraphQL.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parent / "samples"
_USES: Final[Mapping[str, str]] = {
    "begin": "Begin",
    "front_end": "For a front end",
    "integrator": "For an integration",
    "operator": "For operators",
    "device": "For devices",
    "live": "Subscriptions",
    "bulk": "Much at once",
}
# Variables that are times, by name, in minutes from the time at which GraphiQL is opened.
_MINUTES: Final[Mapping[str, int]] = {"from": -360, "recently": -5, "now": 0, "until": 120}
_VARIABLE: Final = re.compile(r"\$(\w+): (?:DateTime|ReadingTime)!")


@dataclass(frozen=True, slots=True)
class Sample:
    """A query. use: whom it is for; minutes: of each variable that is to be a time, how many from now."""

    use: str
    title: str
    query: str
    minutes: Mapping[str, int]


@cache
def samples() -> tuple[Sample, ...]:
    """Return all of them, in the order in which they are offered."""
    result = []
    for name, use in _USES.items():
        _, *parts = re.split(r"^## ", (_FOLDER / f"{name}.graphql").read_text(encoding="utf-8"), flags=re.MULTILINE)
        for part in parts:
            title, _, query = part.partition("\n")
            times = {variable: _MINUTES[variable] for variable in _VARIABLE.findall(query)}
            result.append(Sample(use, title, query.strip() + "\n", times))
    return tuple(result)
