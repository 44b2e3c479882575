"""The overview and the hubs: what fails fails alone, and what was done is not done twice."""

from __future__ import annotations

import json
from collections.abc import Callable

from playwright.sync_api import Route as Intercepted

from testing.console.browser import Browser, ConsolePage
from testing.console.plant import Plant
from testing.installation import Client, Installation


def refuse(opened: ConsolePage, operation: str, answer: Callable[[], str | None]) -> None:
    """Answer an operation in the place of the API, as long as `answer` gives a body."""

    def intercept(route: Intercepted) -> None:
        query = json.loads(route.request.post_data or "{}").get("query", "")
        body = answer() if f" {operation}" in query.split("{", 1)[0] else None
        if body is None:
            route.continue_()
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
    page.page.get_by_label("Refused from").focus()
    page.page.keyboard.type("1224")
    before = len(page.operations())
    page.page.get_by_role("button", name="Issue token").click()
    page.page.get_by_text("A part of the date or the time is missing.").wait_for()
    assert "IssueDeviceToken" not in page.operations()[before:]
