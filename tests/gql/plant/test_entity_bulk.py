"""Update and delete entities by a filter, over the API: each as if it were changed alone, in one transaction."""

from __future__ import annotations

from typing import Any

import pytest

import domain.nodes.bulk
from testing.api import Api
from testing.installation import Client

UPDATE = """mutation U($f: EntityFilter!, $p: EntityPatch!, $d: Boolean! = false, $r: String) {
  updateEntities(filter: $f, patch: $p, dryRun: $d, reason: $r) { matched changed errors { code path message } } }"""
DELETE = """mutation D($f: EntityFilter!, $d: Boolean! = false, $r: String) {
  deleteEntities(filter: $f, dryRun: $d, reason: $r) { matched changed errors { code path message } } }"""
READ = """query R($id: ID!) { entity(id: $id) { name type status attributes location deletedAt edges { totalCount }
  edgeHistory { nodes { relationship source { name } target { name } validUntil retractedAt } } ... on Asset { profile { name } parents { name } }
  ... on Space { parents { name } } } }"""
TRAIL = """query T($id: ID!) { changes(filter: {subjectIds: [$id]}, first: 1) { nodes { action actor reason before after } } }"""


class Plant:
    """An organization with a hall, two assets of which one is a part of the other, a device and an activity."""

    def __init__(self, api: Api, slug: str) -> None:
        api.organization(slug)
        self.api, self.slug = api, slug
        self.client = api.client(slug)
        made = self.client.call(
            """mutation P {
              hall: createSpace(input: {name: "hall", type: "Hall"}) { space { id } }
              pump: createAsset(input: {name: "pump", externalId: "P", attributes: {a: {b: 1, c: 2}, d: "x"}}) { asset { id } }
              probe: createDevice(input: {name: "probe", attributes: {d: 1}, firmwareVersion: "7"}) { device { id } }
              work: createActivity(input: {name: "work"}) { activity { id } } }"""
        ).data
        self.ids = {label: next(iter(payload.values()))["id"] for label, payload in made.items()}
        part = 'mutation M($p: ID!) { createAsset(input: {name: "motor", parentId: $p}) { asset { id } } }'
        self.ids["motor"] = self.client.call(part, {"p": self.ids["pump"]}).data["createAsset"]["asset"]["id"]
        link = """mutation L($s: ID!, $t: ID!, $r: String!) { createEdge(input: {sourceId: $s, targetId: $t,
          relationship: $r}) { errors { message } } }"""
        for source, relationship, target in (("pump", "LOCATED_IN", "hall"), ("pump", "MONITORED_BY", "probe")):
            given = {"s": self.ids[source], "t": self.ids[target], "r": relationship}
            assert self.client.call(link, given).data["createEdge"]["errors"] == []

    def update(self, filter_: dict[str, Any], patch: dict[str, Any], **given: Any) -> dict[str, Any]:
        result: dict[str, Any] = self.client.call(UPDATE, {"f": filter_, "p": patch, **given}).data["updateEntities"]
        return result

    def delete(self, filter_: dict[str, Any], client: Client | None = None, **given: Any) -> dict[str, Any]:
        data = (client or self.client).call(DELETE, {"f": filter_, **given}).data
        result: dict[str, Any] = data["deleteEntities"]
        return result

    def read(self, label: str) -> dict[str, Any]:
        result: dict[str, Any] = self.client.call(READ, {"id": self.ids[label]}).data["entity"]
        return result

    def edges(self, label: str) -> list[tuple[str, bool]]:
        """Return the edges that are believed: what they come from, and whether they have ended."""
        nodes = self.read(label)["edgeHistory"]["nodes"]
        return sorted(
            (edge["source"]["name"], edge["validUntil"] is not None) for edge in nodes if edge["retractedAt"] is None
        )

    def last(self, label: str) -> dict[str, Any]:
        result: dict[str, Any] = self.client.call(TRAIL, {"id": self.ids[label]}).data["changes"]["nodes"][0]
        return result

    def of(self, *labels: str) -> dict[str, Any]:
        return {"ids": [self.ids[label] for label in labels]}


def codes(payload: dict[str, Any]) -> list[tuple[str, list[str]]]:
    return [(error["code"], error["path"]) for error in payload["errors"]]


def done(matched: int, changed: int) -> dict[str, Any]:
    return {"matched": matched, "changed": changed, "errors": []}


def test_values_are_those_of_single_updates(api: Api) -> None:
    plant, single = Plant(api, "bulk-values"), Plant(api, "bulk-single")
    patch = {"type": "New", "status": "worn", "location": {"type": "Point", "coordinates": [8.5, 47.4]}}
    filter_ = {"kinds": ["ASSET", "DEVICE", "SPACE"]}
    dry = plant.update(filter_, patch, d=True)
    assert dry == done(4, 4)
    assert plant.read("pump")["status"] == "active"
    assert plant.update(filter_, patch, r="because") == dry
    for label, kind in (("pump", "Asset"), ("motor", "Asset"), ("probe", "Device"), ("hall", "Space")):
        text = f"""mutation M($id: ID!, $i: Update{kind}Input!) {{
          update{kind}(id: $id, input: $i) {{ errors {{ message }} }} }}"""
        single.client.call(text, {"id": single.ids[label], "i": patch})
        one, other = plant.read(label), single.read(label)
        assert one == other
        assert (one["type"], one["status"]) == ("New", "worn")
        trails = [of.last(label) for of in (plant, single)]
        assert trails[0]["reason"] == "because"
        for trail in trails:
            for state in (trail["before"], trail["after"]):
                for name in ("id", "createdAt", "updatedAt"):
                    del state[name]
            del trail["reason"]
        assert trails[0] == trails[1]
    assert plant.read("work")["status"] == "open"
    # Again nothing changes, and nothing is written.
    assert plant.update(filter_, patch) == done(4, 0)
    types = plant.client.call("{ entityTypes { kind name } }").data["entityTypes"]
    assert {(t["kind"], t["name"]) for t in types} >= {("ASSET", "New"), ("DEVICE", "New"), ("SPACE", "New")}
    assert plant.update({"types": ["New"]}, {"type": None, "location": None}) == done(4, 4)
    assert (plant.read("pump")["type"], plant.read("pump")["location"]) == (None, None)


def test_attributes_are_merged_and_null_removes_one(api: Api) -> None:
    plant = Plant(api, "bulk-attributes")
    filter_ = {"attributes": [{"path": "d", "exists": True}]}
    assert plant.update(filter_, {"attributes": {"a": {"b": None, "e": [1]}, "d": None, "n": 2}}) == done(2, 2)
    assert plant.read("pump")["attributes"] == {"a": {"c": 2, "e": [1]}, "n": 2}
    assert plant.read("probe")["attributes"] == {"a": {"e": [1]}, "n": 2}
    assert plant.last("pump")["before"]["attributes"] == {"a": {"b": 1, "c": 2}, "d": "x"}
    # One that would have too many is refused alone.
    plant.client.call(
        "mutation M($id: ID!, $a: JSON) { updateAsset(id: $id, input: {attributes: $a}) { errors { message } } }",
        {"id": plant.ids["pump"], "a": {"large": "x" * 65_000}},
    )
    for is_dry_run in (True, False):
        payload = plant.update(
            plant.of("pump", "motor"), {"attributes": {"more": "y" * 1_000}, "status": "s"}, d=is_dry_run
        )
        assert (payload["matched"], payload["changed"]) == (2, 1)
        assert codes(payload) == [("LIMIT_EXCEEDED", ["filter", plant.ids["pump"], "attributes"])]
    assert plant.read("pump")["status"] == "active"
    assert plant.read("motor")["attributes"] == {"more": "y" * 1_000}


def test_parents(api: Api) -> None:
    plant = Plant(api, "bulk-parents")
    ids = plant.ids
    house = plant.client.call('mutation { createAsset(input: {name: "house"}) { asset { id } } }').data
    ids["house"] = house["createAsset"]["asset"]["id"]
    # A motor that is a part of the pump; the pump would be above itself below it, and a device is a part of nothing.
    payload = plant.update(plant.of("pump", "house", "probe", "hall"), {"parentId": ids["motor"], "status": "moved"})
    assert (payload["matched"], payload["changed"]) == (4, 1)
    assert sorted(codes(payload)) == sorted(
        [
            ("CYCLE", ["filter", ids["pump"], "parentId"]),
            ("KIND_NOT_ALLOWED", ["filter", ids["probe"]]),
            ("KIND_NOT_ALLOWED", ["filter", ids["hall"]]),
        ]
    )
    assert (plant.read("house")["parents"], plant.read("house")["status"]) == ([{"name": "motor"}], "moved")
    assert (plant.read("pump")["parents"], plant.read("pump")["status"]) == ([], "active")
    assert plant.update(plant.of("house", "motor"), {"parentId": None}) == done(2, 2)
    assert plant.read("motor")["parents"] == plant.read("house")["parents"] == []
    assert plant.update(plant.of("motor", "pump"), {"parentId": ids["house"]}, d=True) == done(2, 2)
    assert plant.read("motor")["parents"] == []
    assert plant.update(plant.of("motor", "pump"), {"parentId": ids["house"]}) == done(2, 2)
    assert plant.update(plant.of("motor", "pump"), {"parentId": ids["house"]}) == done(2, 0)
    assert plant.read("motor")["parents"] == plant.read("pump")["parents"] == [{"name": "house"}]
    # What it was a part of is history.
    assert plant.edges("motor") == [("house", False), ("motor", True), ("pump", True)]
    for parent, code in ((ids["probe"], "KIND_NOT_ALLOWED"), ("0190a3c4-0000-7000-8000-000000000000", "NOT_FOUND")):
        assert codes(plant.update(plant.of("motor"), {"parentId": parent})) == [(code, ["patch", "parentId"])]


def test_profiles_and_activities(api: Api) -> None:
    plant = Plant(api, "bulk-profiles")
    made = plant.client.call('mutation { createAssetProfile(input: {name: "fans"}) { assetProfile { id } } }').data
    profile = made["createAssetProfile"]["assetProfile"]["id"]
    payload = plant.update(plant.of("pump", "motor", "probe"), {"profileId": profile})
    assert (payload["changed"], codes(payload)) == (2, [("KIND_NOT_ALLOWED", ["filter", plant.ids["probe"]])])
    assert plant.read("pump")["profile"] == {"name": "fans"}
    assert plant.last("pump")["after"]["profileId"] == profile
    assert plant.update({"profileId": profile}, {"profileId": None}) == done(2, 2)
    assert plant.read("pump")["profile"] is None
    # A status is a transition of an activity.
    payload = plant.update(plant.of("work", "pump"), {"status": "verified"})
    assert (payload["changed"], codes(payload)) == (1, [("CONFLICT", ["filter", plant.ids["work"], "status"])])
    assert plant.update(plant.of("work"), {"status": "cancelled", "attributes": {"a": 1}}) == done(1, 1)
    assert (plant.read("work")["status"], plant.read("work")["attributes"]) == ("cancelled", {"a": 1})


def test_deleted_as_one_by_one(api: Api) -> None:
    plant, single = Plant(api, "bulk-delete"), Plant(api, "bulk-delete-single")
    assert plant.delete(plant.of("pump", "probe"), d=True) == done(2, 2)
    assert plant.read("pump")["deletedAt"] is None
    assert plant.delete(plant.of("pump", "probe"), r="scrap") == done(2, 2)
    for label, kind in (("pump", "Asset"), ("probe", "Device")):
        single.client.call(
            f"mutation M($id: ID!) {{ delete{kind}(id: $id) {{ errors {{ message }} }} }}", {"id": single.ids[label]}
        )
        for of in (plant, single):
            state = of.read(label)
            assert (state.pop("deletedAt") is None, state["edges"]["totalCount"]) == (False, 0)
            assert of.last(label)["action"] == "deleted"
    assert plant.last("pump")["reason"] == "scrap"
    assert plant.edges("pump") == single.edges("pump") == [("pump", True)] * 3
    assert plant.edges("probe") == single.edges("probe") == [("pump", True)]
    assert plant.delete({"kinds": ["ASSET"]}) == done(1, 1)
    assert plant.delete({"kinds": ["ASSET"]}) == done(0, 0)
    restore = "mutation R($id: ID!) { restoreEntity(id: $id) { errors { code } } }"
    assert plant.client.call(restore, {"id": plant.ids["pump"]}).data["restoreEntity"]["errors"] == []


@pytest.mark.parametrize(
    ("filter_", "patch", "code", "path"),
    [
        ({}, {"status": "x"}, "BAD_USER_INPUT", ["filter"]),
        ({"search": ""}, {"status": "x"}, "BAD_USER_INPUT", ["filter"]),
        ({"and": [{}], "or": [{"kinds": ["ASSET"]}, {}]}, {"status": "x"}, "BAD_USER_INPUT", ["filter"]),
        ({"deleted": True, "kinds": ["ASSET"]}, {"status": "x"}, "BAD_USER_INPUT", ["filter", "deleted"]),
        ({"underId": "x"}, {"status": "x"}, "NOT_FOUND", ["filter", "underId"]),
        ({"kinds": ["ASSET"]}, {}, "BAD_USER_INPUT", ["patch"]),
        ({"kinds": ["ASSET"]}, {"status": None}, "BAD_USER_INPUT", ["patch", "status"]),
        ({"kinds": ["ASSET"]}, {"status": ""}, "BAD_USER_INPUT", ["patch", "status"]),
        ({"kinds": ["ASSET"]}, {"attributes": None}, "BAD_USER_INPUT", ["patch", "attributes"]),
        ({"kinds": ["ASSET"]}, {"attributes": [1]}, "BAD_USER_INPUT", ["patch", "attributes"]),
        ({"kinds": ["ASSET"]}, {"location": {"type": "Point"}}, "BAD_USER_INPUT", ["patch", "location"]),
        ({"kinds": ["ASSET"]}, {"profileId": "x"}, "NOT_FOUND", ["patch", "profileId"]),
    ],
)  # fmt: skip
def test_what_is_refused_as_a_whole(
    api: Api, filter_: dict[str, Any], patch: dict[str, Any], code: str, path: list[str]
) -> None:
    payload = api.client("plant").call(UPDATE, {"f": filter_, "p": patch}).data["updateEntities"]
    assert (payload["matched"], payload["changed"]) == (0, 0)
    assert [(code, error["path"][: len(path)]) for error in payload["errors"]] == [(code, path)]
    assert payload["errors"][0]["code"] == code
    if path[0] == "filter":
        deleted = api.client("plant").call(DELETE, {"f": filter_}).data["deleteEntities"]
        assert codes(deleted) == [(code, path)]


def test_bounds(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    plant = Plant(api, "bulk-bounds")
    monkeypatch.setattr(domain.nodes.bulk, "ENTITIES_MAX", 1)
    monkeypatch.setattr(domain.nodes.bulk, "ACTIVITIES_MAX", 0)
    for payload in (plant.update({"kinds": ["ASSET"]}, {"status": "x"}), plant.delete({"kinds": ["ASSET"]})):
        [error] = payload["errors"]
        assert (error["code"], error["path"]) == ("LIMIT_EXCEEDED", ["filter"])
        assert error["message"] == "The filter selects 2 entities; at most 1 are changed at once."
    assert codes(plant.update(plant.of("work"), {"status": "cancelled"})) == [("LIMIT_EXCEEDED", ["filter"])]


def test_callers_change_what_is_theirs(api: Api) -> None:
    plant, other = Plant(api, "bulk-callers"), Plant(api, "bulk-strangers")
    assert other.update(plant.of("pump", "hall"), {"status": "x"}) == done(0, 0)
    assert other.delete(plant.of("pump", "hall")) == done(0, 0)
    operator = api.client(plant.slug, "operator")
    assert operator.call(DELETE, {"f": {"kinds": ["ASSET"]}}).error_codes == ["FORBIDDEN"]
    viewer = api.client(plant.slug, "viewer")
    assert viewer.call(UPDATE, {"f": {"kinds": ["ASSET"]}, "p": {"status": "x"}}).error_codes == ["FORBIDDEN"]
    # Below the pump are its motor and its probe, not the hall it is in.
    confined = api.client(plant.slug, "admin", under=[plant.ids["pump"]])
    everything = {"f": {"not": {"ids": []}}, "p": {"status": "confined"}}
    assert confined.call(UPDATE, everything).data["updateEntities"] == done(3, 3)
    assert (plant.read("motor")["status"], plant.read("hall")["status"]) == ("confined", "active")
    payload = plant.delete(plant.of("pump", "motor"), confined)
    assert (payload["matched"], payload["changed"]) == (2, 1)
    assert codes(payload) == [("FORBIDDEN", ["filter", plant.ids["pump"]])]
    assert plant.read("pump")["deletedAt"] is None
    assert plant.read("motor")["deletedAt"] is not None
