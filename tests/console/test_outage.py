"""A console whose Argus is away: what is open stays, what is asked says so, and all of it comes back by itself."""

from __future__ import annotations

from testing.console.browser import Browser
from testing.console.plant import Plant
from testing.installation import Client, Installation

# Lets the test close the sockets, which an emulated outage leaves open.
KEEP_SOCKETS = """
window.sockets = [];
window.WebSocket = class extends WebSocket {
  constructor(...given) { super(...given); window.sockets.push(this); }
};
"""


def test_a_page_whose_code_is_not_there_yet_comes_when_the_connection_is_back(
    browser: Browser, installation: Installation, client: Client, plant: Plant
) -> None:
    with browser.page(installation, client) as opened:
        opened.allowed = ("net::ERR", "Failed to load resource", "WebSocket", "Failed to fetch")
        opened.page.add_init_script(KEEP_SOCKETS)
        opened.open("/devices")
        opened.wait_idle()
        opened.page.get_by_text("● live").wait_for()
        opened.context.set_offline(True)
        opened.page.evaluate("window.sockets.forEach(socket => socket.close(4000))")
        opened.page.get_by_text("connection lost").wait_for()
        opened.page.get_by_role("navigation", name="Pages").get_by_role("link", name="Changes").click()
        opened.page.get_by_role("heading", name="Not loaded").wait_for()
        assert opened.violations() == []
        opened.page.get_by_role("button", name="Try again").click()
        # The tab stays the console's, with all that is around the page.
        assert opened.page.get_by_role("navigation", name="Pages").count() == 1
        opened.context.set_offline(False)
        opened.page.get_by_role("heading", name="Changes", level=1).wait_for()
        opened.wait_idle()
        opened.check()
