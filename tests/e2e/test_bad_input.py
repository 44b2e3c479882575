"""Bad input: each fault has a code, a message and a path, and the rest of the batch is accepted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from testing.installation import Client, Installation
from testing.waits import Deadline

pytestmark = pytest.mark.slow

INGEST = """mutation Ingest($readings: [ReadingInput!]!) {
  ingestTelemetry(readings: $readings) { accepted rejected duplicates errors { code message path } } }"""


@pytest.fixture(scope="module")
def client(installation: Installation) -> Client:
    return installation.organization("Bad input")


@pytest.fixture(scope="module")
def device(client: Client) -> str:
    payload = client.call(
        'mutation { createDevice(input: {name: "Probe", externalId: "probe"}) { device { id } errors { code } } }'
    ).data["createDevice"]
    identity: str = payload["device"]["id"]
    return identity


def ingest(client: Client, *readings: dict[str, Any]) -> dict[str, Any]:
    payload: dict[str, Any] = client.call(INGEST, {"readings": list(readings)}).data["ingestTelemetry"]
    return payload


GOOD = {"externalId": "probe", "timestamp": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("bad", "code", "path"),
    [
        ({"deviceId": "0190a3c4-0000-7000-8000-000000000000", "metrics": {"a": 1}}, "UNKNOWN_DEVICE", "deviceId"),
        ({"deviceId": "not an id", "metrics": {"a": 1}}, "UNKNOWN_DEVICE", "deviceId"),
        ({"externalId": "nobody", "metrics": {"a": 1}}, "UNKNOWN_DEVICE", "externalId"),
        ({"externalId": "probe", "timestamp": "2026-01-01T00:00:00", "metrics": {"a": 1}}, "INVALID_TIMESTAMP", "timestamp"),
        ({"externalId": "probe", "timestamp": "2026-01-01", "metrics": {"a": 1}}, "INVALID_TIMESTAMP", "timestamp"),
        ({"externalId": "probe", "timestamp": True, "metrics": {"a": 1}}, "INVALID_TIMESTAMP", "timestamp"),
        ({"externalId": "probe", "metrics": [1, 2]}, "INVALID_METRICS", "metrics"),
        ({"externalId": "probe", "metrics": "hot"}, "INVALID_METRICS", "metrics"),
        ({"externalId": "probe", "metrics": 5}, "INVALID_METRICS", "metrics"),
    ],
)  # fmt: skip
def test_one_bad_reading_is_reported_and_the_others_go_through(
    client: Client, device: str, bad: dict[str, Any], code: str, path: str
) -> None:
    marker = json.dumps(bad, sort_keys=True)
    payload = ingest(client, {**GOOD, "metrics": {"before": marker}}, bad, {**GOOD, "metrics": {"after": marker}})
    assert (payload["accepted"], payload["rejected"]) == (2, 1)
    [error] = payload["errors"]
    assert (error["code"], error["path"]) == (code, ["readings", "1", path])
    assert len(error["message"]) > 10


def test_more_than_1000_readings_refuse_the_call(client: Client, device: str) -> None:
    before = counts(client)
    reply = client.call(INGEST, {"readings": [{**GOOD, "metrics": {"n": n}} for n in range(1001)]})
    if "errors" in reply.body:
        [error] = reply.body["errors"]
        assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
        assert "1000" in error["message"] or "1,000" in error["message"]
    else:
        raise AssertionError(f"a limit is a top-level error: {reply.body}")
    assert counts(client) == before


def counts(client: Client) -> float:
    received: float = client.call('{ ingestAccount(from: "2020-01-01T00:00:00Z") { received } }').data["ingestAccount"][
        "received"
    ]
    return received


def test_a_bad_metric_does_not_affect_the_others(client: Client, device: str) -> None:
    when = "2026-02-02T00:00:00Z"
    payload = ingest(client, {"externalId": "probe", "timestamp": when, "metrics": {"good": 1.5, "bad": {"nested": 1}}})
    assert (payload["accepted"], payload["rejected"], payload["errors"]) == (1, 0, [])
    drain(client)
    [good] = client.call(
        """query Q($id: ID!) { entity(id: $id) { telemetry(metrics: ["good"], from: "2026-02-01T00:00:00Z",
           to: "2026-02-03T00:00:00Z") { values } } }""",
        {"id": device},
    ).data["entity"]["telemetry"]
    assert good["values"] == [1.5]


def drain(client: Client) -> dict[str, float]:
    deadline = Deadline()
    while True:
        result: dict[str, float] = client.call(
            '{ ingestAccount(from: "2020-01-01T00:00:00Z") { received stored duplicate dead pending } }'
        ).data["ingestAccount"]
        if result["pending"] == 0:
            return result
        deadline.pause(result)


def test_nan_is_not_json(client: Client, device: str) -> None:
    body = json.dumps({"query": INGEST, "variables": {"readings": [{**GOOD, "metrics": {"a": float("nan")}}]}})
    assert "NaN" in body
    reply = client.post(body.encode())
    assert reply.status == 400
    assert reply.error_codes == ["BAD_USER_INPUT"]


def test_malformed_json(client: Client) -> None:
    for body in (b"{", b"", b"null", b"5", b'"query"', b"[]", b"\xff\xfe"):
        reply = client.post(body)
        assert reply.status == 400, body
        assert reply.error_codes == ["BAD_USER_INPUT"], body


def test_a_megabyte_of_attributes_is_refused(client: Client, device: str) -> None:
    payload = client.call(
        """mutation M($id: ID!, $attributes: JSON!) { updateDevice(id: $id, input: {attributes: $attributes}) {
           device { id } errors { code message path } } }""",
        {"id": device, "attributes": {"note": "x" * 1_000_000}},
    ).data["updateDevice"]
    assert payload["device"] is None
    [error] = payload["errors"]
    assert (error["code"], error["path"]) == ("LIMIT_EXCEEDED", ["input", "attributes"])


def test_a_timestamp_in_2099_is_accepted_and_dead(client: Client, device: str) -> None:
    before = drain(client)
    payload = ingest(client, {"externalId": "probe", "timestamp": "2099-01-01T00:00:00Z", "metrics": {"a": 1}})
    assert (payload["accepted"], payload["rejected"]) == (1, 0)
    after = drain(client)
    assert after["dead"] == before["dead"] + 1
    assert after["stored"] == before["stored"]
    assert after["received"] == after["stored"] + after["duplicate"] + after["dead"] + after["pending"]


def test_a_revoked_token_is_no_token(installation: Installation, client: Client, device: str) -> None:
    issued = client.call(
        """mutation M($id: ID!) { issueDeviceToken(deviceId: $id) { token tokenId errors { code } } }""",
        {"id": device},
    ).data["issueDeviceToken"]
    as_device = Client(installation.url, issued["token"])
    query = """mutation { ingestTelemetry(readings: [
        {timestamp: "2026-03-03T00:00:00Z", metrics: {tokens: 1}}]) { accepted rejected } }"""
    assert as_device.call(query).data["ingestTelemetry"] == {"accepted": 1, "rejected": 0}
    revoked = client.call(
        """mutation M($id: ID!, $token: ID!) { revokeDeviceToken(deviceId: $id, tokenId: $token) { errors { code } } }""",
        {"id": device, "token": issued["tokenId"]},
    ).data["revokeDeviceToken"]
    assert revoked["errors"] == []
    reply = as_device.call(query)
    assert reply.error_codes == ["UNAUTHENTICATED"]
    assert Client(installation.url, None).call("{ viewer { subject } }").error_codes == ["UNAUTHENTICATED"]
    assert Client(installation.url, "nonsense").call("{ viewer { subject } }").error_codes == ["UNAUTHENTICATED"]
