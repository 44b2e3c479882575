"""Feature flags, versions of stages and shadow versions, over the API."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from runtime.database import engine_create, transaction
from testing.api import Api
from testing.installation import Client

FLAGS = "{ featureFlags { name allowed default value updatedAt updatedBy } }"
SET = """mutation S($name: String!, $value: JSON) { setFeatureFlag(name: $name, value: $value) {
  featureFlag { name value updatedBy } errors { code message path } } }"""
PROMOTE = """mutation P($stage: String!, $version: Int!, $from: DateTime) {
  promoteProcessor(stage: $stage, version: $version, effectiveFrom: $from) {
    processor { stage version at: version(at: "2026-01-01T00:00:00Z") versions { number } promotions { version effectiveFrom actor } }
    errors { code message path } } }"""
SHADOW = """{ shadow(stage: "derive") { stage version compared different omitted truncated errors lastError }
  shadowDifferences(stage: "derive") { totalCount nodes { metric } } }"""
LISTED = """query D($first: Int!, $after: String, $filter: ShadowDifferenceFilter) {
  shadowDifferences(stage: "derive", first: $first, after: $after, filter: $filter) { totalCount
    pageInfo { hasNextPage endCursor } nodes { entity { id name } metric timestamp version value shadowVersion shadowValue } } }"""
DROP = 'mutation { dropShadow(stage: "derive") { shadow { version different } errors { code path } } }'


@pytest.fixture
def client(api: Api) -> Client:
    name = f"trial-{datetime.now(UTC):%H%M%S%f}"
    api.organization(name)
    return api.client(name)


def set_flag(client: Client, value: object, name: str = "derive.shadow") -> dict[str, object]:
    answer: dict[str, object] = client.call(SET, {"name": name, "value": value}).data["setFeatureFlag"]
    return answer


def test_flags_are_data(client: Client) -> None:
    [flag] = client.call(FLAGS).data["featureFlags"]
    assert flag == {
        "name": "derive.shadow", "allowed": [None, 1, 2], "default": None, "value": None, "updatedAt": None,
        "updatedBy": None,
    }  # fmt: skip
    assert set_flag(client, 2) == {
        "featureFlag": {"name": "derive.shadow", "value": 2, "updatedBy": "admin@test"},
        "errors": [],
    }
    [flag] = client.call(FLAGS).data["featureFlags"]
    assert (flag["value"], flag["updatedBy"]) == (2, "admin@test")
    [change, *_] = client.call("{ changes { nodes { action before after } } }").data["changes"]["nodes"]
    assert change == {
        "action": "updated",
        "before": {"name": "derive.shadow", "value": None},
        "after": {"name": "derive.shadow", "value": 2},
    }
    refused: tuple[object, ...] = (3, "2", True, 2.5, [2], {})
    for value in refused:
        assert set_flag(client, value) == {
            "featureFlag": None,
            "errors": [
                {"code": "BAD_USER_INPUT", "message": "derive.shadow can be one of null, 1, 2.", "path": ["value"]}
            ],
        }
    unknown = "There is no feature flag 'normalize.shadow', only derive.shadow."
    assert set_flag(client, 2, "normalize.shadow") == {
        "featureFlag": None, "errors": [{"code": "NOT_FOUND", "message": unknown, "path": ["name"]}],
    }  # fmt: skip
    assert client.call(FLAGS).data["featureFlags"] == [flag]


def test_a_version_is_promoted_and_demoted(client: Client) -> None:
    [processor] = client.call(
        "{ processors { stage version versions { number changes } promotions { version } } }"
    ).data["processors"]
    assert (processor["stage"], processor["version"], processor["promotions"]) == ("derive", 1, [])
    assert [version["number"] for version in processor["versions"]] == [1, 2]
    since = "2025-06-01T00:00:00Z"
    promoted = client.call(PROMOTE, {"stage": "derive", "version": 2, "from": since}).data["promoteProcessor"]
    assert promoted == {
        "processor": {
            "stage": "derive", "version": 2, "at": 2, "versions": [{"number": 1}, {"number": 2}],
            "promotions": [{"version": 2, "effectiveFrom": since, "actor": "admin@test"}],
        },
        "errors": [],
    }  # fmt: skip
    back = client.call(PROMOTE, {"stage": "derive", "version": 1}).data["promoteProcessor"]["processor"]
    assert (back["version"], back["at"]) == (1, 2)
    for stage, version, path in (("act", 2, ["stage"]), ("derive", 7, ["version"])):
        refused = client.call(PROMOTE, {"stage": stage, "version": version}).data["promoteProcessor"]
        assert refused["processor"] is None
        assert [(error["code"], error["path"]) for error in refused["errors"]] == [("NOT_FOUND", path)]


def differences_make(api: Api, client: Client, asset: str, number: int) -> None:
    """Write differences as the stage does, a minute apart."""
    organization = client.call("{ viewer { organizationName } }").data["viewer"]["organizationName"]
    engine = engine_create(api.settings.database_url("owner"), pool_size=1)
    with transaction(engine) as session:
        session.execute(
            text(
                "INSERT INTO shadow_differences SELECT o.id, 'derive', :asset, 'total',"
                " '2026-01-01T00:00:00Z'::timestamptz + n * interval '1 minute', 1, nullif(n, 0), 2, n + 0.5"
                " FROM organizations o, generate_series(0, :last) AS g (n) WHERE o.name = :name"
            ),
            {"asset": asset, "last": number - 1, "name": organization},
        )
        session.execute(text("UPDATE shadows SET different = :number, omitted = 1"), {"number": number})
    engine.dispose()


def test_differences_are_listed_and_dropped(api: Api, client: Client) -> None:
    assert client.call(SHADOW).data == {"shadow": None, "shadowDifferences": {"totalCount": 0, "nodes": []}}
    assert client.call(DROP).data["dropShadow"] == {
        "shadow": None,
        "errors": [{"code": "NOT_FOUND", "path": ["stage"]}],
    }
    set_flag(client, 2)
    asset = client.call('mutation { createAsset(input: {name: "pump"}) { asset { id } } }').data["createAsset"]["asset"]
    differences_make(api, client, asset["id"], 5)
    shadow = client.call(SHADOW).data["shadow"]
    assert shadow == {
        "stage": "derive", "version": 2, "compared": 0, "different": 5, "omitted": 1, "truncated": True, "errors": 0,
        "lastError": None,
    }  # fmt: skip
    seen, after = [], None
    while True:
        page = client.call(LISTED, {"first": 2, "after": after}).data["shadowDifferences"]
        assert page["totalCount"] == 5
        seen += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert [row["timestamp"] for row in seen] == [f"2026-01-01T00:0{n}:00Z" for n in (4, 3, 2, 1, 0)]
    assert seen[-1] == {
        "entity": {"id": asset["id"], "name": "pump"}, "metric": "total", "timestamp": "2026-01-01T00:00:00Z",
        "version": 1, "value": None, "shadowVersion": 2, "shadowValue": 0.5,
    }  # fmt: skip
    for filter_, number in (
        ({"from": "2026-01-01T00:01:00Z", "to": "2026-01-01T00:03:00Z"}, 2),
        ({"entityId": asset["id"], "metric": "total"}, 5),
        ({"metric": "other"}, 0),
        ({"metric": "\0"}, 0),
    ):
        listed = client.call(LISTED, {"first": 9, "filter": filter_}).data["shadowDifferences"]
        assert listed["totalCount"] == len(listed["nodes"]) == number
    foreign = client.call("{ changes(first: 1) { pageInfo { endCursor } } }").data["changes"]["pageInfo"]["endCursor"]
    assert client.call(LISTED, {"first": 1, "after": foreign}).error_codes == ["BAD_USER_INPUT"]
    assert client.call('{ shadow(stage: "act") { stage } }').error_codes == ["NOT_FOUND"]
    # Another organization sees none of it.
    api.organization("trial-elsewhere")
    elsewhere = api.client("trial-elsewhere")
    assert elsewhere.call(SHADOW).data == {"shadow": None, "shadowDifferences": {"totalCount": 0, "nodes": []}}
    assert elsewhere.call(FLAGS).data["featureFlags"][0]["value"] is None
    assert elsewhere.call(DROP).data["dropShadow"]["shadow"] is None
    assert client.call(DROP).data["dropShadow"] == {"shadow": {"version": 2, "different": 5}, "errors": []}
    assert client.call(SHADOW).data == {"shadow": None, "shadowDifferences": {"totalCount": 0, "nodes": []}}
    assert client.call(FLAGS).data["featureFlags"][0]["value"] is None


def test_the_past_is_compared_on_request(client: Client) -> None:
    compare = """mutation C($from: DateTime!, $to: DateTime!) { compareShadow(stage: "derive", from: $from, to: $to) {
      shadow { version } entities errors { code path } } }"""
    past = {"from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"}
    assert client.call(compare, past).data["compareShadow"] == {
        "shadow": None, "entities": 0, "errors": [{"code": "NOT_FOUND", "path": ["stage"]}],
    }  # fmt: skip
    client.call(
        """mutation { createEntityType(input: {kind: ASSET, name: "pump", effectiveFrom: "2020-01-01T00:00:00Z",
             telemetrySchema: {derived: {power: {sum: {volts: 10}}}}}) { errors { message } }
           createAsset(input: {name: "a", type: "pump"}) { asset { id } } }"""
    )
    set_flag(client, 2)
    payload = client.call(compare, past).data["compareShadow"]
    assert payload == {"shadow": {"version": 2}, "entities": 1, "errors": []}
    # What was asked for still waits: no worker runs here.
    assert client.call(compare, past).data["compareShadow"]["errors"] == [{"code": "CONFLICT", "path": ["stage"]}]
    turned = {"from": past["to"], "to": past["from"]}
    assert client.call(compare, turned).data["compareShadow"]["errors"] == [{"code": "BAD_USER_INPUT", "path": ["to"]}]
