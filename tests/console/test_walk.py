"""The operator's walk, by keyboard alone: from an empty plant to a corrected link, and what followed from it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from playwright.sync_api import expect

from testing.console.browser import Browser, ConsolePage
from testing.console.keyboard import press, tab_to, type_instant
from testing.console.plant import Plant, change, instant, plant_make
from testing.installation import Client, Installation
from testing.waits import patient, quiet_period

REASON = "found on site: the probe was taken off for repair"


def test_the_walk_of_an_operator(browser: Browser, installation: Installation) -> None:
    client = installation.organization("Walk")
    with browser.page(installation, client) as opened:
        opened.open("/")
        expect(opened.page.get_by_role("heading", name="First steps")).to_be_visible()
        simulate(installation)
        opened.page.get_by_role("img", name="Step 1, done").wait_for(timeout=patient(60_000))

        plant = plant_make(client)
        installation.wait_processed(client)
        alarm_wait(client, plant, "OPEN")
        before = datetime.now(tz=UTC) + timedelta(seconds=1)
        quiet_period(2.5)
        correct_the_link(opened, plant)
        alarm_wait(client, plant, "WITHDRAWN")
        cool_readings_of_the_spare(client, plant)
        installation.wait_processed(client)

        look_at_the_strip(opened, before)
        changes_list_it(opened)
        the_alarm_says_why(opened)
        opened.check()


def simulate(installation: Installation) -> None:
    """Do as the page says."""
    duration = ("--devices", "3", "--interval", "PT1S", "--duration", "PT3S")
    installation.run("simulate", "--organization", "Walk", "--url", installation.url, *duration)


def alarm_wait(client: Client, plant: Plant, state: str) -> None:
    """Wait until the alarm of the boiler is in a state."""
    query = "query E($f: EventFilter) { events(filter: $f) { nodes { state } } }"
    variables = {"f": {"entityIds": [plant.boiler_a], "states": [state]}}
    deadline = datetime.now(tz=UTC) + timedelta(seconds=patient(60))
    while not client.call(query, variables).data["events"]["nodes"]:
        assert datetime.now(tz=UTC) < deadline, f"The alarm is not {state}."
        quiet_period(0.2)


def correct_the_link(opened: ConsolePage, plant: Plant) -> None:
    """From the list of devices to the link, and say that it ended two hours ago."""
    press(opened, "g d")
    opened.page.get_by_role("heading", name="Devices", level=1).wait_for()
    press(opened, "/")
    opened.page.keyboard.type("Probe")
    expect(opened.page.get_by_role("row")).to_have_count(3)
    tab_to(opened, "grid")
    press(opened, "j Enter")
    opened.page.get_by_role("heading", name="Probe", level=1).wait_for()
    tab_to(opened, "Linked assets")
    press(opened, "Enter")
    opened.page.get_by_text("1 link holds at the moment shown").wait_for()
    tab_to(opened, "Correct…")
    press(opened, "Enter")
    opened.page.get_by_role("dialog", name="Correct the past").wait_for()
    tab_to(opened, "Valid until")
    type_instant(opened, plant.hot)
    # What will follow is said before it is done: two hours of two metrics.
    expect(opened.page.get_by_role("region", name="What will follow")).to_contain_text("will lose 240 points of Probe")
    tab_to(opened, "Why")
    opened.page.keyboard.type(REASON)
    tab_to(opened, "button Correct")
    press(opened, "Enter")
    opened.page.get_by_role("dialog", name="Correct the past").wait_for(state="detached")
    opened.page.get_by_text("0 links hold at the moment shown").wait_for()


def cool_readings_of_the_spare(client: Client, plant: Plant) -> None:
    """Link the spare probe to the boiler from then on, with readings that are not too hot."""
    link = {"deviceId": plant.spare, "assetId": plant.boiler_a, "validFrom": instant(plant.hot)}
    change(client, "linkDevice", "$i: LinkDeviceInput!|input: $i", "edge { edgeId }", {"i": link})
    readings = [
        {"externalId": "spare", "timestamp": instant(plant.hot + timedelta(minutes=n)), "metrics": {"supply": 71.0}}
        for n in range(100)
    ]
    document = "mutation I($r: [ReadingInput!]!) { ingestTelemetry(readings: $r) { accepted } }"
    assert client.call(document, {"r": readings}).data["ingestTelemetry"]["accepted"] == 100


def look_at_the_strip(opened: ConsolePage, before: datetime) -> None:
    """See two devices on the boiler now, and one as it was believed before the correction."""
    press(opened, "g a")
    opened.page.get_by_role("heading", name="Assets", level=1).wait_for()
    press(opened, "/")
    opened.page.keyboard.type("Boiler A")
    expect(opened.page.get_by_role("row")).to_have_count(2)
    tab_to(opened, "grid")
    press(opened, "j Enter")
    opened.page.get_by_role("heading", name="Boiler A", level=1).wait_for()
    tab_to(opened, "Telemetry")
    press(opened, "Enter")
    tab_to(opened, "6 h")
    press(opened, "Enter")
    strip = opened.page.get_by_role("region", name="Which device supplied what", exact=True)
    expect(strip).to_contain_text("Spare probe ✓ at the moment shown")

    tab_to(opened, "What we saw then")
    press(opened, "Enter")
    tab_to(opened, "Moment, in UTC")
    type_instant(opened, before)
    press(opened, "Enter")
    opened.page.wait_for_url("**known=then**")
    expect(strip).to_contain_text("Probe ✓ at the moment shown")
    expect(strip).to_contain_text("Spare probe not in this version")
    opened.page.evaluate("document.activeElement.blur()")
    press(opened, "l")
    expect(strip).to_contain_text("Spare probe ✓ at the moment shown")


def changes_list_it(opened: ConsolePage) -> None:
    """Compare then with now: the correction is among what was learned, with its reason."""
    press(opened, "c")
    opened.page.get_by_role("heading", name="Changes", level=1).wait_for()
    expect(opened.page.get_by_role("region", name="Learned")).to_contain_text(REASON)


def the_alarm_says_why(opened: ConsolePage) -> None:
    """Open the withdrawn alarm: its timeline names the correction."""
    press(opened, "g e")
    opened.page.get_by_role("heading", name="Alarms", level=1).wait_for()
    tab_to(opened, "All events")
    press(opened, "Enter")
    expect(opened.page.get_by_role("grid")).to_contain_text("withdrawn")
    tab_to(opened, "grid")
    press(opened, "j Enter")
    sheet = opened.page.get_by_role("dialog", name="Supply too hot")
    expect(sheet).to_contain_text("Withdrawn")
    expect(sheet).to_contain_text(REASON)
    press(opened, "Escape")
    sheet.wait_for(state="detached")
