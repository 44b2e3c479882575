"""An organization's own relationships: made, renamed, retired, and walked like the built-in ones."""

from __future__ import annotations

from typing import Any

import pytest

from testing.api import Api
from testing.installation import Client

FIELDS = "{ relationship { name inverse sourceKinds targetKinds hierarchy exclusive builtIn retiredAt } errors { code path } }"
CREATE = f"mutation C($input: RelationshipInput!) {{ createRelationship(input: $input) {FIELDS} }}"
RENAME = f"mutation R($name: String!, $inverse: String!) {{ renameRelationshipInverse(name: $name, inverse: $inverse) {FIELDS} }}"
RETIRE = f"mutation R($name: String!) {{ retireRelationship(name: $name) {FIELDS} }}"
EDGE = """mutation E($source: ID!, $target: ID!, $relationship: String!) {
  createEdge(input: {sourceId: $source, targetId: $target, relationship: $relationship}) { edge { id } errors { code path } } }"""


@pytest.fixture(scope="module")
def admin(api: Api) -> Client:
    api.organization("relating")
    return api.client("relating", "admin")


def asset(client: Client, name: str) -> str:
    made = client.call("mutation A($n: String!) { createAsset(input: {name: $n}) { asset { id } } }", {"n": name})
    return str(made.data["createAsset"]["asset"]["id"])


def create(client: Client, **fields: Any) -> dict[str, Any]:
    given = {"sourceKinds": ["ASSET"], "targetKinds": ["ASSET"], **fields}
    made: dict[str, Any] = client.call(CREATE, {"input": given}).data["createRelationship"]
    return made


def test_ones_own_relationship_is_used_walked_and_retired(admin: Client) -> None:
    made = create(admin, name="BACKS_UP", inverse="BACKED_UP_BY", exclusive="SOURCE")
    assert made["errors"] == []
    assert made["relationship"]["exclusive"] == "SOURCE"
    first, second, third = (asset(admin, name) for name in ("first", "second", "third"))
    values = {"source": first, "target": second, "relationship": "BACKS_UP"}
    assert admin.call(EDGE, values).data["createEdge"]["errors"] == []
    # Exclusive at its source: a second one at a time is refused, and says where.
    refused = admin.call(EDGE, {**values, "target": third}).data["createEdge"]["errors"]
    assert [(error["code"], error["path"]) for error in refused] == [("CONFLICT", ["input", "sourceId"])]
    walk = (
        'query W($id: ID!) { traverse(input: {startIds: [$id], steps: [{relationships: ["BACKS_UP"]}]}) { nodeIds } }'
    )
    assert admin.call(walk, {"id": first}).data["traverse"]["nodeIds"] == [second]
    retired = admin.call(RETIRE, {"name": "BACKS_UP"}).data["retireRelationship"]
    assert retired["relationship"]["retiredAt"] is not None
    after = admin.call(EDGE, {**values, "source": third}).data["createEdge"]["errors"]
    assert [(error["code"], error["path"]) for error in after] == [("BAD_USER_INPUT", ["input", "relationship"])]
    assert admin.call(walk, {"id": first}).data["traverse"]["nodeIds"] == [second]


def test_a_hierarchy_of_ones_own_has_no_circles_and_counts_as_below(admin: Client) -> None:
    assert create(admin, name="GOVERNS", inverse="GOVERNED_BY", hierarchy=True)["errors"] == []
    upper, lower = asset(admin, "upper"), asset(admin, "lower")
    down = {"source": upper, "target": lower, "relationship": "GOVERNS"}
    assert admin.call(EDGE, down).data["createEdge"]["errors"] == []
    for relationship in ("GOVERNS", "HAS_PART"):
        up = {"source": lower, "target": upper, "relationship": relationship}
        refused = admin.call(EDGE, up).data["createEdge"]["errors"]
        assert [error["code"] for error in refused] == ["CYCLE"]
    below = admin.call("query B($id: ID!) { assets(filter: {underId: $id}) { nodes { id } } }", {"id": upper})
    assert {node["id"] for node in below.data["assets"]["nodes"]} == {upper, lower}


def test_the_inverse_can_be_renamed_and_built_in_ones_stay(admin: Client) -> None:
    assert create(admin, name="WETS", inverse="WETTED_BY")["errors"] == []
    renamed = admin.call(RENAME, {"name": "WETS", "inverse": "MADE_WET_BY"}).data["renameRelationshipInverse"]
    assert (renamed["relationship"]["inverse"], renamed["errors"]) == ("MADE_WET_BY", [])
    taken = admin.call(RENAME, {"name": "WETS", "inverse": "FEEDS"}).data["renameRelationshipInverse"]
    assert (taken["relationship"], taken["errors"]) == (None, [{"code": "CONFLICT", "path": ["inverse"]}])
    for text, values in ((RENAME, {"name": "FEEDS", "inverse": "X"}), (RETIRE, {"name": "FEEDS"})):
        [payload] = admin.call(text, values).data.values()
        assert payload["errors"] == [{"code": "CONFLICT", "path": ["name"]}]
    [missing] = admin.call(RETIRE, {"name": "NO_SUCH"}).data.values()
    assert missing["errors"] == [{"code": "NOT_FOUND", "path": ["name"]}]


def test_bad_input_is_reported_by_its_path(admin: Client) -> None:
    for fields, path in (
        ({"name": "lower", "inverse": "UPPER"}, "name"),
        ({"name": "SAME", "inverse": "SAME"}, "inverse"),
        ({"name": "NOWHERE", "inverse": "EVERYWHERE", "targetKinds": []}, "targetKinds"),
    ):
        made = create(admin, **fields)
        assert made == {"relationship": None, "errors": [{"code": "BAD_USER_INPUT", "path": ["input", path]}]}


def test_it_is_the_organizations_own(api: Api, admin: Client) -> None:
    assert create(admin, name="OURS", inverse="OUR_OWN")["errors"] == []
    api.organization("relating-elsewhere")
    other = api.client("relating-elsewhere", "admin")
    names = {relationship["name"] for relationship in other.call("{ relationships { name } }").data["relationships"]}
    assert "OURS" not in names
    [payload] = other.call(RETIRE, {"name": "OURS"}).data.values()
    assert payload["errors"] == [{"code": "NOT_FOUND", "path": ["name"]}]
