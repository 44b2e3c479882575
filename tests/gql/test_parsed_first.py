"""Input is parsed before a change takes the organization's lock: malformed input waits for nobody."""

from __future__ import annotations

from graph.change import graph_change_begin
from runtime.database import engine_create, transaction
from runtime.ids import new_id
from testing.api import Api

MUTATIONS = [
    'endEdge(id: "x") { errors { code path } }',
    'correctEdge(id: "x", retract: true) { errors { code path } }',
    'linkDevice(input: {deviceId: "x", assetId: "y"}) { errors { code path } }',
    'replaceDevice(deviceId: "x", replacementId: "y") { errors { code path } }',
    'updateDevice(id: "x", input: {name: "n"}) { errors { code path } }',
    'deleteAsset(id: "x") { errors { code path } }',
    'restoreEntity(id: "x") { errors { code path } }',
    'updateEntityType(id: "x", input: {kind: ASSET, name: "n"}) { errors { code path } }',
    'setAssetProfile(assetId: "x") { errors { code path } }',
    'deleteRule(id: "x") { errors { code path } }',
    'deleteRollup(id: "x") { errors { code path } }',
    'transitionActivity(id: "x", to: OPEN) { errors { code path } }',
    'assignActivity(id: "x") { errors { code path } }',
    'revokeDeviceToken(deviceId: "x", tokenId: "y") { errors { code path } }',
    'deleteActivityTemplate(id: "x") { errors { code path } }',
    'unshelveEvents(id: "x") { errors { code path } }',
    'updateEntities(filter: {underId: "x"}, patch: {status: "s"}) { errors { code path } }',
    'deleteGroup(id: "x") { errors { code path } }',
    'addToGroup(groupId: "x", entityIds: ["y"]) { errors { code path } }',
    'createGroup(input: {name: "g", kind: DYNAMIC, filter: {underId: "x"}}) { errors { code path } }',
    'deleteEntities(filter: {profileId: "x"}) { errors { code path } }',
    'cloneAsset(id: "x", input: {name: "c"}) { errors { code path } }',
    'eraseEntity(id: "x", name: "n") { errors { code path } }',
]


def test_a_malformed_id_is_refused_while_another_change_is_under_way(api: Api) -> None:
    organization_id = api.organization("parsed-first")
    client = api.client("parsed-first")
    engine = engine_create(api.settings.database_url("api"), pool_size=1)
    try:
        with transaction(engine, organization_id) as session:
            graph_change_begin(session, organization_id=organization_id, actor="test", new_id=new_id)
            for mutation in MUTATIONS:
                reply = client.call(f"mutation {{ result: {mutation} }}")
                # One that waited would be ended by its deadline.
                assert reply.error_codes == [], (mutation, reply.body)
                assert reply.data["result"]["errors"], mutation
    finally:
        engine.dispose()
