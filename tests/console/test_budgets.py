"""What a page may cost: bytes and requests of the first load, requests of each page, elements of a long list."""

from __future__ import annotations

import pytest

from argus.console.sources import console_find
from testing.console.browser import Browser, ConsolePage
from testing.console.plant import Plant
from testing.console.routes import ROUTES
from testing.installation import Client, Installation
from testing.waits import wait_until

FIRST_LOAD_BYTES_MAX = 200_000
FIRST_LOAD_REQUESTS_MAX = 12
CONSOLE_BYTES_MAX = 1_000_000
LIST_ELEMENTS_MAX = 400
DEVICES = 3_000
BATCH = 500


def test_the_first_load_is_small(browser: Browser, installation: Installation, client: Client, plant: Plant) -> None:
    with browser.page(installation, client) as opened:
        session = opened.context.new_cdp_session(opened.page)
        session.send("Network.enable")
        received: list[int] = []
        session.on("Network.loadingFinished", lambda event: received.append(int(event["encodedDataLength"])))
        opened.open("/")
        opened.wait_idle()
        files = [request.url for request in opened.requests if "graphql" not in request.url]
        assert len(files) <= FIRST_LOAD_REQUESTS_MAX, files
        assert sum(received) <= FIRST_LOAD_BYTES_MAX, sum(received)
        opened.check()


def test_the_whole_console_is_small() -> None:
    location = console_find()
    assert location is not None
    total = sum(path.stat().st_size for path in location.dist.rglob("*.br"))
    assert 0 < total <= CONSOLE_BYTES_MAX


def test_each_page_keeps_to_its_account_of_requests(page: ConsolePage, plant: Plant) -> None:
    page.open("/changes")
    page.wait_idle()
    requested: dict[str, list[str]] = {}
    for route in ROUTES:
        before = len(page.operations())
        page.open(route.address(plant))
        page.wait_idle()
        requested[route.name] = page.operations()[before:]
    over = {route.name: requested[route.name] for route in ROUTES if len(requested[route.name]) > route.requests_max}
    assert over == {}
    repeated = {name: names for name, names in requested.items() if len(names) != len(set(names))}
    assert repeated == {}


@pytest.fixture(scope="module")
def large(installation: Installation) -> Client:
    """A client of an organization with many devices."""
    client = installation.organization("Large")
    document = "mutation I($r: [JSON!]!) { importGraph(records: $r) { errors { message } } }"
    for start in range(0, DEVICES, BATCH):
        records = [
            {
                "record": "entity",
                "kind": "DEVICE",
                "name": f"Meter {number:06}",
                "externalId": f"meter-{number:06}",
                "type": "Meter",
            }
            for number in range(start, start + BATCH)
        ]
        assert client.call(document, {"r": records}).data["importGraph"]["errors"] == []
    return client


def test_a_long_list_has_few_elements_and_asks_page_by_page(
    browser: Browser, installation: Installation, large: Client
) -> None:
    with browser.page(installation, large) as opened:
        opened.open("/devices")
        opened.wait_idle()
        grid = opened.page.get_by_role("grid")
        assert grid.get_attribute("aria-rowcount") == str(DEVICES + 1)
        assert opened.page.evaluate("document.querySelectorAll('[role=grid] *').length") <= LIST_ELEMENTS_MAX
        # To the end by keyboard, as far as is loaded, until all is.
        grid.focus()
        last = opened.page.get_by_text(f"Meter {DEVICES - 1:06}")

        def is_at_end() -> bool:
            opened.page.keyboard.press("End")
            opened.wait_idle()
            return last.count() > 0

        wait_until(is_at_end)
        assert opened.page.evaluate("document.querySelectorAll('[role=grid] *').length") <= LIST_ELEMENTS_MAX
        opened.check()
