"""Asset profiles over the API."""

from __future__ import annotations

import pytest

from testing.api import Api
from testing.installation import Client

FIELDS = """{ assetProfile { id name type version defaultAttributes defaultHealthThresholds formulas rules health
  versions { number actor } } errors { code path } }"""
CREATE = f"mutation C($input: AssetProfileInput!) {{ createAssetProfile(input: $input) {FIELDS} }}"
UPDATE = f"mutation U($id: ID!, $input: AssetProfileInput!) {{ updateAssetProfile(id: $id, input: $input) {FIELDS} }}"
ASSET = """mutation A($id: ID!, $input: CreateAssetInput!) { createAssetFromProfile(profileId: $id, input: $input) {
  asset { id type attributes profile { name } } errors { code path } } }"""
PREVIEW = """query P($id: ID!, $input: AssetProfileInput!) { previewAssetProfile(id: $id, input: $input) {
  preview { assetCount truncated attributes { added removed changed } thresholds { added removed changed }
    healthChanged assets { asset { name } given kept } } errors { code path } } }"""


@pytest.fixture(scope="module")
def client(api: Api) -> Client:
    api.organization("profiles")
    return api.client("profiles")


def test_a_profile_from_first_to_last(client: Client) -> None:
    given = {"name": "Pump", "type": "pump", "defaultAttributes": {"power": 5}}
    made = client.call(CREATE, {"input": given}).data["createAssetProfile"]
    profile = made["assetProfile"]
    assert made["errors"] == []
    assert profile == {
        "id": profile["id"], "name": "Pump", "type": "pump", "version": 1, "defaultAttributes": {"power": 5},
        "defaultHealthThresholds": {}, "formulas": {}, "rules": [], "health": {},
        "versions": [{"number": 1, "actor": "admin@test"}],
    }  # fmt: skip
    asset = client.call(ASSET, {"id": profile["id"], "input": {"name": "P1"}}).data["createAssetFromProfile"]["asset"]
    assert asset == {"id": asset["id"], "type": "pump", "attributes": {"power": 5}, "profile": {"name": "Pump"}}
    edit = {"name": "Pump", "defaultAttributes": {"power": 6}, "defaultHealthThresholds": {"t": {"critHigh": 90}}}
    preview = client.call(PREVIEW, {"id": profile["id"], "input": edit}).data["previewAssetProfile"]
    none: list[str] = []
    assert preview == {
        "preview": {
            "assetCount": 1, "truncated": False, "healthChanged": False,
            "attributes": {"added": none, "removed": none, "changed": ["power"]},
            "thresholds": {"added": ["t"], "removed": none, "changed": none},
            "assets": [{"asset": {"name": "P1"}, "given": {"power": 6}, "kept": none}],
        },
        "errors": none,
    }  # fmt: skip
    after = client.call(UPDATE, {"id": profile["id"], "input": edit}).data["updateAssetProfile"]["assetProfile"]
    assert (after["version"], after["type"], after["defaultAttributes"]) == (2, "pump", {"power": 6})
    node = client.call("query N($id: ID!) { node(id: $id) { ... on AssetProfile { version } } }", {"id": profile["id"]})
    assert node.data == {"node": {"version": 2}}
    listed = client.call("{ assetProfiles { totalCount nodes { id } edges { node { id } } } }").data["assetProfiles"]
    assert listed == {
        "totalCount": 1, "nodes": [{"id": profile["id"]}], "edges": [{"node": {"id": profile["id"]}}],
    }  # fmt: skip
    gone = f'mutation {{ deleteAssetProfile(id: "{profile["id"]}") {{ errors {{ code path }} }} }}'
    assert client.call(gone).data["deleteAssetProfile"]["errors"] == [{"code": "CONFLICT", "path": ["id"]}]
    off = (
        f'mutation {{ setAssetProfile(assetId: "{asset["id"]}") {{ asset {{ profile {{ id }} }} errors {{ code }} }} }}'
    )
    assert client.call(off).data["setAssetProfile"] == {"asset": {"profile": None}, "errors": []}
    assert client.call(gone).data["deleteAssetProfile"]["errors"] == []


def test_faults_have_the_path_of_the_argument(client: Client) -> None:
    bad = {"name": "Bad", "defaultHealthThresholds": {"t": {"critHigh": "hot"}}}
    refused = client.call(CREATE, {"input": bad}).data["createAssetProfile"]
    path = ["input", "defaultHealthThresholds", "t", "critHigh"]
    assert refused == {"assetProfile": None, "errors": [{"code": "BAD_USER_INPUT", "path": path}]}
    nobody = "0190a3c4-0000-7000-8000-000000000000"
    made = client.call(ASSET, {"id": nobody, "input": {"name": "P1"}}).data["createAssetFromProfile"]
    assert made == {"asset": None, "errors": [{"code": "NOT_FOUND", "path": ["profileId"]}]}
    seen = client.call(PREVIEW, {"id": nobody, "input": {"name": "P1"}}).data["previewAssetProfile"]
    assert seen == {"preview": None, "errors": [{"code": "NOT_FOUND", "path": ["id"]}]}
