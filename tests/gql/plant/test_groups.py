"""Groups over the API: members from an instant to another, filters, lists and rules by group, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from unicodedata import normalize

import pytest

from testing.api import Api
from testing.installation import Client

GROUP = "id name description kind filter memberCount createdAt updatedAt deletedAt"
CREATE = (
    f"mutation C($i: GroupInput!) {{ createGroup(input: $i) {{ group {{ {GROUP} }} errors {{ code message path }} }} }}"
)
UPDATE = f"""mutation U($id: ID!, $i: GroupInput!) {{
  updateGroup(id: $id, input: $i) {{ group {{ {GROUP} }} errors {{ code message path }} }} }}"""
DELETE = "mutation D($id: ID!) { deleteGroup(id: $id) { group { deletedAt } errors { code message path } } }"
ADD = """mutation A($g: ID!, $ids: [ID!]!, $from: DateTime) {
  addToGroup(groupId: $g, entityIds: $ids, from: $from) { group { memberCount } errors { code path } } }"""
REMOVE = """mutation R($g: ID!, $ids: [ID!]!, $at: DateTime) {
  removeFromGroup(groupId: $g, entityIds: $ids, at: $at) { group { memberCount } errors { code path } } }"""
MEMBERS = """query M($id: ID!, $asOf: DateTime) { node(id: $id) { ... on Group {
  members(asOf: $asOf) { totalCount nodes { name } } } } }"""
LIST = "query L($f: EntityFilter!, $asOf: DateTime) { entities(filter: $f, asOf: $asOf) { nodes { name } } }"


@pytest.fixture
def client(api: Api) -> Client:
    name = f"groups-{datetime.now(UTC):%H%M%S%f}"
    api.organization(name)
    return api.client(name)


def asset(client: Client, name: str, **given: Any) -> str:
    text = "mutation A($i: CreateAssetInput!) { createAsset(input: $i) { asset { id } errors { code } } }"
    identity: str = client.call(text, {"i": {"name": name, **given}}).data["createAsset"]["asset"]["id"]
    return identity


def group(client: Client, name: str, **given: Any) -> dict[str, Any]:
    payload = client.call(CREATE, {"i": {"name": name, **given}}).data["createGroup"]
    assert payload["errors"] == []
    made: dict[str, Any] = payload["group"]
    return made


def names(client: Client, where: dict[str, Any], as_of: str | None = None) -> list[str]:
    nodes = client.call(LIST, {"f": where, "asOf": as_of}).data["entities"]["nodes"]
    return [node["name"] for node in nodes]


def test_members_of_a_static_group(client: Client) -> None:
    one, two = asset(client, "one"), asset(client, "two")
    made = group(client, normalize("NFD", "Kühlung"), description="chillers")
    assert (made["name"], made["description"], made["kind"]) == ("Kühlung", "chillers", "STATIC")
    assert (made["filter"], made["memberCount"], made["deletedAt"]) == (None, 0, None)
    given = {"g": made["id"], "ids": [one, two], "from": "2026-01-01T00:00:00Z"}
    assert client.call(ADD, given).data["addToGroup"] == {"group": {"memberCount": 2}, "errors": []}
    removed = client.call(REMOVE, {"g": made["id"], "ids": [two], "at": "2026-02-01T00:00:00Z"}).data
    assert removed["removeFromGroup"] == {"group": {"memberCount": 1}, "errors": []}
    for as_of, expected in (
        (None, ["one"]), ("2026-01-15T00:00:00Z", ["one", "two"]), ("2025-12-31T23:59:59.999999Z", []),
        ("2026-02-01T00:00:00Z", ["one"]),
    ):  # fmt: skip
        assert names(client, {"groupId": made["id"]}, as_of) == expected
        members = client.call(MEMBERS, {"id": made["id"], "asOf": as_of}).data["node"]["members"]
        assert members == {"totalCount": len(expected), "nodes": [{"name": name} for name in expected]}
    assert names(client, {"not": {"groupId": made["id"]}}) == ["two"]
    facets = client.call(
        "query F($f: EntityFilter) { facets(filter: $f, by: [KIND]) { values { value count } } }",
        {"f": {"groupId": made["id"]}},
    ).data["facets"]
    assert facets == [{"values": [{"value": "ASSET", "count": 1}]}]
    bulk = (
        """mutation B($f: EntityFilter!) { updateEntities(filter: $f, patch: {status: "old"}) { matched changed } }"""
    )
    assert client.call(bulk, {"f": {"groupId": made["id"]}}).data["updateEntities"] == {"matched": 1, "changed": 1}


def test_a_dynamic_group_is_what_fits_its_filter_now(client: Client) -> None:
    asset(client, "one", type="Pump", attributes={"kW": 5})
    asset(client, "two", type="Pump", attributes={"kW": 1})
    where = {
        "types": ["Pump"],
        "attributes": [{"path": "kW", "gte": 2}],
        "not": {"latest": [{"metric": "t", "text": "on"}]},
    }
    made = group(client, "strong", kind="DYNAMIC", filter=where)
    assert (made["filter"], made["memberCount"]) == (where, 1)
    asset(client, "three", type="Pump", attributes={"kW": 9})
    assert client.call(MEMBERS, {"id": made["id"]}).data["node"]["members"]["totalCount"] == 2
    assert names(client, {"groupId": made["id"]}) == ["one", "three"]
    reply = client.call(MEMBERS, {"id": made["id"], "asOf": "2026-01-01T00:00:00Z"})
    assert reply.body["data"] == {"node": {"members": None}}
    [error] = reply.body["errors"]
    assert (error["extensions"]["code"], error["extensions"]["argumentPath"]) == ("BAD_USER_INPUT", ["asOf"])
    listed = client.call(LIST, {"f": {"groupId": made["id"]}, "asOf": "2026-01-01T00:00:00Z"})
    [error] = listed.body["errors"]
    assert (error["extensions"]["code"], error["extensions"]["argumentPath"]) == (
        "BAD_USER_INPUT",
        ["filter", "groupId"],
    )
    updated = client.call(UPDATE, {"id": made["id"], "i": {"name": "weak", "filter": {"types": ["Fan"]}}}).data[
        "updateGroup"
    ]
    assert (updated["group"]["name"], updated["group"]["kind"], updated["group"]["memberCount"]) == (
        "weak",
        "DYNAMIC",
        0,
    )
    same = client.call(UPDATE, {"id": made["id"], "i": {"name": "weaker"}}).data["updateGroup"]["group"]
    assert same["filter"] == {"types": ["Fan"]}


def test_groups_are_listed_by_name_with_their_members(client: Client) -> None:
    one = asset(client, "one")
    for name in ("b", "a"):
        client.call(ADD, {"g": group(client, name)["id"], "ids": [one]})
    group(client, "c", kind="DYNAMIC", filter={"kinds": ["SPACE"]})
    text = "{ groups(first: 2) { totalCount nodes { name memberCount members { nodes { name } } } pageInfo { endCursor } } }"
    page = client.call(text).data["groups"]
    members = {"memberCount": 1, "members": {"nodes": [{"name": "one"}]}}
    assert (page["totalCount"], page["nodes"]) == (3, [{"name": "a", **members}, {"name": "b", **members}])
    rest = client.call(
        "query N($after: String) { groups(after: $after) { nodes { name memberCount } } }",
        {"after": page["pageInfo"]["endCursor"]},
    ).data["groups"]["nodes"]
    assert rest == [{"name": "c", "memberCount": 0}]


def test_a_filter_that_names_what_is_gone_leaves_the_list_of_groups(client: Client) -> None:
    gone = asset(client, "gone")
    made = group(client, "below", kind="DYNAMIC", filter={"underId": gone})
    client.call("mutation D($id: ID!) { deleteAsset(id: $id) { errors { code } } }", {"id": gone})
    body = client.call("{ groups { nodes { id memberCount members { totalCount } } } }").body
    assert body["data"]["groups"]["nodes"] == [{"id": made["id"], "memberCount": 0, "members": None}]
    [error] = body["errors"]
    assert error["path"] == ["groups", "nodes", 0, "members"]
    assert error["extensions"]["code"] == "NOT_FOUND"
    assert "'gone'" in error["message"]


def test_rules_by_group(client: Client) -> None:
    one = asset(client, "one")
    static, dynamic = group(client, "static"), group(client, "dynamic", kind="DYNAMIC", filter={"kinds": ["ASSET"]})
    client.call(ADD, {"g": static["id"], "ids": [one], "from": "2026-01-01T00:00:00Z"})
    create = "mutation R($i: RuleInput!) { createRule(input: $i) { rule { id scope } errors { code path } } }"
    rule = {"name": "hot", "condition": {"expression": "t > 1.0"}, "effectiveFrom": "2026-01-01T00:00:00Z"}
    refused = client.call(create, {"i": {**rule, "scope": {"groupId": dynamic["id"]}}}).data["createRule"]
    assert refused == {"rule": None, "errors": [{"code": "BAD_USER_INPUT", "path": ["input", "scope", "groupId"]}]}
    made = client.call(create, {"i": {**rule, "scope": {"groupId": static["id"]}}}).data["createRule"]
    assert made["errors"] == []
    assert {key: value for key, value in made["rule"]["scope"].items() if value} == {"groupId": static["id"]}
    in_force = "query F($id: ID!, $at: DateTime) { rulesInForce(entityId: $id, asOf: $at) { rule { name } } }"
    for at, expected in (("2026-01-02T00:00:00Z", [{"rule": {"name": "hot"}}]), ("2025-12-31T00:00:00Z", [])):
        assert client.call(in_force, {"id": one, "at": at}).data["rulesInForce"] == expected
    [error] = client.call(DELETE, {"id": static["id"]}).data["deleteGroup"]["errors"]
    assert (error["code"], error["path"]) == ("CONFLICT", ["id"])
    assert error["message"] == "The rule 'hot' is about the group 'static'."
    client.call("mutation D($id: ID!) { deleteRule(id: $id) { errors { code } } }", {"id": made["rule"]["id"]})
    deleted = client.call(DELETE, {"id": static["id"]}).data["deleteGroup"]
    assert (deleted["errors"], deleted["group"]["deletedAt"] is not None) == ([], True)
    assert client.call(f'{{ entities(filter: {{groupId: "{static["id"]}"}}) {{ totalCount }} }}').error_codes == [
        "NOT_FOUND"
    ]


def test_what_is_refused_says_where(client: Client) -> None:
    one = asset(client, "one")
    static, dynamic = group(client, "static"), group(client, "dynamic", kind="DYNAMIC", filter={"kinds": ["ASSET"]})
    for text, given, expected in (
        (ADD, {"g": "x", "ids": [one]}, ("NOT_FOUND", ["groupId"])),
        (ADD, {"g": dynamic["id"], "ids": [one]}, ("BAD_USER_INPUT", ["groupId"])),
        (ADD, {"g": static["id"], "ids": [one, "x"]}, ("NOT_FOUND", ["entityIds", "1"])),
        (ADD, {"g": static["id"], "ids": [one, static["id"]]}, ("NOT_FOUND", ["entityIds", "1"])),
        (ADD, {"g": static["id"], "ids": [one] * 1_001}, ("LIMIT_EXCEEDED", ["entityIds"])),
        (REMOVE, {"g": static["id"], "ids": [one]}, ("NOT_FOUND", ["entityIds", "0"])),
        (DELETE, {"id": "x"}, ("NOT_FOUND", ["id"])),
        (CREATE, {"i": {"name": "static"}}, ("CONFLICT", ["input", "name"])),
        (CREATE, {"i": {"name": "new", "kind": "DYNAMIC"}}, ("BAD_USER_INPUT", ["input", "filter"])),
        (CREATE, {"i": {"name": "new", "kind": "DYNAMIC", "filter": {"or": [{"underId": one[:-1]}]}}},
         ("NOT_FOUND", ["input", "filter", "or", "0", "underId"])),
        (UPDATE, {"id": static["id"], "i": {"name": "x", "kind": "DYNAMIC"}}, ("BAD_USER_INPUT", ["input", "kind"])),
        (UPDATE, {"id": dynamic["id"], "i": {"name": "x", "filter": {"groupId": dynamic["id"]}}}, ("CYCLE", ["input", "filter"])),
    ):  # fmt: skip
        [payload] = client.call(text, given).data.values()
        assert payload["group"] is None
        assert [(error["code"], error["path"]) for error in payload["errors"]] == [expected]
    assert names(client, {"groupId": static["id"]}) == []


def test_viewers_read_operators_write_and_administrators_delete(api: Api, client: Client) -> None:
    made = group(client, "g")
    create = "mutation K($r: String!) { createApiKey(input: {name: $r, role: $r}) { key } }"
    keys = {
        role: Client(api.url, client.call(create, {"r": role}).data["createApiKey"]["key"])
        for role in ("viewer", "operator")
    }
    for one in keys.values():
        assert one.call("{ groups { totalCount } }").data == {"groups": {"totalCount": 1}}
        assert one.call(DELETE, {"id": made["id"]}).error_codes == ["FORBIDDEN"]
    assert keys["viewer"].call(CREATE, {"i": {"name": "x"}}).error_codes == ["FORBIDDEN"]
    assert keys["operator"].call(CREATE, {"i": {"name": "x"}}).data["createGroup"]["errors"] == []
