"""GraphQL over HTTP: invalid operations, limits, internal errors."""

from __future__ import annotations

import json
import subprocess
import urllib.error
import urllib.request
from datetime import timedelta

import jwt
import pytest

from gql.base.context import Context
from gql.server import limits
from graph.errors import UnavailableError
from testing.api import SECRET, Api
from testing.clients import CLIENTS, node_needed
from testing.installation import Client
from testing.waits import patient


@node_needed("graphql-http")
def test_all_audits_of_graphql_over_http(api: Api) -> None:
    done = subprocess.run(
        ["node", "audit.mjs", api.url], cwd=CLIENTS, capture_output=True, text=True, timeout=patient(120), check=True
    )
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(results) == 61
    assert [result for result in results if result["status"] != "ok"] == []


def test_a_token_that_has_expired(api: Api) -> None:
    expired = Client(api.url, api.token("plant", "admin", ttl=timedelta(minutes=-5)))
    assert expired.call("{ viewer { role } }").error_codes == ["UNAUTHENTICATED"]


def test_a_token_of_another_secret_and_of_no_algorithm(api: Api) -> None:
    claims = {"sub": "x", "org": "plant", "role": "admin", "exp": 4_000_000_000}
    forged = (
        jwt.encode(claims, "some other secret, also long enough for it", algorithm="HS256"),
        jwt.encode(claims, "", algorithm="none"),
    )
    for token in forged:
        assert Client(api.url, token).call("{ viewer { role } }").error_codes == ["UNAUTHENTICATED"]


def test_a_token_of_an_unknown_organization_or_role(api: Api) -> None:
    assert Client(api.url, api.token("elsewhere", "admin")).call("{ viewer { role } }").error_codes == [
        "UNAUTHENTICATED"
    ]
    for role in ("device", "owner", None, 7):
        claims = {"sub": "x", "org": "plant", "role": role, "exp": 4_000_000_000}
        token = jwt.encode(claims, SECRET, algorithm="HS256")
        assert Client(api.url, token).call("{ viewer { role } }").error_codes == ["UNAUTHENTICATED"]


def test_expensive_operations_are_refused_with_their_cost(api: Api) -> None:
    client = api.client("plant")
    deep = "{ entities { nodes " + '{ related(relationships: ["FEEDS"]) { nodes ' * 14 + "{ id }" + " } }" * 14 + " } }"
    reply = client.call(deep)
    assert reply.error_codes == ["LIMIT_EXCEEDED"]
    assert str(limits.DEPTH_MAX) in reply.body["errors"][0]["message"]

    wide = "{ " + " ".join(f"a{n}: viewer {{ role }}" for n in range(limits.ROOT_FIELDS_MAX + 1)) + " }"
    assert client.call(wide).error_codes == ["LIMIT_EXCEEDED"]

    costly = "{ entities(first: 500) { nodes { edges(first: 500) { nodes { source { edges(first: 500) { nodes { id } } } } } } } }"
    reply = client.call(costly)
    assert reply.error_codes == ["COST_LIMIT_EXCEEDED"]
    assert str(limits.COST_MAX) in reply.body["errors"][0]["message"]

    by_variable = "query Q($n: Int = 500) { entities(first: $n) { nodes { edges(first: $n) { nodes { source { edges(first: $n) { nodes { id } } } } } } } }"
    assert client.call(by_variable).error_codes == ["COST_LIMIT_EXCEEDED"]
    assert client.call(by_variable, {"n": 2}).data["entities"]["nodes"] == []


def test_fragments_that_double_at_each_level_are_measured_once_each(api: Api) -> None:
    levels = 40
    fragments = " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(levels))
    text = f"{{ ...F0 }} {fragments} fragment F{levels} on Query {{ viewer {{ role }} }}"
    reply = api.client("plant").call(text)
    # 2^40 fields if expanded; computed, not walked through.
    assert reply.error_codes == ["LIMIT_EXCEEDED"]


def test_a_page_is_0_to_500(api: Api) -> None:
    for first in (-1, 501):
        reply = api.client("plant").call(f"{{ devices(first: {first}) {{ nodes {{ id }} }} }}")
        assert reply.error_codes == ["BAD_USER_INPUT"]
        assert reply.body["errors"][0]["path"] == ["devices"]
    reply = api.client("plant").call('{ devices(after: "nonsense") { nodes { id } } }')
    assert reply.error_codes == ["BAD_USER_INPUT"]


def test_unknown_fields_and_bad_times_are_reported_plainly(api: Api) -> None:
    client = api.client("plant")
    reply = client.call("{ viewr { role } }")
    assert reply.error_codes == ["BAD_USER_INPUT"]
    assert reply.body["errors"][0]["message"].startswith("Cannot query field 'viewr' on type 'Query'.")
    for time in ("2026-01-01T00:00:00", "2026-01-01", "yesterday"):
        reply = client.call("query Q($t: DateTime!) { ingestAccount(from: $t) { received } }", {"t": time})
        assert reply.error_codes == ["BAD_USER_INPUT"], time
        assert "RFC 3339" in reply.body["errors"][0]["message"]


def test_the_account_of_an_unknown_device_names_the_id(api: Api) -> None:
    query = 'query Q($d: ID!) { ingestAccount(from: "2026-01-01T00:00:00Z", deviceId: $d) { received } }'
    for unknown in ("00000000-0000-4000-8000-00000000abcd", "no id at all"):
        reply = api.client("plant").call(query, {"d": unknown})
        assert reply.error_codes == ["NOT_FOUND"]
        [error] = reply.body["errors"]
        assert unknown in error["message"]
        assert error["extensions"]["argumentPath"] == ["deviceId"]


def test_a_body_over_the_limit_is_refused(api: Api) -> None:
    reply = api.client("plant").post(b'{"query": "' + b"x" * (9 * 1024 * 1024) + b'"}')
    assert (reply.status, reply.error_codes) == (413, ["LIMIT_EXCEEDED"])


def test_a_defect_is_masked_and_traceable(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    import gql.definitions.entity_types

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr(gql.definitions.entity_types, "entity_type_list", broken)
    reply = api.client("plant").call("{ entityTypes { id } }")
    assert reply.error_codes == ["INTERNAL"]
    [error] = reply.body["errors"]
    assert "secret" not in json.dumps(reply.body)
    assert len(error["extensions"]["traceId"]) == 32


def test_a_change_of_an_edge_leads_to_the_edge(api: Api) -> None:
    api.organization("trail")
    client = api.client("trail")
    made = client.call(
        'mutation { a: createAsset(input: {name: "a"}) { asset { id } } b: createAsset(input: {name: "b"}) { asset { id } } }'
    ).data
    ids = {"s": made["a"]["asset"]["id"], "t": made["b"]["asset"]["id"]}
    edge = client.call(
        'mutation E($s: ID!, $t: ID!) { createEdge(input: {sourceId: $s, targetId: $t, relationship: "FEEDS"})'
        " { edge { id edgeId } } }",
        ids,
    ).data["createEdge"]["edge"]
    [newest, *_] = client.call(
        "{ changes(first: 3) { nodes { action actor subject { id ... on Edge { edgeId } } } } }"
    ).data["changes"]["nodes"]
    assert newest == {"action": "created", "actor": "admin@test", "subject": edge}
    assert client.call("query N($id: ID!) { node(id: $id) { id } }", {"id": edge["edgeId"]}).data["node"] == {
        "id": edge["id"]
    }


@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json"])
@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("{ entityTypes { id } }", 503),  # may not be null: data is
        ('{ node(id: "0197a000-0000-7000-8000-000000000001") { id } }', 503),  # may be null
        (
            '{ a: node(id: "0197a000-0000-7000-8000-000000000001") { id } b: node(id: "0197a000-0000-7000-8000-000000000002") { id } }',
            503,
        ),
        ('{ viewer { role } node(id: "0197a000-0000-7000-8000-000000000001") { id } }', 200),
    ],
)
def test_the_http_status_says_that_nothing_was_available(
    api: Api, monkeypatch: pytest.MonkeyPatch, accept: str, query: str, status: int
) -> None:
    async def unavailable(*_: object, **__: object) -> None:
        raise UnavailableError("The database does not answer. Nothing was changed; try again.")

    monkeypatch.setattr(Context, "read", unavailable)
    request = urllib.request.Request(
        f"http://127.0.0.1:{api.port}/graphql",
        json.dumps({"query": query}).encode(),
        {
            "Authorization": f"Bearer {api.token('plant', 'viewer')}",
            "Content-Type": "application/json",
            "Accept": accept,
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=patient(30)) as answer:  # noqa: S310
            outcome = answer.status, answer.headers["Retry-After"]
    except urllib.error.HTTPError as refused:
        with refused:
            outcome = refused.code, refused.headers["Retry-After"]
    assert outcome == (status, "2" if status == 503 else None)
