"""graphql-transport-ws, frame by frame."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import suppress
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from starlette.websockets import WebSocket
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

import gql.server.failures
from testing.api import Api
from testing.waits import patient, quiet_period_async, wait_until_async
from tests.gql.server.graphql_ws import PROTOCOL, closed_with, receive, run, send, socket, subscribe


def test_queries_run_over_the_socket(api: Api) -> None:
    async def scenario() -> None:
        async with socket(api, token=api.token("plant", "viewer")) as opened:
            await send(opened, subscribe("1", "{ viewer { role } }"))
            assert await receive(opened) == {
                "id": "1", "type": "next", "payload": {"data": {"viewer": {"role": "viewer"}}},
            }  # fmt: skip
            assert await receive(opened) == {"id": "1", "type": "complete"}
            await send(opened, {"type": "ping"})
            assert await receive(opened) == {"type": "pong"}

    run(scenario)


@pytest.mark.parametrize("query", ["{", "{ nothing }", "{ viewer { role } } query B { __typename }"])
def test_a_bad_operation_ends_alone(api: Api, query: str) -> None:
    async def scenario() -> None:
        async with socket(api, token=api.token("plant", "viewer")) as opened:
            await send(opened, subscribe("bad", query))
            answer = await receive(opened)
            assert (answer["id"], answer["type"]) == ("bad", "error")
            assert answer["payload"][0]["extensions"]["code"] == "BAD_USER_INPUT"
            await send(opened, subscribe("bad", "{ viewer { role } }"))
            assert (await receive(opened))["type"] == "next"

    run(scenario)


@pytest.mark.parametrize(
    "frame",
    [
        "null",
        "[]",
        "5",
        "{",
        "NaN",
        '{"type": 5}',
        '{"type": "unknown"}',
        '{"type": "ping", "payload": 1e400}',
        b"\x00",
    ],
)
def test_an_invalid_message_closes_with_4400(api: Api, frame: str | bytes) -> None:
    async def scenario() -> None:
        async with socket(api, token=api.token("plant", "viewer")) as opened:
            await send(opened, frame)
            assert await closed_with(opened) == 4400

    run(scenario)


@pytest.mark.parametrize("number", ["1e400", "-1e999", "NaN", "Infinity", "1e400, 5", '{"deep": [1e400]}'])
def test_a_number_that_is_none_in_the_variables_ends_its_operation_alone(api: Api, number: str) -> None:
    async def scenario() -> None:
        async with socket(api, token=api.token("plant", "viewer")) as opened:
            query = "query Q($v: Float) { viewer { role } }"
            body = f'{{"query": "{query}", "variables": {{"v": [{number}]}}}}'
            await send(opened, f'{{"id": "odd", "type": "subscribe", "payload": {body}}}')
            message = await receive(opened)
            assert (message["id"], message["type"]) == ("odd", "error")
            over_http = api.client("plant", "viewer").post(body.encode())
            assert over_http.status == 400
            [error] = over_http.body["errors"]
            assert message["payload"][0]["extensions"] == error["extensions"]
            await send(opened, subscribe("odd", "{ viewer { role } }"))
            assert (await receive(opened))["type"] == "next"

    run(scenario)


def test_the_closing_codes_of_the_protocol(api: Api) -> None:
    token = api.token("plant", "viewer")

    async def scenario() -> None:
        async with socket(api, init=False) as opened:
            await send(opened, subscribe("1", "{ __typename }"))
            assert await closed_with(opened) == 4401
        async with socket(api, token=token) as opened:
            await send(opened, {"type": "connection_init"})
            assert await closed_with(opened) == 4429
        async with socket(api, token=token) as opened:
            await send(opened, subscribe("same", "subscription { telemetry { cursor } }"))
            await send(opened, subscribe("same", "subscription { telemetry { cursor } }"))
            assert await closed_with(opened) == 4409
        async with socket(api, init=False) as opened:
            await send(opened, {"type": "connection_init", "payload": {"Authorization": "Bearer nonsense"}})
            assert await closed_with(opened) == 4401

    run(scenario)


def test_without_a_token_only_the_schema_is_open(api: Api) -> None:
    async def scenario() -> None:
        async with socket(api) as opened:
            await send(opened, subscribe("1", "{ __typename }"))
            assert (await receive(opened))["payload"] == {"data": {"__typename": "Query"}}
            assert (await receive(opened))["type"] == "complete"
            await send(opened, subscribe("2", "subscription { telemetry { cursor } }"))
            answer = await receive(opened)
            assert (answer["type"], answer["payload"][0]["extensions"]["code"]) == ("error", "UNAUTHENTICATED")

    run(scenario)


def test_a_socket_ends_with_its_token(api: Api) -> None:
    async def scenario() -> None:
        # Good for one second still; the leeway for clocks that differ is not for open sockets.
        async with socket(api, token=api.token("plant", "viewer", ttl=timedelta(seconds=1))) as opened:
            assert await closed_with(opened) == 4403

    run(scenario)


def test_a_foreign_entity_cannot_be_watched(api: Api) -> None:
    api.organization("watched")
    theirs = api.client("watched").call('mutation { createDevice(input: {name: "d"}) { device { id } } }')
    identity = theirs.data["createDevice"]["device"]["id"]

    async def scenario() -> None:
        async with socket(api, token=api.token("plant", "admin")) as opened:
            for argument in (f'entityIds: ["{identity}"]', f'underId: "{identity}"'):
                await send(opened, subscribe("1", f"subscription {{ telemetry({argument}) {{ cursor }} }}"))
                answer = await receive(opened)
                errors = answer["payload"] if answer["type"] == "error" else answer["payload"]["errors"]
                assert errors[0]["extensions"]["code"] == "NOT_FOUND"
                if answer["type"] == "next":
                    assert (await receive(opened))["type"] == "complete"

    run(scenario)


ISSUE = """mutation { createDevice(input: {name: "%s", externalId: "%s"}) { device { id } } }"""
INGEST = "mutation { ingestTelemetry(readings: [{metrics: {v: 1}}]) { accepted } }"


def device_token(api: Api, name: str) -> tuple[str, str, str]:
    """Make a device; return its id, a token of its and the token's id."""
    admin = api.client("plant")
    device_id = admin.call(ISSUE % (name, name)).data["createDevice"]["device"]["id"]
    issued = admin.call(
        "mutation I($d: ID!) { issueDeviceToken(deviceId: $d) { token tokenId } }", {"d": device_id}
    ).data["issueDeviceToken"]
    return device_id, issued["token"], issued["tokenId"]


def test_a_revoked_device_token_ingests_no_more_and_its_socket_is_closed(api: Api) -> None:
    device_id, token, token_id = device_token(api, "revoked")
    _, other_token, _ = device_token(api, "other")

    async def scenario() -> None:
        async with socket(api, token=token) as opened, socket(api, token=other_token) as other:
            await send(opened, subscribe("1", INGEST))
            assert (await receive(opened))["payload"] == {"data": {"ingestTelemetry": {"accepted": 1}}}
            assert (await receive(opened))["type"] == "complete"
            revoked = await asyncio.to_thread(
                api.client("plant").call,
                "mutation R($d: ID!, $t: ID!) { revokeDeviceToken(deviceId: $d, tokenId: $t) { errors { code } } }",
                {"d": device_id, "t": token_id},
            )
            assert revoked.data["revokeDeviceToken"] == {"errors": []}
            # From the answer on nothing more is taken, also before the socket is closed.
            with suppress(ConnectionClosed):
                await send(opened, subscribe("2", INGEST))
                refused = await receive(opened)
                assert refused["type"] == "error"
                assert refused["payload"][0]["extensions"]["code"] == "UNAUTHENTICATED"
            assert await closed_with(opened) == 4403
            await send(other, subscribe("1", INGEST))
            assert (await receive(other))["type"] == "next"

    run(scenario)
    query = 'query A($d: ID!) { ingestAccount(from: "2020-01-01T00:00:00Z", deviceId: $d) { received } }'
    assert api.client("plant").call(query, {"d": device_id}).data["ingestAccount"] == {"received": 1}


def test_the_socket_of_a_deleted_device_is_closed_even_if_idle(api: Api) -> None:
    device_id, token, _ = device_token(api, "deleted")

    async def scenario() -> None:
        async with socket(api, token=token) as opened:
            delete = "mutation D($d: ID!) { deleteDevice(id: $d) { errors { code } } }"
            done = await asyncio.to_thread(api.client("plant").call, delete, {"d": device_id})
            assert done.data["deleteDevice"] == {"errors": []}
            assert await closed_with(opened) == 4403

    run(scenario)


def test_tokens_of_a_device_are_listed_for_those_who_may_issue_them(api: Api) -> None:
    device_id, token, token_id = device_token(api, "listed")
    query = "query T($d: ID!) { entity(id: $d) { ... on Device { tokens { id issuedBy lastUsedAt expiresAt revokedAt } } } }"
    [shown] = api.client("plant").call(query, {"d": device_id}).data["entity"]["tokens"]
    assert shown == {
        "id": token_id, "issuedBy": "admin@test", "lastUsedAt": None, "expiresAt": None, "revokedAt": None
    }  # fmt: skip
    for role in ("viewer", "operator"):
        refused = api.client("plant", role).call(query, {"d": device_id})
        assert refused.error_codes == ["FORBIDDEN"]
        assert refused.body["data"] == {"entity": {"tokens": None}}
        node = api.client("plant", role).call("query N($i: ID!) { node(id: $i) { id } }", {"i": token_id})
        assert node.data == {"node": None}
    node = api.client("plant").call("query N($i: ID!) { node(id: $i) { __typename id } }", {"i": token_id})
    assert node.data == {"node": {"__typename": "DeviceToken", "id": token_id}}
    assert token not in json.dumps(shown)


@pytest.mark.parametrize(
    "message",
    [
        r'{"id":"\ud800","type":"subscribe","payload":{"query":"{ viewer { role } }"}}',
        r'{"id":"\ud800","type":"subscribe","payload":{"query":"{ nothing }"}}',
        r'{"id":"1","type":"\ud800","payload":{}}',
        r'{"type":"connection_init","payload":{"token":"\ud800"}}',
    ],
)
def test_half_a_surrogate_pair_closes_the_socket(api: Api, message: str) -> None:
    """What cannot be echoed is refused; it once ended the operation's task without an answer."""

    async def scenario() -> None:
        async with socket(api, token=api.token("plant", "viewer")) as opened:
            await send(opened, message)
            assert await closed_with(opened) == 4400

    run(scenario)


@pytest.mark.parametrize(
    "payload",
    [
        r'{"query":"{ viewer { role } }","operationName":"\ud800"}',
        r'{"query":"{ \ud800 }"}',
        r'{"query":"query($a:String!){ viewer { role } }","variables":{"a":"\ud800"}}',
        r'{"query":"query($a:String!){ viewer { role } }","variables":{"\ud800":1}}',
    ],
)
def test_half_a_surrogate_pair_in_an_operation_is_reported(api: Api, payload: str) -> None:
    async def scenario() -> None:
        async with socket(api, token=api.token("plant", "viewer")) as opened:
            await send(opened, f'{{"id":"a","type":"subscribe","payload":{payload}}}')
            answer = await receive(opened)
            assert (answer["id"], answer["type"]) == ("a", "error")
            assert answer["payload"][0]["extensions"]["code"] == "BAD_USER_INPUT"

    run(scenario)


def test_query_strings_are_not_logged(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "uvicorn.error")

    async def scenario() -> None:
        async with connect(f"{api.websocket_url}?token=mine%2E", subprotocols=[PROTOCOL]) as opened:
            await send(opened, {"type": "ping"})
            assert await receive(opened) == {"type": "pong"}
        with suppress(InvalidStatus):
            async with connect(f"{api.websocket_url}/mine", subprotocols=[PROTOCOL]):
                pass

    run(scenario)
    said = [record.getMessage() for record in caplog.records if "WebSocket" in record.getMessage()]
    assert len(said) == 2
    assert not [line for line in said if "mine" in line]


def test_an_update_to_a_socket_that_the_server_has_closed_is_no_defect(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server closes by itself where no pong came, and refuses what is sent after; its own state says so too late."""
    pass_on = WebSocket.send
    defects = Mock()

    refused = threading.Event()

    async def closed(socket: WebSocket, message: Any) -> None:
        if any(b'"next"' in text for text in message.get("texts", ())):
            refused.set()
            raise RuntimeError("Unexpected ASGI message 'websocket.send', after sending 'websocket.close'.")
        await pass_on(socket, message)

    monkeypatch.setattr(WebSocket, "send", closed)
    monkeypatch.setattr(gql.server.failures, "_log", defects)

    async def scenario() -> None:
        async with socket(api, token=api.token("plant", "viewer")) as opened:
            await send(opened, subscribe("1", "{ viewer { role } }"))
            await wait_until_async(refused.is_set)
            # Time for an error to be logged: none is to be.
            await quiet_period_async(patient(0.2))

    run(scenario)
    assert defects.error.call_args_list == []
