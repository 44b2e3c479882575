"""Addresses as persons keep and send them: moments, alarms, what is not there, and what is not for who opens them."""

from __future__ import annotations

from datetime import timedelta

from playwright.sync_api import expect

from testing.console.browser import NARROW, Browser, ConsolePage
from testing.console.plant import Plant, instant
from testing.console.routes import ROUTES
from testing.installation import Client, Installation

PAGES = ("devices", "assets", "spaces", "entities")
NOWHERE = "00000000-0000-7000-8000-000000000000"


def test_what_is_not_there_is_not_found(page: ConsolePage) -> None:
    for pages in PAGES:
        page.open(f"/{pages}/{NOWHERE}", heading="Not found")
        page.page.get_by_text("or you may not see it").wait_for()
        # Asking again finds nothing either.
        assert page.page.get_by_role("button", name="Try again").count() == 0
    for address in (f"/rules/{NOWHERE}", f"/rules/{NOWHERE}/edit"):
        page.open(address, heading="Not found")


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


def test_the_tab_is_named_after_the_page_and_its_moment(page: ConsolePage, plant: Plant) -> None:
    page.open("/")
    expect(page.page).to_have_title("Works · Argus")
    page.open(f"/assets/{plant.boiler_a}")
    expect(page.page).to_have_title("Boiler A · Argus")
    at = f"{plant.hot:%Y-%m-%d %H:%M:%S} (UTC)"
    page.open(f"/assets/{plant.boiler_a}?at={instant(plant.hot)}")
    expect(page.page).to_have_title(f"Boiler A · as it was at {at} · Argus")
    page.open(f"/devices?at={instant(plant.hot)}&known=then")
    expect(page.page).to_have_title(f"Devices · as seen at {at} · Argus")


def test_an_address_that_names_no_moment_is_not_shown_as_one(page: ConsolePage) -> None:
    # The zone was lost on the way.
    page.open("/devices?at=2026-03-01T08:00:00", heading="Devices")
    alert = page.page.get_by_role("alert")
    expect(alert).to_contain_text("The address names no moment that can be read: at=2026-03-01T08:00:00")
    expect(alert).to_contain_text("What is shown is live.")
    page.wait_idle()
    assert page.violations() == []
    alert.get_by_role("button", name="Stay live").click()
    alert.wait_for(state="detached")
    assert "at=" not in page.page.url


def test_a_moment_to_come_is_not_called_the_past(page: ConsolePage, plant: Plant) -> None:
    page.open(f"/devices?at={instant(plant.hot + timedelta(days=400))}&known=then", heading="Devices")
    page.wait_idle()
    page.page.get_by_text("What will be true at").wait_for()
    track = page.page.get_by_label("Moment", exact=True)
    assert int(track.input_value()) == 500
    expect(page.page.locator(".time-ends")).not_to_contain_text("now")


def test_a_range_that_ends_before_it_begins_says_so(page: ConsolePage) -> None:
    page.open("/changes?from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z", heading="Changes")
    page.page.get_by_role("button", name="Swap its ends").click()
    page.page.get_by_text("ends before it begins").wait_for(state="detached")
    assert "from=2026-03-01T00" in page.page.url
    page.open("/changes?from=yesterday", heading="Changes")
    page.page.get_by_text("The address names no instant that can be read: from=yesterday").wait_for()


def test_a_link_leads_to_an_alarm_and_back_closes_its_sheet(page: ConsolePage, plant: Plant) -> None:
    page.open("/alarms", heading="Alarms")
    page.page.get_by_role("grid", name="Alarms").get_by_text("Supply too hot").first.wait_for()
    page.page.keyboard.press("j")
    page.page.keyboard.press("Enter")
    sheet = page.page.get_by_role("dialog", name="Supply too hot")
    sheet.wait_for()
    page.page.reload()
    sheet.wait_for()
    # Keys act on the alarm of the sheet, as they do in the list.
    sheet.get_by_role("button", name="Comment").wait_for()
    page.page.keyboard.press("m")
    page.page.get_by_role("dialog", name="Comment on 1 alarm").wait_for()
    page.page.keyboard.press("Escape")
    page.page.get_by_role("dialog", name="Comment on 1 alarm").wait_for(state="detached")
    address = page.page.url
    page.page.go_back()
    sheet.wait_for(state="detached")
    assert page.page.url.endswith("#/alarms")
    # As it was sent to somebody.
    page.open(address.split("#", 1)[1], heading="Alarms")
    sheet.wait_for()
    page.page.keyboard.press("Escape")
    sheet.wait_for(state="detached")
    assert page.page.url.endswith("#/alarms")


def test_every_part_of_the_time_bar_is_there_on_a_phone(
    browser: Browser, installation: Installation, client: Client, plant: Plant
) -> None:
    with browser.page(installation, client, width=NARROW) as opened:
        opened.open(f"/assets/{plant.boiler_a}", heading="Boiler A")
        opened.wait_idle()
        opened.page.get_by_role("button", name="Previous change").click()
        opened.page.wait_for_url("**at=**")
        moment = opened.page.get_by_label("Moment, in UTC").bounding_box()
        assert moment is not None
        # Wide enough for a date and a time with seconds.
        assert moment["width"] >= 170
        opened.page.get_by_role("button", name="Compare").click()
        opened.page.get_by_role("heading", name="Changes", level=1).wait_for()
        opened.open("/spaces", heading="Spaces")
        opened.wait_idle()
        opened.page.get_by_role("button", name="Next change").click()
        opened.page.get_by_text("after this in the 24 h of the time bar").wait_for()
        opened.check()


def test_a_link_to_a_chart_shows_the_same_of_it(page: ConsolePage, plant: Plant) -> None:
    page.open(f"/assets/{plant.boiler_a}?tab=telemetry")
    page.page.get_by_role("button", name="6 h").click()
    page.page.get_by_role("checkbox", name="running").uncheck()
    page.page.wait_for_url("**without=running**")
    address = page.page.url.split("#", 1)[1]
    page.open(address)
    page.wait_idle()
    assert page.page.get_by_role("button", name="6 h").get_attribute("aria-pressed") == "true"
    assert not page.page.get_by_role("checkbox", name="running").is_checked()
    expect(page.page.get_by_role("figure")).to_have_count(1)
