"""Acknowledge and dismiss events by a filter, over the API: the same as one by one, in one transaction."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from uuid import UUID

import pytest

import domain.rules.events.bulk
from runtime.ids import new_id
from testing.api import Api
from testing.waits import patient
from tests.gql.live.test_event_feed import Site, site, subscribed
from tests.gql.server.graphql_ws import receive, run

BULK = """mutation M($f: EventFilter!, $n: String, $d: Boolean! = false) {
  FIELD(filter: $f, note: $n, dryRun: $d) { matched changed errors { code message path } } }"""
ACKNOWLEDGE, DISMISS = BULK.replace("FIELD", "acknowledgeEvents"), BULK.replace("FIELD", "dismissEvents")
STATES = "query E($f: EventFilter) { events(filter: $f, first: 500) { totalCount nodes { id state } } }"
MARKS = """query E($id: ID!) { node(id: $id) { ... on Event { state acknowledgedAt dismissedAt
  marks { kind actor note } } } }"""


def call(of: Site, text: str, *, role: str = "operator", **given: Any) -> dict[str, Any]:
    [payload] = of.api.client(of.slug, role).call(text, given).data.values()
    result: dict[str, Any] = payload
    return result


def states(of: Site) -> dict[str, str]:
    data = of.api.client(of.slug).call(STATES).data["events"]
    return {node["id"]: node["state"] for node in data["nodes"]}


def test_what_fits_is_annotated_as_one_by_one(api: Api) -> None:
    of = site(api, "event-bulk")
    high, low = [str(of.open()) for _ in range(3)], str(of.open(severity="LOW"))
    one = 'mutation M($id: ID!) { acknowledgeEvent(id: $id, note: "n") { errors { code } } }'
    assert call(of, one, id=high[0])["errors"] == []
    dry = call(of, ACKNOWLEDGE, f={"severities": ["HIGH"]}, n="n", d=True)
    assert dry == {"matched": 3, "changed": 2, "errors": []}
    assert sorted(states(of).values()) == ["ACKNOWLEDGED", "OPEN", "OPEN", "OPEN"]
    assert call(of, ACKNOWLEDGE, f={"severities": ["HIGH"]}, n="n") == dry
    assert states(of) == {**dict.fromkeys(high, "ACKNOWLEDGED"), low: "OPEN"}
    marks = [of.api.client(of.slug).call(MARKS, {"id": identity}).data["node"]["marks"] for identity in high]
    assert marks[0] == marks[1] == marks[2] == [{"kind": "ACKNOWLEDGED", "actor": "operator@test", "note": "n"}]
    # Again nothing changes.
    assert call(of, ACKNOWLEDGE, f={"severities": ["HIGH"]}) == {"matched": 3, "changed": 0, "errors": []}
    of.clear(UUID(low))
    assert call(of, DISMISS, f={"underId": of.hall, "states": ["CLEARED", "ACKNOWLEDGED"]})["changed"] == 4
    assert set(states(of).values()) == {"DISMISSED"}


def test_a_filter_without_a_condition_and_too_many_events_are_refused(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = site(api, "event-bulk-bounds")
    for _ in range(3):
        of.open()
    [error] = call(of, ACKNOWLEDGE, f={})["errors"]
    assert (error["code"], error["path"]) == ("BAD_USER_INPUT", ["filter"])
    [error] = call(of, DISMISS, f={"underId": str(new_id())})["errors"]
    assert (error["code"], error["path"]) == ("NOT_FOUND", ["filter", "underId"])
    [error] = call(of, ACKNOWLEDGE, f={"states": ["OPEN"]}, n="a\0")["errors"]
    assert (error["code"], error["path"]) == ("BAD_USER_INPUT", ["note"])
    monkeypatch.setattr(domain.rules.events.bulk, "EVENTS_MAX", 2)
    payload = call(of, ACKNOWLEDGE, f={"states": ["OPEN"]})
    assert payload == {
        "matched": 0,
        "changed": 0,
        "errors": [
            {
                "code": "LIMIT_EXCEEDED",
                "message": "The filter selects 3 events; at most 2 are annotated at once.",
                "path": ["filter"],
            }
        ],
    }
    assert set(states(of).values()) == {"OPEN"}


def test_an_event_with_too_many_annotations_is_refused_alone(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    of = site(api, "event-bulk-refused")
    full, other = str(of.open()), str(of.open())
    monkeypatch.setattr(domain.rules.events.bulk, "ANNOTATIONS_MAX", 1)
    comment = 'mutation M($id: ID!) { commentEvent(id: $id, note: "n") { errors { code } } }'
    assert call(of, comment, id=full)["errors"] == []
    for is_dry_run in (True, False):
        payload = call(of, DISMISS, f={"states": ["OPEN"]}, d=is_dry_run)
        assert (payload["matched"], payload["changed"]) == (2, 1)
        assert [(error["code"], error["path"]) for error in payload["errors"]] == [("LIMIT_EXCEEDED", ["filter", full])]
    assert states(of) == {full: "OPEN", other: "DISMISSED"}


def test_named_events_are_annotated_in_one_request(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    of, stranger = site(api, "event-bulk-ids"), site(api, "event-bulk-ids-other")
    chosen, other = [str(of.open()) for _ in range(3)], str(of.open())
    theirs = str(stranger.open())
    of.clear(UUID(chosen[2]))
    # What is no longer open, or belongs to somebody else, is left alone.
    where = {"ids": [*chosen, theirs], "states": ["OPEN"]}
    assert call(of, ACKNOWLEDGE, f=where) == {"matched": 2, "changed": 2, "errors": []}
    assert states(of) == {chosen[0]: "ACKNOWLEDGED", chosen[1]: "ACKNOWLEDGED", chosen[2]: "CLEARED", other: "OPEN"}
    assert states(stranger) == {theirs: "OPEN"}
    assert call(of, ACKNOWLEDGE, f={"ids": []})["matched"] == 0
    monkeypatch.setattr("domain.rules.events.queries.FILTER_IDS_MAX", 1)
    [error] = call(of, ACKNOWLEDGE, f=where)["errors"]
    assert (error["code"], error["path"]) == ("LIMIT_EXCEEDED", ["filter", "ids"])


def test_another_organization_and_confined_callers_annotate_what_is_theirs(api: Api) -> None:
    of, stranger = site(api, "event-bulk-own"), site(api, "event-bulk-other")
    here = str(of.open())
    client = api.client(of.slug)
    fan = client.call('mutation { createAsset(input: {name: "Fan"}) { asset { id } } }').data["createAsset"]["asset"]
    elsewhere = str(Site(api, of.slug, of.organization_id, of.rule_id, fan["id"], of.hall).open())
    assert call(stranger, ACKNOWLEDGE, f={"states": ["OPEN"]})["matched"] == 0
    assert call(stranger, ACKNOWLEDGE, f={"entityIds": [of.pump]})["matched"] == 0
    confined = api.client(of.slug, "operator", under=[of.hall])
    payload = confined.call(ACKNOWLEDGE, {"f": {"states": ["OPEN"]}}).data["acknowledgeEvents"]
    assert payload == {"matched": 1, "changed": 1, "errors": []}
    assert states(of) == {here: "ACKNOWLEDGED", elsewhere: "OPEN"}
    assert api.client(of.slug, "viewer").call(ACKNOWLEDGE, {"f": {"states": ["OPEN"]}}).error_codes == ["FORBIDDEN"]


def test_subscribers_are_sent_what_was_annotated(api: Api) -> None:
    of = site(api, "event-bulk-live")
    ids = {str(of.open()) for _ in range(3)}

    async def scenario() -> None:
        async with subscribed(of, "(filter: {states: [ACKNOWLEDGED]})") as opened:
            await asyncio.to_thread(call, of, ACKNOWLEDGE, f={"states": ["OPEN"]})
            sent: set[str] = set()
            while sent != ids:
                message = await asyncio.wait_for(receive(opened), patient(30))
                event = message["payload"]["data"]["events"]
                assert event["state"] == "ACKNOWLEDGED"
                sent.add(event["id"])

    run(scenario)


def test_two_thousand_events_are_one_short_request(api: Api) -> None:
    of = site(api, "event-bulk-many")
    of.execute(
        """INSERT INTO events (organization_id, id, rule_id, entity_id, key, version_id, began_at, opened_at, severity, flaps,
             detected_at)
           SELECT :o, gen_random_uuid(), :rule, :entity, '', gen_random_uuid(), '2026-01-01Z', '2026-01-01T00:05Z', 'HIGH', 0,
             now() FROM generate_series(1, 2000)""",
        rule=of.rule_id, entity=of.pump,
    )  # fmt: skip
    begun = time.monotonic()
    payload = call(of, ACKNOWLEDGE, f={"states": ["OPEN"]})
    assert payload == {"matched": 2000, "changed": 2000, "errors": []}
    assert time.monotonic() - begun < patient(5)
    assert call(of, DISMISS, f={"states": ["OPEN"]})["matched"] == 0
