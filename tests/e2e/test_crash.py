"""kill -9 in the middle of an ingest: what was acknowledged is in the history once, and the account balances."""

from __future__ import annotations

import os
import signal
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.plant import Client, Plant

pytestmark = [pytest.mark.slow, pytest.mark.chaos]

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
READINGS_PER_CALL = 50
CALLS = 120
INGEST = """mutation I($readings: [ReadingInput!]!) {
  ingestTelemetry(readings: $readings) { accepted rejected errors { code message path } } }"""


def send(client: Client, acknowledged: list[int], refused: list[str]) -> None:
    """Send calls one after the other and note which numbers were acknowledged."""
    for call in range(CALLS):
        numbers = range(call * READINGS_PER_CALL, (call + 1) * READINGS_PER_CALL)
        readings = [
            {
                "externalId": f"device-{number % 7}",
                "timestamp": (BEGIN + timedelta(seconds=number)).isoformat(),
                "metrics": {"number": number},
            }
            for number in numbers
        ]
        try:
            payload = client.call(INGEST, {"readings": readings}).data["ingestTelemetry"]
        except (OSError, AssertionError) as error:
            refused.append(str(error))
            continue
        assert payload["rejected"] == 0
        acknowledged.extend(numbers)


def account(client: Client) -> dict[str, float]:
    result: dict[str, float] = client.call(
        '{ ingestAccount(from: "2020-01-01T00:00:00Z") { received stored duplicate dead pending } }'
    ).data["ingestAccount"]
    return result


@pytest.mark.timeout(240)
def test_workers_and_valkey_killed_during_ingest(own_plant: Plant) -> None:
    client = own_plant.organization("Crash")
    for number in range(7):
        client.call(
            f'mutation {{ createDevice(input: {{name: "{number}", externalId: "device-{number}"}}) {{ errors {{ code }} }} }}'
        )
    acknowledged: list[int] = []
    refused: list[str] = []
    sender = threading.Thread(target=send, args=(client, acknowledged, refused))
    sender.start()
    killed = 0
    while sender.is_alive():
        for marker in ("argus worker", "valkey-server"):
            for pid in own_plant.children(marker):
                os.kill(pid, signal.SIGKILL)
                killed += 1
            time.sleep(0.7)
    sender.join()
    assert killed >= 4
    # Neither the workers nor Valkey are needed to answer an ingest.
    assert refused == []
    assert len(acknowledged) == CALLS * READINGS_PER_CALL

    deadline = time.monotonic() + 150
    while account(client)["pending"] and time.monotonic() < deadline:
        time.sleep(0.5)
    assert account(client) == {
        "received": len(acknowledged), "stored": len(acknowledged), "duplicate": 0, "dead": 0, "pending": 0,
    }  # fmt: skip
    found: list[int] = []
    for number in range(7):
        [series] = client.call(
            """query Q($x: String!) { entity(kind: DEVICE, externalId: $x) {
               telemetry(metrics: ["number"], from: "2026-01-01T00:00:00Z", to: "2026-01-02T00:00:00Z", maxPoints: 10000)
               { values truncated } } }""",
            {"x": f"device-{number}"},
        ).data["entity"]["telemetry"]
        assert not series["truncated"]
        found.extend(int(value) for value in series["values"])
    assert sorted(found) == acknowledged
