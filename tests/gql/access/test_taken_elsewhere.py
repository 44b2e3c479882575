"""What a confined caller does not see has names and exclusive places, too: a conflict, never a defect."""

from __future__ import annotations

from typing import Any

from testing.api import Api
from testing.installation import Client

PLANT = """mutation { house: createAsset(input: {name: "house"}) { asset { id } }
  vault: createAsset(input: {name: "vault", externalId: "vault"}) { asset { id } }
  meter: createDevice(input: {name: "meter"}) { device { id } } }"""
LINK = """mutation L($asset: ID!, $device: ID!, $port: Int, $exclusive: Boolean) {
  linkDevice(input: {assetId: $asset, deviceId: $device, relationship: "MONITORED_BY", port: $port,
    exclusive: $exclusive, validFrom: "2026-01-01T00:00:00Z"}) { edge { id } errors { code message } } }"""


def codes(client: Client, text: str, **variables: Any) -> list[str]:
    reply = client.call(text, variables)
    [payload] = reply.data.values()
    return [error["code"] for error in payload["errors"]]


def test_a_name_or_a_place_that_is_taken_elsewhere_is_a_conflict(api: Api) -> None:
    admin = api.client("plant")
    made = admin.call(PLANT).data
    house, vault = (made[name]["asset"]["id"] for name in ("house", "vault"))
    meter = made["meter"]["device"]["id"]
    # The meter is seen from the house, and what it has in the vault is not.
    assert codes(admin, LINK, asset=house, device=meter, port=2) == []
    assert codes(admin, LINK, asset=vault, device=meter, port=1, exclusive=True) == []
    key = admin.call(
        """mutation K($ids: [ID!]) { createApiKey(input: {name: "k", role: "admin", underIds: $ids}) {
          key errors { message } } }""",
        {"ids": [house]},
    ).data["createApiKey"]["key"]
    confined = Client(api.url, key)
    create = """mutation C($parent: ID!, $x: String!) { createAsset(input: {name: "new", parentId: $parent,
      externalId: $x}) { asset { id } errors { code message } } }"""
    assert codes(confined, create, parent=house, x="free") == []
    assert codes(confined, create, parent=house, x="vault") == ["CONFLICT"]
    rename = 'mutation U($id: ID!) { updateAsset(id: $id, input: {externalId: "vault"}) { errors { code } } }'
    assert codes(confined, rename, id=house) == ["CONFLICT"]
    assert codes(confined, LINK, asset=house, device=meter, port=1, exclusive=True) == ["CONFLICT"]
