"""`Device.rawReadings` over the API: pages, nodes, and who sees them."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from gql.errors import ErrorCode
from runtime.database import engine_create, transaction
from testing.api import Api
from testing.installation import Client

READ = """query R($id: ID!, $first: Int, $after: String, $last: Int, $before: String) {
  entity(id: $id) { ... on Device { rawReadings(first: $first, after: $after, last: $last, before: $before) {
    totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    nodes { id receivedAt timestamp port transport payload outcome deadLetters { code } } } } } }"""
LINK = """mutation L($d: ID!, $a: ID!) { linkDevice(input: {deviceId: $d, assetId: $a}) { errors { message } } }"""


@pytest.fixture(scope="module")
def ids(api: Api) -> dict[str, str]:
    """A device of a pump that has sent three readings, and another device, each reading waiting to be processed."""
    organization_id = api.organization("raw-readings")
    client = api.client("raw-readings")
    create = """mutation { device: createDevice(input: {name: "probe"}) { device { id } }
        other: createDevice(input: {name: "other"}) { device { id } }
        pump: createAsset(input: {name: "pump"}) { asset { id } } }"""
    data = client.call(create).data
    made = {name: next(iter(payload.values()))["id"] for name, payload in data.items()}
    assert client.call(LINK, {"d": made["device"], "a": made["pump"]}).data == {"linkDevice": {"errors": []}}
    send = "mutation I($r: [ReadingInput!]!) { ingestTelemetry(readings: $r) { accepted } }"
    for number, name in enumerate(("device", "device", "device", "other")):
        reading = {"deviceId": made[name], "port": 1, "timestamp": "2026-01-01T00:00:00Z", "metrics": {"t": number}}
        assert client.call(send, {"r": [reading]}).data == {"ingestTelemetry": {"accepted": 1}}
    engine = engine_create(api.settings.database_url("owner"), pool_size=1)
    with transaction(engine) as session:
        [raw_id, key] = session.execute(
            text("SELECT id, key FROM telemetry_raw WHERE device_id = :d ORDER BY received_at, id LIMIT 1"),
            {"d": made["device"]},
        ).one()
        values = {"o": organization_id, "d": made["device"], "raw": raw_id, "key": key}
        session.execute(
            text("UPDATE raw_batches SET normalized_at = now() WHERE organization_id = :o AND first_raw_id = :raw"),
            values,
        )
        session.execute(
            text(
                "INSERT INTO reading_keys (organization_id, device_id, key, raw_id, received_at, stored)"
                " VALUES (:o, :d, :key, :raw, now(), false)"
            ),
            values,
        )
        session.execute(
            text(
                "INSERT INTO dead_letters (organization_id, id, raw_id, device_id, stage, code, message, payload,"
                " received_at, attempts, failed_at)"
                " VALUES (:o, gen_random_uuid(), :raw, :d, 'normalize', 'OUT_OF_RANGE', 'x', '{}', now(), 1, now())"
            ),
            values,
        )
    engine.dispose()
    return made


def read(client: Client, device_id: str, **variables: Any) -> Any:
    entity = client.call(READ, {"id": device_id, **variables}).data["entity"]
    return None if entity is None else entity["rawReadings"]


def test_pages_have_the_last_received_first(api: Api, ids: dict[str, str]) -> None:
    client = api.client("raw-readings", "viewer")
    whole = read(client, ids["device"])
    assert whole["totalCount"] == 3
    shown = [(node["payload"], node["port"], node["outcome"], node["deadLetters"]) for node in whole["nodes"]]
    assert shown == [
        ({"t": 2}, 1, "pending", []),
        ({"t": 1}, 1, "pending", []),
        ({"t": 0}, 1, "dead", [{"code": "OUT_OF_RANGE"}]),
    ]
    assert {node["timestamp"] for node in whole["nodes"]} == {"2026-01-01T00:00:00Z"}
    assert {node["transport"] for node in whole["nodes"]} == {"graphql"}
    first = read(client, ids["device"], first=2)
    assert first["nodes"] == whole["nodes"][:2]
    assert (first["pageInfo"]["hasNextPage"], first["pageInfo"]["hasPreviousPage"]) == (True, False)
    rest = read(client, ids["device"], first=2, after=first["pageInfo"]["endCursor"])
    assert rest["nodes"] == whole["nodes"][2:]
    assert rest["pageInfo"]["hasNextPage"] is False
    last = read(client, ids["device"], last=1)
    assert last["nodes"] == whole["nodes"][2:]
    before = read(client, ids["device"], last=5, before=last["pageInfo"]["startCursor"])
    assert before["nodes"] == whole["nodes"][:2]


def test_a_reading_is_read_again_by_its_id(api: Api, ids: dict[str, str]) -> None:
    client = api.client("raw-readings")
    node = read(client, ids["device"])["nodes"][2]
    text_ = "query N($id: ID!) { node(id: $id) { id ... on RawReading { payload outcome } } }"
    expected = {"id": node["id"], "payload": {"t": 0}, "outcome": "dead"}
    assert client.call(text_, {"id": node["id"]}).data == {"node": expected}
    api.organization("raw-readings-elsewhere")
    stranger = api.client("raw-readings-elsewhere")
    assert stranger.call(text_, {"id": node["id"]}).data == {"node": None}
    assert read(stranger, ids["device"]) is None


def test_a_confined_caller_sees_those_of_its_devices(api: Api, ids: dict[str, str]) -> None:
    confined = api.client("raw-readings", "viewer", under=[ids["pump"]])
    assert read(confined, ids["device"]) == read(api.client("raw-readings"), ids["device"])
    assert read(confined, ids["other"]) is None
    node = read(api.client("raw-readings"), ids["other"])["nodes"][0]["id"]
    assert confined.call("query N($id: ID!) { node(id: $id) { id } }", {"id": node}).data == {"node": None}


def test_what_is_beyond_a_bound_is_refused(api: Api, ids: dict[str, str]) -> None:
    client = api.client("raw-readings")
    for variables, path in (({"first": 501}, ["first"]), ({"after": "x"}, ["after"])):
        reply = client.call(READ, {"id": ids["device"], **variables})
        assert reply.error_codes == [ErrorCode.BAD_USER_INPUT]
        assert reply.body["errors"][0]["extensions"]["argumentPath"] == path
        assert reply.body["data"] == {"entity": {"rawReadings": None}}
