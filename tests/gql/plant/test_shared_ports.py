"""A device's port is shared by assets, or one link has it alone, as GraphQL says it."""

from __future__ import annotations

from typing import Any

import pytest

from testing.api import Api
from testing.installation import Client

EDGE = "edge { id edgeId port exclusive validFrom } errors { code path message }"
LINK = f"mutation L($input: LinkDeviceInput!) {{ linkDevice(input: $input) {{ {EDGE} }} }}"
CREATE = f"mutation C($input: CreateEdgeInput!) {{ createEdge(input: $input) {{ {EDGE} }} }}"
CORRECT = f"mutation C($id: ID!, $exclusive: Boolean) {{ correctEdge(id: $id, exclusive: $exclusive) {{ {EDGE} }} }}"
RETRACT = f"mutation R($id: ID!) {{ correctEdge(id: $id, exclusive: true, retract: true) {{ {EDGE} }} }}"
REPLACE = """mutation R($old: ID!, $new: ID!) { replaceDevice(deviceId: $old, replacementId: $new) {
  created { port exclusive source { id } } errors { code path } } }"""
SINCE = "2026-03-01T00:00:00Z"


@pytest.fixture(scope="module")
def admin(api: Api) -> Client:
    api.organization("sharing")
    return api.client("sharing", "admin")


def make(client: Client, kind: str) -> str:
    name = kind.capitalize()
    mutation = f'mutation {{ create{name}(input: {{name: "x"}}) {{ {kind} {{ id }} }} }}'
    return str(client.call(mutation).data[f"create{name}"][kind]["id"])


def link(client: Client, **given: Any) -> dict[str, Any]:
    made: dict[str, Any] = client.call(LINK, {"input": {"validFrom": SINCE, **given}}).data["linkDevice"]
    return made


def refusal(payload: dict[str, Any]) -> list[tuple[str, list[str]]]:
    return [(error["code"], error["path"]) for error in payload["errors"]]


def test_a_sensor_is_shared_until_a_link_is_exclusive(admin: Client) -> None:
    weather = make(admin, "device")
    first, second = (link(admin, deviceId=weather, assetId=make(admin, "asset"), port=1) for _ in range(2))
    assert [made["edge"]["exclusive"] for made in (first, second)] == [False, False]
    third = link(admin, deviceId=weather, assetId=make(admin, "asset"), port=1, exclusive=True)
    assert refusal(third) == [("CONFLICT", ["input", "exclusive"])]
    alone = link(admin, deviceId=weather, assetId=make(admin, "asset"), port=2, exclusive=True)
    assert alone["edge"]["exclusive"] is True
    assert refusal(link(admin, deviceId=weather, assetId=make(admin, "asset"), port=2)) == [
        ("CONFLICT", ["input", "port"])
    ]
    shared = admin.call(CORRECT, {"id": alone["edge"]["id"], "exclusive": False}).data["correctEdge"]
    assert (shared["edge"]["exclusive"], shared["edge"]["validFrom"]) == (False, SINCE)
    assert link(admin, deviceId=weather, assetId=make(admin, "asset"), port=2)["errors"] == []
    refused = admin.call(CORRECT, {"id": alone["edge"]["id"], "exclusive": True}).data["correctEdge"]
    assert refusal(refused) == [("CONFLICT", ["exclusive"])]
    assert refusal(admin.call(CORRECT, {"id": alone["edge"]["id"], "exclusive": None}).data["correctEdge"]) == [
        ("BAD_USER_INPUT", ["exclusive"])
    ]
    assert refusal(admin.call(RETRACT, {"id": alone["edge"]["id"]}).data["correctEdge"]) == [
        ("BAD_USER_INPUT", ["retract"])
    ]


def test_a_device_that_controls_has_one_asset_a_port(admin: Client) -> None:
    valve = make(admin, "device")
    control = {"deviceId": valve, "relationship": "CONTROLLED_BY"}
    assert link(admin, assetId=make(admin, "asset"), **control)["edge"]["exclusive"] is True
    assert refusal(link(admin, assetId=make(admin, "asset"), **control)) == [("CONFLICT", ["input", "deviceId"])]
    wrong = link(admin, assetId=make(admin, "asset"), exclusive=False, **control)
    assert refusal(wrong) == [("BAD_USER_INPUT", ["input", "exclusive"])]


def test_other_edges_than_those_to_devices_are_never_exclusive_by_choice(admin: Client) -> None:
    ends = {"sourceId": make(admin, "asset"), "targetId": make(admin, "asset"), "relationship": "FEEDS"}
    refused = admin.call(CREATE, {"input": {**ends, "exclusive": True}}).data["createEdge"]
    assert refusal(refused) == [("BAD_USER_INPUT", ["input", "exclusive"])]
    assert admin.call(CREATE, {"input": {**ends, "exclusive": False}}).data["createEdge"]["edge"]["exclusive"] is False


def test_a_replacement_takes_over_all_that_share_and_stays_exclusive(admin: Client) -> None:
    old, new, later = (make(admin, "device") for _ in range(3))
    assets = [make(admin, "asset") for _ in range(3)]
    for asset in assets:
        link(admin, deviceId=old, assetId=asset, port=1)
    link(admin, deviceId=old, assetId=assets[0], port=2, exclusive=True)
    done = admin.call(REPLACE, {"old": old, "new": new}).data["replaceDevice"]
    assert done["errors"] == []
    created = {(edge["source"]["id"], edge["port"], edge["exclusive"]) for edge in done["created"]}
    assert created == {*((asset, 1, False) for asset in assets), (assets[0], 2, True)}
    # Where one link cannot move, none does.
    link(admin, deviceId=later, assetId=make(admin, "asset"), port=2)
    refused = admin.call(REPLACE, {"old": new, "new": later}).data["replaceDevice"]
    assert (refused["created"], refusal(refused)) == ([], [("CONFLICT", ["replacementId"])])
