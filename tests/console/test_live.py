"""What moves reaches the page, over a lost socket and a restarted API, and the points are those of the API."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from testing.console.browser import Browser, ConsolePage
from testing.console.plant import instant
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


def send(client: Client, start: datetime, count: int) -> datetime:
    """Send one reading a second from an instant on; return the instant after the last."""
    readings = [
        {"externalId": "d", "timestamp": instant(start + timedelta(seconds=number)), "metrics": {"flow": float(number)}}
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
        opened.page.get_by_text("Nothing is named like that.").wait_for()
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
