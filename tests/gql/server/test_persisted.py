"""Documents sent by their ids: automatic persisted queries, and trusted documents."""

from __future__ import annotations

import hashlib
import json
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import gql.server.persisted
from gql.access.principal import Principal, Role
from gql.server.persisted import PersistedDocuments
from gql.server.preparation import Request, RequestError
from gql.server.rest.documents import texts
from gql.server.trusted import TrustedDocuments, TrustedDocumentsError, trusted_documents_load
from testing.api import Api, api_serve, bounds
from testing.installation import Client, Reply
from testing.rest import RestClient
from testing.servers import TestServers
from tests.gql.server.graphql_ws import LIVE, ROLE, closed_with, receive, run, send, socket, subscribe
from tests.gql.server.http_streams import EVENT_STREAM, events, opened
from tests.gql.server.updates import Source

NOT_FOUND = {"message": "PersistedQueryNotFound", "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"}}
TRUSTED = "query Trusted { viewer { role } }"
LIVE_TRUSTED = "subscription Live { telemetry { cursor } }"


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def persisted(query: str) -> dict[str, Any]:
    return {"persistedQuery": {"version": 1, "sha256Hash": sha256(query)}}


def post(client: Client, **body: Any) -> Reply:
    return client.post(json.dumps(body).encode())


def principal(organization_id: int) -> Principal:
    return Principal(organization_id, UUID(int=organization_id), "o", Role.VIEWER, "s", None)


# Automatic persisted queries


def test_a_hash_is_enough_once_its_document_was_executed(api: Api) -> None:
    client = api.client("plant", "viewer")
    query = "query Persisted { viewer { role } }"
    first = post(client, extensions=persisted(query))
    assert first.body == {"errors": [NOT_FOUND]}
    assert post(client, query=query, extensions=persisted(query)).data == {"viewer": {"role": "viewer"}}
    for body in (
        {"extensions": persisted(query)},
        {"extensions": persisted(query), "query": None},
        {"documentId": f"sha256:{sha256(query)}"},
        {"documentId": sha256(query)},
    ):
        assert post(client, **body).data == {"viewer": {"role": "viewer"}}
    extensions = urllib.parse.quote(json.dumps(persisted(query)))
    for parameters in (f"extensions={extensions}", f"documentId=sha256:{sha256(query)}"):
        assert get(api, parameters, client.token)["data"] == {"viewer": {"role": "viewer"}}


def get(api: Api, parameters: str, token: str | None) -> Any:
    request = urllib.request.Request(f"{api.url}?{parameters}", headers={"Authorization": f"Bearer {token}"})  # noqa: S310
    with urllib.request.urlopen(request) as response:  # noqa: S310
        return json.load(response)


@pytest.mark.parametrize(("accept", "status"), [("application/graphql-response+json", 400), ("application/json", 200)])
def test_the_status_of_a_missing_document_is_that_of_an_invalid_one(api: Api, accept: str, status: int) -> None:
    token, document_id = api.token("plant", "viewer"), f"sha256:{'0' * 64}"
    with opened(api.port, "", accept=accept, token=token, documentId=document_id) as response:
        assert response.status == status
        assert json.loads(response.read()) == {"errors": [NOT_FOUND]}


@pytest.mark.parametrize(
    "body",
    [
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}},
        {"documentId": f"sha256:{'0' * 64}"},
    ],
)
def test_a_hash_of_another_document_is_refused_and_not_stored(api: Api, body: dict[str, Any]) -> None:
    client = api.client("plant", "viewer")
    assert post(client, query=ROLE, **body).error_codes == ["BAD_USER_INPUT"]
    assert post(client, **body).body == {"errors": [NOT_FOUND]}


@pytest.mark.parametrize(
    "extension",
    [
        {},
        5,
        [],
        {"version": 2, "sha256Hash": "0" * 64},
        {"version": 1},
        {"version": 1, "sha256Hash": "0" * 63},
        {"version": 1, "sha256Hash": "g" * 64},
        {"version": 1, "sha256Hash": 5},
    ],
)
def test_another_form_of_the_extension_is_refused(api: Api, extension: Any) -> None:
    reply = post(api.client("plant"), extensions={"persistedQuery": extension})
    assert (reply.status, reply.error_codes) == (400, ["BAD_USER_INPUT"])


@pytest.mark.parametrize("document_id", ["", 5, [], "x" * 201])
def test_another_form_of_an_id_is_refused(api: Api, document_id: Any) -> None:
    assert post(api.client("plant"), documentId=document_id).status == 400


def test_invalid_documents_are_not_stored(api: Api) -> None:
    client = api.client("plant")
    for query in ("{", "{ nothing }"):
        assert post(client, query=query, extensions=persisted(query)).error_codes == ["BAD_USER_INPUT"]
        assert post(client, extensions=persisted(query)).body == {"errors": [NOT_FOUND]}


def test_nothing_is_stored_for_callers_without_a_token(api: Api) -> None:
    """They could drive out what others use."""
    client, query = Client(api.url, None), "query Anonymous { __typename }"
    assert post(client, query=query, extensions=persisted(query)).data == {"__typename": "Query"}
    assert post(client, extensions=persisted(query)).body == {"errors": [NOT_FOUND]}


def test_each_organization_has_documents_of_its_own(api: Api) -> None:
    api.organization("apart")
    query = "query Own { viewer { role } }"
    assert post(api.client("plant"), query=query, extensions=persisted(query)).data
    assert post(api.client("apart"), extensions=persisted(query)).body == {"errors": [NOT_FOUND]}


def test_a_mutation_by_its_hash_needs_its_permission_and_post(api: Api) -> None:
    mutation = 'mutation M { deleteDevice(id: "0197a000-0000-7000-8000-000000000001") { errors { code } } }'
    assert post(api.client("plant"), query=mutation, extensions=persisted(mutation)).data
    assert post(api.client("plant", "viewer"), extensions=persisted(mutation)).error_codes == ["FORBIDDEN"]
    with opened(
        api.port, "", accept="application/json", token=api.token("plant", "admin"), method="GET",
        extensions=persisted(mutation),
    ) as response:  # fmt: skip
        assert response.status == 405


def test_the_store_is_bounded_by_organization_and_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gql.server.persisted, "ORGANIZATION_MAX_BYTES", 10_000)
    monkeypatch.setattr(gql.server.persisted, "ALL_MAX_BYTES", 20_000)
    documents = PersistedDocuments()

    def known(organization: int, text: str) -> bool:
        try:
            return documents.resolve(Request("", document_id=sha256(text)), principal(organization)).query == text
        except RequestError:
            return False

    def put(organization: int, text: str) -> None:
        documents.remember(Request(text, document_id=sha256(text)), principal(organization))

    put(1, "first")
    for number in range(100):
        put(2, f"{number}" + "x" * 1_000)
        # Used again and again, it stays.
        assert known(2, "0" + "x" * 1_000)
    assert known(1, "first")
    assert sum(known(2, f"{number}" + "x" * 1_000) for number in range(100)) == 7
    for organization in (3, 4):
        for number in range(10):
            put(organization, f"{number}" + "x" * 1_000)
    assert not known(1, "first")
    assert known(4, "9" + "x" * 1_000)
    assert documents._nbytes <= 20_000
    assert documents._nbytes == sum(store.nbytes for store in documents._stores.values())


def test_persisted_queries_over_a_websocket(api: Api) -> None:
    async def scenario() -> None:
        async with socket(api, token=api.token("plant", "viewer")) as opened_socket:
            query = "query Socket { viewer { role } }"
            await send(opened_socket, {"id": "1", "type": "subscribe", "payload": {"extensions": persisted(query)}})
            assert await receive(opened_socket) == {"id": "1", "type": "error", "payload": [NOT_FOUND]}
            await send(opened_socket, subscribe("1", query, extensions=persisted(query)))
            assert (await receive(opened_socket))["type"] == "next"
            assert (await receive(opened_socket))["type"] == "complete"
            await send(opened_socket, {"id": "1", "type": "subscribe", "payload": {"extensions": persisted(query)}})
            assert (await receive(opened_socket))["payload"] == {"data": {"viewer": {"role": "viewer"}}}

    run(scenario)


# Trusted documents


@pytest.fixture(scope="module")
def trusting(servers: TestServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """An API that executes its trusted documents alone."""
    path = tmp_path_factory.mktemp("documents") / "documents.json"
    path.write_text(json.dumps({"role": TRUSTED, "live": LIVE_TRUSTED}))
    database = servers.database_create()
    try:
        settings = bounds(trusted_documents=str(path))
        with api_serve(database, servers.bus_server.url, api=settings) as served:
            served.organization("plant")
            yield served
    finally:
        servers.database_drop(database)


@pytest.mark.parametrize(
    "body",
    [
        {"documentId": "role"},
        {"documentId": f"sha256:{sha256(TRUSTED)}"},
        {"extensions": persisted(TRUSTED)},
        {"query": TRUSTED},
        {"query": TRUSTED, "extensions": persisted(TRUSTED)},
        {"query": TRUSTED, "documentId": "role"},
    ],
    ids=json.dumps,
)
def test_a_trusted_document_is_executed(trusting: Api, body: dict[str, Any]) -> None:
    assert post(trusting.client("plant", "viewer"), **body).data == {"viewer": {"role": "viewer"}}


def test_the_documents_of_rest_are_trusted_too(trusting: Api) -> None:
    rest = RestClient(trusting.url.removesuffix("/graphql"), trusting.token("plant", "viewer"))
    assert rest.call("GET", "/api/v1/assets").body["nodes"] == []
    assert post(trusting.client("plant", "viewer"), documentId=sha256(texts()["Assets"])).data["result"]["nodes"] == []


def test_without_rest_its_documents_are_not_trusted_either(servers: TestServers, tmp_path: Path) -> None:
    path = tmp_path / "documents.json"
    path.write_text(json.dumps({"role": TRUSTED}))
    database = servers.database_create()
    try:
        settings = bounds(trusted_documents=str(path), rest=False)
        with api_serve(database, servers.bus_server.url, api=settings) as served:
            served.organization("plant")
            rest = RestClient(served.url.removesuffix("/graphql"), served.token("plant", "viewer"))
            assert rest.call("GET", "/api/v1/assets").status == rest.call("GET", "/openapi.json").status == 404
            reply = post(served.client("plant", "viewer"), documentId=sha256(texts()["Assets"]))
            assert reply.error_codes == ["PERSISTED_QUERY_NOT_FOUND"]
    finally:
        servers.database_drop(database)


@pytest.mark.parametrize(
    "query", [ROLE, TRUSTED + " ", "{ __typename }", "query IntrospectionQuery { __schema { types { name } } }", "{"]
)
@pytest.mark.parametrize("role", ["admin", None])
def test_another_document_is_refused(trusting: Api, query: str, role: str | None) -> None:
    client = Client(trusting.url, None) if role is None else trusting.client("plant", role)
    for body in ({"query": query}, {"query": query, "extensions": persisted(query)}):
        reply = post(client, **body)
        assert (reply.status, reply.error_codes) == (403, ["UNTRUSTED_DOCUMENT"])
    assert post(client, extensions=persisted(query)).body == {"errors": [NOT_FOUND]}
    assert trusting.work.parsed <= 2


def test_another_document_is_refused_by_every_transport(trusting: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Source()
    source.updates = ["a"]
    monkeypatch.setattr(trusting.services.feed, "subscribe", source.subscribe)
    token = trusting.token("plant", "viewer")

    async def scenario() -> None:
        async with socket(trusting, token=token) as opened_socket:
            await send(opened_socket, subscribe("1", LIVE))
            refused = await receive(opened_socket)
            assert (refused["type"], refused["payload"][0]["extensions"]["code"]) == ("error", "UNTRUSTED_DOCUMENT")
            await send(opened_socket, {"id": "2", "type": "subscribe", "payload": {"documentId": "live"}})
            assert (await receive(opened_socket))["payload"] == {"data": {"telemetry": {"cursor": "a"}}}
            await send(opened_socket, {"id": "3", "type": "subscribe", "payload": {"documentId": 5}})
            assert await closed_with(opened_socket) == 4400

    run(scenario)
    with opened(trusting.port, LIVE, accept=EVENT_STREAM, token=token) as response:
        assert response.status == 403
    with opened(trusting.port, LIVE_TRUSTED, accept=EVENT_STREAM, token=token) as response:
        assert [name for name, _ in events(response)] == ["", "next", "complete"]


def test_documents_of_files_and_directories(tmp_path: Path) -> None:
    def documents(name: str) -> TrustedDocuments:
        return trusted_documents_load(tmp_path / name)

    (tmp_path / "all" / "more").mkdir(parents=True)
    (tmp_path / "all" / "one.graphql").write_text("{ one }\n")
    (tmp_path / "all" / "more" / "two.gql").write_text("{ two }")
    (tmp_path / "all" / "notes.txt").write_text("no document")
    manifest = {
        "format": "apollo-persisted-query-manifest",
        "version": 1,
        "operations": [{"id": "three-id", "name": "Three", "type": "query", "body": "{ three }"}],
    }
    (tmp_path / "all" / "apollo.json").write_text(json.dumps(manifest))
    (tmp_path / "relay.json").write_text(json.dumps({"0123456789abcdef": "{ four }"}))
    every = documents("all")
    assert len(every) == 3
    assert every.get(sha256("{ one }\n")) == "{ one }\n"
    assert every.get(sha256("{ two }")) == "{ two }"
    assert every.get("three-id") == every.get(sha256("{ three }")) == "{ three }"
    assert every.get("one") is None
    assert documents("relay.json").get("0123456789abcdef") == "{ four }"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is not JSON"),
        ("[]", "neither"),
        ("5", "neither"),
        ("{}", "has no documents"),
        ('{"a": 5}', "neither"),
        ('{"": "{ a }"}', "neither"),
        ('{"format": "apollo-persisted-query-manifest"}', "neither"),
        ('{"format": "apollo-persisted-query-manifest", "operations": [5]}', "neither"),
        ('{"format": "apollo-persisted-query-manifest", "operations": []}', "has no documents"),
        (json.dumps({"a": "x" * 100_001}), "characters"),
    ],
)
def test_files_that_hold_no_documents(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "documents.json"
    path.write_text(text)
    with pytest.raises(TrustedDocumentsError, match=words) as caught:
        trusted_documents_load(path)
    assert str(path) in str(caught.value)


def test_documents_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(TrustedDocumentsError, match="cannot be read: No such file"):
        trusted_documents_load(tmp_path / "nowhere.json")
    with pytest.raises(TrustedDocumentsError, match="has no documents"):
        trusted_documents_load(tmp_path)


def test_one_id_is_of_one_document(tmp_path: Path) -> None:
    for name, text in (("a.json", "{ a }"), ("b.json", "{ b }")):
        (tmp_path / name).write_text(json.dumps({"same": text}))
    with pytest.raises(TrustedDocumentsError, match="'same' is that of another"):
        trusted_documents_load(tmp_path)
