"""A profile with thresholds, formulas and rules: from the device's reading to the health of an asset and of its house."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from testing.clean_run import Watch
from testing.installation import Client, Installation
from testing.waits import Deadline, patient, wait_until

pytestmark = pytest.mark.slow

PATIENCE_S = 60
# Seconds from a reading to the score; a job looks every second.
SOON_S = 10.0
PROFILE = """mutation { createAssetProfile(input: {name: "Pump", effectiveFrom: "2020-01-01T00:00:00Z",
  defaultHealthThresholds: {temperature: {warnHigh: 80, critHigh: 90, weight: 40}}
  formulas: {fahrenheit: {formula: "temperature * 1.8 + 32.0", unit: "[degF]"}}
  rules: [{name: "very hot", severity: "HIGH",
           condition: {threshold: {metric: "temperature", operator: "GT", value: 95, clearValue: 90}}}]
  }) { assetProfile { id } errors { code message path } } }"""
MADE = """mutation M($p: ID!, $n: String!) { createAssetFromProfile(profileId: $p, input: {name: $n}) {
  asset { id } errors { code message } } }"""
SCORE = "query S($id: ID!) { entity(id: $id) { ... on Asset { healthScore } } }"
EXPLAINED = """query E($id: ID!, $at: DateTime!) { healthExplanation(assetId: $id, at: $at) {
  score parts { part subject cost weight } } }"""


def wait(what: Callable[[], Any], fits: Callable[[Any], bool]) -> float:
    """Wait until something fits; return after how many seconds it did."""
    began, deadline = time.monotonic(), Deadline(PATIENCE_S)
    while not fits(value := what()):
        deadline.pause(value)
    return time.monotonic() - began


def send(client: Client, value: float, at: datetime) -> None:
    payload = client.call(
        "mutation I($r: [ReadingInput!]!) { ingestTelemetry(readings: $r) { accepted errors { message } } }",
        {"r": [{"externalId": "d", "timestamp": at.isoformat(), "metrics": {"temperature": value}}]},
    ).data["ingestTelemetry"]
    assert payload == {"accepted": 1, "errors": []}


def test_a_reading_becomes_health_within_seconds(installation: Installation) -> None:
    client = installation.organization("Health")
    created = client.call(PROFILE).data["createAssetProfile"]
    assert created["errors"] == []
    profile = created["assetProfile"]["id"]
    ids = {}
    for name in ("house", "pump"):
        made = client.call(MADE, {"p": profile, "n": name}).data["createAssetFromProfile"]
        assert made["errors"] == []
        ids[name] = made["asset"]["id"]
    device = client.call('mutation { createDevice(input: {name: "d", externalId: "d"}) { device { id } } }').data
    done = client.call(
        """mutation L($d: ID!, $a: ID!, $h: ID!) {
           l: linkDevice(input: {deviceId: $d, assetId: $a, validFrom: "2020-01-01T00:00:00Z"}) { errors { message } }
           e: createEdge(input: {sourceId: $h, targetId: $a, relationship: "HAS_PART",
             validFrom: "2020-01-01T00:00:00Z"}) { errors { message } } }""",
        {"d": device["createDevice"]["device"]["id"], "a": ids["pump"], "h": ids["house"]},
    ).data
    assert [done[item]["errors"] for item in "le"] == [[], []]

    def score(name: str) -> float | None:
        stored_score: float | None = client.call(SCORE, {"id": ids[name]}).data["entity"]["healthScore"]
        return stored_score

    # In one bucket, which is not the present one: no reading is from the future, none has become too old.
    now = datetime.now(UTC)
    bucket = now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0) - timedelta(minutes=15)
    assert (score("pump"), score("house")) == (None, None)
    send(client, 85, bucket + timedelta(minutes=1))
    assert wait(lambda: score("pump"), lambda stored_score: stored_score == 80) < patient(SOON_S)
    # 30 of the part's 20 lost points.
    assert wait(lambda: score("house"), lambda stored_score: stored_score == 94) < patient(SOON_S)

    # Hotter: all of the threshold's 40, and an event of severity HIGH, which the profile's rule opens.
    send(client, 96, bucket + timedelta(minutes=2))
    assert wait(lambda: score("pump"), lambda stored_score: stored_score == 30) < patient(SOON_S)
    assert wait(lambda: score("house"), lambda stored_score: stored_score == 79) < patient(SOON_S)
    parts = client.call(EXPLAINED, {"id": ids["pump"], "at": bucket.isoformat()}).data["healthExplanation"]
    assert parts["score"] == 30
    assert [(p["part"], p["cost"], p["weight"]) for p in parts["parts"]] == [
        ("THRESHOLD", 40, 40),
        ("FRESHNESS", 0, 20),
        ("EVENT", 30, 30),
    ]
    house = client.call(EXPLAINED, {"id": ids["house"], "at": bucket.isoformat()}).data["healthExplanation"]
    assert [(p["part"], p["subject"], p["cost"]) for p in house["parts"]] == [("CHILDREN", ids["pump"], 21)]

    # A late reading between the two changes nothing at the end; one after them does.
    send(client, 99, bucket + timedelta(minutes=1, seconds=30))
    send(client, 50, bucket + timedelta(minutes=5))
    # The event was open in that bucket, and is not as of now.
    assert wait(lambda: score("pump"), lambda stored_score: stored_score == 100) < patient(SOON_S)
    then = client.call(EXPLAINED, {"id": ids["pump"], "at": bucket.isoformat()}).data["healthExplanation"]
    assert then["score"] == 70

    latest = (
        """query L($id: ID!) { entity(id: $id) { ... on Asset { latest(metrics: ["fahrenheit"]) { value unit } } } }"""
    )
    assert client.call(latest, {"id": ids["pump"]}).data["entity"]["latest"] == [{"value": 122, "unit": "[degF]"}]


SERIES = """query S($id: ID!, $from: DateTime!) { entity(id: $id) {
  ... on Asset { telemetry(from: $from, metrics: ["health"]) { timestamps values } } } }"""


def test_a_silent_machine_has_the_same_notifications_however_its_readings_come(installation: Installation) -> None:
    """One reading of a house, one each 15 minutes of its part, long ago: all in one call, or one after the other."""
    client = installation.organization("Silent")
    made = client.call(
        """mutation { createAssetProfile(input: {name: "P", effectiveFrom: "2020-01-01T00:00:00Z"}) {
             assetProfile { id } } }"""
    ).data
    profile = made["createAssetProfile"]["assetProfile"]["id"]
    begins = datetime(2026, 3, 1, tzinfo=UTC)
    score: list[dict[int, float]] = []
    for way in ("at once", "one by one"):
        ids = {}
        for name in ("house", "part"):
            asset = client.call(MADE, {"p": profile, "n": name}).data["createAssetFromProfile"]["asset"]["id"]
            device = client.call(
                """mutation M($x: String!) { createDevice(input: {name: $x, externalId: $x}) { device { id } } }""",
                {"x": f"{name} {way}"},
            ).data["createDevice"]["device"]["id"]
            client.call(
                """mutation L($d: ID!, $a: ID!) {
                   linkDevice(input: {deviceId: $d, assetId: $a, validFrom: "2020-01-01T00:00:00Z"}) { errors { code } } }""",
                {"d": device, "a": asset},
            )
            ids[name] = asset
        client.call(
            """mutation E($h: ID!, $p: ID!) { createEdge(input: {sourceId: $h, targetId: $p, relationship: "HAS_PART",
               validFrom: "2020-01-01T00:00:00Z"}) { errors { code } } }""",
            {"h": ids["house"], "p": ids["part"]},
        )
        readings = [("house", 0), *(("part", minute) for minute in range(1, 211, 15))]
        rows = [
            {
                "externalId": f"{name} {way}",
                "timestamp": (begins + timedelta(minutes=minute)).isoformat(),
                "metrics": {"u": 1},
            }
            for name, minute in readings
        ]

        def series(house: str = ids["house"]) -> dict[int, float]:
            [*points] = client.call(SERIES, {"id": house, "from": begins.isoformat()}).data["entity"]["telemetry"]
            return {
                round(at - begins.timestamp() * 1000) // 60_000: value
                for item in points
                for at, value in zip(item["timestamps"], item["values"], strict=True)
            }

        for some in [rows] if way == "at once" else [[row] for row in rows]:
            client.call("mutation I($r: [ReadingInput!]!) { ingestTelemetry(readings: $r) { accepted } }", {"r": some})
            if way != "at once":
                # Each is evaluated before the next one arrives.
                wait_until(lambda: not {"batches", "windows", "buckets"} & Watch(installation).waiting().keys())
        # The last thing that happens to the house: its part, too, has fallen silent.
        wait(series, lambda points: points.get(255) == 74)
        score.append(series())
        explained = client.call(
            EXPLAINED, {"id": ids["house"], "at": (begins + timedelta(minutes=200)).isoformat()}
        ).data["healthExplanation"]
        assert explained["score"] == 80
        assert client.call(SCORE, {"id": ids["house"]}).data["entity"]["healthScore"] is None
    wanted = dict.fromkeys(range(0, 60, 15), 100) | dict.fromkeys(range(60, 210, 15), 80) | {255: 74}
    assert score == [wanted, wanted]
