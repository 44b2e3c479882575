"""Copies of assets: what is copied, what is not, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

import domain.nodes.clone
from testing.api import Api
from testing.installation import Client

CLONE = """mutation C($id: ID!, $i: CloneAssetInput!, $r: String) { cloneAsset(id: $id, input: $i, reason: $r) {
  asset { id } errors { code path message } } }"""
READ = """query R($id: ID!) { entity(id: $id) { name externalId type status attributes location ... on Asset {
  profile { name } parents { name } devices { totalCount } children { nodes { ...P ... on Asset {
    children { nodes { ...P } } } } } }
  edges { nodes { relationship target { name } } } } }
  fragment P on Entity { id name externalId attributes ... on Asset { profile { name } devices { totalCount } } }"""
RULES = "{ rules(first: 100) { nodes { id name versions { scope severity isActive condition } } } }"


def made(client: Client, mutation: str, given: dict[str, Any]) -> str:
    kind = mutation.removeprefix("create").removeprefix("Asset") if mutation != "createAsset" else "Asset"
    name = {"createAssetProfile": "assetProfile"}.get(mutation, kind[0].lower() + kind[1:])
    input_type = {"createRule": "RuleInput", "createAssetProfile": "AssetProfileInput"}.get(
        mutation, f"Create{kind}Input"
    )
    text = f"mutation M($i: {input_type}!) {{ {mutation}(input: $i) {{ {name} {{ id }} errors {{ message }} }} }}"
    payload = client.call(text, {"i": given}).data[mutation]
    assert payload["errors"] == []
    identity: str = payload[name]["id"]
    return identity


class Plant:
    """A line in a hall with a press, whose motor has a probe; rules about the press and the motor."""

    def __init__(self, api: Api, slug: str) -> None:
        api.organization(slug)
        self.api, self.slug = api, slug
        self.client = client = api.client(slug)
        hall = made(client, "createSpace", {"name": "hall"})
        profile = made(client, "createAssetProfile", {"name": "presses"})
        line = made(client, "createAsset", {"name": "line"})
        press = made(
            client,
            "createAsset",
            {
                "name": "press",
                "externalId": "P1",
                "type": "Press",
                "attributes": {"kw": 7},
                "location": {"type": "Point", "coordinates": [8.5, 47.4]},
                "parentId": line,
            },
        )
        motor = made(client, "createAsset", {"name": "motor", "externalId": "P1/M", "parentId": press})
        bolt = made(client, "createAsset", {"name": "bolt", "externalId": "B", "parentId": motor})
        probe = made(client, "createDevice", {"name": "probe"})
        self.ids = {"hall": hall, "line": line, "press": press, "motor": motor, "bolt": bolt, "probe": probe}
        client.call(
            """mutation L($press: ID!, $motor: ID!, $bolt: ID!, $line: ID!, $hall: ID!, $probe: ID!, $profile: ID!) {
              updateEntities(filter: {ids: [$motor]}, patch: {profileId: $profile}) { changed }
              a: createEdge(input: {sourceId: $press, targetId: $hall, relationship: "LOCATED_IN"}) { errors { code } }
              b: linkDevice(input: {assetId: $motor, deviceId: $probe}) { errors { code } }
              c: createEdge(input: {sourceId: $press, targetId: $bolt, relationship: "HAS_PART"}) { errors { code } }
              d: createEdge(input: {sourceId: $press, targetId: $line, relationship: "FEEDS"}) { errors { code } } }""",
            {**self.ids, "profile": profile},
        )
        hot = {"threshold": {"metric": "t", "operator": "GT", "value": 80}}
        for name, scope in (("motor hot", {"entityId": motor}), ("all below", {"underId": press}), ("any", None)):
            made(client, "createRule", {"name": name, "scope": scope, "condition": hot, "severity": "HIGH"})

    def clone(self, client: Client | None = None, label: str = "press", **given: Any) -> dict[str, Any]:
        reason = given.pop("reason", None)
        values = {"id": self.ids[label], "i": {"name": "second press", **given}, "r": reason}
        result: dict[str, Any] = (client or self.client).call(CLONE, values).data["cloneAsset"]
        return result

    def read(self, asset_id: str) -> dict[str, Any]:
        result: dict[str, Any] = self.client.call(READ, {"id": asset_id}).data["entity"]
        return result

    def rules(self) -> list[dict[str, Any]]:
        result: list[dict[str, Any]] = self.client.call(RULES).data["rules"]["nodes"]
        return result

    def assets(self) -> int:
        count: int = self.client.call("{ assets { totalCount } }").data["assets"]["totalCount"]
        return count


def codes(payload: dict[str, Any]) -> list[tuple[str, list[str]]]:
    return [(error["code"], error["path"]) for error in payload["errors"]]


def parts(asset: dict[str, Any]) -> list[tuple[str, str | None]]:
    return sorted((part["name"], part["externalId"]) for part in asset["children"]["nodes"])


def test_a_clone_is_beside_the_original_with_its_parts_and_rules(api: Api) -> None:
    plant = Plant(api, "clone-all")
    payload = plant.clone(externalId="P2", reason="a second line")
    assert payload["errors"] == []
    clone = plant.read(payload["asset"]["id"])
    original = plant.read(plant.ids["press"])
    for name in ("type", "status", "attributes", "location", "profile", "parents"):
        assert clone[name] == original[name], name
    assert (clone["name"], clone["externalId"]) == ("second press", "P2")
    assert parts(clone) == [("bolt", "B-2"), ("motor", "P2/M")]
    # The bolt is a part of two, and was cloned once; what flows from the press, and the probe, stay with the original.
    [motor] = [part for part in clone["children"]["nodes"] if part["name"] == "motor"]
    [bolt] = [part for part in clone["children"]["nodes"] if part["name"] == "bolt"]
    assert [part["id"] for part in motor["children"]["nodes"]] == [bolt["id"]]
    assert (motor["profile"], motor["devices"]) == ({"name": "presses"}, {"totalCount": 0})
    edges = sorted((edge["relationship"], edge["target"]["name"]) for edge in clone["edges"]["nodes"])
    assert edges == [
        ("HAS_PART", "bolt"),
        ("HAS_PART", "motor"),
        ("HAS_PART", "second press"),
        ("LOCATED_IN", "hall"),
    ]
    rules = plant.rules()
    scopes = [rule["versions"][0]["scope"] for rule in rules]
    ids = plant.ids
    assert sorted(
        (rule["name"], str(scope["entityId"] or scope["underId"])) for rule, scope in zip(rules, scopes, strict=True)
    ) == sorted(
        [
            ("any", "None"),
            ("all below", ids["press"]),
            ("all below", payload["asset"]["id"]),
            ("motor hot", ids["motor"]),
            ("motor hot", motor["id"]),
        ]
    )
    assert {rule["versions"][0]["severity"] for rule in rules} == {"HIGH"}
    trail = plant.client.call(
        "{ changes(first: 100) { nodes { recordedAt action reason subject { __typename } } } }"
    ).data["changes"]["nodes"]
    own = [entry for entry in trail if entry["reason"] == "a second line"]
    assert len({entry["recordedAt"] for entry in own}) == 1
    # Three assets, five edges, two rules.
    assert len(own) == 3 + 5 + 2
    assert plant.read(plant.ids["press"]) == original
    again = plant.read(plant.clone(externalId="P3")["asset"]["id"])
    assert parts(again) == [("bolt", "B-3"), ("motor", "P3/M")]
    unnamed = plant.read(plant.clone()["asset"]["id"])
    assert parts(unnamed) == [("bolt", "B-4"), ("motor", "P1/M-2")]


def test_under_another_parent_alone(api: Api) -> None:
    plant = Plant(api, "clone-alone")
    plant.ids["other"] = made(plant.client, "createAsset", {"name": "other line"})
    payload = plant.clone(parentId=plant.ids["other"], includeParts=False, includeRules=False)
    clone = plant.read(payload["asset"]["id"])
    assert (clone["parents"], clone["children"]["nodes"]) == ([{"name": "other line"}], [])
    assert [edge["relationship"] for edge in clone["edges"]["nodes"]] == ["HAS_PART"]
    assert len(plant.rules()) == 3
    # Below itself: what is copied was read before.
    below = plant.read(plant.clone(parentId=plant.ids["motor"], includeRules=False)["asset"]["id"])
    assert (below["parents"], len(below["children"]["nodes"])) == ([{"name": "motor"}], 2)


def test_what_is_refused_refuses_all(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    plant = Plant(api, "clone-refused")
    before, rules = plant.assets(), len(plant.rules())
    nobody = "0190a3c4-0000-7000-8000-000000000000"
    assert codes(plant.clone(externalId="P1")) == [("CONFLICT", ["input", "externalId"])]
    assert codes(plant.clone(parentId=nobody)) == [("NOT_FOUND", ["input", "parentId"])]
    assert codes(plant.clone(parentId=plant.ids["hall"])) == [("NOT_FOUND", ["input", "parentId"])]
    assert codes(plant.clone(name="")) == [("BAD_USER_INPUT", ["input", "name"])]
    assert codes(plant.clone(label="probe")) == [("NOT_FOUND", ["id"])]
    # The action of a rule names a template that is gone: the copy of this rule is refused, and with it the rest.
    template = plant.client.call(
        'mutation { createActivityTemplate(input: {name: "look"}) { activityTemplate { id } errors { message } } }'
    ).data["createActivityTemplate"]["activityTemplate"]["id"]
    hot = {"threshold": {"metric": "t", "operator": "GT", "value": 90}}
    rule = made(
        plant.client,
        "createRule",
        {
            "name": "look",
            "scope": {"entityId": plant.ids["press"]},
            "condition": hot,
            "action": {"createActivityFromTemplateId": template},
        },
    )
    plant.client.call("mutation D($id: ID!) { deleteActivityTemplate(id: $id) { errors { code } } }", {"id": template})
    [(code, path)] = codes(plant.clone())
    assert (code, path[:2]) == ("NOT_FOUND", ["rules", rule])
    assert (plant.assets(), len(plant.rules())) == (before, rules + 1)
    monkeypatch.setattr(domain.nodes.clone, "PARTS_MAX", 2)
    assert codes(plant.clone()) == [("LIMIT_EXCEEDED", ["id"])]
    assert plant.assets() == before


def test_operators_and_confined_callers(api: Api) -> None:
    plant = Plant(api, "clone-scopes")
    operator = api.client(plant.slug, "operator")
    assert codes(plant.clone(operator)) == [("FORBIDDEN", ["input", "includeRules"])]
    assert plant.clone(operator, includeRules=False)["errors"] == []
    assert plant.clone(operator, label="bolt", name="third bolt")["errors"] == []
    confined = api.client(plant.slug, "admin", under=[plant.ids["press"]])
    # Beside the press it would lie outside of what the caller sees; inside it does not, nor within a part.
    assert codes(plant.clone(confined, includeRules=False)) == [("FORBIDDEN", [])]
    assert codes(plant.clone(confined, label="motor", name="m")) == [("FORBIDDEN", ["input", "includeRules"])]
    payload = plant.clone(confined, label="motor", name="second motor", includeRules=False)
    assert payload["errors"] == []
    clone = plant.read(payload["asset"]["id"])
    # The third bolt is a part of the motor by now.
    assert (clone["parents"], parts(clone)) == ([{"name": "press"}], [("bolt", "B-3"), ("third bolt", None)])
    assert codes(plant.clone(confined, label="line", name="l")) == [("NOT_FOUND", ["id"])]
