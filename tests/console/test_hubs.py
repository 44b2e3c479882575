"""The overview and the hubs: what fails fails alone, and what was done is not done twice."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count

import pytest
from playwright.sync_api import Route as Intercepted

from testing.console.browser import NARROW, Browser, ConsolePage
from testing.console.plant import Plant, instant
from testing.installation import Client, Installation
from testing.waits import wait_until


def refuse(opened: ConsolePage, operation: str, answer: Callable[[], str | None]) -> None:
    """Answer an operation in the place of the API, as long as `answer` gives a body."""

    def intercept(route: Intercepted) -> None:
        query = json.loads(route.request.post_data or "{}").get("query", "")
        body = answer() if f" {operation}" in query.split("{", 1)[0] else None
        if body is None:
            route.fallback()
        else:
            route.fulfill(status=200, content_type="application/graphql-response+json", body=body)

    opened.page.route("**/graphql", intercept)


def fault(code: str, message: str) -> str:
    return json.dumps({"data": None, "errors": [{"message": message, "extensions": {"code": code}}]})


def test_health_that_cannot_be_compared_fails_alone(
    browser: Browser, installation: Installation, client: Client, plant: Plant
) -> None:
    with browser.page(installation, client) as opened:
        refuse(opened, "OverviewHealth", lambda: fault("LIMIT_EXCEEDED", "Health is compared among 20000 assets."))
        opened.open("/")
        opened.page.get_by_text("Too many assets to compare").wait_for()
        opened.wait_idle()
        # All else is there: the devices of the plant, and what was received of them.
        assert opened.page.get_by_role("region", name="Devices").get_by_text("online").count() == 1
        assert opened.page.get_by_role("alert").count() == 0
        assert "OverviewState" in opened.operations()
        opened.check()


def test_a_value_is_saved_as_it_was_typed_or_not_at_all(page: ConsolePage, client: Client, plant: Plant) -> None:
    page.open(f"/devices/{plant.spare}?tab=configuration")
    page.wait_idle()
    page.page.get_by_label("As JSON").or_(page.page.get_by_label("Attributes as JSON")).first.fill('{"power": 1}')
    field = page.page.get_by_label("power (its own)")
    save = page.page.get_by_role("button", name="Save")
    field.fill("12,5")
    page.page.get_by_text("is not a number").wait_for()
    assert save.is_disabled()
    # Emptied while it is typed, it is still there.
    field.fill("")
    field.fill("12.5")
    save.click()
    page.page.get_by_text("was saved").wait_for()
    document = "query D($id: ID!) { node(id: $id) { ... on Device { attributes } } }"
    assert client.call(document, {"id": plant.spare}).data["node"]["attributes"] == {"power": 12.5}


def test_an_incomplete_date_is_not_an_empty_one(page: ConsolePage, plant: Plant) -> None:
    page.open(f"/devices/{plant.spare}?tab=tokens")
    page.wait_idle()
    page.page.get_by_label("Expires").focus()
    page.page.keyboard.type("1224")
    before = len(page.operations())
    page.page.get_by_role("button", name="Issue token").click()
    page.page.get_by_text("A part of the date or the time is missing.").wait_for()
    assert "IssueDeviceToken" not in page.operations()[before:]


def test_what_was_done_is_not_done_twice_and_tokens_are_not_lost(browser: Browser, installation: Installation) -> None:
    own = installation.organization("Retries")
    refusals = {"IssueFirstToken": 1, "IssueTokens": 1}

    def once(operation: str) -> str | None:
        refusals[operation] -= 1
        return fault("INTERNAL", "The database is away.") if refusals[operation] >= 0 else None

    with browser.page(installation, own) as opened:
        refuse(opened, "IssueFirstToken", lambda: once("IssueFirstToken"))
        refuse(opened, "IssueTokens", lambda: once("IssueTokens"))
        opened.open("/?steps=first")
        opened.page.get_by_role("button", name="Create a device and its token").click()
        opened.page.get_by_text("The database is away.").wait_for()
        opened.page.get_by_role("button", name="Issue a token to My first device").click()
        opened.page.get_by_text("It is shown only now").wait_for()
        assert opened.operations().count("CreateFirstDevice") == 1
        own.call('mutation { createDevice(input: {name: "Second"}) { device { id } } }')
        opened.open("/devices")
        opened.page.get_by_label("Select all that match").check()
        opened.page.get_by_role("button", name="Issue tokens…").click()
        dialog = opened.page.get_by_role("dialog")
        dialog.get_by_role("button", name="Issue 2 tokens").click()
        dialog.get_by_text("The database is away.").wait_for()
        dialog.get_by_role("button", name="Issue the 2 left").click()
        dialog.get_by_text("2 of 2 issued; 2 not saved yet").wait_for()
        # Closing asks first, and the table can still be saved then.
        opened.page.keyboard.press("Escape")
        with opened.page.expect_download() as downloading:
            dialog.get_by_role("alertdialog").get_by_role("button", name="Save as CSV").click()
        lines = downloading.value.path().read_text().split()
        assert len({line for line in lines if "argus_dev_" in line}) == 2, lines
        opened.page.keyboard.press("Escape")
        dialog.wait_for(state="hidden")
        opened.check()


def test_many_devices_are_linked_in_batches(browser: Browser, installation: Installation) -> None:
    own = installation.organization("Batches")
    document = "mutation I($r: [JSON!]!) { importGraph(records: $r) { errors { message } } }"
    devices = [{"record": "entity", "kind": "DEVICE", "name": f"Meter {n}", "externalId": f"m-{n}"} for n in range(600)]
    asset = {"record": "entity", "kind": "ASSET", "name": "Hall", "externalId": "hall"}
    assert own.call(document, {"r": [asset, *devices]}).data["importGraph"]["errors"] == []
    attempts = iter([None, None, None, fault("INTERNAL", "The database is away.")])
    with browser.page(installation, own) as opened:
        refuse(opened, "LinkDevices", lambda: next(attempts, None))
        opened.open("/devices")
        # The row on which keys act is named to screen readers only as long as it is drawn.
        grid = opened.page.get_by_role("grid")
        grid.focus()
        opened.page.keyboard.press("j")
        active = opened.page.locator("[role=row][data-active=true]").get_attribute("id")
        assert grid.get_attribute("aria-activedescendant") == active
        grid.evaluate("grid => { grid.scrollTop = 1e6; }")
        opened.page.wait_for_function(
            """id => document.getElementById(id) === null
                && !document.querySelector("[role=grid]").hasAttribute("aria-activedescendant")""",
            arg=active,
        )
        # A box that has the focus leaves the shortcuts alone.
        opened.page.get_by_label("Select all that match").focus()
        opened.page.keyboard.press("?")
        opened.page.get_by_role("dialog", name="Keys").wait_for()
        opened.page.keyboard.press("Escape")
        opened.page.get_by_label("Select all that match").check()
        opened.page.get_by_role("button", name="Link to an asset…").click()
        dialog = opened.page.get_by_role("dialog")
        dialog.get_by_label("Asset or space").fill("Hall")
        dialog.get_by_role("listbox").get_by_text("Hall").click()
        dialog.get_by_role("button", name="Count first").click()
        dialog.get_by_text("600 links will be created").wait_for()
        # The second batch of the links fails: only it is left.
        dialog.get_by_role("button", name="Link 600").click()
        dialog.get_by_text("100 devices are left").wait_for()
        dialog.get_by_role("button", name="Link the 100 left").click()
        dialog.wait_for(state="hidden")
        opened.check()
    linked = own.call("{ devices(filter: {isLinked: true}, first: 0) { totalCount } }")
    assert linked.data["devices"]["totalCount"] == 600


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_a_role_is_offered_what_it_may_do(
    browser: Browser, installation: Installation, plant: Plant, role: str
) -> None:
    only_operators = ["Link…", "Unlink at…", "Correct…"]
    with browser.page(installation, installation.client("Works", role)) as opened:
        opened.open("/devices")
        opened.wait_idle()
        box = opened.page.get_by_label("Select all that match")
        if role == "viewer":
            assert box.count() == 0
            assert opened.page.get_by_role("button", name="New device…").count() == 0
        else:
            box.check()
            bar = opened.page.get_by_role("region", name="Selection")
            assert bar.get_by_role("button", name="Edit…").is_enabled()
            for name in ("Link to an asset…", "Issue tokens…", "Retire…"):
                assert bar.get_by_role("button", name=name).count() == 0
            bar.get_by_text("needs the role admin").wait_for()
        opened.open(f"/devices/{plant.probe}?tab=links")
        opened.wait_idle()
        assert opened.page.get_by_role("link", name="Tokens").count() == 0
        offered = [opened.page.get_by_role("button", name=name).count() > 0 for name in only_operators]
        assert offered == [role == "operator"] * len(only_operators)
        opened.open(f"/devices/{plant.probe}?tab=configuration")
        opened.wait_idle()
        assert opened.page.get_by_label("Name", exact=True).is_enabled() == (role == "operator")
        opened.check()


def test_lists_follow_what_changes_and_count_what_matches(browser: Browser, installation: Installation) -> None:
    own = installation.organization("Follows")
    numbers = count(1)

    def device(name: str) -> None:
        own.call("mutation C($n: String!) { createDevice(input: {name: $n}) { device { id } } }", {"n": name})

    def asset(name: str) -> str:
        answer = own.call("mutation C($n: String!) { createAsset(input: {name: $n}) { asset { id } } }", {"n": name})
        made: str = answer.data["createAsset"]["asset"]["id"]
        return made

    def renamed(asset_id: str, name: str) -> str:
        document = "mutation U($id: ID!, $n: String!) { updateAsset(id: $id, input: {name: $n}) { errors { code } } }"
        own.call(document, {"id": asset_id, "n": name})
        return name

    device("Meter 1")
    boiler = asset("Boiler")
    with browser.page(installation, own) as opened:
        offer = opened.page.get_by_role("button", name=re.compile("[0-9] new"))
        opened.open("/devices?q=Meter")
        opened.page.get_by_role("row").get_by_text("Meter 1").wait_for()
        device("Meter 2")

        # Again and again: what is created before the page follows is not announced to it.
        def is_offered() -> bool:
            device(f"Pump {next(numbers)}")
            return offer.count() > 0

        wait_until(is_offered)
        assert offer.inner_text().startswith("1 new ")
        offer.click()
        opened.page.get_by_role("row").get_by_text("Meter 2").wait_for()
        for address in ("/assets", "/assets?view=tree"):
            opened.open(address)
            opened.wait_idle()

            def is_renamed() -> bool:
                name = renamed(boiler, f"Boiler {next(numbers)}")
                opened.page.wait_for_timeout(400)
                return opened.page.get_by_role("link", name=name).count() > 0

            wait_until(is_renamed)
        asset("Second")
        offer.click()
        opened.page.get_by_role("treeitem").get_by_text("Second").wait_for()
        opened.check()


def test_a_page_that_fails_leaves_the_list_and_is_retried(browser: Browser, installation: Installation) -> None:
    own = installation.organization("Long list")
    document = "mutation I($r: [JSON!]!) { importGraph(records: $r) { errors { message } } }"
    devices = [
        {"record": "entity", "kind": "DEVICE", "externalId": f"d{n}", "name": f"Meter {n:03}"} for n in range(230)
    ]
    assert own.call(document, {"r": devices}).data["importGraph"]["errors"] == []
    failing = {"DeviceList": False}
    with browser.page(installation, own) as opened:
        refuse(opened, "DeviceList", lambda: fault("INTERNAL", "For a moment.") if failing["DeviceList"] else None)
        opened.open("/devices?order=NAME_ASC")
        opened.wait_idle()
        opened.page.get_by_text("230 devices, 200 loaded").wait_for()
        failing["DeviceList"] = True
        requested = opened.operations().count("DeviceList")
        end = "grid => { grid.scrollTop = grid.scrollHeight; }"
        opened.page.get_by_role("grid").evaluate(end)
        alert = opened.page.get_by_role("alert").filter(has_text="For a moment.")
        alert.wait_for()
        opened.page.get_by_text("Meter 199").wait_for()
        opened.wait_idle()
        # It is requested once, however often the list is drawn while its end is near.
        assert opened.operations().count("DeviceList") == requested + 1
        failing["DeviceList"] = False
        alert.get_by_role("button", name="Try again").click()
        opened.page.get_by_text("230 devices", exact=True).wait_for()
        alert.wait_for(state="detached")
        opened.page.get_by_role("grid").evaluate(end)
        opened.page.get_by_text("Meter 229").wait_for()
        opened.check()


def test_rows_of_one_moment_are_not_shown_at_another(page: ConsolePage, plant: Plant) -> None:
    delayed: list[Intercepted] = []

    def hold(route: Intercepted) -> None:
        body = json.loads(route.request.post_data or "{}")
        if "query AssetList" in body.get("query", "") and body["variables"]["asOf"] is not None:
            delayed.append(route)
        else:
            route.fallback()

    page.page.route("**/graphql", hold)
    page.open("/assets")
    page.wait_idle()
    rows = page.page.get_by_role("grid").get_by_role("link")
    assert rows.count() > 0
    page.page.evaluate("location.hash = '#/assets?at=2026-03-02T00:00:00Z'")
    page.page.get_by_role("button", name="Back to live").wait_for()
    wait_until(lambda: len(delayed) > 0)
    assert rows.count() == 0
    for route in delayed:
        route.fallback()
    rows.first.wait_for()


def test_what_was_typed_is_not_left_by_accident(page: ConsolePage, plant: Plant) -> None:
    page.open(f"/devices/{plant.spare}?tab=configuration")
    page.wait_idle()
    page.page.get_by_label("Firmware").fill("2.0")
    tabs = page.page.get_by_role("navigation", name="Parts of the device")
    pages = page.page.get_by_role("navigation", name="Pages")
    for link in (tabs.get_by_role("link", name="Telemetry"), pages.get_by_role("link", name="Alarms")):
        link.click()
        leaving = page.page.get_by_role("dialog", name="Leave without saving?")
        leaving.wait_for()
        assert page.violations() == []
        leaving.get_by_role("button", name="Stay").click()
        leaving.wait_for(state="detached")
        assert page.page.get_by_label("Firmware").input_value() == "2.0"
    # Another moment is no other place.
    page.page.get_by_role("button", name="What was true").click()
    page.page.wait_for_url("**at=**")
    assert page.page.get_by_label("Firmware").input_value() == "2.0"
    page.page.get_by_role("button", name="Back to live").click()
    tabs.get_by_role("link", name="Telemetry").click()
    page.page.get_by_role("button", name="Leave, and discard it").click()
    page.page.wait_for_url("**tab=telemetry**")
    tabs.get_by_role("link", name="Configuration").click()
    assert page.page.get_by_label("Firmware").input_value() == ""
    # Nothing is typed any more, and nothing is leaving.
    tabs.get_by_role("link", name="Overview").click()
    page.page.get_by_role("heading", name="Identity").wait_for()


def test_a_device_does_not_replace_itself(page: ConsolePage, plant: Plant) -> None:
    page.open(f"/devices/{plant.probe}?tab=links")
    page.page.get_by_role("button", name="Replace device…").click()
    dialog = page.page.get_by_role("dialog", name="Replace Probe")
    dialog.get_by_role("combobox").fill("probe")
    dialog.get_by_role("option").first.wait_for()
    assert [name.split("\n")[0] for name in dialog.get_by_role("option").all_inner_texts()] == [
        "Spare probe Temperature probe"
    ]


def test_what_was_received_can_be_read_on_a_phone(
    browser: Browser, installation: Installation, client: Client, plant: Plant
) -> None:
    with browser.page(installation, client, width=NARROW) as opened:
        opened.open(f"/devices/{plant.probe}?tab=messages")
        rows = opened.page.get_by_role("region", name="Received readings").locator("tbody tr")
        rows.first.wait_for()
        box = rows.first.bounding_box()
        # Three lines: the payload is not a column of letters.
        assert box is not None
        assert box["height"] < 90
        opened.open(f"/devices/{plant.probe}?tab=history")
        differences = opened.page.locator("td > .difference")
        differences.first.wait_for()
        assert all(box["width"] >= 200 for box in (row.bounding_box() for row in differences.all()) if box is not None)
        opened.check()


def test_a_change_is_undone_from_the_message_about_it(page: ConsolePage, client: Client, plant: Plant) -> None:
    def undo() -> None:
        page.page.locator(".toast").get_by_role("button", name="Undo").click()
        page.page.get_by_text("Undone.").wait_for()
        for close in page.page.get_by_role("button", name="Dismiss message").all():
            close.click()

    stored = "query D($id: ID!) { node(id: $id) { ... on Device { firmwareVersion attributes } } }"
    before = client.call(stored, {"id": plant.probe}).data["node"]
    page.open(f"/devices/{plant.probe}?tab=configuration")
    page.wait_idle()
    page.page.get_by_label("Firmware").fill("9.9")
    page.page.get_by_label("Attributes as JSON").fill('{"serial": "PX-2", "floor": 3}')
    page.page.get_by_role("button", name="Save").click()
    page.page.get_by_text("Probe was saved.").wait_for()
    changed = client.call(stored, {"id": plant.probe}).data["node"]
    assert changed == {"firmwareVersion": "9.9", "attributes": {"serial": "PX-2", "floor": 3}}
    undo()
    assert client.call(stored, {"id": plant.probe}).data["node"] == before

    versions = (
        "query E($id: ID!) { node(id: $id) { ... on Device { edges { nodes { edgeId validFrom validUntil } } } } }"
    )
    links = client.call(versions, {"id": plant.probe}).data["node"]["edges"]["nodes"]
    page.open(f"/devices/{plant.probe}?tab=links")
    page.page.get_by_role("button", name="Unlink at…").click()
    page.page.get_by_role("dialog").get_by_role("button", name="Unlink").click()
    page.page.get_by_text("0 links hold at the moment shown").wait_for()
    undo()
    page.page.get_by_text("1 link holds at the moment shown").wait_for()
    assert client.call(versions, {"id": plant.probe}).data["node"]["edges"]["nodes"] == links

    page.open("/alarms", heading="Alarms")
    page.page.get_by_role("grid", name="Alarms").get_by_text("Supply too hot").first.wait_for()
    page.page.keyboard.press("j")
    page.page.keyboard.press("s")
    page.page.get_by_role("dialog").get_by_role("button", name="Shelve").click()
    page.page.get_by_text("1 alarm shelved.").wait_for()
    ends = "{ shelves { nodes { to } } }"
    assert client.call(ends).data["shelves"]["nodes"][0]["to"] > instant(datetime.now(tz=UTC))
    undo()
    assert client.call(ends).data["shelves"]["nodes"][0]["to"] <= instant(datetime.now(tz=UTC))


def test_who_comes_back_to_a_list_goes_on_where_it_was_left(browser: Browser, installation: Installation) -> None:
    client = installation.organization("Returning")
    created = " ".join(f'a{n}: createAsset(input: {{name: "Asset {n:02}"}}) {{ errors {{ code }} }}' for n in range(40))
    client.call(f"mutation {{ {created} }}")
    with browser.page(installation, client) as opened:
        opened.open("/assets", heading="Assets")
        opened.page.get_by_role("row", name="Asset 00").wait_for()
        opened.page.get_by_role("grid").focus()
        for _ in range(31):
            opened.page.keyboard.press("j")
        opened.page.keyboard.press("Enter")
        opened.page.get_by_role("heading", name="Asset 30", level=1).wait_for()
        opened.page.go_back()
        opened.page.get_by_role("heading", name="Assets", level=1).wait_for()
        opened.page.locator(".grid-row[data-active=true]", has_text="Asset 30").wait_for()
        opened.page.wait_for_function("() => document.activeElement?.getAttribute('role') === 'grid'")
        opened.page.keyboard.press("j")
        opened.page.keyboard.press("Enter")
        opened.page.get_by_role("heading", name="Asset 31", level=1).wait_for()
        # By another way it begins at its first row.
        opened.page.keyboard.press("g")
        opened.page.keyboard.press("a")
        opened.page.get_by_role("row", name="Asset 00").wait_for()
        assert opened.page.locator(".grid-row[data-active=true]").count() == 0
        opened.check()
