"""Quotas over the API, by mutation and over plain HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runtime.settings.model import QuotaSettings
from testing.api import Api, api_serve
from testing.servers import TestServers
from tests.argus.test_metrics import of, scraped
from tests.gql.server.test_ingest_http import post

INGEST = "mutation I($readings: [ReadingInput!]!) { ingestTelemetry(readings: $readings) { accepted errors { code path message } } }"


@pytest.fixture
def limited(servers: TestServers) -> Iterator[Api]:
    """Serve an API in which a device may send 2 readings, an organization 3, and none after for the test's time."""
    database = servers.database_create()
    device, organization = QuotaSettings(0.001, 2), QuotaSettings(0.001, 3)
    try:
        with api_serve(
            database, servers.bus_server.url, quota_device=device, quota_organization=organization
        ) as served:
            served.organization("plant")
            yield served
    finally:
        servers.database_drop(database)


def test_readings_over_a_quota_are_refused_with_a_time_to_retry(limited: Api) -> None:
    client = limited.client("plant")
    for name in ("a", "b"):
        client.call(
            "mutation D($n: String!) { createDevice(input: {name: $n, externalId: $n}) { device { id } } }", {"n": name}
        )
    readings = [{"externalId": "a", "metrics": {"n": n}} for n in range(100)]
    payload = client.call(INGEST, {"readings": readings}).data["ingestTelemetry"]
    assert payload["accepted"] == 2
    assert {error["code"] for error in payload["errors"]} == {"RATE_LIMITED"}
    assert payload["errors"][0]["path"] == ["readings", "2"]
    assert payload["errors"][-1]["message"] == "The device sends more than its quota. Try again in 98000 s."

    token = limited.token("plant", "operator")
    status, answer, headers = post(limited, readings, token)
    assert (status, answer["accepted"], answer["rejected"]) == (429, 0, 100)
    assert answer["errors"][99]["path"] == ["99"]
    assert int(headers["retry-after"]) > 90_000
    # A status that says to retry later is wrong for what can never be sent.
    assert post(limited, [*readings[:1], {"externalId": "c", "metrics": {"n": 1}}], token)[0] == 422

    both = [{"externalId": name, "metrics": {"n": n}} for n in range(50) for name in ("a", "b")]
    response = client.call(INGEST, {"readings": [*both, *both]})
    assert response.body["data"] is None
    [error] = response.body["errors"]
    assert error["extensions"]["code"] == "RATE_LIMITED"
    assert error["extensions"]["retryAfterSeconds"] > 100
    samples = scraped(limited)
    assert of(samples, "argus_readings_over_quota_total", quota="device") == 98 + 100 + 1
    assert of(samples, "argus_readings_over_quota_total", quota="organization") == 200
