"""What moves reaches the page, over a lost socket and a restarted API, and the points are those of the API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import WebSocketRoute

from testing.console.browser import Browser, ConsolePage
from testing.console.plant import Plant, instant
from testing.installation import Client, Installation
from testing.waits import wait_until

# Lets a test close the page's sockets as a network does that goes away for a moment.
KEEP_SOCKETS = """
window.sockets = [];
window.WebSocket = class extends WebSocket {
  constructor(...given) { super(...given); window.sockets.push(this); }
};
"""


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Installation]:
    """An Argus of this test's own, which it restarts."""
    running = Installation(tmp_path / "home")
    running.start("--no-demo")
    try:
        yield running
    finally:
        running.stop()


def send(client: Client, start: datetime, count: int, *, device: str = "d") -> datetime:
    """Send one reading a second from an instant on; return the instant after the last."""
    readings = [
        {
            "externalId": device,
            "timestamp": instant(start + timedelta(seconds=number)),
            "metrics": {"flow": float(number)},
        }
        for number in range(count)
    ]
    document = "mutation I($r: [ReadingInput!]!) { ingestTelemetry(readings: $r) { accepted } }"
    assert client.call(document, {"r": readings}).data["ingestTelemetry"]["accepted"] == count
    return start + timedelta(seconds=count)


def points(opened: ConsolePage) -> int:
    """Return how many points the charts of the page have."""
    count: int = opened.page.evaluate(
        "[...document.querySelectorAll('[data-points]')].reduce((sum, each) => sum + Number(each.dataset.points), 0)"
    )
    return count


def test_points_reach_the_chart_and_none_is_lost_or_repeated(browser: Browser, own: Installation) -> None:
    client = own.organization("Live")
    made = client.call('mutation { createDevice(input: {name: "D", externalId: "d"}) { device { id } } }')
    device = made.data["createDevice"]["device"]["id"]
    at = send(client, datetime.now(tz=UTC) - timedelta(minutes=10), 20)
    own.wait_processed(client)
    with browser.page(own, client) as opened:
        opened.allowed = ("503", "502", "Failed to load resource", "WebSocket", "net::ERR")
        opened.page.add_init_script(KEEP_SOCKETS)
        opened.open(f"/devices/{device}?tab=telemetry")
        wait_until(lambda: points(opened) == 20, details=lambda: points(opened))

        at = send(client, at, 5)
        wait_until(lambda: points(opened) == 25, details=lambda: points(opened))

        opened.page.evaluate("window.sockets.forEach(socket => socket.close(4000))")
        at = send(client, at, 5)
        # Late, and twice: it ends up where it belongs, once.
        send(client, at - timedelta(seconds=3), 3)
        wait_until(lambda: points(opened) == 30, details=lambda: points(opened))

        own.stop()
        opened.page.get_by_text("connection lost").wait_for()
        own.start("--no-demo")
        send(client, at, 5)
        wait_until(lambda: points(opened) == 35, details=lambda: points(opened))
        opened.page.get_by_text("● live").wait_for()
        opened.check()


@dataclass
class Proxy:
    """Stands between the sockets of a page and the API, and ends subscriptions as a failing API does."""

    routes: list[WebSocketRoute] = field(default_factory=list)
    started: list[tuple[WebSocketRoute, WebSocketRoute, str]] = field(default_factory=list)

    def handle(self, route: WebSocketRoute) -> None:
        """Pass the messages of a new socket on, and keep which subscriptions start on it."""
        server = route.connect_to_server()

        def sent(text: str | bytes) -> None:
            message = json.loads(text)
            if message["type"] == "subscribe" and "subscription EntityPoints" in message["payload"]["query"]:
                self.started.append((route, server, message["id"]))
            server.send(text)

        route.on_message(sent)

    def fail(self, code: str) -> None:
        """End the newest subscription to points with an error of the code."""
        route, server, identifier = self.started[-1]
        server.send(json.dumps({"id": identifier, "type": "complete"}))
        error = {"message": "Failed for a moment.", "extensions": {"code": code}}
        route.send(json.dumps({"id": identifier, "type": "error", "payload": [error]}))


def test_a_subscription_that_fails_is_retried_and_loses_no_point(
    browser: Browser, installation: Installation, client: Client
) -> None:
    made = client.call('mutation { createDevice(input: {name: "Retried", externalId: "retried"}) { device { id } } }')
    device = made.data["createDevice"]["device"]["id"]
    at = send(client, datetime.now(tz=UTC) - timedelta(minutes=10), 20, device="retried")
    installation.wait_processed(client)
    proxy = Proxy()
    with browser.page(installation, client) as opened:
        opened.page.route_web_socket("**/graphql", proxy.handle)
        opened.open(f"/devices/{device}?tab=telemetry")
        wait_until(lambda: points(opened) == 20, details=lambda: points(opened))
        for number in range(1, 3):
            subscriptions = len(proxy.started)
            proxy.fail("INTERNAL")
            at = send(client, at, 5, device="retried")
            wait_until(lambda: points(opened) == 20 + 5 * number, details=lambda: points(opened))  # noqa: B023
            assert len(proxy.started) == subscriptions + 1
        # A refusal is said, and not repeated.
        proxy.fail("FORBIDDEN")
        opened.page.get_by_text("live in part").wait_for()
        assert len(proxy.started) == subscriptions + 1
        opened.check()


def test_two_organizations_never_see_each_other(browser: Browser, installation: Installation, client: Client) -> None:
    stranger = installation.organization("Strangers")
    stranger.call('mutation { createDevice(input: {name: "Secret meter", externalId: "secret"}) { device { id } } }')
    node = stranger.call('{ entity(kind: DEVICE, externalId: "secret") { id } }').data["entity"]["id"]
    with browser.page(installation, client) as opened:
        opened.open("/devices")
        opened.wait_idle()
        assert opened.page.get_by_text("Secret meter").count() == 0
        opened.page.keyboard.press("Control+k")
        opened.page.get_by_role("dialog").get_by_role("combobox").fill("Secret")
        opened.page.get_by_text("Nothing has a name like that.").wait_for()
        opened.page.keyboard.press("Escape")
        opened.page.goto(f"{opened.base}#/devices/{node}")
        opened.wait_idle()
        assert "Secret meter" not in opened.page.inner_text("body")
        opened.check()


def test_signed_out_shows_the_sign_in_page_and_a_token_signs_in(
    browser: Browser, installation: Installation, client: Client
) -> None:
    with browser.page(installation, None) as opened:
        opened.allowed = ("401",)
        opened.page.goto(f"{opened.base}#/devices")
        opened.page.get_by_role("heading", name="Sign in to Argus").wait_for()
        assert opened.violations() == []
        opened.page.get_by_label("Token").fill("not a token")
        opened.page.keyboard.press("Enter")
        opened.page.get_by_role("alert").wait_for()
        assert client.token is not None
        opened.page.get_by_label("Token").fill(client.token)
        opened.page.keyboard.press("Enter")
        opened.page.locator("main h1").wait_for()
        opened.page.get_by_role("button", name="argus token").click()
        opened.page.get_by_role("button", name="Sign out").click()
        opened.page.get_by_role("heading", name="Sign in to Argus").wait_for()
        opened.check()


def test_a_session_that_has_ended_is_signed_in_over_the_page_and_another_one_begins_it_again(
    browser: Browser, installation: Installation, client: Client
) -> None:
    stranger = installation.organization("Other works")
    with browser.page(installation, client) as opened:
        opened.allowed = ("401", "403", "Failed to load resource", "WebSocket")
        opened.open("/devices")
        opened.wait_idle()
        opened.page.evaluate("window.isSamePage = true")
        opened.page.get_by_role("searchbox").first.fill("typed before")
        opened.context.clear_cookies()
        opened.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        over = opened.page.get_by_role("dialog", name="Sign in again")
        over.get_by_label("Token").fill(client.token or "")
        assert opened.violations() == []
        opened.page.keyboard.press("Enter")
        over.wait_for(state="detached")
        assert opened.page.get_by_role("searchbox").first.input_value() == "typed before"
        assert opened.page.evaluate("window.isSamePage") is True
        opened.page.get_by_text("● live").wait_for()

        # Of the same user: another tab signs in, as at an identity provider.
        opened.context.clear_cookies()
        opened.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        over.wait_for()
        assert opened.context.request.post(f"{opened.base}session", data={"token": client.token}).ok
        beside = opened.context.new_page()
        beside.goto(opened.base)
        over.wait_for(state="detached")
        assert opened.page.get_by_role("searchbox").first.input_value() == "typed before"

        # Another tab of this browser signs in as somebody else.
        assert opened.context.request.post(f"{opened.base}session", data={"token": stranger.token}).ok
        other = opened.context.new_page()
        other.goto(opened.base)
        other.locator("main h1").wait_for()
        opened.page.wait_for_function("() => window.isSamePage === undefined")
        opened.page.get_by_role("button", name="argus token").click()
        opened.page.get_by_role("dialog").get_by_text("Other works").wait_for()

        # A sign-out that is refused is said, and the page stays.
        opened.page.route("**/session/end", lambda route: route.fulfill(status=503, body="{}"))
        opened.allowed = (*opened.allowed, "503")
        opened.page.get_by_role("button", name="Sign out").click()
        opened.page.get_by_role("alert").get_by_text("Not signed out").wait_for()


def test_a_chart_is_read_and_zoomed_by_keyboard(page: ConsolePage, plant: Plant) -> None:
    page.open(f"/assets/{plant.boiler_a}?tab=telemetry")
    page.page.get_by_role("button", name="24 h").click()
    page.wait_idle()
    cursor = page.page.get_by_role("slider", name="Cursor in the chart of").first
    cursor.focus()
    page.page.keyboard.press("ArrowLeft")
    newest = cursor.get_attribute("aria-valuetext") or ""
    page.page.keyboard.press("ArrowLeft")
    before = cursor.get_attribute("aria-valuetext") or ""
    assert "supply" in newest
    assert before < newest
    page.page.keyboard.press("?")
    page.page.get_by_role("dialog").get_by_text("In a chart: move the cursor by a point").wait_for()
    page.page.keyboard.press("Escape")
    cursor.focus()
    page.page.keyboard.press("+")
    whole = page.page.get_by_role("button", name="Whole window")
    whole.wait_for()
    page.wait_idle()
    cursor.focus()
    page.page.keyboard.press("Escape")
    whole.wait_for(state="detached")


def test_what_is_on_or_off_is_shown_as_such(browser: Browser, installation: Installation, client: Client) -> None:
    made = client.call('mutation { createDevice(input: {name: "Pump", externalId: "pump"}) { device { id } } }')
    device = made.data["createDevice"]["device"]["id"]
    start = datetime.now(tz=UTC) - timedelta(minutes=10)
    readings = [
        {"externalId": "pump", "timestamp": instant(start + timedelta(minutes=number)), "metrics": {"running": is_on}}
        for number, is_on in enumerate((True, False, True))
    ]
    document = "mutation I($r: [ReadingInput!]!) { ingestTelemetry(readings: $r) { accepted } }"
    assert client.call(document, {"r": readings}).data["ingestTelemetry"]["accepted"] == len(readings)
    installation.wait_processed(client)
    with browser.page(installation, client) as opened:
        opened.open(f"/devices/{device}?tab=telemetry")
        opened.page.get_by_role("img", name="running: 3 values, last on.").wait_for()
        assert "running on" in opened.page.locator(".chart-legend").inner_text()
        cursor = opened.page.get_by_role("slider", name="Cursor in the chart of on / off")
        cursor.focus()
        for value in ("running on", "running off"):
            opened.page.keyboard.press("ArrowLeft")
            assert value in (cursor.get_attribute("aria-valuetext") or "")
        opened.check()
