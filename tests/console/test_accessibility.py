"""axe finds nothing on any page, in every theme, full, empty and failing, at the operator's desk and on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from testing.console.browser import NARROW, THEMES, WIDE, Browser, ConsolePage
from testing.console.plant import Plant
from testing.console.routes import ROUTES
from testing.console.rules import kind_choose
from testing.installation import Client, Installation

LISTS = (
    "/",
    "/devices",
    "/assets",
    "/assets?view=tree",
    "/spaces",
    "/alarms",
    "/rules",
    "/rules?tab=shelving",
    "/changes",
)

PAST = (
    "/devices?at=2026-03-01T12:00:00Z",
    "/devices/{plant.probe}?tab=links&at=2026-03-01T12:00:00Z",
    "/assets/{plant.boiler_a}?at=2026-03-01T12:00:00Z&known=then",
    "/alarms?at=2026-03-01T12:00:00Z",
    "/rules?at=2026-03-01T12:00:00Z",
    "/rules?tab=shelving&at=2026-03-01T12:00:00Z&known=then",
    "/rules/{plant.rule}?at=2026-03-01T12:00:00Z",
)


def check(opened: ConsolePage, name: str) -> None:
    """Fail where axe finds something in any theme, or the page is wider than the window."""
    for theme in THEMES:
        opened.theme(theme)
        assert opened.violations() == [], f"{name}, {theme}"
    is_wide = opened.page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert not is_wide, f"{name} is wider than its window"


@contextmanager
def dialog(opened: ConsolePage) -> Iterator[None]:
    """Wait until a dialog is open and complete; close it at the end."""
    opened.page.get_by_role("dialog").wait_for()
    opened.wait_idle()
    yield
    opened.page.keyboard.press("Escape")
    opened.page.get_by_role("dialog").wait_for(state="detached")


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_no_page_has_a_violation(
    browser: Browser, installation: Installation, client: Client, plant: Plant, width: int
) -> None:
    with browser.page(installation, client, width=width) as opened:
        for route in ROUTES:
            opened.open(route.address(plant))
            opened.wait_idle()
            check(opened, route.name)
        # What was, and what was seen then, with the frame around it.
        for past in PAST:
            opened.open(past.format(plant=plant))
            opened.page.get_by_role("button", name="Back to live").wait_for()
            opened.wait_idle()
            check(opened, past)
        opened.check()


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_no_page_without_a_session_has_a_violation(browser: Browser, installation: Installation, width: int) -> None:
    with browser.page(installation, None, width=width) as opened:
        opened.allowed = ("401", "Failed to load resource")
        opened.open("/", heading="Sign in to Argus")
        check(opened, "sign-in")
        opened.check()


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_no_empty_page_has_a_violation(browser: Browser, installation: Installation, width: int) -> None:
    nobody = installation.organization(f"Empty {width}")
    with browser.page(installation, nobody, width=width) as opened:
        for route in (*LISTS, "/graph"):
            opened.open(route)
            opened.wait_idle()
            check(opened, route)
        opened.check()


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_no_page_without_answers_has_a_violation(
    browser: Browser, installation: Installation, client: Client, plant: Plant, width: int
) -> None:
    with browser.page(installation, client, width=width) as opened:
        opened.allowed = ("503", "Failed to load resource")
        answer = '{"errors": [{"message": "The database is away.", "extensions": {"code": "UNAVAILABLE"}}]}'
        opened.page.route(
            "**/graphql", lambda route: route.fulfill(status=503, content_type="application/json", body=answer)
        )
        one = (
            f"/devices/{plant.probe}",
            f"/assets/{plant.boiler_a}",
            f"/spaces/{plant.room}",
            f"/graph?entity={plant.boiler_a}",
            f"/rules/{plant.rule}",
            f"/rules/{plant.rule}/edit",
        )
        for route in (*LISTS, *one):
            opened.page.goto("about:blank")
            opened.page.goto(f"{opened.base}#{route}")
            # It is asked again twice before it is said.
            opened.page.locator("main").get_by_text("The database is away.").first.wait_for()
            check(opened, route)
        opened.check()


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_no_open_dialog_has_a_violation(
    browser: Browser, installation: Installation, client: Client, plant: Plant, width: int
) -> None:
    with browser.page(installation, client, width=width) as opened:
        opened.open("/alarms")
        opened.page.get_by_role("row").get_by_text("Supply too hot").first.wait_for()
        opened.page.get_by_role("grid").focus()
        opened.page.keyboard.press("j")
        opened.page.keyboard.press("Enter")
        with dialog(opened):
            check(opened, "alarm")
        opened.open(f"/devices/{plant.probe}?tab=links")
        opened.wait_idle()
        for name in ("Link…", "Replace device…", "Correct…"):
            opened.page.get_by_role("button", name=name).first.click()
            with dialog(opened):
                check(opened, name)
        opened.open(f"/rules/{plant.rule}")
        opened.wait_idle()
        for name in ("Shelve…", "Delete…"):
            opened.page.get_by_role("button", name=name).click()
            with dialog(opened):
                check(opened, f"rule, {name}")
        opened.open("/rules?tab=shelving")
        opened.wait_idle()
        for name in ("Shelve…", "New maintenance window…"):
            opened.page.get_by_role("button", name=name).click()
            with dialog(opened):
                check(opened, f"shelving, {name}")
        opened.page.keyboard.press("Control+k")
        with dialog(opened):
            check(opened, "palette")
        opened.page.keyboard.press("?")
        with dialog(opened):
            check(opened, "keys")
        opened.check()


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_no_form_of_a_rule_has_a_violation(
    browser: Browser, installation: Installation, client: Client, plant: Plant, width: int
) -> None:
    with browser.page(installation, client, width=width) as opened:
        # Every sort of condition, suggestions open, and what is missing said at its field.
        opened.open("/rules/new", heading="New rule")
        opened.wait_idle()
        opened.page.get_by_role("button", name="and …").click()
        kind_choose(opened, "2", "expression")
        opened.page.get_by_role("button", name="or …").nth(1).click()
        kind_choose(opened, "2.2", "noData")
        opened.page.get_by_role("button", name="Escalate …").click()
        opened.page.get_by_label("Expression in CEL").press_sequentially("sup")
        opened.page.get_by_role("option", name="supply").wait_for()
        check(opened, "suggestions")
        opened.page.keyboard.press("Escape")
        opened.page.get_by_role("button", name="Create the rule").click()
        opened.page.get_by_text("Give the rule a name.").wait_for()
        check(opened, "what is missing")
        # A preview as it is drawn, as a table, and refused.
        opened.open(f"/rules/{plant.rule}/edit", heading="Edit Supply too hot")
        preview = opened.page.get_by_role("region", name="Preview")
        preview.get_by_role("img", name="Boiler A: 1 alarm").wait_for()
        preview.get_by_role("button", name="Table").click()
        preview.get_by_role("region", name="Alarms of the preview as a table").wait_for()
        opened.wait_idle()
        check(opened, "preview as a table")
        opened.page.get_by_label("Clears at").fill("90")
        opened.page.get_by_text("clearValue 90 is above value 80").first.wait_for()
        opened.wait_idle()
        check(opened, "a rule that is refused")
        opened.page.get_by_label("Clears at").fill("")
        opened.check()
