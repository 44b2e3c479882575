"""Importing entities and edges by a mutation: valid ones are accepted, a dry run changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from testing.api import Api
from testing.installation import Client

IMPORT = """mutation I($records: [JSON!]!, $dry: Boolean!) { importGraph(records: $records, dryRun: $dry, reason: "survey") {
  created updated unchanged definitionsCreated edgesCreated edgesUpdated edgesUnchanged errors { code message path } } }"""
RECORDS: list[Any] = [
    {
        "record": "relationship",
        "name": "COOLS",
        "inverse": "COOLED_BY",
        "sourceKinds": ["ASSET"],
        "targetKinds": ["SPACE"],
    },
    {
        "record": "edge",
        "source": "chiller",
        "relationship": "COOLS",
        "target": "hall",
        "validFrom": "2024-01-01T00:00:00Z",
    },
    {"record": "entity", "kind": "ASSET", "externalId": "chiller", "name": "Chiller", "type": "chiller"},
    {"record": "entity", "kind": "SPACE", "externalId": "hall", "name": "Hall"},
    {"record": "entity", "kind": "SPACE", "externalId": "yard", "name": 7},
    "nonsense",
]


@pytest.fixture
def client(api: Api, request: pytest.FixtureRequest) -> Client:
    name = f"importing-{request.node.name[:40].replace('_', '-').strip('-')}"
    api.organization(name)
    return api.client(name)


def bring(client: Client, records: list[Any], *, dry: bool = False) -> dict[str, Any]:
    made: dict[str, Any] = client.call(IMPORT, {"records": records, "dry": dry}).data["importGraph"]
    return made


def test_valid_records_are_accepted_and_the_others_reported_by_path(client: Client) -> None:
    made = bring(client, RECORDS)
    assert (made["created"], made["edgesCreated"]) == (2, 1)
    assert [(error["code"], error["path"]) for error in made["errors"]] == [
        ("BAD_USER_INPUT", ["records", "4", "name"]),
        ("BAD_USER_INPUT", ["records", "5"]),
    ]
    again = bring(client, RECORDS[:4])
    assert again == {
        "created": 0, "updated": 0, "unchanged": 2, "definitionsCreated": 0,
        "edgesCreated": 0, "edgesUpdated": 0, "edgesUnchanged": 1, "errors": [],
    }  # fmt: skip
    changes = client.call("{ changes { nodes { reason action } } }").data["changes"]["nodes"]
    assert {change["reason"] for change in changes} == {"survey"}


def test_a_dry_run_reports_and_changes_nothing(client: Client) -> None:
    made = bring(client, RECORDS, dry=True)
    assert (made["created"], made["edgesCreated"], len(made["errors"])) == (2, 1, 2)
    data = client.call("{ entities { totalCount } relationships { name } changes { nodes { id } } }").data
    assert data["entities"]["totalCount"] == 0
    assert data["changes"]["nodes"] == []
    assert "COOLS" not in {relationship["name"] for relationship in data["relationships"]}


def test_more_than_are_taken_at_once_are_refused_whole(client: Client) -> None:
    reply = client.call(IMPORT, {"records": [RECORDS[3]] * 1_001, "dry": False})
    assert reply.error_codes == ["LIMIT_EXCEEDED"]
    assert client.call("{ entities { totalCount } }").data["entities"]["totalCount"] == 0


def test_as_many_as_are_taken_at_once_go_through(client: Client) -> None:
    entities = [
        {"record": "entity", "kind": "SPACE", "externalId": f"room-{number}", "name": f"Room {number}"}
        for number in range(501)
    ]
    edges = [
        {"record": "edge", "source": "room-0", "relationship": "CONTAINS", "target": f"room-{number}"}
        for number in range(1, 500)
    ]
    made = bring(client, [*edges, *entities])
    assert (made["created"], made["edgesCreated"], made["errors"]) == (501, 499, [])


def test_only_administrators_may_import(api: Api, client: Client, request: pytest.FixtureRequest) -> None:
    viewer = Client(client.url, api.token("importing-" + request.node.name[:40].replace("_", "-").strip("-"), "viewer"))
    assert viewer.call(IMPORT, {"records": RECORDS, "dry": False}).error_codes == ["FORBIDDEN"]
    assert client.call("{ entities { totalCount } }").data["entities"]["totalCount"] == 0
