"""axe finds nothing on any page, in every theme, full and empty, at the operator's desk and on a phone."""

from __future__ import annotations

import pytest

from testing.console.browser import NARROW, WIDE, Browser
from testing.console.plant import Plant
from testing.console.routes import ROUTES
from testing.installation import Client, Installation


@pytest.mark.parametrize("theme", ["light", "dark", "contrast"])
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_no_page_has_a_violation(
    browser: Browser, installation: Installation, client: Client, plant: Plant, theme: str, width: int
) -> None:
    violations: dict[str, list[str]] = {}
    with browser.page(installation, client, width=width, theme=theme, contrast=theme == "contrast") as opened:
        for route in ROUTES:
            opened.open(route.address(plant))
            opened.settle()
            if lines := opened.violations():
                violations[route.name] = lines
            assert not opened.page.evaluate("document.documentElement.scrollWidth > innerWidth"), (
                f"{route.name} is wider than the window of {width} pixels"
            )
        opened.check()
    assert violations == {}
