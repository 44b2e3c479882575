"""Operations over HTTP in parts: graphql-sse in its distinct connections mode, and multipart/mixed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gql.server import streams
from gql.server.execution import Executor
from gql.server.negotiation import GRAPHQL_JSON, JSON, Accepted, Stream, negotiate
from graph.errors import UnavailableError
from testing.api import Api, api_serve
from testing.servers import TestServers
from testing.waits import patient, quiet_period, wait_until
from tests.gql.server.graphql_ws import LIVE, ROLE, receive, run, send, socket, subscribe
from tests.gql.server.http_streams import APOLLO, EVENT_STREAM, MULTIPART, events, opened, parts
from tests.gql.server.updates import Source

EVENTS, SUBSCRIPTION, INCREMENTAL = Stream.EVENTS, Stream.SUBSCRIPTION, Stream.INCREMENTAL
MUTATION = 'mutation { deleteDevice(id: "0197a000-0000-7000-8000-000000000001") { errors { code } } }'


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, (JSON, None, False)),
        ("*/*", (JSON, None, False)),
        ("text/event-stream", (None, EVENTS, True)),
        ("Text/Event-Stream; charset=UTF-8", (None, EVENTS, True)),
        ("text/event-stream, application/json", (JSON, EVENTS, True)),
        ("application/json, text/event-stream", (JSON, EVENTS, False)),
        ("application/json;q=0.1, text/event-stream;q=0.2", (JSON, EVENTS, True)),
        ("text/event-stream;q=0.1, application/json", (JSON, EVENTS, False)),
        ("text/event-stream;q=0, application/json", (JSON, None, False)),
        ('multipart/mixed;boundary=graphql;subscriptionSpec="1.0",application/json', (JSON, SUBSCRIPTION, True)),
        ("multipart/mixed;subscriptionSpec=2.0", (None, INCREMENTAL, True)),
        ("multipart/mixed; deferSpec=20220824, application/json", (JSON, INCREMENTAL, True)),
        # Of urql, for queries and for subscriptions.
        (
            f"{GRAPHQL_JSON}, application/graphql+json, {JSON}, {EVENT_STREAM}, {MULTIPART}",
            (GRAPHQL_JSON, EVENTS, False),
        ),
        ("text/event-stream, multipart/mixed", (None, EVENTS, True)),
        ("text/html, */*;q=0.1", (JSON, None, False)),
    ],
)
def test_negotiation(accept: str | None, expected: tuple[str | None, Stream | None, bool]) -> None:
    json_type, stream, is_preferred = expected
    assert negotiate(accept) == Accepted(json_type, stream, is_stream_preferred=is_preferred)


@pytest.mark.parametrize(
    "accept", ["text/html", "text/event-stream;q=0", "image/*", "text/event-stream;charset=latin1"]
)
def test_what_no_answer_has_is_refused(api: Api, accept: str) -> None:
    assert negotiate(accept) is None
    with opened(api.port, LIVE, accept=accept, token=api.token("plant", "viewer")) as response:
        assert response.status == 406


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_subscription_as_server_sent_events(api: Api, source: Source, method: str) -> None:
    source.updates = ["a", "b\nc"]
    token = api.token("plant", "viewer")
    with opened(api.port, LIVE, accept=EVENT_STREAM, token=token, method=method) as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Accel-Buffering"] == "no"
        assert response.headers["Content-Encoding"] is None
        assert response.headers["Content-Length"] is None
        assert list(events(response)) == [
            ("", None),
            ("next", {"data": {"telemetry": {"cursor": "a"}}}),
            ("next", {"data": {"telemetry": {"cursor": "b\nc"}}}),
            ("complete", None),
        ]


def test_a_subscription_as_multipart_of_apollo(api: Api, source: Source) -> None:
    source.updates = ["a", "b"]
    with opened(api.port, LIVE, accept=APOLLO, token=api.token("plant", "viewer")) as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == 'multipart/mixed;boundary="graphql";subscriptionSpec=1.0'
        assert list(parts(response, "graphql")) == [
            {"payload": {"data": {"telemetry": {"cursor": "a"}}}},
            {"payload": {"data": {"telemetry": {"cursor": "b"}}}},
        ]


@pytest.mark.parametrize("accept", [MULTIPART, "multipart/mixed;deferSpec=20220824, application/json"])
def test_a_subscription_as_incremental_delivery(api: Api, source: Source, accept: str) -> None:
    source.updates = ["a", "b"]
    with opened(api.port, LIVE, accept=accept, token=api.token("plant", "viewer")) as response:
        assert response.headers["Content-Type"] == 'multipart/mixed;boundary="-"'
        assert list(parts(response, "-")) == [
            {"data": {"telemetry": {"cursor": "a"}}, "hasNext": True},
            {"data": {"telemetry": {"cursor": "b"}}, "hasNext": True},
            {"hasNext": False},
        ]


def test_a_subscription_without_a_stream_is_refused(api: Api) -> None:
    for accept in (JSON, GRAPHQL_JSON, "*/*"):
        with opened(api.port, LIVE, accept=accept, token=api.token("plant", "viewer")) as response:
            assert response.status == 406
            [error] = json.loads(response.read())["errors"]
            assert EVENT_STREAM in error["message"]


def test_queries_and_mutations_are_streams_of_one_answer_where_nothing_else_is_accepted(api: Api) -> None:
    token = api.token("plant", "admin")
    with opened(api.port, ROLE, accept=EVENT_STREAM, token=token) as response:
        assert list(events(response)) == [
            ("", None),
            ("next", {"data": {"viewer": {"role": "admin"}}}),
            ("complete", None),
        ]
    with opened(api.port, MUTATION, accept=EVENT_STREAM, token=token) as response:
        payload = {"data": {"deleteDevice": {"errors": [{"code": "NOT_FOUND"}]}}}
        assert list(events(response))[1:] == [("next", payload), ("complete", None)]
    with opened(api.port, "{ __typename }", accept=MULTIPART) as response:
        assert list(parts(response, "-")) == [{"data": {"__typename": "Query"}, "hasNext": True}, {"hasNext": False}]
    with opened(api.port, MUTATION, accept=EVENT_STREAM, token=token, method="GET") as response:
        assert (response.status, response.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize("accept", [APOLLO, "text/event-stream, application/json", "application/json, multipart/mixed"])
def test_queries_are_answered_in_json_where_that_is_accepted(api: Api, accept: str) -> None:
    with opened(api.port, ROLE, accept=accept, token=api.token("plant", "viewer")) as response:
        assert response.headers["Content-Type"] == "application/json; charset=utf-8"
        assert json.loads(response.read()) == {"data": {"viewer": {"role": "viewer"}}}


@pytest.mark.parametrize("query", ["{", "{ nothing }", "subscription { nothing }", "query A { a } query B { b }"])
def test_an_invalid_operation_is_reported_within_the_events(api: Api, query: str) -> None:
    with opened(api.port, query, accept=EVENT_STREAM, token=api.token("plant", "viewer")) as response:
        assert response.status == 200
        _, (name, data), end = events(response)
        assert (name, end) == ("next", ("complete", None))
        assert data.keys() == {"errors"}
        assert data["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    with opened(api.port, query, accept=APOLLO, token=api.token("plant", "viewer")) as response:
        assert response.headers["Content-Type"] == "application/json; charset=utf-8"
        assert json.loads(response.read())["errors"]


@pytest.mark.parametrize(
    ("token", "query", "status"),
    [(None, LIVE, 401), ("no.good.token", LIVE, 401), ("viewer", MUTATION, 403)],
)
def test_a_missing_permission_is_a_status(api: Api, token: str | None, query: str, status: int) -> None:
    sent = api.token("plant", "viewer") if token == "viewer" else token
    for accept in (EVENT_STREAM, APOLLO, MULTIPART):
        with opened(api.port, query, accept=accept, token=sent) as response:
            assert response.status == status
            assert response.headers["Content-Type"] == "application/json; charset=utf-8"


def test_errors_in_the_midst_end_the_stream(api: Api, source: Source) -> None:
    source.updates, source.error = ["a"], UnavailableError("The client is too slow.")
    error = {"message": "The client is too slow.", "extensions": {"code": "UNAVAILABLE"}}
    token = api.token("plant", "viewer")
    with opened(api.port, LIVE, accept=EVENT_STREAM, token=token) as response:
        assert list(events(response))[2:] == [("next", {"errors": [error]}), ("complete", None)]
    with opened(api.port, LIVE, accept=APOLLO, token=token) as response:
        assert list(parts(response, "graphql"))[1:] == [{"payload": None, "errors": [error]}]
    with opened(api.port, LIVE, accept=MULTIPART, token=token) as response:
        assert list(parts(response, "-"))[1:] == [{"errors": [error], "hasNext": True}, {"hasNext": False}]


@pytest.mark.parametrize("directive", ["@defer", "@stream"])
def test_there_is_no_incremental_delivery_of_queries(api: Api, directive: str) -> None:
    accept = "multipart/mixed;deferSpec=20220824, application/json"
    query = f"{{ viewer {{ ... {directive} {{ role }} }} }}"
    with opened(api.port, query, accept=accept, token=api.token("plant", "viewer")) as response:
        messages = [error["message"] for error in json.loads(response.read())["errors"]]
        assert any(message.startswith(f"Unknown directive '{directive}'.") for message in messages)


def heartbeats(monkeypatch: pytest.MonkeyPatch) -> None:
    faster = {form: replace(framing, heartbeat_s=0.02) for form, framing in streams.FRAMINGS.items()}
    monkeypatch.setattr(streams, "FRAMINGS", faster)


def test_silent_streams_have_heartbeats(api: Api, source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    heartbeats(monkeypatch)
    token = api.token("plant", "viewer")
    with opened(api.port, LIVE, accept=EVENT_STREAM, token=token) as response:
        coming = events(response)
        assert [next(coming) for _ in range(5)] == [("", None)] * 5
    with opened(api.port, LIVE, accept=APOLLO, token=token) as response:
        arriving = parts(response, "graphql")
        assert [next(arriving) for _ in range(5)] == [{}] * 5
    wait_until(lambda: source.open == 0)


@pytest.mark.parametrize("accept", [EVENT_STREAM, APOLLO, MULTIPART])
def test_a_client_that_goes_ends_its_subscription(api: Api, source: Source, accept: str) -> None:
    with opened(api.port, LIVE, accept=accept, token=api.token("plant", "viewer")) as response:
        assert response.status == 200
        wait_until(lambda: source.open == 1)
    wait_until(lambda: source.open == 0)


def test_a_stream_ends_with_its_token(api: Api, source: Source) -> None:
    token = api.token("plant", "viewer", ttl=timedelta(seconds=2))
    with opened(api.port, LIVE, accept=EVENT_STREAM, token=token) as response:
        _, (name, data), end = events(response)
        assert (name, end) == ("next", ("complete", None))
        assert [error["extensions"]["code"] for error in data["errors"]] == ["UNAUTHENTICATED"]
    wait_until(lambda: source.open == 0)


@pytest.mark.parametrize("accept", [EVENT_STREAM, APOLLO, MULTIPART])
def test_a_stream_ends_with_its_key(api: Api, source: Source, accept: str) -> None:
    admin = api.client("plant")
    create = f'mutation {{ createApiKey(input: {{name: "{accept[:8]}", role: "viewer"}}) {{ key apiKey {{ id }} }} }}'
    made = admin.call(create).data["createApiKey"]
    with opened(api.port, LIVE, accept=accept, token=made["key"]) as response:
        wait_until(lambda: source.open == 1)
        revoke = "mutation R($id: ID!) { revokeApiKey(id: $id) { errors { code } } }"
        assert admin.call(revoke, {"id": made["apiKey"]["id"]}).data["revokeApiKey"] == {"errors": []}
        # What it is sent ends, with the reason.
        assert response.read().count(b'"UNAUTHENTICATED"') == 1
    wait_until(lambda: source.open == 0)


def test_a_client_that_does_not_read_is_not_sent_more(api: Api, source: Source) -> None:
    """What its buffers do not hold is not taken from the source, where newer values replace it."""
    source.endless = "x" * 1_000_000
    with opened(api.port, LIVE, accept=EVENT_STREAM, token=api.token("plant", "viewer")) as response:
        before = 0
        while before == 0 or before != source.taken:
            before = source.taken
            quiet_period(patient(0.5))
        assert source.open == 1
        # Reading it, it is sent more.
        coming = events(response)
        for _ in range(before + 10):
            next(coming)
        assert source.taken > before
    wait_until(lambda: source.open == 0)


def test_identical_subscriptions_are_executed_once_whatever_their_transport(
    api: Api, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.updates = ["a", "b"]
    executions = 0
    execute = Executor._run

    async def counted(self: Executor, *arguments: Any, **named: Any) -> Any:
        nonlocal executions
        executions += 1
        return await execute(self, *arguments, **named)

    monkeypatch.setattr(Executor, "_run", counted)
    token = api.token("plant", "viewer")
    for accept in (EVENT_STREAM, EVENT_STREAM, APOLLO, MULTIPART):
        with opened(api.port, LIVE, accept=accept, token=token) as response:
            assert b'"cursor":"b"' in response.read()

    async def scenario() -> None:
        async with socket(api, token=token) as socket_opened:
            await send(socket_opened, subscribe("1", LIVE))
            assert (await receive(socket_opened))["payload"] == {"data": {"telemetry": {"cursor": "a"}}}

    run(scenario)
    assert executions == 2


def test_a_stream_is_cut_when_the_server_stops(servers: TestServers, caplog: pytest.LogCaptureFixture) -> None:
    """Completed, its client would not connect again; and the server would wait for it."""
    database = servers.database_create()
    try:
        with api_serve(database, servers.bus_server.url) as api:
            api.organization("plant")
            source = Source()
            object.__setattr__(api.services.feed, "subscribe", source.subscribe)
            with opened(api.port, LIVE, accept=EVENT_STREAM, token=api.token("plant", "viewer")) as response:
                coming = events(response)
                assert next(coming) == ("", None)
                wait_until(lambda: source.open == 1)
                api.server.should_exit = True
                assert list(coming) == []
        # It did not have to cancel the stream after its patience.
        assert not [record for record in caplog.records if "Cancel" in record.getMessage()]
    finally:
        servers.database_drop(database)
