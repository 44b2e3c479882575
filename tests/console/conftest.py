"""A browser, a running Argus that serves the console, and a plant to look at."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from argus.console.sources import console_find
from testing.clean_run import pytest_runtest_call, pytest_runtest_teardown
from testing.console.browser import Browser, ConsolePage, browser_open
from testing.console.plant import Plant, plant_make
from testing.installation import Client, Installation

# Every test here ends with a check that no instance logged or counted an error, or has something left to do.
__all__ = ["pytest_runtest_call", "pytest_runtest_teardown"]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests of this folder where there is no browser, or no console to look at."""
    reason = _missing()
    for item in items:
        if "tests/console/" not in str(item.path):
            continue
        item.add_marker(pytest.mark.slow)
        item.add_marker(pytest.mark.timeout(600))
        if reason is not None:
            item.add_marker(pytest.mark.skip(reason=reason))


def _missing() -> str | None:
    if CHROMIUM is None:
        return "Chromium is not installed (.ci/run installs it)"
    location = console_find()
    if location is None or not location.is_current():
        return "The console is not built, or not of its present sources: make console"
    return None


@pytest.fixture(scope="package")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A running Argus without the demo, with two worker processes, shared by the tests that do not harm it."""
    running = Installation(tmp_path_factory.mktemp("console") / "home")
    running.start("--no-demo")
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    assert CHROMIUM is not None
    with browser_open(CHROMIUM) as opened:
        yield opened


@pytest.fixture(scope="package")
def client(installation: Installation) -> Client:
    """A client of the organization that the plant is in."""
    return installation.organization("Works")


@pytest.fixture(scope="package")
def plant(installation: Installation, client: Client) -> Plant:
    """A small plant with everything that a page shows: links of the past, readings, alarms, work."""
    made = plant_make(client)
    installation.wait_processed(client)
    return made


@pytest.fixture
def page(browser: Browser, installation: Installation, client: Client, plant: Plant) -> Iterator[ConsolePage]:
    """A page of the console, signed in; it ends with a check that nothing failed in it and nothing foreign was asked."""
    with browser.page(installation, client) as opened:
        yield opened
        opened.check()
