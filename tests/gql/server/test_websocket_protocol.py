"""An audit of graphql-transport-ws: a test for each rule of the protocol's text, and for each code it closes with.

The protocol: PROTOCOL.md of github.com/enisdenjo/graphql-ws.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.websockets import WebSocket
from websockets.asyncio.client import ClientConnection

import gql.server.websocket
from gql.access.auth import TokenVerifier
from gql.server.bodies import BODY_UNKNOWN_MAX_BYTES
from gql.server.websocket import OPERATIONS_MAX, TASKS_MAX, Connection
from graph.errors import UnavailableError
from testing.api import Api
from testing.waits import patient, quiet_period_async, wait_until_async
from tests.gql.server.graphql_ws import (
    LIVE,
    PROTOCOL,
    ROLE,
    closed_as,
    closed_with,
    receive,
    run,
    send,
    socket,
    subscribe,
)
from tests.gql.server.updates import Source

Audit = Callable[[ClientConnection], Awaitable[None]]
NEXT = {"id": "1", "type": "next", "payload": {"data": {"viewer": {"role": "viewer"}}}}
MUTATION = 'mutation { deleteDevice(id: "0197a000-0000-7000-8000-000000000001") { errors { code } } }'


def audit(api: Api, check: Audit, *, init: bool = True) -> None:
    """Run a check on a socket. init: of a viewer who is connected."""

    async def scenario() -> None:
        async with socket(api, token=api.token("plant", "viewer"), init=init) as opened:
            await check(opened)

    run(scenario)


# The socket


def test_the_subprotocol_is_agreed_upon(api: Api) -> None:
    async def check(opened: ClientConnection) -> None:
        assert opened.subprotocol == PROTOCOL

    audit(api, check, init=False)


@pytest.mark.parametrize(
    "protocols", [None, ("graphql-ws",), ("graphql-transport-w",), ("GRAPHQL-TRANSPORT-WS",), ("mqtt", "graphql-ws")]
)
def test_without_the_subprotocol_the_socket_closes_with_4406(api: Api, protocols: tuple[str, ...] | None) -> None:
    async def scenario() -> None:
        async with socket(api, init=False, protocols=protocols) as opened:
            assert opened.subprotocol is None
            assert await closed_as(opened) == (4406, "Subprotocol not acceptable")

    run(scenario)


def test_the_subprotocol_is_chosen_among_others(api: Api) -> None:
    async def scenario() -> None:
        async with socket(api, init=False, protocols=("graphql-ws", PROTOCOL)) as opened:
            assert opened.subprotocol == PROTOCOL

    run(scenario)


def test_the_client_closes_with_1000(api: Api, source: Source) -> None:
    async def check(opened: ClientConnection) -> None:
        await send(opened, subscribe("1", LIVE))
        await wait_until_async(lambda: source.open == 1)
        await opened.close(1000)
        assert opened.close_code == 1000
        await wait_until_async(lambda: source.open == 0)

    audit(api, check)


# connection_init, connection_ack


@pytest.mark.parametrize("payload", [{}, {"payload": None}, {"payload": {}}, {"payload": {"Authorization": None}}])
def test_connection_init_is_acknowledged(api: Api, payload: dict[str, Any]) -> None:
    async def check(opened: ClientConnection) -> None:
        await send(opened, {"type": "connection_init", **payload})
        assert await receive(opened) == {"type": "connection_ack"}

    audit(api, check, init=False)


@pytest.mark.parametrize("payload", [5, "text", [], True])
def test_the_payload_of_connection_init_is_an_object(api: Api, payload: Any) -> None:
    async def check(opened: ClientConnection) -> None:
        await send(opened, {"type": "connection_init", "payload": payload})
        assert await closed_with(opened) == 4400

    audit(api, check, init=False)


def test_without_connection_init_in_time_the_socket_closes_with_4408(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gql.server.websocket, "INIT_TIMEOUT_S", 0.05)

    async def check(opened: ClientConnection) -> None:
        assert await closed_as(opened) == (4408, "Connection initialisation timeout")

    audit(api, check, init=False)


def test_the_time_that_the_server_takes_for_the_token_is_not_the_clients(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gql.server.websocket, "INIT_TIMEOUT_S", 2.0)
    verify = TokenVerifier.verify

    async def slow(self: TokenVerifier, token: str) -> Any:
        await asyncio.sleep(2.5)
        return await verify(self, token)

    monkeypatch.setattr(TokenVerifier, "verify", slow)
    audit(api, lambda opened: send(opened, {"type": "ping"}))


def test_a_second_connection_init_closes_with_4429(api: Api) -> None:
    async def check(opened: ClientConnection) -> None:
        await send(opened, {"type": "connection_init"})
        assert await closed_as(opened) == (4429, "Too many initialisation requests")

    audit(api, check)


def test_a_second_connection_init_before_the_acknowledgement_closes_with_4429(api: Api) -> None:
    async def check(opened: ClientConnection) -> None:
        for _ in range(2):
            await send(opened, {"type": "connection_init"})
        assert await closed_with(opened) == 4429

    audit(api, check, init=False)


def test_an_invalid_token_closes_with_4401(api: Api) -> None:
    async def check(opened: ClientConnection) -> None:
        await send(opened, {"type": "connection_init", "payload": {"Authorization": "Bearer no.good.token"}})
        assert await closed_with(opened) == 4401

    audit(api, check, init=False)


def test_a_token_that_cannot_be_verified_now_closes_with_1013(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients connect again after 1013, and never after 4401."""

    async def unavailable(self: TokenVerifier, token: str) -> Any:
        raise UnavailableError("The database does not answer; try again.")

    monkeypatch.setattr(TokenVerifier, "verify", unavailable)

    async def check(opened: ClientConnection) -> None:
        await send(opened, {"type": "connection_init", "payload": {"token": "a.b.c"}})
        assert await closed_with(opened) == 1013

    audit(api, check, init=False)


# ping, pong


@pytest.mark.parametrize("init", [True, False])
def test_a_ping_is_answered_also_before_connection_init(api: Api, init: bool) -> None:
    async def check(opened: ClientConnection) -> None:
        await send(opened, {"type": "ping"})
        assert await receive(opened) == {"type": "pong"}

    audit(api, check, init=init)


@pytest.mark.parametrize("payload", [{}, {"at": 1, "nested": {"a": [1, None, "é"]}}])
def test_a_pong_has_the_pings_payload(api: Api, payload: Any) -> None:
    async def check(opened: ClientConnection) -> None:
        await send(opened, {"type": "ping", "payload": payload})
        assert await receive(opened) == {"type": "pong", "payload": payload}

    audit(api, check)


@pytest.mark.parametrize("kind", ["ping", "pong"])
def test_the_payload_of_ping_and_pong_is_an_object(api: Api, kind: str) -> None:
    async def check(opened: ClientConnection) -> None:
        await send(opened, {"type": kind, "payload": "text"})
        assert await closed_with(opened) == 4400

    audit(api, check)


def test_a_pong_without_a_ping_is_taken(api: Api) -> None:
    async def check(opened: ClientConnection) -> None:
        await send(opened, {"type": "pong", "payload": {"a": 1}})
        await send(opened, {"type": "ping"})
        assert await receive(opened) == {"type": "pong"}

    audit(api, check)


# subscribe


def test_subscribe_before_connection_init_closes_with_4401(api: Api) -> None:
    async def check(opened: ClientConnection) -> None:
        await send(opened, subscribe("1", "{ __typename }"))
        assert await closed_as(opened) == (4401, "Unauthorized")

    audit(api, check, init=False)


@pytest.mark.parametrize(
    "message",
    [
        {"id": "1"},
        {"id": "1", "payload": None},
        {"id": "1", "payload": "text"},
        {"id": "1", "payload": []},
        {"id": "1", "payload": {}},
        {"id": "1", "payload": {"query": None}},
        {"id": "1", "payload": {"query": 5}},
        {"id": "1", "payload": {"query": ["{ __typename }"]}},
        {"id": "1", "payload": {"query": ROLE, "operationName": 5}},
        {"id": "1", "payload": {"query": ROLE, "operationName": {}}},
        {"id": "1", "payload": {"query": ROLE, "variables": "text"}},
        {"id": "1", "payload": {"query": ROLE, "variables": 0}},
        {"id": "1", "payload": {"query": ROLE, "variables": False}},
        {"id": "1", "payload": {"query": ROLE, "variables": []}},
        {"id": "1", "payload": {"query": ROLE, "extensions": "text"}},
        {"id": "1", "payload": {"query": ROLE, "extensions": []}},
        {"payload": {"query": ROLE}},
        {"id": None, "payload": {"query": ROLE}},
        {"id": 1, "payload": {"query": ROLE}},
        {"id": "", "payload": {"query": ROLE}},
        {"id": ["1"], "payload": {"query": ROLE}},
    ],
    ids=json.dumps,
)
def test_a_subscribe_of_another_form_closes_with_4400(api: Api, message: dict[str, Any]) -> None:
    async def check(opened: ClientConnection) -> None:
        await send(opened, {"type": "subscribe", **message})
        assert await closed_with(opened) == 4400

    audit(api, check)


@pytest.mark.parametrize(
    "payload", [{"operationName": None, "variables": None, "extensions": None}, {"variables": {}, "extensions": {}}]
)
def test_optional_parts_of_subscribe_may_be_null_or_empty(api: Api, payload: dict[str, Any]) -> None:
    async def check(opened: ClientConnection) -> None:
        await send(opened, subscribe("1", ROLE, **payload))
        assert await receive(opened) == NEXT

    audit(api, check)


def test_a_query_is_answered_once_and_completed(api: Api) -> None:
    async def check(opened: ClientConnection) -> None:
        await send(opened, subscribe("1", "query A { viewer { role } } query B { __typename }", operationName="A"))
        assert await receive(opened) == NEXT
        assert await receive(opened) == {"id": "1", "type": "complete"}
        await quiet_period_async(patient(0.1))
        await send(opened, {"type": "ping"})
        assert await receive(opened) == {"type": "pong"}

    audit(api, check)


def test_a_mutation_is_answered_once_and_completed(api: Api) -> None:
    async def scenario() -> None:
        async with socket(api, token=api.token("plant", "admin")) as opened:
            await send(opened, subscribe("1", MUTATION))
            assert (await receive(opened))["payload"] == {"data": {"deleteDevice": {"errors": [{"code": "NOT_FOUND"}]}}}
            assert await receive(opened) == {"id": "1", "type": "complete"}

    run(scenario)


def test_a_subscription_is_answered_for_each_event_and_completed_at_its_end(api: Api, source: Source) -> None:
    source.updates = ["a", "b"]

    async def check(opened: ClientConnection) -> None:
        await send(opened, subscribe("1", LIVE))
        for cursor in ("a", "b"):
            payload = {"data": {"telemetry": {"cursor": cursor}}}
            assert await receive(opened) == {"id": "1", "type": "next", "payload": payload}
        assert await receive(opened) == {"id": "1", "type": "complete"}

    audit(api, check)


def test_variables_reach_the_operation(api: Api) -> None:
    async def check(opened: ClientConnection) -> None:
        query = "query Q($is: Boolean!) { viewer { role } more: viewer @include(if: $is) { role } }"
        await send(opened, subscribe("1", query, variables={"is": False}))
        assert await receive(opened) == NEXT

    audit(api, check)


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("{", {}),
        ("", {}),
        ("{ nothing }", {}),
        ("subscription { telemetry { nothing } }", {}),
        ("subscription { telemetry { cursor } viewer { role } }", {}),
        ("query A { viewer { role } } query B { __typename }", {}),
        ("query Q($n: Int!) { devices(first: $n) { nodes { id } } }", {}),
        ("subscription S($ids: [ID!]!) { telemetry(entityIds: $ids) { cursor } }", {"ids": 5.5}),
    ],
)
def test_what_is_wrong_with_an_operation_is_an_error_for_its_id(
    api: Api, query: str, variables: dict[str, Any]
) -> None:
    """Then nothing follows for that id, not even complete, and others go on."""

    async def check(opened: ClientConnection) -> None:
        await send(opened, subscribe("bad", query, variables=variables))
        answer = await receive(opened)
        if answer["type"] == "next":  # Variables are looked at by the execution of a query.
            assert answer["payload"]["errors"]
            assert await receive(opened) == {"id": "bad", "type": "complete"}
        else:
            assert answer.keys() == {"id", "type", "payload"}
            assert (answer["id"], answer["type"]) == ("bad", "error")
            assert answer["payload"]
            assert all(isinstance(error["message"], str) for error in answer["payload"])
        await quiet_period_async(patient(0.1))
        await send(opened, subscribe("1", ROLE))
        assert await receive(opened) == NEXT

    audit(api, check)


def test_what_a_role_may_not_do_is_an_error_for_its_id(api: Api) -> None:
    async def check(opened: ClientConnection) -> None:
        await send(opened, subscribe("1", MUTATION))
        answer = await receive(opened)
        assert (answer["id"], answer["type"]) == ("1", "error")
        assert answer["payload"][0]["extensions"]["code"] == "FORBIDDEN"

    audit(api, check)


# Ids


def test_the_id_of_a_running_subscription_closes_with_4409(api: Api, source: Source) -> None:
    async def check(opened: ClientConnection) -> None:
        await send(opened, subscribe("same", LIVE))
        await wait_until_async(lambda: source.open == 1)
        await send(opened, subscribe("same", ROLE))
        assert await closed_as(opened) == (4409, "Subscriber for same already exists")
        await wait_until_async(lambda: source.open == 0)

    audit(api, check)


def test_an_id_may_be_used_again_after_the_servers_complete(api: Api) -> None:
    async def check(opened: ClientConnection) -> None:
        for _ in range(50):
            await send(opened, subscribe("1", ROLE))
            assert await receive(opened) == NEXT
            assert await receive(opened) == {"id": "1", "type": "complete"}

    audit(api, check)


def test_an_id_may_be_used_again_after_an_error(api: Api) -> None:
    async def check(opened: ClientConnection) -> None:
        for _ in range(20):
            await send(opened, subscribe("1", "{ nothing }"))
            assert (await receive(opened))["type"] == "error"

    audit(api, check)


def test_an_id_may_be_used_again_after_the_clients_complete(api: Api, source: Source) -> None:
    async def check(opened: ClientConnection) -> None:
        for _ in range(20):
            await send(opened, subscribe("1", LIVE))
            await send(opened, {"id": "1", "type": "complete"})
        await send(opened, subscribe("1", ROLE))
        assert await receive(opened) == NEXT
        await wait_until_async(lambda: source.open == 0)

    audit(api, check)


def test_operations_run_side_by_side(api: Api, source: Source) -> None:
    async def check(opened: ClientConnection) -> None:
        await send(opened, subscribe("live", LIVE))
        await wait_until_async(lambda: source.open == 1)
        await send(opened, subscribe("1", ROLE))
        assert await receive(opened) == NEXT
        assert await receive(opened) == {"id": "1", "type": "complete"}
        assert source.open == 1

    audit(api, check)


# complete


def test_complete_ends_the_subscription_and_nothing_is_sent_after(api: Api, source: Source) -> None:
    source.endless = "again"

    async def check(opened: ClientConnection) -> None:
        await send(opened, subscribe("1", LIVE))
        assert (await receive(opened))["type"] == "next"
        await send(opened, {"id": "1", "type": "complete"})
        await send(opened, {"type": "ping"})
        while (message := await receive(opened))["type"] != "pong":
            assert message["type"] == "next"
        await wait_until_async(lambda: source.open == 0)
        await quiet_period_async(patient(0.1))
        await send(opened, {"type": "ping"})
        assert await receive(opened) == {"type": "pong"}

    audit(api, check)


def test_complete_of_an_unknown_id_changes_nothing(api: Api) -> None:
    async def check(opened: ClientConnection) -> None:
        await send(opened, {"id": "never seen", "type": "complete"})
        await send(opened, {"type": "ping"})
        assert await receive(opened) == {"type": "pong"}

    audit(api, check)


@pytest.mark.parametrize("identity", [{}, {"id": None}, {"id": 5}, {"id": ""}])
def test_complete_without_an_id_closes_with_4400(api: Api, identity: dict[str, Any]) -> None:
    async def check(opened: ClientConnection) -> None:
        await send(opened, {"type": "complete", **identity})
        assert await closed_with(opened) == 4400

    audit(api, check)


# Messages of another form


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "text",
        "{",
        "null",
        "5",
        '"connection_init"',
        '[{"type": "ping"}]',
        "{}",
        '{"type": null}',
        '{"type": 5}',
        '{"type": "unknown"}',
        '{"type": "start", "id": "1", "payload": {"query": "{ __typename }"}}',
        '{"type": "connection_terminate"}',
        '{"type": "connection_ack"}',
        '{"type": "next", "id": "1", "payload": {}}',
        '{"type": "error", "id": "1", "payload": []}',
        '{"type": "Ping"}',
        b'{"type": "ping"}',
        b"\x00",
    ],
)
@pytest.mark.parametrize("init", [True, False])
def test_an_invalid_message_closes_with_4400(api: Api, frame: str | bytes, init: bool) -> None:
    async def check(opened: ClientConnection) -> None:
        await send(opened, frame)
        code, reason = await closed_as(opened)
        assert code == 4400
        assert reason

    audit(api, check, init=init)


def test_without_a_token_a_message_is_as_large_as_a_body_without_one(api: Api) -> None:
    async def check(opened: ClientConnection) -> None:
        fits = {"type": "ping", "payload": {"a": "x" * (BODY_UNKNOWN_MAX_BYTES - 100)}}
        await send(opened, fits)
        assert (await receive(opened))["payload"] == fits["payload"]
        await send(opened, {"type": "ping", "payload": {"a": "x" * BODY_UNKNOWN_MAX_BYTES}})
        assert await closed_with(opened) == 4400

    audit(api, check, init=False)


# Bounds


def test_the_operation_beyond_the_limit_is_an_error_for_its_id(api: Api, source: Source) -> None:
    async def check(opened: ClientConnection) -> None:
        for number in range(OPERATIONS_MAX):
            await send(opened, subscribe(f"{number}", LIVE))
        await send(opened, subscribe("beyond", LIVE))
        answer = await receive(opened)
        assert (answer["id"], answer["type"]) == ("beyond", "error")
        assert answer["payload"][0]["extensions"] == {"code": "LIMIT_EXCEEDED"}
        await wait_until_async(lambda: source.open == OPERATIONS_MAX)
        # One less, and there is room; and the id was never taken.
        await send(opened, {"id": "7", "type": "complete"})
        await send(opened, subscribe("beyond", ROLE))
        assert (await receive(opened))["payload"] == NEXT["payload"]

    audit(api, check)


def test_a_client_that_reads_nothing_has_no_more_operations_than_it_may(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of these has ended, and waits to tell; none of them runs. Beyond their limit nothing more is read."""
    operate, send_message = Connection._operate, WebSocket.send
    most = running = 0
    loops: list[asyncio.AbstractEventLoop] = []
    reads = asyncio.Event()

    async def counted(self: Connection, *arguments: Any) -> None:
        nonlocal most, running
        loops[:] = [asyncio.get_running_loop()]
        running += 1
        most = max(most, running)
        try:
            await operate(self, *arguments)
        finally:
            running -= 1

    async def unread(self: WebSocket, message: Any) -> None:
        if any(b'"error"' in text for text in message.get("texts", ())):
            await reads.wait()
        await send_message(self, message)

    monkeypatch.setattr(Connection, "_operate", counted)
    monkeypatch.setattr(WebSocket, "send", unread)
    sent = 2 * TASKS_MAX

    async def check(opened: ClientConnection) -> None:
        for number in range(sent):
            await send(opened, subscribe(f"{number}", "{ nothing }"))
        await wait_until_async(lambda: running >= OPERATIONS_MAX, details=lambda: (running, most, opened.close_code))
        await quiet_period_async(patient(0.2))
        assert running >= OPERATIONS_MAX
        assert most <= TASKS_MAX
        loops[0].call_soon_threadsafe(reads.set)
        answers = [await receive(opened) for _ in range(sent)]
        assert {answer["type"] for answer in answers} == {"error"}
        assert {answer["id"] for answer in answers} == {f"{number}" for number in range(sent)}

    audit(api, check)


def test_a_client_that_does_not_read_holds_up_no_other(api: Api, source: Source) -> None:
    source.endless = "again"

    async def check(opened: ClientConnection) -> None:
        opened.transport.pause_reading()
        await send(opened, subscribe("1", LIVE))
        await wait_until_async(lambda: source.open == 1)
        async with socket(api, token=api.token("plant", "viewer")) as other:
            await send(other, subscribe("1", ROLE))
            assert await receive(other) == NEXT

    audit(api, check)
