"""The graph from one entity outward: by keyboard, through time without a request, and with five hundred nodes."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from testing.console.browser import Browser, ConsolePage
from testing.console.keyboard import press, tab_to
from testing.console.plant import Plant, change, instant
from testing.installation import Client, Installation
from testing.waits import wait_until

PLACES = """() => Object.fromEntries([...document.querySelectorAll('.react-flow__node')]
  .map(node => [node.dataset.id, node.style.transform]))"""
FAINT = "() => [...document.querySelectorAll('.graph-node.not-valid b')].map(name => name.innerText).sort()"


def posts(opened: ConsolePage) -> int:
    return len(opened.operations())


def drawn(opened: ConsolePage, names: set[str]) -> None:
    """Wait until the picture has these nodes and no others."""
    nodes = opened.page.locator(".graph-node b")
    wait_until(lambda: sorted(nodes.all_inner_texts()) == sorted(names), details=nodes.all_inner_texts)


def test_from_a_relation_to_the_link_of_a_neighbour_by_keyboard(page: ConsolePage, plant: Plant) -> None:
    page.open(f"/assets/{plant.boiler_a}?tab=relations", heading="Boiler A")
    tab_to(page, "Graph", "a ")
    page.page.keyboard.press("Enter")
    page.page.get_by_role("heading", name="Graph from Boiler A", level=1).wait_for()
    drawn(page, {"Boiler A", "Plant room", "Probe"})
    tab_to(page, "Expand Plant room")
    page.page.keyboard.press("Enter")
    drawn(page, {"Boiler A", "Boiler B", "Plant room", "Probe", "Works"})
    assert f"expanded={plant.room}" in page.page.url
    tab_to(page, "The link to Probe")
    page.page.keyboard.press("Enter")
    link = page.page.get_by_role("region", name="The link", exact=True)
    expect(link.get_by_role("row")).to_have_count(2)
    assert link.locator("rect.believed").count() == 1
    tab_to(page, "Close")
    tab_to(page, "End…")
    tab_to(page, "Correct or retract")
    page.page.keyboard.press("Enter")
    expect(page.page.get_by_role("dialog", name="Correct the past")).to_be_visible()
    page.page.keyboard.press("Escape")
    tab_to(page, "Collapse Plant room")
    page.page.keyboard.press("Enter")
    drawn(page, {"Boiler A", "Plant room", "Probe"})
    page.page.go_back()
    drawn(page, {"Boiler A", "Boiler B", "Plant room", "Probe", "Works"})


def test_nothing_moves_and_no_request_is_sent_while_the_thumb_moves(page: ConsolePage, plant: Plant) -> None:
    page.open(f"/graph?entity={plant.boiler_a}&expanded={plant.room}", heading="Graph from Boiler A")
    drawn(page, {"Boiler A", "Boiler B", "Plant room", "Probe", "Works"})
    page.wait_idle()
    page.page.get_by_label("Length of the time bar").select_option("30 d")
    page.wait_idle()
    places, requests = page.page.evaluate(PLACES), posts(page)
    assert len(places) == 5
    assert page.page.evaluate(FAINT) == []
    # Two days before its first reading the probe was not linked; the room is part of the site since it was made.
    thumb = page.page.get_by_role("slider", name="Moment")
    thumb.focus()
    thumb.evaluate(
        "element => { const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set;"
        " set.call(element, 900); element.dispatchEvent(new Event('input', {bubbles: true})); }"
    )
    page.page.wait_for_function("() => document.querySelectorAll('.graph-node.not-valid').length === 2")
    assert page.page.evaluate(FAINT) == ["Probe", "Works"]
    assert posts(page) == requests
    page.page.wait_for_function("() => location.hash.includes('at=')")
    page.wait_idle()
    assert page.page.evaluate(PLACES) == places
    assert page.page.evaluate(FAINT) == ["Probe", "Works"]
    assert (
        page.page.get_by_role("region", name="Neighbours of Boiler A").get_by_text("1 more at other moments").count()
        == 1
    )


def test_the_way_between_two(page: ConsolePage, plant: Plant) -> None:
    page.open(f"/graph?entity={plant.probe}&to={plant.site}", heading="Graph from Probe")
    path = page.page.get_by_role("status").filter(has_text="links:")
    expect(path).to_have_text("3 links: Probe → Boiler A → Plant room → Works")
    expect(page.page.locator(".graph-node.on-path")).to_have_count(4)
    # Long before, the probe was at no boiler.
    page.open(f"/graph?entity={plant.probe}&to={plant.site}&at={instant(plant.began - timedelta(days=3))}")
    expect(page.page.get_by_text("No path to Works at the moment shown.")).to_be_visible()
    page.open(f"/graph?entity={plant.probe}&to={plant.spare}")
    expect(page.page.get_by_text("No path to Spare probe at the moment shown.")).to_be_visible()


def test_a_new_link_comes_by_itself(page: ConsolePage, plant: Plant, client: Client) -> None:
    page.open(f"/graph?entity={plant.spare}", heading="Graph from Spare probe")
    drawn(page, {"Spare probe"})
    expect(page.page.get_by_text("Nothing is related to it.")).to_be_visible()
    page.wait_idle()
    link = change(
        client,
        "linkDevice",
        "$i: LinkDeviceInput!|input: $i",
        "edge { edgeId }",
        {"i": {"deviceId": plant.spare, "assetId": plant.boiler_b, "validFrom": instant(datetime.now(tz=UTC))}},
    )["edgeId"]
    try:
        drawn(page, {"Spare probe", "Boiler B"})
    finally:
        change(client, "correctEdge", "$e: ID!|id: $e, retract: true", "edge { edgeId }", {"e": link})


@pytest.mark.parametrize("address", ["/graph", "/graph?entity=01900000-0000-7000-8000-000000000000", "/graph?entity=x"])
def test_where_nothing_begins(page: ConsolePage, plant: Plant, address: str) -> None:
    page.open(address)
    if address != "/graph":
        page.page.get_by_role("heading", name="Not found", level=1).wait_for()
        return
    press(page, "g g")
    tab_to(page, "Begin at")
    page.page.keyboard.type("Boiler B")
    page.page.get_by_role("option", name="Boiler B").wait_for()
    page.page.keyboard.press("Enter")
    page.page.get_by_role("heading", name="Graph from Boiler B", level=1).wait_for()
    assert plant.boiler_b in page.page.url


def test_at_most_five_hundred_nodes(browser: Browser, installation: Installation) -> None:
    client = installation.organization("Wide")
    hub = change(client, "createAsset", "$i: CreateAssetInput!|input: $i", "asset { id }", {"i": {"name": "Hub"}})["id"]
    for begin in range(0, 560, 40):
        created = " ".join(
            f'd{n}: createDevice(input: {{name: "Valve {n:03}"}}) {{ device {{ id }} errors {{ message }} }}'
            for n in range(begin, begin + 40)
        )
        ids = [made["device"]["id"] for made in client.call(f"mutation {{ {created} }}").data.values()]
        links = " ".join(
            f"l{n}: linkDevice(input: {{deviceId: {json.dumps(device)}, assetId: {json.dumps(hub)}}})"
            " { errors { message } }"
            for n, device in enumerate(ids)
        )
        assert {str(made["errors"]) for made in client.call(f"mutation {{ {links} }}").data.values()} == {"[]"}
    with browser.page(installation, client) as opened:
        opened.open(f"/graph?entity={hub}", heading="Graph from Hub")
        drawn(opened, {"Hub", "560 devices"})
        opened.page.get_by_role("button", name=re.compile("^Show monitored by 560")).click()
        expect(opened.page.get_by_text("500 entities are shown, 61 are not")).to_be_visible()
        expect(opened.page.get_by_role("status").filter(has_text="500 nodes")).to_be_visible()
        opened.page.wait_for_function("() => document.querySelectorAll('.graph-node').length > 400")
        opened.check()
