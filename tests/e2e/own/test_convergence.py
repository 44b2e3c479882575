"""An installation with several workers under traffic ends with something checked and no difference."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from testing.installation import PROJECT, Client, Installation, environment
from testing.waits import Deadline, patient

pytestmark = pytest.mark.slow

PATIENCE_S = 120
BUILD = """mutation { createEntityType(input: {kind: ASSET, name: "pump", effectiveFrom: "2020-01-01T00:00:00Z",
    telemetrySchema: {derived: {power: {sum: {volts: 10}, maxAge: "PT5M", unit: "W"}}}}) { errors { message path } }
  createRollup(input: {name: "all", metric: "all", relationship: "HAS_PART", of: {metric: "power", types: ["pump"]}, aggregate: SUM,
    combine: MEAN, bucket: "PT10M"}) { errors { message path } }
  createRule(input: {name: "hot", scope: {kind: ASSET, type: "pump"}, effectiveFrom: "2020-01-01T00:00:00Z",
    condition: {threshold: {metric: "power", operator: GT, value: 50}}}) { errors { message path } }
  createAssetProfile(input: {name: "pumps", effectiveFrom: "2020-01-01T00:00:00Z",
    defaultHealthThresholds: {power: {critHigh: 70, weight: 40}}}) { assetProfile { id } errors { message path } }
  createAsset(input: {name: "house"}) { asset { id } errors { message path } } }"""


@pytest.fixture
def several(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    """Four partitions and five workers."""
    monkeypatch.setattr(
        "testing.installation.environment",
        lambda: {**environment(), "ARGUS_PARTITIONS": "4", "ARGUS_WORKERS": "5", "ARGUS_CHECK_ENTITIES": "100"},
    )
    running = Installation(tmp_path_factory.mktemp("several") / "home")
    running.start("--no-demo")
    try:
        yield running
    finally:
        running.stop()


def argus(installation: Installation, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "argus", *arguments, "--home", str(installation.home)],
        cwd=PROJECT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=patient(120),
    )


def check(installation: Installation) -> dict[str, Any]:
    """Check everything; return the report."""
    done = argus(installation, "check", "--json")
    assert done.stdout, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def site(client: Client) -> list[str]:
    """Make six pumps in a house, each with a device; return the names of the devices."""
    made = client.call(BUILD).data
    assert all(payload["errors"] == [] for payload in made.values()), made
    house, profile = made["createAsset"]["asset"]["id"], made["createAssetProfile"]["assetProfile"]["id"]
    for n in range(6):
        pump = client.call(
            "mutation C($p: ID!, $n: String!) { createAssetFromProfile(profileId: $p, input: {name: $n, type: "
            '"pump"}) { asset { id } errors { message } } }',
            {"p": profile, "n": f"pump {n}"},
        ).data["createAssetFromProfile"]["asset"]["id"]
        device = client.call(
            "mutation D($n: String!) { createDevice(input: {name: $n, externalId: $n}) { device { id } } }",
            {"n": f"d{n}"},
        ).data["createDevice"]["device"]["id"]
        made = client.call(
            "mutation L($d: ID!, $a: ID!, $h: ID!) { linkDevice(input: {deviceId: $d, assetId: $a, "
            'validFrom: "2020-01-01T00:00:00Z"}) { errors { message } } createEdge(input: {sourceId: $h, '
            'targetId: $a, relationship: "HAS_PART", validFrom: "2020-01-01T00:00:00Z"}) { errors { message } } }',
            {"d": device, "a": pump, "h": house},
        ).data
        assert all(payload["errors"] == [] for payload in made.values()), made
    return [f"d{n}" for n in range(6)]


def send(client: Client, rows: list[dict[str, Any]]) -> None:
    query = "mutation I($r: [ReadingInput!]!) { ingestTelemetry(readings: $r) { accepted } }"
    assert client.call(query, {"r": rows}).data["ingestTelemetry"]["accepted"] == len(rows)


def reading(device: str, at: datetime, value: float) -> dict[str, Any]:
    return {"externalId": device, "timestamp": at.isoformat(), "metrics": {"volts": value}}


def test_an_installation_under_traffic_differs_in_nothing(several: Installation) -> None:
    assert argus(several, "organization", "create", "traffic").returncode == 0
    token = argus(several, "token", "create", "--organization", "traffic", "--role", "admin").stdout.strip()
    client = Client(several.url, token)
    devices = site(client)
    begins = datetime.now(UTC) - timedelta(minutes=90)
    late: list[dict[str, Any]] = []
    for step in range(40):
        at = begins + timedelta(minutes=2 * step)
        rows = [reading(device, at, (step * 7 + n * 3) % 10) for n, device in enumerate(devices)]
        # Every seventh comes late, and live ones go on.
        late += rows[step % 7 :: 7]
        send(client, [row for row in rows if row not in late])
        send(client, [reading(device, datetime.now(UTC), step % 10) for device in devices])
        if step % 10 == 0:
            assert check(several)["differences"] == []
    send(client, late)
    deadline = Deadline(PATIENCE_S)
    while True:
        report = check(several)
        assert report["differences"] == []
        if min(report["checks"].get(of, 0) for of in ("derived", "events", "rollups", "health")) > 0 and not sum(
            report["skipped"].values()
        ):
            break
        deadline.pause(report, seconds=1)
    events = client.call("{ events(first: 1) { totalCount } }").data["events"]["totalCount"]
    assert events > 0
    assert argus(several, "check", "--found").stdout.strip() == "0 differences"
