"""Addresses as persons keep and send them: of what is not there, of another kind, or not for who opens them."""

from __future__ import annotations

from testing.console.browser import Browser, ConsolePage
from testing.console.plant import Plant
from testing.console.routes import ROUTES
from testing.installation import Client, Installation

PAGES = ("devices", "assets", "spaces", "entities")
NOWHERE = "00000000-0000-7000-8000-000000000000"


def test_what_is_not_there_is_not_found(page: ConsolePage) -> None:
    for pages in PAGES:
        page.open(f"/{pages}/{NOWHERE}", heading="Not found")
        page.page.get_by_text("or it is not yours to see").wait_for()
        # Asking again finds nothing either.
        assert page.page.get_by_role("button", name="Try again").count() == 0


def test_an_entity_is_found_below_another_kind(page: ConsolePage, plant: Plant) -> None:
    for pages in PAGES:
        page.open(f"/{pages}/{plant.probe}", heading="Probe")
        page.open(f"/{pages}/{plant.boiler_a}", heading="Boiler A")
        page.open(f"/{pages}/{plant.room}", heading="Plant room")


def test_who_is_confined_to_a_part_of_the_plant_sees_every_page_of_it(
    browser: Browser, installation: Installation, client: Client, plant: Plant
) -> None:
    confined = installation.client("Works", "operator", under=[plant.room])
    with browser.page(installation, confined) as opened:
        for route in ROUTES:
            opened.open(route.address(plant))
            opened.wait_idle()
            assert opened.page.get_by_role("alert").count() == 0, (route.name, opened.page.inner_text("main"))
        # What is refused is neither asked nor shown; all else of the overview is there.
        opened.open("/", heading="Works")
        opened.wait_idle()
        assert opened.page.get_by_role("region", name="Devices").get_by_text("online").count() == 1
        assert opened.page.get_by_role("region", name="Work due").count() == 1
        assert opened.page.get_by_role("heading", name="Readings of 24 hours").count() == 0
        opened.check()
