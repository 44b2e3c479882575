"""Rollups through the API: results, refusals with their paths, and isolation of organizations."""

from __future__ import annotations

from typing import Any

import pytest

from domain.derivation.rollups.rules import ROLLUPS_MAX, TYPES_MAX
from testing.api import Api
from testing.installation import Client

FIELDS = """{ rollup { id name metric relationship of { metric kinds types port } at { kinds types } aggregate attribute
  worst bucket timezone combine unit } errors { code path } }"""
CREATE = f"mutation C($input: RollupInput!) {{ createRollup(input: $input) {FIELDS} }}"
UPDATE = f"mutation U($id: ID!, $input: RollupInput!) {{ updateRollup(id: $id, input: $input) {FIELDS} }}"
DELETE = f"mutation D($id: ID!) {{ deleteRollup(id: $id) {FIELDS} }}"
LIST = "{ rollups(first: 500) { totalCount nodes { id name } } }"


@pytest.fixture(scope="module")
def admin(api: Api) -> Client:
    api.organization("rolling")
    return api.client("rolling")


def given(label: str, **others: Any) -> dict[str, Any]:
    return {
        "name": label,
        "metric": label,
        "relationship": "HAS_PART",
        "of": {"metric": "power"},
        "aggregate": "SUM",
        "bucket": "PT1H",
        **others,
    }


def create(client: Client, **value: Any) -> dict[str, Any]:
    made: dict[str, Any] = client.call(CREATE, {"input": value}).data["createRollup"]
    return made


def refused(client: Client, **value: Any) -> list[tuple[str, list[str]]]:
    payload = create(client, **value)
    assert payload["rollup"] is None
    return [(error["code"], error["path"]) for error in payload["errors"]]


def test_a_rollup_is_made_changed_and_deleted(admin: Client) -> None:
    made = create(admin, **given("whole"))
    assert made["errors"] == []
    identity = made["rollup"].pop("id")
    assert made["rollup"] == {
        "name": "whole",
        "metric": "whole",
        "relationship": "HAS_PART",
        "of": {"metric": "power", "kinds": ["ASSET"], "types": None, "port": None},
        "at": {"kinds": ["ASSET"], "types": None},
        "aggregate": "SUM",
        "attribute": None,
        "worst": None,
        "bucket": "PT1H",
        "timezone": "UTC",
        "combine": "SUM",
        "unit": None,
    }
    wanted = given(
        "whole",
        relationship="CONTAINS",
        of={"metric": "t", "kinds": ["DEVICE"], "types": ["Probe"], "port": 2},
        at={"kinds": ["SPACE"], "types": ["Floor"]},
        aggregate="WORST",
        worst="HIGHEST",
        bucket="P1M",
        timezone="Asia/Tokyo",
        unit="Cel",
    )
    changed = admin.call(UPDATE, {"id": identity, "input": wanted}).data["updateRollup"]
    assert changed["errors"] == []
    assert changed["rollup"] == {"id": identity, "attribute": None, "combine": "LAST", **wanted}
    shown = admin.call("query Q($id: ID!) { rollup(id: $id) { name bucket } }", {"id": identity}).data
    assert shown == {"rollup": {"name": "whole", "bucket": "P1M"}}
    other = admin.call(UPDATE, {"id": identity, "input": {**wanted, "metric": "another"}}).data["updateRollup"]
    assert other["errors"] == [{"code": "BAD_USER_INPUT", "path": ["input", "metric"]}]
    assert admin.call(DELETE, {"id": identity}).data["deleteRollup"]["errors"] == []
    gone = admin.call(DELETE, {"id": identity}).data["deleteRollup"]
    assert gone == {"rollup": None, "errors": [{"code": "NOT_FOUND", "path": ["id"]}]}
    assert identity not in str(admin.call(LIST).data)
    text = "query Q($id: ID!) { changes(filter: {subjectIds: [$id]}) { nodes { action } } }"
    actions = admin.call(text, {"id": identity}).data["changes"]["nodes"]
    assert [change["action"] for change in actions] == ["deleted", "updated", "created"]


@pytest.mark.parametrize(
    ("value", "code", "path"),
    [
        ({"relationship": "FEEDS"}, "BAD_USER_INPUT", ["relationship"]),
        ({"relationship": "NOTHING"}, "BAD_USER_INPUT", ["relationship"]),
        ({"name": ""}, "BAD_USER_INPUT", ["name"]),
        ({"metric": "m" * 201}, "BAD_USER_INPUT", ["metric"]),
        ({"of": {"metric": ""}}, "BAD_USER_INPUT", ["of", "metric"]),
        ({"of": {"metric": "t", "kinds": ["PERSON"]}}, "BAD_USER_INPUT", ["of", "kinds"]),
        ({"of": {"metric": "t", "types": []}}, "BAD_USER_INPUT", ["of", "types"]),
        ({"of": {"metric": "t", "types": ["x"] * (TYPES_MAX + 1)}}, "LIMIT_EXCEEDED", ["of", "types"]),
        ({"of": {"metric": "t", "port": 1}}, "BAD_USER_INPUT", ["of", "port"]),
        ({"at": {"kinds": ["DEVICE"]}}, "BAD_USER_INPUT", ["at", "kinds"]),
        ({"aggregate": "WEIGHTED_MEAN"}, "BAD_USER_INPUT", ["attribute"]),
        ({"attribute": "area"}, "BAD_USER_INPUT", ["attribute"]),
        ({"aggregate": "WORST"}, "BAD_USER_INPUT", ["worst"]),
        ({"bucket": "PT1S"}, "BAD_USER_INPUT", ["bucket"]),
        ({"bucket": "P2Y"}, "BAD_USER_INPUT", ["bucket"]),
        ({"bucket": "P1M1D"}, "BAD_USER_INPUT", ["bucket"]),
        ({"timezone": "Mars/Olympus"}, "BAD_USER_INPUT", ["timezone"]),
        ({"unit": "parsnips"}, "BAD_USER_INPUT", ["unit"]),
        ({"combine": "MEDIAN"}, "BAD_USER_INPUT", ["combine"]),
        ({"combine": "INCREASE"}, "BAD_USER_INPUT", ["combine"]),
    ],
)
def test_invalid_rollups_are_refused_with_their_path(
    admin: Client, value: dict[str, Any], code: str, path: list[str]
) -> None:
    assert refused(admin, **given("refused", **value)) == [(code, ["input", *path])]


def test_conflicting_names_and_cyclic_rollups_are_refused(api: Api) -> None:
    api.organization("clashing")
    admin = api.client("clashing")
    typed = {"at": {"types": ["Line"]}}
    assert create(admin, **given("first", **typed))["errors"] == []
    assert refused(admin, **given("first", metric="other")) == [("CONFLICT", ["input", "name"])]
    assert refused(admin, **given("second", metric="first")) == [("CONFLICT", ["input", "metric"])]
    # Elsewhere the same name is no harm.
    assert create(admin, **given("second", metric="first", at={"types": ["Hall"]}))["errors"] == []
    schema = {"derived": {"loss": {"sum": {"a": 1}}}}
    admin.call(
        'mutation T($s: JSON) { createEntityType(input: {kind: ASSET, name: "Line", telemetrySchema: $s}) { errors { code } } }',
        {"s": schema},
    )
    assert refused(admin, **given("loss")) == [("CONFLICT", ["input", "metric"])]
    assert create(admin, **given("loss", at={"types": ["Hall"]}))["errors"] == []
    # Directly, and by way of another.
    assert refused(admin, **given("power")) == [("CONFLICT", ["input", "of"])]
    assert refused(admin, **given("power", of={"metric": "first"})) == [("CONFLICT", ["input", "of"])]
    unrelated = given("power", of={"metric": "first", "types": ["Line"]}, at={"types": ["Hall"]})
    assert refused(admin, **unrelated) == [("CONFLICT", ["input", "of"])]
    levels = given("power", of={"metric": "power", "types": ["Machine"]}, at={"types": ["Line"]})
    assert create(admin, **levels)["errors"] == []


def test_rollups_are_bounded_and_isolated_by_organization(api: Api) -> None:
    api.organization("bounded")
    api.organization("beyond")
    admin, other = api.client("bounded"), api.client("beyond")
    ids = [create(admin, **given(f"r{n}"))["rollup"]["id"] for n in range(ROLLUPS_MAX)]
    assert refused(admin, **given("more")) == [("LIMIT_EXCEEDED", ["input"])]
    page = admin.call("{ rollups(first: 60) { totalCount pageInfo { endCursor hasNextPage } nodes { id } } }").data
    assert (page["rollups"]["totalCount"], page["rollups"]["pageInfo"]["hasNextPage"]) == (ROLLUPS_MAX, True)
    second_page = admin.call(
        "query P($after: String) { rollups(first: 60, after: $after) { pageInfo { hasNextPage } nodes { id } } }",
        {"after": page["rollups"]["pageInfo"]["endCursor"]},
    ).data["rollups"]
    assert [node["id"] for node in (*page["rollups"]["nodes"], *second_page["nodes"])] == ids
    assert second_page["pageInfo"]["hasNextPage"] is False
    foreign = {"id": ids[0], "input": given("taken")}
    assert other.call(UPDATE, foreign).data["updateRollup"]["errors"] == [{"code": "NOT_FOUND", "path": ["id"]}]
    assert other.call(DELETE, foreign).data["deleteRollup"]["errors"] == [{"code": "NOT_FOUND", "path": ["id"]}]
    assert other.call("query Q($id: ID!) { rollup(id: $id) { id } }", {"id": ids[0]}).data == {"rollup": None}
    assert other.call(LIST).data == {"rollups": {"totalCount": 0, "nodes": []}}
