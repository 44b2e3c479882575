"""Operations end at their deadline, when the client disconnects, or on request, with their statements and loops."""

from __future__ import annotations

import gc
import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.orm import Session
from websockets.sync.client import connect

import gql.definitions.entity_types
from argus.api import serving
from graph.stopping import stop_check
from testing.api import Api, api_serve, bounds
from testing.servers import TestServers
from testing.waits import wait_until

LIGHT = "{ entityTypes { id } }"
# Many fields below a list of a thousand: executed in a separate thread.
HEAVY = "{ entityTypes { " + " ".join(f"a{n}: id" for n in range(20)) + " } }"


@pytest.fixture(scope="module")
def hasty(servers: TestServers) -> Iterator[Api]:
    """An application whose operations may run for a second."""
    database = servers.database_create()
    try:
        with api_serve(database, servers.bus_server.url, api=bounds(deadline_s=1)) as served:
            served.organization("plant")
            yield served
    finally:
        servers.database_drop(database)


@pytest.fixture
def sleeping(servers: TestServers) -> Callable[[Api], int]:
    """How many statements of an application sleep in its database, as a superuser sees it."""

    def count(api: Api) -> int:
        database = make_url(api.settings.database_url("api")).database or ""
        with psycopg.connect(servers.database_server.dsn(database=database)) as superuser:
            active = superuser.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep%'"
                " AND pid <> pg_backend_pid() AND datname = current_database()"
            ).fetchone()
        assert active is not None
        return int(active[0])

    return count


def until(condition: Callable[[], bool]) -> None:
    wait_until(condition)


def sleep(session: Session, **_: Any) -> list[Any]:
    session.execute(text("SELECT pg_sleep(600)"))
    return []


@pytest.fixture
def never_retrieved(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], list[str]]]:
    """asyncio's message about errors that were never retrieved."""

    def said() -> list[str]:
        gc.collect()
        return [record.getMessage() for record in caplog.records if "never retrieved" in record.getMessage()]

    yield said
    assert said() == []


class Spinning:
    """Pure Python that runs until it is stopped."""

    def __init__(self) -> None:
        self.rounds = 0
        self.ended = 0

    def __call__(self, _session: Session, **_: Any) -> list[Any]:
        try:
            while True:
                self.rounds += 1
                stop_check()
        finally:
            self.ended += 1


@pytest.mark.parametrize("query", [LIGHT, HEAVY], ids=["light", "heavy"])
def test_a_statement_is_ended_at_the_deadline(
    hasty: Api,
    sleeping: Callable[[Api], int],
    monkeypatch: pytest.MonkeyPatch,
    never_retrieved: Callable[[], list[str]],
    query: str,
) -> None:
    monkeypatch.setattr(gql.definitions.entity_types, "entity_type_list", sleep)
    reply = hasty.client("plant").call(query)
    assert (reply.status, reply.error_codes) == (504, ["DEADLINE_EXCEEDED"])
    until(lambda: sleeping(hasty) == 0)
    monkeypatch.undo()
    assert hasty.client("plant").call(query).error_codes == []
    assert never_retrieved() == []


@pytest.mark.parametrize("query", [LIGHT, HEAVY], ids=["light", "heavy"])
def test_a_loop_is_ended_at_the_deadline(hasty: Api, monkeypatch: pytest.MonkeyPatch, query: str) -> None:
    spinning = Spinning()
    monkeypatch.setattr(gql.definitions.entity_types, "entity_type_list", spinning)
    reply = hasty.client("plant").call(query)
    assert (reply.status, reply.error_codes) == (504, ["DEADLINE_EXCEEDED"])
    until(lambda: spinning.ended == 1)
    assert spinning.rounds > 1


@pytest.mark.parametrize("query", [LIGHT, HEAVY], ids=["light", "heavy"])
def test_a_statement_is_ended_when_its_client_goes(
    api: Api,
    sleeping: Callable[[Api], int],
    monkeypatch: pytest.MonkeyPatch,
    never_retrieved: Callable[[], list[str]],
    query: str,
) -> None:
    monkeypatch.setattr(gql.definitions.entity_types, "entity_type_list", sleep)
    # One that has only closed its side looks the same.
    monkeypatch.setattr(serving, "HALF_CLOSED_S", 0.2)
    body = json.dumps({"query": query}).encode()
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {api.token('plant', 'viewer')}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    with socket.create_connection(("127.0.0.1", api.port)) as client:
        client.sendall(head + body)
        until(lambda: sleeping(api) == 1)
    until(lambda: sleeping(api) == 0)
    # The thread has notified the event loop before the next call is answered.
    monkeypatch.undo()
    assert api.client("plant").call(query).error_codes == []
    assert never_retrieved() == []


@pytest.mark.parametrize("is_closed", [False, True], ids=["complete", "close"])
def test_a_statement_is_ended_when_its_operation_or_its_socket_is(
    api: Api, sleeping: Callable[[Api], int], monkeypatch: pytest.MonkeyPatch, is_closed: bool
) -> None:
    monkeypatch.setattr(gql.definitions.entity_types, "entity_type_list", sleep)
    with connect(api.websocket_url, subprotocols=["graphql-transport-ws"]) as client:  # type: ignore[list-item]
        client.send(json.dumps({"type": "connection_init", "payload": {"token": api.token("plant", "viewer")}}))
        assert json.loads(client.recv())["type"] == "connection_ack"
        client.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": LIGHT}}))
        until(lambda: sleeping(api) == 1)
        if not is_closed:
            client.send(json.dumps({"id": "1", "type": "complete"}))
            until(lambda: sleeping(api) == 0)
    until(lambda: sleeping(api) == 0)


def test_a_statement_that_took_too_long_is_reported_as_that(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(session: Session, **_: Any) -> list[Any]:
        session.execute(text("SET LOCAL statement_timeout = '20ms'"))
        return sleep(session)

    monkeypatch.setattr(gql.definitions.entity_types, "entity_type_list", slow)
    [error] = api.client("plant").call(LIGHT).body["errors"]
    assert error["extensions"]["code"] == "DEADLINE_EXCEEDED"
    assert "does not answer" not in error["message"]
