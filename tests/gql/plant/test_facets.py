"""`facets` over the API: its filter is that of `entities`, and its bounds are errors with their place."""

from __future__ import annotations

from typing import Any

import pytest

from gql.errors import ErrorCode
from testing.api import Api
from testing.installation import Client

FACETS = """query F($by: [FacetBy!]!, $filter: EntityFilter, $first: Int) {
  facets(by: $by, filter: $filter, first: $first) { by truncated values { value label count } } }"""


@pytest.fixture(scope="module")
def client(api: Api) -> Client:
    api.organization("facets")
    client = api.client("facets")
    create = "mutation C($i: CreateDeviceInput!) { createDevice(input: $i) { errors { message } } }"
    for name, type_ in (("a", "Meter"), ("b", "Meter"), ("c", "Probe")):
        client.call(create, {"i": {"name": name, "type": type_}})
    client.call('mutation { createAsset(input: {name: "pump"}) { errors { message } } }')
    return client


def facets(client: Client, by: list[str], **variables: Any) -> Any:
    return client.call(FACETS, {"by": by, **variables}).data["facets"]


def test_facets_of_all_and_of_a_filter(client: Client) -> None:
    kind, type_ = facets(client, ["KIND", "TYPE"])
    assert kind == {
        "by": "KIND",
        "truncated": False,
        "values": [
            {"value": "DEVICE", "label": "DEVICE", "count": 3},
            {"value": "ASSET", "label": "ASSET", "count": 1},
        ],
    }
    assert [(row["value"], row["count"]) for row in type_["values"]] == [("Meter", 2), ("Probe", 1), (None, 1)]
    [type_] = facets(client, ["TYPE"], filter={"kinds": ["DEVICE"], "types": ["Probe"]})
    assert type_["values"] == [{"value": "Probe", "label": "Probe", "count": 1}]
    [type_] = facets(client, ["TYPE"], first=1)
    assert type_ == {"by": "TYPE", "truncated": True, "values": [{"value": "Meter", "label": "Meter", "count": 2}]}
    assert facets(client, []) == []


def test_another_organization_counts_its_own(api: Api, client: Client) -> None:
    api.organization("facets-elsewhere")
    for by in ("KIND", "TYPE", "STATUS", "CONNECTIVITY", "PROFILE", "OPEN_SEVERITY"):
        assert facets(api.client("facets-elsewhere"), [by]) == [{"by": by, "truncated": False, "values": []}]
        assert facets(client, [by])[0]["values"] != []


@pytest.mark.parametrize(
    ("variables", "code", "path"),
    [
        ({"first": 501}, ErrorCode.BAD_USER_INPUT, ["first"]),
        ({"by": ["KIND", "KIND"]}, ErrorCode.BAD_USER_INPUT, ["by"]),
        ({"filter": {"underId": "x"}}, ErrorCode.NOT_FOUND, ["filter", "underId"]),
        # Of no facet, too.
        ({"by": [], "filter": {"search": "x" * 501}}, ErrorCode.BAD_USER_INPUT, ["filter", "search"]),
    ],
)
def test_what_is_beyond_a_bound_is_refused(
    client: Client, variables: dict[str, Any], code: ErrorCode, path: list[str]
) -> None:
    reply = client.call(FACETS, {"by": ["KIND"], **variables})
    assert reply.error_codes == [code]
    assert reply.body["errors"][0]["extensions"]["argumentPath"] == path


def test_misspelt_names_are_answered_with_similar_ones(client: Client) -> None:
    reply = client.call(FACETS, {"by": ["KIND"], "filter": {"types": ["Metre"]}})
    assert reply.body["extensions"]["hints"][0]["argumentPath"] == ["filter", "types", "0"]


@pytest.mark.parametrize(
    "filter_",
    [
        {"connectivity": "NEVER_SEEN"},
        {"not": {"connectivity": "ONLINE"}},
        {"or": [{"connectivity": "OFFLINE"}, {"kinds": ["ASSET"]}]},
        {"hasOpenEvents": False},
        {"or": [{"hasOpenEvents": True}, {"isLinked": False}]},
        {"not": {"isLinked": True}},
        {"attributes": [{"path": "floor", "exists": False}]},
        {"latest": [{"metric": "t", "olderThan": "PT1H"}]},
        {"healthBelow": 50},
        {"not": {"healthAbove": 50}},
        {"search": "P", "createdFrom": "2020-01-01T00:00:00Z"},
        {"ids": []},
        {"externalIds": ["x"]},
        {"deleted": True},
    ],
    ids=str,
)
def test_each_facet_counts_all_that_the_list_has(client: Client, filter_: dict[str, Any]) -> None:
    """Also where a condition looks at the very tables that a facet does."""
    listed = "query L($filter: EntityFilter) { entities(filter: $filter, first: 0) { totalCount } }"
    total = client.call(listed, {"filter": filter_}).data["entities"]["totalCount"]
    every = ["KIND", "TYPE", "STATUS", "CONNECTIVITY", "PROFILE", "OPEN_SEVERITY"]
    counted = {
        facet["by"]: sum(row["count"] for row in facet["values"]) for facet in facets(client, every, filter=filter_)
    }
    assert counted == dict.fromkeys(every, total)
