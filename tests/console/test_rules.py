"""The rules, by keyboard alone: one is created with a preview, corrected in the past, copied, and disabled."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from testing.console.browser import NARROW, Browser, ConsolePage
from testing.console.keyboard import press, tab_to, type_instant
from testing.console.plant import Plant, change, instant, plant_make, readings_send
from testing.console.rules import kind_choose
from testing.installation import Client, Installation
from testing.waits import patient, wait_until

NAME = "Supply above 85"
REASON = "the limit of the manufacturer is 95"


@pytest.fixture(scope="module")
def rules_client(installation: Installation) -> Client:
    return installation.organization("Rules")


@pytest.fixture(scope="module")
def rules_plant(installation: Installation, rules_client: Client) -> Plant:
    made = plant_make(rules_client)
    installation.wait_processed(rules_client)
    return made


@pytest.fixture
def opened(
    browser: Browser, installation: Installation, rules_client: Client, rules_plant: Plant
) -> Iterator[ConsolePage]:
    with browser.page(installation, rules_client) as page:
        yield page
        page.check()


def events(client: Client, rule_id: str) -> list[dict[str, Any]]:
    """Return the events of a rule, the latest opened first."""
    query = """query E($f: EventFilter) { events(filter: $f) { nodes {
      state openedAt clearedReason corrections { before after } } } }"""
    nodes: list[dict[str, Any]] = client.call(query, {"f": {"ruleIds": [rule_id]}}).data["events"]["nodes"]
    return nodes


def rule_named(client: Client, name: str) -> dict[str, Any]:
    query = """query R($name: String!) { rules(filter: {search: $name}) { nodes {
      id name severity isActive scope condition action escalation versions { effectiveFrom severity isActive condition } } } }"""
    [rule] = [rule for rule in client.call(query, {"name": name}).data["rules"]["nodes"] if rule["name"] == name]
    result: dict[str, Any] = rule
    return result


def test_a_rule_is_created_corrected_copied_and_disabled_by_keyboard(
    opened: ConsolePage, installation: Installation, rules_client: Client, rules_plant: Plant
) -> None:
    opened.open("/")
    press(opened, "g r")
    opened.page.get_by_role("heading", name="Rules", level=1).wait_for()
    expect(opened.page.get_by_role("grid", name="Rules")).to_contain_text("supply is above 80 for 5 min")
    press(opened, "n")
    opened.page.get_by_role("heading", name="New rule", level=1).wait_for()

    write_the_sentence(opened)
    tab_to(opened, "In force from")
    type_instant(opened, rules_plant.began)
    tab_to(opened, "Create the rule")
    press(opened, "Enter")
    opened.page.get_by_role("heading", name=NAME, level=1).wait_for()

    # The alarm comes, and the page shows it.
    installation.wait_processed(rules_client)
    expect(opened.page.get_by_role("grid", name="Alarms")).to_contain_text("Boiler A", timeout=patient(60_000))
    rule = rule_named(rules_client, NAME)
    assert (rule["severity"], rule["scope"]["type"]) == ("CRITICAL", "Boiler")
    [event] = events(rules_client, rule["id"])
    assert event["state"] == "OPEN"

    correct_it_from_the_past(opened, rules_plant)
    installation.wait_processed(rules_client)
    wait_until(lambda: [event["state"] for event in events(rules_client, rule["id"])] == ["WITHDRAWN"])
    first, second = rule_named(rules_client, NAME)["versions"]
    assert (first["condition"]["threshold"]["value"], second["condition"]["threshold"]["value"]) == (85, 95)
    see_what_followed(opened)

    copy_it(opened, rules_client, rule["id"], second["condition"])
    disable_it(opened, rules_client)


def write_the_sentence(opened: ConsolePage) -> None:
    """When supply is above 85 for 10 minutes, on boilers; the preview shows what it would have found."""
    tab_to(opened, "Name")
    opened.page.keyboard.type(NAME)
    tab_to(opened, "Metric")
    opened.page.keyboard.type("sup")
    opened.page.get_by_role("option", name="supply").wait_for()
    press(opened, "Enter")
    tab_to(opened, "Value")
    opened.page.keyboard.type("85")
    tab_to(opened, "For", "input")
    press(opened, "Control+a")
    opened.page.keyboard.type("10")
    tab_to(opened, "Entities")
    opened.page.keyboard.type("all of")
    tab_to(opened, "Type")
    opened.page.keyboard.type("boi")
    opened.page.get_by_role("option", name="Boiler").wait_for()
    press(opened, "Enter")
    expect(opened.page.get_by_role("region", name="Scope")).to_contain_text("2 entities now")
    preview = opened.page.get_by_role("region", name="Preview")
    expect(preview).to_contain_text("It would have opened 1 alarm at 1 of 2 entities", timeout=patient(20_000))
    preview.get_by_role("img", name="Boiler A: 1 alarm").wait_for()
    expect(opened.page.get_by_role("region", name="Condition")).to_contain_text("When supply is above 85 for 10 min.")
    tab_to(opened, "severity")
    opened.page.keyboard.type("crit")


def correct_it_from_the_past(opened: ConsolePage, plant: Plant) -> None:
    """Say that the limit was 95 since before it was too hot, and why; the preview compares with the version in force."""
    press(opened, "e")
    opened.page.get_by_role("heading", name=f"Edit {NAME}", level=1).wait_for()
    tab_to(opened, "Value")
    press(opened, "Control+a")
    opened.page.keyboard.type("95")
    preview = opened.page.get_by_role("region", name="Preview")
    expect(preview).to_contain_text(
        "0 alarms at 0 of 2 entities; the version in force 1 alarm", timeout=patient(20_000)
    )
    preview.get_by_role("img", name="Boiler A: 0 alarms; the version in force 1 alarm").wait_for()
    tab_to(opened, "In force from")
    type_instant(opened, plant.hot - timedelta(minutes=30))
    opened.page.get_by_text("the alarms since then are computed again").wait_for()
    tab_to(opened, "Why")
    opened.page.keyboard.type(REASON)
    tab_to(opened, "Save the new version")
    press(opened, "Enter")
    opened.page.get_by_role("heading", name=NAME, level=1).wait_for()


def copy_it(opened: ConsolePage, client: Client, rule_id: str, condition: Any) -> None:
    """Save a copy of the rule: another one with the same sentence."""
    tab_to(opened, "Copy…")
    press(opened, "Enter")
    opened.page.get_by_role("heading", name="Copy of a rule", level=1).wait_for()
    tab_to(opened, "Name")
    assert opened.page.evaluate("document.activeElement.value") == f"Copy of {NAME}"
    tab_to(opened, "Create the rule")
    press(opened, "Enter")
    opened.page.get_by_role("heading", name=f"Copy of {NAME}", level=1).wait_for()
    copy = rule_named(client, f"Copy of {NAME}")
    assert copy["condition"] == condition
    assert copy["id"] != rule_id


def disable_it(opened: ConsolePage, client: Client) -> None:
    """Disable the copy, and enable it again from the message about it."""
    tab_to(opened, "Disable")
    press(opened, "Enter")
    opened.page.get_by_text("○ disabled").wait_for()
    assert not rule_named(client, f"Copy of {NAME}")["isActive"]
    tab_to(opened, "Undo")
    press(opened, "Enter")
    opened.page.get_by_text("● enabled").wait_for()
    assert rule_named(client, f"Copy of {NAME}")["isActive"]


def see_what_followed(opened: ConsolePage) -> None:
    """The versions say what differs and why, and the alarm that it was withdrawn."""
    tab_to(opened, "Versions")
    press(opened, "Enter")
    versions = opened.page.get_by_role("region", name="Versions")
    latest = versions.get_by_role("row").nth(1)
    expect(latest).to_contain_text("supply is above 85 for 10 min → became supply is above 95 for 10 min")
    expect(latest).to_contain_text(REASON)
    expect(latest).to_contain_text("after it counts: alarms of that time were recomputed")
    press(opened, "Shift+Tab")
    press(opened, "Enter")
    grid = opened.page.get_by_role("grid", name="Alarms")
    expect(grid).to_contain_text("withdrawn")
    tab_to(opened, "grid")
    press(opened, "j Enter")
    sheet = opened.page.get_by_role("dialog", name=NAME)
    expect(sheet).to_contain_text("Withdrawn")
    # From the alarm to its rule and back.
    tab_to(opened, f"Rule “{NAME}”")
    press(opened, "Enter")
    sheet.wait_for(state="detached")
    opened.page.get_by_role("heading", name=NAME, level=1).wait_for()


def test_what_the_api_refuses_is_said_at_its_field_and_stays_typed(opened: ConsolePage) -> None:
    opened.open("/rules/new", heading="New rule")
    opened.page.get_by_label("Name", exact=True).fill("Refused")
    opened.page.get_by_role("button", name="and …").click()
    kind_choose(opened, "1", "expression")
    opened.page.get_by_label("Expression in CEL").fill("supply >")
    kind_choose(opened, "2", "noData")
    opened.page.get_by_label("Metric", exact=True).fill("supply")
    first = opened.page.get_by_role("group", name="Condition 1", exact=True)
    # The preview has it read by the API while it is typed.
    expect(first.get_by_role("alert")).to_contain_text("BAD_USER_INPUT")
    expect(opened.page.get_by_label("Expression in CEL")).to_have_attribute("aria-invalid", "true")
    expect(opened.page.get_by_role("group", name="Condition 2", exact=True).get_by_role("alert")).to_have_count(0)
    opened.page.get_by_label("and call").fill("ftp://x")
    opened.page.get_by_label("Expression in CEL").fill("supply > 1.0")
    expect(first.get_by_role("alert")).to_have_count(0)
    opened.page.get_by_role("button", name="Create the rule").click()
    expect(opened.page.get_by_role("region", name="Outcome").get_by_role("alert")).to_contain_text("http")
    assert opened.page.get_by_label("Name", exact=True).input_value() == "Refused"
    # Leaving asks first.
    opened.page.get_by_label("Name", exact=True).blur()
    opened.page.get_by_role("link", name="Devices").first.click()
    opened.page.get_by_role("dialog", name="Leave without saving?").get_by_role("button", name="Leave").click()
    opened.page.get_by_role("heading", name="Devices", level=1).wait_for()


def test_rules_are_filtered_in_the_address_and_counted(
    opened: ConsolePage, rules_client: Client, rules_plant: Plant
) -> None:
    rule = {
        "name": "Quiet flow",
        "severity": "LOW",
        "isActive": False,
        "scope": {"underId": rules_plant.room},
        "condition": {"noData": {"metric": "flow", "after": "PT1H"}},
    }
    change(rules_client, "createRule", "$i: RuleInput!|input: $i", "rule { id }", {"i": rule})
    opened.open("/rules?severity=LOW", heading="Rules")
    grid = opened.page.get_by_role("grid", name="Rules")
    expect(grid.get_by_role("row")).to_have_count(2)
    row = grid.get_by_role("row").nth(1)
    for text in ("Quiet flow", "flow does not come for 1 h", "everything under Plant room", "low", "disabled"):
        expect(row).to_contain_text(text)
    # The room, two boilers, and the probe of one.
    expect(row.get_by_role("gridcell").nth(3)).to_have_text("4")
    opened.page.get_by_label("State").select_option("yes")
    opened.page.get_by_text("No rule matches").wait_for()
    assert "active=yes" in opened.page.url
    opened.open("/rules?q=too hot&active=yes", heading="Rules")
    row = grid.get_by_role("row").nth(1)
    expect(row).to_contain_text("Supply too hot")
    expect(row.get_by_role("gridcell").nth(5)).to_have_text("1")
    row.get_by_role("gridcell").nth(5).get_by_role("link").click()
    opened.page.get_by_role("heading", name="Alarms", level=1).wait_for()
    expect(opened.page.get_by_role("grid", name="Alarms")).to_contain_text("Supply too hot")


def test_the_list_counts_again_when_a_rule_fires(
    opened: ConsolePage, installation: Installation, rules_client: Client, rules_plant: Plant
) -> None:
    rule = {
        "name": "Supply is cold",
        "scope": {"entityId": rules_plant.boiler_a},
        "condition": {"threshold": {"metric": "supply", "operator": "LT", "value": 20}},
        "effectiveFrom": instant(rules_plant.began),
    }
    change(rules_client, "createRule", "$i: RuleInput!|input: $i", "rule { id }", {"i": rule})
    installation.wait_processed(rules_client)
    opened.open("/rules?q=is cold", heading="Rules")
    count: Locator = (
        opened.page.get_by_role("grid", name="Rules").get_by_role("row").nth(1).get_by_role("gridcell").nth(5)
    )
    expect(count).to_have_text("0")
    now = datetime.now(tz=UTC)
    readings_send(rules_client, now - timedelta(minutes=1), now, value=10.0)
    expect(count).to_have_text("1", timeout=patient(60_000))


def test_the_past_shows_the_version_that_was_in_force(
    opened: ConsolePage, rules_client: Client, rules_plant: Plant
) -> None:
    before, after = rules_plant.began - timedelta(days=3), rules_plant.began - timedelta(days=1)
    rule = {
        "name": "Pressure",
        "severity": "LOW",
        "condition": {"threshold": {"metric": "pressure", "operator": "GT", "value": 3}},
        "effectiveFrom": instant(before),
    }
    rule_id = change(rules_client, "createRule", "$i: RuleInput!|input: $i", "rule { id }", {"i": rule})["id"]
    later = {**rule, "condition": {"threshold": {"metric": "pressure", "operator": "GT", "value": 4}}}
    later["effectiveFrom"] = instant(after)
    change(
        rules_client,
        "updateRule",
        "$i: RuleInput!, $id: ID!|id: $id, input: $i",
        "rule { id }",
        {"i": later, "id": rule_id},
    )
    change(rules_client, "deleteRule", "$id: ID!|id: $id", "rule { id }", {"id": rule_id})
    grid = opened.page.get_by_role("grid", name="Rules")
    for at, value in ((before + timedelta(hours=1), "3"), (after + timedelta(hours=1), "4")):
        opened.open(f"/rules?q=Pressure&at={instant(at)}", heading="Rules")
        expect(grid).to_contain_text(f"pressure is above {value}")
        expect(grid).to_contain_text("enabled")
        opened.open(f"/rules/{rule_id}?at={instant(at)}", heading="Pressure")
        opened.page.get_by_text(f"When pressure is above {value}.").wait_for()
        expect(opened.page.get_by_role("link", name="Edit…")).to_have_count(0)
    # Nobody knew of it then, and before it there was none.
    opened.open(f"/rules?q=Pressure&at={instant(after)}&known=then", heading="Rules")
    opened.page.get_by_text("No rule matches").wait_for()
    opened.open(f"/rules/{rule_id}?at={instant(before - timedelta(hours=1))}", heading="Pressure")
    opened.page.get_by_text("It did not exist at this moment.").wait_for()
    opened.open("/rules?q=Pressure", heading="Rules")
    opened.page.get_by_text("No rule matches").wait_for()
    opened.open(f"/rules/{rule_id}", heading="Pressure")
    opened.page.get_by_text("✕ deleted").wait_for()


def test_shelves_and_maintenance_windows_are_created_and_ended(opened: ConsolePage, rules_client: Client) -> None:
    opened.open("/rules?tab=shelving", heading="Rules")
    opened.page.get_by_role("button", name="Shelve…").click()
    dialog = opened.page.get_by_role("dialog", name="Shelve")
    expect(dialog.get_by_role("button", name="Shelve", exact=True)).to_be_disabled()
    dialog.get_by_label("Rule (optional").fill("too hot")
    opened.page.get_by_role("option", name="Supply too hot").wait_for()
    opened.page.keyboard.press("Enter")
    dialog.get_by_label("Why").fill("being looked at")
    dialog.get_by_role("button", name="Shelve", exact=True).click()
    dialog.wait_for(state="detached")
    applies = opened.page.get_by_role("region", name="Applies")
    expect(applies).to_contain_text("Supply too hot everywhere “being looked at”")

    opened.page.get_by_role("button", name="New maintenance window…").click()
    dialog = opened.page.get_by_role("dialog", name="New maintenance window")
    expect(dialog).to_contain_text("no alarm of the whole organization notifies anybody")
    dialog.get_by_label("At and below").fill("Plant room")
    opened.page.get_by_role("option", name="Plant room").wait_for()
    opened.page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Create the window").click()
    dialog.wait_for(state="detached")
    later = opened.page.get_by_role("region", name="To come")
    expect(later).to_contain_text("Every rule at Plant room and below it")
    later.get_by_role("button", name="Remove").click()
    later.wait_for(state="detached")
    applies.get_by_role("button", name="End now").click()
    expect(applies).to_contain_text("Nothing.")
    shelves = rules_client.call("{ shelves { nodes { note rule { name } } } maintenanceWindows { totalCount } }").data
    assert shelves["shelves"]["nodes"] == [{"note": "being looked at", "rule": {"name": "Supply too hot"}}]
    assert shelves["maintenanceWindows"]["totalCount"] == 0


def test_who_may_not_write_rules_reads_them(browser: Browser, installation: Installation, rules_plant: Plant) -> None:
    viewer = installation.client("Rules", "viewer")
    with browser.page(installation, viewer, width=NARROW) as opened:
        opened.open(f"/rules/{rules_plant.rule}", heading="Supply too hot")
        opened.wait_idle()
        for name in ("Edit…", "Copy…"):
            expect(opened.page.get_by_role("link", name=name)).to_have_count(0)
        for name in ("Disable", "Delete…", "Shelve…"):
            expect(opened.page.get_by_role("button", name=name)).to_have_count(0)
        opened.open("/rules", heading="Rules")
        opened.wait_idle()
        expect(opened.page.get_by_role("link", name="New rule…")).to_have_count(0)
        opened.open("/rules/new", heading="New rule")
        opened.page.get_by_text("needs the role admin").wait_for()
        opened.check()
