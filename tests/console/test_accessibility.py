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


LISTS = ("/", "/devices", "/assets", "/assets?view=tree", "/spaces", "/alarms", "/changes")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_empty_page_has_a_violation(browser: Browser, installation: Installation, theme: str) -> None:
    nobody = installation.organization(f"Empty {theme}")
    with browser.page(installation, nobody, theme=theme) as opened:
        for route in LISTS:
            opened.open(route)
            opened.settle()
            assert opened.violations() == [], route
        opened.check()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_without_answers_has_a_violation(
    browser: Browser, installation: Installation, client: Client, plant: Plant, theme: str
) -> None:
    with browser.page(installation, client, theme=theme) as opened:
        opened.allowed = ("503", "Failed to load resource")
        answer = '{"errors": [{"message": "The database is away.", "extensions": {"code": "UNAVAILABLE"}}]}'
        opened.page.route(
            "**/graphql", lambda route: route.fulfill(status=503, content_type="application/json", body=answer)
        )
        for route in (*LISTS, f"/devices/{plant.probe}", f"/assets/{plant.boiler_a}", f"/spaces/{plant.room}"):
            opened.page.goto("about:blank")
            opened.page.goto(f"{opened.base}#{route}")
            # It is asked again twice before it is said.
            opened.page.locator("main").get_by_text("The database is away.").first.wait_for()
            assert opened.violations() == [], route
        opened.check()


@pytest.mark.parametrize("theme", ["light", "dark", "contrast"])
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_no_open_sheet_has_a_violation(
    browser: Browser, installation: Installation, client: Client, plant: Plant, theme: str, width: int
) -> None:
    with browser.page(installation, client, width=width, theme=theme, contrast=theme == "contrast") as opened:
        opened.open("/alarms")
        opened.page.get_by_text("Supply too hot").first.wait_for()
        opened.page.get_by_role("grid").focus()
        opened.page.keyboard.press("j")
        opened.page.keyboard.press("Enter")
        opened.page.get_by_role("dialog").wait_for()
        opened.settle()
        assert opened.violations() == []
        opened.page.keyboard.press("Escape")
        opened.open(f"/devices/{plant.probe}?tab=links")
        opened.settle()
        for name in ("Link…", "Replace device…", "Correct"):
            opened.page.get_by_role("button", name=name).first.click()
            opened.page.get_by_role("dialog").wait_for()
            opened.settle()
            assert opened.violations() == [], name
            opened.page.keyboard.press("Escape")
            opened.page.get_by_role("dialog").wait_for(state="detached")
        opened.page.keyboard.press("Control+k")
        opened.page.get_by_role("dialog").wait_for()
        assert opened.violations() == []
        opened.page.keyboard.press("Escape")
        opened.page.keyboard.press("?")
        opened.page.get_by_role("dialog", name="Keys").wait_for()
        assert opened.violations() == []
        opened.check()
