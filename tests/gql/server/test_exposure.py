"""What an API shows to whom: GraphiQL, the schema, suggestions, other origins, and what a refusal asks for."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from testing.api import Api, api_serve, bounds
from testing.installation import Client
from testing.servers import TestServers
from testing.waits import patient
from tests.gql.server.graphql_ws import receive, run, send, socket, subscribe

INTROSPECTION = "{ __schema { queryType { name } } }"
PAGE = "https://plant.example"


@pytest.fixture(scope="module")
def closed(servers: TestServers) -> Iterator[Api]:
    """An API that shows little, and is called by one other origin."""
    database = servers.database_create()
    try:
        settings = bounds(
            graphiql=False, anonymous_introspection=False, cors_origins=(PAGE,), websocket_compression=True
        )
        with api_serve(database, servers.bus_server.url, api=settings) as served:
            served.organization("plant")
            yield served
    finally:
        servers.database_drop(database)


def call(
    api: Api, method: str, path: str = "/graphql", body: Any = None, **headers: str
) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=patient(30))
    try:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            sent["Content-Type"] = "application/json"
        connection.request(method, path, None if body is None else json.dumps(body), sent)
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


# GraphiQL


def test_graphiql_is_shown_to_a_browser(api: Api) -> None:
    status, headers, body = call(api, "GET", Accept="text/html")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert b"graphiql" in body
    assert call(api, "GET", "/")[0] == 307
    assert call(api, "GET", "/static/graphiql.js")[0] == 200


def test_graphiql_can_be_off(closed: Api) -> None:
    for path in ("/", "/static/graphiql.js", "/static/vendor/graphiql.min.js"):
        assert call(closed, "GET", path)[0] == 404
    status, headers, _ = call(closed, "GET", Accept="text/html,*/*;q=0.8")
    assert (status, headers["Content-Type"]) == (400, "application/json; charset=utf-8")


# The schema


def test_the_schema_is_open_unless_it_is_set_otherwise(api: Api) -> None:
    assert Client(api.url, None).call(INTROSPECTION).data == {"__schema": {"queryType": {"name": "Query"}}}


@pytest.mark.parametrize(
    "query",
    [
        INTROSPECTION,
        '{ __type(name: "Asset") { name } }',
        "{ __typename __schema { queryType { name } } }",
        "{ a: __schema { queryType { name } } }",
        "{ ... { __schema { queryType { name } } } }",
        "{ ...F } fragment F on Query { __schema { queryType { name } } }",
        # What would be refused by names of the schema, and so tell of it.
        "{ nothing }",
        "{ viewr { role } }",
        "{ viewer { rle } }",
        "{ __typename ... on Asst { id } }",
        "query Q($a: CreateAssetInput) { __typename }",
        "query Q($a: CreateAssetInput = {nme: 5}) { __typename }",
        "query Q($a: NoSuchType) { __typename }",
        "{ __typename } fragment F on NoSuchType { id }",
        "subscription { nothing }",
        "mutation { nothing }",
    ],
)
def test_the_schema_can_be_closed_to_callers_without_a_token(closed: Api, query: str) -> None:
    # Also once it is known, from a caller who may.
    closed.client("plant", "viewer").call(query)
    reply = Client(closed.url, None).call(query)
    assert (reply.status, reply.error_codes) == (401, ["UNAUTHENTICATED"])
    messages = json.dumps(reply.body)
    assert "Asset" not in messages
    assert "Did you mean" not in messages


def test_without_a_token_one_learns_that_it_answers(closed: Api) -> None:
    for query in ("{ __typename }", "{ a: __typename }", "query Q { __typename }"):
        assert list(Client(closed.url, None).call(query).data.values()) == ["Query"]
    assert closed.client("plant", "viewer").call(INTROSPECTION).data == {"__schema": {"queryType": {"name": "Query"}}}


def test_the_schema_is_closed_over_a_websocket_too(closed: Api) -> None:
    async def scenario() -> None:
        async with socket(closed) as opened:
            await send(opened, subscribe("1", INTROSPECTION))
            answer = await receive(opened)
            assert (answer["type"], answer["payload"][0]["extensions"]["code"]) == ("error", "UNAUTHENTICATED")

    run(scenario)


# Suggestions


@pytest.mark.parametrize(
    ("query", "suggestion"),
    [
        ("{ viewr { role } }", "viewer"),
        ("{ viewer { rle } }", "role"),
        ("query Q($a: CreateAssetInput = {nme: 5}) { __typename }", "name"),
        ("query Q($a: CreateAsetInput) { __typename }", "CreateAssetInput"),
        ('{ __type(nme: "a") { name } }', "name"),
    ],
)
def test_names_are_suggested_to_callers_with_a_token(api: Api, query: str, suggestion: str) -> None:
    message = json.dumps(api.client("plant", "viewer").call(query).body["errors"])
    assert "Did you mean" in message
    assert suggestion in message
    assert "Did you mean" not in json.dumps(Client(api.url, None).call(query).body)


# What a refusal asks for


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, 'Bearer realm="Argus"'),
        ({"Authorization": "Bearer no.good.token"}, 'Bearer realm="Argus", error="invalid_token"'),
        ({"Authorization": "Basic YTpi"}, 'Bearer realm="Argus", error="invalid_token"'),
    ],
)
@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json", "text/event-stream"])
def test_401_says_what_is_needed(api: Api, headers: dict[str, str], expected: str, accept: str) -> None:
    body = {"query": "{ viewer { role } }"}
    status, answered, _ = call(api, "POST", body=body, Accept=accept, **headers)
    assert (status, answered.get_all("WWW-Authenticate")) == (401, [expected])
    status, answered, _ = call(api, "POST", "/api/v1/telemetry/ingest", body={}, **headers)
    assert (status, answered.get_all("WWW-Authenticate")) == (401, [expected])


@pytest.mark.parametrize("path", ["telemetry", "attributes"])
def test_401_for_a_token_in_the_address_says_that_it_was_refused(api: Api, path: str) -> None:
    status, answered, _ = call(api, "POST", f"/api/v1/no.good.token/{path}", body={})
    assert (status, answered["WWW-Authenticate"]) == (401, 'Bearer realm="Argus", error="invalid_token"')


# Other origins


def test_other_origins_are_not_let_in(api: Api) -> None:
    preflight = {"Origin": PAGE, "Access_Control_Request_Method": "POST"}
    assert call(api, "OPTIONS", **preflight)[0] == 405
    for headers in (
        call(api, "OPTIONS", **preflight)[1],
        call(api, "POST", body={"query": "{ __typename }"}, Origin=PAGE)[1],
    ):
        assert not [name for name in headers if name.lower().startswith("access-control-")]


def test_origins_that_are_set_are_let_in(closed: Api) -> None:
    preflight = {
        "Access_Control_Request_Method": "POST",
        "Access_Control_Request_Headers": "authorization,content-type,x-apollo-operation-name",
    }
    status, headers, _ = call(closed, "OPTIONS", Origin=PAGE, **preflight)
    assert status == 200
    assert headers["Access-Control-Allow-Origin"] == PAGE
    assert "POST" in headers["Access-Control-Allow-Methods"]
    assert "x-apollo-operation-name" in headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in headers
    assert headers["Access-Control-Max-Age"] == "600"
    body = {"query": "{ viewer { role } }"}
    for token in (closed.token("plant", "viewer"), "no.good.token"):
        status, headers, _ = call(closed, "POST", body=body, Origin=PAGE, Authorization=f"Bearer {token}")
        assert headers["Access-Control-Allow-Origin"] == PAGE
        assert "WWW-Authenticate" in headers["Access-Control-Expose-Headers"]
        assert "Origin" in headers["Vary"]


@pytest.mark.parametrize(
    "origin", ["https://other.example", "https://plant.example.evil", "null", "http://plant.example"]
)
def test_origins_that_are_not_set_are_not_let_in(closed: Api, origin: str) -> None:
    status, headers, _ = call(closed, "OPTIONS", Origin=origin, Access_Control_Request_Method="POST")
    assert (status, headers["Access-Control-Allow-Origin"]) == (400, None)
    _, headers, _ = call(closed, "POST", body={"query": "{ __typename }"}, Origin=origin)
    assert headers["Access-Control-Allow-Origin"] is None


# Compression of WebSockets


def test_websockets_are_compressed_where_it_is_set(api: Api, closed: Api) -> None:
    async def scenario() -> None:
        for served, extensions in ((api, []), (closed, ["permessage-deflate"])):
            async with socket(served) as opened:
                assert [extension.name for extension in opened.protocol.extensions] == extensions
                await send(opened, subscribe("1", "{ __typename }"))
                assert (await receive(opened))["payload"] == {"data": {"__typename": "Query"}}

    run(scenario)
