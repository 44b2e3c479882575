"""A plant with everything that the API can set goes from one organization to another, and back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from domain.exchange.exports.graph import graph_export
from domain.plant.entity_kind import entity_details_update
from domain.work.activities.model import ACTIVITY
from graph.relationships.builtin import BUILT_IN, LINKS
from runtime.database import engine_create
from testing.api import Api
from testing.installation import Client
from testing.world import World
from tests.gql.exchange.test_imports import IMPORT

KINDS = ("Asset", "Device", "Space", "Person", "Activity")
BEGINS, ENDS = "2024-03-01T00:00:00Z", "2030-01-01T00:00:00.5Z"
SQUARE = [[[8, 47], [9, 47], [9, 48], [8, 48], [8, 47]], [[8.25, 47.25], [8.25, 47.5], [8.5, 47.5], [8.25, 47.25]]]
LOCATIONS: dict[str, Any] = {
    "Asset": {"type": "Point", "coordinates": [8.123456789, -47.25]},
    "Device": {"type": "LineString", "coordinates": [[8, 47], [8.5, 47.125]]},
    "Space": {"type": "Polygon", "coordinates": SQUARE},
    "Person": {"type": "MultiPolygon", "coordinates": [SQUARE]},
    "Activity": {"type": "GeometryCollection", "geometries": [{"type": "MultiPoint", "coordinates": [[1, 2], [3, 4]]}]},
}
OWN: dict[str, dict[str, Any]] = {
    "Device": {"firmwareVersion": "1.2-rc\u00e9"},
    "Person": {"email": "ann@example.org"},
    "Activity": {
        "category": "repair", "priority": "high", "dueAt": "2031-01-01T00:00:00.000001Z",
        "checklist": ["Look", {"text": "Lock out", "required": True, "done": True, "id": "x", "photo": [1, None]}],
    },
}  # fmt: skip


class Plant:
    """One organization over the API, and its exports."""

    def __init__(self, api: Api, name: str) -> None:
        self.world = World(api.organization(name), engine_create(api.settings.database_url("api"), pool_size=1))
        self.client: Client = api.client(name)

    def __call__(self, field: str, result: str, **arguments: tuple[str, Any]) -> dict[str, Any]:
        """Call a mutation with (type, value) by argument; return its result, which nothing refused."""
        declared = ", ".join(f"${name}: {of}" for name, (of, _) in arguments.items())
        given = ", ".join(f"{name}: ${name}" for name in arguments)
        query = f"mutation M({declared}) {{ {field}({given}) {{ {result} errors {{ code message path }} }} }}"
        made: dict[str, Any] = self.client.call(query, {name: value for name, (_, value) in arguments.items()}).data[
            field
        ]
        assert made["errors"] == [], (field, made)
        return made

    def input(self, of: str, **values: Any) -> tuple[str, dict[str, Any]]:
        """An input object in which every field that there is has a value."""
        described = self.client.call(f'{{ __type(name: "{of}") {{ inputFields {{ name }} }} }}').data["__type"]
        assert {field["name"] for field in described["inputFields"]} == set(values), (
            f"a field of {of} has no value here"
        )
        return f"{of}!", values

    def exported(self) -> list[dict[str, Any]]:
        with self.world.session() as session:
            return list(graph_export(session, organization_id=self.world.organization_id))

    def bring(self, records: list[dict[str, Any]]) -> dict[str, Any]:
        made: dict[str, Any] = self.client.call(IMPORT, {"records": records, "dry": False}).data["importGraph"]
        return made

    def profiles(self) -> dict[str, str]:
        nodes = self.client.call("{ assets { nodes { id profile { name } } } }").data["assets"]["nodes"]
        return {node["id"]: node["profile"]["name"] for node in nodes if node["profile"]}

    def profile(self, name: str) -> str:
        given = {"name": name, "defaultAttributes": {"power": 5}}
        made = self("createAssetProfile", "assetProfile { id }", input=("AssetProfileInput!", given))
        profile_id: str = made["assetProfile"]["id"]
        return profile_id


@pytest.fixture
def plants(api: Api, request: pytest.FixtureRequest) -> Iterator[list[Plant]]:
    made = [Plant(api, f"round-{request.node.name[-5:].strip('_')}-{n}") for n in range(2)]
    yield made
    for plant in made:
        plant.world.api.dispose()


def furnished(plant: Plant) -> None:
    """Make entities of every kind, edges of every relationship, and activities from a template."""
    plant(
        "createRelationship", "relationship { name }",
        input=plant.input(
            "RelationshipInput", name="COOLS", inverse="COOLED_BY", sourceKinds=["ASSET", "DEVICE"],
            targetKinds=["ASSET", "DEVICE"], hierarchy=True, exclusive="SOURCE",
        ),
    )  # fmt: skip
    plant(
        "createEntityType", "entityType { id }",
        input=plant.input(
            "EntityTypeInput", kind="ASSET", name="pump", description="Moves water.", attributes={"kW": 5},
            telemetrySchema={"metrics": {"t": {"unit": "Cel"}}, "derived": {"twice": {"formula": "t * 2"}}},
            effectiveFrom=BEGINS,
        ),
    )  # fmt: skip
    ids: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for kind in KINDS:
        for n in range(3):
            values = {
                "name": f"{kind} {n} \u00e9", "externalId": f"{kind}-{n}" if n else None, "type": "pump",
                "status": "standby" if n else "active", "attributes": {"a": [1, 1.5, None, {"b": True}], "role": "crew"},
                "location": LOCATIONS[kind], **OWN.get(kind, {}),
            }  # fmt: skip
            if kind in {"Asset", "Space"}:
                values["parentId"] = ids[kind][0] if n else None
            given = plant.input(f"Create{kind}Input", **values)
            ids[kind].append(plant(f"create{kind}", f"{kind.lower()} {{ id }}", input=given)[kind.lower()]["id"])
    profile = ("ID!", plant.profile("Pumps"))
    draft = {"name": "P", "externalId": "P", "parentId": ids["Asset"][0]}
    plant("createAssetFromProfile", "asset { id }", profileId=profile, input=("CreateAssetInput!", draft))
    plant("setAssetProfile", "asset { id }", assetId=("ID!", ids["Asset"][1]), profileId=("ID!", profile[1]))
    edges(plant, ids)
    activities(plant, ids)
    for kind in KINDS:
        gone = plant(
            f"create{kind}",
            f"{kind.lower()} {{ id }}",
            input=(f"Create{kind}Input!", {"name": "Gone", "externalId": "G"}),
        )
        plant(f"delete{kind}", "errors { path }", id=("ID!", gone[kind.lower()]["id"]))
    other = plant.profile("Old")
    gone = plant(
        "createAssetFromProfile",
        "asset { id }",
        profileId=("ID!", other),
        input=("CreateAssetInput!", {"name": "Gone"}),
    )
    plant("deleteAsset", "errors { path }", id=("ID!", gone["asset"]["id"]))
    plant("deleteAssetProfile", "errors { path }", id=("ID!", other))


def edges(plant: Plant, ids: dict[str, list[str]]) -> None:
    """Make an edge between each two kinds that a relationship connects, with every option that it takes."""
    for relationship in BUILT_IN:
        for place, (source, target) in enumerate(
            (s, t) for s in relationship.source_kinds for t in relationship.target_kinds
        ):
            ends = [ids[source.capitalize()][1], ids[target.capitalize()][2]]
            is_device, is_link = target == "DEVICE", relationship.name in LINKS
            plant(
                "createEdge", "edge { id }",
                input=plant.input(
                    "CreateEdgeInput", sourceId=ends[0], targetId=ends[1], relationship=relationship.name,
                    port=place if is_device else None, exclusive=True if is_link and source == "ASSET" else None,
                    validFrom=BEGINS, validUntil=ENDS,
                    metadata={"metrics_mapping": {"t": "temperature"}} if is_link else {"n": [1, {"m": None}]},
                ),
            )  # fmt: skip
    for relationship_name, exclusive, port in (("MONITORED_BY", False, None), ("CONTROLLED_BY", None, 7)):
        values: dict[str, Any] = {
            "deviceId": ids["Device"][0], "assetId": ids["Asset"][0], "relationship": relationship_name, "port": port,
            "exclusive": exclusive, "validFrom": BEGINS, "validUntil": None, "metadata": {"metrics_mapping": {}},
        }  # fmt: skip
        plant("linkDevice", "edge { id }", input=plant.input("LinkDeviceInput", **values))
    for above, below, begins, ends_at in (("Asset", "Device", BEGINS, ENDS), ("Device", "Asset", ENDS, None)):
        cools = {
            "sourceId": ids[above][0], "targetId": ids[below][0], "relationship": "COOLS",
            "validFrom": begins, "validUntil": ends_at,
        }  # fmt: skip
        plant("createEdge", "edge { id }", input=("CreateEdgeInput!", cools))


def activities(plant: Plant, ids: dict[str, list[str]]) -> None:
    """Make activities from a template: one with an assignee, one with a suggestion to close it."""
    given = {"sourceId": ids["Person"][0], "targetId": ids["Space"][0], "relationship": "LOCATED_IN"}
    plant("createEdge", "edge { id }", input=("CreateEdgeInput!", given))
    template = plant.input(
        "ActivityTemplateInput", name="Service", description="Each year.", type="service", defaultPriority="low",
        defaultAssignedRole="crew", checklist=[{"text": "Oil", "required": True}, "Look"], dueIn="P30D",
    )  # fmt: skip
    made = plant("createActivityTemplate", "activityTemplate { id }", input=template)
    of = ("ID!", made["activityTemplate"]["id"])
    for targets in (ids["Space"][:1], ids["Asset"][:2]):
        result = "activity { id state checklist }"
        activity = plant("createActivityFromTemplate", result, templateId=of, targetIds=("[ID!]!", targets))["activity"]
        plant("completeChecklistItem", "activity { id }", activityId=("ID!", activity["id"]), itemId=("String!", "1"))
        if activity["state"] == "OPEN":
            person = ("ID!", ids["Person"][1])
            plant("assignActivity", "activity { id }", id=("ID!", activity["id"]), personId=person)
    suggestion = {"action": "CLOSE", "eventId": activity["id"], "at": BEGINS}
    with plant.world.changing() as (session, change):
        details = {UUID(activity["id"]): {"suggestion": suggestion}}
        entity_details_update(session, change=change, spec=ACTIVITY, details=details)


def lines(records: list[dict[str, Any]]) -> list[str]:
    return sorted(json.dumps(record, sort_keys=True) for record in records)


def test_everything_that_the_api_can_set_moves(plants: list[Plant]) -> None:
    one, other = plants
    furnished(one)
    first = one.exported()
    used = [record["profile"] for record in first if "profile" in record]
    assert used == ["Pumps", "Pumps"]
    assert all(record.get("closingSuggestion") is None and "profileId" not in record for record in first)
    # The profile is not there yet: everything but it is imported.
    made = other.bring(first)
    assert {(error["code"], error["path"][-1]) for error in made["errors"]} == {("NOT_FOUND", "profile")}
    assert len(made["errors"]) == len(used)
    without = [{name: value for name, value in record.items() if name != "profile"} for record in first]
    assert lines(other.exported()) == lines(without)
    # It is there: the same file adds it.
    other.profile("Pumps")
    made = other.bring(first)
    assert (made["errors"], made["created"], made["updated"]) == ([], 0, len(used))
    assert lines(other.exported()) == lines(first)
    assert other.profiles() == one.profiles()
    # Where it came from, and where it went, it changes nothing.
    for plant in plants:
        made = plant.bring(first)
        counts = [made[name] for name in ("created", "updated", "definitionsCreated", "edgesCreated", "edgesUpdated")]
        assert (made["errors"], counts) == ([], [0] * 5)


def test_an_organization_with_the_profile_takes_all_at_once(plants: list[Plant]) -> None:
    one, other = plants
    furnished(one)
    other.profile("Pumps")
    first = one.exported()
    assert other.bring(first)["errors"] == []
    assert lines(other.exported()) == lines(first)
