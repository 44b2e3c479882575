"""`search` over the API: ranked hits, each with where it is."""

from __future__ import annotations

from typing import Any

import pytest

from gql.errors import ErrorCode
from testing.api import Api
from testing.installation import Client
from tests.gql.test_statement_counts import statements_of

SEARCH = """query S($text: String!, $kinds: [EntityKind!], $first: Int) {
  search(text: $text, kinds: $kinds, first: $first) { path entity { __typename name } } }"""


@pytest.fixture(scope="module")
def ids(api: Api) -> dict[str, str]:
    api.organization("search")
    client = api.client("search")
    made: dict[str, str] = {}
    for kind, name in (("Space", "hall"), ("Asset", "pump"), ("Device", "pump probe"), ("Device", "probe of pumps")):
        field = f"create{kind}"
        data = client.call(f'mutation {{ {field}(input: {{name: "{name}"}}) {{ {kind.lower()} {{ id }} }} }}').data
        made[name] = data[field][kind.lower()]["id"]
    edge = "mutation E($i: CreateEdgeInput!) { createEdge(input: $i) { errors { message } } }"
    for source, relationship, target in (("pump", "LOCATED_IN", "hall"), ("pump", "MONITORED_BY", "pump probe")):
        client.call(edge, {"i": {"sourceId": made[source], "targetId": made[target], "relationship": relationship}})
    return made


def searched(client: Client, text: str, **variables: Any) -> list[tuple[str, str, list[str]]]:
    hits = client.call(SEARCH, {"text": text, **variables}).data["search"]
    return [(hit["entity"]["__typename"], hit["entity"]["name"], hit["path"]) for hit in hits]


def test_hits_are_ranked_with_their_paths(api: Api, ids: dict[str, str]) -> None:
    client = api.client("search")
    assert searched(client, "PUMP") == [
        ("Asset", "pump", ["hall"]),
        ("Device", "pump probe", ["hall", "pump"]),
        ("Device", "probe of pumps", []),
    ]
    assert searched(client, "pump", kinds=["DEVICE"], first=1) == [("Device", "pump probe", ["hall", "pump"])]
    assert [name for _, name, _ in searched(client, "")] == ["hall", "probe of pumps", "pump", "pump probe"]
    confined = api.client("search", "viewer", under=[ids["pump"]])
    assert searched(confined, "pump") == [("Asset", "pump", []), ("Device", "pump probe", ["pump"])]
    assert searched(confined, "hall") == []
    api.organization("search-elsewhere")
    assert searched(api.client("search-elsewhere"), "pump") == []


def test_paths_are_read_for_all_hits_at_once(api: Api, ids: dict[str, str]) -> None:
    assert ids
    query = 'query Q($first: Int!) { search(text: "pump", first: $first) { path entity { name } } }'
    client = api.client("search")
    one, several = statements_of(client, query, 1), statements_of(client, query, 3)
    assert one[0] == several[0] > 0
    assert len(several[1]["search"]) == 3


def test_what_is_beyond_a_bound_is_refused(api: Api, ids: dict[str, str]) -> None:
    assert ids
    for variables, path in (({"text": "x" * 501}, ["text"]), ({"text": "x", "first": 501}, ["first"])):
        reply = api.client("search").call(SEARCH, variables)
        assert reply.error_codes == [ErrorCode.BAD_USER_INPUT]
        assert reply.body["errors"][0]["extensions"]["argumentPath"] == path
