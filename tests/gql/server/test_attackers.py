"""The cost of hostile requests, counted in steps of work, never in seconds.

`pytest -s` prints the processor time and the memory of each besides.
"""

from __future__ import annotations

import gzip
import json
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest
from graphql import specified_rules

from argus.api.serving import HEAD_MAX_BYTES, HEADERS_MAX, PIPELINE_MAX
from gql.server import ingest_http
from gql.server.execution import Executor
from gql.server.preparation import COMPARISONS_MAX
from runtime.settings.model import RateSettings
from testing.api import Api, api_serve, bounds
from testing.installation import Client, Reply
from testing.servers import TestServers
from testing.waits import Deadline, patient

RULES = len(specified_rules)


@contextmanager
def cost(name: str) -> Iterator[None]:
    """Print the time of the block."""
    began = time.process_time()
    yield
    used, peak = time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"\n{name:40} {used:7.3f} s of processor, {peak / 1024:7.1f} MiB at most so far", end="")  # noqa: T201


@dataclass(frozen=True)
class Attack:
    """A document, what is answered, and how far it comes: parsed at all, so many rules run."""

    text: str
    code: str
    parsed: int
    rules: int


def fragments(number: int, body: str) -> str:
    spread = " ".join(f"...F{n}" for n in range(number))
    return f"{{ {spread} }} " + " ".join(f"fragment F{n} on Query {{ {body} }}" for n in range(number))


OF_A_VIEWER = {
    "a comment of 7.9 MB": Attack("{ __typename } #" + "x" * 7_900_000, "LIMIT_EXCEEDED", 0, 0),
    "49,000 comments": Attack("#\n" * 49_000 + "{ __typename }", "LIMIT_EXCEEDED", 0, 0),
    "22 kB of fragments": Attack(fragments(190, "viewer { role subject }" * 4), "LIMIT_EXCEEDED", 0, 0),
    "fragments within the bounds": Attack(fragments(150, "viewer { role } " * 4), "LIMIT_EXCEEDED", 1, RULES),
    "one field 990 times": Attack("{" + "viewer { role } " * 990 + "}", "LIMIT_EXCEEDED", 1, RULES),
    "fragments that double": Attack(
        "{ ...F0 } " + " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(150))
        + " fragment F150 on Query { viewer { role } }", "LIMIT_EXCEEDED", 1, RULES,
    ),
    "brackets": Attack("{ nodes(ids: " + "[" * 3_000, "LIMIT_EXCEEDED", 0, 0),
    "braces": Attack("{ viewer" * 1_500, "LIMIT_EXCEEDED", 0, 0),
    "directives": Attack("{ viewer { role " + "@skip(if: true) " * 500 + "} }", "LIMIT_EXCEEDED", 0, 0),
    "200 names of the schema": Attack(
        "{" + " ".join(f"a{n}: __schema {{ types {{ fields {{ type {{ name }} }} }} }}" for n in range(190)) + "}",
        "LIMIT_EXCEEDED", 1, RULES,
    ),
}  # fmt: skip
OF_NOBODY = {
    "501 tokens": Attack("{" + "a " * 500 + "}", "LIMIT_EXCEEDED", 0, 0),
    "what needs a token": Attack("{ viewer { role " + "nothing " * 300 + "} }", "UNAUTHENTICATED", 1, 0),
    "what is not there": Attack("{" + " ".join(f"a{n}" for n in range(400)) + "}", "BAD_USER_INPUT", 1, 1),
    "fields that overlap": Attack("{ viewer { role } " + "viewer { role } " * 100 + "}", "UNAUTHENTICATED", 1, 0),
    "fragments": Attack(fragments(20, "viewer { role }"), "UNAUTHENTICATED", 1, 0),
}


def tried(api: Api, client: Client, name: str, attack: Attack) -> Reply:
    before = replace(api.work)
    with cost(name):
        reply = client.call(attack.text)
    assert set(reply.error_codes) == {attack.code}, reply.body
    assert (api.work.parsed - before.parsed, api.work.rules - before.rules) == (attack.parsed, attack.rules)
    return reply


@pytest.mark.parametrize("name", OF_A_VIEWER)
def test_a_viewers_document(api: Api, name: str) -> None:
    tried(api, api.client("plant", "viewer"), name, OF_A_VIEWER[name])


@pytest.mark.parametrize("name", OF_NOBODY)
def test_an_anonymous_document(api: Api, name: str) -> None:
    tried(api, Client(api.url, None), name, OF_NOBODY[name])


def test_forbidden_fields_are_refused_before_validation(api: Api) -> None:
    fields = "accepted errors { code } " * 20
    text = "mutation {" + " ".join(f"a{n}: ingestTelemetry(readings: []) {{ {fields} }}" for n in range(20)) + "}"
    rules = api.work.rules
    reply = api.client("plant", "viewer").call(text)
    assert (reply.status, reply.error_codes) == (403, ["FORBIDDEN"])
    assert api.work.rules == rules


def test_comparing_fields_ends_at_a_number_of_steps() -> None:
    from graphql.validation.rules import overlapping_fields_can_be_merged

    assert overlapping_fields_can_be_merged.MAX_COMPLEXITY_BUDGET == COMPARISONS_MAX < 100_000


def test_anonymous_bodies_are_refused_unread_and_compressed_ones_never_unpacked(api: Api) -> None:
    before = replace(api.work)
    with cost("9 MB of nobody"):
        reply = Client(api.url, None).post(b'{"query": "' + b"x" * (9 * 1024 * 1024) + b'"}')
    assert (reply.status, reply.error_codes) == (413, ["LIMIT_EXCEEDED"])
    assert api.work == before


def raw(api: Api, head: bytes, *, timeout_s: float = 60) -> bytes:
    """Send bytes and return all that comes until the server closes."""
    with socket.create_connection(("127.0.0.1", api.port), timeout=timeout_s) as connection:
        try:
            connection.sendall(head)
        except OSError:
            # It has closed while we were sending: what it said first may have been lost with that.
            return b""
        received = b""
        try:
            while part := connection.recv(65_536):
                received += part
        except ConnectionError:
            pass
        return received


def test_a_packed_bomb_is_refused_on_both_addresses(api: Api) -> None:
    bomb = gzip.compress(b"[" + b" " * (64 * 1024 * 1024) + b"]")
    for path, status in (("/graphql", b" 415 "), ("/api/v1/telemetry/ingest", b" 413 ")):
        head = (
            f"POST {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {api.token('plant', 'operator')}\r\nConnection: close\r\n"
            f"Content-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n"
        ).encode()
        with cost(f"a packed bomb on {path}"):
            assert status in raw(api, head + bomb).split(b"\r\n", 1)[0]


MANY = 2_600_000
# By name: the body's type, the body, and the code.
BODIES = {
    "2.6 million empty objects": ("application/json", b"[" + b"{}," * MANY + b"{}]"),
    "2.6 million lines": ("application/x-ndjson", b"{}\n" * MANY),
    "4 million numbers": ("application/json", b'{"a": [' + b"1," * 3_999_999 + b"1]}"),
    "300,000 records": ("application/senml+json", b"[" + b'{"n":"a","v":1},' * 300_000 + b'{"n":"a","v":1}]'),
    "a gateway of 150,000 devices": (
        "application/json", b"{" + b",".join(b'"%d":[{"values":{}}]' % n for n in range(150_000)) + b"}",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_holds_too_much_is_refused_unparsed(api: Api, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parsing holds the interpreter: a body of 8 MB that packs into 8 kB stopped ingest for five seconds."""
    content_type, body = BODIES[name]
    monkeypatch.setattr(ingest_http, "readings_json_loads", None)
    packed = gzip.compress(body)
    head = (
        f"POST /api/v1/telemetry/ingest HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {api.token('plant', 'operator')}\r\n"
        f"Connection: close\r\nContent-Type: {content_type}\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"
    ).encode()
    with cost(name):
        answer = raw(api, head + packed)
    assert answer.startswith(b"HTTP/1.1 413 "), answer[:500]
    assert b'"LIMIT_EXCEEDED"' in answer


def test_readings_beyond_the_bound_are_refused_before_they_are_looked_at(api: Api) -> None:
    token = api.token("plant", "operator")
    for content_type, body in (
        ("application/json", json.dumps([{"metrics": {"a": 1}}] * 1_001)),
        ("application/x-ndjson", '{"metrics": {"a": 1}}\n' * 1_001),
        ("application/json", json.dumps({"d": [{"ts": 1, "values": {"a": 1}}] * 1_001})),
        ("application/json", json.dumps([{"ts": 1, "values": {"a": 1}}] * 1_001)),
    ):
        head = (
            f"POST /api/v1/telemetry/ingest HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n"
            f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode()
        answer = raw(api, head + body.encode())
        assert answer.startswith(b"HTTP/1.1 413 "), answer
        assert b"The call holds 1001 readings; at most 1000" in answer


VARIABLES = {
    "999,000 values of an enum": ("query($a: [EntityKind!]) { entities(filter: {kinds: $a}) { totalCount } }", ["X"] * 999_000),
    "an object of 400,000 unknown fields": (
        "query($a: EntityFilter) { entities(filter: $a) { totalCount } }", {f"f{n}": 1 for n in range(400_000)},
    ),
    "150,000 empty readings": ("mutation($a: [ReadingInput!]!) { ingestTelemetry(readings: $a) { accepted } }", [{}] * 150_000),
}  # fmt: skip


@pytest.mark.parametrize("name", VARIABLES)
def test_variables_that_hold_too_much_are_not_coerced(api: Api, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    query, value = VARIABLES[name]
    client = api.client("plant", "operator")
    with cost(name), monkeypatch.context() as patch:
        patch.setattr(Executor, "execute", None)
        reply = client.call(query, {"a": value})
    assert reply.error_codes == ["LIMIT_EXCEEDED"], reply.body


def test_requests_that_wait_for_the_answers_before_theirs_are_few(api: Api) -> None:
    before = api.admission.refused["pipelined requests"]
    request = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    with cost("20,000 requests without reading an answer"):
        answers = raw(api, request * 20_000).count(b"HTTP/1.1 200")
    assert answers <= PIPELINE_MAX + 1
    assert api.admission.refused["pipelined requests"] - before == 1
    # A few are served as HTTP allows.
    few = request * 5 + request.replace(b"Host", b"Connection: close\r\nHost")
    assert raw(api, few).count(b"HTTP/1.1 200") == 6


@pytest.mark.parametrize(
    "body", [b"Content-Length: 5\r\n\r\nhello", b"Content-Length: 5\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"]
)
@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_an_upgrade_with_a_body_is_refused(api: Api, method: bytes, body: bytes) -> None:
    """Nothing answered it, and nothing ever closed it."""
    head = (
        method + b" /graphql HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    )
    answer = raw(api, head + body)
    assert answer.startswith(b"HTTP/1.1 400 "), answer
    assert b"has no body" in answer


def test_headers_without_end_are_refused_at_the_bound(api: Api) -> None:
    line = b"GET /healthz HTTP/1.1\r\nHost: a\r\n"
    before = api.admission.refused["headers"]
    with cost("a header of 40 MB"):
        raw(api, line + b"X-A: " + b"a" * 40_000_000)
    with cost("a header just over the bound"):
        said = raw(api, line + b"X-A: " + b"a" * (HEAD_MAX_BYTES - len(line) - 4))
    assert said.startswith(b"HTTP/1.1 431 ")
    with cost("too many headers"):
        said = raw(api, line + b"".join(b"A%d: b\r\n" % n for n in range(HEADERS_MAX + 5)) + b"\r\n")
    assert said.startswith(b"HTTP/1.1 431 ")
    assert json.loads(said.split(b"\r\n\r\n")[1])["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"
    assert api.admission.refused["headers"] - before == 3
    # One that is just small enough is served.
    fits = line + b"Connection: close\r\nX-A: " + b"a" * 60_000 + b"\r\n\r\n"
    assert raw(api, fits).startswith(b"HTTP/1.1 200 ")


@pytest.fixture(scope="module")
def strict(servers: TestServers) -> Iterator[Api]:
    """An application with little patience."""
    database = servers.database_create()
    tight = bounds(
        head_timeout_s=1,
        body_timeout_s=1,
        connections_max=40,
        connections_address_max=30,
        rate_address=RateSettings(0.001, 20),
        rate_token=RateSettings(0.001, 30),
    )
    try:
        with api_serve(database, servers.bus_server.url, api=tight) as served:
            served.organization("plant")
            yield served
    finally:
        servers.database_drop(database)


def test_half_requests_are_ended_and_others_are_served_meanwhile(strict: Api) -> None:
    halves = [socket.create_connection(("127.0.0.1", strict.port), timeout=patient(60)) for _ in range(25)]
    try:
        for n, half in enumerate(halves):
            half.sendall((b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Slow: ", b"", b"GET /hea")[n % 3])
        served = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        assert raw(strict, served).startswith(b"HTTP/1.1 200 ")
        with cost("25 half requests"):
            answers = [half.recv(65_536) for half in halves]
        assert all(answer.startswith(b"HTTP/1.1 408 ") for answer in answers)
    finally:
        for half in halves:
            half.close()
    assert strict.admission.refused["head too slow"] >= 25


def test_a_body_that_does_not_come_is_not_waited_for(strict: Api) -> None:
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {strict.token('plant', 'viewer')}\r\n"
        "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
    ).encode()
    assert raw(strict, head).startswith(b"HTTP/1.1 408 ")


def test_connections_of_an_address_are_bounded_and_logged_once(strict: Api, capsys: pytest.CaptureFixture[str]) -> None:
    opened = [socket.create_connection(("127.0.0.1", strict.port), timeout=patient(60)) for _ in range(36)]
    try:
        said = [connection.recv(100) for connection in opened[30:]]
        assert all(response.startswith(b"HTTP/1.1 503 ") for response in said)
        assert b"Retry-After" in said[0]
    finally:
        for connection in opened:
            connection.close()
    assert strict.admission.refused["connections of one address"] >= 6
    assert capsys.readouterr().out.count("connection_refused") <= 1
    deadline = Deadline()
    while strict.admission.connections:
        deadline.pause()
    assert strict.admission.connections == 0


def test_anonymous_callers_and_tokens_have_separate_shares(strict: Api) -> None:
    good = strict.client("plant", "viewer")
    assert good.call("{ viewer { role } }").error_codes == []
    nobody = Client(strict.url, None)
    replies = [nobody.call("{ __typename }") for _ in range(25)]
    refused = [reply for reply in replies if reply.error_codes == ["RATE_LIMITED"]]
    assert refused
    assert {reply.status for reply in refused} == {429}
    work = replace(strict.work)
    with cost("a wrong token from an address over its rate"):
        assert Client(strict.url, "wrong").call("{ viewer { role } }").error_codes == ["RATE_LIMITED"]
    assert strict.work == work
    # Who was known to be good is not held up by neighbours; and has a bound as well.
    codes = [good.call("{ viewer { role } }").error_codes for _ in range(40)]
    assert codes[0] == []
    assert codes[-1] == ["RATE_LIMITED"]


@pytest.mark.parametrize(
    ("sent", "status", "code", "header"),
    [
        (b"GARBAGE\r\n\r\n", 400, "BAD_USER_INPUT", b"application/json"),
        (b"GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 404, "NOT_FOUND", b"no-store"),
        (b"DELETE /graphql HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 405, "BAD_USER_INPUT", b"allow: "),
        (b"GET /static/none.js HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 404, "NOT_FOUND", b"no-store"),
        (
            b"POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nConnection: close\r\n"
            b"Content-Length: 9000000\r\n\r\n" + b" " * 9_000_000,
            413, "LIMIT_EXCEEDED", b"application/json",
        ),
        # Ten times what is read of it: the answer arrives all the same.
        (b"GET /graphql HTTP/1.1\r\nHost: a\r\nX-A: " + b"a" * HEAD_MAX_BYTES * 10, 431, "LIMIT_EXCEEDED", b"application/json"),
    ],
    ids=["no HTTP", "404", "405", "static", "413", "431"],
)  # fmt: skip
def test_what_no_resolver_answers_is_json_with_a_code(
    api: Api, sent: bytes, status: int, code: str, header: bytes
) -> None:
    head, _, body = raw(api, sent).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"content-type: application/json" in head.lower()
    assert header in head.lower()
    [error] = json.loads(body)["errors"]
    assert error["message"]
    assert error["extensions"]["code"] == code
