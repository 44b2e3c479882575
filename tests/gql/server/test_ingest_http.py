"""Readings over plain HTTP: authorization, answers, stored readings."""

from __future__ import annotations

import asyncio
import gzip
import http.client
import json
import time
import zlib
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from gql.access import auth
from gql.server import ingest_http
from runtime.database import engine_create, transaction
from testing.api import Api
from testing.installation import Client
from testing.waits import patient

PATH = "/api/v1/telemetry/ingest"
READING = {"externalId": "meter", "timestamp": "2026-01-01T00:00:00Z", "metrics": {"t": 20.5}}


@pytest.fixture(scope="module")
def token(api: Api) -> str:
    """Return the token of the device `meter`."""
    api.organization("sending")
    admin = api.client("sending")
    made = admin.call('mutation { createDevice(input: {name: "m", externalId: "meter"}) { device { id } } }').data
    issued = admin.call(
        "mutation I($id: ID!) { issueDeviceToken(deviceId: $id) { token } }",
        {"id": made["createDevice"]["device"]["id"]},
    )
    return str(issued.data["issueDeviceToken"]["token"])


def post(
    api: Api, body: Any, token: str | None, *, path: str = PATH, content_type: str = "application/json", **headers: str
) -> tuple[int, dict[str, Any], dict[str, str]]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"Content-Type": content_type, **{name.replace("_", "-"): value for name, value in headers.items()}}
    if token is not None:
        given["Authorization"] = f"Bearer {token}"
    connection = http.client.HTTPConnection(urlsplit(api.url).netloc, timeout=patient(30))
    try:
        connection.request("POST", path, raw, given)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read()), dict(answer.getheaders())
    finally:
        connection.close()


def raw_rows(api: Api) -> list[tuple[Any, ...]]:
    engine = engine_create(api.settings.database_url("owner"), pool_size=1)
    with transaction(engine) as session:
        rows = session.execute(
            text(
                "SELECT r.device_id, r.port, r.timestamp, r.metrics::text, b.transport FROM telemetry_raw r"
                " JOIN raw_batches b ON b.organization_id = r.organization_id AND r.id BETWEEN b.first_raw_id AND b.last_raw_id"
                " ORDER BY r.id"
            )
        ).all()
    engine.dispose()
    return [tuple(row) for row in rows]


def test_the_same_reading_by_mutation_and_by_http_is_one_and_the_same_row(api: Api, token: str) -> None:
    before = len(raw_rows(api))
    mutation = "mutation I($r: [ReadingInput!]!) { ingestTelemetry(readings: $r) { accepted rejected duplicates errors { code path } } }"
    readings = [
        {**READING, "port": 3, "metrics": {"b": True, "a": 1.0, "n": None, "s": "x"}},
        {**READING, "metrics": [1]},
        {**READING, "timestamp": "yesterday"},
    ]
    by_mutation = api.client("sending", "operator").call(mutation, {"r": readings}).data["ingestTelemetry"]
    status, by_http, _ = post(api, readings, api.token("sending", "operator"))
    assert status == 200
    for name in ("accepted", "rejected", "duplicates"):
        assert by_http[name] == by_mutation[name]
    assert [(error["code"], ["readings", *error["path"]]) for error in by_http["errors"]] == [
        (error["code"], error["path"]) for error in by_mutation["errors"]
    ]
    one, other = raw_rows(api)[before:]
    assert (one[:4], one[4], other[4]) == (other[:4], "graphql", "http")


@pytest.mark.parametrize(
    ("body", "content_type", "accepted"),
    [
        (READING, "application/json", 1),
        ({"t": 5, "ok": True}, "application/json; charset=utf-8", 1),
        ([{"ts": 1451649600000, "values": {"t": 5}}, {"ts": 1451649601000, "values": {"t": 6}}], "application/json", 2),
        ([{"bn": "urn:dev:1:", "n": "t", "v": 1, "t": 1451649600}, {"n": "h", "v": 2}], "application/senml+json", 2),
        (b'{"metrics": {"t": 1}}\n\n{"metrics": {"t": 2}}\n', "application/x-ndjson", 2),
    ],
)
def test_a_device_sends_in_any_form(api: Api, token: str, body: Any, content_type: str, accepted: int) -> None:
    status, answer, headers = post(api, body, token, content_type=content_type)
    assert (status, answer) == (200, {"accepted": accepted, "rejected": 0, "duplicates": 0, "errors": []})
    assert len(headers["x-trace-id"]) == 32


def test_a_thingsboard_device_works_unchanged(api: Api, token: str) -> None:
    status, answer, _ = post(api, {"temperature": 21}, None, path=f"/api/v1/{token}/telemetry")
    assert (status, answer["accepted"]) == (200, 1)
    status, answer, _ = post(api, {"temperature": 21}, None, path="/api/v1/adt_nonsense/telemetry")
    assert (status, answer["errors"][0]["code"]) == (401, "UNAUTHENTICATED")
    assert "adt_nonsense" not in json.dumps(answer)


def get(api: Api, path: str) -> tuple[int, Any, dict[str, str]]:
    connection = http.client.HTTPConnection(urlsplit(api.url).netloc, timeout=patient(30))
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read()), dict(answer.getheaders())
    finally:
        connection.close()


def test_a_thingsboard_device_reports_attributes_and_reads_those_it_is_to_know(api: Api) -> None:
    api.organization("reporting")
    admin = api.client("reporting")
    create = 'mutation C($a: JSON!) { createDevice(input: {name: "m", attributes: $a}) { device { id } } }'
    own = {"rack": 7, "shared": {"interval": 30, "unit": "K"}}
    device_id = admin.call(create, {"a": own}).data["createDevice"]["device"]["id"]
    issue = "mutation I($id: ID!) { issueDeviceToken(deviceId: $id) { token } }"
    path = f"/api/v1/{admin.call(issue, {'id': device_id}).data['issueDeviceToken']['token']}/attributes"
    assert get(api, path)[:2] == (200, {"client": {}, "shared": {"interval": 30, "unit": "K"}})
    for reported in ({"firmware": "1.2", "on": True}, {"firmware": "1.3"}, {"firmware": "1.3"}):
        assert post(api, reported, None, path=path)[:2] == (200, {})
    client = {"firmware": "1.3", "on": True}
    assert get(api, path)[1]["client"] == client
    assert get(api, f"{path}?clientKeys=on,none&sharedKeys=unit")[1] == {
        "client": {"on": True},
        "shared": {"unit": "K"},
    }
    assert get(api, f"{path}?sharedKeys=unit")[1] == {"client": {}, "shared": {"unit": "K"}}
    entity = admin.call("query E($id: ID!) { entity(id: $id) { attributes } }", {"id": device_id}).data["entity"]
    assert entity["attributes"] == {**own, "client": client}
    # The same again was no change.
    changes = admin.call("{ changes(first: 10) { nodes { action } } }").data["changes"]["nodes"]
    assert [change["action"] for change in changes].count("updated") == 2
    for body, status in (
        (b"[]", 400),
        (b"{", 400),
        (b'{"a": "\\u0000"}', 400),
        (b'{"a": "' + b"x" * 70_000 + b'"}', 413),
    ):
        refused = post(api, body, None, path=path)
        assert (refused[0], len(refused[1]["errors"])) == (status, 1)
    # A member of that name which is something else stays what it is.
    update = "mutation U($id: ID!, $a: JSON!) { updateDevice(id: $id, input: {attributes: $a}) { errors { code } } }"
    admin.call(update, {"id": device_id, "a": {"client": "ACME", "shared": 5}})
    assert get(api, path)[:2] == (200, {"client": {}, "shared": {}})
    assert post(api, {"on": 1}, None, path=path)[0] == 409
    for token, status in (("adt_nonsense", 401), (api.token("reporting", "operator"), 403)):
        answer = get(api, f"/api/v1/{token}/attributes")
        assert (answer[0], token in json.dumps(answer[1])) == (status, False)


def test_names_of_devices_and_metrics_are_one_in_whatever_form_they_come(api: Api) -> None:
    """As one system sends a letter and its accent, and another one character."""
    api.organization("forms")
    admin = api.client("forms")
    forms = ["caf\u00e9", "cafe\u0301"]
    create = (
        'mutation C($e: String) { createDevice(input: {name: "m", externalId: $e}) { device { id } errors { code } } }'
    )
    assert admin.call(create, {"e": forms[1]}).data["createDevice"]["errors"] == []
    assert [error["code"] for error in admin.call(create, {"e": forms[0]}).data["createDevice"]["errors"]] == [
        "CONFLICT"
    ]
    before = len(raw_rows(api))
    for device in forms:
        for metric in forms:
            reading = {
                "externalId": device,
                "timestamp": "2026-01-01T00:00:00Z",
                "metrics": {metric: 1, "text": metric},
            }
            assert post(api, reading, api.token("forms", "operator"))[1]["accepted"] == 1
    rows = raw_rows(api)[before:]
    assert len({row[0] for row in rows}) == 1
    assert [json.loads(row[3]) for row in rows] == [{forms[0]: 1, "text": form} for form in (*forms, *forms)]


@pytest.mark.parametrize(
    ("method", "path", "said"),
    [
        ("GET", "attributes/updates", "long polling are not supported"),
        ("GET", "attributes/updates?sharedKeys=a&timeout=20000", "GET /api/v1/{token}/attributes"),
        ("GET", "rpc?timeout=20000", "(rpc) are not supported"),
        ("POST", "rpc", "(rpc) are not supported"),
        ("POST", "rpc/7", "(rpc) are not supported"),
    ],
)
def test_what_a_thingsboard_device_would_wait_for_is_named_as_absent(
    api: Api, token: str, method: str, path: str, said: str
) -> None:
    connection = http.client.HTTPConnection(urlsplit(api.url).netloc, timeout=patient(30))
    try:
        connection.request(method, f"/api/v1/{token}/{path}", b"{}" if method == "POST" else None)
        answer = connection.getresponse()
        body = json.loads(answer.read())
    finally:
        connection.close()
    assert (answer.status, answer.getheader("Content-Type")) == (404, "application/json")
    [error] = body["errors"]
    assert (error["code"], said in error["message"]) == ("NOT_FOUND", True)
    assert answer.getheader("X-Trace-Id")


BEYOND = ["1e400", "-1e999", "1" + "0" * 400, "1" + "0" * 5_000]


def shown(number: str) -> str:
    return number if len(number) <= 100 else f"{number[:99]}…"


@pytest.mark.parametrize("number", BEYOND)
@pytest.mark.parametrize(
    ("form", "content_type"),
    [
        ('{"metrics": {"odd": NUMBER, "t": 1.5, "n": 7}}', "application/json"),
        ('[{"ts": 1451649600000, "values": {"odd": NUMBER, "t": 1.5, "n": 7}}]', "application/json"),
        ('{"odd": NUMBER, "t": 1.5, "n": 7}', "application/json"),
        ('[{"n": "odd", "v": NUMBER}, {"n": "t", "v": 1.5}, {"n": "n", "v": 7}]', "application/senml+json"),
        ('{"metrics": {"odd": NUMBER, "t": 1.5, "n": 7}}', "application/x-ndjson"),
    ],
)
def test_a_number_beyond_a_double_costs_its_metric_alone(
    api: Api, token: str, form: str, content_type: str, number: str
) -> None:
    before = len(raw_rows(api))
    body = form.replace("NUMBER", number).encode()
    status, answer, _ = post(api, body, token, content_type=content_type)
    assert (status, answer) == (200, {"accepted": 1, "rejected": 0, "duplicates": 0, "errors": []})
    [row] = raw_rows(api)[before:]
    metrics = json.loads(row[3])
    # No metric is an array: of it the normalize stage makes a dead letter, UNSUPPORTED_VALUE, which names what was sent.
    assert metrics.pop("odd") == [shown(number)]
    assert metrics == {"t": 1.5, "n": 7}


@pytest.mark.parametrize("number", BEYOND)
def test_a_number_beyond_a_double_costs_its_metric_alone_over_graphql(api: Api, token: str, number: str) -> None:
    query = "mutation I($m: JSON!) { ingestTelemetry(readings: [{metrics: $m}]) { accepted errors { code } } }"
    before = len(raw_rows(api))
    body = json.dumps({"query": query, "variables": {"m": {"odd": "NUMBER", "t": 1.5}}}).replace('"NUMBER"', number)
    sender = Client(api.url, token)
    assert sender.post(body.encode()).data["ingestTelemetry"] == {"accepted": 1, "errors": []}

    async def over_a_socket() -> None:
        async with connect(api.websocket_url, subprotocols=[Subprotocol("graphql-transport-ws")]) as opened:
            await opened.send(json.dumps({"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}}))
            assert json.loads(await opened.recv())["type"] == "connection_ack"
            await opened.send(f'{{"id": "1", "type": "subscribe", "payload": {body}}}')
            answer = json.loads(await opened.recv())
            assert answer["payload"] == {"data": {"ingestTelemetry": {"accepted": 1, "errors": []}}}

    asyncio.run(asyncio.wait_for(over_a_socket(), patient(30)))
    for row in raw_rows(api)[before:]:
        metrics = json.loads(row[3])
        assert metrics == {"odd": [shown(number)], "t": 1.5}
    assert len(raw_rows(api)) == before + 2


NFC, NFD = "W\u00e4rme", "Wa\u0308rme"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ({"metrics": {NFC: 2, NFD: 3, "t": 1}}, "application/json"),
        ({"metrics": {NFD: 3, NFC: 2, "t": 1}}, "application/x-ndjson"),
        ([{"ts": 1451649600000, "values": {NFC: 2, NFD: 3, "t": 1}}], "application/json"),
        ({NFC: 2, NFD: 3, "t": 1}, "application/json"),
        ([{"n": NFC, "v": 2}, {"n": NFD, "v": 3}, {"n": "t", "v": 1}], "application/senml+json"),
        (None, "GraphQL"),
    ],
)
def test_two_forms_of_a_metrics_name_lose_neither_value(api: Api, token: str, body: Any, content_type: str) -> None:
    before = len(raw_rows(api))
    if body is None:
        query = "mutation I($m: JSON!) { ingestTelemetry(readings: [{metrics: $m}]) { accepted } }"
        sent = Client(api.url, token).call(query, {"m": {NFC: 2, NFD: 3, "t": 1}})
        assert sent.data["ingestTelemetry"] == {"accepted": 1}
    else:
        status, answer, _ = post(api, body, token, content_type=content_type)
        assert (status, answer["accepted"], answer["rejected"]) == (200, 1, 0)
    [row] = raw_rows(api)[before:]
    # Of the array the normalize stage makes a dead letter, DUPLICATE_METRIC, which names both.
    assert json.loads(row[3]) == {NFC: [[NFD, 3], [NFC, 2]], "t": 1}


def test_permissions_to_send(api: Api, token: str) -> None:
    assert post(api, READING, None)[0] == 401
    assert post(api, READING, "nonsense")[0] == 401
    assert post(api, READING, api.token("sending", "viewer"))[0] == 403
    assert post(api, READING, api.token("sending", "operator"))[0] == 200
    api.organization("sending-elsewhere")
    status, answer, _ = post(api, READING, api.token("sending-elsewhere", "admin"))
    assert (status, answer["accepted"], answer["errors"][0]["code"]) == (422, 0, "UNKNOWN_DEVICE")
    status, answer, _ = post(api, {**READING, "externalId": "another"}, token)
    assert (status, answer["errors"][0]["path"]) == (422, ["externalId"])


def test_a_revoked_token_is_refused(api: Api) -> None:
    admin: Client = api.client("sending")
    device = admin.call('mutation { createDevice(input: {name: "r"}) { device { id } } }').data["createDevice"][
        "device"
    ]
    issued = admin.call(
        "mutation I($id: ID!) { issueDeviceToken(deviceId: $id) { token tokenId } }", {"id": device["id"]}
    ).data["issueDeviceToken"]
    assert post(api, {"t": 1}, issued["token"])[0] == 200
    admin.call(
        "mutation R($id: ID!, $t: ID!) { revokeDeviceToken(deviceId: $id, tokenId: $t) { errors { code } } }",
        {"id": device["id"], "t": issued["tokenId"]},
    )
    assert post(api, {"t": 1}, issued["token"])[0] == 401


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_packed_bodies_are_unpacked_and_bombs_are_not(api: Api, token: str, encoding: str) -> None:
    pack = gzip.compress if encoding == "gzip" else zlib.compress
    status, answer, _ = post(api, pack(json.dumps({"t": 1}).encode()), token, Content_Encoding=encoding)
    assert (status, answer["accepted"]) == (200, 1)
    bomb = pack(b" " * (64 * 1024 * 1024))
    assert len(bomb) < 100_000
    status, answer, _ = post(api, bomb, token, Content_Encoding=encoding)
    assert (status, answer["errors"][0]["code"]) == (413, "LIMIT_EXCEEDED")
    status, answer, _ = post(api, pack(b'{"t": 1}')[:-5], token, Content_Encoding=encoding)
    assert (status, answer["errors"][0]["path"]) == (400, ["body"])
    assert post(api, b"not packed", token, Content_Encoding=encoding)[0] == 400


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"{", {}, 400, "BAD_USER_INPUT"),
        (b"", {}, 400, "BAD_USER_INPUT"),
        (b"{}", {"Content-Encoding": "br"}, 415, "BAD_USER_INPUT"),
        (b"<x/>", {"Content-Type": "text/xml"}, 415, "BAD_USER_INPUT"),
        (b'[{"bver": 99, "n": "x", "v": 1}]', {"Content-Type": "application/senml+json"}, 400, "BAD_USER_INPUT"),
        (json.dumps([{"metrics": {}}] * 1001).encode(), {}, 413, "LIMIT_EXCEEDED"),
        (b"[" + b" " * (8 * 1024 * 1024) + b"]", {}, 413, "LIMIT_EXCEEDED"),
    ],
)
def test_invalid_bodies_are_refused_whole(
    api: Api, token: str, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    before = len(raw_rows(api))
    connection = http.client.HTTPConnection(urlsplit(api.url).netloc, timeout=patient(30))
    given = {"Content-Type": "application/json", "Authorization": f"Bearer {token}", **headers}
    connection.request("POST", PATH, body, given)
    answer = connection.getresponse()
    refusal = json.loads(answer.read())
    connection.close()
    assert (answer.status, refusal["accepted"], [error["code"] for error in refusal["errors"]]) == (status, 0, [code])
    assert len(raw_rows(api)) == before


def test_the_format_is_requested_by_name(api: Api, token: str) -> None:
    body = [{"n": "level", "v": 3}]
    before = len(raw_rows(api))
    assert post(api, body, token, path=f"{PATH}?format=senml")[1]["accepted"] == 1
    assert post(api, body, token, path=f"{PATH}?format=thingsboard")[1]["accepted"] == 1
    status, answer, _ = post(api, body, token, path=f"{PATH}?format=xml")
    assert (status, answer["errors"][0]["path"]) == (400, ["format"])
    stored = [json.loads(row[3]) for row in raw_rows(api)[before:]]
    assert stored == [{"level": 3}, {"n": "level", "v": 3}]


def test_a_call_is_found_by_its_trace_id(api: Api, token: str) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    parent = f"00-{trace}-00f067aa0ba902b7-01"
    _, answer, headers = post(api, {**READING, "timestamp": "2026-01-02T00:00:00Z"}, token, traceparent=parent)
    assert answer["accepted"] == 1
    assert headers["x-trace-id"] == trace
    # A trace id of zeros is none, and neither is what is no traceparent.
    for given in (f"00-{'0' * 32}-00f067aa0ba902b7-01", f"00-{trace}-01", "x"):
        _, _, headers = post(api, {**READING, "timestamp": "2026-01-03T00:00:00Z"}, token, traceparent=given)
        assert len(bytes.fromhex(headers["x-trace-id"])) == 16
        assert headers["x-trace-id"] != trace
    engine = engine_create(api.settings.database_url("owner"), pool_size=1)
    with transaction(engine) as session:
        readings = session.execute(
            text("SELECT readings FROM raw_batches WHERE :trace = ANY(traces)"), {"trace": trace}
        )
        assert readings.scalars().all() == [1]
    engine.dispose()


@pytest.mark.parametrize("waits_for", ["telemetry_raw", "organizations"])
def test_a_call_that_waits_for_the_database_is_answered_in_time(
    api: Api, token: str, monkeypatch: pytest.MonkeyPatch, waits_for: str
) -> None:
    """Whatever it waits for, and however often: one deadline, and 503 with when to try again."""
    monkeypatch.setattr(ingest_http, "ANSWER_WITHIN_S", 1.0)
    bearer = token
    if waits_for == "organizations":
        monkeypatch.setattr(auth, "VERIFY_WITHIN_S", 0.5)
        bearer = api.token("sending", "admin")
        monkeypatch.setattr(auth, "_ORGANIZATION_FRESH_S", 0.0)
    engine = engine_create(api.settings.database_url("owner"), pool_size=1)
    begun_s = time.monotonic()
    with transaction(engine) as session:
        session.execute(text(f"LOCK TABLE {waits_for} IN ACCESS EXCLUSIVE MODE"))
        status, body, headers = post(api, READING, bearer)
    assert (status, body["errors"][0]["code"]) == (503, "UNAVAILABLE")
    assert headers["retry-after"] == "1"
    assert time.monotonic() - begun_s < patient(8)
    engine.dispose()
    assert post(api, READING, bearer)[0] == 200
