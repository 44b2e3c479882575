"""Many alarms at once: nothing moves under the focus, a flood is one line, and acting on all of it is one request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Route as Intercepted
from playwright.sync_api import expect

from testing.console.browser import Browser, ConsolePage
from testing.console.flood import WATCH, alarms_open, load_send, meters_make, watched
from testing.console.plant import instant
from testing.installation import Client, Installation
from testing.waits import wait_until

ALARMS = 300
FIRST = 20
# More entities than the search of the alarms takes at once.
METERS = 501
GRID = "[role=grid]"
OPEN_IDS = "{ events(filter: {states: [OPEN]}, first: 500) { nodes { id } } }"
ACKNOWLEDGE = "mutation A($ids: [ID!]) { acknowledgeEvents(filter: {ids: $ids}) { changed } }"
STATES = "{ events(filter: {states: [ACKNOWLEDGED]}, first: 500) { nodes { entity { name } } } }"


@dataclass(frozen=True, slots=True)
class Flooded:
    """An organization with meters, at some of which an alarm is open."""

    installation: Installation
    client: Client

    def open_to(self, count: int) -> None:
        """Have alarms open at the meters up to this one, and no others."""
        load_send(self.client, 0, count, 95.0)
        wait_until(lambda: alarms_open(self.client) == count, details=lambda: alarms_open(self.client))

    def clear(self) -> None:
        load_send(self.client, 0, ALARMS, 20.0)
        query = "{ events(filter: {states: [OPEN, ACKNOWLEDGED]}, first: 0) { totalCount } }"
        wait_until(lambda: self.client.call(query).data["events"]["totalCount"] == 0)

    def acknowledged(self) -> list[str]:
        """Return the names of the meters whose alarms are open and acknowledged."""
        nodes = self.client.call(STATES).data["events"]["nodes"]
        return sorted(node["entity"]["name"] for node in nodes)


@pytest.fixture(scope="module")
def meters(installation: Installation) -> Flooded:
    client = installation.organization("Flooded")
    meters_make(client, METERS)
    return Flooded(installation, client)


@pytest.fixture
def flooded(meters: Flooded) -> Iterator[Flooded]:
    meters.open_to(FIRST)
    yield meters
    meters.clear()


def marks(opened: ConsolePage) -> list[dict[str, Any]]:
    """Return the variables of each request that acknowledged alarms."""
    sent = [json.loads(request.post_data or "{}") for request in opened.requests if request.method == "POST"]
    return [
        body["variables"]
        for body in sent
        if "AcknowledgeAlarms" in body.get("query", "") and not body["variables"]["dryRun"]
    ]


def rows(opened: ConsolePage) -> list[str]:
    """Return the ids of the rows that are drawn, in their order."""
    ids: list[str] = opened.page.locator(f"{GRID} .grid-row").evaluate_all(
        "rows => rows.sort((a, b) => a.ariaRowIndex - b.ariaRowIndex).map(row => row.id)"
    )
    return ids


def test_nothing_moves_under_the_focus_and_all_comes_when_it_is_let_go(browser: Browser, flooded: Flooded) -> None:
    with browser.page(flooded.installation, flooded.client) as opened:
        opened.open("/alarms?group=none")
        opened.wait_idle()
        # A key that moves the active row takes the focus into the list.
        opened.page.keyboard.press("j")
        expect(opened.page.locator(GRID)).to_be_focused()
        before = rows(opened)
        opened.page.evaluate(WATCH)
        load_send(flooded.client, FIRST, ALARMS, 95.0)
        opened.page.get_by_text(f"{ALARMS - FIRST} new").wait_for()
        assert watched(opened).orders == [tuple(before)]
        assert opened.page.locator("[data-active=true]").get_attribute("id") == before[0]
        # To the search field: nobody is at the list any more.
        opened.page.get_by_label("Search", exact=True).first.focus()
        expect(opened.page.locator(GRID)).to_have_attribute("aria-rowcount", str(ALARMS + 1))
        assert opened.page.locator(".newcomers").count() == 0
        assert set(rows(opened)).isdisjoint(before)
        opened.check()


def test_a_flood_of_one_rule_is_one_line_and_acknowledged_by_one_request(browser: Browser, flooded: Flooded) -> None:
    flooded.open_to(ALARMS)
    with browser.page(flooded.installation, flooded.client) as opened:
        opened.open("/alarms?group=rule")
        opened.wait_idle()
        # A page of the list holds fewer; the rest is read as it is needed.
        assert len(rows(opened)) == 1
        # By asset, too, although each is at another.
        opened.open("/alarms")
        opened.wait_idle()
        assert len(rows(opened)) == 1
        opened.page.get_by_role("button", name=f"Load too high, {ALARMS} alarms").click()
        expect(opened.page.locator(GRID)).to_have_attribute("aria-rowcount", str(1 + 1 + ALARMS))
        opened.page.mouse.move(2, 2)
        opened.page.get_by_role("button", name="Acknowledge all …").click()
        opened.page.get_by_role("button", name=f"Acknowledge {ALARMS} alarms").click()
        opened.page.get_by_text(f"{ALARMS} alarms acknowledged.").wait_for()
        assert [request["filter"] for request in marks(opened)] == [{"states": ["OPEN", "ACKNOWLEDGED"]}]
        assert alarms_open(flooded.client) == 0
        opened.check()


def test_a_group_is_acknowledged_by_one_request_and_only_as_far_as_it_is_listed(
    browser: Browser, flooded: Flooded
) -> None:
    with browser.page(flooded.installation, flooded.client) as opened:
        opened.open("/alarms?group=rule")
        opened.wait_idle()
        opened.page.keyboard.press("j")
        expect(opened.page.locator("[data-active=true]")).to_have_count(1)
        # The list becomes another: what was active in the one before is not acted on.
        search = opened.page.get_by_label("Search", exact=True).first
        search.fill("Meter 001")
        expect(opened.page.locator(f"{GRID} [role=row].wide")).to_contain_text("10")
        search.blur()
        opened.page.keyboard.press("a")
        assert marks(opened) == []
        opened.page.keyboard.press("j")
        opened.page.keyboard.press("a")
        opened.page.get_by_text("10 alarms acknowledged.").wait_for()
        [request] = marks(opened)
        assert len(request["filter"]["ids"]) == 10
        assert flooded.acknowledged() == [f"Meter {number:04}" for number in range(10, 20)]
        # The text that is searched for follows the address.
        opened.page.evaluate("location.hash = '#/alarms'")
        expect(search).to_have_value("")
        opened.check()


def test_the_states_of_a_filter_count_in_the_past_too(browser: Browser, flooded: Flooded) -> None:
    ids = [node["id"] for node in flooded.client.call(OPEN_IDS).data["events"]["nodes"]]
    flooded.client.call(ACKNOWLEDGE, {"ids": ids[:8]})
    with browser.page(flooded.installation, flooded.client) as opened:
        opened.open(f"/alarms?group=none&at={instant(datetime.now(tz=UTC) + timedelta(seconds=1))}")
        expect(opened.page.locator(GRID)).to_have_attribute("aria-rowcount", str(FIRST + 1))
        opened.page.get_by_role("button", name="Not acknowledged").click()
        expect(opened.page.locator(GRID)).to_have_attribute("aria-rowcount", str(FIRST - 8 + 1))
        opened.page.get_by_role("button", name="Open", exact=True).click()
        expect(opened.page.locator(GRID)).to_have_attribute("aria-rowcount", str(FIRST + 1))
        opened.check()


def test_a_search_with_more_hits_than_are_looked_at_says_so(browser: Browser, flooded: Flooded) -> None:
    with browser.page(flooded.installation, flooded.client) as opened:
        opened.open("/alarms?q=Meter")
        opened.page.get_by_text("More than 500 have a name like that").wait_for()
        opened.page.get_by_label("Search", exact=True).first.fill("Meter 0001")
        expect(opened.page.get_by_text("have a name like that")).to_have_count(0)
        opened.check()


def test_a_second_try_does_only_what_was_refused(browser: Browser, flooded: Flooded) -> None:
    """Of a work order for two alarms, one entity cannot be linked at first."""
    with browser.page(flooded.installation, flooded.client) as opened:
        opened.open("/alarms")
        opened.wait_idle()
        refused: list[str] = []

        def intercept(route: Intercepted) -> None:
            target = json.loads(route.request.post_data or "{}").get("variables", {}).get("targetId")
            if target is None or refused:
                route.continue_()
                return
            refused.append(target)
            errors = [{"code": "CONFLICT", "message": "Not now.", "path": []}]
            answer = {"data": {"createEdge": {"edge": None, "errors": errors}}}
            route.fulfill(status=200, content_type="application/graphql-response+json", body=json.dumps(answer))

        opened.page.route("**/graphql", intercept)
        for key in ("j", "x", "j", "x", "w"):
            opened.page.keyboard.press(key)
        opened.page.get_by_role("button", name="Create the work order").click()
        opened.page.get_by_text("Not now.").wait_for()
        opened.page.get_by_role("button", name="Try the rest again").click()
        opened.page.get_by_text("was created.").wait_for()
        operations = opened.operations()
        assert operations.count("CreateWork") == 1
        assert operations.count("TargetWork") == 3
        opened.check()


def test_a_viewer_is_offered_nothing_that_is_refused(browser: Browser, flooded: Flooded) -> None:
    viewer = flooded.installation.client("Flooded", "viewer")
    with browser.page(flooded.installation, viewer) as opened:
        opened.open("/alarms")
        opened.wait_idle()
        for key in ("j", "x", "a", "Enter"):
            opened.page.keyboard.press(key)
        opened.page.get_by_role("heading", name="Timeline").wait_for()
        for name in ("Acknowledge", "Dismiss", "Shelve", "Comment", "Work order"):
            assert opened.page.get_by_role("button", name=name, exact=True).count() == 0
        assert marks(opened) == []
        opened.check()
