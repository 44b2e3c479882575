"""Which tests run together, and in what order: the longest first, so that no process works alone at the end.

A unit is what one process runs in one go: a file, or all end-to-end tests that share one installation.
`tests/units.json` says how many seconds the longer units take; `pytest -n 2 --write-units` measures it again. Where it
is wrong, the tests take longer, and no more.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from xdist.scheduler import LoadScopeScheduling

UNITS: Final = Path(__file__).resolve().parent.parent / "tests" / "units.json"
# Files in it (those below it have installations of their own) run in one process: they share one `argus up`.
SHARED: Final = "tests/e2e"
_LONG_S: Final = 3.0


def unit_of(nodeid: str) -> str:
    """Return the unit of a test."""
    file = nodeid.split("::", 1)[0]
    return SHARED if file.rpartition("/")[0] == SHARED else file


def units_read() -> Mapping[str, float]:
    """Return how many seconds the longer units take."""
    units: dict[str, float] = json.loads(UNITS.read_text())
    return units


class LongestFirst(LoadScopeScheduling):  # type: ignore[misc]
    """Hands out units in the order in which their tests were collected."""

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)


class Schedule:
    """A pytest plugin: orders tests by units, hands these to the processes of xdist, measures how long they take."""

    def __init__(self) -> None:
        self._seconds: defaultdict[str, float] = defaultdict(float)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        seconds = units_read()
        # Stable: the order within a unit, and of the short ones, stays.
        items.sort(key=lambda item: (-seconds.get(unit_of(item.nodeid), 0.0), unit_of(item.nodeid)))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> LongestFirst:
        # By itself it would order units by how many tests they hold.
        config.option.loadscopereorder = False
        return LongestFirst(config, log)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._seconds[unit_of(report.nodeid)] += report.duration

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if session.config.getoption("--write-units") and not hasattr(session.config, "workerinput"):
            ordered = sorted(self._seconds.items(), key=lambda item: -item[1])
            units = {unit: round(seconds, 1) for unit, seconds in ordered if seconds >= _LONG_S}
            UNITS.write_text(json.dumps(units, indent=2) + "\n")
