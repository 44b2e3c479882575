"""Which process of the API answers a request."""

from __future__ import annotations

import json

import pytest
from graphql import FieldNode, GraphQLSyntaxError, OperationDefinitionNode, OperationType, parse
from hypothesis import given
from hypothesis import strategies as st

from argus.api.readers.routing import (
    BODY_EXAMINED_MAX_BYTES,
    Destination,
    listener_by_body,
    listener_by_head,
    reader_by_head,
)
from gql.server.documents import definitions_of, is_mutation_of

HERE, ELSEWHERE, LIVE, BY_BODY = Destination.HERE, Destination.ELSEWHERE, Destination.LIVE, Destination.BY_BODY
INGEST = "mutation { ingestTelemetry(readings: [{metrics: {a: 1}}]) { accepted } }"


@pytest.mark.parametrize(
    ("url", "token", "expected"),
    [
        (b"/healthz", None, HERE),
        (b"/readyz?a=b", None, HERE),
        (b"http://plant.example/metrics", None, HERE),
        (b"/api/v1/telemetry/ingest", b"Bearer a.b.c", HERE),
        (b"/api/v1/telemetry/%69ngest?format=senml", None, HERE),
        (b"/api/v1/some-token/telemetry", None, HERE),
        (b"/api/v1/some/token/telemetry", None, ELSEWHERE),
        (b"/graphql", b"Bearer argus_dev_abc", BY_BODY),
        (b"/graphql", b"Bearer a.b.c", BY_BODY),
        (b"/graphql", b"Basic argus_dev_abc", BY_BODY),
        (b"/graphql", None, ELSEWHERE),
        (b"/", b"Bearer argus_dev_abc", ELSEWHERE),
        (b"/healthz/more", None, ELSEWHERE),
    ],
)
def test_routing_by_the_head(url: bytes, token: bytes | None, expected: Destination) -> None:
    headers = [(b"host", b"a"), *([] if token is None else [(b"authorization", token)])]
    assert listener_by_head(b"POST", url, headers) is expected
    # A reader keeps what it was given by the body.
    assert reader_by_head(b"POST", url, headers) is (ELSEWHERE if expected is HERE else HERE)


@pytest.mark.parametrize("method", [b"GET", b"POST"])
@pytest.mark.parametrize(
    ("accept", "is_live"),
    [
        ([b"text/event-stream"], True),
        ([b"multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json"], True),
        ([b"text/html", b"text/event-stream, multipart/mixed"], True),
        ([b"application/json, text/event-stream"], False),
        ([b"application/json"], False),
        ([b"\xff\xfe, *"], False),
        ([], False),
    ],
)
def test_streams_are_answered_where_the_live_data_is(method: bytes, accept: list[bytes], is_live: bool) -> None:
    headers = [(b"authorization", b"Bearer a.b.c"), *((b"accept", value) for value in accept)]
    usual = listener_by_head(method, b"/graphql", headers[:1])
    assert listener_by_head(method, b"/graphql", headers) is (LIVE if is_live else usual)
    # Nobody subscribes without a token.
    assert listener_by_head(method, b"/graphql", headers[1:]) is ELSEWHERE
    assert reader_by_head(method, b"/graphql", headers) is HERE


@pytest.mark.parametrize(
    ("method", "headers", "expected"),
    [
        (b"POST", {}, BY_BODY),
        (b"POST", {b"content-length": b"5000000"}, HERE),
        (b"GET", {}, ELSEWHERE),
        (b"GET", {b"upgrade": b"websocket"}, HERE),
    ],
)
def test_a_device_reads_like_all_others(method: bytes, headers: dict[bytes, bytes], expected: Destination) -> None:
    device = (b"authorization", b"bearer  argus_dev_abc")
    assert listener_by_head(method, b"/graphql", [device, *headers.items()]) is expected


@pytest.mark.parametrize(
    ("method", "headers", "expected"),
    [
        (b"POST", {b"content-length": b"100"}, BY_BODY),
        (b"POST", {b"content-length": str(BODY_EXAMINED_MAX_BYTES).encode()}, BY_BODY),
        (b"POST", {b"content-length": str(BODY_EXAMINED_MAX_BYTES + 1).encode()}, ELSEWHERE),
        (b"POST", {b"content-length": b"9" * 5_000}, ELSEWHERE),
        (b"POST", {b"content-length": b"-1"}, ELSEWHERE),
        (b"POST", {b"transfer-encoding": b"chunked"}, BY_BODY),
        (b"POST", {b"content-encoding": b"gzip"}, ELSEWHERE),
        (b"POST", {b"content-encoding": b"Identity"}, BY_BODY),
        (b"POST", {b"upgrade": b"websocket"}, ELSEWHERE),
        (b"GET", {}, ELSEWHERE),
    ],
)
def test_a_body_is_examined_only_where_it_can_be_ingest(
    method: bytes, headers: dict[bytes, bytes], expected: Destination
) -> None:
    assert listener_by_head(method, b"/graphql", [(b"authorization", b"Bearer a.b.c"), *headers.items()]) is expected


def test_the_token_that_counts_is_the_first() -> None:
    """Or a user could have anything executed by the process that listens."""
    user, device = (b"authorization", b"Bearer a.b.c"), (b"authorization", b"Bearer argus_dev_abc")
    upgrade = (b"upgrade", b"websocket")
    assert listener_by_head(b"GET", b"/graphql", [user, device, upgrade]) is ELSEWHERE
    assert listener_by_head(b"GET", b"/graphql", [device, user, upgrade]) is HERE


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"query": INGEST}, HERE),
        ({"query": INGEST, "variables": {"query": "{ devices { totalCount } }"}}, HERE),
        ({"query": "{ devices { totalCount } }", "variables": {"query": INGEST}}, ELSEWHERE),
        ({"query": "{ viewer { role } } # " + INGEST}, ELSEWHERE),
        ({"query": None, "ingestTelemetry": 1}, ELSEWHERE),
        ([{"query": INGEST}], ELSEWHERE),
        ("ingestTelemetry", ELSEWHERE),
        ({"query": INGEST, "variables": [[[]] * 60_000]}, ELSEWHERE),
    ],
)
def test_routing_by_the_body(body: object, expected: Destination) -> None:
    assert listener_by_body(json.dumps(body).encode()) is expected


def test_a_body_that_is_no_json_is_left_to_a_reader() -> None:
    assert listener_by_body(b'{"query": "ingestTelemetry') is ELSEWHERE
    # The last of two wins, for whoever executes it too.
    twice = b'{"query": %s, "query": "{ ingestTelemetry }"}' % json.dumps(INGEST).encode()
    assert listener_by_body(twice) is ELSEWHERE


@pytest.mark.parametrize(
    "text",
    [
        INGEST,
        "mutation M($r: [ReadingInput!]! = [{metrics: {a: 1}}]) @x(a: {b: 1}) { ingestTelemetry(readings: $r) { accepted } }",
        "mutation { __typename ingestTelemetry { accepted } }",
        "mutation { ingestTelemetry(readings: [" + "{metrics: {a: 1}}, " * 400 + "]) { accepted } }",
        "mutation { a: ingestTelemetry { accepted } b: ingestTelemetry @skip(if: true) { rejected } }",
        "# devices\nmutation { ingestTelemetry(readings: []) { ...F } } fragment F on IngestPayload { accepted errors { code } }",
        'mutation { ingestTelemetry(a: "} devices {", b: """ } devices { """) { accepted } }',
    ],
)
def test_a_mutation_of_one_field(text: str) -> None:
    assert is_mutation_of(text, "ingestTelemetry")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{ ingestTelemetry }",
        "query { ingestTelemetry }",
        "subscription { ingestTelemetry }",
        "mutation { createDevice { device { id } } }",
        "mutation { ingestTelemetry { accepted } createDevice { device { id } } }",
        "mutation { ingestTelemetry: createDevice { device { id } } }",
        "mutation { ingestTelemetry { accepted } ...F } fragment F on Mutation { createDevice { device { id } } }",
        "mutation { ingestTelemetry{accepted}...F} fragment F on Mutation { createDevice { device { id } } }",
        "mutation { ... on Mutation { createDevice { device { id } } } ingestTelemetry { accepted } }",
        "mutation A { ingestTelemetry { accepted } } mutation B { createDevice { device { id } } }",
        "mutation A { ingestTelemetry { accepted } } query B { devices { totalCount } }",
        "fragment F on IngestPayload { accepted }",
        "mutation { ingestTelemetry { accepted } " + " # devices\n" * 10_000 + "}",
        "mutation { ingestTelemetry { accepted } ",
        # Comparing so many fields with each other takes half a second.
        "mutation {" + " ".join(f"a{n}: ingestTelemetry {{ accepted rejected }}" for n in range(40)) + "}",
    ],
)
def test_no_mutation_of_one_field(text: str) -> None:
    assert not is_mutation_of(text, "ingestTelemetry")


PARTS = st.sampled_from(
    'mutation query fragment on F M ingestTelemetry devices a : { } { } ( ) [ ] @ ... ! $ = "x" """}""" # 1 , 1.5 -'
    " \n".split(" ")
)
FIELD = st.sampled_from(["ingestTelemetry", "ingestTelemetry(r: {a: 1})", "b: ingestTelemetry { accepted }", "devices"])
OPERATION = st.builds(
    "{}{{ {} }}".format,
    st.sampled_from(["mutation ", "mutation M ", "query ", "", "mutation ($a: A = {b: 1}) ", "fragment F on A "]),
    st.lists(FIELD | PARTS, max_size=4).map(" ".join),
)


@given(st.lists(OPERATION | PARTS, max_size=12).map(" ".join) | st.lists(OPERATION, max_size=2).map("".join))
def test_detection_of_single_field_mutations(text: str) -> None:
    """Whatever else can be parsed is left to a reader."""
    if not is_mutation_of(text, "ingestTelemetry"):
        return
    try:
        document = parse(text)
    except GraphQLSyntaxError:
        # It is refused before it is executed, wherever.
        return
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    assert [operation.operation for operation in operations] == [OperationType.MUTATION]
    for node in operations[0].selection_set.selections:
        assert isinstance(node, FieldNode)
        assert node.name.value in {"ingestTelemetry", "__typename"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{ a }", {"{"}),
        ("query Q($a: A = {b: 1}) { subscription } fragment F on A { query }", {"query", "fragment"}),
        ("# subscription\n subscription S { a }", {"subscription"}),
        ("{ a } subscription { b }", {"{", "subscription"}),
        ('{ a(b: "} subscription {") }', {"{"}),
        ("{ " + "a " * 5_000 + "}", set()),
    ],
)
def test_the_beginning_of_a_documents_definitions(text: str, expected: set[str]) -> None:
    assert definitions_of(text) == expected
