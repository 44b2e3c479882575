"""Filters of lists through the API: exact answers, the same health as is shown, confined callers, errors."""

from __future__ import annotations

from typing import Any

import pytest

from testing.api import Api
from testing.installation import Client

LIST = "query L($f: EntityFilter) { entities(filter: $f) { totalCount nodes { name } } }"
PREPARE = """mutation P {
  hall: createSpace(input: {name: "hall"}) { space { id } }
  pump: createAsset(input: {name: "pump", externalId: "P-1", attributes: {motor: {kW: 5.5}, tags: ["a"], note: "Old one"}})
    { asset { id } }
  fan: createAsset(input: {name: "fan", attributes: {motor: {kW: 3}, note: null}}) { asset { id } }
  probe: createDevice(input: {name: "probe"}) { device { id } }
  spare: createDevice(input: {name: "spare"}) { device { id } } }"""
PROFILE = """mutation P($t: JSON!) { createAssetProfile(input: {name: "filtered", defaultHealthThresholds: $t,
  health: {events: {HIGH: 25}}}) { assetProfile { id } errors { message } } }"""


@pytest.fixture(scope="module")
def plant(api: Api) -> tuple[Client, dict[str, str]]:
    api.organization("filters")
    client = api.client("filters")
    data = client.call(PREPARE).data
    ids = {label: next(iter(payload.values()))["id"] for label, payload in data.items()}
    link = "mutation L($i: CreateEdgeInput!) { createEdge(input: $i) { errors { message } } }"
    for source, relationship, target in (("pump", "MONITORED_BY", "probe"), ("pump", "LOCATED_IN", "hall")):
        made = client.call(
            link, {"i": {"sourceId": ids[source], "targetId": ids[target], "relationship": relationship}}
        )
        assert made.data["createEdge"]["errors"] == []
    return client, ids


def listed(client: Client, **filter_: Any) -> list[str]:
    data = client.call(LIST, {"f": filter_}).data["entities"]
    names = [node["name"] for node in data["nodes"]]
    assert data["totalCount"] == len(names)
    return names


def kw(**comparison: Any) -> list[dict[str, Any]]:
    return [{"path": "motor.kW", **comparison}]


def test_exact_answers(plant: tuple[Client, dict[str, str]]) -> None:
    client, ids = plant
    everything = ["fan", "hall", "probe", "pump", "spare"]
    assert listed(client) == everything
    assert listed(client, ids=[ids["fan"], ids["hall"], "nothing"]) == ["fan", "hall"]
    assert listed(client, externalIds=["P-1", "P-2"]) == ["pump"]
    assert listed(client, isLinked=True) == ["probe", "pump"]
    assert listed(client, isLinked=False) == ["fan", "spare"]
    assert listed(client, hasOpenEvents=True) == []
    assert listed(client, hasOpenEvents=False) == everything
    assert listed(client, createdFrom="2020-01-01T00:00:00Z", updatedTo="2021-01-01T00:00:00Z") == []
    assert listed(client, attributes=kw(gt=4)) == ["pump"]
    assert listed(client, attributes=kw(lte=5.5), **{"not": {"attributes": kw(eq=3.0)}}) == ["pump"]
    assert listed(client, attributes=[{"path": "note", "exists": True}]) == ["fan", "pump"]
    assert listed(client, attributes=[{"path": "note", "eq": None}]) == ["fan"]
    assert listed(client, attributes=[{"path": "note", "startsWith": "OLD"}]) == ["pump"]
    assert listed(client, attributes=[{"path": "tags.0", "in": ["a", 1]}]) == ["pump"]
    assert listed(client, attributes=[]) == listed(client, **{"or": []}) == listed(client, **{"not": {}}) == []
    assert listed(client, **{"and": []}) == everything
    assert listed(client, **{"or": [{"isLinked": False}, {"kinds": ["SPACE"]}], "and": [{"search": "a"}]}) == [
        "fan",
        "hall",
        "spare",
    ]
    assert listed(client, **{"not": {"or": [{"underId": ids["hall"]}, {"connectivity": "NEVER_SEEN"}]}}) == ["fan"]
    assert listed(client, kinds=["DEVICE"], latest=[{"metric": "t", "olderThan": "PT1H"}]) == ["probe", "spare"]
    for field in ("assets", "devices"):
        data = client.call(f"{{ {field}(filter: {{or: [{{isLinked: true}}]}}) {{ nodes {{ name }} }} }}").data
        assert data[field]["nodes"] == [{"name": "pump" if field == "assets" else "probe"}]


@pytest.mark.parametrize("order", ["LAST_SEEN_ASC", "LAST_SEEN_DESC", "HEALTH_ASC", "HEALTH_DESC"])
def test_orders_by_what_nobody_has_are_those_of_the_ids(plant: tuple[Client, dict[str, str]], order: str) -> None:
    client, ids = plant
    query = "query O($o: EntityOrder, $i: [ID!], $a: String) { entities(orderBy: $o, filter: {ids: $i}, first: 2, after: $a)"
    names: list[str] = []
    after: str | None = None
    while True:
        page = client.call(
            f"{query} {{ nodes {{ id }} pageInfo {{ hasNextPage endCursor }} }} }}",
            {"o": order, "i": list(ids.values()), "a": after},
        ).data["entities"]
        names += [node["id"] for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert names == sorted(ids.values(), reverse=order.endswith("DESC"))


def test_errors_have_the_path_of_the_condition(plant: tuple[Client, dict[str, str]]) -> None:
    client, _ = plant
    for filter_, code, path in (
        ({"attributes": [{"path": "a"}]}, "BAD_USER_INPUT", ["filter", "attributes", "0"]),
        ({"or": [{"attributes": [{"path": "a", "eq": 1, "gt": 2}]}]}, "BAD_USER_INPUT",
         ["filter", "or", "0", "attributes", "0"]),
        ({"and": [{}, {"profileId": "x"}]}, "NOT_FOUND", ["filter", "and", "1", "profileId"]),
        ({"not": {"deleted": True}}, "BAD_USER_INPUT", ["filter", "not", "deleted"]),
    ):  # fmt: skip
        [error] = client.call(LIST, {"f": filter_}).body["errors"]
        assert error["extensions"]["code"] == code
        assert error["extensions"]["argumentPath"] == path, error


def test_health_is_compared_as_it_is_shown(plant: tuple[Client, dict[str, str]], api: Api) -> None:
    client, _ = plant
    made = client.call(PROFILE, {"t": {"t": {"warnHigh": 80, "critHigh": 90, "weight": 40}}}).data["createAssetProfile"]
    assert made["errors"] == []
    profile = made["assetProfile"]["id"]
    create = """mutation C($p: ID!, $n: String!) { createAssetFromProfile(profileId: $p, input: {name: $n})
      { asset { id healthScore } errors { message } } }"""
    for name in ("first", "second"):
        data = client.call(create, {"p": profile, "n": name}).data["createAssetFromProfile"]
        assert data["errors"] == []
    assert listed(client, profileId=profile) == ["first", "second"]
    # Nothing is known of them yet.
    assert listed(client, healthBelow=101) == listed(client, healthAbove=-1) == []
    assert listed(client, profileId=profile, **{"not": {"healthBelow": 101}}) == ["first", "second"]


def test_confined_callers_select_within_their_scope(plant: tuple[Client, dict[str, str]], api: Api) -> None:
    _, ids = plant
    confined = api.client("filters", under=[ids["hall"]])
    assert listed(confined) == ["hall", "probe", "pump"]
    assert listed(confined, ids=list(ids.values())) == ["hall", "probe", "pump"]
    assert listed(confined, **{"not": {"isLinked": True}}) == ["hall"]
    assert listed(confined, **{"or": [{"attributes": kw(exists=True)}, {"latest": [{"metric": "t", "gt": 1}]}]}) == [
        "pump"
    ]
    assert listed(confined, healthBelow=50) == listed(confined, hasOpenEvents=True) == []
