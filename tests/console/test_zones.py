"""Every instant that a page shows is that of the chosen zone, over the nights in which clocks change, too."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from testing.console.browser import Browser
from testing.console.plant import change, instant
from testing.installation import Client, Installation

# Around both changes of the clock in Berlin and on Lord Howe, and the first hour of a day in Kathmandu.
INSTANTS = (
    "2026-03-29T00:59:59Z",
    "2026-03-29T01:00:00Z",
    "2026-10-25T00:30:00Z",
    "2026-10-25T01:30:00Z",
    "2026-04-04T14:45:00Z",
    "2026-04-04T15:15:00Z",
    "2026-10-03T15:30:00Z",
    "2026-06-01T18:15:00Z",
)
SHOWN = re.compile(r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$")


@pytest.fixture(scope="module")
def device(installation: Installation) -> tuple[Client, str]:
    """A device with a link that begins at each of the instants, and ends a minute later."""
    client = installation.organization("Zones")
    made = change(client, "createDevice", "$i: CreateDeviceInput!|input: $i", "device { id }", {"i": {"name": "Clock"}})
    asset = change(client, "createAsset", "$i: CreateAssetInput!|input: $i", "asset { id }", {"i": {"name": "Tower"}})
    for port, text in enumerate(INSTANTS):
        until = instant(datetime.fromtimestamp(datetime.fromisoformat(text).timestamp() + 60, tz=UTC))
        link = {"deviceId": made["id"], "assetId": asset["id"], "port": port, "validFrom": text, "validUntil": until}
        change(client, "linkDevice", "$i: LinkDeviceInput!|input: $i", "edge { id }", {"i": link})
    return client, made["id"]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe"])
def test_instants_are_those_of_the_zone(
    browser: Browser, installation: Installation, device: tuple[Client, str], zone: str
) -> None:
    client, device_id = device
    with browser.page(installation, client, zone=zone) as opened:
        for route in (f"/devices/{device_id}?tab=links", f"/devices/{device_id}?tab=history"):
            opened.open(route)
            opened.wait_idle()
            times = opened.page.evaluate(
                "[...document.querySelectorAll('main time')].map(time => [time.dateTime, time.innerText])"
            )
            shown = [(at, text) for at, text in times if SHOWN.match(text)]
            assert len(shown) >= len(INSTANTS)
            for at, text in shown:
                local = datetime.fromisoformat(at).astimezone(ZoneInfo(zone))
                assert text == local.strftime("%Y-%m-%d %H:%M:%S"), (at, zone)
        opened.check()
