"""Deleted entities are listed and restored."""

from __future__ import annotations

from testing.api import Api

CREATE = 'mutation C($e: String) { createAsset(input: {name: "Pump", externalId: $e}) { asset { id } } }'
DELETE = "mutation D($id: ID!) { deleteAsset(id: $id) { errors { code } } }"
RESTORE = """mutation R($id: ID!, $e: String) {
  restoreEntity(id: $id, externalId: $e) { entity { externalId deletedAt } errors { code path } }
}"""
LIST = "query L($f: EntityFilter) { assets(filter: $f) { totalCount nodes { id deletedAt } } }"


def test_what_was_deleted_is_listed_and_restored_under_another_external_id(api: Api) -> None:
    api.organization("restoring")
    admin = api.client("restoring")
    first = admin.call(CREATE, {"e": "P-1"}).data["createAsset"]["asset"]["id"]
    assert admin.call(DELETE, {"id": first}).data["deleteAsset"]["errors"] == []
    second = admin.call(CREATE, {"e": "P-1"}).data["createAsset"]["asset"]["id"]
    deleted = admin.call(LIST, {"f": {"deleted": True, "search": "pum"}}).data["assets"]
    assert (deleted["totalCount"], [node["id"] for node in deleted["nodes"]]) == (1, [first])
    assert deleted["nodes"][0]["deletedAt"] is not None
    current = admin.call(LIST, {"f": {"deleted": False}}).data["assets"]["nodes"]
    assert current == [{"id": second, "deletedAt": None}]
    own = RESTORE.replace(", $e: String", "").replace(", externalId: $e", "")
    for query, variables, path in ((own, {}, ["id"]), (RESTORE, {"e": "P-1"}, ["externalId"])):
        refused = admin.call(query, {"id": first, **variables}).data["restoreEntity"]
        assert refused == {"entity": None, "errors": [{"code": "CONFLICT", "path": path}]}
    restored = admin.call(RESTORE, {"id": first, "e": "P-1-old"}).data["restoreEntity"]
    assert restored == {"entity": {"externalId": "P-1-old", "deletedAt": None}, "errors": []}
    assert admin.call(LIST, {"f": {"deleted": True}}).data["assets"]["totalCount"] == 0
