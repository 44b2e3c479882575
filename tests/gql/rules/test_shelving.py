"""Shelves and maintenance windows over the API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from testing.api import Api
from tests.gql.live.test_event_feed import Site, site

SHELF = """mutation M($ruleId: ID, $entityId: ID, $from: DateTime, $to: DateTime!, $note: String) {
  shelveEvents(ruleId: $ruleId, entityId: $entityId, from: $from, to: $to, note: $note) {
  shelf { id from to note actor rule { name } entity { name } } errors { code path } } }"""
WINDOW = """mutation M($underId: ID, $from: DateTime, $to: DateTime!, $note: String) {
  createMaintenanceWindow(underId: $underId, from: $from, to: $to, note: $note) {
  maintenanceWindow { id from to note under { name } } errors { code path } } }"""
NOTHING = "0190a3c4-0000-7000-8000-000000000000"


@pytest.fixture(scope="module")
def plant_site(api: Api) -> Site:
    return site(api, "shelving")


def create(of: Site, text: str, **given: Any) -> Any:
    [payload] = of.api.client(of.slug, "operator").call(text, given).data.values()
    return payload


def test_events_are_shelved_for_a_time_and_the_shelf_ends_early(plant_site: Site) -> None:
    of, client = plant_site, plant_site.api.client(plant_site.slug)
    to = f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%dT00:00:00Z}"
    made = create(of, SHELF, ruleId=of.rule_id, entityId=of.pump, to=to, note="Sensor is replaced")
    assert made["errors"] == []
    shelf = made["shelf"]
    assert (shelf["rule"], shelf["entity"], shelf["to"]) == ({"name": "hot"}, {"name": "Pump"}, to)
    assert (shelf["note"], shelf["actor"]) == ("Sensor is replaced", "operator@test")
    later = create(of, SHELF, ruleId=of.rule_id, **{"from": "2099-01-01T00:00:00Z"}, to="2099-02-01T00:00:00Z")["shelf"]
    assert later["from"] == "2099-01-01T00:00:00Z"
    listed = client.call("{ shelves(first: 1) { totalCount nodes { id } pageInfo { endCursor } } }").data["shelves"]
    assert (listed["totalCount"], listed["nodes"]) == (2, [{"id": later["id"]}])
    second_page = client.call(
        "query Q($a: String) { shelves(after: $a) { nodes { id } } }", {"a": listed["pageInfo"]["endCursor"]}
    )
    assert second_page.data["shelves"] == {"nodes": [{"id": shelf["id"]}]}
    end = "mutation M($id: ID!) { unshelveEvents(id: $id) { shelf { id from to } errors { code path } } }"
    ended = client.call(end, {"id": shelf["id"]}).data["unshelveEvents"]["shelf"]
    assert shelf["from"] < ended["to"] < to
    again = client.call(end, {"id": shelf["id"]}).data["unshelveEvents"]["shelf"]
    assert again == ended
    # One that had not begun is no more.
    assert client.call(end, {"id": later["id"]}).data["unshelveEvents"]["errors"] == []
    assert client.call(end, {"id": later["id"]}).data["unshelveEvents"]["errors"] == [
        {"code": "NOT_FOUND", "path": ["id"]}
    ]
    named = client.call("query Q($id: ID!) { node(id: $id) { __typename } }", {"id": shelf["id"]}).data["node"]
    assert named == {"__typename": "Shelf"}


def test_maintenance_is_set_listed_and_ended(plant_site: Site) -> None:
    of, client = plant_site, plant_site.api.client(plant_site.slug)
    made = create(of, WINDOW, **{"from": "2026-01-01T00:00:00Z"}, to="2026-01-01T00:06:00Z", underId=of.hall)
    assert made["maintenanceWindow"]["under"] == {"name": "Hall"}
    everywhere = create(of, WINDOW, to=f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%dT00:00:00Z}")
    assert (everywhere["errors"], everywhere["maintenanceWindow"]["under"]) == ([], None)
    listed = client.call("{ maintenanceWindows { totalCount edges { node { id __typename } } } }").data
    assert listed["maintenanceWindows"] == {
        "totalCount": 2,
        "edges": [
            {"node": {"id": window["maintenanceWindow"]["id"], "__typename": "MaintenanceWindow"}}
            for window in (everywhere, made)
        ],
    }
    end = """mutation M($id: ID!) { endMaintenanceWindow(id: $id) {
      maintenanceWindow { from to } errors { code path } } }"""
    over = client.call(end, {"id": made["maintenanceWindow"]["id"]}).data["endMaintenanceWindow"]["maintenanceWindow"]
    assert over == {"from": "2026-01-01T00:00:00Z", "to": "2026-01-01T00:06:00Z"}
    ended = client.call(end, {"id": everywhere["maintenanceWindow"]["id"]}).data["endMaintenanceWindow"]
    assert ended["maintenanceWindow"]["to"] < everywhere["maintenanceWindow"]["to"]


def test_an_event_says_whether_it_is_suppressed(plant_site: Site) -> None:
    of, client = plant_site, plant_site.api.client(plant_site.slug)
    event_id = of.open()
    query = "query Q($id: ID!) { node(id: $id) { ... on Event { suppressed } } }"
    assert client.call(query, {"id": str(event_id)}).data["node"] == {"suppressed": False}
    # As if it had opened in a suppression that is not over, and in one that is.
    for at, is_suppressed in (("2999-01-01", True), ("2026-01-01", False)):
        of.execute(
            "UPDATE events SET suppressed_until = :at WHERE organization_id = :o AND id = :id", id=event_id, at=at
        )
        assert client.call(query, {"id": str(event_id)}).data["node"] == {"suppressed": is_suppressed}


@pytest.mark.parametrize(
    ("text", "given", "code", "path"),
    [
        (SHELF, {}, "BAD_USER_INPUT", ["ruleId"]),
        (SHELF, {"ruleId": NOTHING}, "NOT_FOUND", ["ruleId"]),
        (SHELF, {"entityId": NOTHING}, "NOT_FOUND", ["entityId"]),
        (WINDOW, {"underId": NOTHING}, "NOT_FOUND", ["underId"]),
        (WINDOW, {"from": "2099-01-01T00:00:00Z"}, "BAD_USER_INPUT", ["to"]),
        (WINDOW, {"from": "2090-01-01T00:00:00Z"}, "BAD_USER_INPUT", ["to"]),
        (WINDOW, {"from": "2098-12-01T00:00:00Z", "note": "x" * 10_001}, "BAD_USER_INPUT", ["note"]),
    ],
)
def test_invalid_input_is_refused(
    plant_site: Site, text: str, given: dict[str, Any], code: str, path: list[str]
) -> None:
    payload = create(plant_site, text, to="2099-01-01T00:00:00Z", **given)
    assert payload["errors"] == [{"code": code, "path": path}]


def test_they_are_bounded(plant_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("domain.rules.shelving.operations.SHELVES_MAX", 1)
    monkeypatch.setattr("domain.rules.shelving.operations.WINDOWS_MAX", 0)
    span = {"from": "2098-12-01T00:00:00Z", "to": "2099-01-01T00:00:00Z"}
    create(plant_site, SHELF, entityId=plant_site.hall, **span)
    [refused] = create(plant_site, SHELF, entityId=plant_site.hall, **span)["errors"]
    assert refused["code"] == "LIMIT_EXCEEDED"
    [refused] = create(plant_site, WINDOW, **span)["errors"]
    assert refused["code"] == "LIMIT_EXCEEDED"
